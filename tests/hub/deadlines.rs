//! What ends a call that nobody answers, and what time counts for nothing.

use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;
use evenkeel::core::verify::SessionAnswer;

use super::script::{But, HOME, HOUR, LATENCY, MINUTE, SECOND, broken, get, of_session, ok, post, silence, status};
use super::world::World;

#[test]
fn silence_until_the_headers_ends_an_attempt() {
    let mut world = World::new();
    world.always(silence());
    let call = world.call(post("/orders").timeout(5 * SECOND));
    world.run_dry();
    assert_eq!(world.ended_at(call), 5 * SECOND);
    world.assert_ended(call, Kind::Timeout);
    assert!(world.cancelled(call));
}

#[test]
fn silence_between_two_pieces_of_the_body_ends_an_attempt() {
    let mut world = World::new();
    world.answers([ok().pieces(3, SECOND).endless()]);
    let call = world.call(get("/meals").timeout(5 * SECOND));
    world.run(LATENCY + 3 * SECOND + 5 * SECOND - 1);
    assert!(!world.cancelled(call));
    world.run(1);
    assert!(world.cancelled(call));
    world.run_dry();
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_body_that_keeps_coming_is_never_too_slow() {
    let mut world = World::new();
    world.always(ok().pieces(20, 20 * SECOND));
    let call = world.call(get("/video").deadline(HOUR));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.settled(call).attempts, 1);
}

#[test]
fn a_deadline_bounds_the_whole_call_with_its_waits() {
    let mut world = World::with(|settings| (settings.breaker, settings.budget) = (None, None));
    world.always(status(503).after(4 * SECOND));
    let call = world.call(get("/meals").retries(1_000).deadline(45 * SECOND));
    world.run_dry();
    assert!(world.ended_at(call) <= 45 * SECOND);
    assert!(world.settled(call).attempts > 3);
}

#[test]
fn a_deadline_ends_a_call_in_every_state() {
    type Given = fn(&mut World);
    let states: [(&str, Given); 4] = [
        ("sent", |world| world.always(silence())),
        ("reading", |world| world.always(ok().pieces(1_000, SECOND))),
        ("waiting for the session", |world| {
            world.always(status(401));
            world.session_says(|_| None);
        }),
        ("queued", |world| {
            world.always(silence());
            for _ in 0..16 {
                world.call(get("/slow"));
            }
        }),
    ];
    for (state, given) in states {
        let mut world = World::new();
        given(&mut world);
        let call = world.call(get("/meals").deadline(8 * SECOND));
        world.run(8 * SECOND - 1);
        world.assert_waits(call);
        world.run(1);
        assert!(world.has_ended(call), "{state}");
        let sent = world.sends_of(call).len();
        world.assert_balanced(HOME);
        assert_eq!(world.sends_of(call).len(), sent, "{state}: nothing is sent after the end");
    }
}

#[test]
fn a_call_without_time_is_not_even_sent() {
    let mut world = World::new();
    let call = world.call(get("/meals").deadline(0));
    world.assert_ended(call, Kind::Timeout);
    assert_eq!(world.requests.len(), 0);
}

#[test]
fn a_laptop_that_sleeps_for_eight_hours_finds_its_calls_where_they_were() {
    let mut world = World::new();
    world.always(ok().after(20 * SECOND));
    let call = world.call(get("/meals").timeout(25 * SECOND).deadline(30 * SECOND));
    world.run(10 * SECOND);
    world.sleep(8 * HOUR);
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn time_asleep_counts_for_neither_timeout_nor_deadline() {
    let mut world = World::new();
    world.always(silence());
    let timed = world.call(post("/orders").timeout(25 * SECOND));
    let bounded = world.call(post("/orders").timeout(MINUTE).deadline(40 * SECOND));
    world.run(10 * SECOND);
    world.sleep(8 * HOUR);
    let woke = world.now;
    world.run_dry();
    let left = |call| world.ended_at(call) - woke;
    assert!(left(timed).abs_diff(15 * SECOND) <= SECOND, "{}", left(timed));
    assert!(left(bounded).abs_diff(30 * SECOND) <= SECOND, "{}", left(bounded));
}

#[test]
fn several_sleeps_count_for_nothing_together() {
    let mut world = World::new();
    world.always(silence());
    let call = world.call(post("/orders").timeout(30 * SECOND));
    for _ in 0..4 {
        world.run(5 * SECOND);
        world.sleep(10 * MINUTE);
    }
    // Each sleep began up to a second before it was noticed.
    world.run(5 * SECOND);
    world.assert_waits(call);
    world.run(6 * SECOND);
    world.assert_ended(call, Kind::Timeout);
}

#[test]
fn what_was_to_be_retried_while_the_laptop_slept_goes_on_waking() {
    let mut world = World::new();
    world.answers([status(503).retry_after(30 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.sleep(8 * HOUR);
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_laptop_that_sleeps_through_a_session_check_hears_its_answer() {
    let mut world = World::new();
    world.answers([status(401)]);
    world.session_says(|_| None);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.sleep(8 * HOUR);
    world.run(SECOND);
    world.assert_waits(call);
    world.input(of_session(SessionAnswer::User(1)));
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_hidden_tab_whose_timers_come_once_a_minute_is_not_asleep() {
    let mut world = World::new();
    world.always(silence());
    world.visible(false);
    world.throttle(MINUTE);
    let timed = world.call(post("/orders").timeout(30 * SECOND));
    let bounded = world.call(post("/orders").timeout(10 * MINUTE).deadline(90 * SECOND));
    world.run(2 * MINUTE);
    assert_eq!((world.ended_at(timed), world.ended_at(bounded)), (MINUTE, 2 * MINUTE));
}

#[test]
fn a_throttled_tab_takes_an_answer_that_came_in_time() {
    let mut world = World::new();
    world.always(ok().after(20 * SECOND));
    world.visible(false);
    world.throttle(MINUTE);
    let call = world.call(get("/meals"));
    world.run(MINUTE);
    assert_eq!(world.ended_at(call), 20 * SECOND);
}

#[test]
fn a_clock_that_is_set_back_neither_ends_a_call_nor_keeps_it() {
    let mut world = World::new();
    world.always(silence());
    let call = world.call(post("/orders").timeout(20 * SECOND));
    world.run(10 * SECOND);
    world.set_clock(-(HOUR as i64));
    world.run_dry();
    assert!(world.ended_at(call).abs_diff(20 * SECOND) <= 2 * SECOND, "{}", world.ended_at(call));
}

#[test]
fn a_clock_that_is_set_forward_does_not_end_a_call() {
    let mut world = World::new();
    world.always(silence());
    let call = world.call(post("/orders").timeout(20 * SECOND));
    world.run(10 * SECOND);
    world.set_clock(HOUR as i64);
    world.run_dry();
    assert!(world.ended_at(call).abs_diff(20 * SECOND) <= 2 * SECOND, "{}", world.ended_at(call));
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_a_retry() {
    let mut world = World::new();
    world.answers([status(503).retry_after(5 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.set_clock(-(HOUR as i64));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert!(world.ended_at(call) <= 9 * SECOND, "{}", world.ended_at(call));
}

#[test]
fn an_error_whose_body_goes_silent_is_told_by_its_status_and_let_go() {
    let mut world = World::new();
    world.always(status(404).endless());
    let call = world.call(get("/meals/7").timeout(5 * SECOND));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!(world.ended_at(call), LATENCY + 5 * SECOND);
    assert!(world.cancelled(call), "a body that nobody waits for is not read on");
}

#[test]
fn a_call_whose_time_runs_out_between_attempts_is_not_sent_again() {
    let mut world = World::with(|settings| settings.backoff.jitter = evenkeel::core::backoff::Jitter::None);
    world.always(broken());
    let call = world.call(get("/meals").deadline(700));
    world.run(HOUR);
    // 300 and 600 ms: the second wait does not fit.
    assert_eq!(world.sends(), [0, 300 + LATENCY]);
    world.assert_ended(call, Kind::Network);
    assert_eq!(world.ended_at(call), 300 + 2 * LATENCY);
    assert!(world.said(|output| matches!(output, Output::Send(_))).len() == 2);
}
