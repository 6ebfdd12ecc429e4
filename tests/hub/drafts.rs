//! What drafts have to do with the rest: who reloads or signs out asks them first, and what they meet at the server is
//! everybody's business.

use evenkeel::core::connection::ConnectionStatus;
use evenkeel::core::draft::restore::Remote;
use evenkeel::core::draft::{Carried, DraftInput, DraftOutput, DraftSettings, Owner, Sent, Status, Stored};
use evenkeel::core::hub::{Input, SessionInput, VersionInput};
use evenkeel::core::kind::Kind;
use evenkeel::core::output::Output;
use evenkeel::core::session::SessionOutput;
use evenkeel::core::verify::SessionAnswer;
use evenkeel::core::version::{Blocker, Mode, VersionOutput};

use super::script::{MINUTE, SECOND, ms, version};
use super::world::World;

const NEWER: u32 = 2;
const DRAFT: u32 = 1;
/// Whose session it is.
const ADA: u32 = 1;

/// A page with a draft that somebody just typed in, which is reloaded as soon as it may be.
fn typed() -> World {
    typed_with(false)
}

/// `endpoint`: it asks the server's which version there is.
fn typed_with(endpoint: bool) -> World {
    let mut world = World::with(|settings| settings.version = version(endpoint));
    let settings = DraftSettings { debounce: ms(2 * SECOND), max_wait: ms(10 * SECOND), endpoint: true };
    tell(&mut world, DraftInput::Open(settings, Owner::User(ADA), Carried::default()));
    tell(&mut world, DraftInput::Edited);
    world
}

fn tell(world: &mut World, input: DraftInput) {
    world.input(Input::Draft(DRAFT, input));
}

fn deploy(world: &mut World) {
    world.input(Input::Version(VersionInput::Seen(NEWER, Mode::Reload)));
}

fn draft_says(world: &World, what: impl Fn(&DraftOutput) -> bool) -> Vec<u64> {
    world.said(|output| matches!(output, Output::Draft(DRAFT, said) if what(said)))
}

fn stores(world: &World) -> Vec<u64> {
    draft_says(world, |said| matches!(said, DraftOutput::Store(_)))
}

/// The numbers of all uploads.
fn uploads(world: &World) -> Vec<u32> {
    let number = |(_, output): &(u64, Output)| match output {
        Output::Draft(DRAFT, DraftOutput::Upload(number, ..)) => Some(*number),
        _ => None,
    };
    world.log.iter().filter_map(number).collect()
}

fn sent(world: &mut World, what: Sent) {
    let number = *uploads(world).last().expect("an upload");
    tell(world, DraftInput::Sent(number, what));
}

/// The device has it, and the server was sent it.
fn upload(world: &mut World) {
    tell(world, DraftInput::Stored(Stored::Dirty));
    assert!(!uploads(world).is_empty());
}

fn prepared(world: &World) -> Vec<u64> {
    world.said(|output| matches!(output, Output::Version(VersionOutput::Prepare(_))))
}

fn blocked_by_drafts(world: &World) -> Vec<u64> {
    let blocked = |output: &Output| match output {
        Output::Version(VersionOutput::Show(shown)) => shown.blocked_by == Some(Blocker::Drafts),
        _ => false,
    };
    world.said(blocked)
}

fn signs_out(world: &World) -> Vec<u64> {
    world.said(|output| *output == Output::Session(SessionOutput::SignOut))
}

#[test]
fn a_reload_saves_what_was_typed_first() {
    let mut world = typed();
    deploy(&mut world);
    assert_eq!(stores(&world), [0], "no pause is waited for");
    upload(&mut world);
    world.run(SECOND);
    assert_eq!(prepared(&world), []);
    sent(&mut world, Sent::Accepted(1));
    assert_eq!(prepared(&world), [SECOND]);
}

#[test]
fn a_draft_that_the_server_does_not_take_blocks_the_reload_until_it_does() {
    let mut world = typed();
    deploy(&mut world);
    upload(&mut world);
    sent(&mut world, Sent::Later(Kind::Server, None));
    world.run(6 * SECOND);
    assert_eq!(blocked_by_drafts(&world).first(), Some(&(5 * SECOND)));
    assert_eq!(prepared(&world), []);
    world.run(MINUTE);
    sent(&mut world, Sent::Accepted(1));
    tell(&mut world, DraftInput::Stored(Stored::Same));
    world.run(3 * SECOND);
    assert_eq!(prepared(&world).len(), 1);
}

#[test]
fn a_draft_in_conflict_blocks_the_reload() {
    let mut world = typed();
    tell(&mut world, DraftInput::Flush);
    upload(&mut world);
    sent(&mut world, Sent::Stale(Remote::Stands { rev: 7, same: false, own: false }));
    deploy(&mut world);
    world.run(MINUTE);
    assert!(!blocked_by_drafts(&world).is_empty());
    assert_eq!(prepared(&world), []);
}

#[test]
fn who_signs_out_waits_until_drafts_are_saved() {
    let mut world = typed();
    world.input(Input::Session(SessionInput::SignOut));
    world.run(SECOND);
    upload(&mut world);
    world.run(SECOND);
    assert_eq!(signs_out(&world), []);
    sent(&mut world, Sent::Accepted(1));
    tell(&mut world, DraftInput::Stored(Stored::Same));
    assert_eq!(signs_out(&world), [2 * SECOND]);
}

#[test]
fn who_signs_out_waits_for_drafts_five_seconds_at_most() {
    let mut world = typed();
    world.input(Input::Session(SessionInput::SignOut));
    world.run(SECOND / 2);
    upload(&mut world);
    world.run(MINUTE);
    assert_eq!(signs_out(&world).len(), 1);
    assert!(signs_out(&world)[0] <= 6 * SECOND, "{:?}", signs_out(&world));
}

#[test]
fn nobody_waits_who_has_nothing_to_save() {
    let mut world = World::new();
    world.input(Input::Session(SessionInput::SignOut));
    world.run(2 * SECOND);
    assert_eq!(signs_out(&world).len(), 1);
    assert!(signs_out(&world)[0] <= SECOND, "{:?}", signs_out(&world));
}

#[test]
fn a_401_of_a_draft_asks_the_session_and_is_sent_again_while_that_lives() {
    let mut world = typed();
    world.session_says(|_| Some(SessionAnswer::User(ADA)));
    tell(&mut world, DraftInput::Flush);
    upload(&mut world);
    sent(&mut world, Sent::Unauthorized);
    assert_eq!(
        draft_says(&world, |said| matches!(said, DraftOutput::Show(shown) if shown.status == Status::Frozen)).len(),
        1
    );
    world.run(SECOND);
    assert_eq!(world.said(|output| *output == Output::Session(SessionOutput::Ask)).len(), 1);
    assert_eq!(uploads(&world).len(), 2);
}

#[test]
fn a_401_that_nobody_could_verify_is_sent_again_once_the_session_is_known_to_live() {
    let mut world = typed();
    world.session_says(|asked| Some(if asked == 0 { SessionAnswer::CannotTell } else { SessionAnswer::User(ADA) }));
    tell(&mut world, DraftInput::Flush);
    upload(&mut world);
    sent(&mut world, Sent::Unauthorized);
    world.run(SECOND / 2);
    world.run(MINUTE);
    assert_eq!(uploads(&world).len(), 1);
    // Nobody asks for the drafts' sake any more.
    world.input(Input::Session(SessionInput::Nudged));
    world.run(SECOND);
    assert_eq!(uploads(&world).len(), 2);
}

#[test]
fn a_copy_of_a_newer_schema_makes_the_page_check_its_version() {
    let mut world = typed_with(true);
    tell(&mut world, DraftInput::Flush);
    upload(&mut world);
    sent(&mut world, Sent::Stale(Remote::Newer(7)));
    world.run(2 * SECOND);
    assert_eq!(world.said(|output| *output == Output::Version(VersionOutput::Check)).len(), 1);
}

#[test]
fn drafts_that_cannot_be_sent_degrade_the_connection_and_one_that_can_heals_it() {
    let mut world = typed();
    tell(&mut world, DraftInput::Flush);
    upload(&mut world);
    sent(&mut world, Sent::Later(Kind::Network, None));
    world.run(5 * SECOND);
    sent(&mut world, Sent::Later(Kind::Network, None));
    assert_eq!(world.connection(), ConnectionStatus::Degraded);
    world.run(MINUTE);
    sent(&mut world, Sent::Accepted(1));
    assert_eq!(world.connection(), ConnectionStatus::Online);
}
