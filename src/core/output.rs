//! What the core asks of its host.

use super::connection::ConnectionStatus;
use super::draft::{DraftId, DraftOutput};
use super::events::streams::StreamsOutput;
use super::flight::CallId;
use super::kind::End;
use super::origin::Switched;
use super::session::SessionOutput;
use super::time::{Duration, Timestamp};
use super::version::VersionOutput;

/// One attempt of a flight. Word of an earlier attempt that comes late says nothing about the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose.
    pub flight: CallId,
    /// Counted from 1.
    pub number: u32,
}

/// A call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whose.
    pub call: CallId,
    /// The flight that it travelled on: that of the first caller.
    pub flight: CallId,
    /// How.
    pub end: End,
    /// Requests sent for it.
    pub attempts: u32,
    /// What the server or the breaker asked to wait.
    pub retry_after: Option<Duration>,
    /// It followed another call's request.
    pub shared: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// Send a request.
    Send(Attempt),
    /// Read the body of its response.
    Read(Attempt),
    /// Let the body of its response go.
    Drain(CallId),
    /// End it.
    Cancel(CallId),
    /// Tell a caller.
    Settle(Settled),
    /// Forget a flight.
    Done(CallId),
    /// Say that a flight will be sent again after this wait.
    Retry(CallId, Duration),
    /// Say that a flight's callers have been waiting for a while.
    Retrying(CallId),
    /// Say that a breaker changed.
    Breaker(CallId, Switched),
    /// For the session.
    Session(SessionOutput),
    /// For the page's version.
    Version(VersionOutput),
    /// Ask whether the server is back, answered by [`Input::Probed`](super::hub::Input::Probed).
    Probe,
    /// Say what the connection is now, on the host's clock.
    Connection(ConnectionStatus, Timestamp),
    /// Say how many calls wait for a slot.
    Queued(usize),
    /// For an event stream.
    Streams(StreamsOutput),
    /// For a draft.
    Draft(DraftId, DraftOutput),
}
