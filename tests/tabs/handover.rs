//! A hidden leader gives its work to a visible tab, and any leader to a tab that came back and missed something.

use evenkeel::core::random::Random;
use evenkeel::core::tabs::{Role, Says, Tabs, TabsOutput, TabsSettings, Word};
use evenkeel::core::time::{Duration, Timestamp};

use super::tab::EPOCH;
use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, World};

/// A word there, a lock back.
const AT_ONCE: u64 = 60;

fn yields(world: &World) -> usize {
    world.words.iter().filter(|(_, word)| matches!(word.says, Says::Yours { .. })).count()
}

#[test]
fn a_leader_that_is_hidden_hands_over_to_the_tab_that_is_shown_instead() {
    for hides_first in [true, false] {
        let mut world = World::with_tabs(3);
        if hides_first {
            world.show(0, false);
        }
        world.show(2, true);
        if !hides_first {
            world.run(5);
            world.show(0, false);
        }
        // The leader may just have answered, and says no more than four times a heartbeat that it is hidden.
        world.run(HEARTBEAT / 2 + AT_ONCE);
        world.assert_led_by(2);
        assert_eq!(yields(&world), 1, "{hides_first}");
        world.assert_nothing_missed();
    }
}

#[test]
fn a_busy_stream_hands_over_as_soon_as_a_quiet_one() {
    for (others_visible, shown) in [(false, Some(2)), (true, None)] {
        let mut world = World::with_tabs(3);
        for tab in 1..3 {
            world.show(tab, others_visible);
        }
        let busy = |world: &mut World, time: u64| {
            for _ in 0..time / 20 {
                world.event();
                world.run(20);
            }
        };
        busy(&mut world, 2 * SECOND);
        world.assert_led_by(0);
        world.show(0, false);
        // The word that it is hidden was heard by nobody who cared.
        busy(&mut world, 2 * SECOND);
        if let Some(tab) = shown {
            world.assert_led_by(0);
            world.show(tab, true);
        }
        busy(&mut world, HEARTBEAT / 2);
        let leader = world.leaders()[0];
        assert!(leader != 0 && shown.is_none_or(|tab| tab == leader));
        world.assert_nothing_missed();
    }
}

#[test]
fn a_hidden_leader_hands_over_to_a_visible_tab_that_comes() {
    let mut world = World::with_tabs(2);
    world.show(0, false);
    world.run(MINUTE);
    world.assert_led_by(0);
    let tab = world.open(true);
    world.run(AT_ONCE);
    world.assert_led_by(tab);
}

#[test]
fn the_leader_stops_before_it_gives_its_work_away() {
    let mut world = World::with_tabs(2);
    world.show(0, false);
    world.show(1, true);
    world.run(HEARTBEAT / 2 + AT_ONCE);
    let stopped = world.changes[0];
    let given = world.words.iter().find(|(_, word)| matches!(word.says, Says::Yours { .. })).expect("given");
    let begun = world.changes[1];
    assert_eq!((stopped.1, stopped.2, begun.1, begun.2), (0, Role::Follower, 1, Role::Leader));
    assert!(stopped.0 <= given.0 && given.0 < begun.0);
    assert_eq!(world.changes.len(), 2);
}

#[test]
fn a_leader_that_gives_its_work_away_may_say_where_it_stopped_and_no_more_once_another_leads() {
    let mut world = World::with_tabs(2);
    world.show(0, false);
    world.show(1, true);
    while world.changes.is_empty() {
        world.run(1);
    }
    assert!(world.tabs[0].tabs.load().is_some());
    world.run(AT_ONCE);
    assert_eq!(world.tabs[0].tabs.load(), None);
}

#[test]
fn a_visible_leader_keeps_its_work_whoever_else_is_shown() {
    let mut world = World::with_tabs(4);
    for tab in 1..4 {
        world.show(tab, true);
        world.run(MINUTE);
    }
    world.open(true);
    world.run(MINUTE);
    world.assert_led_by(0);
    assert_eq!(world.changes, []);
}

#[test]
fn hidden_tabs_among_themselves_hand_nothing_over() {
    let mut world = World::with_tabs(4);
    world.show(0, false);
    world.open(false);
    world.run(10 * MINUTE);
    world.assert_led_by(0);
    assert_eq!(world.changes, []);
}

#[test]
fn of_many_visible_tabs_one_is_given_the_work_and_the_others_stay_as_they_are() {
    let mut world = World::with_tabs(6);
    for tab in 1..6 {
        world.show(tab, true);
    }
    world.run(SECOND);
    world.forget();
    world.show(0, false);
    world.run(HEARTBEAT / 2 + AT_ONCE);
    assert_eq!((yields(&world), world.changes.len()), (1, 2));
    let leaders = world.leaders();
    world.assert_led_by(leaders[0]);
}

#[test]
fn what_nobody_takes_is_done_by_the_one_that_gave_it_away() {
    let mut world = World::with_tabs(3);
    world.run(SECOND);
    world.show(0, false);
    world.show(2, true);
    while yields(&world) == 0 {
        world.run(1);
    }
    world.kill(2);
    assert_eq!(world.run_until_led_by(0), HEARTBEAT);
    world.assert_led_by(0);
}

#[test]
fn a_tab_that_came_back_and_missed_something_leads_on_from_where_it_was() {
    for visible in [false, true] {
        let mut world = World::with_hidden_tabs(4);
        world.event();
        world.run(AT_ONCE);
        world.leave(3);
        for _ in 0..5 {
            world.event();
            world.run(SECOND);
        }
        world.show(3, visible);
        world.join(3);
        world.run(AT_ONCE);
        world.assert_led_by(3);
        world.assert_nothing_missed();
        // And the one that led before does not claim it back.
        world.forget();
        world.run(10 * MINUTE);
        assert_eq!(world.changes, []);
    }
}

#[test]
fn a_tab_that_comes_back_to_a_busy_stream_takes_nothing_before_it_leads_on_from_where_it_was() {
    for seed in 0..100 {
        let mut world = World::seeded(seed);
        for _ in 0..3 {
            world.open(false);
        }
        world.run(2 * SECOND);
        for round in 0..20 {
            let tab = round % 3;
            world.leave(tab);
            for _ in 0..100 {
                world.event();
                world.run(1 + seed % 4);
            }
            world.join(tab);
            for _ in 0..100 {
                world.event();
                world.run(1 + seed % 4);
            }
        }
        world.run(BOUND);
        world.assert_nothing_missed();
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1);
        world.assert_led_by(leaders[0]);
    }
}

#[test]
fn a_tab_that_came_back_and_missed_nothing_follows() {
    let mut world = World::with_tabs(3);
    world.event();
    world.run(AT_ONCE);
    world.leave(2);
    world.run(MINUTE);
    world.forget();
    world.join(2);
    world.run(MINUTE);
    world.assert_led_by(0);
    assert_eq!(world.changes, []);
}

#[test]
fn a_new_tab_is_told_how_things_stand_and_claims_nothing() {
    let mut world = World::with_tabs(2);
    let tab = world.open(true);
    world.run(AT_ONCE);
    assert_eq!(world.tabs[tab].place, world.tabs[0].place);
    world.assert_led_by(0);
}

#[test]
fn a_tab_that_comes_back_while_the_work_changes_hands_is_given_it_in_the_end() {
    for seed in 0..200 {
        let mut world = World::seeded(seed);
        for nth in 0..3 {
            world.open(nth == 0);
        }
        world.run(2 * SECOND);
        world.event();
        world.run(AT_ONCE);
        world.leave(2);
        world.event();
        world.run(AT_ONCE);
        world.show(0, false);
        world.show(1, true);
        world.run(seed % 50);
        world.join(2);
        world.run(2 * HEARTBEAT);
        world.event();
        world.run(BOUND);
        world.assert_nothing_missed();
    }
}

#[test]
fn a_tab_that_came_back_takes_nothing_before_a_leader_stands_where_it_does() {
    let (start, mut random) = (Timestamp(EPOCH), Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 9, false);
    tabs.join(start, 100, &mut random);
    let word = |says| Word { from: 3, epoch: EPOCH, says };
    let mut takes = |tabs: &mut Tabs, now, says| {
        let taken = tabs.heard(now, word(says), 100, &mut random);
        tabs.wake(now, 100, &mut random);
        taken
    };
    while tabs.poll().is_some() {}

    // It answers others, from elsewhere.
    takes(&mut tabs, start, Says::Here { visible: true, place: 101 });
    takes(&mut tabs, start, Says::Here { visible: true, place: 102 });
    assert!(!takes(&mut tabs, start, Says::Load));
    assert_eq!(tabs.poll(), None);

    let later = tabs.next_wake().expect("it says again where it stands");
    assert!(!takes(&mut tabs, later, Says::Load));
    let says = Says::Join { visible: false, place: 100 };
    assert_eq!(tabs.poll(), Some(TabsOutput::Post(Word { from: 9, epoch: EPOCH, says })));
    assert!(takes(&mut tabs, later, Says::Here { visible: true, place: 100 }));
    assert!(takes(&mut tabs, later, Says::Load));
}

#[test]
fn a_tab_that_came_back_says_so_until_it_is_answered_however_busy_the_stream() {
    let (start, mut random) = (Timestamp(EPOCH), Random::new(1));
    let mut tabs = Tabs::new(TabsSettings::default(), 9, false);
    tabs.join(start, 100, &mut random);
    let load = Word { from: 3, epoch: EPOCH, says: Says::Load };
    for ms in 1..10 * SECOND {
        let now = Timestamp(EPOCH + ms);
        assert!(!tabs.heard(now, load, 100, &mut random));
        tabs.wake(now, 100, &mut random);
    }
    let joins = std::iter::from_fn(|| tabs.poll())
        .filter(|output| matches!(output, TabsOutput::Post(Word { says: Says::Join { place: 100, .. }, .. })));
    assert!((7..=12).contains(&joins.count()));
}

#[test]
fn a_throttled_tab_that_came_back_gets_a_word_in_however_much_the_others_ask() {
    let (ask, elsewhere) = (Says::Ask { visible: false }, Says::Here { visible: true, place: 101 });
    for words in [&[ask][..], &[elsewhere, ask]] {
        let (start, mut random) = (Timestamp(EPOCH), Random::new(1));
        let mut tabs = Tabs::new(TabsSettings::default(), 9, false);
        tabs.join(start, 100, &mut random);
        tabs.heard(start, Word { from: 3, epoch: EPOCH, says: elsewhere }, 100, &mut random);
        while tabs.poll().is_some() {}
        // No timer of its own rings in that time.
        for nth in 1..=4 {
            let now = start + Duration::from_millis(nth * HEARTBEAT / 2);
            for says in words {
                let from = if matches!(says, Says::Here { .. }) { 3 } else { 4 };
                tabs.heard(now, Word { from, epoch: EPOCH, says: *says }, 100, &mut random);
            }
            tabs.wake(now, 100, &mut random);
        }
        let says = Says::Join { visible: false, place: 100 };
        assert_eq!(tabs.poll(), Some(TabsOutput::Post(Word { from: 9, epoch: EPOCH, says })));
    }
}

#[test]
fn two_tabs_that_come_back_from_two_places_each_lead_once_at_most() {
    for seed in 0..100 {
        let mut world = World::seeded(seed);
        for _ in 0..4 {
            world.open(false);
        }
        world.run(2 * SECOND);
        world.leave(2);
        world.event();
        world.run(AT_ONCE);
        world.leave(3);
        world.event();
        world.run(AT_ONCE);
        world.forget();
        world.join(2);
        world.run(seed % 40);
        world.join(3);
        world.run(10 * MINUTE);
        let began = |tab| world.changes.iter().filter(|change| change.1 == tab && change.2 == Role::Leader).count();
        assert!(began(2) <= 1 && began(3) <= 1, "{seed}: {:?}", world.changes);
        let leaders = world.leaders();
        world.assert_led_by(leaders[0]);
    }
}
