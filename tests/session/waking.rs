//! Sleep, throttling and clocks that leap: nothing is concluded before the server was asked once.

use evenkeel::core::session::Status;
use evenkeel::core::verify::Verified;

use super::script::*;
use super::server::Mood;
use super::world::World;

#[test]
fn who_wakes_asks_once_within_a_second() {
    for seed in 0..30 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(4);
        world.sleep(3 * HOUR);
        let woke_at = world.now;
        world.run(5 * SECOND);
        let asked = world.asked();
        assert_eq!(asked.len(), 1, "{seed}: {asked:?}");
        assert!(asked[0] <= woke_at + SECOND + 30, "{seed}: after {}", asked[0] - woke_at);
    }
}

#[test]
fn all_pages_of_a_device_that_wakes_ask_at_different_moments() {
    let mut waits: Vec<u64> = Vec::new();
    for seed in 0..100 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(1);
        world.sleep(3 * HOUR);
        let woke_at = world.now;
        waits.push(world.run_until_asked() - woke_at);
    }
    let tenths = |tenth: u64| waits.iter().filter(|wait| **wait / 100 == tenth).count();
    assert!((0..10).all(|tenth| (2..25).contains(&tenths(tenth))), "{waits:?}");
}

#[test]
fn a_nap_that_missed_nothing_asks_nothing() {
    let mut world = World::of(ANNE, 2);
    world.sleep(2 * MINUTE);
    world.run(SECOND);
    assert_eq!(world.asked(), []);
}

#[test]
fn a_page_that_was_forgotten_stays_so_when_its_device_wakes() {
    let mut world = World::of(ANNE, 2);
    world.sleep(STOP + HOUR);
    world.run(MINUTE);
    assert_eq!(world.asked(), []);
    world.act(1);
    world.run(SECOND);
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn a_question_that_spans_a_sleep_is_asked_again_and_proves_nothing() {
    let mut world = World::of(ANNE, 2);
    world.server.mood = Mood::Silent;
    world.request(1);
    world.run(SECOND);
    world.server.mood = Mood::Well;
    world.sleep(HOUR);
    world.run(3 * SECOND);
    assert_eq!(world.asked.len(), 2);
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn answers_from_before_a_sleep_confirm_nothing() {
    let mut world = World::of(ANNE, 1);
    world.server.mood = Mood::Blind;
    world.request(0);
    world.run(5 * SECOND);
    assert_eq!(world.asked.len(), 2);
    world.sleep(HOUR);
    world.forget();
    world.run(CONFIRMED);
    assert_eq!(world.status(0), Status::Authenticated);
    world.run(2 * SECOND);
    assert_eq!((world.status(0), world.asked.len()), (Status::SignedOut, 3), "the server still says so");
}

#[test]
fn time_asleep_does_not_count_against_a_question() {
    let mut world = World::of(ANNE, 1);
    world.server.latency = 9 * SECOND;
    world.request(0);
    world.sleep(4 * SECOND);
    world.run(6 * SECOND);
    assert_eq!(world.verdicts(0), [Verified::SignedIn(ANNE)]);
}

#[test]
fn a_tab_that_waited_when_its_device_fell_asleep_has_its_answer_soon_after() {
    for seed in 0..30 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.settle(3);
        world.server.mood = Mood::Silent;
        (0..3).for_each(|tab| world.request(tab));
        world.run(world.rng.clone().u64(0..20));
        world.server.mood = Mood::Well;
        world.sleep(HOUR);
        world.run(3 * SECOND);
        (0..3).for_each(|tab| assert_eq!(world.verdicts(tab), [Verified::SignedIn(ANNE)], "{seed}"));
        assert!(world.asked.len() <= 5, "{seed}: {:?}", world.asked);
    }
}

#[test]
fn a_tab_that_is_thawed_does_not_believe_what_it_knew() {
    let mut world = World::of(ANNE, 2);
    world.freeze(0);
    world.run(HOUR);
    world.server.cookie = Some(BERT);
    world.run(HOUR);
    world.thaw(0);
    world.run(5 * SECOND);
    world.assert_all(Status::Authenticated, Some(BERT));
    assert_eq!(world.switches(0), [(ANNE, BERT)]);
}

#[test]
fn a_clock_that_leaps_ahead_makes_one_check() {
    let mut world = World::of(ANNE, 3);
    world.set_clock(3 * HOUR as i64);
    world.run(HOUR);
    assert!((3..=6).contains(&world.asked.len()), "{:?}", world.asked);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_clock_that_is_set_back_neither_stops_nor_multiplies_the_checks() {
    let mut world = World::of(ANNE, 3);
    world.server.lasts = Some(20 * MINUTE);
    world.run_active(1, HOUR);
    world.forget();
    world.set_clock(-(5 * HOUR as i64));
    world.run_active(1, HOUR);
    assert!((9..=13).contains(&world.asked.len()), "{:?}", world.asked);
    world.open(true);
    world.run(SECOND);
    world.forget();
    world.run_active(1, HOUR);
    assert!((9..=13).contains(&world.asked.len()), "{:?}", world.asked);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn a_page_whose_clock_is_behind_that_of_the_others_is_believed_too() {
    let mut world = World::of(ANNE, 2);
    world.set_clock(-(5 * HOUR as i64));
    let page = world.open(true);
    world.run(SECOND);
    world.server.cookie = Some(BERT);
    world.request(page);
    world.run(SECOND);
    world.assert_all(Status::Authenticated, Some(BERT));
    world.sign_out(page);
    world.run(SECOND);
    world.assert_all(Status::SignedOut, None);
}
