//! What the person says counts.

use evenkeel::core::version::{Blocker, Mode, Status, VersionOutput};

use super::world::{Endpoint, FLUSH_TIMEOUT, HOUR, LATENCY, MINUTE, SECOND, World};

#[test]
fn a_yes_reloads_at_once() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.learn('B');
    world.active();
    world.forget();
    let from = world.now;
    world.apply();
    assert_eq!(world.shown().status, Status::Reloading);
    world.run(SECOND);
    assert_eq!(world.reloads, [(from + LATENCY, 'B', true)]);
    let said: Vec<_> = world.log.iter().map(|(_, said)| *said).collect();
    let reload = VersionOutput::Reload('B' as u32, true);
    assert_eq!(said[..2], [VersionOutput::Flush, VersionOutput::Prepare(true)]);
    assert_eq!(said[said.len() - 1], reload);
}

#[test]
fn a_yes_overrules_whatever_blocks() {
    type Act = fn(&mut World);
    let blocked: [(Blocker, Act); 5] = [
        (Blocker::Hold, |world| world.hold(true)),
        (Blocker::Drafts, |world| world.drafts(true)),
        (Blocker::Requests, |world| world.requests(true)),
        (Blocker::Hold, |world| world.edit(true)),
        (Blocker::Storage, |world| {
            world.storage_works = false;
            world.reload_by_hand();
        }),
    ];
    for (by, block) in blocked {
        let mut world = World::new();
        block(&mut world);
        world.learn('B');
        world.run(MINUTE);
        assert_eq!(world.shown().blocked_by, Some(by));
        let from = world.now;
        world.apply();
        world.run(FLUSH_TIMEOUT + 2 * LATENCY);
        assert!(matches!(world.reloads[..], [(at, 'B', true)] if at - from <= FLUSH_TIMEOUT + LATENCY), "{by:?}");
    }
}

#[test]
fn a_yes_overrules_the_loop_guard_and_a_dead_endpoint() {
    let mut world = World::new();
    world.learn('B');
    world.serves = Some('A');
    world.run_until_reloaded();
    world.check();
    world.run(MINUTE);
    assert_eq!(world.shown().blocked_by, Some(Blocker::LoopGuard));
    world.endpoint = Endpoint::Fails;
    world.check();
    world.run(SECOND);
    world.network(false);
    world.apply();
    world.run(SECOND);
    assert!(matches!(world.reloads[..], [_, (_, 'B', true)]), "{:?}", world.reloads);
}

#[test]
fn a_yes_waits_for_unsaved_work_as_long_as_it_may() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.requests(true);
    world.learn('B');
    let from = world.now;
    world.apply();
    world.run(2 * SECOND);
    world.assert_not_reloaded();
    world.requests(false);
    world.run(SECOND);
    assert_eq!(world.reloads, [(from + 2 * SECOND + LATENCY, 'B', true)]);
}

#[test]
fn a_second_yes_joins_the_first() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.drafts(true);
    world.learn('B');
    for _ in 0..100 {
        world.apply();
        world.run(100);
    }
    assert_eq!([world.said(VersionOutput::Flush), world.said(VersionOutput::Prepare(true))], [1, 1]);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn a_yes_joins_a_host_that_gets_ready_already_and_is_not_held_up_by_what_it_finds() {
    for editing in [false, true] {
        let mut world = World::new();
        world.learn('B');
        world.edit(editing);
        while world.said(VersionOutput::Prepare(false)) == 0 {
            world.run(1);
        }
        world.apply();
        world.run(SECOND);
        assert!(matches!(world.reloads[..], [(_, 'B', true)]));
        assert_eq!(world.said(VersionOutput::Prepare(true)), usize::from(editing), "not twice without a need");
    }
}

#[test]
fn a_yes_to_nothing_is_a_check() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.deploy('B');
    world.apply();
    world.run(HOUR);
    assert_eq!(world.said(VersionOutput::Checked), 1);
    assert_eq!(world.shown().status, Status::UpdateAvailable);
    world.assert_not_reloaded();
}

#[test]
fn a_yes_to_a_version_that_the_app_ignores_counts_too() {
    let mut world = World::new();
    world.mode = Mode::Ignore;
    world.learn('B');
    world.apply();
    world.run(SECOND);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_yes_stands_when_the_version_is_rolled_back_meanwhile() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.drafts(true);
    world.learn('B');
    world.apply();
    world.deploy('A');
    world.check();
    world.run(FLUSH_TIMEOUT + SECOND);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn a_host_that_never_gets_ready_is_not_waited_for() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.stuck = true;
    world.learn('B');
    let from = world.now;
    world.apply();
    let at = world.run_until_reloaded();
    assert!(at - from <= 2 * FLUSH_TIMEOUT + 5 * SECOND, "{}", at - from);
}

#[test]
fn a_yes_that_the_page_declines_can_be_said_again() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.declines = true;
    world.learn('B');
    world.apply();
    world.run(11 * SECOND);
    assert_eq!((world.reloads.len(), world.shown().status), (1, Status::UpdateAvailable));
    world.declines = false;
    world.apply();
    world.run(SECOND);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_yes_to_a_reload_that_the_page_just_declined_is_another_reload() {
    let mut world = World::new();
    world.declines = true;
    world.learn('B');
    while world.reloads.is_empty() {
        world.run(100);
    }
    assert_eq!(world.shown().status, Status::Reloading);
    world.declines = false;
    world.apply();
    world.run(SECOND);
    assert_eq!(world.page, 'B');
}

#[test]
fn after_a_no_the_person_is_not_asked_for_this_version_again() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.learn('B');
    world.dismiss();
    assert!(world.shown().dismissed);
    world.run(HOUR);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    world.learn('C');
    assert!(!world.shown().dismissed);
    assert_eq!(world.said(VersionOutput::Notice), 2);
    world.learn('B');
    assert!(world.shown().dismissed, "a no is remembered");
}

#[test]
fn after_a_no_a_page_still_reloads_itself_and_a_block_is_not_told() {
    let mut world = World::new();
    world.learn('B');
    world.dismiss();
    world.hold(true);
    world.run(MINUTE);
    assert_eq!((world.shown().status, world.said(VersionOutput::Notice)), (Status::Blocked, 0));
    world.hold(false);
    world.run(MINUTE);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_no_to_nothing_is_nothing() {
    let mut world = World::new();
    world.dismiss();
    assert_eq!(world.log, []);
}
