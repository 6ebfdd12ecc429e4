//! Whose text is newer: the restore table of the drafts contract.
//!
//! "L" is the device's draft, or what was typed on this page; "S" is the server's. Its base is the revision that L was made from, and it is dirty
//! where it has changes that no server answer confirmed. A save that the server turned down for a newer copy goes by the
//! same table.

use super::{Rev, Theirs};

/// What becomes of L and S.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is restored.
    pub source: Source,
    /// What the page's text is made from.
    pub base: Option<Rev>,
    /// It is not what the server has.
    pub dirty: bool,
    /// Both are kept, and nothing is sent.
    pub conflict: Option<Theirs>,
}

/// The table, from top to bottom. `unsent`: no request may have carried L, or what L was made from, to a server as long as it had no base.
#[must_use]
pub fn decide(local: Local, remote: Remote, unsent: bool) -> Decision {
    let Local { text, base, void, .. } = local;
    let dirty = text && local.dirty;
    let device = Decision { source: Source::Device, base, dirty, conflict: local.other.then_some(Theirs::Other) };
    let server = |rev| Decision { source: Source::Server, base: Some(rev), dirty: false, conflict: None };
    let nothing = |base| Decision { source: Source::Nothing, base, dirty: false, conflict: None };
    let cleared = Decision { source: Source::Nothing, conflict: Some(Theirs::Cleared), ..device };
    match remote {
        Remote::Stands { rev, .. } if !dirty => server(rev),
        Remote::Stands { rev, same: true, .. } => Decision { conflict: device.conflict, ..server(rev) },
        Remote::Stands { rev, own, .. } if !void && (own || base == Some(rev)) => {
            Decision { base: Some(rev), ..device }
        }
        Remote::Stands { .. } => Decision { conflict: Some(Theirs::Server), ..device },
        _ if dirty && void => cleared,
        Remote::Tombstone(rev) if !dirty => nothing(Some(rev)),
        // Made after it was cleared, and where it has no base, never a part of what was.
        Remote::Tombstone(rev) if base == Some(rev) || (base.is_none() && unsent) => {
            Decision { base: Some(rev), ..device }
        }
        Remote::Tombstone(_) => cleared,
        Remote::Unknown if !text => nothing(None),
        _ if !text || void => nothing(base),
        Remote::Unknown => Decision { base: None, dirty: true, ..device },
        Remote::Unreachable | Remote::Absent | Remote::Newer(_) | Remote::Unauthorized | Remote::OtherUser => device,
    }
}

/// What this device has of a draft, of its owner and not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// There is a text. Without one, what follows but the tombstone says nothing.
    pub text: bool,
    /// The server revision that it was made from.
    pub base: Option<Rev>,
    /// It has changes that no server answer confirmed.
    pub dirty: bool,
    /// Another text is here too, with such changes, and different.
    pub other: bool,
    /// It was made before this device's tombstone.
    pub void: bool,
    /// There is a tombstone that the server has not heard of.
    pub unheard: bool,
}

impl Local {
    /// It has nothing.
    pub const NOTHING: Local =
        Local { text: false, base: None, dirty: false, other: false, void: false, unheard: false };
}

/// What the server has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// It cannot be asked, or not now.
    Unreachable,
    /// There is no such endpoint, or nobody to ask it for.
    Absent,
    /// Never heard of: 404 with revision 0.
    Unknown,
    /// Cleared, as this revision.
    Tombstone(Rev),
    /// A copy of a schema that this page does not know.
    Newer(Rev),
    /// A copy.
    Stands {
        /// Its revision.
        rev: Rev,
        /// It says what this device's, or this page's, text says.
        same: bool,
        /// It was saved from here: this text was made from it.
        own: bool,
    },
    /// 401: nobody knows yet whose it would be.
    Unauthorized,
    /// 409: somebody else is signed in.
    OtherUser,
}

impl Remote {
    /// Its revision.
    #[must_use]
    pub fn rev(self) -> Option<Rev> {
        match self {
            Remote::Tombstone(rev) | Remote::Newer(rev) | Remote::Stands { rev, .. } => Some(rev),
            _ => None,
        }
    }
}

/// What is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// Nothing.
    Nothing,
    /// This device's text.
    Device,
    /// The server's copy.
    Server,
}
