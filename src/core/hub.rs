//! How the machines hang together. Whoever wants to know what the library does, reads this file.
//!
//! - A request's outcome feeds the connection; the connection holds background work back, and lets it go.
//! - A 401 asks the session; the session's answer sends the waiting requests on, or ends them.
//! - The end of a session ends what would be sent again for it, and another user's whatever still runs.
//! - A page of an old version is reloaded once nothing is unsaved: it asks drafts and unsafe requests first. Who signs out
//!   does so once drafts are saved.
//! - What drafts meet at the server feeds the connection, and their 401 asks the session; its answer thaws them.
//! - A degraded connection probes, and the probe's answer feeds it.
//! - Event streams live beside the requests: their 401 asks the session too, what they meet feeds the connection, and
//!   another user's session makes them begin anew.
//!
//! The host calls [`Hub::handle`] with what happened, does what [`Hub::poll`] says until it is dry, and comes back at
//! [`Hub::next_wake`].

use super::clock::Clock;
use super::connection::{Connection, ConnectionStatus};
use super::draft::drafts::Drafts;
use super::draft::{self, DraftOutput};
use super::events::parser::Event;
use super::events::report::{Admission, StreamOutput};
use super::events::stream::{Around, Stream};
use super::events::streams::{StreamId, Streams, StreamsOutput};
use super::flight::CallId;
pub use super::input::{Input, SessionInput, StreamInput, VersionInput};
use super::kind::{End, Kind};
use super::origin::Met;
use super::output::{Output, Settled};
use super::queue::Queue;
use super::random::Random;
use super::requests::{Requests, RequestsOutput, Step, Weather};
use super::session::{self, Session, SessionOutput};
use super::settings::Settings;
use super::tabs::Word;
use super::time::{Duration, Timestamp, earliest};
use super::verify::Verified;
use super::version::{self, Unsaved, Version, VersionOutput};

/// Drafts have so long to be saved before somebody is signed out.
const SIGN_OUT_FLUSH_MAX: Duration = Duration::from_secs(5);

/// All machines of one client.
#[derive(Debug)]
pub struct Hub {
    settings: Settings,
    clock: Clock,
    random: Random,
    requests: Requests,
    streams: Streams,
    drafts: Drafts,
    session: Option<Session>,
    version: Option<Version>,
    connection: Connection,
    online: bool,
    visible: bool,
    disposed: bool,
    /// Somebody signs out, and drafts have so long to be saved.
    leaving: Option<Timestamp>,
    /// When the host promised to come back.
    due: Option<Timestamp>,
    told: (ConnectionStatus, usize),
    outputs: Queue<Output>,
}

impl Hub {
    /// Starts at the host's time, with the host's dice and what the browser says of network and visibility.
    #[must_use]
    pub fn new(mut settings: Settings, seed: u64, host: Timestamp, online: bool, visible: bool) -> Hub {
        let connection = Connection::new(settings.connection, host, online);
        let mut random = Random::new(seed);
        let session = settings.session.map(|(session, start, member)| {
            let tabs = member.zip(settings.tabs);
            let around = &mut session::Around { now: host, awake: host, random: &mut random, online, visible };
            Session::new(session, tabs, start, around)
        });
        let version = settings.version.take().map(|(version, used)| {
            let unsaved = Unsaved::default();
            let around = &mut version::Around { now: host, random: &mut random, online, visible, unsaved };
            Version::new(version, used, around)
        });
        Hub {
            clock: Clock::new(host),
            random,
            requests: Requests::default(),
            streams: Streams::default(),
            drafts: Drafts::default(),
            session,
            version,
            told: (ConnectionStatus::Online, 0),
            connection,
            online,
            visible,
            disposed: false,
            leaving: None,
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
            Input::Session(input) => self.with_session(|session, around| match input {
                SessionInput::Answered(answer) => session.answered(answer, around),
                SessionInput::Verify => session.request(around),
                SessionInput::Nudged => session.nudged(around),
                SessionInput::SignOut => session.sign_out(around),
                SessionInput::SignedOut(accepted) => session.signed_out(accepted, around),
                SessionInput::Locked(held) => session.locked(held, around),
                SessionInput::HeardTabs(word) => session.heard_tabs(word, around),
                SessionInput::Heard(word) => session.heard(word, around),
            }),
            Input::Version(input) => self.with_version(|version, around| match input {
                VersionInput::Seen(id, mode) => version.seen(id, mode, around),
                VersionInput::Refused(mode) => version.refused(mode, around),
                VersionInput::Checked(found) => version.checked(found, around),
                VersionInput::Check => version.check(around),
                VersionInput::ChunkFailed => version.chunk_failed(around),
                VersionInput::Hold(held) => version.hold(held, around),
                VersionInput::Released => version.released(around),
                VersionInput::Apply => version.apply(around),
                VersionInput::Dismiss => version.dismiss(around),
                VersionInput::Prepared(prepared) => version.prepared(prepared, around),
                VersionInput::Unrecorded => version.unrecorded(around),
            }),
            Input::Active(by_scroll) => {
                self.with_session(Session::active);
                if !by_scroll {
                    self.with_version(Version::active);
                }
            }
            Input::Probed(met) => self.met(met),
            Input::Network(online) => {
                self.online = online;
                self.with_drafts(Drafts::network);
                self.connection.network(now, online);
                self.with_session(Session::network);
                self.with_version(Version::network);
                self.with_streams(|streams, around| streams.each(|stream| stream.network(online, around)));
            }
            Input::Visible(visible) => {
                self.visible = visible;
                self.with_drafts(|drafts, around| drafts.visible(visible, around));
                self.with_session(Session::visible);
                self.with_version(Version::visible);
                self.with_streams(Streams::visible);
            }
            Input::Away(away) => {
                self.with_drafts(|drafts, around| drafts.away(away, around));
                self.with_session(|session, around| session.away(away, around));
                if !away {
                    self.with_version(Version::restored);
                }
                self.with_streams(|streams, around| streams.each(|stream| stream.away(away, around)));
            }
            Input::Stream(id, input) => self.tell_stream(id, input),
            Input::Draft(id, input) => self.with_drafts(|drafts, around| drafts.handle(id, input, around)),
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
        let session = self.session.as_ref().and_then(Session::next_wake);
        let question = self.session.as_ref().and_then(Session::next_awake).map(|awake| self.clock.on_wall(awake));
        let version = self.version.as_ref().and_then(Version::next_wake);
        let streams = self.streams.next_wake();
        let drafts = self.drafts.next_wake();
        let wakes = [probe, requests, session, question, version, streams, drafts, self.leaving];
        self.due = earliest(&wakes).filter(|_| !self.disposed);
        self.due.map(|due| self.clock.on_host(due))
    }

    /// Lets every machine act on what happened, and carries word between them until all is quiet.
    fn settle(&mut self) {
        if self.disposed {
            return;
        }
        self.session_says();
        self.with_requests(Requests::wake);
        self.requests_say();
        self.session_says();
        self.with_streams(Streams::wake);
        self.streams_say();
        self.drafts_say();
        self.version_says();
        self.drafts_say();
        self.let_leave();
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
                RequestsOutput::Verify => self.with_session(Session::request),
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
                    self.with_session(Session::request);
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

    fn drafts_say(&mut self) {
        self.with_drafts(Drafts::wake);
        while let Some((id, said)) = self.drafts.poll() {
            match said {
                DraftOutput::Verify => {
                    self.with_session(Session::request);
                    self.session_says();
                }
                DraftOutput::CheckVersion => self.with_version(Version::check),
                DraftOutput::Reached(true) => self.connection.reached(self.clock.now()),
                DraftOutput::Reached(false) => self.connection.missed(self.clock.now(), &mut self.random),
                said => self.outputs.push_back(Output::Draft(id, said)),
            }
        }
    }

    /// Who signs out has to wait for drafts, but not for long.
    fn let_leave(&mut self) {
        let late = self.leaving.is_some_and(|until| until <= self.clock.now());
        if late || (self.leaving.is_some() && self.drafts.resting()) {
            self.leaving = None;
            self.outputs.push_back(Output::Session(SessionOutput::SignOut));
        }
    }

    fn session_says(&mut self) {
        self.with_session(Session::wake);
        while let Some(said) = self.session.as_mut().and_then(Session::poll) {
            match said {
                SessionOutput::Verified(verified) => {
                    self.with_requests(|requests, step| requests.verified(verified, step));
                    self.with_streams(|streams, around| streams.each(|stream| stream.verified(verified, around)));
                    self.drafts.verified(verified);
                }
                SessionOutput::SignOut => {
                    self.with_drafts(Drafts::flush_all);
                    self.leaving = Some(self.clock.now() + SIGN_OUT_FLUSH_MAX);
                    continue;
                }
                SessionOutput::Ended(_) => self.with_requests(Requests::session_ended),
                // Whom nobody could tell when a draft was refused, somebody can now.
                SessionOutput::Show(session::Snapshot {
                    status: session::Status::Authenticated,
                    user: Some(user),
                    ..
                }) => {
                    self.drafts.verified(Verified::SignedIn(user));
                }
                SessionOutput::Switched(..) => {
                    self.with_requests(|requests, step| requests.abort_all(true, step));
                    self.with_streams(|streams, around| streams.each(|stream| stream.switched(around)));
                }
                _ => {}
            }
            self.outputs.push_back(Output::Session(said));
        }
        self.requests_say();
    }

    fn version_says(&mut self) {
        self.with_version(Version::wake);
        while let Some(said) = self.version.as_mut().and_then(Version::poll) {
            match said {
                VersionOutput::Flush => self.with_drafts(Drafts::flush_all),
                said => self.outputs.push_back(Output::Version(said)),
            }
        }
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
        self.with_session(|session, _| session.stop());
        self.session_says();
        self.with_version(|version, _| version.stop());
        self.version_says();
        self.with_requests(|requests, step| requests.abort_all(false, step));
        self.requests_say();
        self.with_streams(|streams, around| {
            streams.each(Stream::close);
            streams.wake(around);
        });
        self.streams_say();
        self.drafts.stop();
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
            self.with_session(Session::slept);
            self.with_version(Version::slept);
            self.with_streams(Streams::slept);
            self.with_drafts(Drafts::slept);
        }
        slept
    }

    fn weather(&self) -> Weather {
        Weather {
            offline: !self.online,
            background: self.visible && self.connection.status() == ConnectionStatus::Online,
            session: self.session.is_some(),
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
            session: self.session.is_some(),
        };
        act(&mut self.streams, around)
    }

    fn with_drafts(&mut self, act: impl FnOnce(&mut Drafts, &mut draft::Around)) {
        let around = &mut draft::Around {
            now: self.clock.now(),
            random: &mut self.random,
            online: self.online,
            session: self.session.is_some(),
        };
        act(&mut self.drafts, around);
    }

    fn with_session(&mut self, act: impl FnOnce(&mut Session, &mut session::Around)) {
        if let Some((session, mut around)) = self.session() {
            act(session, &mut around);
        }
    }

    /// Not written out anew wherever it is needed.
    #[inline(never)]
    fn session(&mut self) -> Option<(&mut Session, session::Around<'_>)> {
        let around = session::Around {
            now: self.clock.now(),
            awake: self.clock.awake(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
        };
        Some((self.session.as_mut()?, around))
    }

    fn with_version(&mut self, act: impl FnOnce(&mut Version, &mut version::Around)) {
        if let Some((version, mut around)) = self.version() {
            act(version, &mut around);
        }
    }

    #[inline(never)]
    fn version(&mut self) -> Option<(&mut Version, version::Around<'_>)> {
        let around = version::Around {
            now: self.clock.now(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
            unsaved: Unsaved { drafts: self.drafts.unsaved(), requests: self.requests.writes() },
        };
        Some((self.version.as_mut()?, around))
    }
}
