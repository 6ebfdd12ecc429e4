//! When the server is asked by the clock: by moments, not by timers.

use evenkeel::core::session::Status;

use super::script::*;
use super::server::Mood;
use super::world::World;

/// Between one question and the next.
fn gaps(asked: &[u64]) -> Vec<u64> {
    asked.windows(2).map(|two| two[1] - two[0]).collect()
}

/// A page that nobody has touched for long, on a server that is as it says.
fn page(server: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(Some(ANNE));
    server(&mut world);
    world.settle(1);
    world
}

#[test]
fn while_somebody_is_active_it_is_asked_every_five_minutes() {
    let mut world = World::of(ANNE, 1);
    world.run_active(0, 3 * HOUR);
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| (ACTIVE..=ACTIVE_MOST + 100).contains(gap)), "{gaps:?}");
    assert!(gaps.len() >= 30);
    assert!(gaps.windows(2).any(|two| two[0].abs_diff(two[1]) > SECOND), "with jitter");
}

#[test]
fn while_nobody_is_it_is_asked_every_fifteen() {
    let mut world = World::of(ANNE, 1);
    world.run(5 * HOUR);
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| (IDLE..=IDLE_MOST + 100).contains(gap)), "{gaps:?}");
    assert!(gaps.len() >= 17);
}

#[test]
fn who_comes_back_after_a_while_is_asked_for_at_once_where_that_is_overdue() {
    let mut world = World::of(ANNE, 1);
    world.run_until_asked();
    world.run(ACTIVE_MOST);
    world.forget();
    world.act(0);
    assert_eq!(world.asked(), [world.now]);
}

#[test]
fn who_comes_back_sooner_is_asked_for_when_it_is_time() {
    let mut world = World::of(ANNE, 1);
    let last = world.run_until_asked();
    world.run(4 * MINUTE);
    world.forget();
    world.run_active(0, 2 * MINUTE);
    assert!((last + ACTIVE..=last + ACTIVE_MOST + 100).contains(&world.asked()[0]));
}

#[test]
fn a_session_is_renewed_a_minute_before_it_ends() {
    let mut world = page(|world| world.server.lasts = Some(12 * MINUTE));
    world.run(HOUR);
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| (11 * MINUTE..11 * MINUTE + SECOND).contains(gap)), "{gaps:?}");
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_short_one_is_renewed_when_a_tenth_of_it_is_left() {
    let mut world = page(|world| world.server.lasts = Some(100 * SECOND));
    world.run(20 * MINUTE);
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| (90 * SECOND..91 * SECOND).contains(gap)), "{gaps:?}");
}

#[test]
fn a_session_that_ends_later_than_the_next_ping_changes_nothing() {
    let mut world = page(|world| world.server.lasts = Some(30 * 24 * HOUR));
    world.run(HOUR);
    assert_eq!(gaps(&world.asked()).len(), 2);
}

#[test]
fn a_session_that_does_not_grow_is_looked_at_early_once_and_just_after_its_end() {
    let mut world = page(|world| world.server.ends_at = Some(10 * MINUTE));
    world.forget();
    world.run(12 * MINUTE);
    let asked = world.asked();
    // Early, to make it grow; at its end, confirmed; and then nobody is there.
    assert!(asked[0] > 8 * MINUTE && asked[0] < 9 * MINUTE + 10 * SECOND, "{asked:?}");
    assert_eq!(asked[1] - 10 * MINUTE, SECOND);
    assert_eq!((asked.len(), world.status(0)), (4, Status::SignedOut));
}

#[test]
fn an_end_that_is_past_is_no_sign_out_and_no_reason_to_hurry() {
    // The clock of this device is a day ahead of the server's.
    let mut world = page(|world| world.server.lasts = Some(0));
    world.run_active(0, HOUR);
    world.assert_all(Status::Authenticated, Some(ANNE));
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| *gap >= ACTIVE), "{gaps:?}");
}

#[test]
fn a_clock_that_is_ahead_by_just_the_length_of_a_session_makes_no_hot_loop() {
    for lasts in [1, 10, 500, 1_000] {
        let mut world = page(|world| world.server.lasts = Some(lasts));
        world.run(MINUTE);
        assert!(world.asked.len() <= 60, "{lasts}: {}", world.asked.len());
    }
}

#[test]
fn a_page_that_is_forgotten_does_not_keep_a_session_for_ever() {
    let mut world = World::of(ANNE, 3);
    let from = world.now;
    world.run(24 * HOUR);
    let last = *world.asked().last().expect("it was asked");
    assert!((STOP - IDLE_MOST..STOP).contains(&(last - from)), "{}", last - from);
    assert_eq!(world.tabs[0].next_ping, None);
    world.forget();
    world.act(0);
    assert_eq!(world.asked(), [world.now], "and at once when somebody is there again");
}

#[test]
fn a_page_that_may_ask_for_ever_does() {
    let mut world = World::new(Some(ANNE));
    world.settings.stop_after_idle = None;
    world.settle(1);
    world.run(24 * HOUR);
    assert!(world.asked.len() > 85);
}

#[test]
fn nobody_is_asked_for_by_the_clock_once_they_are_signed_out() {
    let mut world = World::new(None);
    world.settle(2);
    world.run(5 * HOUR);
    assert_eq!(world.asked(), []);
}

#[test]
fn a_page_without_a_session_looks_once_when_somebody_comes_back_after_a_while() {
    let mut world = World::new(None);
    world.settle(2);
    world.run_active(0, ACTIVE - 10 * SECOND);
    assert_eq!(world.asked(), [], "not each time");
    world.run(MINUTE);
    world.show(0, false);
    world.server.cookie = Some(ANNE);
    world.show(0, true);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_follower_without_a_session_looks_through_the_leader() {
    let mut world = World::new(None);
    world.settle(3);
    world.run(2 * ACTIVE);
    world.act(2);
    world.run(SECOND);
    assert_eq!(world.asked.iter().map(|(_, tab)| *tab).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_server_that_fails_is_asked_again_with_a_growing_wait_up_to_the_interval() {
    let mut world = World::of(ANNE, 1);
    world.server.mood = Mood::Broken;
    world.request(0);
    world.run(2 * HOUR);
    let gaps = gaps(&world.asked());
    for (nth, gap) in gaps.iter().enumerate() {
        let most = (SECOND << nth.min(20)).min(ACTIVE);
        assert!((most / 2..=most + 100).contains(gap), "{nth}: {gaps:?}");
    }
    assert!((25..60).contains(&gaps.len()), "{}", gaps.len());
}

#[test]
fn a_server_that_answered_in_between_is_asked_again_as_soon_as_at_first() {
    let mut world = World::of(ANNE, 1);
    for _ in 0..2 {
        world.server.mood = Mood::Broken;
        world.request(0);
        world.run(100);
        let failed = world.asked.len();
        world.run(MINUTE);
        assert!(world.asked.len() >= failed + 5, "{:?}", world.asked);
        world.server.mood = Mood::Well;
        world.run(ACTIVE);
        world.forget();
    }
}

#[test]
fn a_server_that_asks_for_time_is_left_alone_for_as_long_and_longer() {
    for asked_for in [3 * SECOND, 40 * SECOND, 4 * MINUTE] {
        let mut waits = Vec::new();
        for seed in 0..40 {
            let mut world = World::seeded(seed, Some(ANNE));
            world.settle(1);
            world.server.mood = Mood::Broken;
            world.server.retry_after = Some(asked_for);
            world.request(0);
            world.run(SECOND);
            // What the browser says of the network shortens no Retry-After.
            world.network(0, true);
            world.run_until_asked();
            waits.push(gaps(&world.asked())[0]);
        }
        assert!(waits.iter().all(|wait| (asked_for..=asked_for * 3 / 2 + 100).contains(wait)), "{waits:?}");
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(most - least > asked_for / 4, "pages that were told the same come back apart");
    }
}

#[test]
fn what_the_server_asks_of_one_tab_it_asks_of_all() {
    let mut world = World::of(ANNE, 3);
    (world.server.mood, world.server.retry_after) = (Mood::Broken, Some(40 * SECOND));
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
    world.run(38 * SECOND);
    assert_eq!(world.asked.len(), 1, "in none of them");
    world.run(40 * SECOND);
    assert!(world.asked.len() > 1);
}

#[test]
fn no_server_keeps_a_page_away_for_days() {
    let mut world = World::of(ANNE, 1);
    world.server.mood = Mood::Broken;
    world.server.retry_after = Some(1_000 * HOUR);
    world.request(0);
    world.run(8 * MINUTE);
    assert_eq!(world.asked.len(), 2);
}

#[test]
fn a_network_that_comes_back_ends_the_wait() {
    let mut world = World::of(ANNE, 2);
    world.server.mood = Mood::Broken;
    world.request(0);
    world.run(HOUR);
    world.run_until_asked();
    world.server.mood = Mood::Well;
    world.run(SECOND);
    world.forget();
    world.network(0, true);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
    world.assert_all(Status::Authenticated, Some(ANNE));
    world.network(0, true);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1, "a session that is known to live waits for its time");
}

#[test]
fn the_next_ping_is_known_to_who_looks() {
    let mut world = World::of(ANNE, 2);
    for _ in 0..10 {
        let next = world.tabs[0].next_ping.expect("there is one");
        world.run_until_asked();
        assert_eq!(world.host(), next);
        world.run(SECOND);
        world.forget();
    }
    assert_eq!(world.tabs[1].next_ping, None);
}

#[test]
fn a_ping_that_a_frozen_leader_owes_is_made_by_another_tab() {
    for seed in 0..20 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(4);
        world.show(1, true);
        world.freeze(0);
        world.run_active(1, ACTIVE_MOST);
        assert!((1..=3).contains(&world.asked.len()), "{seed}: {:?}", world.asked);
        assert!(world.asked[0].0 <= ACTIVE_MOST + 10 * SECOND, "{seed}: {:?}", world.asked);
        world.run(BOUND);
        assert_eq!(world.leaders().len(), 1);
        world.forget();
        world.run_active(1, 5 * ACTIVE);
        assert!((4..=6).contains(&world.asked.len()), "{seed}: {:?}", world.asked);
    }
}

#[test]
fn a_leader_whose_timers_are_throttled_asks_when_another_tab_misses_it() {
    let mut world = World::new(Some(ANNE));
    for _ in 0..3 {
        world.open(false);
    }
    world.run(3 * SECOND);
    for tab in 0..3 {
        world.throttle(tab, THROTTLED);
    }
    world.forget();
    world.run(5 * HOUR);
    let gaps = gaps(&world.asked());
    assert!(gaps.iter().all(|gap| (IDLE..=IDLE_MOST + THROTTLED).contains(gap)), "{gaps:?}");
    assert!(world.asked.iter().all(|(_, tab)| *tab == 0));
}

#[test]
fn idle_tabs_do_not_chatter() {
    let mut world = World::of(ANNE, 10);
    world.run(HOUR);
    assert!(world.words.len() <= 12, "{}: {:?}", world.words.len(), world.words);
}
