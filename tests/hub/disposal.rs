//! The end of a client: everybody is told, and nothing is sent after it.

use evenkeel::core::hub::Input;
use evenkeel::core::kind::Kind;
use evenkeel::core::output::Output;
use evenkeel::core::session::SessionOutput;

use super::script::{But, ELSEWHERE, HOUR, LATENCY, SECOND, broken, get, ok, silence, status};
use super::world::World;

#[test]
fn disposing_ends_every_call_in_whatever_state() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 4);
    world.session_says(|_| None);
    world.serve(|request| match request.url.trim_start_matches("https://app.example") {
        "/backoff" => status(503).retry_after(20 * SECOND),
        "/session" => status(401),
        "/reading" => ok().pieces(100, SECOND),
        _ => silence(),
    });
    let urls = ["/backoff", "/session", "/reading", "/sent", "/sent", "/sent", "/queued"];
    let mut calls: Vec<_> = urls.into_iter().map(|url| world.call(get(url).shared())).collect();
    calls.push(world.call(get("/sent").shared()));
    calls.push(world.call(get(&format!("{ELSEWHERE}/fonts"))));
    calls.push(world.call(get("/prefetch").background()));
    world.run(SECOND);
    let sent = world.requests.len();
    world.input(Input::Dispose);
    for call in calls {
        world.assert_ended(call, Kind::Aborted);
        assert_eq!(world.ended_at(call), SECOND);
    }
    assert_eq!(world.said(|output| *output == Output::Session(SessionOutput::Cancel)), [SECOND]);
    assert_eq!(world.watch.running(), 0, "what ran was cancelled");
    world.run(HOUR);
    assert_eq!(world.requests.len(), sent);
}

#[test]
fn after_the_end_nothing_happens_any_more() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..2 {
        world.call(get("/meals").retries(0));
        world.run(LATENCY);
    }
    world.input(Input::Dispose);
    let before = world.log.len();
    world.input(Input::Dispose);
    world.input(Input::Wake);
    world.network(false);
    world.visible(false);
    world.visible(true);
    world.run(HOUR);
    assert_eq!(world.log.len(), before, "no probe, no change");
}

#[test]
fn a_call_that_comes_after_the_end_is_told_so() {
    let mut world = World::new();
    world.input(Input::Dispose);
    let call = world.call(get("/meals"));
    world.assert_ended(call, Kind::Aborted);
    assert_eq!(world.requests.len(), 0);
}
