//! What becomes of a session: only a server that says so, often enough, ends it.

use evenkeel::core::session::{Ended, SessionSays, Status};
use evenkeel::core::verify::Verified;

use super::script::*;
use super::server::Mood;
use super::world::{EPOCH, World};

/// The endpoint answers that nobody is signed in, so often as it must, and somebody wants to know.
fn expire(world: &mut World, tab: usize) {
    world.server.cookie = None;
    world.request(tab);
    world.run(CONFIRMED + SECOND);
}

#[test]
fn a_first_visit_needs_one_answer_and_announces_nothing() {
    let mut world = World::new(None);
    world.open(true);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
    assert_eq!((world.asked.len(), world.ends(0)), (1, vec![]));
    assert_eq!(world.changed, []);
}

#[test]
fn a_session_that_lived_ends_after_three_spaced_answers_and_is_shown_until_then() {
    let mut world = World::of(ANNE, 1);
    world.server.cookie = None;
    world.request(0);
    world.run(CONFIRMED);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert_eq!(world.verdicts(0), []);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
    let asked = world.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[1] - asked[0] >= 2 * SECOND && asked[2] - asked[1] >= 10 * SECOND, "{asked:?}");
    assert_eq!((world.verdicts(0), world.ends(0)), (vec![Verified::SignedOut], vec![Ended::Expired]));
}

#[test]
fn the_mark_of_an_earlier_page_makes_three_answers_needed_and_the_end_known() {
    let mut world = World::new(None);
    world.mark = true;
    world.open(true);
    world.run(CONFIRMED);
    world.assert_all(Status::Loading, None);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
    assert_eq!((world.asked.len(), world.ends(0), world.mark), (3, vec![Ended::Expired], false));
}

#[test]
fn a_database_that_is_down_for_ten_seconds_logs_nobody_out() {
    let mut world = World::of(ANNE, 3);
    world.server.mood = Mood::Blind;
    world.request(1);
    world.run(10 * SECOND);
    world.server.mood = Mood::Well;
    world.run(MINUTE);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
    (0..3).for_each(|tab| assert_eq!((world.ends(tab), world.tabs[tab].shows.len() <= 3), (vec![], true)));
}

#[test]
fn a_server_that_fails_makes_the_session_unknown_at_most() {
    for mood in [Mood::Broken, Mood::Silent] {
        let mut world = World::of(ANNE, 3);
        world.server.mood = mood;
        world.request(2);
        world.run(TIMEOUT + SECOND);
        world.assert_all(Status::Unknown, Some(ANNE));
        assert_eq!(world.verdicts(2), [Verified::Unknown]);
        world.server.mood = Mood::Well;
        world.run(MINUTE);
        world.assert_all(Status::Authenticated, Some(ANNE));
        assert_eq!(world.changed, [], "nothing changed");
    }
}

#[test]
fn an_endpoint_that_breaks_between_two_answers_proves_nothing() {
    let mut world = World::of(ANNE, 1);
    world.server.cookie = None;
    world.request(0);
    world.run(SECOND);
    world.server.mood = Mood::Broken;
    world.run(2 * SECOND);
    world.assert_all(Status::Unknown, Some(ANNE));
    assert_eq!(world.verdicts(0), [Verified::Unknown]);
}

#[test]
fn the_end_is_told_once_in_each_tab() {
    let mut world = World::of(ANNE, 4);
    expire(&mut world, 2);
    world.run(MINUTE);
    expire(&mut world, 1);
    world.assert_all(Status::SignedOut, None);
    (0..4).for_each(|tab| assert_eq!(world.ends(tab), [Ended::Expired]));
    assert_eq!(world.changed.len(), 1, "one tab tells other libraries");
    assert!(!world.mark);
}

#[test]
fn a_session_that_begins_again_can_end_again() {
    let mut world = World::of(ANNE, 2);
    for nth in 1..4 {
        expire(&mut world, 0);
        world.server.cookie = Some(ANNE);
        world.request(1);
        world.run(SECOND);
        world.assert_all(Status::Authenticated, Some(ANNE));
        assert!(world.mark);
        (0..2).for_each(|tab| assert_eq!(world.ends(tab).len(), nth));
    }
    (0..2).for_each(|tab| assert_eq!(world.switches(tab), []));
    assert_eq!(world.changed.len(), 6);
}

#[test]
fn a_tab_that_never_saw_a_session_ends_nobody_elses_with_one_answer() {
    // Storage is blocked, and no word but the load's own is through: it asks by itself.
    let mut world = World::of(ANNE, 3);
    world.mark = false;
    world.server.mood = Mood::Blind;
    let page = world.open(true);
    world.freeze(0);
    world.run(2 * SECOND);
    assert_eq!(world.status(page), Status::SignedOut);
    assert_eq!((world.status(1), world.user(1)), (Status::Authenticated, Some(ANNE)));
    // Who saw one asks again, and the server is back.
    world.server.mood = Mood::Well;
    world.run(20 * SECOND);
    world.thaw(0);
    world.run(SECOND);
    world.assert_all(Status::Authenticated, Some(ANNE));
    (0..3).for_each(|tab| assert_eq!(world.ends(tab), []));
}

#[test]
fn what_one_answer_made_doubtful_is_confirmed_by_one_tab_for_all() {
    let mut world = World::of(ANNE, 4);
    world.server.cookie = None;
    for tab in 0..4 {
        world.whisper(tab, EPOCH + world.now, SessionSays::Nobody);
    }
    world.assert_all(Status::Authenticated, Some(ANNE));
    world.run(CONFIRMED + SECOND);
    world.assert_all(Status::SignedOut, None);
    assert_eq!(world.asked.len(), 3);
    (0..4).for_each(|tab| assert_eq!(world.ends(tab), [Ended::Expired]));
}

#[test]
fn where_the_leader_never_saw_a_session_another_tab_confirms() {
    let mut world = World::of(ANNE, 2);
    // It is the only one that knows.
    let asked_at = EPOCH + world.now;
    world.server.cookie = None;
    world.freeze(0);
    world.whisper(1, asked_at, SessionSays::Nobody);
    world.run(CONFIRMED + 2 * SECOND);
    assert_eq!((world.status(1), world.ends(1)), (Status::SignedOut, vec![Ended::Expired]));
}

#[test]
fn somebody_else_is_told_of_once_in_each_tab() {
    let mut world = World::of(ANNE, 3);
    world.server.cookie = Some(BERT);
    world.request(1);
    world.run(MINUTE);
    world.request(2);
    world.run(MINUTE);
    world.assert_all(Status::Authenticated, Some(BERT));
    (0..3).for_each(|tab| assert_eq!(world.switches(tab), [(ANNE, BERT)]));
    assert_eq!(world.changed.len(), 1);
}

#[test]
fn somebody_else_is_shown_before_they_are_told_of() {
    let mut world = World::of(ANNE, 1);
    world.server.cookie = Some(BERT);
    world.request(0);
    world.run(SECOND);
    // The watch compares what was told with what was shown.
    assert_eq!((world.user(0), world.switches(0)), (Some(BERT), vec![(ANNE, BERT)]));
}

#[test]
fn a_sign_out_between_two_people_does_not_hide_the_change() {
    let mut world = World::of(ANNE, 2);
    expire(&mut world, 0);
    world.server.cookie = Some(BERT);
    world.request(0);
    world.run(SECOND);
    (0..2).for_each(|tab| assert_eq!(world.switches(tab), [(ANNE, BERT)]));
}

#[test]
fn a_person_without_a_number_is_another_one_but_replaces_nobody_that_comes_after() {
    let mut world = World::of(ANNE, 1);
    for (person, switches) in [(SOMEBODY, 1), (BERT, 1), (ANNE, 2), (SOMEBODY, 3), (SOMEBODY, 3)] {
        world.server.cookie = Some(person);
        world.request(0);
        world.run(SECOND);
        assert_eq!(world.switches(0).len(), switches, "{person}");
    }
}

#[test]
fn a_page_that_cannot_ask_shows_whom_another_tab_knew_last() {
    let mut world = World::of(ANNE, 1);
    world.server.mood = Mood::Broken;
    let page = world.open(true);
    world.run(SECOND);
    assert_eq!((world.status(page), world.user(page)), (Status::Unknown, Some(ANNE)));
    world.server.cookie = Some(BERT);
    world.server.mood = Mood::Well;
    world.run(MINUTE);
    assert_eq!(world.switches(page), [(ANNE, BERT)]);
}

#[test]
fn a_tab_that_knows_of_a_sign_out_shows_nobody_whom_another_one_still_knows() {
    let mut world = World::of(ANNE, 1);
    expire(&mut world, 0);
    let turn = EPOCH + world.now;
    world.whisper(0, turn, SessionSays::Verdict(Verified::Unknown, Some(ANNE), None));
    assert_eq!((world.status(0), world.user(0)), (Status::Unknown, None));
}

#[test]
fn other_libraries_hear_of_changes_only() {
    let mut world = World::of(ANNE, 3);
    world.run_active(0, HOUR);
    world.server.mood = Mood::Broken;
    world.request(0);
    world.run(SECOND);
    world.server.mood = Mood::Well;
    world.run(MINUTE);
    assert!(world.asked.len() > 10);
    assert_eq!(world.changed, []);
    world.server.cookie = Some(BERT);
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.changed.len(), 1);
}

#[test]
fn the_app_is_shown_changes_only() {
    let mut world = World::of(ANNE, 3);
    let shows: usize = world.tabs.iter().map(|tab| tab.shows.len()).sum();
    world.run_active(0, 2 * HOUR);
    assert!(world.asked.len() > 20);
    assert_eq!(world.tabs.iter().map(|tab| tab.shows.len()).sum::<usize>(), shows);
}

#[test]
fn a_verdict_that_is_overtaken_by_a_newer_one_says_nothing() {
    let mut world = World::of(ANNE, 2);
    world.server.cookie = Some(BERT);
    world.request(1);
    world.run(SECOND);
    let old = SessionSays::Verdict(Verified::SignedIn(ANNE), Some(ANNE), None);
    world.whisper(1, EPOCH, old);
    assert_eq!(world.user(1), Some(BERT));
    assert_eq!(world.switches(1), [(ANNE, BERT)]);
}

#[test]
fn a_verdict_that_is_overtaken_but_says_something_else_has_the_server_asked_once() {
    let mut world = World::of(ANNE, 3);
    for tab in 0..3 {
        world.whisper(tab, EPOCH, SessionSays::Verdict(Verified::SignedOut, None, None));
        world.whisper(tab, EPOCH, SessionSays::Verdict(Verified::SignedIn(ANNE), Some(ANNE), None));
    }
    world.run(5 * SECOND);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn a_confirmed_end_of_another_tab_is_believed_without_asking() {
    let mut world = World::of(ANNE, 2);
    world.freeze(1);
    expire(&mut world, 0);
    // It hears the verdict when it is there again.
    world.thaw(1);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
    assert_eq!((world.ends(1), world.asked.len()), (vec![Ended::Expired], 3));
}

#[test]
fn a_session_that_is_found_by_another_tab_while_its_end_is_confirmed_goes_on() {
    let mut world = World::of(ANNE, 2);
    world.server.mood = Mood::Blind;
    world.request(0);
    world.run(5 * SECOND);
    let turn = EPOCH + world.now;
    world.whisper(0, turn, SessionSays::Verdict(Verified::SignedIn(ANNE), Some(ANNE), None));
    world.run(MINUTE);
    assert_eq!((world.status(0), world.verdicts(0)), (Status::Authenticated, vec![Verified::SignedIn(ANNE)]));
    assert_eq!(world.asked.len(), 2, "the rest of the question is not asked");
}
