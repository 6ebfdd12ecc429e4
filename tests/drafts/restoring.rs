//! What was there before.

use evenkeel::core::draft::restore::Source;
use evenkeel::core::draft::{DraftOutput, Place, Status, Theirs};
use evenkeel::core::kind::Kind;

use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, LATENCY, MINUTE, READ_TIMEOUT, SECOND, World};

fn conflict(world: &World, page: usize) -> Option<Theirs> {
    world.shown(page).conflict
}

#[test]
fn a_new_device_gets_what_the_server_has() {
    let mut world = World::new();
    let (_, text) = world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    assert_eq!(world.restored(page), Some((text, Source::Server)));
    world.run(DISK);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.on_device(device), [text], "for the next time, without a network");
    assert!(!world.devices[device].records[0].dirty);
    assert_eq!(world.uploads(page), []);
}

#[test]
fn what_goes_on_from_a_restored_text_is_saved_on_top_of_it() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.restored(page);
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn where_there_is_nothing_nothing_is_restored() {
    let mut world = World::new();
    let page = world.open(0);
    assert_eq!(world.restored(page), None);
    world.assert_shown(page, Status::Idle, Place::Nowhere);
    assert!(!world.unsaved(page));
}

#[test]
fn what_an_earlier_page_left_is_restored_and_uploaded() {
    let mut world = World::new();
    let text = world.left_behind(0);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    world.run(2 * DISK + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_save_whose_answer_was_lost_with_its_page_is_no_conflict() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::AnswerLost);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK + LATENCY);
    world.kill(page);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Server)), "it is clean on the device, and equal there");
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.server.accepted.len(), 1);
}

#[test]
fn what_was_typed_on_top_of_such_a_save_is_uploaded_on_top_of_it() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::AnswerLost);
    world.edit(page);
    world.run(DEBOUNCE + DISK + LATENCY);
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.kill(page);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
    assert_eq!(conflict(&world, page), None);
}

#[test]
fn what_two_devices_typed_is_a_conflict_and_nothing_is_sent() {
    let mut world = World::new();
    let text = world.left_behind(0);
    let device = world.device(Some(ANNE));
    let other = world.open(device);
    let theirs = world.edit(other);
    world.run(MINUTE);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    assert_eq!(conflict(&world, page), Some(Theirs::Server));
    world.run(MINUTE);
    assert_eq!((world.uploads(page), world.server.text(ANNE)), (vec![], Some(theirs)));
    assert_eq!(world.on_device(0), [text]);
}

#[test]
fn another_text_that_a_tab_left_here_is_a_conflict() {
    let mut world = World::new();
    world.left_behind(0);
    let newer = world.left_behind(0);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((newer, Source::Device)));
    assert_eq!(conflict(&world, page), Some(Theirs::Other));
    world.run(MINUTE);
    assert_eq!((world.uploads(page), world.on_device(0).len()), (vec![], 2), "both are kept");
}

#[test]
fn a_server_that_cannot_be_reached_keeps_nobody_from_what_the_device_has() {
    let mut world = World::new();
    let text = world.left_behind(0);
    world.network(0, false);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    world.run(DISK + SECOND);
    world.assert_shown(page, Status::Offline, Place::Device);
    world.network(0, true);
    world.run(SECOND + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_clean_text_is_compared_later_and_sends_nothing() {
    let mut world = World::new();
    let (first, text) = world.saved();
    world.run(DISK);
    world.kill(first);
    let page = world.open(0);
    world.network(0, false);
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    world.run(5 * MINUTE);
    assert_eq!(world.shown(page).status, Status::Offline);
    assert_eq!(world.shown(page).error.map(|(kind, _)| kind), Some(Kind::Offline));
    assert!(!world.statuses(page).contains(&Status::Saved), "until it is known");
    world.network(0, true);
    world.run(SECOND + 2 * LATENCY + DISK);
    assert_eq!(world.shown(page).status, Status::Saved);
    assert_eq!(world.uploads(page), []);
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn an_edit_on_what_is_no_longer_the_newest_is_a_conflict() {
    let mut world = World::new();
    let (first, _) = world.saved();
    world.run(DISK);
    world.kill(first);
    world.network(0, false);
    let page = world.open(0);
    world.restored(page);
    let device = world.device(Some(ANNE));
    let other = world.open(device);
    world.restored(other);
    let newer = world.edit(other);
    world.run(MINUTE);
    world.network(0, true);
    world.run(MINUTE);
    assert_eq!((conflict(&world, page), world.server.text(ANNE)), (None, Some(newer)), "nothing was typed");
    world.edit(page);
    world.run(MINUTE);
    assert_eq!(conflict(&world, page), Some(Theirs::Server));
}

#[test]
fn uploads_wait_for_the_restore_but_for_no_more_than_three_seconds() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(8 * SECOND));
    world.restore(page);
    let text = world.edit(page);
    world.flush(page);
    world.run(3 * SECOND - 1);
    assert_eq!((world.uploads(page), world.on_device(0)), (vec![], vec![text]));
    assert_eq!(world.shown(page).status, Status::Dirty);
    world.run(1 + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_restore_that_is_overtaken_by_a_save_gives_nothing_back() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(8 * SECOND));
    world.restore(page);
    let text = world.edit(page);
    world.run(10 * SECOND);
    assert_eq!(world.pages[page].restored, [None]);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn what_is_typed_during_a_slow_restore_is_never_overwritten() {
    let mut world = World::new();
    let (_, theirs) = world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.server.fates.push_back(Fate::Slow(2 * SECOND));
    world.restore(page);
    world.run(SECOND);
    let mine = world.edit(page);
    world.run(2 * SECOND);
    assert_eq!(world.pages[page].restored, [Some((theirs, Source::Server))]);
    assert_eq!((conflict(&world, page), world.pages[page].data), (Some(Theirs::Server), Some(mine)));
    world.run(MINUTE);
    assert_eq!((world.server.text(ANNE), world.on_device(device)), (Some(theirs), vec![mine]));
}

#[test]
fn what_the_device_was_to_restore_is_a_conflict_for_who_typed_meanwhile() {
    let mut world = World::new();
    let left = world.left_behind(0);
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(2 * SECOND));
    world.restore(page);
    world.run(SECOND);
    let mine = world.edit(page);
    world.run(2 * SECOND);
    assert_eq!(conflict(&world, page), Some(Theirs::Other));
    world.run(MINUTE);
    assert_eq!(world.uploads(page), []);
    let mut there = world.on_device(0);
    there.sort_unstable();
    assert_eq!(there, [left, mine]);
}

#[test]
fn who_typed_what_the_server_has_is_in_no_conflict() {
    let mut world = World::new();
    let page = world.open(0);
    let text = world.edit(page);
    let rev = world.server.put(ANNE, Some(text));
    assert_eq!(world.restored(page), Some((text, Source::Server)));
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!((world.uploads(page), world.server.standing(ANNE).map(|stands| stands.rev)), (vec![], Some(rev)));
}

#[test]
fn the_owner_is_waited_for_and_whose_draft_it_is_decides() {
    let mut world = World::new();
    let (_, text) = world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open_unknown(device);
    world.restore(page);
    world.run(5 * SECOND);
    assert_eq!(world.said(page, |said| *said == DraftOutput::Load), []);
    world.learn(page);
    world.run(SECOND);
    assert_eq!(world.pages[page].restored, [Some((text, Source::Server))]);
}

#[test]
fn an_owner_who_is_not_found_out_is_waited_for_ten_seconds() {
    let mut world = World::new();
    world.saved();
    let page = world.open_unknown(0);
    world.restore(page);
    world.run(10 * SECOND + DISK);
    assert_eq!(world.pages[page].restored, [None]);
    assert_eq!(world.said(page, |said| matches!(said, DraftOutput::Read(_))), []);
}

#[test]
fn a_server_without_such_an_endpoint_is_not_asked_again() {
    let mut world = World::new();
    let text = world.left_behind(0);
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Absent));
    assert_eq!(world.restored(page), Some((text, Source::Device)));
    world.pages[page].endpoint = false;
    world.edit(page);
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert_eq!(world.uploads(page), []);
}

#[test]
fn a_copy_of_a_newer_schema_is_not_read() {
    let mut world = World::new();
    let (first, theirs) = world.saved();
    world.run(DISK);
    world.kill(first);
    world.server.put_newer(ANNE, theirs);
    let page = world.open(0);
    assert_eq!(world.restored(page), Some((theirs, Source::Device)));
    assert_eq!(world.said(page, |said| *said == DraftOutput::CheckVersion).len(), 1);
    world.edit(page);
    world.run(MINUTE);
    assert_eq!((world.uploads(page), world.shown(page).status), (vec![], Status::Error));
}

#[test]
fn a_device_and_a_server_that_never_answer_do_not_hold_a_restore_for_ever() {
    let mut world = World::new();
    world.stuck = Some(0);
    let page = world.open(0);
    world.server.fates.push_back(Fate::Never);
    world.restore(page);
    world.run(MINUTE);
    assert_eq!(world.pages[page].restored, [None]);
    assert!(world.resting(page));
}

#[test]
fn two_who_ask_at_once_get_one_answer() {
    let mut world = World::new();
    let page = world.open(0);
    world.restore(page);
    world.restore(page);
    world.run(SECOND);
    assert_eq!(world.pages[page].restored.len(), 1);
    assert_eq!(world.server.log.len(), 1);
}

#[test]
fn a_second_restore_brings_what_another_device_saved_meanwhile() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.restored(page);
    world.run(DISK);
    let first = 0;
    let newer = world.edit(first);
    world.run(MINUTE);
    assert_eq!(world.restored(page), Some((newer, Source::Server)));
    world.run(MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_conflict_does_not_end_because_the_server_does_not_answer() {
    let mut world = World::new();
    world.saved();
    let device = world.device(Some(ANNE));
    let page = world.open(device);
    world.edit(page);
    world.run(MINUTE);
    assert_eq!(conflict(&world, page), Some(Theirs::Server));
    world.server.fates.push_back(Fate::Lost);
    world.restore(page);
    world.run(READ_TIMEOUT + SECOND);
    assert_eq!(conflict(&world, page), Some(Theirs::Server));
    world.run(MINUTE);
    assert_eq!(world.uploads(page).len(), 1);
}

#[test]
fn a_server_that_came_back_from_a_backup_is_compared_with() {
    let mut world = World::new();
    let (page, old) = world.saved();
    let backup = world.server.standing(ANNE).expect("it stands");
    world.edit(page);
    world.run(MINUTE);
    world.server.restore(ANNE, backup);
    let text = world.edit(page);
    world.run(MINUTE);
    assert_eq!((conflict(&world, page), world.server.text(ANNE)), (None, Some(text)), "{old} came from here");
}
