//! What is cleared stays cleared.

use evenkeel::core::draft::restore::Local;
use evenkeel::core::draft::{Choice, DraftInput, DraftOutput, Place, Status, Theirs};
use evenkeel::core::kind::Kind;

use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MINUTE, PageId, SECOND, World};

fn told(world: &World, page: PageId) -> Vec<u64> {
    world.said(page, |said| *said == DraftOutput::Cleared)
}

fn clears(world: &World, page: PageId) -> usize {
    world.said(page, |said| matches!(said, DraftOutput::Clear(_))).len()
}

#[test]
fn a_clear_is_told_when_the_device_and_the_server_have_heard() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let from = world.now;
    world.clear(page);
    world.assert_shown(page, Status::Idle, Place::Nowhere);
    world.run(SECOND);
    assert_eq!(told(&world, page), [from + 2 * LATENCY]);
    assert_eq!((world.server.text(ANNE), world.on_device(0)), (None, vec![]));
    assert!(!world.unsaved(page) && world.resting(page));
}

#[test]
fn nothing_brings_back_what_was_cleared() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(SECOND));
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.edit(page);
    world.clear(page);
    world.rerender(page);
    world.show(page, false);
    world.run(MINUTE);
    assert_eq!((world.server.text(ANNE), world.on_device(0)), (None, vec![]));
    world.assert_shown(page, Status::Idle, Place::Nowhere);
    let page = world.reload(page);
    assert_eq!(world.restored(page), None);
}

#[test]
fn a_server_that_cannot_be_reached_hears_of_it_later_and_is_waited_for_three_seconds_at_most() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.push_back(Fate::Lost);
    let from = world.now;
    world.clear(page);
    world.run(MINUTE);
    assert_eq!(told(&world, page), [from + 3 * SECOND]);
    assert_eq!((clears(&world, page), world.server.text(ANNE)), (2, None));
    world.assert_shown(page, Status::Idle, Place::Nowhere);
}

#[test]
fn a_server_that_says_no_is_not_waited_for() {
    for answer in [Answer::Later(Kind::Server, None), Answer::Refused(Kind::Invalid), Answer::Absent] {
        let mut world = World::new();
        let (page, _) = world.saved();
        world.server.fates.push_back(Fate::Says(answer));
        let from = world.now;
        world.clear(page);
        world.run(2 * LATENCY);
        assert_eq!(told(&world, page), [from + 2 * LATENCY], "{answer:?}");
    }
}

#[test]
fn a_device_that_does_not_answer_is_waited_for_three_seconds_too() {
    let mut world = World::new();
    let page = world.open(0);
    world.pages[page].busy_until = MINUTE;
    world.clear(page);
    world.run(3 * SECOND);
    assert_eq!(told(&world, page), [3 * SECOND]);
}

#[test]
fn what_is_typed_after_a_clear_waits_for_it_and_goes_on_top_of_it() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.push_back(Fate::Slow(10 * SECOND));
    world.clear(page);
    let text = world.edit(page);
    world.run(9 * SECOND);
    assert_eq!((world.uploads(page).len(), world.on_device(0)), (1, vec![text]));
    world.run(2 * SECOND);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn another_tab_that_typed_nothing_starts_afresh() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let other = world.open(0);
    world.restored(other);
    world.run(DISK);
    world.clear(page);
    world.run(SECOND);
    world.assert_shown(other, Status::Idle, Place::Nowhere);
    let text = world.edit(other);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(other, Status::Saved, Place::Server);
}

#[test]
fn another_tab_that_typed_is_asked() {
    for choice in [Choice::Mine, Choice::Theirs] {
        let mut world = World::new();
        let (page, _) = world.saved();
        let other = world.open(0);
        world.restored(other);
        let text = world.edit(other);
        world.clear(page);
        world.run(SECOND);
        assert_eq!(world.shown(other).conflict, Some(Theirs::Cleared));
        world.run(MINUTE);
        assert_eq!((world.server.text(ANNE), world.on_device(0)), (None, vec![text]), "it is kept here");
        world.resolve(other, choice);
        world.run(MINUTE);
        let kept = (choice == Choice::Mine).then_some(text);
        assert_eq!((world.server.text(ANNE), world.on_device(0)), (kept, kept.into_iter().collect()));
        let status = if choice == Choice::Mine { Status::Saved } else { Status::Idle };
        assert_eq!(world.shown(other).status, status);
        assert!(!world.unsaved(other));
    }
}

#[test]
fn a_tab_that_is_killed_then_finds_its_text_again_as_a_conflict() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let other = world.open(0);
    world.restored(other);
    let text = world.edit(other);
    world.clear(page);
    world.run(SECOND);
    world.clear(page);
    world.run(SECOND);
    world.kill(other);
    let next = world.open(0);
    assert_eq!(world.restored(next), None);
    assert_eq!(world.shown(next).conflict, Some(Theirs::Cleared));
    world.resolve(next, Choice::Mine);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn what_is_cleared_before_it_is_known_whose_it_is_is_cleared_for_them() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open_unknown(device);
    world.clear(page);
    world.run(SECOND);
    assert_eq!((told(&world, page).len(), clears(&world, page)), (1, 0));
    world.learn(page);
    world.run(SECOND);
    assert_eq!(world.server.text(ANNE), None);
}

#[test]
fn nobodys_clear_says_nothing_to_who_signs_in() {
    let mut world = World::new();
    let (_, text) = world.saved();
    let device = world.device(None);
    let page = world.open(device);
    world.clear(page);
    world.run(SECOND);
    assert_eq!(told(&world, page).len(), 1);
    world.sign(device, Some(ANNE));
    world.run(MINUTE);
    assert_eq!((clears(&world, page), world.server.text(ANNE)), (0, Some(text)));
}

#[test]
fn a_frozen_draft_is_cleared_here_and_there_once_it_thaws() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.sign(0, None);
    world.clear(page);
    world.run(DISK);
    assert_eq!((told(&world, page).len(), clears(&world, page), world.shown(page).status), (1, 0, Status::Frozen));
    world.sign(0, Some(ANNE));
    world.run(2 * LATENCY);
    assert_eq!((world.server.text(ANNE), world.shown(page).status), (None, Status::Idle));
}

#[test]
fn a_clear_ends_a_conflict_and_a_refusal() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.shown(page).status, Status::Conflict);
    world.clear(page);
    world.run(SECOND);
    world.assert_shown(page, Status::Idle, Place::Nowhere);
    world.server.fates.push_back(Fate::Says(Answer::Refused(Kind::Invalid)));
    world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.shown(page).status, Status::Error);
    world.clear(page);
    world.run(SECOND);
    world.assert_shown(page, Status::Idle, Place::Nowhere);
}

#[test]
fn a_restore_that_is_under_way_gives_nothing_back_once_it_is_cleared() {
    for elsewhere in [true, false] {
        let mut world = World::new();
        let (first, _) = world.saved();
        let page = world.open(0);
        world.server.fates.push_back(Fate::Slow(SECOND));
        world.restore(page);
        world.run(LATENCY);
        world.clear(if elsewhere { first } else { page });
        world.run(MINUTE);
        assert_eq!((world.pages[page].restored.clone(), world.server.text(ANNE)), (vec![None], None));
    }
}

#[test]
fn a_clean_text_that_was_cleared_elsewhere_is_taken_away() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let device = world.device(Some(ANNE));
    let other = world.open(device);
    world.restored(other);
    world.run(DISK);
    world.kill(other);
    world.clear(page);
    world.run(MINUTE);
    let other = world.open(device);
    assert_eq!(world.restored(other), None);
    assert_eq!(world.said(other, |said| *said == DraftOutput::Drop).len(), 1);
    assert_eq!(world.on_device(device), []);
    assert_eq!(world.shown(other).status, Status::Idle);
}

#[test]
fn what_was_found_void_while_somebody_typed_is_a_conflict_at_once() {
    let mut world = World::new();
    let page = world.open(0);
    world.edit(page);
    world.server.fates.push_back(Fate::Slow(5 * SECOND));
    world.restore(page);
    world.say(page, DraftInput::Loaded(Some(Local { void: true, ..Local::NOTHING })));
    assert_eq!(world.shown(page).conflict, Some(Theirs::Cleared));
}

#[test]
fn what_leaves_before_a_clear_is_heard_sends_nothing_else() {
    for fate in [Fate::Lost, Fate::Says(Answer::Later(Kind::Network, None))] {
        let mut world = World::new();
        let page = world.open(0);
        world.server.fates.push_back(fate);
        world.clear(page);
        world.run(2 * LATENCY);
        let text = world.edit(page);
        world.away(page, true);
        assert_eq!(world.uploads(page), []);
        world.away(page, false);
        world.run(2 * MINUTE);
        assert_eq!((world.server.text(ANNE), world.uploads(page).len()), (Some(text), 1));
    }
}

#[test]
fn a_clear_waits_as_the_server_asked_too() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::RateLimited, Some(30 * SECOND))));
    world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    world.clear(page);
    world.run(29 * SECOND);
    assert_eq!((clears(&world, page), told(&world, page).len()), (0, 1));
    world.run(17 * SECOND);
    assert_eq!(world.server.text(ANNE), None);
}

#[test]
fn a_clear_goes_on_when_it_turns_out_that_it_is_nobodys() {
    let mut world = World::new();
    let (_, text) = world.saved();
    let device = world.device(None);
    let page = world.open_unknown(device);
    world.clear(page);
    world.run(SECOND);
    world.learn(page);
    world.sign(device, Some(ANNE));
    world.run(MINUTE);
    assert_eq!((clears(&world, page), world.server.text(ANNE)), (0, Some(text)));
}

#[test]
fn a_restore_waits_until_the_device_has_buried_what_was_cleared() {
    let mut world = World::new();
    world.left_behind(0);
    let page = world.open(0);
    world.pages[page].busy_until = world.now + SECOND;
    world.clear(page);
    assert_eq!(world.restored(page), None);
    world.run(MINUTE);
    assert_eq!((world.server.text(ANNE), world.shown(page).status), (None, Status::Idle));
}

#[test]
fn what_is_typed_after_a_clear_is_sent_once() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    let text = world.edit(page);
    world.forget(page);
    world.run(MINUTE);
    assert_eq!((world.uploads(page).len(), world.server.text(ANNE)), (1, Some(text)));
}

#[test]
fn a_restore_ends_at_once_when_it_is_cleared_or_decided() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.fates.push_back(Fate::Slow(SECOND));
    world.restore(page);
    world.run(LATENCY);
    world.clear(page);
    assert_eq!(world.pages[page].restored, [None]);

    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.edit(page);
    world.run(MINUTE);
    world.server.fates.push_back(Fate::Slow(SECOND));
    world.restore(page);
    world.run(LATENCY);
    world.resolve(page, Choice::Theirs);
    assert_eq!(world.pages[page].restored, [None]);
}

#[test]
fn who_types_the_old_text_again_is_still_asked() {
    let mut world = World::new();
    let (page, old) = world.saved();
    let other = world.open(0);
    world.edit(page);
    world.clear(other);
    world.run(MINUTE);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Cleared));
    world.give(page, old);
    world.run(MINUTE);
    assert_eq!(world.restored(page), None);
    assert_eq!((world.shown(page).conflict, world.server.text(ANNE)), (Some(Theirs::Cleared), None));
    world.restored(page);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Cleared));
}

#[test]
fn a_clean_page_whose_record_is_gone_hears_of_a_clear_too() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.run(DISK);
    let device = world.device(Some(ANNE));
    let other = world.open(device);
    world.clear(other);
    world.run(SECOND);
    world.devices[0].records.clear();
    assert_eq!(world.restored(page), None);
    assert_eq!(world.said(page, |said| *said == DraftOutput::Drop).len(), 1);
    world.assert_shown(page, Status::Idle, Place::Nowhere);
}

#[test]
fn an_answer_to_what_was_sent_before_a_clear_in_another_tab_decides_nothing() {
    let mut world = World::new();
    let other = world.open(0);
    let page = world.open(0);
    world.edit(page);
    world.clear(other);
    world.away(page, true);
    world.run(MINUTE);
    world.away(page, false);
    world.run(MINUTE);
    assert_eq!((world.shown(page).conflict, world.server.text(ANNE)), (Some(Theirs::Cleared), None));
}
