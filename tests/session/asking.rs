//! Who asks the server, and for whom: one question for all who need to know, and nobody waits for a tab that is gone.

use evenkeel::core::session::{SessionSays, Status};
use evenkeel::core::verify::Verified;

use super::script::*;
use super::server::Mood;
use super::world::{LATENCY_MAX, World};

/// Words, locks and quick answers are through after this.
const AT_ONCE: u64 = 200;

#[test]
fn a_page_asks_once_when_it_is_loaded_and_knows() {
    let mut world = World::new(Some(ANNE));
    let tab = world.open(true);
    assert_eq!((world.status(tab), world.user(tab)), (Status::Loading, None));
    world.run(AT_ONCE);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert_eq!(world.asked.len(), 1);
    assert!(world.tabs[tab].shown().leads);
}

#[test]
fn a_page_whose_tabs_are_off_asks_for_itself() {
    let mut world = World::new(Some(ANNE));
    world.alone = true;
    world.settle(2);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert_eq!(world.leaders(), [0, 1]);
    world.request(1);
    world.run(AT_ONCE);
    assert_eq!((world.verdicts(1), world.words.len()), (vec![Verified::SignedIn(ANNE)], 0));
}

#[test]
fn of_ten_tabs_one_asks_by_the_clock() {
    let mut world = World::of(ANNE, 10);
    world.run(3 * HOUR);
    assert!(world.asked.len() >= 10);
    assert!(world.asked.iter().all(|(_, tab)| *tab == 0));
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_page_that_the_server_rendered_with_a_session_shows_it_at_once_and_asks_nothing() {
    let mut world = World::new(Some(ANNE));
    world.open_rendered(true);
    world.assert_all(Status::Authenticated, Some(ANNE));
    assert!(world.mark, "a later page knows");
    world.run_active(0, ACTIVE - SECOND);
    assert_eq!(world.asked(), []);
    assert_eq!(world.tabs[0].shows.len(), 2, "and then that it leads");
    world.run_active(0, ACTIVE / 10 + SECOND);
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn what_had_ended_when_it_was_rendered_is_asked_about_once() {
    let mut world = World::new(Some(ANNE));
    (world.server.lasts, world.cached) = (Some(12 * MINUTE), HOUR);
    world.open_rendered(true);
    world.assert_all(Status::Authenticated, Some(ANNE));
    world.run_active(0, 2 * SECOND);
    assert_eq!(world.asked.len(), 1);
    world.run_active(0, ACTIVE - SECOND);
    assert_eq!(world.asked.len(), 1);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_tab_that_needs_to_know_tells_the_leader() {
    let mut world = World::of(ANNE, 3);
    world.request(2);
    world.run(AT_ONCE);
    assert_eq!(world.asked.len(), 1);
    assert_eq!(world.asked[0].1, 0);
    assert_eq!(world.verdicts(2), [Verified::SignedIn(ANNE)]);
    assert_eq!(world.verdicts(1), [], "nobody asked there");
}

#[test]
fn one_question_is_for_however_many_callers_and_tabs() {
    let mut world = World::of(ANNE, 5);
    for _ in 0..3 {
        (0..5).for_each(|tab| world.request(tab));
        world.run(LATENCY_MAX);
    }
    world.run(AT_ONCE);
    assert_eq!(world.asked.len(), 1);
    (0..5).for_each(|tab| assert_eq!(world.verdicts(tab), [Verified::SignedIn(ANNE)]));
}

#[test]
fn a_question_that_is_out_is_joined() {
    let mut world = World::of(ANNE, 3);
    world.server.latency = 8 * SECOND;
    world.request(0);
    world.run(7 * SECOND);
    world.request(2);
    world.run(SECOND + AT_ONCE);
    assert_eq!((world.asked.len(), world.verdicts(2).len()), (1, 1));
}

#[test]
fn a_tab_that_nobody_answers_asks_by_itself_after_a_heartbeat() {
    let mut world = World::of(ANNE, 3);
    world.freeze(0);
    world.request(2);
    let from = world.now;
    let asked_at = world.run_until_asked();
    assert!((from + HEARTBEAT..=from + HEARTBEAT * 3 / 2).contains(&asked_at));
    assert_eq!(world.asked[0].1, 2);
    world.run(AT_ONCE);
    assert_eq!(world.verdicts(2), [Verified::SignedIn(ANNE)]);
}

#[test]
fn a_leader_that_did_not_answer_is_replaced() {
    let mut world = World::of(ANNE, 3);
    world.freeze(0);
    world.request(2);
    world.run(BOUND + 2 * HEARTBEAT);
    assert_eq!(world.leaders().len(), 1);
    world.thaw(0);
    world.run(SECOND);
    assert_eq!(world.leaders().len(), 1);
}

#[test]
fn what_one_tab_asks_by_itself_is_for_all_that_wait() {
    let mut fewest = 9;
    for seed in 0..50 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(6);
        world.freeze(0);
        (1..6).for_each(|tab| world.request(tab));
        world.run(3 * SECOND);
        (1..6).for_each(|tab| assert_eq!(world.verdicts(tab).len(), 1));
        assert!(world.asked.len() <= 3, "{seed}: {:?}", world.asked);
        fewest = fewest.min(world.asked.len());
    }
    assert_eq!(fewest, 1);
}

#[test]
fn nobody_waits_longer_for_one_who_asks_than_it_said() {
    let mut world = World::of(ANNE, 3);
    world.server.mood = Mood::Silent;
    world.request(0);
    world.run(SECOND);
    world.request(2);
    world.server.mood = Mood::Well;
    world.freeze(0);
    let from = world.now;
    world.run_until_asked();
    let waited = world.now - from;
    assert!(waited <= TIMEOUT + HEARTBEAT * 3 / 2, "{waited}");
    assert!(waited >= TIMEOUT - SECOND, "it was to be expected that the leader answers: {waited}");
    world.run(AT_ONCE);
    assert_eq!(world.verdicts(2), [Verified::SignedIn(ANNE)]);
}

#[test]
fn who_waits_is_told_of_long_pauses_between_confirmations_too() {
    let mut world = World::new(Some(ANNE));
    world.settings.verify.confirm_after = ms(20 * SECOND);
    world.settle(3);
    world.server.cookie = None;
    world.request(2);
    world.run(125 * SECOND);
    assert_eq!(world.asked.iter().map(|(_, tab)| *tab).collect::<Vec<_>>(), [0; 3]);
    assert_eq!(world.verdicts(2), [Verified::SignedOut]);
}

#[test]
fn a_leader_that_is_closed_while_it_asks_leaves_the_question_to_the_next() {
    let mut world = World::of(ANNE, 3);
    world.server.latency = 5 * SECOND;
    world.request(2);
    world.run(SECOND);
    world.close(0);
    world.server.latency = 50;
    world.run(HEARTBEAT / 2);
    assert_eq!(world.asked.iter().map(|(_, tab)| *tab).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(world.verdicts(2), [Verified::SignedIn(ANNE)]);
}

#[test]
fn a_tab_that_waits_and_becomes_the_leader_asks_at_once() {
    let mut world = World::of(ANNE, 2);
    world.server.latency = 5 * SECOND;
    world.request(1);
    world.run(SECOND);
    world.kill(0);
    world.server.latency = 50;
    world.run(AT_ONCE);
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
}

#[test]
fn a_question_from_before_a_page_was_loaded_says_nothing_to_it() {
    let mut world = World::new(None);
    world.settle(1);
    world.server.latency = 3 * SECOND;
    // The leader's question is under way, without a cookie, when somebody signs in and is led to a page.
    world.request(0);
    world.run(SECOND);
    world.server.cookie = Some(ANNE);
    world.server.latency = 50;
    let page = world.open(true);
    world.run(10 * SECOND);
    let shown: Vec<Status> = world.tabs[page].shows.iter().map(|(_, shown)| shown.status).collect();
    assert!(!shown.contains(&Status::SignedOut), "{shown:?}");
    assert_eq!(world.user(page), Some(ANNE));
}

#[test]
fn the_leader_asks_once_more_for_a_page_that_was_loaded_meanwhile() {
    let mut world = World::of(ANNE, 1);
    world.server.latency = SECOND;
    world.request(0);
    world.run(100);
    for _ in 0..3 {
        world.open(false);
        world.run(100);
    }
    assert_eq!(world.asked.len(), 1);
    world.run(900);
    world.run(3 * SECOND);
    assert_eq!(world.asked.len(), 2, "once for all three");
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn ten_pages_that_are_restored_together_cost_few_questions() {
    let mut world = World::new(Some(ANNE));
    for _ in 0..10 {
        world.open(false);
        world.run(5);
    }
    world.run(3 * SECOND);
    assert!(world.asked.len() <= 3, "{:?}", world.asked);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_rendered_page_of_somebody_else_makes_the_leader_look() {
    let mut world = World::of(ANNE, 3);
    world.server.cookie = Some(BERT);
    let page = world.open_rendered(true);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
    world.assert_all(Status::Authenticated, Some(BERT));
    (0..3).for_each(|tab| assert_eq!(world.switches(tab), [(ANNE, BERT)]));
    assert_eq!(world.switches(page), []);
}

#[test]
fn a_rendered_page_of_the_same_person_costs_no_question() {
    let mut world = World::of(ANNE, 3);
    world.open_rendered(true);
    world.run(MINUTE);
    assert_eq!(world.asked(), []);
}

#[test]
fn a_rendered_page_from_a_cache_signs_nobody_out() {
    let mut world = World::of(BERT, 2);
    // It was rendered when Anne was there.
    let page = world.open_with(true, Some(ANNE));
    assert_eq!(world.user(page), Some(ANNE));
    world.run(SECOND);
    world.assert_all(Status::Authenticated, Some(BERT));
    assert_eq!((world.switches(0), world.switches(page)), (vec![], vec![(ANNE, BERT)]));
}

#[test]
fn where_all_words_are_lost_every_tab_still_gets_its_answer() {
    let mut world = World::of(ANNE, 4);
    world.lost_of_100 = 100;
    (0..4).for_each(|tab| world.request(tab));
    world.run(3 * SECOND);
    (0..4).for_each(|tab| assert_eq!(world.verdicts(tab), [Verified::SignedIn(ANNE)]));
}

#[test]
fn a_leader_says_at_once_that_it_asks_so_that_a_slow_server_is_asked_once() {
    let mut world = World::of(ANNE, 2);
    world.server.latency = 9 * SECOND;
    world.request(1);
    world.run(2 * SECOND);
    // It comes when the others have been told already.
    let late = world.open(true);
    world.request(late);
    world.run(7 * SECOND + AT_ONCE);
    assert_eq!(world.asked.iter().map(|(_, tab)| *tab).collect::<Vec<_>>(), [0, 0], "once more, for the page");
    assert_eq!(world.verdicts(1).len(), 1);
    world.run(9 * SECOND);
    assert_eq!((world.asked.len(), world.verdicts(late).len()), (2, 1));
    assert!(world.said(|says| *says == SessionSays::Verify).len() <= 3);
}
