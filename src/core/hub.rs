//! How the machines hang together. Whoever wants to know what the library does, reads this file.
//!
//! - A request's outcome feeds the connection; the connection holds background work back, and lets it go.
//! - A 401 asks the session; the session's answer sends the waiting requests on, or ends them.
//! - Another user's session ends what still runs for the one before.
//! - A degraded connection probes, and the probe's answer feeds it.
//! - Event streams live beside the requests: their 401 asks the session too, what they meet feeds the connection, and
//!   another user's session makes them begin anew.
//!
//! The host calls [`Hub::handle`] with what happened, does what [`Hub::poll`] says until it is dry, and comes back at
//! [`Hub::next_wake`].

use super::clock::Clock;
use super::connection::{Connection, ConnectionStatus};
use super::events::parser::Event;
use super::events::report::{Admission, Broken, Reply, StreamOutput};
use super::events::stream::{Around, Stream, StreamSettings};
use super::events::streams::{StreamId, Streams, StreamsOutput, Told};
use super::flight::{Call, CallId};
use super::kind::{End, Kind};
use super::origin::Met;
use super::output::{Attempt, Output, Settled};
use super::queue::Queue;
use super::random::Random;
use super::requests::{Answer, Body, Requests, RequestsOutput, Step, Weather};
use super::settings::Settings;
use super::tabs::{Member, Word};
use super::time::{Duration, Timestamp, earliest};
use super::verify::{SessionAnswer, Verified, Verify, VerifyOutput};

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The host's timer rang.
    Wake,
    /// Somebody calls.
    Call(Call),
    /// Somebody does not want the answer any more.
    Abort(CallId),
    /// An attempt's headers are here.
    Answered(Attempt, Answer),
    /// Some bytes of its body came.
    Progressed(Attempt),
    /// Its body was read, or could not be.
    Read(Attempt, Body),
    /// No response came.
    Failed(Attempt),
    /// The request cannot be sent as it is, or a hook threw.
    Unsendable(Attempt),
    /// The session endpoint answered.
    Session(SessionAnswer),
    /// The probe met this.
    Probed(Met),
    /// The browser's `online` and `offline` events.
    Network(bool),
    /// The page became visible or hidden.
    Visible(bool),
    /// The page goes, perhaps into the back/forward cache, or came back from there.
    Away(bool),
    /// Something about an event stream.
    Stream(StreamId, StreamInput),
    /// The client is disposed of. A call that comes later is aborted at once.
    Dispose,
}

/// What happened to one event stream. Its bytes and the words of other tabs come by [`Hub::bytes`] and [`Hub::heard`], which answer.
#[derive(Debug)]
pub enum StreamInput {
    /// Somebody wants one, from this event on. With a member it shares its connection with other tabs.
    Open(StreamSettings, Vec<u8>, Option<Member>),
    /// The headers of a connection are here.
    Answered(u32, Reply),
    /// A connection ended, or was never made.
    Broken(u32, Broken),
    /// A poll brought this; none: nothing.
    Polled(Option<Reply>),
    /// Its reader holds it back, or lets it go.
    Hold(bool),
    /// How far the tab has come that holds the connection, or the server says.
    Reached(Vec<u8>),
    /// The server asked the tab that holds the connection to wait for so long; none: it is open.
    RestFor(Option<Duration>),
    /// This tab missed something that the others were told.
    Missed,
    /// Somebody wants a new connection now.
    Again,
    /// Nobody wants it any more.
    Close,
    /// Of its group's lock.
    Told(Told),
}

/// All machines of one client.
#[derive(Debug)]
pub struct Hub {
    settings: Settings,
    clock: Clock,
    random: Random,
    requests: Requests,
    streams: Streams,
    verify: Option<Verify>,
    connection: Connection,
    user: Option<u64>,
    online: bool,
    visible: bool,
    disposed: bool,
    /// When the host promised to come back.
    due: Option<Timestamp>,
    told: (ConnectionStatus, usize),
    outputs: Queue<Output>,
}

impl Hub {
    /// Starts at the host's time, with the host's dice and what the browser says of network and visibility.
    #[must_use]
    pub fn new(settings: Settings, seed: u64, host: Timestamp, online: bool, visible: bool) -> Hub {
        let connection = Connection::new(settings.connection, host, online);
        Hub {
            clock: Clock::new(host),
            random: Random::new(seed),
            requests: Requests::default(),
            streams: Streams::default(),
            verify: settings.verify.map(Verify::new),
            told: (ConnectionStatus::Online, 0),
            connection,
            user: None,
            online,
            visible,
            disposed: false,
            due: None,
            outputs: Queue::new(),
            settings,
        }
    }

    /// Takes what happened, at the host's time.
    pub fn handle(&mut self, host: Timestamp, input: Input) {
        if self.disposed {
            if let Input::Call(call) = input {
                self.refuse(call.id);
            }
            return;
        }
        self.observe(host);
        let now = self.clock.now();
        match input {
            Input::Wake => {}
            Input::Call(call) => self.with_requests(|requests, step| requests.call(call, step)),
            Input::Abort(call) => self.with_requests(|requests, step| requests.abort(call, step)),
            Input::Answered(attempt, answer) => {
                self.with_requests(|requests, step| requests.answered(attempt, answer, step));
            }
            Input::Progressed(attempt) => self.with_requests(|requests, step| requests.progressed(attempt, step)),
            Input::Read(attempt, body) => self.with_requests(|requests, step| requests.read(attempt, body, step)),
            Input::Failed(attempt) => self.with_requests(|requests, step| requests.failed(attempt, step)),
            Input::Unsendable(attempt) => self.with_requests(|requests, step| requests.unsendable(attempt, step)),
            Input::Session(answer) => {
                if let Some(verify) = &mut self.verify {
                    verify.answered(self.clock.awake(), answer);
                }
            }
            Input::Probed(met) => self.met(met),
            Input::Network(online) => {
                self.online = online;
                self.connection.network(now, online);
                self.with_streams(|streams, around| streams.each(|stream| stream.network(online, around)));
            }
            Input::Visible(visible) => {
                self.visible = visible;
                self.with_streams(Streams::visible);
            }
            Input::Away(away) => self.with_streams(|streams, around| streams.each(|stream| stream.away(away, around))),
            Input::Stream(id, input) => self.tell_stream(id, input),
            Input::Dispose => self.dispose(),
        }
        self.settle();
    }

    /// Bytes of a stream's connection came; [`Hub::stream`] holds what they brought. None: the connection is over; else whether
    /// there is anything to do besides. This is the one way in
    /// that a page takes thousands of times a second, so nothing else is looked at while nothing else changed.
    pub fn bytes(&mut self, host: Timestamp, id: StreamId, connection: u32, chunk: &[u8]) -> Option<bool> {
        let slept = self.observe(host);
        let changed = slept | self.streams.bytes(id, connection, chunk, self.clock.now())?;
        if changed {
            self.settle();
        }
        Some(changed)
    }

    /// One stream, to look at: its parser holds what the newest bytes brought.
    #[must_use]
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.streams.stream(id)
    }

    /// An event of a stream that came another way, see [`Stream::admit`].
    pub fn admit(&mut self, id: StreamId, event: &Event, follows: bool) -> Admission {
        self.streams.admit(id, event, follows)
    }

    /// Word of another tab about a stream that they share. Whether what it carries is to be taken.
    pub fn heard(&mut self, host: Timestamp, id: StreamId, word: Word) -> bool {
        self.observe(host);
        let taken = self.with_streams(|streams, around| streams.heard(id, word, around));
        self.settle();
        taken
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back, on the host's clock. The host keeps to it: what comes much later is a sleep.
    pub fn next_wake(&mut self) -> Option<Timestamp> {
        let probe = self.next_probe();
        let requests = self.requests.next_wake(&self.clock, self.weather());
        let verify = self.verify.as_ref().and_then(Verify::next_wake).map(|awake| self.clock.on_wall(awake));
        let streams = self.streams.next_wake();
        self.due = earliest(&[probe, requests, verify, streams]).filter(|_| !self.disposed);
        self.due.map(|due| self.clock.on_host(due))
    }

    /// Lets every machine act on what happened, and carries word between them until all is quiet.
    fn settle(&mut self) {
        if self.disposed {
            return;
        }
        if let Some(verify) = &mut self.verify {
            verify.wake(self.clock.awake());
        }
        self.session_says();
        self.with_requests(Requests::wake);
        self.requests_say();
        self.session_says();
        self.with_streams(Streams::wake);
        self.streams_say();
        self.probe();
        self.requests_say();
        let connection = self.connection.status();
        if self.told.0 != connection {
            self.told.0 = connection;
            let since = self.clock.on_host(self.connection.since());
            self.outputs.push_back(Output::Connection(connection, since));
        }
        let queued = self.requests.queued();
        if self.told.1 != queued {
            self.told.1 = queued;
            self.outputs.push_back(Output::Queued(queued));
        }
    }

    fn requests_say(&mut self) {
        while let Some(said) = self.requests.poll() {
            match said {
                RequestsOutput::Host(output) => self.outputs.push_back(output),
                RequestsOutput::Met(met) => self.met(met),
                RequestsOutput::Verify => {
                    if let Some(verify) = &mut self.verify {
                        verify.request(self.clock.awake());
                    }
                }
            }
        }
    }

    fn tell_stream(&mut self, id: StreamId, input: StreamInput) {
        let tabs = self.settings.tabs;
        self.with_streams(|streams, around| {
            match input {
                StreamInput::Open(settings, last_id, member) => {
                    return streams.open(id, settings, &last_id, member.zip(tabs), around);
                }
                StreamInput::Told(told) => return streams.told(id, told, around),
                StreamInput::Missed => return streams.rejoin(id, around),
                _ => {}
            }
            streams.with(id, |stream| match input {
                StreamInput::Answered(connection, reply) => stream.answered(connection, reply, around),
                StreamInput::Broken(connection, how) => stream.broken(connection, how, around),
                StreamInput::Polled(reply) => stream.polled(reply, around),
                StreamInput::Hold(held) => stream.hold(around.now, held),
                StreamInput::Reached(last_id) => stream.parser.set_last_id(&last_id),
                StreamInput::RestFor(wait) => stream.rest_for(around.now, wait),
                StreamInput::Again => stream.again(around),
                _ => stream.close(),
            });
        });
    }

    fn streams_say(&mut self) {
        while let Some(said) = self.streams.poll() {
            match said {
                StreamsOutput::Stream(_, StreamOutput::Met(met)) => self.met(met),
                StreamsOutput::Stream(_, StreamOutput::Verify) => {
                    if let Some(verify) = &mut self.verify {
                        verify.request(self.clock.awake());
                    }
                    self.session_says();
                }
                StreamsOutput::Stream(id, StreamOutput::Show(mut snapshot, fire)) => {
                    snapshot.next_retry_at = snapshot.next_retry_at.map(|at| self.clock.on_host(at));
                    let shown = StreamsOutput::Stream(id, StreamOutput::Show(snapshot, fire));
                    self.outputs.push_back(Output::Streams(shown));
                }
                said => self.outputs.push_back(Output::Streams(said)),
            }
        }
    }

    fn session_says(&mut self) {
        while let Some(said) = self.verify.as_mut().and_then(Verify::poll) {
            match said {
                VerifyOutput::Ask => self.outputs.push_back(Output::AskSession),
                VerifyOutput::Cancel => self.outputs.push_back(Output::CancelSession),
                VerifyOutput::Verified(verified) => {
                    if let Verified::SignedIn(user) = verified
                        && self.user.replace(user).is_some_and(|before| before != user)
                    {
                        self.with_requests(|requests, step| requests.abort_all(true, step));
                        self.with_streams(|streams, around| streams.each(|stream| stream.switched(around)));
                    }
                    self.with_requests(|requests, step| requests.verified(verified, step));
                    self.with_streams(|streams, around| streams.each(|stream| stream.verified(verified, around)));
                }
            }
        }
        self.requests_say();
    }

    fn met(&mut self, met: Met) {
        let now = self.clock.now();
        if met.is_miss() {
            self.connection.missed(now, &mut self.random);
        } else if met != Met::Nothing {
            self.connection.reached(now);
        }
    }

    /// When the next probe is due, if there is one to make.
    fn next_probe(&self) -> Option<Timestamp> {
        let can = || self.settings.can_probe || self.requests.can_probe(self.clock.now());
        self.connection.next_probe().filter(|_| self.visible && can())
    }

    fn probe(&mut self) {
        if self.next_probe().is_none() || !self.connection.take_probe(self.clock.now(), &mut self.random) {
            return;
        }
        if self.settings.can_probe {
            self.outputs.push_back(Output::Probe);
        } else {
            self.with_requests(Requests::send_one_background);
        }
    }

    fn dispose(&mut self) {
        if let Some(verify) = &mut self.verify {
            verify.stop();
        }
        self.session_says();
        self.with_requests(|requests, step| requests.abort_all(false, step));
        self.requests_say();
        self.with_streams(|streams, around| {
            streams.each(Stream::close);
            streams.wake(around);
        });
        self.streams_say();
        self.disposed = true;
    }

    fn refuse(&mut self, call: CallId) {
        let end = End::Kind(Kind::Aborted);
        let settled = Settled { call, flight: call, end, attempts: 0, retry_after: None, shared: false };
        self.outputs.push_back(Output::Settle(settled));
        self.outputs.push_back(Output::Done(call));
    }

    /// Takes the host's time. Whether the page slept since it last did.
    fn observe(&mut self, host: Timestamp) -> bool {
        let slept = self.clock.observe(host, self.due, !self.visible);
        if slept {
            self.requests.slept();
            self.with_streams(Streams::slept);
        }
        slept
    }

    fn weather(&self) -> Weather {
        Weather {
            offline: !self.online,
            background: self.visible && self.connection.status() == ConnectionStatus::Online,
            session: self.verify.is_some(),
        }
    }

    fn with_requests(&mut self, act: impl FnOnce(&mut Requests, &mut Step)) {
        let weather = self.weather();
        let step = &mut Step { clock: &self.clock, settings: &self.settings, random: &mut self.random, weather };
        act(&mut self.requests, step);
    }

    fn with_streams<T>(&mut self, act: impl FnOnce(&mut Streams, &mut Around) -> T) -> T {
        let around = &mut Around {
            now: self.clock.now(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
            session: self.verify.is_some(),
        };
        act(&mut self.streams, around)
    }
}
