//! A page that is on its way to a new version: what still runs for the old one is waited for.

use evenkeel::core::hub::{Input, VersionInput};
use evenkeel::core::output::Output;
use evenkeel::core::version::{Blocker, Mode, Prepared, Snapshot, Status, VersionOutput};

use super::script::{But, MINUTE, SECOND, get, ok, post, status, version};
use super::world::World;

const NEWER: u32 = 2;
const RELOAD: VersionOutput = VersionOutput::Reload(NEWER, false);

/// A page that is reloaded as soon as it may be; its server says by itself which version it runs.
fn page() -> World {
    World::with(|settings| settings.version = version(false))
}

fn said(world: &World, what: VersionOutput) -> Vec<u64> {
    world.said(|output| *output == Output::Version(what))
}

fn blocked(world: &World, by: Blocker) -> Vec<u64> {
    let by = Some(by);
    let is = |snapshot: &Snapshot| snapshot.status == Status::Blocked && snapshot.blocked_by == by;
    world.said(|output| matches!(output, Output::Version(VersionOutput::Show(snapshot)) if is(snapshot)))
}

fn deploy(world: &mut World) {
    world.input(Input::Version(VersionInput::Seen(NEWER, Mode::Reload)));
}

fn ready(world: &mut World) {
    world.input(Input::Version(VersionInput::Prepared(Prepared::Ready)));
}

#[test]
fn what_changes_something_at_the_server_is_waited_for() {
    let mut world = page();
    world.always(ok().after(3 * SECOND));
    world.call(post("/orders"));
    deploy(&mut world);
    world.run(2 * SECOND);
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [], "the order is on its way");
    world.run_dry();
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [3 * SECOND]);
    ready(&mut world);
    assert_eq!(said(&world, RELOAD), [3 * SECOND]);
}

#[test]
fn what_only_reads_is_not_waited_for() {
    let mut world = page();
    world.always(ok().after(3 * SECOND));
    world.call(get("/meals"));
    deploy(&mut world);
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [0]);
}

#[test]
fn what_takes_too_long_blocks_the_reload_until_it_is_over() {
    let mut world = page();
    world.always(ok().after(20 * SECOND));
    world.call(post("/orders"));
    deploy(&mut world);
    world.run(19 * SECOND);
    assert_eq!(blocked(&world, Blocker::Requests), [5 * SECOND]);
    assert_eq!(said(&world, VersionOutput::Prepare(false)), []);
    world.run_dry();
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [20 * SECOND]);
}

#[test]
fn a_write_between_two_attempts_is_waited_for_too() {
    let mut world = page();
    world.answers([status(503).retry_after(3 * SECOND)]);
    world.call(post("/orders").but(|call| call.traits.idempotent = true));
    world.run(SECOND);
    deploy(&mut world);
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [], "it waits to be sent again");
    world.run_dry();
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [world.now]);
}

#[test]
fn a_write_that_begins_while_the_page_gets_ready_is_waited_for() {
    let mut world = page();
    world.always(ok().after(SECOND));
    deploy(&mut world);
    world.call(post("/orders"));
    ready(&mut world);
    assert_eq!(said(&world, RELOAD), [], "the page got ready before");
    world.run_dry();
    assert_eq!(said(&world, RELOAD), [SECOND]);
    assert_eq!(
        said(&world, VersionOutput::Prepare(false)),
        [0],
        "what it sends each time would be waited for each time"
    );
}

#[test]
fn a_page_that_waits_too_long_for_what_it_sent_is_made_ready_again() {
    let mut world = page();
    world.always(ok().after(20 * SECOND));
    deploy(&mut world);
    world.call(post("/orders"));
    ready(&mut world);
    world.run(19 * SECOND);
    assert_eq!(blocked(&world, Blocker::Requests), [5 * SECOND]);
    world.run_dry();
    assert_eq!(said(&world, VersionOutput::Prepare(false)), [0, 20 * SECOND]);
    ready(&mut world);
    assert_eq!(said(&world, RELOAD), [20 * SECOND]);
}

#[test]
fn a_disposed_client_reloads_nothing() {
    let mut world = page();
    deploy(&mut world);
    world.input(Input::Dispose);
    ready(&mut world);
    world.run(MINUTE);
    assert_eq!(said(&world, RELOAD), []);
}
