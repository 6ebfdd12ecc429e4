//! When a server or an endpoint is left alone, and how it is found to be back.

use evenkeel::core::breaker::{BreakerSettings, BreakerState};
use evenkeel::core::flight::CallId;
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::origin::{Met, Origin, Pass};
use evenkeel::core::output::Output;
use evenkeel::core::random::Random;
use evenkeel::core::time::Timestamp;

use super::script::{
    But, ELSEWHERE, HOME, HOUR, LATENCY, MINUTE, Reply, Request, SECOND, broken, get, ms, ok, silence, status,
};
use super::world::World;

/// Calls once without retries and waits for the end.
fn once(world: &mut World, url: &str) -> CallId {
    let call = world.call(get(url).retries(0));
    world.run_dry();
    call
}

fn refused(world: &mut World, url: &str) -> bool {
    let before = world.requests.len();
    let call = once(world, url);
    let refused = world.settled(call).end == End::Kind(Kind::CircuitOpen);
    assert_eq!(refused, world.requests.len() == before, "circuitOpen means that nothing was sent");
    refused
}

/// `bad` is answered so, everything else well.
fn one_endpoint_meets(bad: &'static str, reply: Reply) -> impl FnMut(Request) -> Reply {
    move |request| if request.url.contains(bad) { reply } else { ok() }
}

fn opened(world: &World) -> Vec<(u64, bool)> {
    let open = |(at, output): &(u64, Output)| match output {
        Output::Breaker(_, switched) if switched.state == BreakerState::Open => Some((*at, switched.whole_origin)),
        _ => None,
    };
    world.log.iter().filter_map(open).collect()
}

#[test]
fn five_network_errors_in_a_row_close_the_whole_origin() {
    let mut world = World::new();
    world.always(broken());
    for n in 0..5 {
        assert!(!refused(&mut world, &format!("/route/{n}")));
    }
    assert!(refused(&mut world, "/quite/another"));
    assert_eq!(opened(&world).len(), 1);
    assert!(opened(&world)[0].1, "the whole origin");
}

#[test]
fn one_broken_endpoint_does_not_close_the_app() {
    for met in [status(500), status(502), status(503), status(504), silence()] {
        let mut world = World::new();
        world.serve(one_endpoint_meets("/api/bad", met));
        for _ in 0..20 {
            once(&mut world, "/api/bad");
            assert!(!refused(&mut world, "/api/good"), "{met:?}");
        }
        assert!(refused(&mut world, "/api/bad/7?x=1"), "{met:?}: the route is the first two segments");
    }
}

#[test]
fn a_server_that_fails_on_two_routes_is_left_alone_as_a_whole() {
    for met in [status(502), status(503), status(504), silence()] {
        let mut world = World::new();
        world.always(met);
        for n in 0..8 {
            once(&mut world, ["/api/meals", "/api/orders"][n % 2]);
        }
        assert!(refused(&mut world, "/quite/another"), "{met:?}");
    }
}

#[test]
fn internal_errors_count_for_their_route_alone() {
    let mut world = World::new();
    world.always(status(500));
    for n in 0..30 {
        once(&mut world, ["/api/meals", "/api/orders", "/api/users"][n % 3]);
    }
    assert!(refused(&mut world, "/api/meals"));
    assert!(!refused(&mut world, "/quite/another"));
}

#[test]
fn refusals_of_the_request_and_aborts_count_as_neither() {
    for code in [400, 403, 404, 409, 422, 429] {
        let mut world = World::new();
        world.always(status(code));
        for _ in 0..30 {
            assert!(!refused(&mut world, "/meals"), "{code}");
        }
    }
    let mut world = World::new();
    world.always(silence());
    for _ in 0..30 {
        let call = world.call(get("/meals"));
        world.run(SECOND);
        world.abort(call);
    }
    assert!(!refused(&mut world, "/meals"));
}

#[test]
fn an_open_breaker_fails_at_once_and_says_when_to_come_back() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..5 {
        once(&mut world, "/meals");
    }
    let since = opened(&world)[0].0;
    world.run(SECOND);
    let call = world.call(get("/meals"));
    assert_eq!(world.ended_at(call), world.now);
    world.assert_ended(call, Kind::CircuitOpen);
    let retry_after = world.settled(call).retry_after.expect("the rest of the open time");
    assert!(retry_after <= ms(7_500) && retry_after >= ms(3_500));
    assert_eq!(world.settled(call).attempts, 0);
    world.run(since + 8 * SECOND - world.now);
    assert!(!refused(&mut world, "/meals"), "half-open after 5 to 7.5 s");
}

#[test]
fn a_half_open_breaker_lets_one_probe_through_and_fails_the_others_meanwhile() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..5 {
        once(&mut world, "/meals");
    }
    world.run(10 * SECOND);
    world.always(ok().after(2 * SECOND));
    let probe = world.call(get("/meals"));
    let others: Vec<_> = (0..10).map(|_| world.call(get("/meals"))).collect();
    for other in others {
        world.assert_ended(other, Kind::CircuitOpen);
        assert!(world.settled(other).retry_after.is_some());
    }
    world.run(3 * SECOND);
    world.assert_ended(probe, End::Ok);
    assert!(!refused(&mut world, "/meals"), "closed");
}

#[test]
fn any_answer_that_is_no_failure_closes_a_half_open_breaker() {
    for code in [200, 304, 404, 429] {
        let mut world = World::new();
        world.always(silence());
        for _ in 0..5 {
            let call = world.call(get("/meals").retries(0).timeout(SECOND));
            world.run_dry();
            world.assert_ended(call, Kind::Timeout);
        }
        world.run(10 * SECOND);
        world.answers([status(code)]);
        once(&mut world, "/meals");
        let calls: Vec<_> = (0..3).map(|_| world.call(get("/meals"))).collect();
        world.run_dry();
        calls.into_iter().for_each(|call| world.assert_ended(call, End::Ok));
    }
}

#[test]
fn a_network_error_is_no_answer_that_could_close_a_half_open_route() {
    let mut world = World::new();
    world.serve(one_endpoint_meets("/meals", status(503)));
    for _ in 0..5 {
        once(&mut world, "/meals");
    }
    assert!(refused(&mut world, "/meals"));
    world.run(10 * SECOND);
    world.always(broken());
    once(&mut world, "/meals");
    // Half-open still: one at a time.
    world.always(silence());
    let probe = world.call(get("/meals").retries(0).timeout(5 * SECOND));
    assert!(refused(&mut world, "/meals"));
    world.run_dry();
    world.assert_ended(probe, Kind::Timeout);
    assert!(refused(&mut world, "/meals"), "open again");
}

#[test]
fn an_aborted_probe_frees_its_place() {
    type Leaves = fn(&mut World, CallId);
    let ways: [(&str, Leaves); 3] = [
        ("abort", |world, probe| world.abort(probe)),
        ("deadline", |world, _| world.run(4 * SECOND)),
        ("sleep", |world, _| {
            world.sleep(HOUR);
            world.lose_connections();
            world.run(31 * SECOND);
        }),
    ];
    for (way, leaves) in ways {
        for met in [broken(), status(503)] {
            let mut world = World::new();
            world.always(met);
            for _ in 0..5 {
                once(&mut world, "/meals");
            }
            assert!(refused(&mut world, "/meals"));
            world.run(10 * SECOND);
            world.always(silence());
            let probe =
                world.call(get("/meals").retries(0).deadline(if way == "deadline" { 4 * SECOND } else { MINUTE }));
            world.run(SECOND);
            leaves(&mut world, probe);
            assert!(world.has_ended(probe), "{way}");
            world.always(ok());
            assert!(!refused(&mut world, "/meals"), "{way}");
            assert!(!refused(&mut world, "/meals"), "{way}: and closed it");
        }
    }
}

#[test]
fn a_probe_that_cannot_be_sent_frees_its_place() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..5 {
        once(&mut world, "/meals");
    }
    world.run(10 * SECOND);
    world.always(super::script::unsendable());
    once(&mut world, "/meals");
    world.always(ok());
    assert!(!refused(&mut world, "/meals"));
}

#[test]
fn a_request_that_spans_a_sleep_counts_for_nothing() {
    let mut world = World::new();
    for _ in 0..20 {
        world.always(broken().after(20 * SECOND));
        let call = world.call(get("/meals").retries(0));
        world.run(5 * SECOND);
        world.sleep(HOUR);
        world.run(MINUTE);
        world.assert_ended(call, Kind::Network);
    }
    assert_eq!(opened(&world), []);
    assert_eq!(world.connection(), evenkeel::core::connection::ConnectionStatus::Online);
}

#[test]
fn the_attempt_after_a_sleep_counts_again() {
    let mut world = World::new();
    world.always(broken().after(20 * SECOND));
    let call = world.call(get("/meals").retries(1).deadline(HOUR));
    world.run(5 * SECOND);
    world.sleep(HOUR);
    world.run(MINUTE);
    world.assert_ended(call, Kind::Network);
    world.always(broken());
    for _ in 0..4 {
        once(&mut world, "/meals");
    }
    assert!(refused(&mut world, "/meals"), "one before, four now");
}

#[test]
fn a_call_that_was_retrying_ends_with_its_last_real_error() {
    let mut world = World::new();
    world.always(status(503).retry_after(3 * SECOND));
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.always(broken());
    for _ in 0..5 {
        world.call(get("/orders").retries(0));
        world.run(LATENCY);
    }
    world.assert_waits(call);
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!((world.settled(call).attempts, world.settled(call).retry_after), (1, Some(ms(3 * SECOND))));
}

#[test]
fn a_retry_that_the_breaker_would_refuse_is_not_waited_for() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..4 {
        once(&mut world, "/meals");
    }
    let call = world.call(get("/meals"));
    world.run(10);
    world.assert_ended(call, Kind::Network);
    assert_eq!(world.settled(call).attempts, 1);
}

#[test]
fn a_retry_that_outlasts_the_open_time_is_waited_for() {
    let mut world = World::new();
    world.always(status(503));
    for _ in 0..4 {
        once(&mut world, "/meals");
    }
    world.answers([status(503).retry_after(20 * SECOND)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    assert_eq!(opened(&world).len(), 1);
    world.assert_ended(call, End::Ok);
    assert_eq!(world.settled(call).attempts, 2);
}

#[test]
fn two_routes_that_fail_far_apart_are_no_failing_server() {
    let mut world = World::new();
    world.always(status(503));
    for n in 0..20 {
        once(&mut world, &format!("/route/{n}"));
        world.run(31 * SECOND);
    }
    assert_eq!(opened(&world), []);
}

#[test]
fn sixty_four_routes_are_remembered_and_no_more() {
    let mut world = World::new();
    world.serve(one_endpoint_meets("/bad", status(500)));
    for _ in 0..5 {
        once(&mut world, "/bad/route");
    }
    for n in 0..63 {
        once(&mut world, &format!("/good/{n}"));
    }
    assert!(refused(&mut world, "/bad/route"));
    once(&mut world, "/good/64");
    assert!(!refused(&mut world, "/bad/route"));
}

#[test]
fn a_route_that_is_refused_leaves_the_origin_s_probe_to_another() {
    let (mut settings, mut random) = (super::script::settings(), Random::new(1));
    settings.breaker = Some(BreakerSettings { max_open: ms(HOUR), ..BreakerSettings::default() });
    let mut origin = Origin::new(HOME, &settings);
    let now = Timestamp(0);
    let pass = origin.admit("/bad", now, &settings).expect("closed");
    for _ in 0..5 {
        let _ = origin.record("/bad", pass, Met::Status(500), now, &mut random);
    }
    // The route fails its probe, and is open for 10 s at least; the origin opens meanwhile, for 7.5 at most.
    let now = Timestamp(8 * SECOND);
    let probe = origin.admit("/bad", now, &settings).expect("half-open");
    let _ = origin.record("/bad", probe, Met::Status(500), now, &mut random);
    for _ in 0..5 {
        let _ = origin.record("/good", Pass::default(), Met::Broken, now, &mut random);
    }
    let now = Timestamp(16 * SECOND);
    assert!(origin.admit("/bad", now, &settings).is_err());
    assert!(origin.admit("/good", now, &settings).is_ok(), "the place is free");
    assert!(origin.admit("/good", now, &settings).is_err(), "and taken now");
}

#[test]
fn the_open_time_doubles_up_to_its_cap_and_is_jittered() {
    let mut first = Vec::new();
    for seed in 0..10 {
        let mut world = World::seeded(seed, |_| {});
        world.always(broken());
        while world.now < 10 * MINUTE {
            world.call(get("/meals").retries(0));
            world.run(100);
        }
        let opened: Vec<_> = opened(&world).into_iter().map(|(at, _)| at).collect();
        let gaps: Vec<_> = opened.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (nth, gap) in gaps.iter().enumerate() {
            let open = ((5 * SECOND) << nth.min(10)).min(MINUTE);
            assert!((open..open + open / 2 + 200).contains(gap), "{nth}: {gap}");
        }
        assert!(gaps.len() > 6);
        world.always(ok());
        world.run(2 * MINUTE);
        assert!(!refused(&mut world, "/meals"));
        first.push(gaps[0]);
    }
    first.sort_unstable();
    first.dedup();
    assert!(first.len() > 5, "many pages do not probe together");
}

#[test]
fn calls_that_are_queued_when_the_breaker_opens_fail_at_once() {
    let mut world = World::new();
    // Eleven hang, all others are refused the connection: the fifth of them opens the breaker.
    world.serve(|request| if request.nth <= 10 { silence() } else { broken() });
    let calls: Vec<_> = (0..300).map(|_| world.call(get("/meals").retries(0))).collect();
    world.run(SECOND);
    for call in &calls[20..] {
        world.assert_ended(*call, Kind::CircuitOpen);
        assert_eq!(world.ended_at(*call), LATENCY);
    }
    assert_eq!(world.requests.len(), 20);
}

#[test]
fn others_have_their_own_breakers_or_none() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..10 {
        once(&mut world, "/meals");
        assert!(!refused(&mut world, &format!("{ELSEWHERE}/fonts")), "an origin that is not trusted feeds none");
    }
    assert!(!refused(&mut world, "https://api.example/meals"), "another origin");
}

#[test]
fn without_a_breaker_nothing_trips() {
    let mut world = World::with(|settings| settings.breaker = None);
    world.always(broken());
    for _ in 0..50 {
        assert!(!refused(&mut world, "/meals"));
    }
    world.assert_balanced(HOME);
}
