//! The life of one event stream: connect, read, notice that it died, wait, connect again.
//!
//! A stream that another tab holds for this one is idle here; a page that is hidden for long, or on its way into the
//! back/forward cache, has none at all.

mod polls;

use std::mem::discriminant;

use super::memory::Memory;
use super::parser::{Event, Parser};
use super::polling::Polling;
use super::reconnect::{RETRY_AFTER_MAX, Reconnect, ReconnectSettings, Wait};
use super::report::{Admission, Broken, Content, Fault, Fire, Reply, Snapshot, Status, StreamOutput};
use super::watchdog::Watchdog;
use crate::core::kind::Kind;
use crate::core::origin::Met;
use crate::core::queue::Queue;
use crate::core::random::Random;
use crate::core::time::{Duration, Timestamp, earliest};
use crate::core::verify::Verified;

/// Answers in a row that deny a session which the session endpoint confirms.
const DENIALS_MAX: u32 = 3;
/// Streams that wake together are staggered over this.
const STAGGER: Duration = Duration::from_secs(1);
/// A longer id may be more than a server takes of headers, and then no reconnect would ever succeed.
const ID_MAX: usize = 4_096;

/// What a stream is made from. The host has checked every value.
#[derive(Clone, Copy, Debug)]
pub struct StreamSettings {
    /// The waits between connections.
    pub reconnect: ReconnectSettings,
    /// Until the response headers. Default 10 s.
    pub first_byte: Duration,
    /// Silence that means dead. Default 75 s.
    pub watchdog: Duration,
    /// Default 8 MiB.
    pub max_event_bytes: usize,
    /// Delivered events that are remembered. Default 1,024; 0: none.
    pub dedupe_ids: usize,
    /// Hidden for longer, the page has no connection.
    pub pause_hidden: Option<Duration>,
    /// Between two polls, where there is something to poll.
    pub poll: Option<Duration>,
    /// Goes to the page's own origin or a trusted one: it may ask the session, and tells of the connection.
    pub trusted: bool,
}

/// What happens around a stream.
pub struct Around<'a> {
    /// The wall, made monotonic.
    pub now: Timestamp,
    /// The dice.
    pub random: &'a mut Random,
    /// The browser says that there is a network.
    pub online: bool,
    /// Somebody can see the page.
    pub visible: bool,
    /// There is a session to ask.
    pub session: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Another tab has the connection, or the page shall have none. Not before this moment is there another.
    Idle(Timestamp),
    /// Without a bound only as the specification has it.
    Connecting {
        until: Option<Timestamp>,
    },
    Open {
        since: Timestamp,
    },
    /// The session is asked, for this reason.
    Asking(Reply),
    Waiting(Wait),
    Closed,
}

/// One stream.
#[derive(Debug)]
pub struct Stream {
    settings: StreamSettings,
    /// Reads the format, and keeps the batch for the host.
    pub parser: Parser,
    memory: Memory,
    reconnect: Reconnect,
    polling: Polling,
    state: State,
    connection: u32,
    /// Another tab has the connection.
    follows: bool,
    /// The page is in the back/forward cache, or on its way there.
    away: bool,
    hidden_since: Option<Timestamp>,
    paused: bool,
    watchdog: Watchdog,
    /// This device slept or lost its network since the last byte.
    shaken: bool,
    denials: u32,
    /// The session is asked because a poll was denied.
    poll_denied: bool,
    repeated: u32,
    fault: Option<Fault>,
    fire: Fire,
    told: Option<Snapshot>,
    outputs: Queue<StreamOutput>,
}

impl Stream {
    /// Connects at the next `wake`, unless it `follows` another tab.
    #[must_use]
    pub fn new(settings: StreamSettings, last_id: &[u8], follows: bool, around: &mut Around) -> Stream {
        let now = around.now;
        let patience = Some(settings.watchdog).filter(|_| !settings.reconnect.strict);
        let mut parser = Parser::new(settings.max_event_bytes);
        parser.set_last_id(last_id);
        Stream {
            parser,
            memory: Memory::new(settings.dedupe_ids, around.random.seed()),
            reconnect: Reconnect::new(settings.reconnect),
            polling: Polling::new(settings.poll),
            state: if follows { State::Idle(now) } else { State::Waiting(Wait { floor: now, until: now }) },
            connection: 0,
            follows,
            away: false,
            hidden_since: (!around.visible).then_some(now),
            paused: false,
            watchdog: Watchdog::new(patience),
            shaken: false,
            denials: 0,
            poll_denied: false,
            repeated: 0,
            fault: None,
            fire: Fire::Nothing,
            told: None,
            outputs: Queue::new(),
            settings,
        }
    }

    // ------------------------------------------------------------ what the host does for it

    /// The headers are here.
    pub fn answered(&mut self, connection: u32, reply: Reply, around: &mut Around) {
        if connection != self.connection || !matches!(self.state, State::Connecting { .. }) {
            return;
        }
        self.met(Met::Status(reply.status));
        let html = reply.content == Content::Html;
        match reply.status {
            200 if reply.content == Content::Events => {
                self.state = State::Open { since: around.now };
                self.watchdog.start(around.now);
                self.denials = 0;
                self.parser.restart();
                if connection > 1 {
                    self.memory.source_changed();
                }
                self.outputs.push_back(StreamOutput::Pump(connection));
                if !self.polling.delivers() {
                    self.fault = None;
                    self.fire = Fire::Open;
                }
            }
            204 => self.end(None),
            401 if !self.settings.reconnect.strict => self.denied(reply, around),
            200..=399 if html && !self.settings.reconnect.strict => self.denied(reply, around),
            408 | 425 | 429 | 500.. if !self.settings.reconnect.strict => {
                self.denials = 0;
                self.polling.ended(around.now, false);
                self.fail(None, reply.by_status(), around);
            }
            200 => self.end(Some(reply.fault(Kind::Parse))),
            _ => self.end(Some(reply.by_status())),
        }
    }

    /// No response came, or the connection ended, or the request cannot be sent.
    pub fn broken(&mut self, connection: u32, how: Broken, around: &mut Around) {
        if connection != self.connection || self.follows {
            return;
        }
        let opened = match self.state {
            State::Connecting { .. } => None,
            State::Open { since } => Some(since),
            _ => return,
        };
        if opened.is_none() && how == Broken::Lost {
            self.met(Met::Broken);
        }
        if how == Broken::Unsendable {
            return self.end(Some(Fault::of(Kind::Invalid)));
        }
        self.watchdog.reset();
        self.polling.ended(around.now, false);
        let fault = if how == Broken::Refused { Fault::of(Kind::Invalid) } else { Fault::lost(around.online) };
        self.fail(opened, fault, around);
    }

    /// Bytes came. None: of a connection that is over. Else whether anything but the batch changed.
    pub fn bytes(&mut self, connection: u32, chunk: &[u8], now: Timestamp) -> Option<bool> {
        if connection != self.connection || !matches!(self.state, State::Open { .. }) {
            return None;
        }
        let mut changed = self.watchdog.feed(now) && self.retire_polls();
        let (memory, repeated) = (&mut self.memory, &mut self.repeated);
        self.parser.push(chunk, |event| {
            let new = memory.admit(&event);
            *repeated += u32::from(!new);
            new
        });
        self.shaken = false;
        if let Some(retry) = self.parser.take_retry() {
            self.reconnect.asked(retry);
        }
        if self.parser.take_skipped() > 0 {
            self.fault = Some(Fault::of(Kind::TooLarge));
            changed = true;
        }
        Some(changed)
    }

    /// An event that came another way: polled, or from the tab that has the connection. `follows`: it comes right after the last one here.
    pub fn admit(&mut self, event: &Event, follows: bool) -> Admission {
        if !follows && !self.memory.knows(event) {
            return Admission::Gap;
        }
        if let Some(id) = event.id {
            self.parser.set_last_id(id);
        }
        if self.memory.admit(event) {
            return Admission::New;
        }
        self.repeated += 1;
        Admission::Repeated
    }

    /// Whether the tab that has the connection has come further than this one.
    #[must_use]
    pub fn lags(&self, reached: &[u8]) -> bool {
        let mine = self.parser.last_id();
        !mine.is_empty() && mine != reached && !self.memory.knows_id(reached)
    }

    /// Another tab has the connection now: what it brings may come again.
    pub fn source_changed(&mut self) {
        self.memory.source_changed();
    }

    /// What the session endpoint says, where this stream asked.
    pub fn verified(&mut self, verified: Verified, around: &mut Around) {
        self.poll_verified(verified, around);
        let State::Asking(reply) = self.state else { return };
        let kind = match (verified, reply.content == Content::Html) {
            (Verified::SignedOut, _) => Kind::Unauthenticated,
            (Verified::Unknown, _) => {
                return self.fail(None, reply.fault(Kind::AuthUnknown), around);
            }
            (Verified::SignedIn(_), true) => Kind::Parse,
            (Verified::SignedIn(_), false) => Kind::Forbidden,
        };
        self.denials += 1;
        if verified == Verified::SignedOut || self.denials >= DENIALS_MAX {
            return self.end(Some(reply.fault(kind)));
        }
        self.connect(around.now);
    }

    /// The iterator holds the stream back, or lets it go: silence counts from there.
    pub fn hold(&mut self, now: Timestamp, held: bool) {
        self.watchdog.hold(now, held);
    }

    // ------------------------------------------------------------ what the page goes through

    /// The browser's `online` and `offline`. A connection that spans an offline spell is taken for dead.
    pub fn network(&mut self, online: bool, around: &mut Around) {
        match self.state {
            // The specification knows nothing of this, and a connection that broke says so itself.
            State::Connecting { .. } | State::Open { .. } if self.settings.reconnect.strict => {}
            State::Open { .. } if !online => self.shaken = true,
            State::Open { .. } if self.shaken => {
                self.say(Fault::of(Kind::Network));
                self.renew(around);
            }
            State::Connecting { .. } if online => self.renew(around),
            _ => {}
        }
        if online {
            self.hurry(around);
        }
    }

    /// The page became visible or hidden.
    pub fn visible(&mut self, around: &mut Around) {
        self.hidden_since = (!around.visible).then_some(around.now);
        if around.visible {
            self.hurry(around);
            self.rest(around);
        }
    }

    /// The page goes, perhaps into the back/forward cache, or came back from there.
    pub fn away(&mut self, away: bool, around: &mut Around) {
        self.away = away;
        self.rest(around);
    }

    /// This device slept, or the page stood still.
    pub fn slept(&mut self, around: &mut Around) {
        self.shaken = true;
        if matches!(self.state, State::Connecting { .. }) && !self.settings.reconnect.strict {
            self.renew(around);
        } else {
            self.hurry(around);
        }
    }

    // ------------------------------------------------------------ what the app and the other tabs want

    /// This tab has the connection from now on, or another one has it.
    pub fn follow(&mut self, follows: bool, around: &mut Around) {
        self.follows = follows;
        self.memory.source_changed();
        self.rest(around);
    }

    /// The server asked the tab that has the connection to wait for so long; none: it is open.
    pub fn rest_for(&mut self, now: Timestamp, wait: Option<Duration>) {
        if let State::Idle(floor) = &mut self.state {
            *floor = wait.map_or(now, |wait| (*floor).max(now + wait.min(RETRY_AFTER_MAX)));
        }
    }

    /// Another user is signed in: what was sent to the one before is over, and so is its last id.
    pub fn switched(&mut self, around: &mut Around) {
        if self.settings.trusted {
            self.parser.set_last_id(&[]);
            self.memory.clear();
            if self.polling.interrupt(around.now) {
                self.drop_poll();
            }
            self.anew(around);
        }
    }

    /// Connects now, with a fresh backoff.
    pub fn again(&mut self, around: &mut Around) {
        self.paused = false;
        self.hidden_since = self.hidden_since.map(|_| around.now);
        self.anew(around);
    }

    /// Ends it, without a word.
    pub fn close(&mut self) {
        self.drop_all();
        self.state = State::Closed;
    }

    // ------------------------------------------------------------ the machine

    /// Time passed.
    pub fn wake(&mut self, around: &mut Around) {
        let now = around.now;
        if self.pause_at().is_some_and(|at| at <= now) {
            self.paused = true;
            self.rest(around);
        }
        match self.state {
            State::Connecting { until: Some(until) } if until <= now => {
                self.polling.ended(now, true);
                self.fail(None, Fault::of(Kind::Timeout), around);
            }
            State::Open { since } if self.watchdog.barks_at().is_some_and(|at| at <= now) => {
                self.polling.ended(now, !self.watchdog.bark());
                let woke = self.shaken;
                self.fail(Some(since), Fault::of(Kind::Timeout), around);
                if woke {
                    self.hurry(around);
                }
            }
            State::Open { since } if self.reconnect.failures() > 0 && self.reconnect.stable_at(since) <= now => {
                self.reconnect.reset();
            }
            State::Waiting(wait) if wait.until <= now => self.connect(now),
            _ => {}
        }
        if !self.idle() && self.polling.take(now) {
            self.outputs.push_back(StreamOutput::Poll);
        }
        self.show();
    }

    /// When to come back.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let own = match self.state {
            State::Connecting { until } => until,
            State::Waiting(wait) => Some(wait.until),
            State::Open { since } => {
                let stable = (self.reconnect.failures() > 0).then(|| self.reconnect.stable_at(since));
                earliest(&[stable, self.watchdog.barks_at()])
            }
            _ => None,
        };
        let poll = self.polling.next_wake().filter(|_| !self.idle());
        earliest(&[own, poll, self.pause_at()])
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<StreamOutput> {
        self.outputs.pop_front()
    }

    /// Events that came again, and were not delivered.
    #[must_use]
    pub fn repeated(&self) -> u32 {
        self.repeated
    }

    /// Whether it ended for good.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The id to resume from, as far as it can stand in a header; empty: none.
    #[must_use]
    pub fn resumes_from(&self) -> &[u8] {
        let id = self.parser.last_id();
        let fits = id.len() <= ID_MAX && id.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t');
        if fits { id } else { &[] }
    }

    /// Whether it wants nothing now, from the server or from another tab.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.away || self.paused || self.state == State::Closed
    }

    /// Whether this tab shall have no connection.
    fn idle(&self) -> bool {
        self.follows || self.rests()
    }

    /// Ends or begins a connection, as this tab shall have none or one.
    fn rest(&mut self, around: &mut Around) {
        if around.visible {
            self.paused = false;
        }
        if self.state == State::Closed {
            return;
        }
        if self.idle() {
            self.drop_all();
            self.state = State::Idle(match self.state {
                State::Waiting(Wait { floor, .. }) | State::Idle(floor) => floor,
                _ => around.now,
            });
        } else if let State::Idle(floor) = self.state {
            self.state = State::Waiting(Wait { floor, until: floor });
        }
    }

    fn pause_at(&self) -> Option<Timestamp> {
        let after = self.settings.pause_hidden.filter(|_| !self.rests())?;
        Some(self.hidden_since? + after)
    }

    fn connect(&mut self, now: Timestamp) {
        self.connection += 1;
        let bounded = !self.settings.reconnect.strict;
        self.state = State::Connecting { until: bounded.then(|| now + self.settings.first_byte) };
        self.outputs.push_back(StreamOutput::Connect(self.connection));
    }

    fn anew(&mut self, around: &mut Around) {
        self.reconnect.reset();
        self.watchdog.reset();
        self.denials = 0;
        if !self.idle() {
            self.renew(around);
        }
    }

    /// Drops the connection that there is for one that is better, in a moment. No failure: nothing went wrong with the server.
    fn renew(&mut self, around: &mut Around) {
        if matches!(self.state, State::Connecting { .. } | State::Open { .. }) {
            self.disconnect();
        }
        self.shaken = false;
        self.connect(around.now);
    }

    fn met(&mut self, met: Met) {
        if self.settings.trusted {
            self.outputs.push_back(StreamOutput::Met(met));
        }
    }

    /// Ends the jitter of what waits.
    fn hurry(&mut self, around: &mut Around) {
        let soon = around.now + around.random.up_to(STAGGER);
        if let State::Waiting(wait) = &mut self.state {
            wait.hurry(soon);
        }
        self.polling.hurry(soon);
    }

    /// A 401, or HTML where events were asked for.
    fn denied(&mut self, reply: Reply, around: &mut Around) {
        self.polling.ended(around.now, false);
        if self.settings.trusted && around.session {
            self.state = State::Asking(reply);
            self.disconnect();
            self.outputs.push_back(StreamOutput::Verify);
        } else if self.settings.trusted || reply.status != 401 {
            self.fail(None, reply.fault(Kind::AuthUnknown), around);
        } else {
            self.end(Some(reply.fault(Kind::AuthUnknown)));
        }
    }

    /// One more failure in a row: wait.
    fn fail(&mut self, opened: Option<Timestamp>, fault: Fault, around: &mut Around) {
        self.disconnect();
        let wait = self.reconnect.wait(around.now, opened, self.shaken, fault.retry_after, around.random);
        self.state = State::Waiting(wait);
        self.shaken = false;
        self.say(fault);
    }

    /// While polls deliver, nothing that goes wrong beside them is worth a word.
    fn say(&mut self, fault: Fault) {
        if !self.polling.delivers() {
            self.fault = Some(fault);
            self.fire = Fire::Error;
        }
    }

    /// It is over for good: the server said so, or nothing else helps.
    fn end(&mut self, fault: Option<Fault>) {
        self.drop_all();
        self.state = State::Closed;
        self.fault = fault;
        self.fire = Fire::Error;
        self.show();
    }

    fn drop_all(&mut self) {
        if matches!(self.state, State::Connecting { .. } | State::Open { .. }) {
            self.disconnect();
        }
        if self.polling.stop() {
            self.drop_poll();
        }
    }

    fn disconnect(&mut self) {
        self.take_back(StreamOutput::Connect(self.connection), StreamOutput::Drop);
    }

    /// What the host was not told to begin yet, it need not end: it might end it before it began.
    fn take_back(&mut self, begin: StreamOutput, end: StreamOutput) {
        if !self.outputs.take_back(|output| discriminant(output) == discriminant(&begin)) {
            self.outputs.push_back(end);
        }
    }

    fn show(&mut self) {
        if self.follows && !self.rests() {
            // The tab that has the connection says how things stand.
            self.told = None;
            return;
        }
        let (status, next_retry_at) = match self.state {
            State::Closed => (Status::Closed, None),
            _ if self.idle() => {
                // What opened or failed in this very moment is over as well.
                self.fire = Fire::Nothing;
                (Status::Paused, None)
            }
            _ if self.polling.delivers() => (Status::Polling, None),
            State::Open { .. } => (Status::Open, None),
            State::Waiting(wait) => (Status::Waiting, Some(wait.until)),
            _ => (Status::Connecting, None),
        };
        let attempts = self.reconnect.failures();
        let snapshot = Snapshot { status, attempts, next_retry_at, fault: self.fault };
        let fire = std::mem::replace(&mut self.fire, Fire::Nothing);
        if self.told.replace(snapshot) != Some(snapshot) || fire != Fire::Nothing {
            self.outputs.push_back(StreamOutput::Show(snapshot, fire));
        }
    }
}
