//! A part of the page that is gone since a deploy.

use evenkeel::core::version::{Mode, Reason, Status, VersionOutput};

use super::world::{Endpoint, HOUR, IDLE, LATENCY, MINUTE, SECOND, World};

#[test]
fn a_lost_chunk_has_the_endpoint_asked_at_once_and_the_page_reloaded_at_the_next_pause() {
    let mut world = World::new();
    world.run(MINUTE);
    world.deploy('B');
    // The click that wanted it.
    world.active();
    let from = world.now;
    for _ in 0..20 {
        world.chunk_failed();
    }
    world.run(LATENCY);
    assert_eq!(world.shown().reason, Some(Reason::ChunkError));
    let at = world.run_until_reloaded();
    assert!((IDLE..=IDLE + 2 * LATENCY).contains(&(at - from)), "no spread: after {}", at - from);
    assert_eq!(world.said_at(VersionOutput::Check), [from]);
    world.run(HOUR);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn a_lost_chunk_in_a_page_that_is_known_to_be_old_asks_nothing_and_waits_no_more() {
    let mut world = World::new();
    world.hold(true);
    world.learn('B');
    world.forget();
    world.chunk_failed();
    assert_eq!(world.said(VersionOutput::Check), 0);
    assert_eq!(world.said(VersionOutput::Checked), 1);
    assert_eq!(world.shown().reason, Some(Reason::ChunkError));
    world.run(IDLE);
    world.hold(false);
    world.run(2 * LATENCY);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn a_lost_chunk_of_the_same_version_is_an_error_and_nothing_else() {
    for endpoint in [Endpoint::Says('A'), Endpoint::Fails, Endpoint::Silent] {
        let mut world = World::new();
        world.endpoint = endpoint;
        world.chunk_failed();
        world.run(MINUTE);
        assert_eq!(world.said(VersionOutput::Checked), 1, "whoever waits is told");
        assert_eq!((world.shown().status, world.shown().reason), (Status::Current, None));
        world.assert_not_reloaded();
        // What comes later has nothing to do with it.
        world.mode = Mode::Prompt;
        world.learn('B');
        assert_eq!(world.shown().reason, Some(Reason::Mismatch));
    }
}

#[test]
fn a_lost_chunk_offline_is_told_soon() {
    let mut world = World::new();
    world.network(false);
    world.endpoint = Endpoint::Fails;
    world.chunk_failed();
    world.run(SECOND);
    assert_eq!(world.said(VersionOutput::Checked), 1);
}

#[test]
fn without_an_endpoint_a_lost_chunk_is_an_error_until_a_header_told() {
    let mut world = World::without_endpoint();
    world.chunk_failed();
    assert_eq!(world.log, [(0, VersionOutput::Checked)]);
    world.mode = Mode::Prompt;
    world.header('B');
    assert_eq!(world.shown().reason, Some(Reason::Mismatch));
    world.chunk_failed();
    assert_eq!(world.shown().reason, Some(Reason::ChunkError));
}

#[test]
fn chunks_that_are_lost_without_end_have_the_endpoint_asked_once_a_second() {
    let mut world = World::new();
    for _ in 0..600 {
        world.chunk_failed();
        world.run(100);
    }
    assert!(world.said(VersionOutput::Check) <= 61);
}

#[test]
fn a_rollback_takes_the_lost_chunk_along() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.deploy('B');
    world.chunk_failed();
    world.run(LATENCY);
    world.learn('A');
    assert_eq!(world.shown().reason, None);
    world.learn('B');
    assert_eq!(world.shown().reason, Some(Reason::Mismatch));
}
