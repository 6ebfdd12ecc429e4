//! Tabs that share one connection: whatever becomes of the one that holds it, no event is missed, and none comes twice.

use evenkeel::core::events::report::{Fire, Status};
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::tabs::{Says, Word};

use super::page::Load;
use super::script::{HOUR, MINUTE, SECOND, broken, busy, ms, open, reply, settings, status};
use super::world::{STREAM, World};

/// What the feed begins with; the events of a story come after it.
const HEAD: u64 = 100;
/// The longest that a group may be without a leader while one of its tabs runs as it should.
const BOUND: u64 = 8 * SECOND;

/// The feed goes on for so many seconds, with an event in each.
fn events(world: &mut World, seconds: u64) {
    for _ in 0..seconds {
        world.event();
        world.run(SECOND);
    }
}

#[test]
fn all_tabs_hear_what_one_connection_brings() {
    let mut world = World::sharing(4);
    events(&mut world, 20);
    assert_eq!((world.leaders(), world.open_streams(), world.requests.len()), (vec![0], 1, 1));
    world.assert_nothing_missed(HEAD);
    assert_eq!(world.pages[3].got.len(), 20);
}

#[test]
fn followers_are_shown_what_the_leader_is() {
    let mut world = World::sharing(3);
    events(&mut world, 1);
    world.serve(|_| broken());
    world.cut();
    world.run(MINUTE);
    let shown = world.pages[0].shown();
    assert!(matches!(shown.status, Status::Waiting | Status::Connecting));
    for follower in [1, 2] {
        assert_eq!(world.pages[follower].shown(), shown);
        let fires = |page: usize| world.pages[page].shows.iter().filter(|show| show.2 == Fire::Error).count();
        assert_eq!(fires(follower), fires(0));
    }
    world.feed();
    world.run(MINUTE);
    assert!(world.pages.iter().all(|page| page.status() == Status::Open));
}

#[test]
fn a_tab_that_joins_is_told_how_things_stand_and_hears_from_there() {
    let mut world = World::sharing(1);
    events(&mut world, 5);
    let new = world.open(Some(99), false);
    world.run(SECOND);
    assert_eq!(world.pages[new].status(), Status::Open);
    events(&mut world, 5);
    assert_eq!((world.pages[new].got.len(), world.requests.len()), (5, 1), "from the moment that it joined");
    world.assert_nothing_missed(HEAD + 5);
}

#[test]
fn the_next_tab_takes_over_at_once_from_one_that_is_closed_and_goes_on_from_the_shared_last_id() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.close_tab(0);
    events(&mut world, 5);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    assert_eq!(world.requests.last().map(|request| request.last_id.as_str()), Some("105"));
    assert!(world.requests[1].at <= world.now - 5 * SECOND + 100, "at once");
    world.assert_nothing_missed(HEAD);
}

#[test]
fn the_next_tab_takes_over_at_once_from_one_that_was_killed() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.kill(0);
    // While nobody listens.
    world.event();
    world.run(100);
    assert_eq!((world.leaders().len(), world.requests.len()), (1, 2));
    events(&mut world, 5);
    world.assert_nothing_missed(HEAD);
}

#[test]
fn tab_after_tab_may_go() {
    let mut world = World::sharing(5);
    for gone in 0..4 {
        events(&mut world, 3);
        let leader = world.leaders()[0];
        if gone % 2 == 0 {
            world.kill(leader)
        } else {
            world.close_tab(leader)
        }
        world.event();
        world.run(SECOND);
        assert_eq!(world.leaders().len(), 1);
    }
    events(&mut world, 3);
    world.assert_nothing_missed(HEAD);
    assert_eq!(world.open_streams(), 1);
}

#[test]
fn a_leader_that_is_frozen_in_the_middle_of_the_stream_is_replaced_and_nothing_is_missed() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.freeze(0);
    events(&mut world, BOUND / SECOND + 2);
    assert_eq!(world.leaders().len(), 1);
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_leader_that_thaws_does_nothing_more_and_hears_what_it_slept_through_once() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.freeze(0);
    events(&mut world, 20);
    world.thaw(0);
    events(&mut world, 10);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_frozen_follower_hears_what_it_slept_through_once() {
    let mut world = World::sharing(3);
    world.freeze(2);
    events(&mut world, 30);
    world.thaw(2);
    events(&mut world, 5);
    assert_eq!(world.leaders(), [0]);
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_follower_whose_messages_were_lost_takes_the_connection_over_from_where_it_stands() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.freeze(2);
    events(&mut world, 5);
    world.pages[2].inbox.clear();
    world.thaw(2);
    events(&mut world, 20);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_hidden_leader_hands_over_to_a_visible_tab_and_nothing_is_missed() {
    let mut world = World::sharing(3);
    events(&mut world, 5);
    world.visible(0, false);
    world.visible(2, true);
    events(&mut world, 5);
    assert_eq!((world.leaders(), world.open_streams()), (vec![2], 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_leader_that_goes_into_the_back_forward_cache_and_comes_back_misses_nothing() {
    let mut world = World::sharing(2);
    events(&mut world, 5);
    world.tell(0, Input::Away(true));
    events(&mut world, 10);
    assert_eq!((world.leaders(), world.open_streams()), (vec![1], 1));
    world.tell(0, Input::Away(false));
    events(&mut world, 20);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_tab_that_is_frozen_as_it_comes_back_takes_nothing_that_was_said_meanwhile_for_an_answer() {
    let mut world = World::sharing(3);
    events(&mut world, 1);
    world.tell(2, Input::Away(true));
    world.event();
    world.tell(2, Input::Away(false));
    world.freeze(2);
    // The others ask and answer each other, more often than a tab that missed something comes again.
    world.run(10 * SECOND);
    world.thaw(2);
    events(&mut world, 20);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
    assert!(world.pages[2].misses.is_empty(), "it leads on from where it was, at once");
}

#[test]
fn a_tab_that_leads_on_from_where_it_was_is_not_put_off_by_one_that_the_lock_reached_as_well() {
    let mut world = World::sharing(3);
    events(&mut world, 1);
    world.tell(0, Input::Away(true));
    world.run(20);
    world.tell(0, Input::Away(false));
    world.freeze(0);
    world.event();
    world.run(SECOND / 2);
    // The lock is on its way to the third tab when the first one takes it.
    world.tell(1, Input::Away(true));
    world.thaw(0);
    world.tell(1, Input::Away(false));
    events(&mut world, 20);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_tab_alone_in_the_cache_comes_back_to_what_it_missed() {
    let mut world = World::sharing(1);
    events(&mut world, 5);
    world.tell(0, Input::Away(true));
    events(&mut world, 10);
    world.tell(0, Input::Away(false));
    events(&mut world, 10);
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_leader_that_pauses_hands_the_connection_to_a_tab_that_does_not() {
    let mut world = World::empty(1, settings, |settings| settings.pause_hidden = Some(ms(MINUTE)));
    world.feed();
    world.open(Some(1), true);
    world.run(SECOND);
    world.open(Some(2), true);
    world.run(SECOND);
    events(&mut world, 5);
    world.visible(0, false);
    events(&mut world, 70);
    assert_eq!((world.leaders(), world.pages[0].status()), (vec![1], Status::Paused));
    world.visible(0, true);
    events(&mut world, 20);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn the_whole_device_sleeps_and_one_tab_reconnects() {
    let mut world = World::sharing(4);
    events(&mut world, 5);
    world.sleep(8 * HOUR);
    world.lose_connections();
    world.run(BOUND);
    events(&mut world, 10);
    assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    assert!(world.requests.len() <= 3, "{}", world.requests.len());
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_follower_that_wants_a_new_connection_gets_it_from_the_leader() {
    let mut world = World::sharing(2);
    events(&mut world, 2);
    let from = world.pages[1].member.expect("a member");
    let word = Word { from, epoch: 0, says: Says::Load };
    world.whisper(0, word, Load { again: true, ..Load::default() });
    events(&mut world, 2);
    assert_eq!((world.requests.len(), world.open_streams()), (2, 1));
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_tab_that_closes_its_stream_leaves_the_others_alone() {
    let mut world = World::sharing(3);
    events(&mut world, 2);
    for closes in [1, 0] {
        world.tell(closes, Input::Stream(STREAM, StreamInput::Close));
        world.pages[closes].alive = false;
        events(&mut world, 5);
        assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
    }
    world.assert_nothing_missed(HEAD);
}

#[test]
fn a_group_whose_last_tab_left_has_no_connection() {
    let mut world = World::sharing(2);
    world.tell(0, Input::Stream(STREAM, StreamInput::Close));
    world.tell(1, Input::Stream(STREAM, StreamInput::Close));
    world.run(MINUTE);
    assert_eq!(world.open_streams(), 0);
}

#[test]
fn without_locks_and_channels_each_tab_has_its_own_connection() {
    let mut world = World::empty(1, alone, |_| {});
    world.feed();
    world.open(None, true);
    world.open(None, true);
    world.run(SECOND);
    events(&mut world, 5);
    assert_eq!(world.open_streams(), 2);
    world.assert_nothing_missed(HEAD);
}

fn alone() -> evenkeel::core::settings::Settings {
    evenkeel::core::settings::Settings { tabs: None, ..settings() }
}

#[test]
fn what_ends_the_leader_s_stream_is_told_to_all() {
    let mut world = World::sharing(3);
    world.answers([reply(status(404))]);
    world.cut();
    world.run(MINUTE);
    assert!(world.pages.iter().all(|page| page.status() == Status::Closed));
    assert_eq!(world.requests.len(), 2, "nobody else has to find out");
}

#[test]
fn a_group_waits_as_one_page_does() {
    let mut world = World::sharing(3);
    world.answers([reply(busy(MINUTE)), open()]);
    world.cut();
    world.run(30 * SECOND);
    assert_eq!(world.requests.len(), 2);
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.open_streams()), (3, 1));
}
