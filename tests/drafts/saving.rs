//! When it is written, and when it is sent.

use evenkeel::core::draft::{DraftInput, Place, Status, Stored};
use evenkeel::core::kind::Kind;

use super::server::Fate;
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MAX_WAIT, MINUTE, SECOND, World};

/// A save takes so long, from the device to the answer.
const SAVE: u64 = DISK + 2 * LATENCY;

#[test]
fn a_pause_saves_what_was_typed_to_the_device_and_then_to_the_server() {
    let mut world = World::new();
    let page = world.open(0);
    let text = world.edit(page);
    world.run(DEBOUNCE - 1);
    assert_eq!(world.on_device(0), []);
    world.run(1 + DISK);
    assert_eq!((world.on_device(0), world.server.text(ANNE)), (vec![text], None));
    world.run(2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.statuses(page), [Status::Dirty, Status::Saving, Status::Saved]);
    world.run(DISK);
    assert!(!world.devices[0].records[0].dirty, "the device knows that the server has it");
    assert_eq!(world.devices[0].records[0].base, world.server.standing(ANNE).map(|stands| stands.rev));
}

#[test]
fn the_pause_counts_from_the_last_key() {
    let mut world = World::new();
    let page = world.open(0);
    for _ in 0..3 {
        world.edit(page);
        world.run(DEBOUNCE - 1);
    }
    assert_eq!(world.stores(page), []);
    world.run(1);
    assert_eq!(world.stores(page).len(), 1);
}

#[test]
fn who_types_without_a_pause_is_saved_all_the_same() {
    let mut world = World::new();
    let page = world.open(0);
    for _ in 0..60 {
        world.edit(page);
        world.run(SECOND);
    }
    let uploads = world.uploads(page);
    assert_eq!(uploads.len(), 5, "{uploads:?}");
    assert!(uploads[0] <= MAX_WAIT + SAVE && uploads[1] - uploads[0] <= MAX_WAIT + SECOND);
}

#[test]
fn one_save_is_in_flight_and_the_newest_text_waits() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(20 * SECOND));
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    let mut newest = 0;
    for _ in 0..3 {
        newest = world.edit(page);
        world.run(DEBOUNCE + DISK);
    }
    assert_eq!((world.uploads(page).len(), world.on_device(0)), (1, vec![newest]));
    world.run(30 * SECOND);
    assert_eq!(world.uploads(page).len(), 2);
    assert_eq!(world.server.text(ANNE), Some(newest));
}

#[test]
fn an_older_answer_does_not_say_that_what_was_typed_since_is_saved() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(DEBOUNCE));
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.edit(page);
    world.run(DEBOUNCE + LATENCY - 1);
    world.server.fates.push_back(Fate::Slow(SECOND));
    world.run(DISK + 2);
    world.assert_shown(page, Status::Saving, Place::Device);
    assert!(world.unsaved(page));
}

#[test]
fn equal_data_sends_nothing() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.rerender(page);
    world.run(DEBOUNCE + SAVE);
    assert_eq!(world.uploads(page).len(), 1);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn who_takes_back_what_is_on_its_way_gets_the_old_text_back_to_the_server() {
    let mut world = World::new();
    let (page, old) = world.saved();
    for fate in [Fate::Slow(10 * SECOND), Fate::AnswerLost] {
        world.server.fates.push_back(fate);
        world.edit(page);
        world.run(DEBOUNCE + DISK + LATENCY);
        world.give(page, old);
        world.run(2 * MINUTE);
        assert_eq!(world.server.text(ANNE), Some(old));
        world.assert_shown(page, Status::Saved, Place::Server);
    }
}

#[test]
fn without_a_server_the_device_is_where_it_is_saved() {
    let mut world = World::without_server();
    let page = world.open(0);
    let text = world.edit(page);
    assert!(world.unsaved(page));
    world.run(DEBOUNCE + DISK);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert_eq!(world.on_device(0), [text]);
    assert!(!world.unsaved(page));
    world.run(MINUTE);
    assert_eq!((world.uploads(page).len(), world.stores(page).len()), (0, 1));
}

#[test]
fn a_full_device_does_not_keep_it_from_the_server() {
    let mut world = World::new();
    world.devices[0].full = true;
    let page = world.open(0);
    let text = world.edit(page);
    world.run(DEBOUNCE + SAVE);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
    assert!(!world.unsaved(page));
}

#[test]
fn what_neither_store_takes_is_an_error_and_tried_again() {
    let mut world = World::without_server();
    world.devices[0].full = true;
    let page = world.open(0);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.assert_shown(page, Status::Error, Place::Nowhere);
    assert_eq!(world.shown(page).error, Some((Kind::Runtime, None)));
    assert!(world.unsaved(page));
    world.run(MINUTE + DISK);
    assert_eq!(world.stores(page).len(), 2);
    world.devices[0].full = false;
    world.run(MINUTE + DISK);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert_eq!(world.on_device(0), [text]);
    world.run(10 * MINUTE);
    assert_eq!(world.stores(page).len(), 3);
}

#[test]
fn a_device_that_does_not_answer_keeps_nothing_waiting() {
    let mut world = World::new();
    world.stuck = Some(0);
    let page = world.open(0);
    let text = world.edit(page);
    world.run(DEBOUNCE + 2 * SECOND + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn what_cannot_be_saved_as_it_is_waits_for_the_next_edit() {
    let mut world = World::new();
    world.stuck = Some(0);
    let page = world.open(0);
    world.edit(page);
    world.run(DEBOUNCE);
    world.say(page, DraftInput::Stored(Stored::Refused(Kind::TooLarge)));
    world.assert_shown(page, Status::Error, Place::Nowhere);
    assert_eq!(world.shown(page).error, Some((Kind::TooLarge, None)));
    world.flush(page);
    world.run(10 * MINUTE);
    assert_eq!((world.uploads(page).len(), world.stores(page).len()), (0, 1));
    assert!(world.unsaved(page));
    world.stuck = None;
    let text = world.edit(page);
    assert_eq!(world.shown(page).status, Status::Dirty);
    world.run(DEBOUNCE + SAVE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn the_answers_of_two_writes_are_not_taken_for_one_another() {
    let mut world = World::without_server();
    world.stuck = Some(0);
    let page = world.open(0);
    world.edit(page);
    world.run(DEBOUNCE);
    world.edit(page);
    world.show(page, false);
    assert_eq!(world.stores(page).len(), 2, "who leaves does not wait for the device");
    world.devices[0].records.clear();
    world.say(page, DraftInput::Stored(Stored::Dirty));
    assert_eq!(world.shown(page).status, Status::Saving);
    world.say(page, DraftInput::Stored(Stored::Failed));
    assert_eq!(world.shown(page).status, Status::Error);
}
