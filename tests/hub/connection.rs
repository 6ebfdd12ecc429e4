//! One connection state for the whole app, and what the browser's word is worth.

use evenkeel::core::connection::ConnectionStatus::{Degraded, Offline, Online};
use evenkeel::core::hub::{Hub, Input};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::origin::Met;
use evenkeel::core::output::Output;
use evenkeel::core::settings::Settings;
use evenkeel::core::time::Timestamp;

use super::script::{But, ELSEWHERE, HOUR, LATENCY, MINUTE, Reply, SECOND, broken, get, settings, silence, status};
use super::world::World;

fn changes(world: &World) -> Vec<u64> {
    world.said(|output| matches!(output, Output::Connection(..)))
}

#[test]
fn offline_is_a_hint_one_attempt_is_made_and_its_failure_is_offline() {
    for met in [broken(), silence()] {
        let mut world = World::new();
        world.network(false);
        world.always(met);
        let call = world.call(get("/meals"));
        world.run_dry();
        world.assert_ended(call, Kind::Offline);
        assert_eq!((world.settled(call).attempts, world.requests.len()), (1, 1));
    }
}

#[test]
fn an_answer_disproves_the_hint() {
    let mut world = World::new();
    world.network(false);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.connection(), Online);
}

#[test]
fn while_the_browser_sticks_to_its_word_every_failure_is_offline() {
    let mut world = World::new();
    world.network(false);
    world.call(get("/meals"));
    world.run_dry();
    world.always(broken());
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Offline);
    assert_eq!(world.settled(call).attempts, 1);
    world.network(true);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Network);
}

#[test]
fn only_an_answer_ends_a_degraded_connection() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..2 {
        world.call(get("/meals").retries(0));
        world.run_dry();
    }
    world.network(true);
    world.input(Input::Probed(Met::Nothing));
    assert_eq!(world.connection(), Degraded, "the browser never said that it was offline");
    world.input(Input::Probed(Met::Status(500)));
    assert_eq!(world.connection(), Online);
}

#[test]
fn what_fails_before_the_browser_knows_is_retried_and_ends_offline() {
    let mut world = World::new();
    world.always(broken().after(100));
    let call = world.call(get("/meals"));
    world.run(50);
    world.network(false);
    world.run_dry();
    world.assert_ended(call, Kind::Offline);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn an_error_that_came_through_is_told_as_it_is() {
    let mut world = World::new();
    world.network(false);
    world.always(status(503));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!(world.requests.len(), 1, "and not retried");
}

#[test]
fn two_misses_in_a_row_are_a_degraded_connection_and_one_answer_ends_it() {
    let misses: [Reply; 5] = [broken(), silence(), status(502), status(503), status(504)];
    for miss in misses {
        let mut world = World::new();
        world.always(miss);
        world.call(get("/meals").retries(0));
        world.run_dry();
        assert_eq!(world.connection(), Online, "{miss:?}");
        world.call(get("/meals").retries(0));
        world.run_dry();
        assert_eq!(world.connection(), Degraded, "{miss:?}");
        world.always(status(404));
        world.call(get("/meals").retries(0));
        world.run_dry();
        assert_eq!(world.connection(), Online, "{miss:?}: a refusal is an answer");
        assert_eq!(changes(&world).len(), 2);
    }
}

#[test]
fn a_server_that_errs_is_there() {
    let mut world = World::new();
    world.always(status(500));
    for _ in 0..5 {
        world.call(get("/meals").retries(0));
        world.run_dry();
    }
    assert_eq!(world.connection(), Online);
}

#[test]
fn somebody_else_s_server_says_nothing_about_ours() {
    let mut world = World::new();
    world.always(broken());
    for _ in 0..5 {
        world.call(get(&format!("{ELSEWHERE}/fonts")));
        world.run_dry();
    }
    assert_eq!(changes(&world), []);
}

#[test]
fn a_change_is_said_once_and_with_its_time_on_the_host_s_clock() {
    let mut world = World::new();
    world.set_clock(-(HOUR as i64));
    world.run(MINUTE);
    world.network(false);
    world.network(false);
    world.network(true);
    assert_eq!(changes(&world).len(), 2);
    let [(at, Output::Connection(Offline, since)), (_, Output::Connection(Online, _))] = world.log[..] else {
        panic!("{:?}", world.log);
    };
    assert_eq!((at, since), (MINUTE, Timestamp(1_790_000_000_000 + MINUTE - HOUR)));
}

#[test]
fn a_page_that_starts_offline_says_so() {
    let mut hub = Hub::new(Settings { session: None, ..settings() }, 1, Timestamp(5), false, true);
    hub.handle(Timestamp(5), Input::Wake);
    assert_eq!(hub.poll(), Some(Output::Connection(Offline, Timestamp(5))));
    assert_eq!((hub.poll(), hub.next_wake()), (None, None));
}

#[test]
fn an_idle_page_needs_no_timer() {
    let mut world = World::new();
    world.call(get("/meals"));
    world.run_dry();
    world.run(SECOND);
    let before = world.log.len();
    world.run(24 * HOUR);
    assert_eq!(world.log.len(), before);
    assert_eq!(world.sends(), [0]);
    assert!(world.now > LATENCY);
}
