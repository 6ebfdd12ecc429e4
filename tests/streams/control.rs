//! What the app wants: a new connection, or none any more. And another user.

use evenkeel::core::events::report::{Broken, Fire, Status};
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::verify::SessionAnswer;

use super::script::{
    Answer, HOUR, MINUTE, SECOND, broken, busy, denied_call, events, ms, of_session, open, reply, silence, status,
};
use super::world::{World, answered};

/// A page in each state that a stream can be in.
fn states() -> Vec<(&'static str, World)> {
    let in_state = |answer: Answer| {
        let mut world = World::new();
        world.session_says(|_| None);
        world.always(answer);
        world.run(SECOND);
        world
    };
    let mut polling = World::with(|settings| settings.poll = Some(ms(5 * SECOND)));
    polling.always(silence());
    while polling.status() != Status::Polling {
        polling.run(1);
    }
    let mut away = in_state(open());
    away.input(Input::Away(true));
    let mut paused = World::with(|settings| settings.pause_hidden = Some(ms(MINUTE)));
    paused.visible(0, false);
    paused.run(2 * MINUTE);
    vec![
        ("new", World::new()),
        ("connecting", in_state(silence())),
        ("open", in_state(open())),
        ("asking the session", in_state(reply(status(401)))),
        ("waiting", in_state(reply(busy(HOUR)))),
        ("polling", polling),
        ("away", away),
        ("paused", paused),
    ]
}

#[test]
fn whoever_closes_a_stream_hears_nothing_of_it_again() {
    for (state, mut world) in states() {
        world.stream(StreamInput::Close);
        let (fired, got) = (world.fired(), world.page().got.len());
        world.run(0);
        let (connects, polls) = (world.requests.len(), world.polls.len());
        assert_eq!((world.status(), world.open_streams()), (Status::Closed, 0), "{state}");
        for input in [Input::Away(false), Input::Network(false), Input::Network(true), Input::Visible(true)] {
            world.input(input);
        }
        world.stream(StreamInput::Again);
        for connection in 1..5 {
            world.input(answered(connection, events()));
            world.bytes(0, connection, "data: late\n\n");
            world.stream(StreamInput::Broken(connection, Broken::Lost));
        }
        world.stream(StreamInput::Polled(Some(events())));
        world.input(of_session(SessionAnswer::User(2)));
        world.run(HOUR);
        assert_eq!((world.requests.len(), world.polls.len()), (connects, polls), "{state}");
        assert_eq!((world.fired(), world.page().got.len()), (fired, got), "{state}");
    }
}

#[test]
fn what_is_disposed_of_is_closed_too() {
    for (state, mut world) in states() {
        world.input(Input::Dispose);
        world.run(0);
        let connects = world.requests.len();
        assert_eq!((world.status(), world.open_streams()), (Status::Closed, 0), "{state}");
        world.stream(StreamInput::Again);
        world.bytes(0, 1, "data: late\n\n");
        world.run(HOUR);
        assert_eq!((world.requests.len(), world.page().got.len()), (connects, 0), "{state}");
    }
}

#[test]
fn whoever_wants_a_new_connection_gets_it_at_once_with_a_fresh_backoff() {
    for (state, mut world) in states().into_iter().filter(|(state, _)| *state != "away") {
        world.run(0);
        let before = world.requests.len();
        world.always(open().says(0, ":\n"));
        world.stream(StreamInput::Again);
        world.run(20);
        let shown = world.shown();
        assert_eq!((world.requests.len(), shown.status, shown.attempts), (before + 1, Status::Open, 0), "{state}");
        assert_eq!((shown.fault, world.open_streams()), (None, 1), "{state}");
    }
}

#[test]
fn a_page_in_the_back_forward_cache_connects_when_it_is_back_and_not_before() {
    let mut world = World::new();
    world.run(SECOND);
    world.input(Input::Away(true));
    world.stream(StreamInput::Again);
    world.run(MINUTE);
    assert_eq!(world.requests.len(), 1);
    world.input(Input::Away(false));
    world.run(SECOND);
    assert_eq!((world.requests.len(), world.status()), (2, Status::Open));
}

#[test]
fn a_loop_that_asks_for_connections_has_one_at_a_time() {
    let mut world = World::new();
    for _ in 0..100 {
        world.stream(StreamInput::Again);
        world.run(1);
        assert!(world.open_streams() <= 1);
    }
    world.run(SECOND);
    assert_eq!((world.status(), world.open_streams()), (Status::Open, 1));
}

#[test]
fn late_word_of_an_earlier_connection_says_nothing_about_the_present_one() {
    let late: [fn(&mut World); 4] = [
        |world| world.input(answered(1, events())),
        |world| world.input(answered(1, status(404))),
        |world| world.stream(StreamInput::Broken(1, Broken::Lost)),
        |world| world.stream(StreamInput::Broken(1, Broken::Unsendable)),
    ];
    for word in late {
        for (answer, state) in [(silence(), Status::Connecting), (open(), Status::Open), (broken(), Status::Waiting)] {
            let mut world = World::seeded(3, |_| {});
            world.always(silence());
            world.run(SECOND);
            world.always(answer);
            world.stream(StreamInput::Again);
            world.run(20);
            let before = (world.page().shows.len(), world.requests.len());
            assert_eq!(world.status(), state);
            word(&mut world);
            assert_eq!((world.page().shows.len(), world.requests.len()), before);
        }
    }
}

#[test]
fn a_second_word_about_the_same_connection_says_nothing() {
    let mut world = World::new();
    world.run(SECOND);
    world.input(answered(1, status(404)));
    world.input(answered(1, events()));
    assert_eq!((world.status(), world.fired()), (Status::Open, vec![Fire::Open]));
}

#[test]
fn a_poll_s_answer_that_nobody_asked_for_is_not_taken() {
    let mut world = World::new();
    world.run(SECOND);
    world.stream(StreamInput::Polled(Some(events())));
    world.stream(StreamInput::Polled(None));
    assert_eq!((world.status(), world.fired()), (Status::Open, vec![Fire::Open]));
}

// ---------------------------------------------------------------- another user

/// Somebody is verified as signed in, by a 401 that the stream met.
fn verified_as(world: &mut World, user: u32) {
    world.session_says(move |_| Some(SessionAnswer::User(user)));
    world.answers([reply(status(401))]);
    world.stream(StreamInput::Again);
    world.run(SECOND);
    assert_eq!(world.status(), Status::Open);
}

#[test]
fn another_user_s_stream_begins_anew_and_not_from_an_id_of_the_one_before() {
    let mut world = World::new();
    verified_as(&mut world, 1);
    world.say("id: of-the-first\ndata: x\n\n");
    verified_as(&mut world, 1);
    assert_eq!(world.requests.last().map(|request| request.last_id.as_str()), Some("of-the-first"));
    verified_as(&mut world, 2);
    assert_eq!(world.requests.last().map(|request| request.last_id.as_str()), Some(""));
    world.say("id: of-the-first\ndata: x\n\n");
    world.assert_got(0, &["x", "x"]);
}

#[test]
fn a_stranger_s_stream_has_nothing_to_do_with_the_user() {
    let mut world = World::with(|settings| settings.trusted = false);
    world.run(SECOND);
    world.say("id: 7\ndata: x\n\n");
    for user in [1, 2] {
        let call = denied_call(user);
        world.session_says(move |_| Some(SessionAnswer::User(user)));
        world.call_denied(call);
        world.run(SECOND);
    }
    assert_eq!((world.asked, world.requests.len(), world.status()), (2, 1, Status::Open));
}

#[test]
fn an_open_stream_is_replaced_when_a_call_finds_another_user() {
    let mut world = World::new();
    world.run(SECOND);
    world.say("id: 7\ndata: x\n\n");
    for user in [1, 2] {
        let call = denied_call(user);
        world.session_says(move |_| Some(SessionAnswer::User(user)));
        world.call_denied(call);
        world.run(SECOND);
    }
    assert_eq!((world.asked, world.requests.len(), world.status()), (2, 2, Status::Open));
    assert_eq!((world.requests[1].last_id.as_str(), world.open_streams()), ("", 1));
}

#[test]
fn another_user_does_not_bring_a_page_back_that_nobody_sees() {
    let mut world = World::with(|settings| settings.pause_hidden = Some(ms(MINUTE)));
    world.run(SECOND);
    world.visible(0, false);
    world.run(2 * MINUTE);
    for user in [1, 2] {
        world.session_says(move |_| Some(SessionAnswer::User(user)));
        world.call_denied(denied_call(user));
        world.run(SECOND);
    }
    assert_eq!((world.asked, world.requests.len(), world.status()), (2, 1, Status::Paused));
}
