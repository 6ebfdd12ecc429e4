//! Whether the leader still runs: asked when it is silent, replaced when it does not answer.

use evenkeel::core::tabs::{Role, Says};

use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, TAKEOVER, THROTTLED, World};

const HOUR: u64 = 60 * MINUTE;

fn asks(world: &World) -> Vec<u64> {
    let asks = |says| matches!(says, Says::Ask { .. });
    world.words.iter().filter(|(_, word)| asks(word.says)).map(|(at, _)| *at).collect()
}

#[test]
fn a_silent_leader_is_asked_after_a_heartbeat_and_one_answer_is_for_all() {
    let mut world = World::with_tabs(2);
    world.event();
    let silent_from = world.now;
    world.run(2 * HEARTBEAT);
    let asked_at = asks(&world)[0];
    assert!((silent_from + HEARTBEAT..=silent_from + HEARTBEAT * 3 / 2 + 10).contains(&asked_at));
    assert!(matches!(world.said_by(0)[..], [Says::Here { visible: true, .. }]));
}

#[test]
fn a_leader_that_is_heard_is_not_asked() {
    let mut world = World::with_tabs(5);
    for _ in 0..600 {
        world.event();
        world.run(100);
    }
    assert_eq!(world.words, []);
}

#[test]
fn of_many_followers_usually_one_asks() {
    let mut world = World::with_tabs(10);
    world.run(HOUR);
    let answers = world.said_by(0).len();
    let (asks, minutes) = (asks(&world).len(), 60);
    assert!(answers >= 40 * minutes, "{answers} answers");
    assert!(asks <= answers * 5 / 4, "{asks} questions for {answers} answers");
}

#[test]
fn a_frozen_leader_is_replaced_when_it_has_not_answered_for_the_takeover_time() {
    for seed in 0..100 {
        let mut world = World::seeded(seed);
        for _ in 0..4 {
            world.open(false);
        }
        world.run(2 * SECOND);
        world.freeze(0);
        let frozen_at = world.now;
        world.run(BOUND);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "{seed}");
        let (at, ..) = world.changes[world.changes.len() - 1];
        assert!(at >= frozen_at + TAKEOVER && at <= frozen_at + BOUND, "{seed}: after {}", at - frozen_at);
        world.assert_led_by(leaders[0]);
    }
}

#[test]
fn a_visible_tab_takes_over_before_a_hidden_one() {
    for seed in 0..50 {
        let mut world = World::seeded(seed);
        let leader = world.open(true);
        world.open(false);
        let visible = world.open(true);
        world.open(false);
        world.run(2 * SECOND);
        world.freeze(leader);
        world.run(BOUND);
        world.assert_led_by(visible);
        assert!(world.changes.iter().all(|(_, tab, _)| [0, visible].contains(tab)), "{seed}: {:?}", world.changes);
    }
}

#[test]
fn two_followers_rarely_steal_together_and_never_lead_together_for_long() {
    let (mut twice, runs) = (0, 400);
    for seed in 0..runs {
        let mut world = World::seeded(seed);
        for _ in 0..10 {
            world.open(false);
        }
        world.run(2 * SECOND);
        world.freeze(0);
        world.forget();
        world.run(BOUND);
        let began = world.changes.iter().filter(|(.., role)| *role == Role::Leader).count();
        twice += usize::from(began > 1);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "{seed}");
        world.assert_led_by(leaders[0]);
    }
    assert!(twice < runs as usize / 4, "{twice} of {runs}");
}

#[test]
fn a_hidden_leader_whose_timers_are_throttled_still_answers() {
    let mut world = World::new();
    for _ in 0..5 {
        let tab = world.open(false);
        world.throttle(tab, if tab == 0 { THROTTLED } else { 1 });
    }
    world.run(2 * SECOND);
    world.forget();
    world.run(HOUR);
    world.assert_led_by(0);
    assert_eq!(world.changes, []);
}

#[test]
fn tabs_that_come_together_to_a_throttled_leader_do_not_take_its_lead() {
    let mut world = World::new();
    let leader = world.open(false);
    world.throttle(leader, THROTTLED);
    world.run(MINUTE);
    for _ in 0..8 {
        world.open(false);
        world.run(20);
    }
    world.run(5 * MINUTE);
    world.assert_led_by(leader);
    assert_eq!(world.changes.len(), 1);
}

#[test]
fn a_frozen_leader_is_replaced_though_all_others_are_throttled() {
    let mut world = World::new();
    for _ in 0..4 {
        let tab = world.open(false);
        world.throttle(tab, THROTTLED);
    }
    world.run(MINUTE);
    world.freeze(0);
    // They all wake in the same millisecond, so that no jitter keeps them apart.
    world.run(5 * THROTTLED);
    let leaders = world.leaders();
    assert_eq!(leaders.len(), 1);
    world.assert_led_by(leaders[0]);
}

#[test]
fn what_was_not_answered_while_the_device_slept_proves_nothing() {
    for seed in 0..200 {
        let mut world = World::seeded(seed);
        for nth in 0..5 {
            world.open(nth == 0);
        }
        world.run(2 * SECOND + world.rng.clone().u64(0..2 * SECOND));
        world.forget();
        world.sleep(8 * HOUR);
        world.run(MINUTE);
        assert_eq!(world.changes, [], "{seed}");
        world.assert_led_by(0);
    }
}

#[test]
fn after_a_sleep_a_question_that_was_open_is_asked_anew_at_once() {
    let mut world = World::with_tabs(2);
    world.freeze(0);
    while asks(&world).is_empty() {
        world.run(1);
    }
    world.run(HEARTBEAT / 2);
    world.forget();
    world.sleep(10);
    world.run(30);
    assert_eq!(asks(&world).len(), 1);
    let asked_at = world.now;
    world.run_until_led_by(1);
    assert!(world.now >= asked_at - 30 + TAKEOVER);
}

#[test]
fn a_tab_that_was_frozen_hears_the_answer_before_it_concludes_anything() {
    for seed in 0..300 {
        let mut world = World::seeded(seed);
        world.open(true);
        let tab = world.open(false);
        world.run(2 * SECOND);
        world.forget();
        // Some of them in the very moment between the question and its answer.
        while asks(&world).is_empty() {
            world.run(1);
        }
        world.run(seed % 20);
        world.freeze(tab);
        world.run(TAKEOVER + 3 * HEARTBEAT + seed * SECOND);
        world.thaw(tab);
        world.run(BOUND);
        assert_eq!(world.changes, [], "{seed}");
    }
}

#[test]
fn a_tab_that_only_runs_for_moments_is_not_put_off_for_ever() {
    let mut world = World::with_tabs(2);
    world.kill(0);
    world.run(SECOND);
    world.assert_led_by(1);
    let tab = world.open(false);
    world.run(SECOND);
    world.freeze(1);
    // The device falls asleep again whenever the answer is nearly due.
    for _ in 0..3 {
        world.run(4 * SECOND);
        world.sleep(MINUTE);
    }
    world.run(SECOND);
    world.assert_led_by(tab);
}

#[test]
fn questions_that_wait_for_an_answer_are_repeated_in_case_one_went_astray() {
    for tabs in [2, 10] {
        let mut world = World::with_tabs(tabs);
        world.freeze(0);
        world.run(TAKEOVER);
        let asks = asks(&world).len();
        assert!((3..=8).contains(&asks), "{tabs} tabs ask {asks} times");
    }
}
