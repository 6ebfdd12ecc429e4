//! The one safe moment.

use evenkeel::core::time::Duration;
use evenkeel::core::version::{Blocker, Status, VersionOutput};

use super::world::{Endpoint, FLUSH_TIMEOUT, HOUR, IDLE, LATENCY, MINUTE, SECOND, SPREAD, World};

/// The random moment is now.
fn unspread() -> World {
    let mut world = World::with(|settings| settings.spread = Duration::ZERO);
    world.run(MINUTE);
    world
}

#[track_caller]
fn assert_blocked(world: &World, by: Blocker) {
    assert_eq!((world.shown().status, world.shown().blocked_by), (Status::Blocked, Some(by)));
}

#[test]
fn a_visible_page_waits_for_the_person_to_pause() {
    let mut world = unspread();
    world.active();
    world.learn('B');
    for _ in 0..60 {
        world.active();
        world.run(SECOND);
    }
    world.assert_not_reloaded();
    assert_eq!(world.shown().status, Status::UpdateAvailable, "nothing is wrong");
    let paused_at = world.now - SECOND;
    let at = world.run_until_reloaded();
    assert_eq!(at, paused_at + IDLE + LATENCY);
}

#[test]
fn a_hidden_page_does_not_wait_for_a_pause() {
    let mut world = unspread();
    world.active();
    world.show(false);
    world.learn('B');
    world.run(LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn whoever_looks_at_a_page_again_is_given_a_moment() {
    let mut world = unspread();
    world.hold(true);
    world.show(false);
    world.learn('B');
    world.show(true);
    world.hold(false);
    world.run(IDLE);
    world.assert_not_reloaded();
    world.run(2 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn pages_take_random_moments_within_the_spread_visible_or_not() {
    for visible in [true, false] {
        let mut moments: Vec<u64> = (0..300)
            .map(|seed| {
                let mut world = World::seeded(seed, |_| {});
                world.run(MINUTE);
                world.show(visible);
                world.deploy('B');
                world.check();
                world.run_until_reloaded() - MINUTE - 2 * LATENCY
            })
            .collect();
        moments.sort_unstable();
        assert!(moments[299] <= SPREAD, "{}", moments[299]);
        assert!(moments[30] < SPREAD / 4 && moments[270] > SPREAD * 3 / 4 && moments[150].abs_diff(SPREAD / 2) < 1_500);
    }
}

#[test]
fn a_held_page_is_blocked_at_once_and_reloaded_when_it_is_let_go() {
    let mut world = unspread();
    world.hold(true);
    world.learn('B');
    assert_blocked(&world, Blocker::Hold);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    world.run(HOUR);
    assert_eq!(world.said(VersionOutput::Prepare(false)), 0);
    world.hold(false);
    world.run(2 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn unsaved_work_is_flushed_and_waited_for() {
    let mut world = unspread();
    world.drafts(true);
    world.learn('B');
    assert_eq!(world.said(VersionOutput::Flush), 1);
    world.run(FLUSH_TIMEOUT / 2);
    assert_eq!(world.shown().status, Status::UpdateAvailable);
    world.drafts(false);
    world.run(2 * LATENCY);
    assert_eq!((world.page, world.said(VersionOutput::Notice)), ('B', 0));
}

#[test]
fn work_that_stays_unsaved_blocks_until_it_is_saved() {
    type Set = fn(&mut World, bool);
    let unsaved: [(Blocker, Set); 2] = [(Blocker::Drafts, World::drafts), (Blocker::Requests, World::requests)];
    for (by, set) in unsaved {
        let mut world = unspread();
        set(&mut world, true);
        world.learn('B');
        world.run(FLUSH_TIMEOUT);
        assert_blocked(&world, by);
        world.run(HOUR);
        assert_blocked(&world, by);
        assert_eq!(world.said(VersionOutput::Notice), 1);
        set(&mut world, false);
        world.run(2 * LATENCY);
        assert_eq!(world.page, 'B');
    }
}

#[test]
fn what_still_blocks_is_named() {
    let mut world = unspread();
    world.drafts(true);
    world.requests(true);
    world.learn('B');
    world.run(FLUSH_TIMEOUT);
    assert_blocked(&world, Blocker::Drafts);
    world.drafts(false);
    assert_blocked(&world, Blocker::Requests);
}

#[test]
fn a_person_who_goes_on_typing_is_waited_for_again_and_the_block_does_not_flicker() {
    let mut world = unspread();
    world.drafts(true);
    world.learn('B');
    world.run(FLUSH_TIMEOUT);
    world.forget();
    for _ in 0..60 {
        world.active();
        world.run(SECOND);
    }
    assert_eq!(world.log, [], "still blocked, and nothing is flushed under their hands");
    world.drafts(false);
    assert_eq!(world.shown().status, Status::UpdateAvailable);
    world.assert_not_reloaded();
    world.run(IDLE);
    assert_eq!(world.page, 'B');
}

#[test]
fn who_becomes_active_while_work_is_saved_is_not_interrupted() {
    let mut world = unspread();
    world.drafts(true);
    world.learn('B');
    world.run(SECOND);
    world.active();
    world.drafts(false);
    world.run(IDLE - 1);
    assert_eq!(world.said(VersionOutput::Prepare(false)), 0, "the app is not asked to clear anything yet");
    world.run(2 * LATENCY);
    assert_eq!(world.said(VersionOutput::Flush), 2);
    assert_eq!(world.page, 'B');
}

#[test]
fn whatever_begins_while_the_page_gets_ready_is_waited_for() {
    let begins: [fn(&mut World, bool); 3] = [World::requests, World::drafts, World::hold];
    for begin in begins {
        let mut world = unspread();
        world.learn('B');
        assert_eq!(world.said(VersionOutput::Prepare(false)), 1);
        begin(&mut world, true);
        world.run(MINUTE);
        assert_eq!(world.shown().status, Status::Blocked);
        world.assert_not_reloaded();
        begin(&mut world, false);
        world.run(2 * LATENCY);
        assert_eq!(world.page, 'B');
    }
}

#[test]
fn who_becomes_active_while_the_page_gets_ready_is_not_interrupted() {
    let mut world = unspread();
    world.learn('B');
    world.active();
    world.run(IDLE - 1);
    world.assert_not_reloaded();
    world.run(2 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_changed_field_with_the_focus_blocks_until_it_loses_it() {
    let mut world = unspread();
    world.edit(true);
    world.learn('B');
    world.run(LATENCY);
    assert_blocked(&world, Blocker::Hold);
    world.run(MINUTE);
    assert_blocked(&world, Blocker::Hold);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    let looks = world.said(VersionOutput::Prepare(false));
    assert!((15..=25).contains(&looks), "it is looked at every three seconds: {looks}");
    world.edit(false);
    world.run(2 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_held_field_is_looked_at_again_when_the_page_is_hidden() {
    let mut world = World::with(|settings| {
        settings.spread = Duration::ZERO;
        settings.idle = Duration::from_millis(HOUR);
    });
    world.run(HOUR);
    world.edit(true);
    world.learn('B');
    world.run(LATENCY);
    world.editing = false;
    world.run(MINUTE);
    world.assert_not_reloaded();
    world.show(false);
    world.run(2 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_host_that_never_answers_is_not_waited_for() {
    let mut world = unspread();
    world.stuck = true;
    world.learn('B');
    let from = world.now;
    let at = world.run_until_reloaded();
    assert!(at - from <= 2 * FLUSH_TIMEOUT + 5 * SECOND, "{}", at - from);
}

#[test]
fn a_page_without_a_network_is_not_thrown_away() {
    let mut world = unspread();
    world.hold(true);
    world.learn('B');
    world.network(false);
    world.hold(false);
    world.run(HOUR);
    world.assert_not_reloaded();
    world.network(true);
    world.run(SECOND + 3 * LATENCY);
    assert_eq!(world.page, 'B');
}

#[test]
fn pages_whose_network_returns_together_do_not_reload_together() {
    let moment = |seed| {
        let mut world = World::seeded(seed, |_| {});
        world.hold(true);
        world.learn('B');
        world.run(MINUTE);
        world.network(false);
        world.hold(false);
        world.run(MINUTE);
        world.network(true);
        let from = world.now;
        world.run_until_reloaded() - from
    };
    let moments: Vec<u64> = (0..100).map(moment).collect();
    let (first, last) = (moments.iter().min().expect("some"), moments.iter().max().expect("some"));
    assert!(*first < SPREAD / 10 && *last > SPREAD * 9 / 10, "{first} to {last}");
}

#[test]
fn a_page_is_not_reloaded_into_an_outage() {
    let mut world = unspread();
    world.hold(true);
    world.learn('B');
    world.endpoint = Endpoint::Fails;
    world.check();
    world.run(SECOND);
    world.hold(false);
    world.run(HOUR);
    world.assert_not_reloaded();
    assert!(world.said(VersionOutput::Check) <= 40, "{}", world.said(VersionOutput::Check));
    world.endpoint_says('B');
    world.run(6 * MINUTE);
    assert_eq!(world.page, 'B');
}

#[test]
fn after_a_short_outage_the_reload_soon_goes_on() {
    let mut world = unspread();
    world.hold(true);
    world.learn('B');
    world.endpoint = Endpoint::Fails;
    world.check();
    world.run(20 * SECOND);
    world.hold(false);
    world.endpoint_says('B');
    world.run(20 * SECOND);
    assert_eq!(world.page, 'B');
}

#[test]
fn what_blocked_one_version_does_not_block_the_next_from_the_start() {
    for block in [World::drafts as fn(&mut World, bool), World::edit] {
        let mut world = unspread();
        block(&mut world, true);
        world.learn('B');
        world.run(MINUTE);
        assert_eq!(world.shown().status, Status::Blocked);
        world.active();
        world.learn('C');
        assert_eq!(world.shown().status, Status::UpdateAvailable);
    }
}

#[test]
fn a_laptop_that_slept_over_a_deploy_reloads_once_after_it_was_asked() {
    let mut world = World::new();
    world.run(MINUTE);
    world.deploy('B');
    world.sleep(8 * HOUR);
    let woke_at = world.now;
    world.run(MINUTE);
    assert!(
        matches!(world.reloads[..], [(at, 'B', false)] if at > woke_at + IDLE && at <= woke_at + SPREAD + 2 * SECOND)
    );
}
