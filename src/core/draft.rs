//! What somebody typed: kept on the device first and at the server second, until it is submitted.
//!
//! The text itself stays with the host. This machine knows an edit by its number, a server's copy by its revision, and decides
//! when to write, when to send, and, with [`restore`], whose text is newer.

mod asking;
mod clearing;
pub mod drafts;
mod owning;
pub mod restore;
mod saving;
mod sending;

use super::kind::Kind;
use super::random::Random;
use super::time::{Duration, Timestamp};
use restore::{Local, Remote, Source};

/// One draft of one client. Numbers are not used again.
pub type DraftId = u32;

/// A copy at the server: never the same one twice for a key.
pub type Rev = u64;

/// How one draft is saved.
#[derive(Clone, Copy, Debug)]
pub struct DraftSettings {
    /// So long after the last edit. Default 2 s.
    pub debounce: Duration,
    /// At most so long after the first one. Default 10 s.
    pub max_wait: Duration,
    /// Whether there is a server to save to; else this device only.
    pub endpoint: bool,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It is being found out: what is typed stays with this tab until then, and is theirs then.
    Pending,
    /// Nobody who is known: it stays with this tab.
    Nobody,
    /// By the host's number.
    User(u32),
}

/// What is known of a draft whose engine begins later than it, or anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    /// The revision that its text was made from.
    pub base: Option<Rev>,
    /// It has edits that no server, or without one no device, has confirmed.
    pub edited: bool,
}

/// What happened to one draft.
#[derive(Clone, Copy, Debug)]
pub enum DraftInput {
    /// Somebody has one.
    Open(DraftSettings, Owner, Carried),
    /// Whose it is, has changed.
    Owned(Owner),
    /// The person typed.
    Edited,
    /// Save now; answered by [`DraftOutput::Flushed`].
    Flush,
    /// Somebody wants what was there before; answered by [`DraftOutput::Restored`].
    Restore,
    /// What this device has; none: nothing.
    Loaded(Option<Local>),
    /// What the server has, to the question of that number.
    Read(u32, Remote),
    /// What came of writing it to the device.
    Stored(Stored),
    /// What came of the upload of that number.
    Sent(u32, Sent),
    /// It was submitted; answered by [`DraftOutput::Cleared`].
    Clear,
    /// The device's tombstone stands, or could not be made.
    Buried,
    /// What the server said to the clearing of that number: [`Sent::Accepted`] with the tombstone's revision, or why not.
    Gone(u32, Sent),
    /// Another tab cleared it.
    ClearedElsewhere,
    /// The person decided a conflict.
    Resolve(Choice),
    /// Nobody holds it any more: what is pending is still saved. Ends with [`DraftOutput::Closed`].
    Close,
}

/// What came of writing to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is there, and differs from what is confirmed.
    Dirty,
    /// It is there, or need not be: nothing differs from what is confirmed.
    Same,
    /// Neither store took it.
    Failed,
    /// It cannot be saved anywhere as it is: too large, or no JSON.
    Refused(Kind),
}

/// What came of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is there, as this revision.
    Accepted(Rev),
    /// 412: something else is there, see [`Remote::Stands`], [`Remote::Tombstone`], [`Remote::Newer`].
    Stale(Remote),
    /// 401.
    Unauthorized,
    /// 409 `otherUser`, or this tab knows that it is somebody else's: nothing was sent or read.
    OtherUser,
    /// It does not exist: this device only.
    Absent,
    /// 426: this page is too old.
    Outdated,
    /// Not as it is: 400, 413, 422 and other 4xx.
    Refused(Kind),
    /// Not now: no answer, 429, 5xx; with what the server asked to wait.
    Later(Kind, Option<Duration>),
}

/// What the person wants of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// What is on this page; a merged text is that too, after the host has put it there.
    Mine,
    /// The other; the host has put it in place of this page's.
    Theirs,
}

/// In the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Status {
    Idle,
    Dirty,
    Saving,
    Saved,
    Offline,
    Error,
    Conflict,
    Frozen,
}

/// Where the newest saved text is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Place {
    Nowhere,
    Device,
    Server,
}

/// What stands against this page's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Theirs {
    /// The server's copy that the host saw last.
    Server,
    /// Another text on this device.
    Other,
    /// Nothing: it was cleared elsewhere.
    Cleared,
}

/// What the app is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How it stands.
    pub status: Status,
    /// Where the newest saved text is.
    pub saved_to: Place,
    /// Why it is not where it should be, and how long the server asked to wait.
    pub error: Option<(Kind, Option<Duration>)>,
    /// With the status `Conflict`, and while it is frozen nothing of it is shown.
    pub conflict: Option<Theirs>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftOutput {
    /// Read this device's copies.
    Load,
    /// Ask the server for its copy.
    Read(u32),
    /// Write the newest text to the device, as made from this revision.
    Store(Option<Rev>),
    /// Send what was written last, on top of this revision; none: only if there is none. `true`: the page may go at
    /// any moment, so only where it outlives it; it does not wait for the device, and what the device then calls
    /// [`Stored::Same`] or [`Stored::Refused`] is neither sent nor answered.
    Upload(u32, Option<Rev>, bool),
    /// Write a tombstone to the device, take away what it voids, and tell the other tabs.
    Bury,
    /// Clear it at the server.
    Clear(u32),
    /// Restore this, for all who asked. What it comes from is this page's text from now on, unless somebody typed.
    Restored(Source),
    /// It rests: saved, or there is nothing more to be done now.
    Flushed,
    /// It is cleared: here, and at the server or as soon as it can be reached.
    Cleared,
    /// Take away this device's copies; what the page holds is done with, too.
    Drop,
    /// Show this.
    Show(Snapshot),
    /// Nothing will be said of it any more.
    Closed,
    /// Somebody has to find out whether the session lives. The hub keeps this.
    Verify,
    /// The page's version has to be checked. The hub keeps this.
    CheckVersion,
    /// The server was reached, or was not. The hub keeps this.
    Reached(bool),
}

/// What happens around.
pub struct Around<'a> {
    /// The wall, made monotonic.
    pub now: Timestamp,
    /// The dice.
    pub random: &'a mut Random,
    /// What the browser says of the network.
    pub online: bool,
    /// Whether there is a session that can be verified.
    pub session: bool,
}
