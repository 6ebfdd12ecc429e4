//! How long a stream waits before it connects again: what the server asked for, plus jitter.

use evenkeel::core::backoff::Jitter;
use evenkeel::core::events::report::{Fire, Status};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::hub::StreamInput;
use evenkeel::core::kind::{End, Kind};

use super::script::{Answer, HOUR, MINUTE, SECOND, broken, busy, ms, open, reply, status};
use super::world::World;

/// The first waits of a hundred pages in the same story.
fn waits(story: impl Fn(&mut World)) -> Vec<u64> {
    waits_of(|_| {}, story)
}

fn waits_of(change: fn(&mut StreamSettings), story: impl Fn(&mut World)) -> Vec<u64> {
    let wait = |seed| {
        let mut world = World::seeded(seed, change);
        story(&mut world);
        world.wait()
    };
    (0..100).map(wait).collect()
}

/// They lie between these, and all over the place there.
#[track_caller]
fn assert_spread(waits: &[u64], from: u64, to: u64) {
    let tenth = (to - from) / 10;
    assert!(waits.iter().all(|wait| (from..=to).contains(wait)), "{from} to {to}: {waits:?}");
    assert!(waits.iter().any(|wait| *wait < from + tenth), "some are short: {waits:?}");
    assert!(waits.iter().any(|wait| *wait > to - tenth), "some are long: {waits:?}");
}

fn stable(world: &mut World) {
    world.run(MINUTE);
    world.say(": still here\n");
}

#[test]
fn a_stream_that_ends_is_connected_again() {
    let mut world = World::new();
    world.answers([open().ends(SECOND)]);
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
    assert_eq!(world.fired(), [Fire::Open, Fire::Error, Fire::Open]);
}

#[test]
fn the_first_wait_after_a_stable_connection_is_spread_over_ten_seconds() {
    let drawn = waits(|world| {
        stable(world);
        world.cut();
    });
    assert_spread(&drawn, 0, 10 * SECOND);
}

#[test]
fn a_connection_that_lived_for_a_moment_is_followed_by_the_backoff() {
    let drawn = waits(|world| {
        world.run(9 * SECOND);
        world.cut();
    });
    assert_spread(&drawn, 0, SECOND);
}

#[test]
fn the_spread_is_the_app_s_to_choose() {
    let change = |settings: &mut StreamSettings| {
        settings.reconnect.spread = ms(40 * SECOND);
        settings.reconnect.stable = ms(2 * SECOND);
    };
    let drawn = waits_of(change, |world| {
        world.run(3 * SECOND);
        world.cut();
    });
    assert_spread(&drawn, 0, 40 * SECOND);
}

#[test]
fn a_server_that_asked_for_a_time_gets_it_with_as_much_jitter_and_no_spread() {
    let drawn = waits(|world| {
        stable(world);
        world.say("retry: 4000\n\n");
        world.cut();
    });
    assert_spread(&drawn, 4 * SECOND, 8 * SECOND);
}

#[test]
fn what_a_stream_asks_for_is_taken_within_reason() {
    for (asked, floor) in [(0, 100), (99, 100), (100, 100), (300_000, 300_000), (u64::MAX, 300_000)] {
        let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
        stable(&mut world);
        world.say(&format!("retry: {asked}\n\n"));
        world.cut();
        // The base is what was asked for, up to the maximum.
        assert_eq!(world.wait(), floor, "retry: {asked}");
    }
}

#[test]
fn the_newest_retry_counts_and_stays_for_all_connections() {
    let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
    stable(&mut world);
    world.say("retry: 9000\n\nretry: 2000\n\n");
    world.cut();
    assert_eq!(world.wait(), 2 * SECOND);
    world.run(MINUTE);
    world.cut();
    assert_eq!(world.wait(), 2 * SECOND);
}

#[test]
fn failures_double_the_wait_up_to_half_a_minute_and_are_counted() {
    let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
    world.always(broken());
    let mut waits = Vec::new();
    for attempts in 1..=8 {
        while world.shown().attempts < attempts {
            world.run(1);
        }
        waits.push(world.wait());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30].map(|seconds| seconds * SECOND));
}

#[test]
fn failures_are_spread_more_and_more() {
    for (failures, ceiling) in [(1, 1), (2, 2), (4, 8), (6, 30), (7, 30)] {
        let drawn = waits(|world| {
            world.always(broken());
            while world.shown().attempts < failures {
                world.run(1);
            }
        });
        assert_spread(&drawn, 0, ceiling * SECOND);
    }
}

#[test]
fn the_backoff_begins_anew_after_a_stable_connection_and_not_after_a_first_byte() {
    let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
    world.always(broken());
    world.run(5 * SECOND);
    assert_eq!(world.shown().attempts, 3);
    world.answers([open().says(0, ": hello\n").ends(SECOND), open()]);
    world.run(4 * SECOND);
    assert_eq!((world.status(), world.shown().attempts, world.wait()), (Status::Waiting, 4, 8 * SECOND));
    world.run(10 * SECOND);
    assert_eq!((world.status(), world.shown().attempts), (Status::Open, 4));
    world.run(10 * SECOND);
    assert_eq!((world.status(), world.shown().attempts), (Status::Open, 0), "stable");
}

#[test]
fn what_retry_after_says_is_waited_for_once_and_jitter_comes_on_top() {
    let drawn = waits(|world| {
        world.always(reply(busy(20 * SECOND)));
        world.run(SECOND);
    });
    assert_spread(&drawn, 20 * SECOND, 21 * SECOND);

    let mut world = World::new();
    world.answers([reply(busy(20 * SECOND)), broken()]);
    world.run(22 * SECOND);
    while world.requests.len() < 2 {
        world.run(1);
    }
    world.run(20);
    assert!(world.wait() <= 2 * SECOND, "the next wait is a usual one");
}

#[test]
fn the_longer_of_retry_and_retry_after_is_waited_for() {
    for (retry, after, floor) in [(5_000, 2_000, 5_000), (2_000, 5_000, 5_000)] {
        let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
        world.answers([open().says(0, &format!("retry: {retry}\n\n")).ends(20), reply(busy(after)).after(0)]);
        while world.requests.len() < 2 {
            world.run(1);
        }
        assert!(world.connects()[1] >= retry);
        world.run(0);
        assert!(world.wait() >= floor, "{retry} and {after}: {}", world.wait());
    }
}

#[test]
fn no_retry_after_keeps_a_page_away_for_more_than_a_day() {
    let mut world = World::new();
    world.always(reply(busy(u64::MAX)));
    world.run(SECOND);
    assert!(world.wait() <= 24 * HOUR + SECOND);
}

#[test]
fn temporary_answers_are_waited_out_and_told() {
    for code in [408, 425, 429, 500, 502, 503, 504, 511, 599] {
        let mut world = World::new();
        world.answers([reply(status(code))]);
        world.run(20);
        let shown = world.shown();
        assert_eq!((shown.status, shown.attempts), (Status::Waiting, 1), "{code}");
        let fault = shown.fault.expect("a reason");
        assert_eq!((fault.end, fault.status), (End::Status, code));
        world.run(2 * SECOND);
        assert_eq!((world.status(), world.shown().fault), (Status::Open, None), "{code}");
        assert_eq!(world.fired(), [Fire::Error, Fire::Open], "{code}");
    }
}

#[test]
fn the_return_of_the_network_ends_the_jitter_within_a_second() {
    let mut world = World::new();
    world.always(broken());
    world.run(5 * MINUTE);
    while world.status() != Status::Waiting || world.wait() < 10 * SECOND {
        world.run(1);
    }
    world.network(false);
    world.network(true);
    assert!(world.wait() <= SECOND, "staggered over a second: {}", world.wait());
}

#[test]
fn somebody_who_looks_ends_the_jitter_within_a_second() {
    let mut world = World::new();
    world.always(broken());
    world.run(5 * MINUTE);
    while world.status() != Status::Waiting || world.wait() < 10 * SECOND {
        world.run(1);
    }
    world.visible(0, false);
    world.visible(0, true);
    assert!(world.wait() <= SECOND);
}

#[test]
fn a_backoff_without_jitter_ends_early_too() {
    let mut world = World::with(|settings| settings.reconnect.backoff.jitter = Jitter::None);
    world.always(broken());
    world.run(2 * MINUTE);
    while world.wait() < 20 * SECOND {
        world.run(SECOND);
    }
    world.network(true);
    assert!(world.wait() <= SECOND, "no server asked for it: {}", world.wait());
}

type Happening = (&'static str, fn(&mut World));

#[test]
fn what_the_server_asked_for_is_waited_for_whatever_happens() {
    let happenings: [Happening; 4] = [
        ("the network returns", |world| {
            world.network(false);
            world.network(true);
        }),
        ("somebody looks", |world| {
            world.visible(0, false);
            world.visible(0, true);
        }),
        ("the page comes back from the cache", |world| {
            world.input(evenkeel::core::hub::Input::Away(true));
            world.input(evenkeel::core::hub::Input::Away(false));
        }),
        ("the device sleeps", |world| world.sleep(MINUTE)),
    ];
    let floors: [(&str, Answer, u64); 2] = [
        ("Retry-After", reply(busy(3 * MINUTE)), 3 * MINUTE),
        ("retry:", open().says(0, "retry: 180000\n\n").ends(20), 3 * MINUTE),
    ];
    for (what, answer, floor) in floors {
        for (happening, happen) in happenings {
            let mut world = World::new();
            world.answers([answer.clone()]);
            world.run(10 * SECOND);
            happen(&mut world);
            world.run(10 * MINUTE);
            let second = world.connects()[1];
            assert!(second >= floor, "{what}, {happening}: {second}");
            assert!(second <= floor + 2 * SECOND + MINUTE, "{what}, {happening}: {second}");
        }
    }
}

#[test]
fn a_page_that_pauses_comes_back_no_sooner_than_asked() {
    let mut world = World::with(|settings| settings.pause_hidden = Some(ms(5 * SECOND)));
    world.answers([reply(busy(MINUTE))]);
    world.run(SECOND);
    world.visible(0, false);
    world.run(10 * SECOND);
    assert_eq!(world.status(), Status::Paused);
    world.visible(0, true);
    assert_eq!(world.status(), Status::Waiting);
    world.run(2 * MINUTE);
    assert!(world.connects()[1] >= MINUTE);
}

#[test]
fn the_spread_is_not_for_a_device_that_woke_or_lost_its_network() {
    let drawn = waits(|world| {
        stable(world);
        world.network(false);
        world.cut();
    });
    assert_spread(&drawn, 0, SECOND);

    let drawn = waits(|world| {
        stable(world);
        world.sleep(2 * MINUTE);
        world.cut();
    });
    assert_spread(&drawn, 0, SECOND);
}

#[test]
fn a_byte_after_it_makes_a_device_that_woke_one_like_the_others() {
    let drawn = waits(|world| {
        stable(world);
        world.sleep(2 * MINUTE);
        world.say(": the connection lives\n");
        world.cut();
    });
    assert_spread(&drawn, 0, 10 * SECOND);
}

#[test]
fn a_strict_stream_waits_for_the_reconnection_time_and_nothing_else() {
    let mut world = World::with(|settings| settings.reconnect.strict = true);
    stable(&mut world);
    world.cut();
    assert_eq!(world.wait(), SECOND, "the default");
    world.run(SECOND + 20);
    world.say("retry: 7000\n\n");
    world.cut();
    assert_eq!(world.wait(), 7 * SECOND);
}

#[test]
fn a_strict_stream_that_cannot_connect_waits_for_the_reconnection_time_and_longer_each_time() {
    let mut longest = 0;
    for seed in 0..50 {
        let mut world = World::seeded(seed, |settings| settings.reconnect.strict = true);
        world.always(broken());
        for failures in 1..=4 {
            while world.shown().attempts < failures {
                world.run(1);
            }
            assert!(world.wait() >= SECOND, "{failures}: {}", world.wait());
            longest = longest.max(world.wait());
        }
    }
    assert!((5 * SECOND..=9 * SECOND).contains(&longest), "{longest}");
}

#[test]
fn somebody_who_asks_is_not_kept_waiting() {
    let mut world = World::new();
    world.answers([reply(busy(HOUR))]);
    world.run(MINUTE);
    world.stream(StreamInput::Again);
    world.run(0);
    assert_eq!((world.requests.len(), world.status(), world.shown().attempts), (2, Status::Connecting, 0));
}

#[test]
fn failures_while_the_browser_says_offline_are_called_so() {
    let mut world = World::new();
    world.always(broken());
    world.network(false);
    world.run(SECOND);
    assert_eq!(world.shown().fault.map(|fault| fault.end), Some(End::Kind(Kind::Offline)));
    world.network(true);
    world.run(2 * SECOND);
    assert_eq!(world.shown().fault.map(|fault| fault.end), Some(End::Kind(Kind::Network)));
}
