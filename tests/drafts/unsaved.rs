//! What a reload or a sign-out would lose, and what waits for it.

use evenkeel::core::draft::drafts::Drafts;
use evenkeel::core::draft::restore::{Remote, Source};
use evenkeel::core::draft::{Carried, DraftInput, DraftOutput, Place, Sent, Status, Stored};
use evenkeel::core::kind::Kind;

use super::alone::Alone;
use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, HOUR, LATENCY, MINUTE, SECOND, World};

#[test]
fn a_draft_is_unfinished_until_the_server_has_it() {
    let mut world = World::new();
    let page = world.open(0);
    assert!(!world.unsaved(page));
    world.edit(page);
    for _ in 0..(DEBOUNCE + DISK + 2 * LATENCY) / 5 {
        assert!(world.unsaved(page));
        world.run(5);
    }
    assert!(!world.unsaved(page));
}

#[test]
fn a_flush_saves_at_once_and_is_answered_at_rest() {
    let mut world = World::new();
    let page = world.open(0);
    let text = world.edit(page);
    world.flush(page);
    assert!(!world.resting(page));
    world.run(DISK + 2 * LATENCY);
    assert_eq!((world.flushed(page), world.server.text(ANNE)), (0, Some(text)));
    world.run(DISK);
    assert_eq!(world.flushed(page), 1);
    assert!(world.resting(page));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_flush_of_nothing_is_answered_at_once() {
    let mut world = World::new();
    let page = world.open(0);
    world.flush(page);
    assert_eq!(world.flushed(page), 1);
}

#[test]
fn a_flush_is_answered_where_it_has_to_wait() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Network, None)); 9]);
    world.edit(page);
    world.flush(page);
    world.run(DISK + 2 * LATENCY);
    assert_eq!(world.flushed(page), 1);
    assert!(world.resting(page) && world.unsaved(page));
}

#[test]
fn a_flush_is_answered_within_a_minute_whatever_hangs() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Slow(29 * SECOND), Fate::Slow(29 * SECOND), Fate::Slow(29 * SECOND)]);
    world.edit(page);
    world.flush(page);
    for _ in 0..60 {
        world.edit(page);
        world.flush(page);
        world.run(SECOND);
    }
    assert_eq!(world.flushed(page), 1);
}

#[test]
fn a_flush_does_not_wait_for_what_is_typed_after_it() {
    let mut world = World::new();
    let page = world.open(0);
    let text = world.edit(page);
    world.flush(page);
    while world.flushed(page) == 0 {
        assert!(world.now < SECOND);
        world.edit(page);
        world.run(10);
    }
    assert_eq!(world.server.text(ANNE), Some(text));
    assert!(!world.resting(page) && world.unsaved(page));
}

#[test]
fn a_flush_does_not_wait_for_a_device_that_is_full() {
    let mut world = World::without_server();
    world.devices[0].full = true;
    let page = world.open(0);
    world.edit(page);
    world.run(MINUTE);
    world.flush(page);
    world.run(DISK);
    assert_eq!((world.flushed(page), world.stores(page).len()), (1, 2), "but it is tried once more");
}

#[test]
fn a_flush_waits_for_the_session_that_is_asked() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Unauthorized));
    world.edit(page);
    world.flush(page);
    world.run(DISK + 2 * LATENCY);
    assert_eq!((world.shown(page).status, world.flushed(page)), (Status::Frozen, 0));
    world.run(4 * LATENCY + DISK);
    assert_eq!((world.shown(page).status, world.flushed(page)), (Status::Saved, 1));
}

#[test]
fn a_flush_waits_for_who_is_there() {
    let mut world = World::new();
    let page = world.open_unknown(0);
    let text = world.edit(page);
    world.flush(page);
    world.run(2 * SECOND);
    assert_eq!(world.flushed(page), 0);
    world.learn(page);
    world.run(2 * DISK + 2 * LATENCY);
    assert_eq!((world.flushed(page), world.server.text(ANNE)), (1, Some(text)));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_flush_does_not_wait_long_for_who_is_there_nor_for_nothing() {
    let mut world = World::new();
    let page = world.open_unknown(0);
    world.flush(page);
    assert_eq!(world.flushed(page), 1);
    world.edit(page);
    world.flush(page);
    world.run(3 * SECOND - 1);
    assert_eq!(world.flushed(page), 1);
    world.run(1);
    assert_eq!(world.flushed(page), 2);
    world.assert_shown(page, Status::Dirty, Place::Device);
}

#[test]
fn all_drafts_are_flushed_together() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.open(2, Carried::default());
    alone.tell(2, DraftInput::Edited);
    let said = alone.act(Drafts::flush_all);
    assert_eq!(said, [(1, DraftOutput::Flushed), (2, DraftOutput::Store(None))]);
    assert!(alone.drafts.unsaved() && !alone.drafts.resting());
    assert_eq!(alone.tell(2, DraftInput::Stored(Stored::Dirty)), [(2, DraftOutput::Upload(1, None, false))]);
    let said = alone.tell(2, DraftInput::Sent(1, Sent::Accepted(4)));
    assert_eq!(said, [(2, DraftOutput::Reached(true)), (2, DraftOutput::Store(Some(4)))]);
    assert_eq!(alone.tell(2, DraftInput::Stored(Stored::Same)), [(2, DraftOutput::Flushed)]);
    assert!(!alone.drafts.unsaved() && alone.drafts.resting());
}

#[test]
fn what_a_trapped_engine_knew_is_carried_on() {
    let mut alone = Alone::new();
    let said = alone.open(1, Carried { base: Some(4), edited: true });
    assert_eq!(said, [(1, DraftOutput::Store(Some(4)))]);
    assert_eq!(alone.tell(1, DraftInput::Stored(Stored::Dirty)), [(1, DraftOutput::Upload(1, Some(4), false))]);
    assert_eq!(alone.open(2, Carried { base: Some(4), edited: false }), []);
    assert!(!Alone::new().drafts.unsaved());
}

#[test]
fn what_a_trapped_engine_may_have_sent_is_not_made_anew_after_a_clear() {
    let mut alone = Alone::new();
    alone.open(1, Carried { base: None, edited: true });
    alone.tell(1, DraftInput::Stored(Stored::Dirty));
    let said = alone.tell(1, DraftInput::Sent(1, Sent::Stale(Remote::Tombstone(4))));
    assert_eq!(said, [(1, DraftOutput::Reached(true))]);
    assert!(alone.drafts.unsaved());
}

#[test]
fn a_draft_that_nobody_holds_is_saved_and_then_forgotten() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Edited);
    assert_eq!(alone.tell(1, DraftInput::Close), [(1, DraftOutput::Store(None))]);
    assert_eq!(alone.tell(1, DraftInput::Stored(Stored::Dirty)), [(1, DraftOutput::Upload(1, None, false))]);
    alone.tell(1, DraftInput::Sent(1, Sent::Accepted(4)));
    let said = alone.tell(1, DraftInput::Stored(Stored::Same));
    assert_eq!(said, [(1, DraftOutput::Flushed), (1, DraftOutput::Closed)]);
    assert_eq!((alone.drafts.next_wake(), alone.tell(1, DraftInput::Flush)), (None, vec![]));
}

#[test]
fn a_draft_that_has_to_wait_is_let_go_at_once() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Edited);
    alone.tell(1, DraftInput::Close);
    alone.tell(1, DraftInput::Stored(Stored::Dirty));
    let said = alone.tell(1, DraftInput::Sent(1, Sent::Later(Kind::RateLimited, None)));
    assert_eq!(said, [(1, DraftOutput::Flushed), (1, DraftOutput::Closed)]);
}

#[test]
fn whoever_is_let_go_during_a_restore_gets_nothing() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Restore);
    let said = alone.tell(1, DraftInput::Close);
    let ends = [DraftOutput::Restored(Source::Nothing), DraftOutput::Flushed, DraftOutput::Closed];
    assert_eq!(said, ends.map(|said| (1, said)));
}

#[test]
fn nothing_is_said_after_the_end() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Edited);
    alone.act(|drafts, _| drafts.stop());
    alone.now += HOUR;
    assert_eq!((alone.tell(1, DraftInput::Edited), alone.drafts.next_wake()), (vec![], None));
    assert!(!alone.drafts.unsaved() && alone.drafts.resting());
}

#[test]
fn a_page_at_rest_wakes_for_nothing() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.run(MINUTE);
    assert_eq!(world.pages[page].timer, None);
}
