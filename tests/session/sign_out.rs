//! Signing out: quiet in all tabs first, then the server, then word to all; and no late answer signs anybody in again.

use evenkeel::core::session::{Ended, SessionSays, Status};
use evenkeel::core::verify::Verified;

use super::script::*;
use super::server::Mood;
use super::tab::Coming;
use super::world::{EPOCH, LATENCY_MAX, World};

const AT_ONCE: u64 = 3 * LATENCY_MAX;

/// When the server was asked to sign out.
fn sent_at(world: &World) -> u64 {
    world.server.signed_out_at.expect("it was done") - world.server.sign_out_takes
}

#[test]
fn the_person_is_signed_out_in_all_tabs_and_each_knows_why() {
    for tab in [0, 2] {
        let mut world = World::of(ANNE, 3);
        world.sign_out(tab);
        world.assert_all(Status::Authenticated, Some(ANNE));
        world.run(SECOND);
        world.assert_all(Status::SignedOut, None);
        for other in 0..3 {
            let why = if other == tab { Ended::SignOut } else { Ended::OtherTab };
            assert_eq!(world.ends(other), [why]);
        }
        assert_eq!((world.changed.len(), world.changed[0].1, world.mark), (1, tab, false));
        world.run(HOUR);
        assert_eq!(world.asked(), [], "and nobody asks any more");
    }
}

#[test]
fn a_page_alone_signs_out() {
    let mut world = World::new(Some(ANNE));
    world.alone = true;
    world.settle(1);
    world.sign_out(0);
    world.run(SECOND);
    assert_eq!((world.status(0), world.ends(0)), (Status::SignedOut, vec![Ended::SignOut]));
}

#[test]
fn a_question_of_this_tab_s_ends_before_the_server_is_asked() {
    let mut world = World::of(ANNE, 1);
    world.server.latency = 5 * SECOND;
    world.request(0);
    world.run(SECOND);
    world.sign_out(0);
    assert_eq!(world.tabs[0].question, None);
    world.run(10 * SECOND);
    assert_eq!((world.server.cookie, world.status(0)), (None, Status::SignedOut));
    assert_eq!(world.verdicts(0), [Verified::SignedOut], "who waited knows");
}

#[test]
fn a_question_of_another_tab_s_ends_before_the_server_is_asked() {
    let mut world = World::of(ANNE, 3);
    world.server.latency = 5 * SECOND;
    world.request(0);
    world.run(SECOND);
    let from = world.now;
    world.sign_out(2);
    world.run(10 * SECOND);
    assert!((1..=AT_ONCE).contains(&(sent_at(&world) - from)), "as soon as the other one says so");
    assert_eq!(world.said(|says| *says == SessionSays::Stopped).len(), 1);
    assert_eq!((world.server.cookie, world.server.revived.len()), (None, 0));
    world.assert_all(Status::SignedOut, None);
}

#[test]
fn a_tab_that_asks_and_is_frozen_is_waited_for_no_longer_than_a_heartbeat() {
    let mut world = World::of(ANNE, 3);
    world.server.mood = Mood::Silent;
    world.request(0);
    world.run(SECOND);
    world.freeze(0);
    let from = world.now;
    world.sign_out(2);
    world.run(5 * SECOND);
    assert_eq!(sent_at(&world) - from, HEARTBEAT);
    assert_eq!(world.ends(2), [Ended::SignOut]);
}

#[test]
fn a_tab_that_asked_and_died_long_ago_is_not_waited_for() {
    let mut world = World::of(ANNE, 2);
    world.server.mood = Mood::Silent;
    world.request(0);
    world.run(SECOND);
    world.kill(0);
    world.run(MINUTE);
    let from = world.now;
    world.sign_out(1);
    world.run(SECOND);
    assert_eq!(sent_at(&world), from);
}

#[test]
fn no_tab_asks_while_one_signs_out_and_who_waited_is_told() {
    let mut world = World::of(ANNE, 3);
    world.server.sign_out_takes = 5 * SECOND;
    world.sign_out(1);
    world.run(100);
    (0..3).for_each(|tab| world.request(tab));
    world.nudge(None);
    world.run(4 * SECOND);
    assert_eq!(world.asked(), []);
    world.run(SECOND);
    [0, 2].into_iter().for_each(|tab| assert_eq!(world.verdicts(tab), [Verified::SignedOut]));
    assert_eq!(world.asked(), []);
}

#[test]
fn what_signs_out_and_asks_who_is_signed_in_waits_a_heartbeat_and_not_for_itself() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = 5 * SECOND;
    world.sign_out(1);
    world.run(100);
    world.request(1);
    world.run(HEARTBEAT);
    assert_eq!((world.verdicts(1), world.asked()), (vec![Verified::Unknown], vec![]));
}

#[test]
fn after_a_refused_sign_out_the_server_is_asked_why() {
    let mut world = World::of(ANNE, 2);
    world.server.refuses = true;
    world.sign_out(1);
    world.run(2 * SECOND);
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn a_page_that_is_loaded_meanwhile_asks_nothing_either() {
    for tab in [0, 1] {
        let mut world = World::of(ANNE, 2);
        world.server.sign_out_takes = 5 * SECOND;
        world.sign_out(tab);
        world.run(100);
        let page = world.open(true);
        world.run(4 * SECOND);
        assert_eq!(world.asked(), []);
        world.run(2 * SECOND);
        assert_eq!((world.status(page), world.asked.len()), (Status::SignedOut, 0));
    }
}

#[test]
fn a_sign_out_that_is_refused_changes_nothing() {
    let mut world = World::of(ANNE, 3);
    world.server.refuses = true;
    world.sign_out(1);
    world.run(100);
    world.request(2);
    world.request(1);
    world.run(2 * SECOND);
    world.assert_all(Status::Authenticated, Some(ANNE));
    (0..3).for_each(|tab| assert_eq!(world.ends(tab), []));
    assert_eq!(
        (world.verdicts(2), world.verdicts(1)),
        (vec![Verified::SignedIn(ANNE)], vec![Verified::SignedIn(ANNE)])
    );
    assert_eq!((world.asked.len(), world.mark, world.changed.len()), (1, true, 0));
    world.server.refuses = false;
    world.sign_out(1);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
}

#[test]
fn a_second_sign_out_joins_the_first() {
    let mut world = World::of(ANNE, 2);
    world.sign_out(0);
    world.run(50);
    world.sign_out(0);
    world.run(5 * SECOND);
    assert_eq!(world.ends(0), [Ended::SignOut]);
}

#[test]
fn two_tabs_may_sign_out_at_a_time() {
    for seed in 0..30 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(3);
        world.sign_out(0);
        world.run(world.rng.clone().u64(0..50));
        world.sign_out(1);
        world.run(2 * SECOND);
        assert_eq!((world.ends(0), world.ends(1)), (vec![Ended::SignOut], vec![Ended::SignOut]), "{seed}");
        assert_eq!(world.ends(2), [Ended::OtherTab]);
        world.server.cookie = Some(ANNE);
        world.request(2);
        world.run(SECOND);
        world.assert_all(Status::Authenticated, Some(ANNE));
    }
}

#[test]
fn a_sign_out_that_fails_here_and_is_done_by_another_tab_ends_the_session() {
    let mut world = World::of(ANNE, 2);
    world.server.refuses = true;
    world.server.sign_out_takes = 3 * SECOND;
    world.sign_out(0);
    world.run(100);
    world.server.refuses = false;
    world.server.sign_out_takes = SECOND;
    world.sign_out(1);
    world.run(2 * SECOND);
    assert_eq!((world.status(0), world.ends(0)), (Status::Authenticated, vec![]), "its own is under way");
    world.run(2 * SECOND);
    assert_eq!((world.ends(0), world.ends(1)), (vec![Ended::OtherTab], vec![Ended::SignOut]));
    world.assert_all(Status::SignedOut, None);
}

#[test]
fn a_tab_that_dies_while_it_signs_out_keeps_the_others_quiet_for_a_bounded_time() {
    let mut world = World::of(ANNE, 3);
    world.server.sign_out_takes = MINUTE;
    world.sign_out(2);
    world.run(SECOND);
    world.kill(2);
    world.request(0);
    world.run(QUIET - 2 * SECOND);
    assert_eq!(world.asked(), []);
    world.run(3 * SECOND);
    assert_eq!((world.asked.len(), world.verdicts(0)), (1, vec![Verified::SignedIn(ANNE)]));
}

#[test]
fn a_sign_out_that_takes_long_keeps_the_others_quiet_for_as_long() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = 2 * MINUTE;
    world.sign_out(1);
    world.run(2 * MINUTE - SECOND);
    world.nudge(None);
    assert_eq!(world.asked(), []);
    world.run(2 * SECOND);
    world.assert_all(Status::SignedOut, None);
    assert_eq!(world.asked(), []);
}

#[test]
fn who_waits_while_somebody_signs_out_without_end_is_told_that_it_is_not_known() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = HOUR;
    world.sign_out(1);
    world.run(SECOND);
    world.request(0);
    world.request(1);
    world.run(MINUTE);
    assert_eq!((world.verdicts(0), world.verdicts(1)), (vec![Verified::Unknown], vec![Verified::Unknown]));
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_sign_out_that_never_ends_is_given_up_and_believed_when_it_ends_after_all() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = HOUR;
    world.sign_out(1);
    world.run(10 * MINUTE);
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
    world.run(HOUR);
    assert_eq!((world.ends(1), world.ends(0)), (vec![Ended::SignOut], vec![Ended::OtherTab]));
}

#[test]
fn an_answer_from_before_the_end_of_a_sign_out_never_revives_anything() {
    let mut world = World::of(ANNE, 2);
    world.sign_out(0);
    world.run(100);
    // In a tab that was not told to be quiet.
    let turn = EPOCH + world.now;
    world.run(SECOND);
    for tab in 0..2 {
        world.whisper(tab, turn, SessionSays::Verdict(Verified::SignedIn(ANNE), Some(ANNE), None));
        assert_eq!((world.status(tab), world.user(tab)), (Status::SignedOut, None));
    }
}

#[test]
fn a_sign_out_in_a_browser_where_nobody_is_signed_in_announces_nothing() {
    let mut world = World::new(None);
    world.settle(2);
    world.sign_out(1);
    world.run(SECOND);
    assert_eq!((world.ends(1), world.ends(0)), (vec![], vec![]));
}

#[test]
fn word_of_a_sign_out_that_a_sign_in_has_overtaken_signs_nobody_out() {
    let mut world = World::of(ANNE, 2);
    world.whisper(1, EPOCH, SessionSays::SignedOut);
    assert_eq!((world.status(1), world.ends(1)), (Status::Authenticated, vec![]));
}

#[test]
fn a_page_whose_clock_is_far_behind_that_of_the_others_signs_out_in_all_of_them() {
    let mut world = World::of(ANNE, 3);
    world.set_clock(-(5 * HOUR as i64));
    // It was rendered by the server, and has heard of no question yet.
    let page = world.open_rendered(true);
    world.run(SECOND);
    world.sign_out(page);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
    (0..3).for_each(|tab| assert_eq!(world.ends(tab), [Ended::OtherTab]));
}

#[test]
fn who_signs_in_after_a_sign_out_is_somebody_else_or_the_same() {
    let mut world = World::of(ANNE, 2);
    for (person, switches) in [(ANNE, 0), (BERT, 1)] {
        world.sign_out(0);
        world.run(SECOND);
        world.server.cookie = Some(person);
        world.nudge(None);
        world.run(SECOND);
        world.assert_all(Status::Authenticated, Some(person));
        (0..2).for_each(|tab| assert_eq!(world.switches(tab).len(), switches));
    }
}

#[test]
fn a_page_that_goes_while_it_signs_out_is_told_when_it_is_back() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = SECOND;
    world.sign_out(0);
    world.run(100);
    world.away(0, true);
    world.run(MINUTE);
    world.away(0, false);
    world.run(2 * SECOND);
    // Its request ended with it.
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_tab_whose_words_were_lost_is_asked_for_quiet_again_when_it_asks() {
    let mut world = World::of(ANNE, 2);
    world.server.sign_out_takes = 10 * SECOND;
    world.lost_of_100 = 100;
    world.sign_out(0);
    world.run(SECOND);
    world.lost_of_100 = 0;
    world.server.latency = 5 * SECOND;
    world.request(1);
    world.run(HEARTBEAT * 2);
    assert_eq!(world.tabs[1].question, None, "or its answer would sign them in again");
    world.run(20 * SECOND);
    assert_eq!((world.server.revived.len(), world.server.cookie), (0, None));
    world.assert_all(Status::SignedOut, None);
}

#[test]
fn what_the_host_says_twice_is_taken_once() {
    let mut world = World::of(ANNE, 1);
    world.sign_out(0);
    world.run(SECOND);
    world.come_now(0, Coming::SignedOut(false));
    world.run(SECOND);
    assert_eq!((world.status(0), world.ends(0)), (Status::SignedOut, vec![Ended::SignOut]));
}
