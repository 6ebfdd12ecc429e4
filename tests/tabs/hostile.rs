//! Whatever anybody says, nothing breaks for longer than it takes to find a leader anew.

use evenkeel::core::tabs::{Member, Role, Says, Tabs, TabsOutput, TabsSettings, Word};
use evenkeel::core::time::{Duration, Timestamp};
use proptest::prelude::*;

use super::tab::EPOCH;
use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, World};

const STRANGER: Member = 7;

fn word(epoch: u64, says: Says) -> Word {
    Word { from: STRANGER, epoch, says }
}

#[test]
fn a_flood_of_questions_is_answered_four_times_a_heartbeat() {
    let mut world = World::with_tabs(1);
    let epoch = world.tabs[0].tabs.epoch();
    for nth in 0..10_000 {
        let says = if nth % 2 == 0 { Says::Ask { visible: true } } else { Says::Join { visible: false, place: 0 } };
        world.whisper(0, word(epoch, says));
        if nth % 10 == 9 {
            world.run(1);
        }
    }
    let answers = world.said_by(0).len();
    assert!(answers <= 5, "{answers} in a second");
}

#[test]
fn a_flood_of_calls_to_take_over_a_hidden_leader_gives_the_work_away_once_a_heartbeat_at_most() {
    let mut world = World::with_tabs(1);
    world.show(0, false);
    for _ in 0..10_000 {
        let epoch = world.tabs[0].tabs.epoch();
        world.whisper(0, word(epoch, Says::Ask { visible: true }));
        world.run(1);
    }
    let given = world.said_by(0).iter().filter(|says| matches!(says, Says::Yours { .. })).count();
    assert!(given <= 10, "{given} in ten seconds");
    world.run(BOUND);
    world.assert_led_by(0);
}

#[test]
fn a_flood_of_hidden_leaders_is_asked_four_times_a_heartbeat() {
    let mut world = World::with_tabs(2);
    world.show(1, true);
    world.run(SECOND);
    world.forget();
    let epoch = world.tabs[1].tabs.epoch();
    for _ in 0..1_000 {
        let from = world.tabs[0].me;
        world.whisper(1, Word { from, epoch, says: Says::Here { visible: false, place: 0 } });
        world.run(1);
    }
    assert!(world.said_by(1).len() <= 5);
}

#[test]
fn an_epoch_beyond_all_clocks_is_not_believed() {
    let mut world = World::with_tabs(3);
    for epoch in [u64::MAX, u64::MAX - 1, 1 << 63] {
        let here = Says::Here { visible: true, place: 0 };
        for says in [here, Says::Ask { visible: true }, Says::Load, Says::Yours { to: 1 }] {
            for tab in 0..3 {
                world.whisper(tab, word(epoch, says));
            }
        }
    }
    world.run(MINUTE);
    world.assert_led_by(0);
    assert_eq!(world.changes, []);
}

#[test]
fn the_greatest_epoch_that_is_believed_does_not_outlive_its_sender() {
    let believed = |world: &World| {
        let now = world.tabs[0].clock(world.now).0;
        now + 100 * 365 * 24 * 60 * MINUTE
    };
    let mut world = World::with_tabs(3);
    for round in 0..5 {
        for tab in 0..3 {
            world.whisper(tab, word(believed(&world), Says::Here { visible: true, place: 0 }));
        }
        world.run(BOUND);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "round {round}");
        world.assert_led_by(leaders[0]);
        let newcomer = world.open(false);
        world.run(SECOND);
        world.assert_led_by(leaders[0]);
        world.close(newcomer);
    }
}

#[test]
fn a_stranger_that_leads_without_the_lock_is_forgotten_when_it_falls_silent() {
    let mut world = World::with_tabs(3);
    let epoch = world.tabs[0].tabs.epoch() + 1_000;
    for tab in 0..3 {
        world.whisper(tab, word(epoch, Says::Load));
    }
    world.run(BOUND);
    let leaders = world.leaders();
    assert_eq!(leaders.len(), 1);
    world.assert_led_by(leaders[0]);
}

#[test]
fn work_that_is_given_to_a_tab_again_and_again_is_taken_once() {
    let mut world = World::with_tabs(2);
    let epoch = world.tabs[0].tabs.epoch() + 1;
    for _ in 0..100 {
        let to = world.tabs[1].me;
        world.whisper(1, word(epoch, Says::Yours { to }));
    }
    world.run(BOUND);
    let leaders = world.leaders();
    assert_eq!(leaders.len(), 1);
    world.assert_led_by(leaders[0]);
    assert!(world.changes.len() <= 4, "{:?}", world.changes);
}

#[test]
fn a_lock_is_not_stolen_again_while_it_is_being_stolen() {
    let (now, mut random) = (Timestamp(EPOCH), evenkeel::core::random::Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 1, true);
    tabs.join(now, 0, &mut random);
    for _ in 0..100 {
        tabs.heard(now, word(EPOCH, Says::Yours { to: 1 }), 0, &mut random);
    }
    let steals = std::iter::from_fn(|| tabs.poll()).filter(|output| *output == TabsOutput::Lock { steal: true });
    assert_eq!(steals.count(), 1);
}

#[test]
fn a_lock_that_is_being_stolen_is_not_queued_for_instead() {
    let (now, mut random) = (Timestamp(EPOCH), evenkeel::core::random::Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 1, true);
    tabs.join(now, 0, &mut random);
    tabs.lost(now);
    tabs.heard(now, word(EPOCH, Says::Yours { to: 1 }), 0, &mut random);
    tabs.wake(now + Duration::from_millis(HEARTBEAT), 0, &mut random);
    let locks = std::iter::from_fn(|| tabs.poll()).filter(|output| matches!(output, TabsOutput::Lock { .. }));
    assert_eq!(locks.last(), Some(TabsOutput::Lock { steal: true }));
}

#[test]
fn an_echo_of_what_a_tab_said_itself_is_nothing() {
    let mut world = World::with_tabs(1);
    let (from, epoch) = (world.tabs[0].me, world.tabs[0].tabs.epoch());
    let here = Says::Here { visible: false, place: 0 };
    for says in [Says::Ask { visible: true }, here, Says::Yours { to: from }, Says::Load] {
        world.whisper(0, Word { from, epoch: epoch + 1, says });
    }
    world.run(MINUTE);
    world.assert_led_by(0);
    assert!(!world.tabs[0].tabs.followed());
}

#[test]
fn times_of_zero_are_the_shortest_that_make_sense() {
    let settings = TabsSettings { heartbeat: Duration::ZERO, takeover: Duration::ZERO };
    let (mut tabs, mut random) = (Tabs::new(settings, 1, true), evenkeel::core::random::Random::new(1));
    let mut now = Timestamp(EPOCH);
    tabs.join(now, 0, &mut random);
    for _ in 0..1_000 {
        tabs.wake(now, 0, &mut random);
        let wake = tabs.next_wake().expect("it waits for the lock");
        assert!(wake > now);
        now = wake;
    }
}

fn says() -> impl Strategy<Value = Says> {
    prop_oneof![
        (any::<bool>(), 0..4_u64).prop_map(|(visible, place)| Says::Join { visible, place }),
        any::<bool>().prop_map(|visible| Says::Ask { visible }),
        (any::<bool>(), 0..4_u64).prop_map(|(visible, place)| Says::Here { visible, place }),
        (0..4_u32).prop_map(|to| Says::Yours { to }),
        Just(Says::Load),
    ]
}

fn epoch() -> impl Strategy<Value = u64> {
    prop_oneof![0..3_u64, EPOCH - 5..EPOCH + 100_000, any::<u64>(), Just(u64::MAX)]
}

/// What can be done to a tab, in any order, by a host that knows no rules.
#[derive(Clone, Copy, Debug)]
enum Done {
    Join(u64),
    Leave,
    Locked,
    Lost,
    Heard(Word, u64),
    Visible(bool),
    Slept,
    Wake(u64),
    Wait(u64),
}

fn done() -> impl Strategy<Value = Done> {
    prop_oneof![
        2 => (0..4_u64).prop_map(Done::Join),
        1 => Just(Done::Leave),
        2 => Just(Done::Locked),
        1 => Just(Done::Lost),
        8 => (0..4_u32, epoch(), says(), 0..4_u64)
            .prop_map(|(from, epoch, says, place)| Done::Heard(Word { from, epoch, says }, place)),
        1 => any::<bool>().prop_map(Done::Visible),
        1 => Just(Done::Slept),
        4 => (0..4_u64).prop_map(Done::Wake),
        4 => (0..3 * SECOND).prop_map(Done::Wait),
        1 => (0..u64::MAX / 2).prop_map(Done::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_to_it_a_tab_says_little_never_spins_and_leads_only_with_the_lock(
        start in prop_oneof![9 => Just(EPOCH), 1 => any::<u64>()],
        seed in any::<u64>(),
        all in prop::collection::vec(done(), 0..120),
    ) {
        let mut random = evenkeel::core::random::Random::new(seed);
        let (mut tabs, mut now) = (Tabs::new(TabsSettings::default(), 1, true), Timestamp(start));
        let (mut away, mut holds, mut stopped_at) = (true, false, None);
        for done in all {
            let epoch = tabs.epoch();
            match done {
                Done::Join(place) => { tabs.join(now, place, &mut random); away = false; }
                Done::Leave => { tabs.leave(); (away, holds) = (true, false); }
                Done::Locked => { tabs.locked(now); holds = !away; }
                Done::Lost => { tabs.lost(now); holds = false; }
                Done::Heard(word, place) => {
                    let taken = tabs.heard(now, word, place, &mut random);
                    prop_assert!(!taken || (word.epoch >= epoch && !away && tabs.role() == Role::Follower));
                }
                Done::Visible(visible) => tabs.visible(now, visible),
                Done::Slept => tabs.slept(now),
                Done::Wake(place) => {
                    tabs.wake(now, place, &mut random);
                    prop_assert!(now.0 > u64::MAX / 2 || tabs.next_wake().is_none_or(|wake| wake > now));
                }
                Done::Wait(time) => now = now + Duration::from_millis(time),
            }
            prop_assert!(tabs.epoch() >= epoch, "no epoch is forgotten");
            prop_assert!(holds || tabs.role() == Role::Follower, "it leads without the lock");
            prop_assert!(!away || (tabs.next_wake().is_none() && tabs.load().is_none()));
            prop_assert!(away || tabs.role() == Role::Leader || tabs.next_wake().is_some(), "no wait without an end");
            let outputs: Vec<TabsOutput> = std::iter::from_fn(|| tabs.poll()).collect();
            prop_assert!(outputs.len() <= 4, "{outputs:?}");
            for output in outputs {
                match output {
                    TabsOutput::Role(Role::Follower) => stopped_at = Some(now),
                    TabsOutput::Post(Word { says: Says::Yours { .. }, .. }) => {
                        prop_assert_eq!(stopped_at, Some(now), "it stops first");
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn after_any_words_to_any_tabs_the_group_finds_one_leader_again(
        seed in any::<u64>(),
        count in 1..5_usize,
        all in prop::collection::vec((0..5_usize, 0..6_u32, 0..200_000_u64, says(), 0..2 * HEARTBEAT), 0..60),
    ) {
        let mut world = World::seeded(seed);
        for nth in 0..count {
            world.open(nth % 2 == 0);
        }
        for (to, from, ahead, says, wait) in all {
            // As one of the tabs, or as somebody else.
            let from = world.tabs.get(from as usize).map_or(from, |tab| tab.me);
            world.tabs[to % count].hear_strangers();
            world.whisper(to % count, Word { from, epoch: EPOCH + ahead, says });
            world.run(wait);
        }
        world.run(2 * BOUND);
        let leaders = world.leaders();
        prop_assert_eq!(leaders.len(), 1);
        world.assert_led_by(leaders[0]);
    }
}
