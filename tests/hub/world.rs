//! One page in virtual time.

use std::collections::BTreeMap;
use std::fmt::Debug;

use evenkeel::core::connection::ConnectionStatus;
use evenkeel::core::flight::{Call, CallId};
use evenkeel::core::hub::{Hub, Input};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::origin::Met;
use evenkeel::core::output::{Output, Settled};
use evenkeel::core::requests::Body;
use evenkeel::core::session::SessionOutput;
use evenkeel::core::settings::Settings;
use evenkeel::core::time::Timestamp;
use evenkeel::core::verify::SessionAnswer;

use super::script::{HOUR, Head, LATENCY, MINUTE, Reply, Request, SECOND, get, of_session, ok, settings, silence};
use super::watch::Watch;

/// What the host's clock shows when a story begins.
const EPOCH: u64 = 1_790_000_000_000;
/// Wakes in one moment: the second may clean up after the first, a third makes the host spin.
const WAKES_IN_A_MOMENT_MAX: u32 = 2;

type Script<A, B> = Box<dyn FnMut(A) -> B>;

/// One page: a hub, a scripted server and a clock that jumps to whatever comes next. All times are milliseconds since
/// the story began.
pub struct World {
    hub: Hub,
    /// What the hub said, and when.
    pub log: Vec<(u64, Output)>,
    /// What arrived at the server.
    pub requests: Vec<Request>,
    pub now: u64,
    clock_off_by: i64,
    timers_every: u64,
    /// How much later than its deadline a call may end, because nobody could tell it sooner.
    slack: u64,
    deadlines: BTreeMap<CallId, u64>,
    server: Script<Request, Reply>,
    session: Script<usize, Option<SessionAnswer>>,
    probed: Script<usize, Option<Met>>,
    urls: BTreeMap<CallId, String>,
    replies: BTreeMap<CallId, Reply>,
    ends: BTreeMap<CallId, (u64, Settled)>,
    coming: BTreeMap<(u64, u64), Input>,
    /// Set when the hub says so, and rings in due time whatever becomes of the clock.
    timer: Option<u64>,
    arrivals: u64,
    calls: CallId,
    max_concurrent: usize,
    pub watch: Watch,
}

impl World {
    /// With the public defaults, a server that answers 200, a living session, and probes that fail.
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> World {
        World::seeded(1, change)
    }

    pub fn seeded(seed: u64, change: impl FnOnce(&mut Settings)) -> World {
        let mut settings = settings();
        change(&mut settings);
        let (max_concurrent, watch) = (settings.gate.max_concurrent, Watch::new(&settings));
        let mut world = World {
            hub: Hub::new(settings, seed, Timestamp(EPOCH), true, true),
            log: Vec::new(),
            requests: Vec::new(),
            now: 0,
            clock_off_by: 0,
            timers_every: 1,
            slack: 0,
            deadlines: BTreeMap::new(),
            server: Box::new(|_| ok()),
            session: Box::new(|_| Some(SessionAnswer::User(1))),
            probed: Box::new(|_| Some(Met::Broken)),
            urls: BTreeMap::new(),
            replies: BTreeMap::new(),
            ends: BTreeMap::new(),
            coming: BTreeMap::new(),
            timer: None,
            arrivals: 0,
            calls: 0,
            max_concurrent,
            watch,
        };
        // As the engine begins. What the hub says then is no part of the story.
        world.input(Input::Wake);
        world.log.clear();
        world
    }

    // ------------------------------------------------------------ given

    pub fn serve(&mut self, server: impl FnMut(Request) -> Reply + 'static) {
        self.server = Box::new(server);
    }

    /// The server answers everything with this.
    pub fn always(&mut self, reply: Reply) {
        self.serve(move |_| reply);
    }

    /// The server answers the first requests with these, one each, and all others with 200.
    pub fn answers<const N: usize>(&mut self, replies: [Reply; N]) {
        let before = self.requests.len();
        self.serve(move |request| replies.get(request.nth - before).copied().unwrap_or_else(ok));
    }

    /// What the session endpoint says, by how often it was asked; none: nothing, ever.
    pub fn session_says(&mut self, session: impl FnMut(usize) -> Option<SessionAnswer> + 'static) {
        self.session = Box::new(session);
    }

    /// What a probe meets, by how many were made; none: nothing, ever.
    pub fn probes_meet(&mut self, probed: impl FnMut(usize) -> Option<Met> + 'static) {
        self.probed = Box::new(probed);
    }

    // ------------------------------------------------------------ when

    pub fn call(&mut self, call: Call) -> CallId {
        self.calls += 1;
        let id = self.calls;
        self.urls.insert(id, call.url.clone());
        self.deadlines.insert(id, self.now.saturating_add(call.deadline.as_millis()));
        self.input(Input::Call(Call { id, ..call }));
        id
    }

    pub fn abort(&mut self, call: CallId) {
        self.input(Input::Abort(call));
    }

    /// Time passes, and everything that is due in it happens.
    pub fn run(&mut self, ms: u64) {
        self.run_until(self.now + ms);
    }

    /// Runs until every call has ended, for an hour at most.
    pub fn run_dry(&mut self) {
        let end = self.now + HOUR;
        while self.watch.waiting() > 0 && self.step(end) {}
        assert_eq!(self.watch.waiting(), 0, "calls that never end: {:?}", self.watch.callers());
    }

    /// The laptop sleeps: nothing runs, and nobody is told.
    pub fn sleep(&mut self, ms: u64) {
        self.now += ms;
        // It began up to a second before anybody noticed, and ended before a timer rang.
        self.slack += ms + SECOND + self.timers_every;
    }

    /// The clock shows so much more than it did at first.
    pub fn set_clock(&mut self, off_by: i64) {
        self.clock_off_by = off_by;
        // What passed since the last timer rang is lost.
        self.slack += SECOND.max(self.timers_every);
    }

    /// How coarse the host's timers are: 1 is on time, a page hidden for long wakes once a minute.
    pub fn throttle(&mut self, timers_every: u64) {
        self.timers_every = timers_every;
        self.slack += timers_every - 1;
    }

    /// The connections that were open are dead, and nobody will ever say so.
    pub fn lose_connections(&mut self) {
        self.coming.clear();
    }

    pub fn visible(&mut self, visible: bool) {
        self.input(Input::Visible(visible));
    }

    pub fn network(&mut self, online: bool) {
        self.input(Input::Network(online));
    }

    pub fn input(&mut self, input: Input) {
        let bound = 64 + 8 * self.watch.waiting();
        self.watch.input(&input);
        self.hub.handle(self.host(), input);
        let mut said = 0;
        while let Some(output) = self.hub.poll() {
            said += 1;
            assert!(said <= bound, "a step that never ends");
            self.watch.output(&output);
            self.log.push((self.now, output));
            self.perform(output);
        }
        self.timer = self.hub.next_wake().map(|wake| self.now + wake.0.saturating_sub(self.host().0));
        self.watch.step(self.timer.is_some());
    }

    // ------------------------------------------------------------ then

    /// When requests were sent.
    pub fn sends(&self) -> Vec<u64> {
        self.requests.iter().map(|request| request.at).collect()
    }

    pub fn sends_of(&self, flight: CallId) -> Vec<u64> {
        self.requests.iter().filter(|request| request.attempt.flight == flight).map(|request| request.at).collect()
    }

    /// When it was said.
    pub fn said(&self, what: impl Fn(&Output) -> bool) -> Vec<u64> {
        self.log.iter().filter(|(_, output)| what(output)).map(|(at, _)| *at).collect()
    }

    /// The waits that were announced before retries.
    pub fn waits(&self) -> Vec<u64> {
        let wait = |(_, output): &(u64, Output)| match output {
            Output::Retry(_, wait) => Some((*wait).as_millis()),
            _ => None,
        };
        self.log.iter().filter_map(wait).collect()
    }

    pub fn cancelled(&self, flight: CallId) -> bool {
        !self.said(|output| *output == Output::Cancel(flight)).is_empty()
    }

    pub fn connection(&self) -> ConnectionStatus {
        let status = |(_, output): &(u64, Output)| match output {
            Output::Connection(status, _) => Some(*status),
            _ => None,
        };
        self.log.iter().rev().find_map(status).unwrap_or(ConnectionStatus::Online)
    }

    pub fn has_ended(&self, call: CallId) -> bool {
        self.ended(call).is_some()
    }

    /// When a call ended.
    pub fn ended_at(&self, call: CallId) -> u64 {
        self.ended(call).unwrap_or_else(|| panic!("call {call} still waits")).0
    }

    pub fn settled(&self, call: CallId) -> Settled {
        self.ended(call).unwrap_or_else(|| panic!("call {call} still waits")).1
    }

    #[track_caller]
    pub fn assert_ended(&self, call: CallId, end: impl Into<Ending>) {
        assert_eq!(self.settled(call).end, end.into().0, "call {call}");
    }

    #[track_caller]
    pub fn assert_waits(&self, call: CallId) {
        assert!(!self.has_ended(call), "call {call} ended: {:?}", self.ended(call));
    }

    /// Whatever happened before, ten quiet minutes later every slot of an origin is free again, and no probe's place is
    /// taken for ever.
    pub fn assert_balanced(&mut self, origin: &str) {
        self.run_dry();
        assert_eq!(self.watch.running(), 0, "requests that run for nobody");
        self.throttle(1);
        self.always(ok());
        self.session_says(|_| Some(SessionAnswer::User(1)));
        self.network(true);
        self.visible(true);
        self.run(10 * MINUTE);
        let url = format!("{origin}/is/balanced");
        let first = self.call(get(&url));
        self.run(SECOND);
        self.assert_ended(first, End::Ok);
        self.run(MINUTE);
        self.always(silence());
        let before = self.requests.len();
        let calls: Vec<_> = (0..self.max_concurrent).map(|_| self.call(get(&url))).collect();
        assert_eq!(self.requests.len() - before, self.max_concurrent, "a slot was lost");
        for call in calls {
            self.abort(call);
        }
        assert_eq!(self.watch.running(), 0);
    }

    // ------------------------------------------------------------ how

    fn host(&self) -> Timestamp {
        Timestamp((EPOCH + self.now).saturating_add_signed(self.clock_off_by))
    }

    fn ended(&self, call: CallId) -> Option<(u64, Settled)> {
        self.ends.get(&call).copied()
    }

    fn run_until(&mut self, end: u64) {
        while self.step(end) {}
        self.now = self.now.max(end);
    }

    /// What comes next, if it comes by `end`.
    fn step(&mut self, end: u64) -> bool {
        let wake = self.timer.map(|at| at.max(self.now).next_multiple_of(self.timers_every));
        let event = self.coming.first_key_value().map(|((at, _), _)| (*at).max(self.now));
        let Some(next) = wake.into_iter().chain(event).min().filter(|next| *next <= end) else { return false };
        self.now = next;
        if event == Some(next) {
            let (_, input) = self.coming.pop_first().expect("an event");
            self.input(input);
            return true;
        }
        let mut wakes = 0;
        while self.timer.is_some_and(|at| at <= self.now || wakes == 0) {
            wakes += 1;
            assert!(wakes <= WAKES_IN_A_MOMENT_MAX, "the host spins");
            self.input(Input::Wake);
        }
        true
    }

    fn soon(&mut self, at: u64, input: Input) {
        self.arrivals += 1;
        self.coming.insert((at, self.arrivals), input);
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Send(attempt) => {
                let url = self.urls[&attempt.flight].clone();
                let request = Request { url, attempt, nth: self.requests.len(), at: self.now };
                self.requests.push(request.clone());
                let reply = (self.server)(request);
                self.replies.insert(attempt.flight, reply);
                let at = self.now + reply.after;
                match reply.head {
                    Head::Answer(answer) => self.soon(at, Input::Answered(attempt, answer)),
                    Head::Broken => self.soon(at, Input::Failed(attempt)),
                    Head::Unsendable => self.soon(at, Input::Unsendable(attempt)),
                    Head::Silence => {}
                }
            }
            Output::Read(attempt) => {
                let reply = self.replies[&attempt.flight];
                for piece in 1..=reply.pieces {
                    self.soon(self.now + piece * reply.gap, Input::Progressed(attempt));
                }
                if let Some(body) = reply.body {
                    self.soon(self.now + (reply.pieces + 1) * reply.gap, Input::Read(attempt, body));
                }
            }
            Output::Cancel(flight) => {
                // As fetch does: what was aborted rejects.
                let Some(request) = self.requests.iter().rfind(|request| request.attempt.flight == flight) else {
                    return;
                };
                let attempt = request.attempt;
                self.soon(self.now, Input::Failed(attempt));
                self.soon(self.now, Input::Read(attempt, Body::Broken));
            }
            Output::Settle(settled) => {
                self.ends.insert(settled.call, (self.now, settled));
                let late = self.now.saturating_sub(self.deadlines[&settled.call]);
                assert!(late <= self.slack, "{settled:?} came {late} ms after its deadline");
            }
            Output::Session(SessionOutput::Ask) => {
                let nth = self.said(|output| *output == Output::Session(SessionOutput::Ask)).len() - 1;
                if let Some(answer) = (self.session)(nth) {
                    self.soon(self.now + LATENCY, of_session(answer));
                }
            }
            Output::Probe => {
                let nth = self.said(|output| *output == Output::Probe).len() - 1;
                if let Some(met) = (self.probed)(nth) {
                    self.soon(self.now + LATENCY, Input::Probed(met));
                }
            }
            _ => {}
        }
    }
}

/// How a call ended, said shortly.
#[derive(Debug)]
pub struct Ending(End);

impl From<End> for Ending {
    fn from(end: End) -> Ending {
        Ending(end)
    }
}

impl From<Kind> for Ending {
    fn from(kind: Kind) -> Ending {
        Ending(End::Kind(kind))
    }
}
