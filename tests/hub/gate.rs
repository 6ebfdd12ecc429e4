//! Bounded work: how many requests run, wait and start a second, and who goes first.

use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;
use evenkeel::core::verify::SessionAnswer;

use super::script::{But, ELSEWHERE, HOME, SECOND, broken, get, of_session, ok, silence, status};
use super::world::World;

#[test]
fn sixteen_requests_run_at_a_time_in_each_origin() {
    let mut world = World::new();
    world.always(ok().after(SECOND));
    for _ in 0..40 {
        world.call(get("/meals"));
    }
    world.call(get(&format!("{ELSEWHERE}/fonts")));
    assert_eq!(world.requests.len(), 17, "the other origin has its own slots");
    world.run_dry();
    let sends = world.sends();
    assert_eq!((sends[32], sends[33]), (SECOND, 2 * SECOND));
    world.assert_balanced(HOME);
    world.assert_balanced(ELSEWHERE);
}

#[test]
fn a_slot_is_held_until_the_body_was_read() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.always(ok().pieces(1, SECOND));
    world.call(get("/meals"));
    world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.sends(), [0, 2 * SECOND + super::script::LATENCY]);
}

#[test]
fn a_stream_gives_its_slot_back_with_its_headers() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    let streams = world.call(get("/export").but(|call| call.traits.streams = true));
    let next = world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.sends_of(next), [world.ended_at(streams)]);
}

#[test]
fn fifty_requests_start_a_second_after_a_burst_of_a_hundred() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1_000);
    for _ in 0..300 {
        world.call(get("/meals"));
    }
    world.run_dry();
    let sends = world.sends();
    assert_eq!(sends.iter().filter(|at| **at == 0).count(), 100);
    assert_eq!((sends[100], sends[299]), (20, 4 * SECOND));
}

#[test]
fn who_is_critical_goes_first_and_what_can_wait_goes_last() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.call(get("/first"));
    for url in ["/background", "/normal", "/critical"] {
        world.call(match url {
            "/critical" => get(url).critical(),
            "/background" => get(url).background(),
            _ => get(url),
        });
    }
    world.call(get("/later"));
    world.run_dry();
    let order: Vec<_> = world.requests.iter().map(|request| request.url.trim_start_matches(HOME)).collect();
    assert_eq!(order, ["/first", "/critical", "/normal", "/later", "/background"]);
}

#[test]
fn a_full_queue_drops_the_newest_of_the_lowest_priority() {
    let mut world = World::with(|settings| (settings.gate.max_concurrent, settings.gate.max_queued) = (1, 3));
    world.always(ok().after(SECOND));
    world.call(get("/running"));
    let old = world.call(get("/old").background());
    let new = world.call(get("/new").background());
    let normal = world.call(get("/normal"));
    world.assert_waits(new);
    let critical = world.call(get("/critical").critical());
    world.assert_ended(new, Kind::QueueFull);
    let newest = world.call(get("/newest").background());
    world.assert_ended(newest, Kind::QueueFull);
    assert_eq!((world.settled(newest).attempts, world.ended_at(newest)), (0, 0));
    world.run_dry();
    for call in [old, normal, critical] {
        world.assert_ended(call, End::Ok);
    }
    world.assert_balanced(HOME);
}

#[test]
fn a_call_that_the_breaker_refuses_drops_nobody_from_a_full_queue() {
    let mut world = World::with(|settings| settings.gate.max_queued = 2);
    world.always(broken());
    for _ in 0..5 {
        world.call(get("/meals").retries(0));
        world.run_dry();
    }
    let held: Vec<_> = (0..2).map(|_| world.call(get("/prefetch").background())).collect();
    let refused = world.call(get("/meals"));
    world.assert_ended(refused, Kind::CircuitOpen);
    held.iter().for_each(|call| world.assert_waits(*call));
}

#[test]
fn a_retry_that_finds_the_queue_full_ends_with_its_last_real_error() {
    let mut world = World::with(|settings| (settings.gate.max_concurrent, settings.gate.max_queued) = (1, 2));
    world.answers([status(503).retry_after(2 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.always(silence());
    for _ in 0..3 {
        world.call(get("/slow"));
    }
    world.run(3 * SECOND);
    world.assert_ended(call, End::Status);
    assert_eq!(world.settled(call).attempts, 1);
    world.assert_balanced(HOME);
}

#[test]
fn a_retry_that_drops_another_leaves_all_others_as_they_are() {
    // Retries come back to a full queue while all flights are walked through: whoever is dropped, nobody is forgotten.
    let mut world = World::with(|settings| {
        (settings.gate.max_concurrent, settings.gate.max_queued) = (4, 6);
        (settings.breaker, settings.budget) = (None, None);
        settings.backoff.jitter = evenkeel::core::backoff::Jitter::None;
    });
    world.always(status(503).retry_after(2 * SECOND));
    let mut calls: Vec<_> = (0..4).map(|n| world.call(get(&format!("/first/{n}")))).collect();
    world.run(SECOND);
    world.always(ok().after(10 * SECOND));
    calls.extend((0..4).map(|n| world.call(get(&format!("/slow/{n}")))));
    calls.extend((0..6).map(|n| world.call(get(&format!("/queued/{n}")).background())));
    world.run_dry();
    let dropped = calls.iter().filter(|call| world.settled(**call).end == End::Kind(Kind::QueueFull)).count();
    assert_eq!(dropped, 4, "one for each retry");
    assert_eq!(calls.iter().filter(|call| world.settled(**call).end == End::Ok).count(), 10);
    world.assert_balanced(HOME);
}

#[test]
fn the_session_sends_waiting_calls_into_a_queue_that_is_full() {
    let mut world = World::with(|settings| (settings.gate.max_concurrent, settings.gate.max_queued) = (3, 3));
    world.always(status(401));
    world.session_says(|_| None);
    let mut calls: Vec<_> = (0..6).map(|n| world.call(get(&format!("/meals/{n}")))).collect();
    world.run(SECOND);
    world.always(ok().after(SECOND));
    calls.extend((0..6).map(|n| world.call(get(&format!("/slow/{n}")).background())));
    world.input(of_session(SessionAnswer::User(1)));
    world.run_dry();
    for call in &calls[..3] {
        assert!(matches!(world.settled(*call).end, End::Ok | End::Kind(Kind::QueueFull)));
    }
    world.assert_balanced(HOME);
}

#[test]
fn a_slot_is_not_held_while_a_call_waits_for_its_retry() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.answers([status(503).retry_after(20 * SECOND)]);
    let waits = world.call(get("/meals"));
    let other = world.call(get("/orders"));
    world.run(SECOND);
    world.assert_waits(waits);
    world.assert_ended(other, End::Ok);
    world.run_dry();
    world.assert_ended(waits, End::Ok);
}

#[test]
fn a_slot_is_not_held_while_the_session_is_checked() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.answers([status(401)]);
    world.session_says(|_| None);
    let waits = world.call(get("/meals"));
    let other = world.call(get("/orders"));
    world.run(SECOND);
    world.assert_waits(waits);
    world.assert_ended(other, End::Ok);
    world.assert_balanced(HOME);
}

#[test]
fn how_many_calls_wait_is_said_when_it_changes() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    for _ in 0..3 {
        world.call(get("/meals"));
    }
    world.run_dry();
    let queued = world.log.iter().filter_map(|(_, output)| match output {
        Output::Queued(calls) => Some(*calls),
        _ => None,
    });
    assert_eq!(queued.collect::<Vec<_>>(), [1, 2, 1, 0]);
}

#[test]
fn everybody_who_waits_is_counted_and_not_only_the_first() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.call(get("/meals"));
    for _ in 0..3 {
        world.call(get("/orders").shared());
    }
    assert_eq!(world.log.last(), Some(&(0, Output::Queued(3))));
}

#[test]
fn more_origins_than_are_remembered_cost_no_call_its_end() {
    let mut world = World::new();
    world.serve(
        |request| if request.attempt.number == 1 && request.nth % 3 == 0 { broken() } else { ok().after(SECOND) },
    );
    let calls: Vec<_> = (0..100).map(|n| world.call(get(&format!("https://tile{n}.example/a/b")))).collect();
    world.run_dry();
    calls.iter().for_each(|call| world.assert_ended(*call, End::Ok));
    world.assert_balanced(HOME);
}

#[test]
fn an_origin_is_not_forgotten_while_a_call_waits_for_its_retry() {
    let mut world = World::new();
    for n in 0..31 {
        world.call(get(&format!("https://tile{n}.example/a/b")));
        world.run_dry();
    }
    world.answers([status(503).retry_after(5 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.call(get("https://passing.example/a/b"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.last().map(|request| request.url.as_str()), Some("https://app.example/meals"));
}

#[test]
fn an_origin_that_is_left_alone_is_remembered_longer_than_passing_ones() {
    let mut world = World::new();
    world.serve(|request| if request.url.starts_with(HOME) { broken() } else { ok() });
    for _ in 0..5 {
        world.call(get("/meals").retries(0));
        world.run_dry();
    }
    for n in 0..100 {
        world.call(get(&format!("https://tile{n}.example/a/b")));
        world.run(20);
    }
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::CircuitOpen);
}
