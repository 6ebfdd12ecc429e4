//! Single flight: equal calls share one request, and each of them keeps its own will.

use evenkeel::core::kind::{End, Kind};
use evenkeel::core::verify::SessionAnswer;

use super::script::{But, HOME, LATENCY, MINUTE, SECOND, broken, get, ms, of_session, ok, silence, status};
use super::world::World;

#[test]
fn equal_calls_share_one_request_and_each_is_told() {
    let mut world = World::new();
    world.always(ok().pieces(1, SECOND));
    let leader = world.call(get("/meals").shared());
    world.run(5);
    let early = world.call(get("/meals").shared());
    world.run(SECOND);
    let late = world.call(get("/meals").shared());
    world.run_dry();
    assert_eq!(world.requests.len(), 1);
    for (call, shared) in [(leader, false), (early, true), (late, true)] {
        world.assert_ended(call, End::Ok);
        assert_eq!((world.settled(call).flight, world.settled(call).shared), (leader, shared));
    }
    world.call(get("/meals").shared());
    assert_eq!(world.requests.len(), 2, "what is over is not shared");
}

#[test]
fn calls_that_differ_or_want_to_stay_alone_share_nothing() {
    let mut world = World::new();
    world.call(get("/meals").shared());
    world.call(get("/orders").shared());
    world.call(get("/meals"));
    world.call(get("/meals"));
    // Another user: the key holds who is signed in.
    world.call(get("/meals").but(|call| call.share = Some("b".to_owned())));
    world.run_dry();
    assert_eq!(world.requests.len(), 5);
}

#[test]
fn the_leader_s_abort_does_not_end_the_followers() {
    let mut world = World::new();
    world.always(ok().after(SECOND));
    let leader = world.call(get("/meals").shared());
    let follower = world.call(get("/meals").shared());
    world.abort(leader);
    world.assert_ended(leader, Kind::Aborted);
    assert!(!world.cancelled(leader));
    world.run_dry();
    world.assert_ended(follower, End::Ok);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn the_last_abort_cancels_the_request() {
    let mut world = World::new();
    world.always(silence());
    let leader = world.call(get("/meals").shared());
    let follower = world.call(get("/meals").shared());
    world.abort(follower);
    assert!(!world.cancelled(leader));
    world.abort(leader);
    assert!(world.cancelled(leader));
    world.call(get("/meals").shared());
    assert_eq!(world.requests.len(), 2, "the next one is a new request");
}

#[test]
fn each_caller_has_its_own_deadline() {
    let mut world = World::new();
    world.always(ok().after(20 * SECOND));
    let leader = world.call(get("/meals").shared().deadline(5 * SECOND));
    let hasty = world.call(get("/meals").shared().deadline(2 * SECOND));
    let patient = world.call(get("/meals").shared());
    world.run_dry();
    assert_eq!((world.ended_at(hasty), world.ended_at(leader)), (2 * SECOND, 5 * SECOND));
    world.assert_ended(leader, Kind::Timeout);
    world.assert_ended(patient, End::Ok);
}

#[test]
fn a_caller_whose_deadline_a_wait_does_not_fit_ends_at_once_and_the_patient_go_on() {
    let mut world = World::new();
    world.answers([status(503).retry_after(10 * SECOND)]);
    let hasty = world.call(get("/meals").shared().deadline(5 * SECOND));
    let patient = world.call(get("/meals").shared());
    world.run_dry();
    assert_eq!(world.ended_at(hasty), LATENCY);
    world.assert_ended(hasty, End::Status);
    assert_eq!(world.settled(hasty).retry_after, Some(ms(10 * SECOND)));
    world.assert_ended(patient, End::Ok);
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn a_follower_of_a_call_that_waits_for_its_retry_waits_only_when_that_fits() {
    let mut world = World::new();
    world.answers([status(503).retry_after(20 * SECOND)]);
    let leader = world.call(get("/meals").shared());
    world.run(SECOND);
    let hasty = world.call(get("/meals").shared().deadline(5 * SECOND));
    let patient = world.call(get("/meals").shared());
    assert_eq!(world.ended_at(hasty), SECOND, "it fails at once");
    world.assert_ended(hasty, End::Status);
    assert_eq!(world.settled(hasty).retry_after, Some(ms(20 * SECOND)));
    world.run_dry();
    world.assert_ended(leader, End::Ok);
    world.assert_ended(patient, End::Ok);
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn a_follower_of_a_call_that_waits_for_the_session_shares_what_comes_of_it() {
    for (answer, end) in [(SessionAnswer::User(1), End::Ok), (SessionAnswer::CannotTell, End::Kind(Kind::AuthUnknown))]
    {
        let mut world = World::new();
        world.answers([status(401)]);
        world.session_says(|_| None);
        let leader = world.call(get("/meals").shared());
        world.run(SECOND);
        let follower = world.call(get("/meals").shared());
        world.run(SECOND);
        world.input(of_session(answer));
        world.run_dry();
        world.assert_ended(leader, end);
        world.assert_ended(follower, end);
    }
}

#[test]
fn a_follower_may_raise_the_priority_and_never_lowers_it() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.call(get("/first"));
    let normal = world.call(get("/normal"));
    let raised = world.call(get("/raised").shared().background());
    let follower = world.call(get("/raised").shared().critical());
    world.call(get("/raised").shared().background());
    world.run_dry();
    assert!(world.sends_of(raised) < world.sends_of(normal));
    world.assert_ended(follower, End::Ok);
}

#[test]
fn a_follower_who_cannot_wait_frees_what_was_held_back() {
    let mut world = World::new();
    world.visible(false);
    let held = world.call(get("/meals").shared().background());
    world.run(SECOND);
    world.assert_waits(held);
    let urgent = world.call(get("/meals").shared());
    world.run(SECOND);
    world.assert_ended(held, End::Ok);
    world.assert_ended(urgent, End::Ok);
}

#[test]
fn a_priority_that_was_raised_between_attempts_counts_for_the_next() {
    let mut world = World::new();
    world.answers([status(503).retry_after(SECOND)]);
    let call = world.call(get("/meals").shared().background());
    world.run(100);
    world.visible(false);
    world.call(get("/meals").shared());
    world.run(5 * SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_priority_is_not_lowered_between_attempts() {
    let mut world = World::new();
    world.answers([status(503).retry_after(SECOND)]);
    let call = world.call(get("/meals").shared());
    world.run(100);
    world.visible(false);
    world.call(get("/meals").shared().background());
    world.run(5 * SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn everybody_hears_of_a_failure() {
    let mut world = World::new();
    world.always(broken());
    let calls: Vec<_> = (0..5).map(|_| world.call(get("/meals").shared())).collect();
    world.run_dry();
    calls.iter().for_each(|call| world.assert_ended(*call, Kind::Network));
    assert_eq!(world.requests.len(), 4);
    world.assert_balanced(HOME);
}

#[test]
fn another_user_gets_nothing_that_was_asked_for_by_the_one_before() {
    let mut world = World::new();
    world.answers([status(401), status(401)]);
    world.session_says(|nth| Some(SessionAnswer::User(1 + nth as u32)));
    world.call(get("/known"));
    world.run(SECOND);
    world.always(ok().after(20 * SECOND));
    let running = world.call(get("/meals").shared());
    world.run(SECOND);
    world.answers([status(401)]);
    let asks = world.call(get("/orders"));
    world.run(SECOND);
    world.assert_ended(running, Kind::Aborted);
    world.assert_ended(asks, Kind::Aborted);
    world.always(ok());
    let next = world.call(get("/meals").shared());
    world.run_dry();
    world.assert_ended(next, End::Ok);
    assert_eq!(world.settled(next).flight, next);
}

#[test]
fn a_loop_gone_wild_is_refused_and_not_collected_without_end() {
    let mut world = World::new();
    world.always(ok().after(SECOND));
    let calls: Vec<_> = (0..5_000).map(|_| world.call(get("/meals").shared())).collect();
    world.assert_ended(calls[4_999], Kind::QueueFull);
    world.run(MINUTE);
    world.assert_ended(calls[0], End::Ok);
    world.assert_ended(calls[4_095], End::Ok);
    assert_eq!(world.requests.len(), 1);
}
