//! What others say may be wrong, or come from another time.

use evenkeel::core::session::{SessionSays, Status};
use evenkeel::core::time::Duration;
use evenkeel::core::verify::Verified;

use super::script::*;
use super::world::{EPOCH, World};

const CENTURIES: u64 = 300 * 365 * 24 * HOUR;
const FOR_EVER: Duration = Duration::from_millis(u64::MAX);

fn every_word(user: u32) -> Vec<SessionSays> {
    let verdicts = [Verified::SignedIn(user), Verified::SignedOut, Verified::Unknown];
    let verdicts = verdicts.into_iter().map(|verdict| SessionSays::Verdict(verdict, Some(user), None));
    let others = [
        SessionSays::Asking(FOR_EVER),
        SessionSays::Nobody,
        SessionSays::Verify,
        SessionSays::Active,
        SessionSays::Hidden,
        SessionSays::Quiet(FOR_EVER),
        SessionSays::Stopped,
        SessionSays::SignedOut,
        SessionSays::Resume,
    ];
    verdicts.chain(others).collect()
}

#[test]
fn a_turn_of_another_century_is_garbage() {
    let mut world = World::of(ANNE, 2);
    for turn in [EPOCH + CENTURIES, u64::MAX] {
        for says in every_word(BERT) {
            world.whisper(1, turn, says);
        }
    }
    world.assert_all(Status::Authenticated, Some(ANNE));
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
}

#[test]
fn a_turn_of_next_year_is_outlived() {
    let mut world = World::new(Some(ANNE));
    world.hear_strangers();
    world.settle(3);
    world.whisper(1, EPOCH + 365 * 24 * HOUR, SessionSays::SignedOut);
    assert_eq!(world.status(1), Status::SignedOut);
    // The others know nothing of that turn, and are asked by the one that does.
    world.request(1);
    world.run(SECOND);
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn words_that_say_nothing_new_move_nothing() {
    let mut world = World::of(ANNE, 2);
    let shows = world.tabs[1].shows.len();
    for _ in 0..100 {
        for says in [SessionSays::Stopped, SessionSays::Resume, SessionSays::Hidden, SessionSays::Active] {
            world.whisper(1, 0, says);
        }
    }
    world.run(MINUTE);
    assert_eq!((world.tabs[1].shows.len(), world.asked.len()), (shows, 0));
}

#[test]
fn whoever_says_for_ever_that_it_asks_keeps_nobody_waiting_for_ever() {
    let mut world = World::of(ANNE, 2);
    world.freeze(0);
    world.request(1);
    for _ in 0..600 {
        let turn = EPOCH + world.now;
        world.whisper(1, turn, SessionSays::Asking(FOR_EVER));
        world.run(SECOND);
    }
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
    assert!(world.tabs[1].verdicts[0].0 < 2 * MINUTE);
}

#[test]
fn whoever_said_that_it_asks_for_ever_is_forgotten() {
    let mut world = World::of(ANNE, 2);
    world.whisper(1, EPOCH + world.now, SessionSays::Asking(FOR_EVER));
    world.run(MINUTE);
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.verdicts(1), [Verified::SignedIn(ANNE)]);
}

#[test]
fn whoever_says_for_ever_that_it_signs_out_keeps_nobody_waiting_for_ever() {
    let mut world = World::of(ANNE, 2);
    world.request(1);
    for _ in 0..600 {
        let turn = EPOCH + world.now;
        (0..2).for_each(|tab| world.whisper(tab, turn, SessionSays::Quiet(FOR_EVER)));
        world.run(SECOND);
    }
    assert_eq!(world.verdicts(1), [Verified::Unknown]);
    world.assert_all(Status::Authenticated, Some(ANNE));
    world.run(QUIET);
    world.request(1);
    world.run(SECOND);
    assert_eq!(world.verdicts(1).len(), 2);
}

#[test]
fn a_stranger_who_needs_to_know_all_the_time_costs_one_question_at_a_time() {
    let mut world = World::of(ANNE, 1);
    world.server.latency = SECOND;
    for _ in 0..1_000 {
        world.whisper(0, EPOCH + world.now, SessionSays::Verify);
        world.run(20);
    }
    assert!(world.asked.len() <= 21, "{}", world.asked.len());
}

#[test]
fn any_word_in_any_order_leaves_a_tab_that_finds_the_truth() {
    for seed in 0..2_000 {
        let mut world = World::seeded(seed, Some(ANNE));
        world.hear_strangers();
        world.settle(2);
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..rng.usize(1..40) {
            let words = every_word([ANNE, BERT, SOMEBODY][rng.usize(0..3)]);
            let turns = [0, 1, EPOCH, EPOCH + world.now, EPOCH + world.now + HOUR, u64::MAX];
            let (turn, says) = (turns[rng.usize(0..turns.len())], words[rng.usize(0..words.len())]);
            world.whisper(rng.usize(0..2), turn, says);
            if rng.bool() {
                world.request(rng.usize(0..2));
            }
            world.run(rng.u64(0..SECOND));
        }
        world.run(3 * MINUTE);
        world.request(1);
        world.run(MINUTE);
        world.assert_all(Status::Authenticated, Some(ANNE));
    }
}
