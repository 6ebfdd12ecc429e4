//! A draft belongs to a person.

use evenkeel::core::draft::{DraftInput, DraftOutput, Owner, Place, Status};
use evenkeel::core::verify::Verified;

use super::device::Holder;
use super::server::{Answer, Fate};
use super::world::{ANNE, BERT, DEBOUNCE, DISK, HOUR, LATENCY, MINUTE, PageId, SECOND, World};

fn verifies(world: &World, page: PageId) -> usize {
    world.said(page, |said| *said == DraftOutput::Verify).len()
}

#[test]
fn what_is_typed_before_it_is_known_who_types_is_theirs_then() {
    let mut world = World::new();
    let page = world.open_unknown(0);
    let text = world.edit(page);
    world.run(MINUTE);
    world.assert_shown(page, Status::Dirty, Place::Device);
    assert_eq!((world.uploads(page), world.on_device(0)), (vec![], vec![]));
    assert!(!world.unsaved(page), "it is where it can be");
    world.learn(page);
    world.run(2 * DISK + 2 * LATENCY);
    assert_eq!((world.server.text(ANNE), world.on_device(0)), (Some(text), vec![text]));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn what_nobody_typed_stays_with_the_tab() {
    let mut world = World::new();
    world.sign_behind(0, None);
    let page = world.open(0);
    let text = world.edit(page);
    world.run(HOUR);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert_eq!((world.uploads(page), world.devices[0].records[0].text), (vec![], text));
    assert!(!world.unsaved(page));
}

#[test]
fn what_nobody_typed_goes_to_the_server_with_the_next_edit_of_who_signed_in() {
    let mut world = World::new();
    world.sign_behind(0, None);
    let page = world.open(0);
    world.edit(page);
    world.run(SECOND);
    world.sign(0, Some(ANNE));
    assert!(world.unsaved(page), "it is not on the device yet");
    world.run(HOUR);
    assert_eq!(world.uploads(page), []);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert!(!world.unsaved(page));
    let text = world.edit(page);
    world.run(SECOND);
    assert_eq!(world.uploads(page), [], "nor by the first key of the next text");
    world.run(MINUTE);
    assert_eq!((world.server.accepted.len(), world.server.text(ANNE)), (1, Some(text)));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn what_nobody_typed_is_no_base_for_what_the_server_has() {
    let mut world = World::new();
    let (_, theirs) = world.saved();
    let device = world.device(None);
    let page = world.open(device);
    world.edit(page);
    world.run(MINUTE);
    world.sign(device, Some(ANNE));
    world.restored(page);
    world.edit(page);
    world.run(MINUTE);
    assert_eq!((world.shown(page).status, world.server.text(ANNE)), (Status::Conflict, Some(theirs)));
}

#[test]
fn a_401_freezes_and_the_same_user_who_is_still_there_thaws() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Unauthorized));
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    world.assert_shown(page, Status::Frozen, Place::Device);
    assert_eq!(verifies(&world, page), 1);
    world.run(4 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn who_is_signed_out_is_frozen_keeps_saving_here_and_goes_on_when_they_return() {
    let mut world = World::new();
    let (page, old) = world.saved();
    world.sign_behind(0, None);
    world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.shown(page).status, Status::Frozen);
    let text = world.edit(page);
    world.network(0, true);
    world.flush(page);
    world.run(HOUR);
    assert_eq!((world.server.text(ANNE), world.on_device(0)), (Some(old), vec![text]));
    assert!(world.unsaved(page) && world.resting(page));
    assert_eq!(verifies(&world, page), 1, "nobody asks again and again");
    world.sign(0, Some(ANNE));
    world.run(2 * LATENCY + DISK);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_session_that_cannot_be_verified_thaws_nothing() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Unauthorized));
    world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    for verified in [Verified::Unknown, Verified::SignedOut] {
        world.verified(page, verified);
        assert_eq!(world.shown(page).status, Status::Frozen);
    }
    world.verified(page, Verified::SignedIn(ANNE));
    assert_eq!(world.shown(page).status, Status::Saving);
}

#[test]
fn whoever_is_denied_again_and_again_with_a_living_session_is_frozen_until_the_session_says_more() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Unauthorized); 50]);
    world.edit(page);
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), verifies(&world, page)), (4, 3));
    world.assert_shown(page, Status::Frozen, Place::Device);
    world.edit(page);
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), verifies(&world, page)), (4, 3));
    world.server.fates.clear();
    world.verified(page, Verified::SignedIn(ANNE));
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn without_a_session_to_ask_it_is_tried_again_when_somebody_wants_it_or_comes_back() {
    let mut world = World::new();
    let page = world.open(0);
    world.pages[page].session = false;
    world.server.fates.extend([Fate::Says(Answer::Unauthorized); 4]);
    world.edit(page);
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), verifies(&world, page)), (1, 0));
    assert_eq!(world.shown(page).status, Status::Frozen);
    world.flush(page);
    world.run(HOUR);
    world.network(0, true);
    world.run(HOUR);
    world.show(page, true);
    world.run(HOUR);
    assert_eq!(world.uploads(page).len(), 4);
    world.flush(page);
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_draft_is_not_sent_for_somebody_else_nor_shown_to_them() {
    let mut world = World::new();
    let (page, annes) = world.saved();
    let text = world.edit(page);
    world.sign(0, Some(BERT));
    assert_eq!(world.shown(page).status, Status::Frozen);
    world.run(DISK);
    assert_eq!(world.on_device(0), [text], "what was pending is stored at once, for its owner");
    assert_eq!(world.restored(page), None);
    world.flush(page);
    world.run(HOUR);
    assert_eq!((world.server.text(ANNE), world.server.text(BERT)), (Some(annes), None));
    let his = world.open(0);
    assert_eq!(world.restored(his), None);
    world.edit(his);
    world.run(MINUTE);
    world.sign(0, Some(ANNE));
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    assert!(world.devices[0].records.iter().any(|record| record.holder == Holder::User(BERT)));
}

#[test]
fn a_server_that_knows_of_another_user_first_freezes_too() {
    let mut world = World::new();
    let page = world.open(0);
    world.sign_behind(0, Some(BERT));
    world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    assert_eq!((world.shown(page).status, verifies(&world, page)), (Status::Frozen, 1));
    world.run(MINUTE);
    assert_eq!((world.server.text(ANNE), world.server.text(BERT)), (None, None));
    assert_eq!(world.shown(page).status, Status::Frozen);
}

#[test]
fn a_restore_ends_when_somebody_else_signs_in() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.restore(page);
    world.run(LATENCY);
    world.sign(device, Some(BERT));
    world.run(MINUTE);
    assert_eq!(world.pages[page].restored, [None]);
}

#[test]
fn a_restore_that_the_server_denies_gives_what_the_device_has() {
    let mut world = World::new();
    let text = world.left_behind(0);
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Unauthorized));
    assert_eq!(world.restored(page).map(|(text, _)| text), Some(text));
    assert_eq!(world.shown(page).status, Status::Frozen);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text), "its If-Match decides");
}

#[test]
fn who_is_found_out_during_a_restore_gets_their_own() {
    let mut world = World::new();
    let (_, text) = world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open_unknown(device);
    world.restore(page);
    world.run(10 * SECOND + 1);
    world.learn(page);
    world.run(MINUTE);
    assert_eq!(world.pages[page].restored.last().copied().flatten().map(|(text, _)| text), Some(text));
}

#[test]
fn the_same_user_named_again_does_not_thaw_what_the_session_is_asked_about() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Unauthorized));
    world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    world.say(page, DraftInput::Owned(Owner::User(ANNE)));
    assert_eq!(world.shown(page).status, Status::Frozen);
    world.verified(page, Verified::Unknown);
    world.say(page, DraftInput::Owned(Owner::User(ANNE)));
    assert_eq!(world.shown(page).status, Status::Saving);
}

#[test]
fn what_was_typed_before_it_was_known_who_types_is_theirs_on_the_device_at_once() {
    let mut world = World::new();
    let page = world.open_unknown(0);
    let text = world.edit(page);
    world.run(MINUTE);
    world.network(0, false);
    world.learn(page);
    world.run(DISK);
    assert_eq!(world.on_device(0), [text]);
}

#[test]
fn a_page_that_is_somebody_elses_by_now_is_shown_nothing_of_the_device() {
    let mut world = World::new();
    world.left_behind(0);
    let page = world.open(0);
    world.sign(0, Some(BERT));
    assert_eq!(world.restored(page), None);
    assert_eq!(world.said(page, |said| *said == DraftOutput::Load), []);
}

#[test]
fn whoever_was_let_in_again_is_asked_about_again() {
    let mut world = World::new();
    let page = world.open(0);
    for round in 1..4 {
        world.server.fates.extend([Fate::Says(Answer::Unauthorized); 2]);
        world.edit(page);
        world.run(MINUTE);
        world.assert_shown(page, Status::Saved, Place::Server);
        assert_eq!(verifies(&world, page), 2 * round);
    }
}
