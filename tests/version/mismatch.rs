//! What is made of a newer version, by what the app wants.

use evenkeel::core::time::Duration;
use evenkeel::core::version::{Mode, Reason, Status, VersionOutput};

use super::world::{HOUR, IDLE, LATENCY, SECOND, SPREAD, World};

#[test]
fn a_page_reloads_itself_once_and_silently() {
    let mut world = World::new();
    world.learn('B');
    let shown = world.shown();
    assert_eq!((shown.status, shown.reason), (Status::UpdateAvailable, Some(Reason::Mismatch)));
    world.run(HOUR);
    assert!(matches!(world.reloads[..], [(at, 'B', false)] if at <= SPREAD + SECOND));
    assert_eq!((world.page, world.shown().status), ('B', Status::Current));
    assert_eq!(world.said(VersionOutput::Notice), 0);
}

#[test]
fn a_page_that_prompts_tells_the_person_once_for_each_version() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.learn('B');
    world.run(HOUR);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    assert_eq!(world.shown().status, Status::UpdateAvailable);
    world.learn('C');
    assert_eq!(world.said(VersionOutput::Notice), 2);
    world.learn('A');
    assert_eq!(world.shown().status, Status::Current);
    world.learn('B');
    assert_eq!(world.said(VersionOutput::Notice), 2, "it is known");
    world.run(HOUR);
    world.assert_not_reloaded();
}

#[test]
fn a_version_that_is_ignored_is_named_and_nothing_more() {
    let mut world = World::new();
    world.mode = Mode::Ignore;
    world.learn('B');
    world.run(HOUR);
    let shown = world.shown();
    assert_eq!((shown.status, shown.latest, shown.reason), (Status::Current, Some(world.id('B')), None));
    assert_eq!(world.said(VersionOutput::Notice), 0);
    world.assert_not_reloaded();
}

#[test]
fn what_the_app_wants_may_change() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.learn('B');
    world.mode = Mode::Reload;
    world.run(HOUR);
    assert_eq!(world.reloads.len(), 1);

    let mut world = World::new();
    world.hold(true);
    world.learn('B');
    world.mode = Mode::Ignore;
    world.check();
    world.run(LATENCY);
    assert_eq!(world.shown().status, Status::Current);
    world.hold(false);
    world.run(HOUR);
    world.assert_not_reloaded();
}

#[test]
fn a_version_that_is_rolled_back_in_time_is_forgotten() {
    let mut world = World::new();
    world.hold(true);
    world.learn('B');
    world.learn('A');
    assert_eq!((world.shown().status, world.shown().reason), (Status::Current, None));
    world.hold(false);
    world.run(HOUR);
    world.assert_not_reloaded();
}

#[test]
fn a_newer_version_takes_the_place_of_an_older_one_and_waits_anew() {
    let mut waits = Vec::new();
    for seed in 0..200 {
        let mut world = World::seeded(seed, |_| {});
        world.learn('B');
        if world.reloads.is_empty() {
            world.learn('C');
        }
        let from = world.now;
        waits.push(world.run_until_reloaded() - from);
        assert!(matches!(world.reloads[..], [(_, 'C', false)]));
    }
    let longest = waits.iter().max().expect("waits");
    assert!((SPREAD * 9 / 10..=SPREAD + SECOND).contains(longest), "{longest}");
}

#[test]
fn a_version_that_vanishes_while_the_page_gets_ready_is_not_reloaded_for() {
    let mut world = World::with(|settings| settings.spread = Duration::ZERO);
    world.run(IDLE);
    world.stuck = true;
    world.learn('B');
    assert_eq!(world.said(VersionOutput::Prepare(false)), 1);
    world.learn('A');
    world.run(HOUR);
    world.assert_not_reloaded();
}

#[test]
fn where_no_version_is_named_a_refused_page_reloads_once() {
    let mut world = World::without_endpoint();
    world.serves = Some('A');
    for _ in 0..1_200 {
        world.refuse();
        world.run(SECOND / 2);
    }
    assert!(matches!(world.reloads[..], [(_, '?', false)]), "{:?}", world.reloads);
    assert_eq!(world.shown().status, Status::Blocked);
}

#[test]
fn a_refused_page_that_knows_of_a_version_stays_with_it() {
    let mut world = World::without_endpoint();
    world.mode = Mode::Prompt;
    world.header('B');
    world.refuse();
    assert_eq!(world.shown().latest, Some(world.id('B')));
    let mut world = World::without_endpoint();
    world.mode = Mode::Prompt;
    world.refuse();
    world.header('B');
    assert_eq!(world.shown().latest, Some(world.id('B')), "a name is better than none");
}

#[test]
fn what_is_heard_while_a_page_is_being_reloaded_counts_if_it_stays() {
    let mut world = World::new();
    world.declines = true;
    world.learn('B');
    world.run_until_reloaded();
    world.learn_later('C');
    assert_eq!(world.shown().status, Status::Reloading);
    world.declines = false;
    world.run(11 * SECOND);
    assert_eq!(world.shown().latest, Some(world.id('C')));
    world.run(SPREAD + SECOND);
    assert_eq!(world.page, 'C');
}
