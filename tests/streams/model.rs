//! Everything interleaved with everything. The invariants are the watch's; what is random here is the page, the server,
//! and what the host reports, which includes what no sane host would.

use evenkeel::core::backoff::{Backoff, Jitter};
use evenkeel::core::events::reconnect::ReconnectSettings;
use evenkeel::core::events::report::{Broken, Content, Reply, Status};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::settings::Settings;
use evenkeel::core::verify::SessionAnswer;
use proptest::option;
use proptest::prelude::*;

use super::script::{
    Answer, HOUR, MINUTE, Polled, SECOND, broken, denied_call, ms, open, reply, settings, silence, unsendable,
};
use super::world::{STREAM, World, answered};

/// What happens next.
#[derive(Clone, Debug)]
enum Op {
    Run(u64),
    Sleep(u64),
    LoseConnections,
    Say(&'static str),
    Cut,
    Visible(bool),
    Network(bool),
    Away(bool),
    Hold(bool),
    Again,
    Session(SessionAnswer),
    /// A call of the app is denied, which asks the session.
    Call,
    /// Word of the newest connection, of one so many before it, or of a poll, true or not.
    Answered(u32, Reply),
    Broken(u32, Broken),
    Bytes(u32, &'static str),
    Polled(Option<Reply>),
    Close,
    Dispose,
}

fn stream() -> impl Strategy<Value = StreamSettings> {
    let reconnect = (
        (100..5 * SECOND, 100..40 * SECOND, prop_oneof![Just(Jitter::Full), Just(Jitter::None)]),
        (0..20 * SECOND, 0..20 * SECOND, prop::bool::weighted(0.2)),
    );
    let reconnect = reconnect.prop_map(|((base, max, jitter), (stable, spread, strict))| ReconnectSettings {
        backoff: Backoff { base: ms(base), factor: 2.0, max: ms(max), jitter },
        stable: ms(stable),
        spread: ms(spread),
        strict,
    });
    let times = (SECOND..15 * SECOND, 5 * SECOND..100 * SECOND);
    let options = (option::of(0..3 * MINUTE), option::weighted(0.7, SECOND..10 * SECOND), prop::bool::weighted(0.7));
    (reconnect, times, options, 0..4_usize).prop_map(|(reconnect, (first_byte, watchdog), options, dedupe_ids)| {
        let (pause_hidden, poll, trusted) = options;
        StreamSettings {
            reconnect,
            first_byte: ms(first_byte),
            watchdog: ms(watchdog),
            max_event_bytes: 20,
            dedupe_ids,
            pause_hidden: pause_hidden.map(ms),
            poll: poll.map(ms),
            trusted,
        }
    })
}

fn some_reply() -> impl Strategy<Value = Reply> {
    let status = prop_oneof![
        12 => Just(200_u16),
        6 => Just(401),
        6 => Just(503),
        2 => Just(429),
        1 => Just(0),
        1 => Just(204),
        1 => Just(404),
    ];
    let content = prop_oneof![8 => Just(Content::Events), 2 => Just(Content::Html), 1 => Just(Content::Other)];
    let retry_after = option::weighted(0.3, (0..2 * MINUTE).prop_map(ms));
    (status, content, retry_after).prop_map(|(status, content, retry_after)| Reply {
        status,
        retry_after: retry_after.filter(|_| status >= 400),
        content: if status == 200 { content } else { Content::Other },
    })
}

fn text() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(":\n"),
        Just("id: 1\ndata: x\n\n"),
        Just("id: 2\ndata: y\n\n"),
        Just("data: x\n\n"),
        Just("data: longer than this page can bear\n\n"),
        Just("\nretry: 50\n\n"),
        Just("\nretry: 9000\n\n"),
        Just("da"),
        Just("\n"),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let head = prop_oneof![
        10 => some_reply().prop_map(reply),
        6 => Just(open()),
        3 => Just(broken()),
        5 => Just(silence()),
        1 => Just(unsendable()),
    ];
    let after = prop_oneof![3 => 0..500_u64, 1 => 0..20 * SECOND];
    let pieces = prop::collection::vec((0..MINUTE, text()), 0..4);
    (head, after, pieces, option::of(0..2 * MINUTE)).prop_map(|(head, after, mut pieces, end)| {
        pieces.sort_by_key(|piece| piece.0);
        let answer = Answer { end, ..head.after(after) };
        pieces.into_iter().fold(answer, |answer, (after, text)| answer.says(after, text))
    })
}

fn polled() -> impl Strategy<Value = Polled> {
    prop_oneof![
        3 => Just(Polled::nothing()),
        3 => Just(Polled::events(&["1", "2"])),
        2 => Just(Polled::lost()),
        1 => Just(Polled::silent()),
        3 => some_reply().prop_map(Polled::reply),
    ]
}

fn session_answer() -> impl Strategy<Value = SessionAnswer> {
    prop_oneof![
        6 => Just(SessionAnswer::User(1)),
        2 => Just(SessionAnswer::User(2)),
        2 => Just(SessionAnswer::Nobody),
        2 => Just(SessionAnswer::CannotTell),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        16 => (0..20 * SECOND).prop_map(Op::Run),
        6 => (0..3 * MINUTE).prop_map(Op::Run),
        2 => (0..2 * HOUR).prop_map(Op::Sleep),
        2 => Just(Op::LoseConnections),
        8 => text().prop_map(Op::Say),
        3 => Just(Op::Cut),
        4 => any::<bool>().prop_map(Op::Visible),
        4 => any::<bool>().prop_map(Op::Network),
        3 => any::<bool>().prop_map(Op::Away),
        3 => any::<bool>().prop_map(Op::Hold),
        3 => Just(Op::Again),
        2 => session_answer().prop_map(Op::Session),
        1 => Just(Op::Call),
        4 => (0..3_u32, some_reply()).prop_map(|(back, reply)| Op::Answered(back, reply)),
        3 => (0..3_u32).prop_map(|back| Op::Broken(back, Broken::Lost)),
        1 => (0..3_u32).prop_map(|back| Op::Broken(back, Broken::Unsendable)),
        3 => (0..3_u32, text()).prop_map(|(back, text)| Op::Bytes(back, text)),
        2 => option::of(some_reply()).prop_map(Op::Polled),
        1 => Just(Op::Close),
        1 => Just(Op::Dispose),
    ]
}

fn no_session() -> Settings {
    Settings { session: None, ..settings() }
}

fn happen(world: &mut World, op: Op, calls: &mut u32) {
    let newest = world.page().watch.connections();
    match op {
        Op::Run(time) => world.run(time),
        Op::Sleep(time) => world.sleep(time),
        Op::LoseConnections => world.lose_connections(),
        Op::Say(text) => world.say(text),
        Op::Cut => world.cut(),
        Op::Visible(visible) => world.visible(0, visible),
        Op::Network(online) => world.network(online),
        Op::Away(away) => world.input(Input::Away(away)),
        Op::Hold(held) => world.stream(StreamInput::Hold(held)),
        Op::Again => world.stream(StreamInput::Again),
        Op::Session(answer) => world.session_answers(answer),
        Op::Call => {
            *calls += 1;
            world.call_denied(denied_call(*calls));
        }
        Op::Answered(back, reply) => world.input(answered(newest.saturating_sub(back), reply)),
        Op::Broken(back, how) => world.stream(StreamInput::Broken(newest.saturating_sub(back), how)),
        Op::Bytes(back, text) => world.bytes(0, newest.saturating_sub(back), text),
        Op::Polled(reply) => world.input(Input::Stream(STREAM, StreamInput::Polled(reply))),
        Op::Close => world.stream(StreamInput::Close),
        Op::Dispose => world.input(Input::Dispose),
    }
}

/// Whatever happened before, a stream that did not end gets through once nothing is in its way any more.
fn assert_heals(world: &mut World, strict: bool) {
    world.always(open().says(0, ":\n"));
    world.polls_bring(|_| Polled::nothing());
    world.session_says(|_| Some(SessionAnswer::User(1)));
    world.input(Input::Away(false));
    world.visible(0, true);
    world.stream(StreamInput::Hold(false));
    world.network(false);
    world.network(true);
    if strict {
        // The specification waits for headers for ever, and knows no network: the app does.
        world.stream(StreamInput::Again);
    }
    let end = world.now + 10 * MINUTE;
    while !matches!(world.status(), Status::Open | Status::Closed) {
        assert!(world.now < end, "it never opens: {:?}", world.shown());
        world.run(SECOND);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_there_is_one_connection_at_most_and_always_a_way_back(
        seed in any::<u64>(),
        stream in stream(),
        session in any::<bool>(),
        answers in prop::collection::vec(answer(), 1..8),
        polls in prop::collection::vec(polled(), 1..5),
        sessions in prop::collection::vec(option::weighted(0.9, session_answer()), 1..5),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut world = World::empty(seed, if session { settings } else { no_session }, |settings| *settings = stream);
        world.serve(move |request| answers[request.nth % answers.len()].clone());
        world.polls_bring(move |nth| polls[nth % polls.len()].clone());
        world.session_says(move |nth| sessions[nth % sessions.len()]);
        world.open(None, true);
        let mut calls = 0;
        for op in ops {
            happen(&mut world, op, &mut calls);
        }
        assert_heals(&mut world, stream.reconnect.strict);
    }
}
