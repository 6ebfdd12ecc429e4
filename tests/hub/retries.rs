//! Which calls are sent again, how often, and after which wait.

use evenkeel::core::backoff::Jitter;
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::{Attempt, Output};
use evenkeel::core::requests::Body;
use evenkeel::core::settings::{BudgetSettings, Settings};

use super::script::{
    But, ELSEWHERE, LATENCY, MINUTE, SECOND, broken, get, ms, ok, page, post, silence, status, unsendable,
};
use super::world::World;

fn without_jitter(settings: &mut Settings) {
    settings.backoff.jitter = Jitter::None;
}

fn without_brakes(settings: &mut Settings) {
    settings.breaker = None;
    settings.budget = None;
}

#[test]
fn a_get_is_sent_four_times_and_ends_with_what_the_server_said_last() {
    let mut world = World::with(without_jitter);
    world.always(status(503));
    let call = world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.sends(), [0, 300 + LATENCY, 900 + 2 * LATENCY, 2_100 + 3 * LATENCY]);
    world.assert_ended(call, End::Status);
    assert_eq!(world.settled(call).attempts, 4);
    let let_go = world.said(|output| *output == Output::Drain(call));
    assert_eq!(let_go.len(), 3, "all responses but the last");
    world.assert_balanced(super::script::HOME);
}

#[test]
fn a_request_that_went_well_is_left_alone() {
    let mut world = World::new();
    let call = world.call(get("/meals"));
    world.run_dry();
    assert!(!world.cancelled(call));
    assert_eq!(
        world.log,
        [
            (0, Output::Send(Attempt { flight: call, number: 1 })),
            (LATENCY, Output::Read(Attempt { flight: call, number: 1 })),
            (LATENCY, Output::Settle(world.settled(call))),
            (LATENCY, Output::Done(call)),
        ]
    );
}

#[test]
fn the_second_attempt_may_succeed() {
    for first in [status(503), broken(), silence()] {
        let mut world = World::new();
        world.answers([first]);
        let call = world.call(get("/meals"));
        world.run_dry();
        world.assert_ended(call, End::Ok);
        assert_eq!((world.settled(call).attempts, world.settled(call).retry_after), (2, None));
    }
}

#[test]
fn every_retry_status_is_retried_and_no_other() {
    for code in (100..600).filter(|code| *code != 401) {
        let mut world = World::new();
        world.answers([status(code)]);
        let call = world.call(get("/meals"));
        world.run_dry();
        let worth_it = [408, 425, 429, 500, 502, 503, 504].contains(&code);
        assert_eq!(world.requests.len(), if worth_it { 2 } else { 1 }, "{code}");
        world.assert_ended(call, if worth_it || code < 400 { End::Ok } else { End::Status });
    }
}

#[test]
fn a_post_without_a_key_is_sent_once_whatever_it_meets() {
    for met in [status(503), status(429), status(500), broken(), silence(), ok().body(Body::Broken)] {
        let mut world = World::new();
        world.always(met);
        world.call(post("/orders"));
        world.run_dry();
        assert_eq!(world.requests.len(), 1, "{met:?}");
    }
}

#[test]
fn a_post_with_a_key_is_retried_like_a_get() {
    let mut world = World::new();
    world.answers([broken(), status(500), silence()]);
    let call = world.call(post("/orders").but(|call| call.traits.idempotent = true));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.len(), 4);
}

#[test]
fn a_body_that_can_be_read_only_once_is_not_sent_twice() {
    let mut world = World::new();
    world.always(status(503));
    let call = world.call(get("/upload").but(|call| call.traits.replayable = false));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_call_that_wants_no_retries_gets_none() {
    let mut world = World::new();
    world.always(broken());
    let call = world.call(get("/meals").retries(0));
    world.run_dry();
    world.assert_ended(call, Kind::Network);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn waits_are_drawn_evenly_from_nothing_up_to_a_doubling_ceiling() {
    let mut drawn = [const { Vec::new() }; 3];
    for seed in 0..500 {
        let mut world = World::seeded(seed, without_brakes);
        world.always(status(503));
        world.call(get("/meals"));
        world.run_dry();
        for (waits, wait) in drawn.iter_mut().zip(world.waits()) {
            waits.push(wait);
        }
    }
    for (mut waits, ceiling) in drawn.into_iter().zip([300, 600, 1_200]) {
        waits.sort_unstable();
        assert_eq!(waits.len(), 500);
        assert!(waits[0] < ceiling / 20 && waits[499] > ceiling * 19 / 20 && waits[499] <= ceiling);
        assert!((waits[250] as i64 - ceiling as i64 / 2).unsigned_abs() < ceiling / 10, "half are below the middle");
    }
}

#[test]
fn what_the_server_asks_to_wait_is_a_floor_that_jitter_is_added_to() {
    let mut waits = Vec::new();
    for seed in 0..500 {
        let mut world = World::seeded(seed, |_| {});
        world.answers([status(503).retry_after(20 * SECOND)]);
        let call = world.call(get("/meals"));
        world.run_dry();
        world.assert_ended(call, End::Ok);
        waits.extend(world.waits());
    }
    waits.sort_unstable();
    assert_eq!(waits.len(), 500);
    assert!(waits[0] >= 20 * SECOND, "never earlier: {}", waits[0]);
    assert!(waits[0] < 20_500 && waits[499] > 29_500 && waits[499] <= 30 * SECOND, "spread over half the floor");
}

#[test]
fn without_jitter_the_wait_is_exactly_what_the_server_asked_for() {
    let mut world = World::with(without_jitter);
    world.answers([status(429).retry_after(7 * SECOND)]);
    world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.waits(), [7 * SECOND]);
}

#[test]
fn a_retry_after_of_nothing_still_jitters() {
    let mut world = World::with(without_brakes);
    world.answers([status(503).retry_after(0)]);
    world.call(get("/meals"));
    world.run_dry();
    assert!(world.waits()[0] <= 300);
}

#[test]
fn a_wait_that_does_not_fit_the_deadline_fails_at_once_with_what_the_server_asked_for() {
    let mut world = World::new();
    world.always(status(429).retry_after(2 * MINUTE));
    let call = world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.ended_at(call), LATENCY);
    world.assert_ended(call, End::Status);
    assert_eq!(world.settled(call).retry_after, Some(ms(2 * MINUTE)));
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_call_that_is_not_retried_tells_what_the_server_asked_for_too() {
    let mut world = World::new();
    world.always(status(503).retry_after(5 * SECOND));
    let call = world.call(post("/orders"));
    world.run_dry();
    assert_eq!(world.settled(call).retry_after, Some(ms(5 * SECOND)));
}

#[test]
fn a_failure_without_a_response_forgets_what_an_earlier_one_asked_for() {
    let mut world = World::new();
    world.answers([status(503).retry_after(SECOND), broken(), broken(), broken()]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Network);
    assert_eq!(world.settled(call).retry_after, None);
}

#[test]
fn only_what_the_server_asked_for_last_is_told() {
    let mut world = World::new();
    world.answers([status(503).retry_after(SECOND), status(404)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!(world.settled(call).retry_after, None);
}

#[test]
fn a_wait_that_ends_with_the_deadline_does_not_fit_it() {
    for (deadline, ended_at) in [(LATENCY + 300, LATENCY), (LATENCY + 301, LATENCY + 301)] {
        let mut world = World::with(without_jitter);
        world.always(broken());
        let call = world.call(get("/meals").deadline(deadline));
        world.run_dry();
        assert_eq!(world.ended_at(call), ended_at);
    }
}

#[test]
fn calls_beyond_a_bound_are_not_kept_for_a_retry() {
    let mut world = World::with(|settings| {
        without_brakes(settings);
        (settings.gate.max_concurrent, settings.gate.rate) = (1_000, None);
    });
    world.always(status(503).retry_after(10 * SECOND));
    let calls: Vec<_> = (0..600).map(|_| world.call(get("/meals"))).collect();
    world.run(SECOND);
    assert_eq!(calls.iter().filter(|call| !world.has_ended(**call)).count(), 512);
    world.assert_ended(calls[599], End::Status);
    assert_eq!(world.settled(calls[599]).retry_after, Some(ms(10 * SECOND)));
}

#[test]
fn a_broken_body_is_fetched_again_and_one_that_is_too_large_is_not() {
    let mut world = World::new();
    world.answers([ok().body(Body::Broken)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.len(), 2);

    let mut world = World::new();
    world.answers([ok().body(Body::TooLarge)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::TooLarge);
    assert_eq!(world.requests.len(), 1);
    assert!(world.cancelled(call), "nobody reads the rest");
}

#[test]
fn an_error_is_told_by_its_status_even_when_its_body_cannot_be_read() {
    for body in [Body::Broken, Body::TooLarge] {
        let mut world = World::new();
        world.always(status(404).body(body));
        let call = world.call(get("/meals/7"));
        world.run_dry();
        world.assert_ended(call, End::Status);
        assert_eq!(world.requests.len(), 1);
        assert!(world.cancelled(call), "nobody reads the rest");
    }
}

#[test]
fn a_stream_is_handed_over_with_its_headers_and_never_sent_again() {
    let mut world = World::new();
    world.answers([status(503), ok().body(Body::Broken)]);
    let call = world.call(get("/export").but(|call| call.traits.streams = true));
    world.run(10 * MINUTE);
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.len(), 2, "retried until it streamed");
    assert!(!world.cancelled(call), "what was handed over is the caller's");
}

#[test]
fn a_page_that_is_streamed_is_handed_over_as_it_is() {
    let mut world = World::new();
    world.always(page().redirected());
    let call = world.call(get("/export").but(|call| call.traits.streams = true));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_stream_is_handed_over_whatever_its_status() {
    let mut world = World::new();
    world.always(status(500));
    let call = world.call(get("/export").but(|call| call.traits.streams = true));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert!(!world.cancelled(call), "the last response is the caller's");
    assert_eq!(world.settled(call).attempts, 4);
}

#[test]
fn a_request_that_cannot_be_sent_is_not_tried_again() {
    let mut world = World::new();
    world.always(unsendable());
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Invalid);
    assert_eq!(world.requests.len(), 1);
    world.assert_balanced(super::script::HOME);
}

#[test]
fn the_late_answer_of_an_attempt_that_timed_out_says_nothing() {
    let mut world = World::new();
    world.answers([status(404).after(35 * SECOND), ok().after(20 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.settled(call).attempts, 2);
    assert!(world.ended_at(call) >= 50 * SECOND, "the second attempt's answer counts");
}

#[test]
fn a_page_without_a_queue_retries_all_the_same() {
    let mut world = World::with(|settings| settings.gate.max_queued = 0);
    world.serve(|request| if request.attempt.number == 1 { status(503) } else { ok() });
    let calls = [world.call(get("/meals")), world.call(get("/meals"))];
    world.run_dry();
    calls.into_iter().for_each(|call| world.assert_ended(call, End::Ok));
}

#[test]
fn an_empty_budget_stops_retries_and_not_first_attempts() {
    let mut world = World::with(|settings| {
        settings.breaker = None;
        settings.budget = Some(BudgetSettings { capacity: 3.0, cost: 1.0, refund: 0.2 });
    });
    world.always(status(503));
    for n in 0..20 {
        let call = world.call(get(&format!("/meals/{n}")).retries(1));
        world.run_dry();
        world.assert_ended(call, End::Status);
        assert_eq!(world.settled(call).attempts, if n < 3 { 2 } else { 1 });
    }
}

#[test]
fn five_successes_earn_one_retry() {
    let mut world = World::with(|settings| {
        settings.breaker = None;
        settings.budget = Some(BudgetSettings { capacity: 1.0, cost: 1.0, refund: 0.2 });
    });
    let retried = |world: &mut World| {
        world.answers([status(503)]);
        let call = world.call(get("/meals"));
        world.run_dry();
        world.settled(call).attempts > 1
    };
    assert!(retried(&mut world), "a budget is full at first");
    // The retry that succeeded gave a fifth back.
    for _ in 0..3 {
        world.call(get("/meals"));
        world.run_dry();
    }
    assert!(!retried(&mut world), "four fifths are not enough");
    world.call(get("/meals"));
    world.run_dry();
    assert!(retried(&mut world));
}

#[test]
fn each_origin_has_its_own_budget() {
    let mut world = World::with(|settings| {
        settings.breaker = None;
        settings.budget = Some(BudgetSettings { capacity: 1.0, cost: 1.0, refund: 0.2 });
    });
    world.always(status(503));
    let here = world.call(get("/meals"));
    world.run_dry();
    let there = world.call(get(&format!("{ELSEWHERE}/fonts")));
    world.run_dry();
    assert_eq!((world.settled(here).attempts, world.settled(there).attempts), (2, 2));
}

#[test]
fn without_a_budget_all_retries_go() {
    let mut world = World::with(without_brakes);
    world.always(status(503));
    for _ in 0..100 {
        world.call(get("/meals"));
    }
    world.run_dry();
    assert_eq!(world.requests.len(), 400);
}

#[test]
fn somebody_who_waits_through_retries_for_three_seconds_is_told_once() {
    let mut world = World::with(without_jitter);
    world.answers([status(503).retry_after(2 * SECOND), status(503).retry_after(20 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    let told = world.said(|output| matches!(output, Output::Retrying(flight) if *flight == call));
    assert_eq!(told, [LATENCY + 3 * SECOND]);
}

#[test]
fn a_slow_answer_is_no_retry_to_tell_about() {
    let mut world = World::new();
    world.always(ok().after(20 * SECOND));
    world.call(get("/meals"));
    world.run_dry();
    assert!(world.said(|output| matches!(output, Output::Retrying(_))).is_empty());
}
