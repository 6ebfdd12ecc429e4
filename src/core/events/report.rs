//! What a stream is told, and what it tells.

use crate::core::kind::{End, Kind};
use crate::core::origin::Met;
use crate::core::time::{Duration, Timestamp};

/// What the body of a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `text/event-stream`; of a poll: events.
    Events,
    /// A page for people: of a sign-in, or of a captive portal.
    Html,
    /// Anything else.
    Other,
}

/// What the headers of a response say, or a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 0 for none.
    pub status: u16,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Of a success.
    pub content: Content,
}

impl Reply {
    /// As its status says.
    #[must_use]
    pub fn by_status(self) -> Fault {
        Fault { end: End::Status, status: self.status, retry_after: self.retry_after }
    }

    /// For a reason that its status does not tell.
    #[must_use]
    pub fn fault(self, kind: Kind) -> Fault {
        Fault { end: End::Kind(kind), ..self.by_status() }
    }
}

/// How an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// No response, or the connection ended.
    Lost,
    /// A function of the app threw before anything was sent; another time it may not.
    Refused,
    /// The request cannot be sent, now or ever.
    Unsendable,
}

/// What to do with an event that came another way than by this tab's own connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Admission {
    /// It was delivered before.
    Repeated,
    /// Deliver it.
    New,
    /// Something before it was missed.
    Gap,
}

/// Why things are as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `End::Ok` never.
    pub end: End,
    /// 0 where no response came.
    pub status: u16,
    /// What the server asked to wait.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// Where no response came.
    #[must_use]
    pub fn of(kind: Kind) -> Fault {
        Fault { end: End::Kind(kind), status: 0, retry_after: None }
    }

    /// The connection broke, or there is no network at all.
    #[must_use]
    pub fn lost(online: bool) -> Fault {
        Fault::of(if online { Kind::Network } else { Kind::Offline })
    }
}

/// In the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Status {
    Connecting,
    Open,
    Waiting,
    Polling,
    Paused,
    Closed,
}

/// What the app is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it does.
    pub status: Status,
    /// Failures in a row.
    pub attempts: u32,
    /// When it connects again.
    pub next_retry_at: Option<Timestamp>,
    /// Why.
    pub fault: Option<Fault>,
}

/// The event that goes with a new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Fire {
    Nothing,
    Open,
    Error,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamOutput {
    /// Connect; the number names the connection.
    Connect(u32),
    /// Read the body of what answered this connection.
    Pump(u32),
    /// End the connection.
    Drop,
    /// Poll.
    Poll,
    /// End the poll.
    DropPoll,
    /// Hand over what the poll brought.
    TakePoll,
    /// Ask whether somebody is still signed in.
    Verify,
    /// A trusted origin was met, or missed.
    Met(Met),
    /// Show this.
    Show(Snapshot, Fire),
}
