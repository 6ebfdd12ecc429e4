//! What the host tells the core.

use super::draft::{DraftId, DraftInput};
use super::events::report::{Broken, Reply};
use super::events::stream::StreamSettings;
use super::events::streams::{StreamId, Told};
use super::flight::{Call, CallId};
use super::origin::Met;
use super::output::Attempt;
use super::requests::{Answer, Body};
use super::session::{self, SessionWord};
use super::tabs::{Member, Word};
use super::time::Duration;
use super::version::{Mode, Prepared, VersionId};

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
    /// Something about the session.
    Session(SessionInput),
    /// Something about the page's version.
    Version(VersionInput),
    /// A pointer, key or touch; or a scroll, if true, which a page may do by itself.
    Active(bool),
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
    /// Something about a draft.
    Draft(DraftId, DraftInput),
    /// The client is disposed of. A call that comes later is aborted at once.
    Dispose,
}

/// What happened to the session.
#[derive(Debug)]
pub enum SessionInput {
    /// The endpoint answered.
    Answered(session::Answer),
    /// Somebody needs to know whether somebody is signed in.
    Verify,
    /// Another library says that something may have changed.
    Nudged,
    /// The person signs out.
    SignOut,
    /// The server signed them out, or did not.
    SignedOut(bool),
    /// The lock of the session's tabs is held, or was lost.
    Locked(bool),
    /// Another tab says who leads.
    HeardTabs(Word),
    /// Another tab says how the session stands.
    Heard(SessionWord),
}

/// What happened to the page's version.
#[derive(Debug)]
#[allow(missing_docs, reason = "each is worded where `Version` takes it")]
pub enum VersionInput {
    Seen(VersionId, Mode),
    Refused(Mode),
    Checked(Option<(VersionId, Mode)>),
    Check,
    ChunkFailed,
    Hold(bool),
    Released,
    Apply,
    Dismiss,
    Prepared(Prepared),
    Unrecorded,
}

/// What happened to one event stream. Its bytes and the words of other tabs come by [`Hub::bytes`](super::hub::Hub::bytes) and [`Hub::heard`](super::hub::Hub::heard), which answer.
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
