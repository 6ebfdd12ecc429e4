//! The page is hidden, or goes.

use evenkeel::core::draft::{DraftOutput, Place, Status};
use evenkeel::core::kind::Kind;

use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MINUTE, PageId, SECOND, World};

/// What was sent as last words.
fn last_words(world: &World, page: PageId) -> usize {
    world.said(page, |said| matches!(said, DraftOutput::Upload(_, _, true))).len()
}

#[test]
fn the_last_key_before_a_page_is_hidden_is_written_and_sent_at_once() {
    let mut world = World::new();
    let page = world.open(0);
    let text = world.edit(page);
    world.show(page, false);
    assert_eq!((world.stores(page), world.uploads(page)), (vec![0], vec![0]));
    assert_eq!(last_words(&world, page), 1);
    world.run(DISK + 2 * LATENCY);
    assert_eq!((world.server.text(ANNE), world.on_device(0)), (Some(text), vec![text]));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn the_last_key_before_a_reload_comes_back() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Lost);
    let text = world.edit(page);
    let page = world.reload(page);
    assert_eq!(world.restored(page).map(|(text, _)| text), Some(text));
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    assert!(!world.statuses(page).contains(&Status::Conflict));
}

#[test]
fn last_words_that_arrived_are_no_conflict_for_the_next_page() {
    let mut world = World::new();
    let (page, _) = world.saved();
    let text = world.edit(page);
    let page = world.reload(page);
    world.run(LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
    assert_eq!(world.restored(page).map(|(text, _)| text), Some(text));
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert!(!world.statuses(page).contains(&Status::Conflict));
}

#[test]
fn a_page_that_is_hidden_with_nothing_unsaved_says_nothing() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.run(DISK);
    world.forget(page);
    world.show(page, false);
    world.away(page, true);
    assert_eq!(world.pages[page].log, []);
}

#[test]
fn a_hidden_page_lets_what_is_in_flight_arrive() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(SECOND));
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    let text = world.edit(page);
    world.show(page, false);
    assert_eq!(world.uploads(page).len(), 1);
    world.run(2 * SECOND);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_page_that_goes_does_not_wait_for_what_goes_with_it() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Lost);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.away(page, true);
    assert_eq!((world.uploads(page).len(), last_words(&world, page)), (2, 1));
    world.run(LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn last_words_are_said_once() {
    let mut world = World::new();
    let page = world.open(0);
    world.edit(page);
    world.show(page, false);
    world.away(page, true);
    assert_eq!(world.uploads(page).len(), 1);
}

#[test]
fn what_was_typed_after_last_words_is_said_too() {
    let mut world = World::new();
    let page = world.open(0);
    world.edit(page);
    world.show(page, false);
    let text = world.edit(page);
    world.away(page, true);
    assert_eq!(last_words(&world, page), 2);
    world.run(LATENCY + DISK);
    world.away(page, false);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
    assert!(!world.statuses(page).contains(&Status::Conflict));
}

#[test]
fn the_answer_to_an_older_attempt_says_nothing() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Slow(SECOND), Fate::Slow(10 * SECOND)]);
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.edit(page);
    world.away(page, true);
    world.away(page, false);
    world.run(5 * SECOND);
    assert_eq!(world.shown(page).status, Status::Saving);
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_page_that_comes_back_from_the_cache_goes_on() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Network, None)));
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    world.server.fates.push_back(Fate::Never);
    world.away(page, true);
    world.run(SECOND);
    world.away(page, false);
    world.run(2 * MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_page_that_is_hidden_tries_what_nobody_told_it_to_wait_for() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Network, None)));
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    assert_eq!(world.shown(page).status, Status::Offline);
    world.show(page, false);
    world.run(LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn what_was_submitted_is_not_sent_as_last_words() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.clear(page);
    world.run(SECOND);
    world.rerender(page);
    world.show(page, false);
    world.run(DISK);
    assert!(world.resting(page));
    world.assert_shown(page, Status::Idle, Place::Nowhere);
    world.run(2 * MINUTE);
    assert_eq!(world.server.text(ANNE), None);
}

#[test]
fn nothing_is_sent_of_a_conflict_or_for_somebody_else() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.edit(page);
    world.run(MINUTE);
    world.edit(page);
    world.show(page, false);
    assert_eq!((last_words(&world, page), world.shown(page).status), (0, Status::Conflict));
    let page = world.open(device);
    world.sign(device, None);
    world.edit(page);
    world.show(page, false);
    assert_eq!((last_words(&world, page), world.stores(page).len()), (0, 1));
}
