//! What can wait, waits while nobody looks or the server struggles.

use evenkeel::core::breaker::BreakerSettings;
use evenkeel::core::connection::ConnectionStatus;
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::origin::Met;
use evenkeel::core::output::Output;

use super::script::{But, ELSEWHERE, HOME, HOUR, LATENCY, MINUTE, SECOND, broken, get, ms, ok, silence, status};
use super::world::World;

/// Two calls in a row that found no server.
fn degraded(mut world: World) -> World {
    world.always(broken());
    for _ in 0..2 {
        world.call(get("/meals").retries(0));
        world.run(LATENCY);
    }
    assert_eq!(world.connection(), ConnectionStatus::Degraded);
    world
}

#[test]
fn background_waits_while_the_page_is_hidden_and_goes_when_it_is_seen() {
    let mut world = World::new();
    world.visible(false);
    let call = world.call(get("/prefetch").background());
    let normal = world.call(get("/meals"));
    world.run(30 * SECOND);
    world.assert_waits(call);
    world.assert_ended(normal, End::Ok);
    world.visible(true);
    assert_eq!(world.sends_of(call), [30 * SECOND]);
    world.run_dry();
    world.assert_ended(call, End::Ok);
}

#[test]
fn background_waits_while_the_connection_is_degraded_and_goes_when_a_call_gets_through() {
    let mut world = degraded(World::new());
    let call = world.call(get("/prefetch").background());
    world.run(SECOND);
    world.assert_waits(call);
    world.always(ok());
    world.call(get("/meals"));
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
    assert_eq!(world.connection(), ConnectionStatus::Online);
}

#[test]
fn background_waits_while_the_browser_is_offline_and_goes_when_it_is_back() {
    let mut world = World::new();
    world.network(false);
    assert_eq!(world.connection(), ConnectionStatus::Offline);
    let call = world.call(get("/prefetch").background());
    world.run(30 * SECOND);
    world.assert_waits(call);
    world.network(true);
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.sends_of(call), [30 * SECOND]);
}

#[test]
fn background_that_is_held_back_still_ends_by_its_deadline() {
    let mut world = World::new();
    world.visible(false);
    let call = world.call(get("/prefetch").background());
    world.run_dry();
    world.assert_ended(call, Kind::Timeout);
    assert_eq!(world.settled(call).attempts, 0);
}

#[test]
fn a_retry_of_background_work_waits_too() {
    let mut world = World::new();
    world.answers([status(503).retry_after(SECOND)]);
    let call = world.call(get("/prefetch").background());
    world.run(100);
    world.visible(false);
    world.run(30 * SECOND);
    world.assert_waits(call);
    world.visible(true);
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_probe_that_gets_through_lets_background_work_go() {
    let mut world = World::new();
    world.probes_meet(|nth| Some(if nth == 0 { Met::Status(503) } else { Met::Status(200) }));
    let mut world = degraded(world);
    world.always(ok());
    let call = world.call(get("/prefetch").background());
    world.run_dry();
    world.assert_ended(call, End::Ok);
    let probes = world.said(|output| *output == Output::Probe);
    assert_eq!(probes.len(), 2, "the first one met a proxy in front of a dead server");
    assert_eq!(world.sends_of(call), [probes[1] + LATENCY]);
}

#[test]
fn background_work_that_waited_through_an_outage_goes_when_it_is_over_and_all_of_it() {
    let mut world = World::new();
    let over = 40 * SECOND;
    world.serve(move |request| if request.at < over { broken() } else { ok() });
    world.call(get("/meals").retries(0));
    world.call(get("/meals").retries(0));
    world.run(SECOND);
    let calls: Vec<_> = (0..5).map(|_| world.call(get("/prefetch").background().retries(0).deadline(HOUR))).collect();
    // Opens the breaker, and keeps it open.
    while world.now < over {
        world.call(get("/meals").retries(0));
        world.run(SECOND);
    }
    world.probes_meet(|_| Some(Met::Status(200)));
    world.run(2 * MINUTE);
    for call in calls {
        world.assert_ended(call, End::Ok);
    }
}

#[test]
fn background_work_that_waits_for_the_breaker_too_is_its_probe_one_at_a_time() {
    let mut world = degraded(World::new());
    let calls: Vec<_> = (0..5).map(|_| world.call(get("/prefetch").background().retries(0).deadline(HOUR))).collect();
    for _ in 0..3 {
        world.call(get("/meals").retries(0));
        world.run(LATENCY);
    }
    // The session endpoint answers, the server behind it does not yet.
    world.probes_meet(|_| Some(Met::Status(200)));
    world.always(status(500));
    let before = world.requests.len();
    world.run(12 * SECOND);
    assert!(world.requests.len() > before, "half-open");
    let ended: Vec<_> = calls.iter().filter(|call| world.has_ended(**call)).collect();
    ended.iter().for_each(|call| world.assert_ended(**call, End::Status));
    world.always(ok());
    world.run(2 * MINUTE);
    calls.iter().for_each(|call| assert_ne!(world.settled(*call).end, End::Kind(Kind::CircuitOpen)));
}

#[test]
fn probes_back_off_to_five_minutes_with_jitter() {
    let mut firsts = Vec::new();
    for seed in 0..50 {
        let mut world = degraded(World::seeded(seed, |_| {}));
        world.run(2 * HOUR);
        let probes = world.said(|output| *output == Output::Probe);
        let gaps: Vec<_> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (nth, gap) in gaps.iter().enumerate() {
            let most = ((20 * SECOND) << nth.min(10)).min(5 * MINUTE);
            assert!((most / 2..=most).contains(gap), "{nth}: {gap}");
        }
        assert!(probes.len() < 55, "{} in two hours", probes.len());
        firsts.push(probes[0]);
    }
    firsts.sort_unstable();
    assert!(firsts[0] < 6 * SECOND && firsts[49] > 9 * SECOND, "many pages do not probe together");
}

#[test]
fn the_next_outage_is_probed_as_soon_as_the_first() {
    let mut world = degraded(World::new());
    world.run(HOUR);
    world.always(ok());
    world.call(get("/meals"));
    world.run(SECOND);
    let before = world.now;
    let mut world = degraded(world);
    world.run(12 * SECOND);
    assert_eq!(world.said(|output| *output == Output::Probe).into_iter().filter(|at| *at > before).count(), 1);
}

#[test]
fn only_a_visible_page_probes() {
    let mut world = degraded(World::new());
    world.visible(false);
    world.run(2 * HOUR);
    assert_eq!(world.said(|output| *output == Output::Probe).len(), 0);
    world.visible(true);
    assert_eq!(world.said(|output| *output == Output::Probe), [world.now]);
}

#[test]
fn a_degraded_connection_without_calls_leaves_no_timer_but_the_probe_s() {
    let mut world = degraded(World::with(|settings| settings.can_probe = false));
    world.run(2 * HOUR);
    assert_eq!(world.requests.len(), 2, "there is nothing to send");
}

#[test]
fn where_nothing_else_can_tell_one_background_call_is_the_probe() {
    let mut world = degraded(World::with(|settings| settings.can_probe = false));
    world.always(silence());
    let calls: Vec<_> = (0..5).map(|_| world.call(get("/prefetch").background().retries(0).deadline(HOUR))).collect();
    world.run(12 * SECOND);
    assert_eq!(world.requests.len(), 3, "one of five");
    world.always(ok().after(SECOND));
    world.run(MINUTE);
    for call in &calls[1..] {
        world.assert_ended(*call, End::Ok);
    }
    let sends = &world.sends()[3..];
    assert_eq!(sends[1], sends[0] + SECOND, "the others go when one got through");
    assert_eq!((sends[1], sends.len()), (sends[3], 4), "and together");
    assert_eq!(world.connection(), ConnectionStatus::Online);
}

#[test]
fn a_background_call_that_comes_late_need_not_wait_for_probes_that_were_never_made() {
    let mut world = degraded(World::with(|settings| settings.can_probe = false));
    world.run(2 * HOUR);
    world.always(ok());
    let call = world.call(get("/prefetch").background());
    world.run_dry();
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_probe_for_which_there_is_no_slot_goes_when_there_is_one() {
    let mut world = degraded(World::with(|settings| {
        settings.can_probe = false;
        settings.gate.max_concurrent = 1;
    }));
    world.always(silence());
    let hangs = world.call(get("/slow").retries(0));
    let waits = world.call(get("/prefetch").background());
    world.run(25 * SECOND);
    assert_eq!(world.sends_of(waits), []);
    world.abort(hangs);
    world.run(1);
    assert_eq!(world.sends_of(waits), [world.ended_at(hangs)]);
}

#[test]
fn a_call_to_somebody_else_is_no_probe() {
    let mut world = World::with(|settings| settings.can_probe = false);
    world.call(get(&format!("{ELSEWHERE}/known")));
    world.run(SECOND);
    let mut world = degraded(world);
    world.always(ok());
    let elsewhere = world.call(get(&format!("{ELSEWHERE}/fonts")).background());
    let home = world.call(get("/prefetch").background());
    world.run(12 * SECOND);
    world.assert_ended(home, End::Ok);
    world.assert_ended(elsewhere, End::Ok);
    assert!(world.sends_of(home)[0] < world.sends_of(elsewhere)[0], "the one that can tell goes first");
}

#[test]
fn an_open_breaker_does_not_end_the_background_call_that_would_be_the_probe() {
    let mut world = degraded(World::with(|settings| {
        settings.can_probe = false;
        settings.breaker = Some(BreakerSettings { open: ms(MINUTE), ..BreakerSettings::default() });
    }));
    let waits = world.call(get("/prefetch").background().deadline(10 * MINUTE));
    for _ in 0..3 {
        world.call(get("/meals").retries(0));
        world.run(LATENCY);
    }
    let late = world.call(get("/prefetch").background().deadline(10 * MINUTE));
    world.always(ok());
    world.run_dry();
    world.assert_ended(waits, End::Ok);
    assert!(world.sends_of(waits)[0] >= MINUTE, "it waited until the breaker was half-open");
    world.assert_ended(late, End::Ok);
    world.assert_balanced(HOME);
}
