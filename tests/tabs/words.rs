//! What it costs to stay in touch.

use evenkeel::core::tabs::Role;

use super::world::{MINUTE, THROTTLED, World};

/// Words in a minute of a quiet group, the mean of a quarter of an hour.
fn words_in_a_minute(mut world: World, every: u64) -> f64 {
    let tabs = world.tabs.len();
    for tab in 0..tabs {
        world.throttle(tab, every);
    }
    world.run(2 * MINUTE);
    world.forget();
    world.run(15 * MINUTE);
    assert_eq!(world.changes, []);
    world.words.len() as f64 / 15.0
}

#[test]
fn however_many_tabs_there_are_a_quiet_group_says_about_two_words_a_second() {
    for (tabs, most) in [(1, 0.0), (3, 115.0), (10, 130.0), (50, 240.0)] {
        for world in [World::with_tabs(tabs), World::with_hidden_tabs(tabs)] {
            let words = words_in_a_minute(world, 1);
            println!("{tabs} tabs: {words:.1} words a minute");
            assert!(words <= most, "{tabs} tabs: {words} words a minute");
        }
    }
}

#[test]
fn throttled_tabs_say_less() {
    let words = words_in_a_minute(World::with_tabs(10), THROTTLED);
    println!("10 throttled tabs: {words:.1} words a minute");
    assert!(words <= 22.0, "{words}");
}

#[test]
fn an_hour_of_tab_switching_changes_the_leader_once_a_switch() {
    let mut world = World::with_tabs(10);
    let (mut shown, switches) = (0, 360);
    for _ in 0..switches {
        let next = (shown + 1 + world.rng.usize(0..9)) % 10;
        world.show(shown, false);
        world.show(next, true);
        world.run(10_000);
        world.assert_led_by(next);
        shown = next;
    }
    let began = world.changes.iter().filter(|(.., role)| *role == Role::Leader).count();
    assert_eq!(began, switches);
}
