//! One request on its way, and the callers who share it.

use super::gate::Priority;
use super::origin::{Pass, split};
use super::output::Attempt;
use super::time::{Duration, Timestamp};

/// Names a call for the host. A flight bears the id of the call that began it.
pub type CallId = u32;

/// What a caller asks for.
#[derive(Clone, Debug)]
pub struct Call {
    /// Chosen by the host, never used twice.
    pub id: CallId,
    /// Absolute.
    pub url: String,
    /// Equal keys may share one request; none: this call stays alone.
    pub share: Option<String>,
    /// Who goes first.
    pub priority: Priority,
    /// What kind of request it is.
    pub traits: Traits,
    /// After the first attempt.
    pub retries: u32,
    /// Silence in one attempt.
    pub timeout: Duration,
    /// For everything, waits included.
    pub deadline: Duration,
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// A safe or idempotent method, or an idempotency key: sending it twice does no harm.
    pub idempotent: bool,
    /// Its body can be read twice.
    pub replayable: bool,
    /// Goes to the page's own origin or a trusted one: it feeds breaker, connection and session.
    pub trusted: bool,
    /// The caller reads the body; the call ends with the headers.
    pub streams: bool,
    /// HTML is not what was asked for.
    pub wants_data: bool,
    /// Its method is unsafe: a page is not reloaded under it.
    pub writes: bool,
}

/// What the headers say, as far as it decides something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer {
    /// 0 for an opaque response.
    pub status: u16,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The body is HTML.
    pub html: bool,
    /// The response comes from another URL than was asked.
    pub redirected: bool,
}

/// How reading a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// It is all there.
    Whole,
    /// The connection broke.
    Broken,
    /// It is longer than allowed.
    TooLarge,
}

/// One of those who wait for a flight.
#[derive(Debug)]
pub(super) struct Caller {
    pub id: CallId,
    /// On the awake timeline.
    pub deadline: Timestamp,
    pub shared: bool,
}

/// Where a flight is.
#[derive(Debug)]
pub(super) enum State {
    /// In the gate's queue.
    Queued,
    /// Sent; no headers yet.
    Sent { silent_until: Timestamp, pass: Pass },
    /// The body is being read.
    Reading { silent_until: Timestamp, end: super::kind::End },
    /// Between two attempts, on the wall.
    Backoff { until: Timestamp },
    /// Waits to hear whether somebody is still signed in.
    Verifying,
    /// New, or about to end.
    Parked,
}

/// One request and its callers.
#[derive(Debug)]
pub(super) struct Flight {
    pub id: CallId,
    pub share: Option<String>,
    pub origin: usize,
    pub route: String,
    pub callers: Vec<Caller>,
    pub priority: Priority,
    pub traits: Traits,
    pub retries: u32,
    pub timeout: Duration,
    pub state: State,
    /// Requests sent.
    pub attempts: u32,
    /// Attempts that followed a failure.
    pub retried: u32,
    /// How the last attempt ended, if not well.
    pub last: Option<super::kind::End>,
    /// What the server asked for with it.
    pub retry_after: Option<Duration>,
    /// The session was found alive, and the request sent once more.
    pub verified: bool,
    /// The last answer refused it: sent again, it is not done twice.
    pub refused: bool,
    /// The session that it was sent with is over.
    pub stale: bool,
    /// The page slept while the present attempt ran.
    pub slept: bool,
    /// Since when it has been retrying.
    pub retrying_since: Option<Timestamp>,
    /// Its callers were told of it.
    pub told_retrying: bool,
}

impl Flight {
    /// Of one caller, to the origin at this place.
    pub(super) fn new(call: Call, origin: usize, deadline: Timestamp) -> Flight {
        Flight {
            id: call.id,
            share: call.share,
            origin,
            route: split(&call.url).1.to_owned(),
            callers: vec![Caller { id: call.id, deadline, shared: false }],
            priority: call.priority,
            traits: call.traits,
            retries: call.retries,
            timeout: call.timeout,
            state: State::Parked,
            attempts: 0,
            retried: 0,
            last: None,
            retry_after: None,
            verified: false,
            refused: false,
            stale: false,
            slept: false,
            retrying_since: None,
            told_retrying: false,
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        Attempt { flight: self.id, number: self.attempts }
    }

    pub(super) fn holds_slot(&self) -> bool {
        matches!(self.state, State::Sent { .. } | State::Reading { .. })
    }

    /// The nearest deadline of its callers, on the awake timeline.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.callers.iter().map(|caller| caller.deadline).min()
    }

    /// The most patient caller's.
    pub(super) fn last_deadline(&self) -> Option<Timestamp> {
        self.callers.iter().map(|caller| caller.deadline).max()
    }
}
