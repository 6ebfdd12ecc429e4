//! Is somebody still signed in? No answer of a broken server ends a session.

use evenkeel::core::hub::{Input, SessionInput};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;
use evenkeel::core::session::SessionOutput;
use evenkeel::core::verify::SessionAnswer;

use super::script::{
    But, ELSEWHERE, HOME, LATENCY, MINUTE, SECOND, broken, get, of_session, ok, page, post, silence, status,
};
use super::world::World;

fn asked(world: &World) -> Vec<u64> {
    world.said(|output| *output == Output::Session(SessionOutput::Ask))
}

#[test]
fn a_401_with_a_living_session_is_sent_once_more() {
    let mut world = World::new();
    world.answers([status(401)]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!((world.sends(), asked(&world)), (vec![0, 2 * LATENCY], vec![LATENCY]));
}

#[test]
fn a_post_without_a_key_is_sent_once_more_too_because_a_401_did_nothing() {
    let mut world = World::new();
    world.answers([status(401), status(503)]);
    let call = world.call(post("/orders"));
    world.run_dry();
    world.assert_ended(call, End::Status);
    assert_eq!(world.requests.len(), 2, "and not a third time");
}

#[test]
fn a_401_again_with_a_living_session_is_forbidden() {
    let mut world = World::new();
    world.always(status(401));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Forbidden);
    assert_eq!((world.requests.len(), asked(&world).len()), (2, 1));
}

#[test]
fn a_confirmed_sign_out_is_unauthenticated_after_three_spaced_answers() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|_| Some(SessionAnswer::Nobody));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Unauthenticated);
    assert_eq!(world.requests.len(), 1, "not sent again");
    let asked = asked(&world);
    assert_eq!(asked, [LATENCY, 2 * LATENCY + 2 * SECOND, 3 * LATENCY + 12 * SECOND]);
}

#[test]
fn an_answer_that_is_told_three_times_is_one_answer() {
    let mut world = World::new();
    world.answers([status(401)]);
    world.session_says(|_| None);
    let call = world.call(get("/meals"));
    world.run(SECOND);
    for _ in 0..3 {
        world.input(of_session(SessionAnswer::Nobody));
    }
    world.assert_waits(call);
    world.run(2 * SECOND);
    assert_eq!(asked(&world).len(), 2);
    world.input(of_session(SessionAnswer::User(1)));
    world.run_dry();
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_database_that_blinks_for_ten_seconds_logs_nobody_out() {
    let mut world = World::new();
    world.answers([status(401)]);
    world.session_says(|nth| Some(if nth < 2 { SessionAnswer::Nobody } else { SessionAnswer::User(1) }));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
}

#[test]
fn a_session_that_cannot_be_verified_is_auth_unknown() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|_| Some(SessionAnswer::CannotTell));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::AuthUnknown);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_session_endpoint_that_breaks_between_two_answers_proves_nothing() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|nth| Some(if nth == 0 { SessionAnswer::Nobody } else { SessionAnswer::CannotTell }));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::AuthUnknown);
}

#[test]
fn a_session_endpoint_that_never_answers_is_auth_unknown_after_its_timeout() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|_| None);
    let call = world.call(get("/meals"));
    world.run_dry();
    assert_eq!(world.ended_at(call), 10 * SECOND + LATENCY);
    world.assert_ended(call, Kind::AuthUnknown);
    assert_eq!(world.said(|output| *output == Output::Session(SessionOutput::Cancel)), [10 * SECOND + LATENCY]);
}

#[test]
fn one_question_is_asked_for_however_many_callers() {
    let mut world = World::new();
    world.serve(|request| if request.attempt.number == 1 { status(401) } else { ok() });
    let calls: Vec<_> = (0..50).map(|n| world.call(get(&format!("/meals/{n}")))).collect();
    world.run_dry();
    calls.iter().for_each(|call| world.assert_ended(*call, End::Ok));
    assert!(asked(&world).len() <= 50_usize.div_ceil(16), "{:?}", asked(&world));
}

#[test]
fn an_answer_in_time_counts_for_every_call_that_waits() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|_| None);
    let calls: Vec<_> = (0..10).map(|n| world.call(get(&format!("/meals/{n}")))).collect();
    world.run(SECOND);
    world.input(of_session(SessionAnswer::User(1)));
    world.run_dry();
    calls.iter().for_each(|call| world.assert_ended(*call, Kind::Forbidden));
    assert_eq!(asked(&world).len(), 1);
}

#[test]
fn without_a_session_a_401_is_auth_unknown_and_logs_nobody_out() {
    let mut world = World::with(|settings| settings.session = None);
    world.always(status(401));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::AuthUnknown);
    assert_eq!((world.requests.len(), asked(&world).len()), (1, 0));
}

#[test]
fn somebody_else_s_401_asks_nobody() {
    let mut world = World::new();
    world.always(status(401));
    let call = world.call(get(&format!("{ELSEWHERE}/fonts")));
    world.run_dry();
    world.assert_ended(call, Kind::AuthUnknown);
    assert_eq!((world.requests.len(), asked(&world).len()), (1, 0));
}

#[test]
fn refusals_failures_and_silence_never_touch_the_session() {
    for met in [status(403), status(500), status(503), broken(), silence()] {
        let mut world = World::new();
        world.always(met);
        world.call(get("/meals"));
        world.run_dry();
        assert_eq!(asked(&world), [], "{met:?}");
    }
}

#[test]
fn a_sign_in_page_where_data_was_asked_for_is_no_data() {
    let mut world = World::new();
    world.answers([page().redirected()]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.requests.len(), 2);

    let mut world = World::new();
    world.always(page());
    world.session_says(|_| Some(SessionAnswer::Nobody));
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Unauthenticated);
}

#[test]
fn a_page_again_with_a_living_session_is_a_body_that_cannot_be_parsed() {
    let mut world = World::new();
    world.always(page());
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, Kind::Parse);
    assert_eq!((world.requests.len(), asked(&world).len()), (2, 1));
    assert!(world.cancelled(call), "nobody reads it");
    assert_eq!(world.said(|output| matches!(output, Output::Read(_))), []);
}

#[test]
fn a_page_where_no_session_can_be_asked_is_one_too() {
    for url in ["/meals", "https://cdn.example/meals"] {
        let mut world = World::with(|settings| settings.session = None);
        world.always(page());
        let call = world.call(get(url));
        world.run_dry();
        world.assert_ended(call, Kind::Parse);
        assert_eq!(world.requests.len(), 1);
    }
}

#[test]
fn who_asks_for_a_page_gets_it_unless_it_is_another_one() {
    let page_wanted = || get("/help").but(|call| call.traits.wants_data = false);
    let mut world = World::new();
    world.always(page());
    let call = world.call(page_wanted());
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(asked(&world), []);

    world.always(page().redirected());
    let call = world.call(page_wanted());
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(asked(&world).len(), 1, "a sign-in page, perhaps; the session lives, so it was meant");
}

#[test]
fn a_write_that_leads_to_a_page_is_not_sent_twice_to_see_whether_it_was_meant() {
    let form = || post("/orders").but(|call| call.traits.wants_data = false);
    for reply in [page(), page().redirected()] {
        let mut world = World::new();
        world.always(reply);
        let call = world.call(form());
        world.run_dry();
        world.assert_ended(call, End::Ok);
        assert_eq!((world.requests.len(), asked(&world).len()), (1, 0));
    }
}

#[test]
fn a_write_is_sent_once_more_only_when_it_was_refused() {
    for (reply, end, sent) in
        [(status(401), End::Ok, 2), (page().redirected(), End::Ok, 2), (page(), End::Kind(Kind::Parse), 1)]
    {
        let mut world = World::new();
        world.answers([reply]);
        let call = world.call(post("/orders"));
        world.run_dry();
        world.assert_ended(call, end);
        assert_eq!((world.requests.len(), asked(&world).len()), (sent, 1), "{reply:?}");
    }
}

#[test]
fn a_redirect_to_data_is_data() {
    let mut world = World::new();
    world.always(ok().redirected());
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(asked(&world), []);
}

#[test]
fn the_resend_is_followed_by_retries_where_they_are_allowed() {
    let mut world = World::new();
    world.answers([status(503), status(401), status(503), broken()]);
    let call = world.call(get("/meals"));
    world.run_dry();
    world.assert_ended(call, End::Ok);
    assert_eq!(world.settled(call).attempts, 5, "three retries, and one for the session");
}

#[test]
fn a_body_that_can_be_read_only_once_is_not_sent_once_more() {
    let mut world = World::new();
    world.always(status(401));
    let call = world.call(post("/upload").but(|call| call.traits.replayable = false));
    world.run_dry();
    world.assert_ended(call, Kind::AuthUnknown);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn calls_that_waited_for_the_session_go_in_the_order_in_which_they_came() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 2);
    world.always(status(401));
    world.session_says(|_| None);
    let calls: Vec<_> = (0..6).map(|n| world.call(get(&format!("/meals/{n}")))).collect();
    world.run(SECOND);
    assert_eq!(world.requests.len(), 6);
    world.always(ok());
    world.input(of_session(SessionAnswer::User(1)));
    world.run_dry();
    let order: Vec<_> = world.requests[6..].iter().map(|request| request.attempt.flight).collect();
    assert_eq!(order, calls);
}

#[test]
fn a_loop_that_meets_401s_is_not_collected_without_end() {
    let mut world = World::with(|settings| (settings.gate.max_concurrent, settings.gate.rate) = (1_000, None));
    world.always(status(401));
    world.session_says(|_| None);
    let calls: Vec<_> = (0..600).map(|_| world.call(get("/meals"))).collect();
    world.run(SECOND);
    let waiting = calls.iter().filter(|call| !world.has_ended(**call)).count();
    assert_eq!(waiting, 512);
    world.assert_ended(calls[599], Kind::AuthUnknown);
    world.assert_balanced(HOME);
}

#[test]
fn nobody_is_kept_waiting_by_a_caller_who_left() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|_| None);
    let first = world.call(get("/meals"));
    world.run(SECOND);
    let second = world.call(get("/orders"));
    world.run(SECOND);
    world.abort(first);
    world.input(of_session(SessionAnswer::CannotTell));
    world.assert_ended(second, Kind::AuthUnknown);
}

#[test]
fn an_answer_that_nobody_asked_for_says_nothing() {
    let mut world = World::new();
    world.always(ok().after(MINUTE));
    let call = world.call(get("/meals").timeout(2 * MINUTE));
    for answer in [SessionAnswer::User(1), SessionAnswer::User(2), SessionAnswer::Nobody, SessionAnswer::CannotTell] {
        world.input(of_session(answer));
    }
    world.run_dry();
    world.assert_ended(call, End::Ok);
    world.assert_balanced(HOME);
}

#[test]
fn the_same_user_again_aborts_nothing_and_another_one_aborts_only_what_is_ours() {
    let mut world = World::new();
    world.answers([status(401), ok(), status(401)]);
    world.session_says(|nth| Some(SessionAnswer::User(if nth < 2 { 1 } else { 2 })));
    let first = world.call(get("/meals"));
    world.run(SECOND);
    let again = world.call(get("/meals"));
    world.run(SECOND);
    world.assert_ended(first, End::Ok);
    world.assert_ended(again, End::Ok);

    world.serve(|request| if request.url.contains("/orders") { status(401) } else { ok().after(5 * SECOND) });
    let ours = world.call(get("/meals"));
    let theirs = world.call(get(&format!("{ELSEWHERE}/fonts")));
    world.call(get("/orders"));
    world.run_dry();
    world.assert_ended(ours, Kind::Aborted);
    world.assert_ended(theirs, End::Ok);
}

#[test]
fn a_sign_out_between_two_users_does_not_hide_the_change() {
    let mut world = World::new();
    world.always(status(401));
    world.session_says(|nth| {
        Some(match nth {
            0 => SessionAnswer::User(1),
            1..=3 => SessionAnswer::Nobody,
            _ => SessionAnswer::User(2),
        })
    });
    for end in [Kind::Forbidden, Kind::Unauthenticated, Kind::Aborted] {
        let call = world.call(get("/meals"));
        world.run_dry();
        world.assert_ended(call, end);
    }
}

#[test]
fn a_post_without_a_key_that_html_answers_is_not_sent_twice_since_it_may_have_been_done() {
    let mut world = World::new();
    world.always(page());
    let call = world.call(post("/orders"));
    world.run_dry();
    world.assert_ended(call, Kind::Parse);
    assert_eq!((world.requests.len(), asked(&world).len()), (1, 1), "and yet somebody asks who is signed in");
}

/// The person signs out, and the server does so.
fn sign_out(world: &mut World) {
    world.input(Input::Session(SessionInput::SignOut));
    world.input(Input::Session(SessionInput::SignedOut(true)));
}

#[test]
fn what_waits_to_be_sent_again_is_not_sent_as_the_next_person_s() {
    let mut world = World::new();
    world.answers([status(503).retry_after(3 * SECOND)]);
    let call = world.call(get("/orders"));
    world.run(SECOND);
    sign_out(&mut world);
    world.assert_ended(call, End::Status);
    world.run(MINUTE);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn what_waits_for_its_turn_is_not_sent_as_the_next_person_s() {
    let mut world = World::with(|settings| settings.gate.max_concurrent = 1);
    world.always(ok().after(5 * SECOND));
    let running = world.call(get("/meals"));
    let queued = world.call(get("/orders"));
    world.run(SECOND);
    sign_out(&mut world);
    world.assert_ended(queued, Kind::Aborted);
    world.run_dry();
    world.assert_ended(running, End::Ok);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn what_is_out_when_somebody_signs_out_is_shared_with_nobody_after_them() {
    let mut world = World::new();
    world.always(ok().after(2 * SECOND));
    let before = world.call(get("/orders").shared());
    sign_out(&mut world);
    let after = world.call(get("/orders").shared());
    world.run_dry();
    assert_eq!((world.settled(before).flight, world.settled(after).flight), (before, after));
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn what_is_out_when_somebody_signs_out_is_not_tried_again() {
    let mut world = World::new();
    world.always(status(503).after(2 * SECOND));
    let call = world.call(get("/meals"));
    let elsewhere = world.call(get(&[ELSEWHERE, "/map"].concat()));
    world.run(SECOND);
    sign_out(&mut world);
    world.run_dry();
    world.assert_ended(call, End::Status);
    world.assert_ended(elsewhere, End::Status);
    assert_eq!(world.requests.len(), 1 + 4, "nobody is anybody elsewhere");
}
