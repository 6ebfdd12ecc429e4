//! Polling takes over where streaming does not get through, and retires when it does.

use evenkeel::core::events::report::{Fire, Status, StreamOutput};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::events::streams::StreamsOutput;
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;
use evenkeel::core::verify::SessionAnswer;

use super::script::{Answer, HOUR, MINUTE, Polled, SECOND, broken, busy, html, ms, open, reply, silence, status};
use super::world::{STREAM, World, numbered};

/// Between two polls.
const INTERVAL: u64 = 5 * SECOND;

fn polls(settings: &mut StreamSettings) {
    settings.poll = Some(ms(INTERVAL));
}

const TAKE_POLL: Output = Output::Streams(StreamsOutput::Stream(STREAM, StreamOutput::TakePoll));

/// A proxy holds every response back.
fn blocked() -> World {
    blocked_by(silence())
}

fn blocked_by(answer: Answer) -> World {
    let mut world = World::with(polls);
    world.always(answer);
    world
}

fn run_until(world: &mut World, status: Status) {
    let began = world.now;
    while world.status() != status {
        assert!(world.now < began + HOUR, "never {status:?}");
        world.run(1);
    }
}

/// The stretches between polls.
fn gaps(world: &World) -> Vec<u64> {
    world.polls.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

fn kind(world: &World) -> Option<Kind> {
    match world.shown().fault?.end {
        End::Kind(kind) => Some(kind),
        _ => None,
    }
}

#[test]
fn polling_begins_after_two_connections_without_headers() {
    let mut world = blocked();
    world.run(20 * SECOND);
    assert!(world.polls.is_empty());
    run_until(&mut world, Status::Polling);
    assert!((20 * SECOND..22 * SECOND).contains(&world.polls[0].0), "{:?}", world.polls);
    assert_eq!(world.shown().fault, None);
    assert_eq!(world.fired(), [Fire::Error, Fire::Error, Fire::Open]);
}

#[test]
fn polling_begins_after_two_connections_without_a_byte() {
    let mut world = blocked_by(open());
    run_until(&mut world, Status::Polling);
    assert!((150 * SECOND..165 * SECOND).contains(&world.polls[0].0), "{:?}", world.polls);
}

#[test]
fn polling_begins_for_nothing_else() {
    let others: [fn() -> Answer; 4] = [broken, || reply(status(503)), || open().ends(SECOND), || open().says(0, ":\n")];
    for answer in others {
        let mut world = blocked_by(answer());
        world.run(20 * MINUTE);
        assert!(world.polls.is_empty());
        // Once a silence is not twice in a row.
        let mut world = World::with(polls);
        world.answers([silence(), answer(), silence(), answer(), open().says(0, ":\n")]);
        world.run(MINUTE);
        assert!(world.polls.is_empty());
    }
}

#[test]
fn without_anything_to_poll_nothing_is_polled() {
    let mut world = World::new();
    world.always(silence());
    world.run(HOUR);
    assert!(world.polls.is_empty());
    assert_ne!(world.status(), Status::Polling);
}

#[test]
fn polls_come_every_five_seconds_and_a_little_more_and_go_on_from_the_newest_id() {
    let mut world = blocked();
    world.polls_bring(|nth| Polled::events(&[&nth.to_string()]));
    world.run(5 * MINUTE);
    assert_eq!(world.page().data()[..3], ["0", "1", "2"]);
    assert_eq!(world.polls[..3].iter().map(|poll| poll.1.as_str()).collect::<Vec<_>>(), ["", "0", "1"]);
    assert!(gaps(&world).iter().all(|gap| (INTERVAL..=INTERVAL + INTERVAL / 10 + 10).contains(gap)));
    assert!(gaps(&world).iter().any(|gap| *gap != gaps(&world)[0]), "with jitter");
}

#[test]
fn streaming_is_tried_on_beside_it_with_a_backoff_and_nothing_of_that_is_shown() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    let (shows, before) = (world.page().shows.len(), world.requests.len());
    world.run(20 * MINUTE);
    assert!((20..80).contains(&(world.requests.len() - before)), "{}", world.requests.len());
    assert!(world.page().shows[shows..].iter().all(|(_, shown, fire)| {
        shown.status == Status::Polling && shown.fault.is_none() && *fire == Fire::Nothing
    }));
}

#[test]
fn polling_retires_at_a_stream_s_first_byte_and_not_before() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.always(open().says(30 * SECOND, ": at last\n"));
    let before = world.requests.len();
    while world.requests.len() == before {
        world.run(1);
    }
    world.run(29 * SECOND);
    assert_eq!(world.status(), Status::Polling);
    world.run(2 * SECOND);
    assert_eq!(world.status(), Status::Open);
    let polls = world.polls.len();
    world.run(MINUTE);
    assert_eq!(world.polls.len(), polls);
    assert_eq!(world.fired().iter().filter(|fire| **fire == Fire::Open).count(), 1, "it was open all the time");
}

#[test]
fn a_poll_that_is_out_when_the_first_byte_comes_is_dropped() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.polls_bring(|_| Polled::silent());
    world.always(open().says(10 * SECOND, ": at last\n"));
    run_until(&mut world, Status::Open);
    world.run(SECOND);
    let polls = world.polls.len();
    world.input(Input::Stream(STREAM, StreamInput::Polled(Polled::events(&["late"]).reply)));
    world.run(MINUTE);
    assert_eq!((world.polls.len(), world.page().data()), (polls, vec![]));
}

#[test]
fn what_polls_and_stream_both_bring_is_delivered_once() {
    let mut world = blocked();
    world.polls_bring(|nth| if nth < 3 { Polled::events(&[&(nth + 1).to_string()]) } else { Polled::nothing() });
    while world.page().got.len() < 3 {
        world.run(1);
    }
    world.always(open().says(0, &format!("{}{}{}", numbered(2), numbered(3), numbered(4))));
    run_until(&mut world, Status::Open);
    world.assert_got(0, &["1", "2", "3", "4"]);
}

#[test]
fn what_a_poll_brought_between_a_stream_s_headers_and_its_first_byte_is_not_repeated() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    // The stream goes on from nothing; its headers are through, and its bytes are held back for a while.
    world.always(open().says(20 * SECOND, &format!("{}{}{}", numbered(1), numbered(2), numbered(3))));
    let before = world.requests.len();
    while world.requests.len() == before {
        world.run(1);
    }
    world.run(SECOND);
    let now = world.polls.len();
    world.polls_bring(move |nth| match nth - now {
        0 => Polled::events(&["1"]),
        1 => Polled::events(&["2"]),
        _ => Polled::nothing(),
    });
    run_until(&mut world, Status::Open);
    world.assert_got(0, &["1", "2", "3"]);
}

#[test]
fn failed_polls_back_off_and_say_so_once_polling_was_open() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.polls_bring(|_| Polled::lost());
    let before = world.polls.len();
    world.run(10 * MINUTE);
    assert_eq!(kind(&world), Some(Kind::Timeout), "streaming is what is shown again");
    let gaps = gaps(&world)[before..].to_vec();
    assert!(gaps.iter().all(|gap| (INTERVAL..34 * SECOND).contains(gap)), "{gaps:?}");
    assert!(gaps[6..].iter().all(|gap| *gap >= 30 * SECOND), "{gaps:?}");
    world.polls_bring(|_| Polled::nothing());
    run_until(&mut world, Status::Polling);
    assert_eq!(world.shown().fault, None);
}

#[test]
fn a_poll_that_is_told_to_wait_waits_whatever_happens() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.polls_bring(|_| Polled::reply(busy(2 * MINUTE)));
    let before = world.polls.len();
    while world.polls.len() == before {
        world.run(1);
    }
    world.run(SECOND);
    world.polls_bring(|_| Polled::nothing());
    world.network(false);
    world.network(true);
    world.visible(0, false);
    world.visible(0, true);
    world.run(3 * MINUTE);
    let gap = gaps(&world)[before];
    assert!((2 * MINUTE..2 * MINUTE + 15 * SECOND).contains(&gap), "{gap}");
}

#[test]
fn the_return_of_the_network_brings_the_next_poll_forward() {
    // While the stream waits, and while it is tried.
    for trying in [false, true] {
        let mut world = blocked();
        run_until(&mut world, Status::Polling);
        world.polls_bring(|_| Polled::lost());
        world.run(5 * MINUTE);
        let gap = |world: &World| world.now - world.polls.last().expect("a poll").0;
        while gap(&world) != 5 * SECOND || world.page().connection.is_some() != trying {
            world.run(1);
        }
        let before = world.polls.len();
        world.network(true);
        world.run(SECOND);
        assert_eq!(world.polls.len(), before + 1, "trying: {trying}");
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_not_polled_again() {
    for code in [400, 403, 404, 405, 410] {
        let mut world = blocked();
        world.polls_bring(move |_| Polled::reply(status(code)));
        world.run(HOUR);
        assert_eq!(world.polls.len(), 1, "{code}");
        assert_ne!(world.status(), Status::Polling);
        assert_ne!(world.status(), Status::Closed, "streaming is tried on");
    }
}

#[test]
fn an_endpoint_that_goes_is_an_error_of_what_was_open() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    let fired = world.fired().len();
    world.polls_bring(|_| Polled::reply(status(404)));
    world.run(10 * SECOND);
    assert_eq!(world.fired()[fired..], [Fire::Error]);
    let shown = world.page().shows.iter().rev().find(|show| show.2 == Fire::Error).expect("an error").1;
    assert_eq!(shown.fault.map(|fault| fault.status), Some(404));
}

#[test]
fn temporary_answers_are_waited_out() {
    let wrong = || [status(408), status(425), status(429), status(500), status(503), status(200), status(204), html()];
    for answer in wrong() {
        let mut world = blocked();
        world.polls_bring(move |nth| if nth < 3 { Polled::reply(answer) } else { Polled::nothing() });
        run_until(&mut world, Status::Polling);
        assert_eq!(world.polls.len(), 4, "{answer:?}");
    }
}

#[test]
fn a_401_of_a_poll_asks_the_session() {
    let mut world = blocked();
    world.polls_bring(|nth| if nth == 0 { Polled::reply(status(401)) } else { Polled::nothing() });
    run_until(&mut world, Status::Polling);
    assert_eq!((world.asked, world.polls.len()), (1, 2));
}

#[test]
fn a_401_of_a_poll_of_somebody_who_is_signed_out_ends_the_stream() {
    let mut world = blocked();
    world.session_says(|_| Some(SessionAnswer::Nobody));
    world.polls_bring(|_| Polled::reply(status(401)));
    run_until(&mut world, Status::Closed);
    assert_eq!((kind(&world), world.asked), (Some(Kind::Unauthenticated), 3));
}

#[test]
fn a_401_of_a_poll_that_nobody_can_verify_is_waited_out() {
    let mut world = blocked();
    world.session_says(|_| Some(SessionAnswer::CannotTell));
    world.polls_bring(|nth| if nth < 3 { Polled::reply(status(401)) } else { Polled::nothing() });
    run_until(&mut world, Status::Polling);
    assert_eq!(world.polls.len(), 4);
    let mut world = World::with(|settings| {
        polls(settings);
        settings.trusted = false;
    });
    world.always(silence());
    world.polls_bring(|nth| if nth < 3 { Polled::reply(status(401)) } else { Polled::nothing() });
    run_until(&mut world, Status::Polling);
    assert_eq!((world.polls.len(), world.asked), (4, 0));
}

#[test]
fn a_page_that_rests_does_not_poll() {
    let mut world = World::with(|settings| {
        polls(settings);
        settings.pause_hidden = Some(ms(MINUTE));
    });
    world.always(silence());
    run_until(&mut world, Status::Polling);
    world.visible(0, false);
    run_until(&mut world, Status::Paused);
    let before = world.polls.len();
    world.run(HOUR);
    assert_eq!(world.polls.len(), before);
    world.visible(0, true);
    assert_eq!(world.status(), Status::Connecting, "streaming gets its two chances again");
    run_until(&mut world, Status::Polling);
    world.input(Input::Away(true));
    let before = world.polls.len();
    world.run(HOUR);
    assert_eq!((world.polls.len(), world.status()), (before, Status::Paused));
}

#[test]
fn a_poll_of_the_user_before_brings_nothing_to_the_next() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.polls_bring(|nth| if nth < 3 { Polled::events(&[&nth.to_string()]) } else { Polled::silent() });
    world.run(30 * SECOND);
    let before = world.page().got.len();
    // The stream is denied, and the session says who is there now.
    world.session_says(|asked| Some(SessionAnswer::User(asked as u32)));
    world.always(reply(status(401)));
    while world.asked < 2 {
        world.run(1);
    }
    world.run(20);
    world.polls_bring(|_| Polled::nothing());
    world.input(Input::Stream(STREAM, StreamInput::Polled(Polled::events(&["of another"]).reply)));
    assert!(!world.page().log.iter().any(|(at, output)| *at == world.now && *output == TAKE_POLL));
    assert_eq!(world.page().got.len(), before);
}

#[test]
fn what_happens_to_the_stream_beside_the_polls_is_not_shown() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.always(open());
    let before = world.requests.len();
    while world.requests.len() == before {
        world.run(1);
    }
    world.run(SECOND);
    let fired = world.fired().len();
    world.network(false);
    world.network(true);
    world.cut();
    world.run(MINUTE);
    assert_eq!((world.status(), world.fired().len()), (Status::Polling, fired));
}

#[test]
fn a_byte_makes_the_silence_before_it_forgotten() {
    let mut world = World::with(polls);
    world.answers([silence(), open().says(0, ":\n"), silence(), open().says(0, ":\n")]);
    world.run(20 * SECOND);
    assert_eq!(world.status(), Status::Open);
    world.stream(StreamInput::Again);
    world.run(20 * SECOND);
    assert_eq!((world.status(), world.polls.len()), (Status::Open, 0));
}

#[test]
fn a_stream_that_gets_through_after_a_failed_poll_opens() {
    let mut world = blocked();
    run_until(&mut world, Status::Polling);
    world.always(open().says(30 * SECOND, ":\n"));
    let before = world.requests.len();
    while world.requests.len() == before {
        world.run(1);
    }
    world.run(SECOND);
    world.polls_bring(|_| Polled::lost());
    world.run(MINUTE);
    assert_eq!((world.status(), world.shown().fault), (Status::Open, None));
    assert_eq!(world.fired().last(), Some(&Fire::Open));
}
