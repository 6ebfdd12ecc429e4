//! Everything interleaved with everything. The invariants are the watch's; what is random here is the page, the server,
//! and what the host reports, which includes what no sane host would.

use evenkeel::core::backoff::Jitter;
use evenkeel::core::breaker::BreakerSettings;
use evenkeel::core::flight::{Call, Traits};
use evenkeel::core::gate::Priority;
use evenkeel::core::hub::Input;
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::origin::Met;
use evenkeel::core::output::{Attempt, Output};
use evenkeel::core::requests::{Answer, Body};
use evenkeel::core::settings::{BudgetSettings, Settings};
use evenkeel::core::time::Duration;
use evenkeel::core::verify::SessionAnswer;
use proptest::option;
use proptest::prelude::*;

use super::script::{But, ELSEWHERE, HOME, HOUR, Head, LATENCY, MINUTE, Reply, SECOND, get, ms, of_session, silence};
use super::world::World;

/// What happens next.
#[derive(Clone, Debug)]
enum Op {
    Call(Call),
    Abort(u32),
    Run(u64),
    Sleep(u64),
    LoseConnections,
    Visible(bool),
    Network(bool),
    SetClock(i64),
    /// The page is hidden for so long that its timers come once a minute.
    Throttle,
    Session(SessionAnswer),
    Probed(Met),
    /// Word of some attempt, true or not.
    Word(u32, u32, Word),
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Answered(Answer),
    Progressed,
    Read(Body),
    Failed,
    Unsendable,
}

/// The numbers that make a hub behave in another way, small enough that their limits are met.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    max_concurrent: usize,
    max_queued: usize,
    rate: Option<(f64, f64)>,
    budget: Option<f64>,
    breaker: Option<u32>,
    jitter: Jitter,
    confirmations: Option<u32>,
    can_probe: bool,
}

impl Numbers {
    fn apply(self, settings: &mut Settings) {
        settings.gate.max_concurrent = self.max_concurrent;
        settings.gate.max_queued = self.max_queued;
        settings.gate.rate = self.rate;
        settings.budget = self.budget.map(|capacity| BudgetSettings { capacity, cost: 1.0, refund: 0.2 });
        settings.breaker =
            self.breaker.map(|consecutive| BreakerSettings { consecutive, ..BreakerSettings::default() });
        settings.backoff.jitter = self.jitter;
        settings.session = self.confirmations.and_then(super::script::session);
        settings.can_probe = self.can_probe;
    }
}

fn numbers() -> impl Strategy<Value = Numbers> {
    (
        1..5_usize,
        1..8_usize,
        option::of(Just((5.0, 8.0))),
        option::of((0..4_u32).prop_map(f64::from)),
        option::of(1..4_u32),
        prop_oneof![Just(Jitter::Full), Just(Jitter::None)],
        option::of(1..4_u32),
        any::<bool>(),
    )
        .prop_map(|(max_concurrent, max_queued, rate, budget, breaker, jitter, confirmations, can_probe)| {
            Numbers { max_concurrent, max_queued, rate, budget, breaker, jitter, confirmations, can_probe }
        })
}

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![
        4 => Just(200_u16),
        1 => Just(0),
        1 => Just(304),
        3 => Just(401),
        1 => Just(404),
        1 => Just(429),
        1 => Just(500),
        4 => Just(503),
    ];
    let retry_after = option::weighted(0.3, (0..40 * SECOND).prop_map(ms));
    (status, retry_after, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
        |(status, retry_after, html, redirected)| Answer {
            status,
            retry_after: retry_after.filter(|_| status >= 400),
            html: html && status < 400,
            redirected,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![8 => Just(Body::Whole), 2 => Just(Body::Broken), 1 => Just(Body::TooLarge)]
}

fn reply() -> impl Strategy<Value = Reply> {
    let head = prop_oneof![
        8 => answer().prop_map(Head::Answer),
        3 => Just(Head::Broken),
        2 => Just(Head::Silence),
        1 => Just(Head::Unsendable),
    ];
    let after = prop_oneof![3 => 0..500_u64, 1 => 0..40 * SECOND];
    (after, head, 0..3_u64, 0..3 * SECOND, option::weighted(0.9, body()))
        .prop_map(|(after, head, pieces, gap, body)| Reply { after, head, pieces, gap, body })
}

fn call() -> impl Strategy<Value = Call> {
    let url = prop_oneof![
        Just("/api/meals/1"),
        Just("/api/meals/2"),
        Just("/api/orders"),
        Just("/help"),
        Just("https://cdn.example/fonts"),
    ];
    let priority = prop_oneof![
        1 => Just(Priority::Critical),
        3 => Just(Priority::Normal),
        2 => Just(Priority::Background),
    ];
    let traits = (prop::bool::weighted(0.8), prop::bool::weighted(0.9), prop::bool::weighted(0.2), any::<bool>());
    let times = (0..4_u32, 100..35 * SECOND, prop_oneof![9 => 500..90 * SECOND, 1 => 0..10_u64]);
    (url, any::<bool>(), priority, traits, times).prop_map(|(url, shares, priority, traits, times)| {
        let (idempotent, replayable, streams, wants_data) = traits;
        let (retries, timeout, deadline) = times;
        let call = get(url).retries(retries).timeout(timeout).deadline(deadline).but(|call| {
            let trusted = call.traits.trusted;
            call.traits = Traits { idempotent, replayable, trusted, streams, wants_data, writes: !idempotent };
            call.priority = priority;
        });
        // Whoever shares, shares with its like.
        if shares && idempotent && replayable && !streams { call.shared() } else { call }
    })
}

fn session_answer() -> impl Strategy<Value = SessionAnswer> {
    prop_oneof![
        6 => Just(SessionAnswer::User(1)),
        1 => Just(SessionAnswer::User(2)),
        3 => Just(SessionAnswer::Nobody),
        2 => Just(SessionAnswer::CannotTell),
    ]
}

fn met() -> impl Strategy<Value = Met> {
    prop_oneof![Just(Met::Status(200)), Just(Met::Status(503)), Just(Met::Broken), Just(Met::Silence)]
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        3 => answer().prop_map(Word::Answered),
        1 => Just(Word::Progressed),
        2 => body().prop_map(Word::Read),
        2 => Just(Word::Failed),
        1 => Just(Word::Unsendable),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => call().prop_map(Op::Call),
        4 => (1..40_u32).prop_map(Op::Abort),
        6 => (0..2 * SECOND).prop_map(Op::Run),
        3 => (0..40 * SECOND).prop_map(Op::Run),
        1 => (0..2 * HOUR).prop_map(Op::Sleep),
        1 => Just(Op::LoseConnections),
        2 => any::<bool>().prop_map(Op::Visible),
        2 => any::<bool>().prop_map(Op::Network),
        1 => (-(HOUR as i64)..HOUR as i64).prop_map(Op::SetClock),
        1 => Just(Op::Throttle),
        2 => session_answer().prop_map(Op::Session),
        1 => met().prop_map(Op::Probed),
        4 => (1..40_u32, 1..4_u32, word()).prop_map(|(flight, number, word)| Op::Word(flight, number, word)),
    ]
}

/// A page whose server, session endpoint and probes go through these answers, again and again.
fn page(seed: u64, numbers: Numbers, replies: Vec<Reply>, sessions: Vec<Option<SessionAnswer>>) -> World {
    let mut world = World::seeded(seed, |settings| numbers.apply(settings));
    world.serve(move |request| replies[request.nth % replies.len()]);
    world.probes_meet(|nth| [Some(Met::Broken), None, Some(Met::Status(200))][nth % 3]);
    world.session_says(move |nth| sessions[nth % sessions.len()]);
    world
}

fn happen(world: &mut World, op: Op) {
    match op {
        Op::Call(call) => {
            world.call(call);
        }
        Op::Abort(call) => world.abort(call),
        Op::Run(time) => world.run(time),
        Op::Sleep(time) => world.sleep(time),
        Op::LoseConnections => world.lose_connections(),
        Op::Visible(visible) => {
            world.throttle(1);
            world.visible(visible);
        }
        Op::Network(online) => world.network(online),
        Op::SetClock(off_by) => world.set_clock(off_by),
        Op::Throttle => {
            world.visible(false);
            world.throttle(MINUTE);
        }
        Op::Session(answer) => world.input(of_session(answer)),
        Op::Probed(met) => world.input(Input::Probed(met)),
        Op::Word(flight, number, word) => {
            let attempt = Attempt { flight, number };
            world.input(match word {
                Word::Answered(answer) => Input::Answered(attempt, answer),
                Word::Progressed => Input::Progressed(attempt),
                Word::Read(body) => Input::Read(attempt, body),
                Word::Failed => Input::Failed(attempt),
                Word::Unsendable => Input::Unsendable(attempt),
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_call_ends_once_and_every_slot_comes_back(
        seed in any::<u64>(),
        numbers in numbers(),
        replies in prop::collection::vec(reply(), 1..12),
        sessions in prop::collection::vec(option::weighted(0.9, session_answer()), 1..5),
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = page(seed, numbers, replies, sessions);
        for op in ops {
            happen(&mut world, op);
        }
        world.assert_balanced(HOME);
        world.assert_balanced(ELSEWHERE);
    }

    #[test]
    fn whenever_it_is_disposed_of_everybody_is_told_and_nothing_is_sent_after_it(
        seed in any::<u64>(),
        numbers in numbers(),
        replies in prop::collection::vec(reply(), 1..12),
        before in prop::collection::vec(op(), 0..40),
        after in prop::collection::vec(op(), 0..20),
    ) {
        let mut world = page(seed, numbers, replies, vec![None, Some(SessionAnswer::User(1))]);
        for op in before {
            happen(&mut world, op);
        }
        world.input(Input::Dispose);
        prop_assert_eq!(world.watch.waiting(), 0);
        prop_assert_eq!(world.watch.running(), 0);
        for op in after {
            happen(&mut world, op);
        }
        prop_assert_eq!(world.watch.waiting(), 0);
    }

    #[test]
    fn whoever_only_follows_the_wakes_sees_every_call_end_by_its_deadline(
        numbers in numbers(),
        calls in prop::collection::vec((call(), 0..SECOND), 1..30),
        visible in any::<bool>(),
        online in any::<bool>(),
        goes_silent in any::<bool>(),
    ) {
        // No answer ever: not from the server, not from the session, not from a probe.
        let mut world = page(1, numbers, vec![silence()], vec![None]);
        world.probes_meet(|_| None);
        if goes_silent {
            world.serve(|request| if request.nth % 2 == 0 { super::script::status(401) } else { silence() });
        }
        world.visible(visible);
        world.network(online);
        for (call, pause) in calls {
            world.call(call);
            world.run(pause);
        }
        world.run_dry();
    }

    #[test]
    fn one_call_alone_goes_as_a_simple_account_of_it_says(
        call in call(),
        replies in prop::collection::vec(reply(), 1..6),
    ) {
        let call = call.but(|call| call.priority = Priority::Normal);
        let mut world = World::with(|settings| {
            (settings.breaker, settings.budget) = (None, None);
            settings.backoff.jitter = Jitter::None;
        });
        let script = replies.clone();
        world.serve(move |request| script[request.nth % script.len()]);
        let id = world.call(call.clone());
        world.run_dry();
        let told = account(&call, &replies);
        prop_assert_eq!((world.sends(), world.ended_at(id), world.settled(id).end), told);
        prop_assert!(world.said(|output| matches!(output, Output::Retry(..))).len() <= call.retries as usize);
    }
}

/// What becomes of a call that is alone with its server and a living session: when it is sent, and when and how it ends.
/// Of two things in one moment, what the network says comes before what the clock says.
fn account(call: &Call, replies: &[Reply]) -> (Vec<u64>, u64, End) {
    let (deadline, timeout) = (call.deadline.as_millis(), call.timeout.as_millis());
    let (mut now, mut sends, mut verified, mut retried) = (0, Vec::new(), false, 0);
    if deadline == 0 {
        return (sends, 0, End::Kind(Kind::Timeout));
    }
    loop {
        let reply = replies[sends.len() % replies.len()];
        sends.push(now);
        let silent_at = now + timeout;
        let headers_at = now + reply.after;
        let (at, end, asked) = match reply.head {
            Head::Silence => (silent_at, End::Kind(Kind::Timeout), None),
            _ if headers_at > silent_at => (silent_at, End::Kind(Kind::Timeout), None),
            Head::Broken => (headers_at, End::Kind(Kind::Network), None),
            Head::Unsendable => (headers_at, End::Kind(Kind::Invalid), None),
            Head::Answer(answer) => {
                let late = headers_at > deadline;
                let odd = call.traits.wants_data || (answer.redirected && call.traits.idempotent);
                let page = answer.html && !call.traits.streams && odd;
                if (answer.status == 401 || page) && call.traits.trusted && !verified && !late {
                    // The session answers after its latency, and the call is sent once more.
                    now = headers_at + LATENCY;
                    if headers_at == deadline || now > deadline {
                        return (sends, deadline, End::Kind(Kind::Timeout));
                    }
                    if !(answer.status == 401 || answer.redirected || call.traits.idempotent) {
                        return (sends, now, End::Kind(Kind::Parse));
                    }
                    if !call.traits.replayable {
                        return (sends, now, End::Kind(Kind::AuthUnknown));
                    }
                    verified = true;
                    if now == deadline {
                        return (sends, now, End::Kind(Kind::Timeout));
                    }
                    continue;
                }
                let end = match answer.status {
                    401 if call.traits.trusted => End::Kind(Kind::Forbidden),
                    401 => End::Kind(Kind::AuthUnknown),
                    _ if page && call.traits.wants_data => End::Kind(Kind::Parse),
                    ..=399 => End::Ok,
                    _ => End::Status,
                };
                (headers_at, end, answer.retry_after)
            }
        };
        let worth_it = matches!(reply.head, Head::Answer(Answer { status: 429 | 500 | 503, .. }))
            || matches!(end, End::Kind(Kind::Network | Kind::Timeout));
        let may = call.traits.idempotent && call.traits.replayable;
        // What fails in the headers' phase, then in the body's.
        let (at, end, asked, worth_it) = match reply.head {
            Head::Answer(_) if at == headers_at && !matches!(end, End::Kind(Kind::Parse | Kind::Timeout)) => {
                if at > deadline {
                    return (sends, deadline, End::Kind(Kind::Timeout));
                }
                let wait = asked.map_or(300 << retried, Duration::as_millis);
                if worth_it && may && retried < call.retries && at + wait < deadline || call.traits.streams {
                    (at, end, asked, worth_it)
                } else {
                    let (at, end) = read(reply, at, timeout, end);
                    (at, end, None, matches!(end, End::Kind(Kind::Network | Kind::Timeout)))
                }
            }
            _ => (at, end, asked, worth_it),
        };
        let by_the_clock = end == End::Kind(Kind::Timeout);
        if at > deadline || (at == deadline && by_the_clock) {
            return (sends, deadline, End::Kind(Kind::Timeout));
        }
        let wait = asked.map_or(300 << retried, Duration::as_millis);
        if !(worth_it && may && retried < call.retries && at + wait < deadline) {
            return (sends, at, end);
        }
        retried += 1;
        now = at + wait;
    }
}

/// When and how reading a body ends.
fn read(reply: Reply, headers_at: u64, timeout: u64, end: End) -> (u64, End) {
    let broken = if end == End::Ok { End::Kind(Kind::Network) } else { end };
    let silent = if end == End::Ok { End::Kind(Kind::Timeout) } else { end };
    let large = if end == End::Ok { End::Kind(Kind::TooLarge) } else { end };
    let (mut at, mut silent_at) = (headers_at, headers_at + timeout);
    for _ in 0..reply.pieces {
        at += reply.gap;
        if at > silent_at {
            return (silent_at, silent);
        }
        silent_at = at + timeout;
    }
    at += reply.gap;
    match reply.body {
        Some(_) if at > silent_at => (silent_at, silent),
        None => (silent_at, silent),
        Some(Body::Whole) => (at, end),
        Some(Body::Broken) => (at, broken),
        Some(Body::TooLarge) => (at, large),
    }
}
