//! What each answer means: go on, wait, ask the session, or the end.

use evenkeel::core::events::report::{Fault, Fire, Reply, Status};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::settings::Settings;
use evenkeel::core::verify::SessionAnswer;

use super::script::{HOUR, MINUTE, SECOND, broken, html, open, reply, settings, silence, status, unsendable};
use super::world::World;

fn no_session() -> Settings {
    Settings { session: None, ..settings() }
}

/// Of a story that ended.
#[track_caller]
fn ended(world: &mut World) -> Option<Fault> {
    assert_eq!(world.status(), Status::Closed);
    let before = world.requests.len();
    world.run(HOUR);
    assert_eq!(world.requests.len(), before, "nothing comes after the end");
    world.shown().fault
}

fn kind(fault: Option<Fault>) -> Option<Kind> {
    match fault?.end {
        End::Kind(kind) => Some(kind),
        _ => None,
    }
}

#[test]
fn a_204_ends_the_stream_without_a_fault() {
    let mut world = World::new();
    world.answers([reply(status(204))]);
    world.run(SECOND);
    assert_eq!(ended(&mut world), None);
    assert_eq!(world.fired(), [Fire::Error]);
}

#[test]
fn other_refusals_end_the_stream_and_say_why() {
    for code in [400, 402, 403, 404, 405, 406, 409, 410, 422, 426, 428, 431, 451, 206, 304] {
        let mut world = World::new();
        world.answers([reply(status(code))]);
        world.run(SECOND);
        let fault = ended(&mut world).expect("a reason");
        assert_eq!((fault.end, fault.status), (End::Status, code));
        assert_eq!(world.fired(), [Fire::Error], "{code}");
    }
}

#[test]
fn another_type_ends_the_stream() {
    let mut world = World::new();
    world.answers([reply(status(200))]);
    world.run(SECOND);
    assert_eq!(kind(ended(&mut world)), Some(Kind::Parse));
}

#[test]
fn what_cannot_be_sent_ends_the_stream() {
    let mut world = World::new();
    world.answers([unsendable()]);
    world.run(SECOND);
    assert_eq!(kind(ended(&mut world)), Some(Kind::Invalid));
}

#[test]
fn in_strict_every_answer_but_a_stream_is_the_end() {
    for answer in [status(401), status(408), status(429), status(500), status(503), status(200), html()] {
        let mut world = World::with(|settings| settings.reconnect.strict = true);
        world.answers([reply(answer)]);
        world.run(SECOND);
        let fault = ended(&mut world).expect("a reason");
        assert_eq!(fault.status, answer.status);
        assert_eq!(world.asked, 0, "the session is left alone");
    }
    let mut world = World::with(|settings| settings.reconnect.strict = true);
    world.answers([broken(), open()]);
    world.run(10 * SECOND);
    assert_eq!(world.status(), Status::Open, "a network error is not");
}

#[test]
fn a_strict_stream_waits_for_headers_and_bytes_for_ever() {
    let mut world = World::with(|settings| settings.reconnect.strict = true);
    world.answers([silence()]);
    world.run(HOUR);
    assert_eq!((world.requests.len(), world.status()), (1, Status::Connecting));

    let mut world = World::with(|settings| settings.reconnect.strict = true);
    world.run(HOUR);
    assert_eq!((world.requests.len(), world.status()), (1, Status::Open));
}

// ---------------------------------------------------------------- the session

#[test]
fn a_401_with_a_living_session_is_tried_again_and_closes_at_the_third() {
    let mut world = World::new();
    world.always(reply(status(401)));
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.asked), (3, 3));
    assert_eq!(kind(ended(&mut world)), Some(Kind::Forbidden));
    assert_eq!(world.shown().fault.map(|fault| fault.status), Some(401));
    assert_eq!(world.fired(), [Fire::Error], "two were no failure");
}

#[test]
fn html_with_a_living_session_is_tried_again_and_closes_at_the_third() {
    let mut world = World::new();
    world.always(reply(html()));
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.asked), (3, 3));
    assert_eq!(kind(ended(&mut world)), Some(Kind::Parse));
}

#[test]
fn a_401_that_the_session_knows_nothing_of_is_forgotten_once_the_stream_opens() {
    let mut world = World::new();
    let denied = || reply(status(401));
    world.answers([denied(), denied(), open().ends(SECOND), denied(), denied(), open()]);
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.status()), (6, Status::Open));
}

#[test]
fn denials_with_another_answer_between_them_are_not_in_a_row() {
    let mut world = World::new();
    let (denied, busy) = (|| reply(status(401)), || reply(status(503)));
    world.answers([denied(), denied(), busy(), denied(), denied(), busy(), denied(), open()]);
    world.run(MINUTE);
    assert_eq!((world.requests.len(), world.status()), (8, Status::Open));
}

#[test]
fn a_401_of_somebody_who_is_signed_out_ends_the_stream_after_all_confirmations() {
    let mut world = World::new();
    world.always(reply(status(401)));
    world.session_says(|_| Some(SessionAnswer::Nobody));
    world.run(10 * SECOND);
    assert_eq!((world.status(), world.asked), (Status::Connecting, 2), "not yet");
    world.run(10 * SECOND);
    assert_eq!((world.requests.len(), world.asked), (1, 3));
    assert_eq!(kind(ended(&mut world)), Some(Kind::Unauthenticated));
}

#[test]
fn html_of_a_sign_in_page_ends_the_stream_of_somebody_who_is_signed_out() {
    let mut world = World::new();
    world.always(reply(html()));
    world.session_says(|_| Some(SessionAnswer::Nobody));
    world.run(MINUTE);
    assert_eq!(kind(ended(&mut world)), Some(Kind::Unauthenticated));
}

#[test]
fn nobody_is_logged_out_by_a_session_endpoint_that_is_down() {
    for answer in [Some(SessionAnswer::CannotTell), None] {
        for denied in [status(401), html()] {
            let mut world = World::new();
            world.always(reply(denied));
            world.session_says(move |_| answer);
            world.run(20 * MINUTE);
            assert_ne!(world.status(), Status::Closed);
            assert_eq!(kind(world.shown().fault), Some(Kind::AuthUnknown));
            assert!((20..200).contains(&world.requests.len()), "{}", world.requests.len());
            world.session_says(|_| Some(SessionAnswer::User(1)));
            world.always(open());
            world.run(MINUTE);
            assert_eq!((world.status(), world.shown().fault), (Status::Open, None));
        }
    }
}

#[test]
fn without_a_session_endpoint_a_401_is_waited_out() {
    for denied in [status(401), html()] {
        let mut world = World::of(no_session, |_| {});
        world.answers([reply(denied), reply(denied), reply(denied), reply(denied)]);
        world.run(SECOND / 100 * 2);
        assert_eq!((world.status(), kind(world.shown().fault)), (Status::Waiting, Some(Kind::AuthUnknown)));
        world.run(MINUTE);
        assert_eq!((world.status(), world.requests.len()), (Status::Open, 5));
    }
}

#[test]
fn a_stranger_s_401_ends_the_stream_and_leaves_the_session_alone() {
    let mut world = World::with(|settings| settings.trusted = false);
    world.always(reply(status(401)));
    world.run(MINUTE);
    assert_eq!((world.asked, world.requests.len()), (0, 1));
    assert_eq!(kind(ended(&mut world)), Some(Kind::AuthUnknown));
}

#[test]
fn a_captive_portal_before_a_stranger_s_stream_is_waited_out() {
    let mut world = World::with(|settings| settings.trusted = false);
    world.answers([reply(html()), reply(html())]);
    world.run(MINUTE);
    assert_eq!((world.asked, world.requests.len(), world.status()), (0, 3, Status::Open));
}

#[test]
fn a_403_and_a_503_leave_the_session_alone() {
    for code in [403, 503] {
        let mut world = World::new();
        world.answers([reply(status(code))]);
        world.run(MINUTE);
        assert_eq!(world.asked, 0, "{code}");
    }
}

#[test]
fn a_refusal_that_is_a_page_is_a_refusal() {
    for code in [403, 404] {
        let mut world = World::new();
        world.answers([reply(Reply { status: code, ..html() })]);
        world.run(SECOND);
        assert_eq!(ended(&mut world).map(|fault| fault.status), Some(code));
        assert_eq!(world.asked, 0);
    }
}
