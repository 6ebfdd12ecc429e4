//! Two texts, and a person who decides.

use evenkeel::core::draft::{Choice, Place, Status, Theirs};

use super::texts::Text;
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MINUTE, PageId, World};

/// A page whose text meets another device's: what is mine, and theirs.
fn conflict() -> (World, PageId, Text, Text) {
    let mut world = World::new();
    let (_, theirs) = world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    let mine = world.edit(page);
    world.run(DEBOUNCE + DISK + 2 * LATENCY);
    world.assert_shown(page, Status::Conflict, Place::Device);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Server));
    (world, page, mine, theirs)
}

#[test]
fn a_conflict_keeps_both_texts_and_sends_nothing() {
    let (mut world, page, _, theirs) = conflict();
    world.run(MINUTE);
    let newer = world.edit(page);
    world.flush(page);
    world.run(MINUTE);
    assert_eq!(world.uploads(page).len(), 1);
    assert_eq!((world.server.text(ANNE), world.on_device(1)), (Some(theirs), vec![newer]), "saving here goes on");
    assert_eq!(world.shown(page).status, Status::Conflict);
    assert!(world.unsaved(page));
    assert!(world.resting(page) && world.flushed(page) == 1);
}

#[test]
fn who_keeps_their_own_saves_it_over_the_other_at_once() {
    let (mut world, page, mine, _) = conflict();
    world.resolve(page, Choice::Mine);
    world.run(2 * DISK + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(mine));
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.flushed(page), 1);
    assert!(!world.unsaved(page));
}

#[test]
fn who_takes_the_other_sends_nothing() {
    let (mut world, page, _, theirs) = conflict();
    world.resolve(page, Choice::Theirs);
    world.run(DISK);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!((world.flushed(page), world.uploads(page).len()), (1, 1));
    assert_eq!((world.server.text(ANNE), world.on_device(1)), (Some(theirs), vec![theirs]));
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text), "and it goes on from there");
}

#[test]
fn a_copy_that_changed_again_is_another_conflict() {
    let (mut world, page, mine, theirs) = conflict();
    world.server.put(ANNE, Some(theirs));
    world.resolve(page, Choice::Mine);
    world.run(MINUTE);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Server));
    world.resolve(page, Choice::Mine);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(mine));
}

#[test]
fn a_flush_without_a_conflict_answers_whoever_decides() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.run(DISK);
    world.resolve(page, Choice::Mine);
    assert_eq!(world.flushed(page), 1);
}

#[test]
fn either_of_two_texts_of_this_device_can_be_kept() {
    for choice in [Choice::Mine, Choice::Theirs] {
        let mut world = World::new();
        let older = world.left_behind(0);
        let newer = world.left_behind(0);
        let page = world.open(0);
        world.restored(page);
        assert_eq!(world.shown(page).conflict, Some(Theirs::Other));
        world.resolve(page, choice);
        world.run(MINUTE);
        let kept = if choice == Choice::Mine { newer } else { older };
        assert_eq!((world.server.text(ANNE), world.on_device(0)), (Some(kept), vec![kept]));
        world.assert_shown(page, Status::Saved, Place::Server);
    }
}

#[test]
fn nothing_is_decided_of_what_is_frozen() {
    let (mut world, page, _, theirs) = conflict();
    world.sign(1, None);
    assert_eq!((world.shown(page).status, world.shown(page).conflict), (Status::Frozen, None));
    world.resolve(page, Choice::Mine);
    world.sign(1, Some(ANNE));
    world.run(MINUTE);
    assert_eq!(world.shown(page).conflict, Some(Theirs::Server));
    assert_eq!(world.server.text(ANNE), Some(theirs));
}
