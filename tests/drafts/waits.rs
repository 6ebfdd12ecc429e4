//! What the server says, and how long nothing is sent after it.

use evenkeel::core::draft::{DraftOutput, Place, Status};
use evenkeel::core::kind::Kind;
use evenkeel::core::random::Random;

use super::server::{Answer, Fate};
use super::world::{ANNE, DEBOUNCE, DISK, HOUR, LATENCY, MINUTE, PageId, SECOND, TIMEOUT, World, ms};

const SAVE: u64 = DEBOUNCE + DISK + 2 * LATENCY;

/// Somebody types, and the server does this to what is sent.
fn sent(fate: Fate) -> (World, PageId) {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(fate);
    world.edit(page);
    world.run(SAVE);
    (world, page)
}

fn says(answer: Answer) -> (World, PageId) {
    sent(Fate::Says(answer))
}

#[test]
fn a_save_that_failed_is_tried_again_with_backoff() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Server, None)); 40]);
    world.edit(page);
    world.run(SAVE);
    world.assert_shown(page, Status::Offline, Place::Device);
    assert_eq!(world.shown(page).error, Some((Kind::Server, None)));
    world.run(20 * MINUTE);
    let uploads = world.uploads(page);
    // Drawn from no more than a minute each, and at the end from the whole of it.
    assert!(uploads.windows(2).all(|two| two[1] - two[0] <= MINUTE + 2 * LATENCY), "{uploads:?}");
    assert!(uploads[1] - uploads[0] <= SECOND + 2 * LATENCY);
    assert!((20..60).contains(&uploads.len()), "{uploads:?}");
    world.server.fates.clear();
    world.run(2 * MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_success_starts_the_backoff_anew() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Server, None)); 8]);
    world.edit(page);
    world.run(20 * MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Server, None)));
    world.forget(page);
    world.edit(page);
    world.run(SAVE + SECOND + LATENCY);
    assert_eq!(world.uploads(page).len(), 2);
}

#[test]
fn without_a_network_one_attempt_is_made_and_its_return_sends() {
    let mut world = World::new();
    let page = world.open(0);
    world.network(0, false);
    let text = world.edit(page);
    world.run(SAVE);
    world.assert_shown(page, Status::Offline, Place::Device);
    assert_eq!(world.shown(page).error, Some((Kind::Offline, None)));
    assert_eq!(world.uploads(page).len(), 1);
    world.network(0, true);
    world.run(SECOND + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn without_a_network_attempts_are_rare_from_the_first_one_on() {
    let attempts: usize = (0..20)
        .map(|seed| {
            let mut world = World::new();
            let page = world.open(0);
            world.pages[page].random = Random::new(seed);
            world.network(0, false);
            world.edit(page);
            world.run(30 * SECOND);
            world.uploads(page).len()
        })
        .sum();
    assert!((20..60).contains(&attempts), "{attempts}");
}

#[test]
fn what_the_server_asks_to_wait_is_waited_whatever_happens() {
    let (mut world, page) = says(Answer::Later(Kind::RateLimited, Some(30 * SECOND)));
    assert_eq!(world.shown(page).error, Some((Kind::RateLimited, Some(ms(30 * SECOND)))));
    world.flush(page);
    world.network(0, true);
    world.show(page, false);
    world.show(page, true);
    world.away(page, true);
    world.away(page, false);
    world.edit(page);
    world.run(30 * SECOND - 2 * LATENCY);
    assert_eq!(world.uploads(page).len(), 1);
    world.run(16 * SECOND);
    assert_eq!(world.uploads(page).len(), 2, "with at most half of it on top");
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_restore_that_fails_does_not_shorten_what_the_server_asked_to_wait() {
    let (mut world, page) = says(Answer::Later(Kind::RateLimited, Some(30 * SECOND)));
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Server, None)));
    world.restored(page);
    world.run(29 * SECOND);
    assert_eq!(world.uploads(page).len(), 1);
    world.run(17 * SECOND);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn no_server_keeps_a_page_waiting_for_longer_than_a_day() {
    let (mut world, page) = says(Answer::Later(Kind::Unavailable, Some(u64::MAX)));
    world.run(24 * HOUR + 2 * MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn pages_that_come_back_together_do_not_take_the_same_moment() {
    let mut moments: Vec<u64> = (0..200)
        .map(|seed| {
            let mut world = World::seeded(seed);
            let page = world.open(0);
            world.pages[page].random = Random::new(seed);
            world.network(0, false);
            world.edit(page);
            world.run(DEBOUNCE + DISK + 1);
            world.forget(page);
            world.network(0, true);
            let from = world.now;
            world.run(SECOND);
            world.uploads(page)[0] - from
        })
        .collect();
    moments.sort_unstable();
    assert!(moments[20] < 300 && moments[180] > 500 && moments[199] <= SECOND, "{moments:?}");
}

#[test]
fn whoever_waits_for_a_flush_does_not_wait_for_a_backoff() {
    let (mut world, page) = says(Answer::Later(Kind::Network, None));
    world.flush(page);
    world.run(2 * LATENCY + DISK);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.flushed(page), 1);
}

#[test]
fn who_looks_at_the_page_again_ends_a_wait_that_nobody_told() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Server, None)); 12]);
    world.edit(page);
    world.run(10 * MINUTE);
    world.server.fates.extend([Fate::Says(Answer::Later(Kind::Server, None)); 12]);
    world.edit(page);
    world.run(10 * MINUTE);
    world.server.fates.clear();
    world.forget(page);
    world.show(page, true);
    world.run(SECOND + 2 * LATENCY);
    assert_ne!(world.shown(page).status, Status::Offline);
}

#[test]
fn what_is_refused_is_not_sent_again_until_it_is_edited() {
    for kind in [Kind::Invalid, Kind::TooLarge] {
        let (mut world, page) = says(Answer::Refused(kind));
        world.assert_shown(page, Status::Error, Place::Device);
        assert_eq!(world.shown(page).error, Some((kind, None)));
        world.flush(page);
        world.network(0, true);
        world.rerender(page);
        world.show(page, false);
        world.run(HOUR);
        assert_eq!(world.server.log.len(), 1, "not the same text");
        assert!(world.unsaved(page));
        let text = world.edit(page);
        world.run(SAVE);
        assert_eq!(world.server.text(ANNE), Some(text));
        world.assert_shown(page, Status::Saved, Place::Server);
    }
}

#[test]
fn a_refusal_of_what_was_typed_before_does_not_stop_what_was_typed_since() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Refused(Kind::Invalid)));
    world.edit(page);
    world.run(DEBOUNCE + DISK);
    let text = world.edit(page);
    world.flush(page);
    world.run(DISK + 4 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
}

#[test]
fn a_lost_answer_that_is_repeated_is_no_conflict() {
    let (mut world, page) = sent(Fate::AnswerLost);
    world.run(TIMEOUT + 2 * SECOND);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.uploads(page).len(), 2);
    assert_eq!(world.server.accepted.len(), 1);
}

#[test]
fn a_lost_answer_is_no_conflict_either_when_more_was_typed_since() {
    let (mut world, page) = sent(Fate::AnswerLost);
    let text = world.edit(page);
    world.run(TIMEOUT + 2 * SECOND);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.server.text(ANNE), Some(text));
    assert!(!world.statuses(page).contains(&Status::Conflict));
}

#[test]
fn a_draft_that_the_server_forgot_is_made_anew() {
    let mut world = World::new();
    let (page, _) = world.saved();
    world.server.lose(ANNE);
    let text = world.edit(page);
    world.run(SAVE + DISK + 2 * LATENCY);
    assert_eq!(world.server.text(ANNE), Some(text));
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn a_server_that_never_agrees_is_not_asked_in_a_loop() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.extend([Fate::Says(Answer::Is(None)); 100]);
    world.edit(page);
    world.run(10 * MINUTE);
    assert_eq!(world.shown(page).error, Some((Kind::Conflict, None)));
    assert!(world.uploads(page).len() < 40, "{}", world.uploads(page).len());
    world.server.fates.clear();
    world.run(2 * MINUTE);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn an_answer_that_never_comes_is_given_up_after_a_minute() {
    let (mut world, page) = sent(Fate::Never);
    assert_eq!(world.shown(page).status, Status::Saving);
    world.run(MINUTE + 2 * SECOND);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!(world.uploads(page).len(), 2);
}

#[test]
fn an_endpoint_that_does_not_exist_means_this_device_only() {
    let (mut world, page) = says(Answer::Absent);
    world.run(DISK);
    world.assert_shown(page, Status::Saved, Place::Device);
    assert!(!world.unsaved(page));
    world.edit(page);
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), world.on_device(0).len()), (1, 1));
    world.assert_shown(page, Status::Saved, Place::Device);
}

#[test]
fn a_server_that_wants_a_newer_page_is_not_asked_by_this_one_again() {
    let (mut world, page) = says(Answer::Outdated);
    world.assert_shown(page, Status::Error, Place::Device);
    assert_eq!(world.shown(page).error, Some((Kind::Outdated, None)));
    let text = world.edit(page);
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), world.on_device(0)), (1, vec![text]));
    assert!(!world.unsaved(page), "it is on the device, and another page will bring it there");
    assert_eq!(world.restored(page), None);
}

#[test]
fn a_copy_of_a_newer_schema_keeps_the_text_here_and_has_the_version_checked() {
    let mut world = World::new();
    let page = world.open(0);
    let theirs = world.edit(page);
    world.server.put_newer(ANNE, theirs);
    let text = world.edit(page);
    world.run(SAVE + DISK);
    assert_eq!(world.said(page, |said| *said == DraftOutput::CheckVersion).len(), 1);
    assert_eq!(world.shown(page).error, Some((Kind::Outdated, None)));
    world.run(HOUR);
    assert_eq!((world.uploads(page).len(), world.on_device(0)), (1, vec![text]));
    assert_eq!(world.server.text(ANNE), Some(theirs));
}

#[test]
fn after_a_sleep_nothing_is_concluded() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Slow(100));
    let text = world.edit(page);
    world.run(DEBOUNCE + DISK);
    world.sleep(0, HOUR);
    world.run(SECOND);
    world.assert_shown(page, Status::Saved, Place::Server);
    assert_eq!((world.uploads(page).len(), world.server.text(ANNE)), (1, Some(text)));
}

#[test]
fn waits_begin_anew_within_a_second_after_a_sleep() {
    let mut world = World::new();
    let page = world.open(0);
    world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Server, None)));
    world.edit(page);
    world.run(SAVE);
    world.edit(page);
    world.sleep(0, HOUR);
    world.run(SECOND + DISK + 2 * LATENCY);
    world.assert_shown(page, Status::Saved, Place::Server);
}

#[test]
fn devices_that_wake_together_do_not_take_the_same_moment() {
    let mut moments: Vec<u64> = (0..100)
        .map(|seed| {
            let mut world = World::new();
            let page = world.open(0);
            world.pages[page].random = Random::new(seed);
            world.server.fates.push_back(Fate::Says(Answer::Later(Kind::Server, None)));
            world.edit(page);
            world.run(SAVE);
            world.forget(page);
            world.sleep(0, HOUR);
            let from = world.now;
            world.run(SECOND);
            world.uploads(page)[0] - from
        })
        .collect();
    moments.sort_unstable();
    assert!(moments[10] < 300 && moments[90] > 500, "{moments:?}");
}

#[test]
fn what_is_met_is_told_to_who_watches_the_connection() {
    let reached = |world: &World, page| world.said(page, |said| *said == DraftOutput::Reached(true)).len();
    let missed = |world: &World, page| world.said(page, |said| *said == DraftOutput::Reached(false)).len();
    for (answer, expected) in [
        (Answer::Later(Kind::Network, None), (0, 1)),
        (Answer::Later(Kind::Timeout, None), (0, 1)),
        (Answer::Later(Kind::RateLimited, None), (0, 0)),
        (Answer::Later(Kind::Offline, None), (0, 0)),
        (Answer::OtherUser, (0, 0)),
        (Answer::Unauthorized, (1, 0)),
        (Answer::Refused(Kind::Invalid), (1, 0)),
        (Answer::Is(None), (1, 0)),
    ] {
        let (world, page) = says(answer);
        assert_eq!((reached(&world, page), missed(&world, page)), expected, "{answer:?}");
    }
}
