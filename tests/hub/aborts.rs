//! A caller who has changed their mind.

use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;

use super::script::{But, HOME, HOUR, SECOND, get, ok, silence, status};
use super::world::World;

#[test]
fn an_abort_ends_a_call_at_once_in_every_state_and_nothing_is_sent_after_it() {
    type Given = fn(&mut World);
    let states: [(&str, Given, bool); 5] = [
        ("sent", |world| world.always(silence()), true),
        ("reading", |world| world.always(ok().pieces(100, SECOND)), true),
        ("waiting for a retry", |world| world.always(status(503).retry_after(20 * SECOND)), false),
        (
            "waiting for the session",
            |world| {
                world.always(status(401));
                world.session_says(|_| None);
            },
            false,
        ),
        (
            "queued",
            |world| {
                world.always(silence());
                for _ in 0..16 {
                    world.call(get("/slow"));
                }
            },
            false,
        ),
    ];
    for (state, given, runs) in states {
        let mut world = World::new();
        given(&mut world);
        let call = world.call(get("/meals"));
        world.run(5 * SECOND);
        world.assert_waits(call);
        let sent = world.sends_of(call).len();
        world.abort(call);
        assert_eq!(world.ended_at(call), 5 * SECOND, "{state}");
        world.assert_ended(call, Kind::Aborted);
        assert_eq!(world.cancelled(call), runs, "{state}: only what runs is cancelled");
        world.assert_balanced(HOME);
        assert_eq!(world.sends_of(call).len(), sent, "{state}");
    }
}

#[test]
fn aborting_twice_too_late_or_what_never_was_does_nothing() {
    let mut world = World::new();
    let call = world.call(get("/meals"));
    world.run(SECOND);
    world.assert_ended(call, End::Ok);
    let before = world.log.len();
    world.abort(call);
    world.abort(call);
    world.abort(4_711);
    assert_eq!(world.log.len(), before);
}

#[test]
fn an_aborted_call_is_not_counted_as_waiting() {
    let mut world = World::new();
    world.always(silence());
    let calls: Vec<_> = (0..20).map(|_| world.call(get("/slow"))).collect();
    world.abort(calls[18]);
    let queued = |world: &World| {
        let last = |(_, output): &(u64, Output)| match output {
            Output::Queued(calls) => Some(*calls),
            _ => None,
        };
        world.log.iter().rev().find_map(last)
    };
    assert_eq!(queued(&world), Some(3));
    world.abort(calls[0]);
    assert_eq!(queued(&world), Some(2), "a slot came free");
    world.run(HOUR);
    assert_eq!(queued(&world), Some(0));
}

#[test]
fn the_slot_of_an_aborted_call_serves_the_next() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.answers([silence()]);
    let stuck = world.call(get("/slow"));
    let next = world.call(get("/meals").deadline(SECOND));
    world.run(100);
    world.abort(stuck);
    world.run(100);
    world.assert_ended(next, End::Ok);
}
