//! Whether the server heard of a clear, and whether a text was there when it was cleared.

use evenkeel::core::draft::restore::{Local, Remote, Source};
use evenkeel::core::draft::{Carried, Choice, DraftInput, DraftOutput, Sent, Status, Stored, Theirs};
use evenkeel::core::kind::Kind;

use super::alone::Alone;
use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MINUTE, PageId, SECOND, World};

fn clears(world: &World, page: PageId) -> usize {
    world.said(page, |said| matches!(said, DraftOutput::Clear(_))).len()
}

#[test]
fn a_clear_that_the_page_did_not_live_to_tell_is_told_by_the_next_one() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.push_back(Fate::Lost);
    world.clear(page);
    world.run(2 * DISK);
    world.kill(page);
    let page = world.open(0);
    assert_eq!(world.restored(page), None);
    assert_eq!((world.server.text(ANNE), world.devices[0].tombstones[0].unheard), (None, false));
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn what_was_typed_after_a_clear_that_the_page_did_not_live_to_tell_comes_back() {
    for fate in [Fate::Lost, Fate::AnswerLost] {
        let mut world = World::new();
        let (page, _) = world.saved();
        world.server.fates.push_back(fate);
        world.clear(page);
        let text = world.edit(page);
        let page = world.reload(page);
        world.run(2 * LATENCY);
        assert_eq!(world.restored(page), Some((text, Source::Device)));
        world.run(MINUTE);
        assert_eq!((world.shown(page).status, world.server.text(ANNE)), (Status::Saved, Some(text)));
    }
}

#[test]
fn while_the_server_cannot_hear_of_a_clear_nothing_of_before_is_restored() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Server, None)); 3]);
    world.clear(page);
    world.run(2 * DISK);
    world.kill(page);
    let page = world.open(0);
    assert_eq!(world.restored(page), None);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), None);
}

#[test]
fn a_page_that_cleared_restores_nothing_of_before() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::RateLimited, Some(MINUTE))); 1]);
    world.clear(page);
    assert_eq!(world.restored(page), None);
    world.run(2 * MINUTE);
    assert_eq!((world.server.text(ANNE), world.restored(page)), (None, None));
}

#[test]
fn a_late_word_of_a_clear_does_not_take_what_was_saved_after_it() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    world.run(2 * LATENCY - 1);
    world.kill(page);
    assert!(world.devices[0].tombstones[0].unheard, "it heard, and this device does not know");
    let page = world.open(0);
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    let page = world.reload(page);
    assert_eq!(world.restored(page), Some((text, Source::Server)));
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn what_another_device_cleared_is_offered_and_never_made_anew() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let device = world.device(Some(ANNE));
    let other = world.open(device);
    world.restored(other);
    world.clear(page);
    world.run(MINUTE);
    let text = world.edit(other);
    world.run(MINUTE);
    assert_eq!((world.shown(other).conflict, world.server.text(ANNE)), (Some(Theirs::Cleared), None));
    world.resolve(other, Choice::Mine);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_page_that_never_asked_what_was_there_may_type_after_a_clear() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    world.run(MINUTE);
    let page = world.open(0);
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!((world.shown(page).conflict, world.server.text(ANNE)), (None, Some(text)));
}

#[test]
fn what_may_have_been_at_the_server_when_it_was_cleared_is_offered() {
    let mut world = World::new();
    let device = world.device(Some(ANNE));
    let page = world.open(0);
    world.server.fates.push_back(Fate::AnswerLost);
    world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    let other = world.open(device);
    world.restored(other);
    world.clear(other);
    world.run(MINUTE);
    assert_eq!((world.shown(page).conflict, world.server.text(ANNE)), (Some(Theirs::Cleared), None));
}

#[test]
fn a_save_from_after_a_clear_shows_that_the_server_heard() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    world.run(2 * LATENCY - 1);
    world.kill(page);
    let page = world.open(0);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY + 4 * LATENCY + DISK);
    world.kill(page);
    world.devices[0].records[0].base = None;
    world.devices[0].records[0].dirty = true;
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Server)));
    world.run(MINUTE);
    assert_eq!((clears(&world, page), world.server.text(ANNE)), (0, Some(text)));
}

#[test]
fn a_text_that_goes_on_from_what_the_server_had_shows_so_too() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    world.run(2 * LATENCY - 1);
    world.kill(page);
    let page = world.open(0);
    world.edit(page);
    world.run(MINUTE);
    let text = world.edit(page);
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Server, None)));
    world.restored(page);
    world.run(MINUTE);
    assert_eq!((clears(&world, page), world.server.text(ANNE)), (0, Some(text)));
}

/// The server took the page's text, whose answer was lost, and then another device cleared it.
fn saved_unheard_and_cleared() -> (World, PageId) {
    let mut world = World::new();
    let device = world.device(Some(ANNE));
    let page = world.open(0);
    world.server.fates.push_back(Fate::AnswerLost);
    world.edit(page);
    world.run(DEBOUNCE + DISK + LATENCY);
    let other = world.open(device);
    world.clear(other);
    world.run(SECOND);
    (world, page)
}

#[test]
fn what_is_on_its_way_when_it_is_cleared_is_offered_too() {
    let (mut world, page) = saved_unheard_and_cleared();
    assert_eq!(world.restored(page), None);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Cleared));
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), None);
}

#[test]
fn last_words_that_take_the_place_of_others_do_not_hide_that_those_were_cleared() {
    let (mut world, page) = saved_unheard_and_cleared();
    world.edit(page);
    world.away(page, true);
    world.away(page, false);
    world.run(MINUTE);
    assert_eq!((world.shown(page).conflict, world.server.text(ANNE)), (Some(Theirs::Cleared), None));
}

#[test]
fn what_an_earlier_page_may_have_sent_stays_a_conflict_however_often_it_is_asked_for() {
    let mut world = World::new();
    world.left_behind(0);
    world.server.put(ANNE, None);
    let page = world.open(0);
    assert_eq!(world.restored(page), None);
    assert!(world.unsaved(page), "though nothing was typed on this page");
    world.rerender(page);
    world.run(MINUTE);
    assert_eq!(world.restored(page), None);
    world.run(MINUTE);
    assert_eq!((world.shown(page).conflict, world.uploads(page)), (Some(Theirs::Cleared), vec![]));
}

#[test]
fn whoever_keeps_their_text_once_is_not_asked_again() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Lost);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + 30 * SECOND);
    let other = world.open(0);
    world.clear(other);
    world.run(MINUTE);
    world.resolve(page, Choice::Mine);
    world.run(MINUTE);
    assert_eq!((world.shown(page).status, world.server.text(ANNE)), (Status::Saved, Some(text)));
}

#[test]
fn what_the_device_had_before_a_clear_is_not_taken_for_what_it_has_now() {
    let mut world = World::new();
    world.stuck = Some(0);
    let page = world.open(0);
    world.restore(page);
    world.say(page, DraftInput::ClearedElsewhere);
    world.restore(page);
    world.run(2 * LATENCY);
    let left = Local { text: true, base: Some(4), ..Local::NOTHING };
    world.say(page, DraftInput::Loaded(Some(left)));
    assert_eq!(world.pages[page].restored.len(), 1);
    world.say(page, DraftInput::Loaded(None));
    assert_eq!(world.pages[page].restored, [None, None]);
}

#[test]
fn a_tombstone_that_stood_before_the_own_clear_was_heard_is_no_base() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Edited);
    alone.tell(1, DraftInput::Flush);
    assert_eq!(alone.tell(1, DraftInput::Stored(Stored::Dirty)), [(1, DraftOutput::Upload(1, None, false))]);
    assert_eq!(alone.tell(1, DraftInput::Restore), [DraftOutput::Load, DraftOutput::Read(2)].map(|said| (1, said)));
    alone.tell(1, DraftInput::Loaded(Some(Local { unheard: true, ..Local::NOTHING })));
    alone.tell(1, DraftInput::Sent(1, Sent::Stale(Remote::Tombstone(7))));
    alone.tell(1, DraftInput::Stored(Stored::Dirty));
    assert_eq!(
        alone.tell(1, DraftInput::Read(2, Remote::Tombstone(7))),
        [(1, DraftOutput::Reached(true)), (1, DraftOutput::Clear(3))]
    );
    let said = alone.tell(1, DraftInput::Gone(3, Sent::Accepted(9)));
    assert!(said.contains(&(1, DraftOutput::Store(Some(9)))), "{said:?}");
}

#[test]
fn what_may_have_been_at_the_server_before_the_own_clear_was_heard_is_not_sent_on_top_of_it() {
    let mut alone = Alone::new();
    alone.open(1, Carried::default());
    alone.tell(1, DraftInput::Edited);
    alone.tell(1, DraftInput::Flush);
    alone.tell(1, DraftInput::Stored(Stored::Dirty));
    alone.tell(1, DraftInput::Restore);
    alone.tell(1, DraftInput::Loaded(Some(Local { unheard: true, ..Local::NOTHING })));
    alone.tell(1, DraftInput::Sent(1, Sent::Later(Kind::Network, None)));
    alone.tell(1, DraftInput::Read(2, Remote::Unreachable));
    alone.tell(1, DraftInput::Stored(Stored::Dirty));
    assert_eq!(alone.tell(1, DraftInput::Flush), [(1, DraftOutput::Clear(3))]);
    let said = alone.tell(1, DraftInput::Gone(3, Sent::Accepted(9)));
    assert!(said.contains(&(1, DraftOutput::Upload(4, None, false))), "{said:?}");
}
