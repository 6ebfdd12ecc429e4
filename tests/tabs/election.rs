//! Who leads: the lock elects, the browser passes it on, and each leadership has an epoch of its own.

use evenkeel::core::random::Random;
use evenkeel::core::tabs::{Role, Says, Tabs, TabsOutput, TabsSettings, Word};
use evenkeel::core::time::Timestamp;

use super::tab::EPOCH;
use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, TAKEOVER, World};

/// Locks and words are through after this.
const AT_ONCE: u64 = 30;
const HOUR: u64 = 60 * MINUTE;

#[test]
fn a_tab_alone_leads_at_once_and_says_no_more() {
    let mut world = World::new();
    let tab = world.open(true);
    world.run(AT_ONCE);
    world.assert_led_by(tab);
    assert!(!world.tabs[tab].tabs.followed(), "nothing is broadcast to nobody");
    world.forget();
    world.run(HOUR);
    assert_eq!((world.said_by(tab), world.tabs[tab].tabs.next_wake()), (vec![], None));
}

#[test]
fn of_ten_tabs_the_first_leads_and_nine_listen() {
    let mut world = World::with_tabs(10);
    world.run(HOUR);
    assert_eq!((world.changes.len(), world.told), (0, 0));
    world.assert_led_by(0);
    assert!(world.tabs[0].tabs.followed());
}

#[test]
fn a_leader_that_is_closed_is_replaced_at_once() {
    let mut world = World::with_tabs(3);
    world.close(0);
    world.run(AT_ONCE);
    world.assert_led_by(1);
    assert!(matches!(world.said_by(1)[0], Says::Here { visible: false, .. }));
}

#[test]
fn a_leader_that_is_killed_is_replaced_at_once() {
    let mut world = World::with_tabs(3);
    world.kill(0);
    world.run(AT_ONCE);
    world.assert_led_by(1);
}

#[test]
fn when_all_tabs_close_one_after_another_each_leads_in_its_turn() {
    let mut world = World::with_tabs(5);
    for leader in 0..5 {
        world.assert_led_by(leader);
        world.close(leader);
        world.run(AT_ONCE);
    }
    assert_eq!(world.leaders(), []);
}

#[test]
fn a_closed_tab_leaves_no_wait_and_takes_no_lock() {
    let mut world = World::new();
    let tab = world.open(true);
    // The lock is granted while it goes.
    world.close(tab);
    world.run(MINUTE);
    let other = world.open(true);
    world.run(AT_ONCE);
    world.assert_led_by(other);
}

#[test]
fn a_lock_that_is_granted_to_a_tab_that_has_left_is_given_back() {
    let mut world = World::new();
    let tab = world.open(true);
    world.leave(tab);
    let this = &mut world.tabs[tab].tabs;
    this.locked(Timestamp(EPOCH));
    assert_eq!(this.poll(), Some(TabsOutput::Unlock));
    assert_eq!((this.poll(), this.role()), (None, Role::Follower));
}

#[test]
fn a_tab_that_comes_back_alone_has_nobody_to_tell() {
    let mut world = World::with_tabs(2);
    world.close(1);
    world.leave(0);
    world.run(SECOND);
    world.join(0);
    world.run(AT_ONCE);
    world.assert_led_by(0);
    assert!(!world.tabs[0].tabs.followed());
}

#[test]
fn a_tab_that_is_there_does_not_come_again() {
    let mut world = World::with_tabs(2);
    world.join(0);
    world.join(1);
    assert_eq!((world.words.len(), world.changes.len()), (0, 0));
    world.assert_led_by(0);
}

#[test]
fn a_tab_that_lost_the_lock_listens_to_whoever_took_it_in_the_same_millisecond() {
    let (now, mut random) = (Timestamp(EPOCH), Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 9, false);
    tabs.join(now, 0, &mut random);
    tabs.locked(now);
    let smaller = Word { from: 3, epoch: tabs.epoch(), says: Says::Load };
    assert!(!tabs.heard(now, smaller, 0, &mut random), "of two that lead, the greater counts");
    tabs.lost(now);
    assert!(tabs.heard(now, smaller, 0, &mut random));
}

#[test]
fn a_tab_that_lost_the_lock_after_it_heard_who_took_it_goes_on_listening_to_that_one() {
    let (now, mut random) = (Timestamp(EPOCH), Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 2, false);
    tabs.join(now, 0, &mut random);
    tabs.locked(now);
    let loads = |from, epoch| Word { from, epoch, says: Says::Load };
    let epoch = tabs.epoch() + 1;
    assert!(tabs.heard(now, loads(9, epoch), 0, &mut random));
    tabs.lost(now);
    assert!(!tabs.heard(now, loads(3, epoch), 0, &mut random), "it led in the same millisecond");
    assert!(tabs.heard(now, loads(9, epoch), 0, &mut random));
}

#[test]
fn every_leadership_has_a_greater_epoch_than_all_before_it() {
    let mut world = World::with_tabs(6);
    let mut last = 0;
    for leader in 0..6 {
        let epoch = world.tabs[leader].tabs.epoch();
        assert!(epoch > last && epoch >= EPOCH, "{epoch} after {last}");
        last = epoch;
        world.close(leader);
        world.run(AT_ONCE);
    }
}

#[test]
fn an_old_leader_that_thaws_when_all_who_knew_it_are_gone_is_still_the_older_one() {
    let mut world = World::with_tabs(2);
    world.freeze(0);
    world.run(BOUND);
    world.assert_led_by(1);
    world.close(1);
    let newcomer = world.open(true);
    // It knows of nobody before it, and takes the lock that the frozen one queues for no more.
    world.run(BOUND);
    world.assert_led_by(newcomer);
    world.forget();
    world.thaw(0);
    world.run(BOUND);
    world.assert_led_by(newcomer);
    assert!(world.changes.iter().all(|(_, tab, _)| *tab == 0), "{:?}", world.changes);
}

#[test]
fn a_thawed_leader_does_nothing_that_anybody_hears() {
    let mut world = World::with_tabs(3);
    world.freeze(0);
    world.run(BOUND);
    let leader = world.leaders()[0];
    world.thaw(0);
    // It still believes, and reads on, until it is told. The tabs would fail if one listened to it.
    world.event();
    world.run(AT_ONCE);
    world.assert_led_by(leader);
    world.assert_nothing_missed();
}

#[test]
fn a_tab_whose_lock_was_stolen_follows_at_once_and_leads_again_when_its_turn_comes() {
    let mut world = World::with_hidden_tabs(2);
    world.freeze(0);
    world.run(BOUND);
    world.thaw(0);
    world.run(AT_ONCE);
    world.assert_led_by(1);
    world.forget();
    world.close(1);
    world.run(AT_ONCE);
    world.assert_led_by(0);
    assert_eq!(world.changes.len(), 2, "one closes, the other leads: {:?}", world.changes);
}

#[test]
fn two_tabs_that_are_locked_in_one_millisecond_agree_on_one() {
    let mut seen = 0;
    for seed in 0..1_000 {
        let mut world = World::seeded(seed);
        (0..10).for_each(|_| {
            world.open(false);
        });
        world.run(2 * SECOND);
        world.freeze(0);
        world.forget();
        world.run(BOUND);
        let began = world.changes.iter().filter(|(.., role)| *role == Role::Leader).map(|(at, ..)| *at);
        let began: Vec<u64> = began.collect();
        seen += usize::from(began.windows(2).any(|two| two[0] == two[1]));
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "{seed}");
        world.assert_led_by(leaders[0]);
    }
    assert!(seen >= 3, "the story came to pass {seen} times");
}

#[test]
fn tabs_whose_clocks_differ_by_decades_still_find_one_leader() {
    // The clock was set back while the first tab lived: it counts on from where it was.
    let mut world = World::new();
    let old = world.open(false);
    world.tabs[old].clock_ahead = 40 * 365 * 24 * HOUR;
    world.run(AT_ONCE);
    let new = world.open(false);
    world.run(SECOND);
    world.assert_led_by(old);
    world.freeze(old);
    world.run(BOUND);
    world.assert_led_by(new);
    world.thaw(old);
    world.run(BOUND);
    world.assert_led_by(new);
}

#[test]
fn where_locks_break_they_are_asked_for_once_a_heartbeat_until_they_are_there_again() {
    let mut world = World::new();
    world.break_locks(true);
    let tab = world.open(true);
    world.run(MINUTE);
    assert_eq!(world.leaders(), []);
    world.break_locks(false);
    assert!(world.run_until_led_by(tab) <= 2 * HEARTBEAT);
}

#[test]
fn a_newcomer_that_overtakes_a_tab_without_a_request_hears_of_it_at_once() {
    let mut world = World::new();
    world.break_locks(true);
    let waits = world.open(false);
    world.throttle(waits, MINUTE);
    world.run(2 * HEARTBEAT);
    world.break_locks(false);
    let newcomer = world.open(false);
    world.run(2 * AT_ONCE);
    assert!(world.tabs[newcomer].tabs.followed());
    world.assert_led_by(newcomer);
}

#[test]
fn a_request_that_is_neither_granted_nor_answered_ends_in_a_steal() {
    let mut world = World::new();
    // The browser gives the lock to a tab that is frozen before it can say a word.
    let frozen = world.open(true);
    world.freeze(frozen);
    world.run(MINUTE);
    let tab = world.open(true);
    assert!(world.run_until_led_by(tab) <= TAKEOVER + HEARTBEAT + AT_ONCE);
    assert!(world.tabs[tab].tabs.followed(), "the one that was stolen from may be back");
}
