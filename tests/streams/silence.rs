//! Silence that means a dead connection, and what a page goes through: sleep, no network, nobody looking, the
//! back/forward cache.

use evenkeel::core::events::report::{Fire, Status};
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::kind::{End, Kind};

use super::script::{HOUR, MINUTE, SECOND, broken, busy, ms, open, reply, silence};
use super::world::World;

fn fault(world: &World) -> Option<Kind> {
    let shown = world.page().shows.iter().rev().find_map(|(_, shown, _)| shown.fault)?;
    match shown.end {
        End::Kind(kind) => Some(kind),
        _ => None,
    }
}

/// How long each connection was left in peace, from its headers on.
fn patience(world: &World) -> Vec<u64> {
    let shows = &world.page().shows;
    let opened = shows.iter().filter(|show| show.2 == Fire::Open).map(|show| show.0);
    let failed = shows.iter().filter(|show| show.2 == Fire::Error).map(|show| show.0);
    opened.zip(failed).map(|(opened, failed)| failed - opened).collect()
}

#[test]
fn headers_that_do_not_come_in_ten_seconds_are_a_failed_attempt() {
    let mut world = World::new();
    world.answers([silence()]);
    world.run(10 * SECOND - 1);
    assert_eq!(world.status(), Status::Connecting);
    world.run(1);
    assert_eq!((fault(&world), world.fired()), (Some(Kind::Timeout), vec![Fire::Error]));
    world.run(2 * SECOND);
    assert_eq!((world.status(), world.shown().fault), (Status::Open, None));
}

#[test]
fn a_stream_without_a_byte_for_75_s_is_dead() {
    let mut world = World::new();
    world.run(75 * SECOND + 9);
    assert_eq!(world.status(), Status::Open);
    world.run(1);
    assert_eq!((fault(&world), world.status()), (Some(Kind::Timeout), Status::Waiting));
    world.run(11 * SECOND);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
}

#[test]
fn any_byte_is_a_sign_of_life() {
    for sign in [":", "\n", "data: x\n\n", "d"] {
        let mut world = World::new();
        for _ in 0..60 {
            world.run(MINUTE);
            world.say(sign);
        }
        assert_eq!(world.requests.len(), 1, "{sign:?}");
    }
}

#[test]
fn both_bounds_are_the_app_s_to_choose() {
    let mut world = World::with(|settings| {
        settings.first_byte = ms(3 * SECOND);
        settings.watchdog = ms(20 * SECOND);
    });
    world.answers([silence()]);
    world.run(3 * SECOND);
    assert_eq!(fault(&world), Some(Kind::Timeout));
    while world.status() != Status::Open {
        world.run(1);
    }
    world.run(20 * SECOND);
    assert_eq!(world.fired(), [Fire::Error, Fire::Open, Fire::Error]);
}

#[test]
fn the_watchdog_of_a_quiet_stream_grows_to_ten_minutes() {
    let mut world = World::new();
    world.always(open().says(0, ": hello\n"));
    world.run(2 * HOUR);
    assert_eq!(patience(&world)[..7], [75, 150, 300, 600, 600, 600, 600].map(|seconds| seconds * SECOND));
}

#[test]
fn a_watchdog_beyond_ten_minutes_does_not_shrink() {
    let mut world = World::with(|settings| settings.watchdog = ms(HOUR));
    world.always(open().says(0, ": hello\n"));
    world.run(3 * HOUR);
    assert_eq!(patience(&world), [HOUR, HOUR]);
}

#[test]
fn a_stream_that_never_says_a_byte_is_not_quiet_but_stuck() {
    let mut world = World::new();
    world.run(10 * MINUTE);
    assert!(patience(&world).iter().all(|patience| *patience == 75 * SECOND));
}

#[test]
fn a_connection_that_ends_by_itself_makes_the_watchdog_short_again() {
    let mut world = World::new();
    let hello = || open().says(0, ": hello\n");
    world.answers([hello(), hello(), hello().ends(SECOND), hello(), hello()]);
    world.run(10 * MINUTE);
    assert_eq!(patience(&world)[..4], [75, 150, 1, 75].map(|seconds| seconds * SECOND));
}

#[test]
fn the_watchdog_stands_still_while_the_reader_holds_the_stream_back() {
    let mut world = World::new();
    world.run(MINUTE);
    world.stream(StreamInput::Hold(true));
    world.run(HOUR);
    assert_eq!((world.requests.len(), world.status()), (1, Status::Open));
    world.stream(StreamInput::Hold(false));
    world.run(75 * SECOND - 1);
    assert_eq!(world.status(), Status::Open);
    world.run(1);
    assert_eq!(fault(&world), Some(Kind::Timeout));
}

#[test]
fn a_connection_that_breaks_while_it_is_held_back_is_replaced() {
    let mut world = World::new();
    world.run(MINUTE);
    world.stream(StreamInput::Hold(true));
    world.run(MINUTE);
    world.cut();
    world.run(11 * SECOND);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
}

// ---------------------------------------------------------------- sleep

#[test]
fn a_laptop_that_slept_for_the_night_reconnects_within_a_second_of_waking() {
    let mut world = World::new();
    world.run(MINUTE);
    world.say("id: 7\ndata: x\n\n");
    world.sleep(8 * HOUR);
    world.lose_connections();
    let woke = world.now;
    world.run(2 * SECOND);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
    assert!(world.connects()[1] <= woke + SECOND, "{:?}", world.connects());
    assert_eq!(world.requests[1].last_id, "7");
}

#[test]
fn laptops_that_wake_together_are_staggered() {
    let connects = (0..50).map(|seed| {
        let mut world = World::seeded(seed, |_| {});
        world.run(MINUTE);
        world.sleep(8 * HOUR);
        let woke = world.now;
        world.run(2 * SECOND);
        world.connects()[1] - woke
    });
    let connects: Vec<_> = connects.collect();
    assert!(connects.iter().any(|at| *at < 200) && connects.iter().any(|at| *at > 700), "{connects:?}");
}

#[test]
fn a_sleep_ends_the_jitter_of_what_waits() {
    let mut world = World::new();
    world.always(broken());
    world.run(5 * MINUTE);
    world.answers([]);
    world.sleep(HOUR);
    world.run(2 * SECOND);
    assert_eq!(world.status(), Status::Open);
}

#[test]
fn a_connection_that_was_being_made_before_a_sleep_is_made_again() {
    let mut world = World::new();
    world.answers([silence()]);
    world.run(SECOND);
    world.sleep(HOUR);
    world.run(SECOND);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
    assert_eq!(world.fired(), [Fire::Open], "nothing failed");
}

#[test]
fn a_short_nap_leaves_a_living_connection_alone() {
    let mut world = World::new();
    world.run(MINUTE);
    world.sleep(30 * SECOND);
    world.say(": still here\n");
    world.run(MINUTE);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn headers_that_a_strict_stream_waited_for_are_taken_however_late_they_are() {
    let mut world = World::with(|settings| settings.reconnect.strict = true);
    world.always(open().after(MINUTE));
    world.run(2 * MINUTE);
    assert_eq!((world.requests.len(), world.status()), (1, Status::Open));
}

#[test]
fn a_stream_that_is_held_back_is_not_taken_for_a_device_that_slept() {
    let drawn = (0..50).map(|seed| {
        let mut world = World::seeded(seed, |_| {});
        world.run(MINUTE);
        world.stream(StreamInput::Hold(true));
        world.run(MINUTE);
        world.cut();
        world.wait()
    });
    assert!(drawn.max() > Some(5 * SECOND), "the first wait is spread");
}

// ---------------------------------------------------------------- the network

#[test]
fn a_connection_that_spans_an_offline_spell_is_replaced_at_once() {
    let mut world = World::new();
    world.run(MINUTE);
    world.network(false);
    world.run(5 * SECOND);
    assert_eq!(world.status(), Status::Open, "offline is a hint");
    world.network(true);
    world.run(20);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
    assert_eq!(world.fired(), [Fire::Open, Fire::Error, Fire::Open]);
}

#[test]
fn a_byte_while_offline_proves_the_browser_wrong() {
    let mut world = World::new();
    world.run(MINUTE);
    world.network(false);
    world.say(": still here\n");
    world.network(true);
    world.run(SECOND);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn online_begins_a_connection_anew_that_was_being_made() {
    let mut world = World::new();
    world.answers([silence()]);
    world.run(SECOND);
    world.network(false);
    world.run(SECOND);
    assert_eq!(world.requests.len(), 1, "offline changes nothing");
    world.network(true);
    world.run(20);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
}

#[test]
fn an_open_stream_is_not_disturbed_by_an_online_that_no_offline_came_before() {
    let mut world = World::new();
    world.run(MINUTE);
    world.network(true);
    world.run(10 * SECOND);
    assert_eq!(world.requests.len(), 1);
}

// ---------------------------------------------------------------- nobody looks

#[test]
fn a_hidden_page_keeps_its_stream_when_nobody_said_otherwise() {
    let mut world = World::new();
    world.visible(0, false);
    for _ in 0..60 {
        world.run(MINUTE);
        world.say(": still here\n");
    }
    assert_eq!((world.requests.len(), world.status()), (1, Status::Open));
}

#[test]
fn a_page_hidden_for_too_long_pauses_and_resumes_from_its_last_id_when_somebody_looks() {
    let mut world = World::with(|settings| settings.pause_hidden = Some(ms(5 * MINUTE)));
    world.always(open().says(0, ": hello\n"));
    world.run(SECOND);
    world.say("id: 9\ndata: x\n\n");
    world.visible(0, false);
    for _ in 0..5 {
        assert_eq!(world.status(), Status::Open);
        world.run(MINUTE);
        world.say(":\n");
    }
    assert_eq!((world.status(), world.open_streams()), (Status::Paused, 0));
    world.run(HOUR);
    assert_eq!((world.requests.len(), world.fired()), (1, vec![Fire::Open]), "pausing fires no error");
    world.visible(0, true);
    world.run(SECOND);
    assert_eq!((world.status(), world.requests[1].last_id.as_str()), (Status::Open, "9"));
}

#[test]
fn who_looks_in_time_interrupts_nothing() {
    let mut world = World::with(|settings| settings.pause_hidden = Some(ms(MINUTE)));
    world.run(SECOND);
    for _ in 0..10 {
        world.visible(0, false);
        world.run(50 * SECOND);
        world.say(":\n");
        world.visible(0, true);
        world.run(10);
    }
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_page_that_begins_hidden_pauses_too() {
    let mut world = World::empty(1, super::script::settings, |settings| settings.pause_hidden = Some(ms(MINUTE)));
    world.open(None, false);
    world.run(2 * MINUTE);
    assert_eq!(world.status(), Status::Paused);
}

#[test]
fn headers_that_come_in_the_moment_of_the_pause_open_nothing() {
    let mut world = World::with(|settings| settings.pause_hidden = Some(ms(5 * SECOND)));
    world.always(open().after(5 * SECOND));
    world.visible(0, false);
    world.run(MINUTE);
    assert_eq!((world.status(), world.fired()), (Status::Paused, vec![]));
}

#[test]
fn what_waits_and_what_connects_pauses_too() {
    for answer in [broken(), silence(), reply(busy(HOUR))] {
        let mut world = World::with(|settings| settings.pause_hidden = Some(ms(2 * MINUTE)));
        world.always(answer);
        world.visible(0, false);
        world.run(2 * MINUTE);
        assert_eq!(world.status(), Status::Paused);
        let before = world.requests.len();
        world.run(HOUR);
        assert_eq!(world.requests.len(), before);
    }
}

// ---------------------------------------------------------------- the back/forward cache

#[test]
fn a_page_in_the_back_forward_cache_has_no_connection_and_resumes_when_it_comes_back() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("id: 9\ndata: x\n\n");
    world.input(Input::Away(true));
    assert_eq!((world.status(), world.open_streams()), (Status::Paused, 0));
    world.sleep(HOUR);
    world.input(Input::Away(false));
    world.run(20);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
    assert_eq!(world.requests[1].last_id, "9");
    assert_eq!(world.fired(), [Fire::Open, Fire::Open]);
}

#[test]
fn a_page_goes_away_in_whatever_state_it_is() {
    for answer in [broken(), silence(), open(), reply(super::script::status(401))] {
        let mut world = World::new();
        world.session_says(|_| None);
        world.always(answer);
        world.run(SECOND);
        world.input(Input::Away(true));
        let before = world.requests.len();
        world.run(MINUTE);
        assert_eq!((world.requests.len(), world.status()), (before, Status::Paused));
        world.answers([]);
        world.input(Input::Away(false));
        world.run(2 * SECOND);
        assert_eq!((world.requests.len(), world.status()), (before + 1, Status::Open));
    }
}
