//! Other libraries on the same page say that something may have changed: one question for all tabs that hear it.

use super::script::*;
use super::world::World;

#[test]
fn what_all_tabs_hear_has_the_server_asked_once() {
    for tabs in [1, 2, 3, 10] {
        for seed in 0..20 {
            let mut world = World::seeded(seed, Some(ANNE));
            world.settle(tabs);
            world.server.cookie = Some(BERT);
            world.nudge(None);
            world.run(3 * SECOND);
            assert_eq!(world.asked.len(), 1, "{tabs} tabs, {seed}: {:?}", world.asked);
            (0..tabs).for_each(|tab| assert_eq!(world.user(tab), Some(BERT)));
        }
    }
}

#[test]
fn what_the_leader_s_own_page_says_reaches_it_through_the_others() {
    for seed in 0..20 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(4);
        world.server.cookie = Some(BERT);
        world.nudge(Some(0));
        world.run(3 * SECOND);
        assert_eq!(world.asked.len(), 1, "{seed}: {:?}", world.asked);
        assert_eq!(world.asked[0].1, 0);
        (0..4).for_each(|tab| assert_eq!(world.user(tab), Some(BERT)));
    }
}

#[test]
fn it_is_heard_at_once() {
    let mut world = World::of(ANNE, 3);
    world.nudge(None);
    let from = world.now;
    assert!(world.run_until_asked() - from <= HEARTBEAT / 5);
}

#[test]
fn a_library_that_says_it_over_and_over_is_heard_once_a_second() {
    let mut world = World::of(ANNE, 3);
    for _ in 0..300 {
        world.nudge(None);
        world.run(100);
    }
    assert!((28..=32).contains(&world.asked.len()), "{}", world.asked.len());
    world.run(2 * SECOND);
    let asked = world.asked.len();
    world.run(MINUTE);
    assert_eq!(world.asked.len(), asked);
}

#[test]
fn what_is_said_while_a_question_is_out_has_it_asked_once_more() {
    let mut world = World::of(ANNE, 2);
    world.server.latency = 300;
    world.request(0);
    world.run(100);
    world.nudge(None);
    world.run(100);
    world.nudge(None);
    world.run(5 * SECOND);
    assert_eq!(world.asked.len(), 2);
    assert_eq!(world.asked[1].0 - world.asked[0].0, SECOND);
}

#[test]
fn a_leader_that_is_gone_keeps_no_tab_from_finding_out() {
    let mut world = World::of(ANNE, 3);
    world.freeze(0);
    world.server.cookie = Some(BERT);
    world.nudge(None);
    world.run(5 * SECOND);
    assert_eq!((world.user(1), world.user(2)), (Some(BERT), Some(BERT)));
}
