//! Is anybody there? In any tab.

use evenkeel::core::session::SessionSays;

use super::script::*;
use super::world::World;

fn active(says: &SessionSays) -> bool {
    *says == SessionSays::Active
}

#[test]
fn somebody_who_is_active_in_any_tab_is_active_for_all() {
    let mut world = World::of(ANNE, 4);
    world.show(0, false);
    world.show(3, true);
    world.run(SECOND);
    world.forget();
    world.run_active(3, HOUR);
    assert!(world.asked.len() >= 10, "{:?}", world.asked);
}

#[test]
fn a_tab_that_does_not_lead_counts_as_well() {
    let mut world = World::of(ANNE, 2);
    // Both can be seen, and the leader is the other one.
    world.show(1, true);
    world.run(SECOND);
    world.forget();
    world.run_active(1, HOUR);
    assert_eq!(world.leaders(), [0]);
    assert!(world.asked.len() >= 10, "{:?}", world.asked);
}

#[test]
fn the_others_are_told_at_most_twice_a_minute_and_not_by_two_tabs() {
    let mut world = World::of(ANNE, 3);
    (1..3).for_each(|tab| world.show(tab, true));
    world.run(MINUTE);
    world.forget();
    for _ in 0..600 {
        for tab in 0..3 {
            world.act(tab);
            world.run(SECOND / 3);
        }
    }
    let told = world.said(active).len();
    assert!((18..=24).contains(&told), "{told} in ten minutes");
}

#[test]
fn a_hidden_tab_is_idle_whatever_happened_in_it() {
    let mut world = World::of(ANNE, 1);
    world.run_active(0, 2 * MINUTE);
    world.show(0, false);
    world.run(IDLE - 3 * MINUTE);
    assert_eq!(world.asked(), []);
}

#[test]
fn the_others_forget_who_was_there_when_that_tab_is_hidden() {
    let mut world = World::of(ANNE, 2);
    world.show(1, true);
    world.run(SECOND);
    world.show(0, false);
    world.run(2 * SECOND);
    world.run_active(1, ACTIVE);
    world.show(1, false);
    world.run(SECOND);
    world.forget();
    // Nobody sees either of them.
    world.run(IDLE - ACTIVE);
    assert_eq!(world.asked(), []);
}

#[test]
fn who_is_still_there_says_so_when_another_tab_is_hidden() {
    let mut world = World::of(ANNE, 3);
    world.show(1, true);
    world.show(2, true);
    world.run(MINUTE);
    (0..3).for_each(|tab| world.act(tab));
    world.run(SECOND);
    world.forget();
    world.show(2, false);
    world.run(100);
    let told: Vec<usize> = world.said(active).iter().map(|(_, tab)| *tab).collect();
    assert!(told.contains(&0) && told.contains(&1) && !told.contains(&2), "{told:?}");
    assert_eq!(world.said(|says| *says == SessionSays::Hidden).len(), 1);
}

#[test]
fn who_was_hidden_for_a_moment_is_there_again_for_all() {
    let mut world = World::of(ANNE, 2);
    world.show(1, true);
    // Nobody has touched the other one for long.
    world.run_active(1, IDLE_AFTER + MINUTE);
    world.run(MINUTE);
    world.act(1);
    world.forget();
    world.show(1, false);
    world.run(SECOND);
    world.show(1, true);
    world.run(SECOND);
    let told: Vec<usize> = world.said(active).iter().map(|(_, tab)| *tab).collect();
    assert_eq!(told, [1], "the other one had forgotten it");
}

#[test]
fn a_page_that_becomes_visible_is_one_that_somebody_looks_at() {
    let mut world = World::of(ANNE, 1);
    world.run_until_asked();
    world.show(0, false);
    world.run(ACTIVE_MOST);
    world.forget();
    world.show(0, true);
    assert_eq!(world.asked(), [world.now]);
}

#[test]
fn a_load_is_activity_too() {
    let mut world = World::of(ANNE, 1);
    world.run(STOP + HOUR);
    world.forget();
    world.open(true);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
    assert!(world.tabs[0].next_ping.is_some(), "the clock runs again");
}

#[test]
fn a_new_leader_knows_when_somebody_was_there_last() {
    let mut world = World::of(ANNE, 2);
    world.run(STOP - HOUR);
    world.act(0);
    world.run(SECOND);
    world.kill(0);
    world.run(SECOND);
    world.forget();
    world.run(2 * HOUR);
    assert!(world.asked.len() >= 6, "{:?}", world.asked);
    world.run(STOP);
    assert_eq!(world.tabs[1].next_ping, None);
}

#[test]
fn somebody_who_was_away_for_a_day_is_asked_for_in_whichever_tab_they_come_back() {
    let mut world = World::of(ANNE, 3);
    world.show(2, true);
    world.run(24 * HOUR);
    world.forget();
    world.act(2);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
}
