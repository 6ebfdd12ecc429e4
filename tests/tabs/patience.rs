//! Groups whose leader has nothing to say for minutes: it is asked when its work is missed, and not before.

use evenkeel::core::tabs::Says;

use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, TAKEOVER, World};

const HOUR: u64 = 60 * MINUTE;

/// So many tabs, the first of which is visible and leads, long after the last one came.
fn group(seed: u64, tabs: usize) -> World {
    let mut world = World::patient(seed);
    for nth in 0..tabs {
        world.open(nth == 0);
    }
    world.run(MINUTE);
    world.assert_led_by(0);
    world.forget();
    world
}

#[test]
fn a_quiet_group_says_nothing_for_hours() {
    let mut world = group(1, 10);
    world.run(8 * HOUR);
    assert_eq!((world.words.len(), world.changes.len()), (0, 0));
    assert!(world.tabs.iter().all(|tab| tab.tabs.next_wake().is_none()), "no timer is left");
    world.assert_led_by(0);
}

#[test]
fn one_answer_of_a_leader_that_is_there_is_for_all_who_missed_it() {
    let mut world = group(1, 10);
    (1..10).for_each(|tab| world.miss(tab));
    world.run(HOUR);
    let answers = world.said_by(0);
    assert!(
        answers.len() <= 2 && answers.iter().all(|says| matches!(says, Says::Here { visible: true, .. })),
        "{answers:?}"
    );
    assert_eq!(world.changes, []);
    world.assert_led_by(0);
}

#[test]
fn a_frozen_leader_stays_until_it_is_missed() {
    for seed in 0..100 {
        let mut world = group(seed, 4);
        world.freeze(0);
        world.run(HOUR);
        assert_eq!(world.changes, []);
        let missed_at = world.now;
        world.miss(2);
        world.run(BOUND);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "{seed}");
        let (at, ..) = world.changes[0];
        assert!(at >= missed_at + TAKEOVER, "{seed}: after {}", at - missed_at);
        world.assert_led_by(leaders[0]);
        // It is the one that is looked at, and is handed the lead back.
        world.thaw(0);
        world.run(BOUND);
        world.assert_led_by(0);
    }
}

#[test]
fn a_question_that_nobody_answers_is_repeated_until_somebody_does() {
    let mut world = group(1, 2);
    world.freeze(0);
    world.miss(1);
    world.run(TAKEOVER - HEARTBEAT);
    let asks = world.said_by(1).len();
    assert!((3..=5).contains(&asks), "{asks}");
    world.thaw(0);
    world.run(SECOND);
    world.forget();
    world.run(HOUR);
    assert_eq!((world.words.len(), world.changes.len()), (0, 0));
    world.assert_led_by(0);
}

#[test]
fn a_leader_that_is_closed_or_killed_is_replaced_at_once() {
    let mut world = group(1, 3);
    world.close(0);
    world.run(30);
    world.assert_led_by(1);
    world.kill(1);
    world.run(30);
    world.assert_led_by(2);
}

#[test]
fn a_hidden_leader_hands_over_to_a_tab_that_is_looked_at() {
    let mut world = group(1, 4);
    world.show(0, false);
    world.show(3, true);
    world.run(SECOND);
    world.assert_led_by(3);
    world.forget();
    world.run(HOUR);
    assert_eq!((world.words.len(), world.changes.len()), (0, 0));
}

#[test]
fn who_leads_is_not_asked_and_who_left_asks_nobody() {
    let mut world = group(1, 2);
    world.miss(0);
    world.leave(1);
    world.miss(1);
    world.run(MINUTE);
    assert_eq!(world.words, []);
}
