//! What was there before: the device and the server are asked at once, and the restore table decides when both have answered.

use super::restore::{Decision, Local, Remote, Source, decide};
use super::saving::Draft;
use super::sending::{ANSWER_MAX, What};
use super::{Around, DraftOutput, Owner, Place, Rev, Theirs};
use crate::core::kind::Kind;
use crate::core::time::{Duration, Timestamp, earliest};

/// For the owner to be found out; past it, what this tab has is nobody's.
const OWNER_MAX: Duration = Duration::from_secs(10);
/// Uploads wait so long for what is there already.
const HOLD_MAX: Duration = Duration::from_secs(3);

/// Somebody wants what was there before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restoring {
    /// Until the owner is known; then, until the answers are here.
    until: Timestamp,
    pub(super) hold: Option<Timestamp>,
    /// The host was asked.
    begun: bool,
    number: u32,
    local: Option<Local>,
    /// Somebody had typed by then: it speaks of that text.
    typed: bool,
    remote: Option<Remote>,
    /// The server has to hear first that it was cleared.
    clears: bool,
    /// And did, as this revision.
    heard: Option<Rev>,
}

impl Restoring {
    pub(super) fn next(&self) -> Option<Timestamp> {
        earliest(&[Some(self.until), self.hold])
    }

    /// Somebody else is asked about.
    pub(super) fn again(&mut self, now: Timestamp) {
        (self.begun, self.local, self.remote) = (false, None, None);
        self.anew(now);
    }

    /// After a sleep.
    pub(super) fn anew(&mut self, now: Timestamp) {
        self.until = now + if self.begun { ANSWER_MAX } else { OWNER_MAX };
    }
}

impl Draft {
    pub(super) fn restore(&mut self, now: Timestamp) {
        if self.foreign {
            return self.say(DraftOutput::Restored(Source::Nothing));
        }
        if self.restoring.is_none() {
            self.compare = false;
            self.restoring = Some(Restoring {
                until: now + OWNER_MAX,
                hold: Some(now + HOLD_MAX),
                begun: false,
                number: 0,
                local: None,
                typed: false,
                remote: None,
                clears: false,
                heard: None,
            });
        }
    }

    /// What was there is of no use, or not theirs to see.
    pub(super) fn give_up_restoring(&mut self) {
        if self.restoring.take().is_some() {
            self.say(DraftOutput::Restored(Source::Nothing));
        }
    }

    pub(super) fn loaded(&mut self, local: Option<Local>, now: Timestamp) {
        self.loads = self.loads.saturating_sub(1);
        if self.loads > 0 {
            return;
        }
        let local = local.unwrap_or(Local::NOTHING);
        let typed = self.edits > self.clean;
        if local.void && typed {
            self.made_before(now);
        }
        // Without having heard, no server gave this text a base.
        let heard = typed && self.base.is_some() && !local.void;
        self.unheard |= local.unheard && self.goes_to_server() && !heard;
        if let Some(restoring) = self.restoring.as_mut().filter(|restoring| restoring.begun) {
            (restoring.local, restoring.typed) = (Some(local), typed);
        }
    }

    /// Whether what stands at the server is looked at before it is cleared.
    pub(super) fn looks_first(&self) -> bool {
        self.restoring.as_ref().is_some_and(|restoring| restoring.begun && !restoring.clears)
    }

    /// The server heard that it was cleared.
    pub(super) fn heard(&mut self, rev: Rev) {
        if let Some((Theirs::Cleared, known)) = &mut self.conflict {
            *known = Some(rev);
        } else if !self.blind {
            // A text that was made from something the server had, or got there, was perhaps cleared by somebody else.
            self.base = self.base.or(Some(rev));
        }
        if let Some(restoring) = self.restoring.as_mut().filter(|restoring| restoring.clears) {
            (restoring.clears, restoring.heard) = (false, Some(rev));
            restoring.remote = Some(Remote::Tombstone(rev));
        }
    }

    pub(super) fn read(&mut self, number: u32, remote: Remote, around: &mut Around) {
        let compares = self.request.is_some_and(|request| request.what == What::Compare && request.number == number);
        let asked = |restoring: &&mut Restoring| restoring.number == number && restoring.remote.is_none();
        if compares {
            self.request = None;
        } else if let Some(restoring) = self.restoring.as_mut().filter(asked) {
            restoring.remote = Some(remote);
        } else {
            return;
        }
        if !matches!(remote, Remote::Unreachable | Remote::OtherUser) {
            self.say(DraftOutput::Reached(true));
        }
        match remote {
            Remote::Absent => self.here_only(around.now),
            Remote::Unauthorized | Remote::OtherUser => self.deny(around),
            _ => {}
        }
        if compares {
            self.compared(remote, around);
        }
    }

    /// What was restored is still on the page, and is its base; an edit on top of it will meet what is newer.
    fn compared(&mut self, remote: Remote, around: &mut Around) {
        self.compare = remote == Remote::Unreachable;
        match remote {
            Remote::Unreachable => self.unreachable(around),
            Remote::Stands { rev, same: true, .. } | Remote::Stands { rev, own: true, .. } => {
                (self.base, self.facts) = (Some(rev), true);
            }
            _ => {}
        }
    }

    fn unreachable(&mut self, around: &mut Around) {
        // What the server asked to wait is not shortened.
        if self.wait.is_none() {
            let kind = if around.online { Kind::Network } else { Kind::Offline };
            self.later(kind, None, around);
        }
    }

    pub(super) fn wake_restore(&mut self, around: &mut Around) {
        let now = around.now;
        let waits = self.owner == Owner::Pending || (self.clearing.is_some() && !self.buried);
        let asks = self.may_ask();
        let Some(restoring) = &mut self.restoring else { return };
        restoring.hold = restoring.hold.filter(|hold| *hold > now);
        let late = restoring.until <= now;
        if !restoring.begun {
            if late || !waits {
                self.begin_restore(now);
            }
            return;
        }
        if late {
            restoring.local.get_or_insert(Local::NOTHING);
            restoring.remote.get_or_insert(Remote::Unreachable);
        }
        let Restoring { local: Some(mut local), typed, remote: Some(mut remote), clears, heard, .. } = *restoring
        else {
            return;
        };
        let is_typed = self.edits > self.clean;
        let mine = (local.text || is_typed) && !local.void;
        let after = matches!(remote, Remote::Stands { same, own, .. } if mine && (same || own));
        if self.unheard && after && !clears {
            // The server heard, and the device did not hear of that.
            self.unheard = false;
        } else if self.unheard && asks && !late {
            restoring.clears = true;
            return;
        } else if self.unheard || clears {
            // What stands there is of no use.
            remote = Remote::Unreachable;
        }
        // What is not void was made after it was cleared, and waited for that to be heard.
        local.base = local.base.or(heard);
        // What was to be restored when nobody had typed, is another text by now.
        local.other |= local.dirty && is_typed && !typed;
        self.restoring = None;
        self.decided(local, remote, around);
    }

    fn begin_restore(&mut self, now: Timestamp) {
        let reads = self.reaches_server();
        let clears = self.request.is_some_and(|request| request.what == What::Clear);
        self.loads += 1;
        self.say(DraftOutput::Load);
        if reads {
            self.number += 1;
            self.say(DraftOutput::Read(self.number));
        }
        if let Some(restoring) = &mut self.restoring {
            (restoring.begun, restoring.until) = (true, now + ANSWER_MAX);
            (restoring.number, restoring.clears) = (self.number, reads && clears);
            restoring.remote = if reads { None } else { Some(Remote::Absent) };
        }
    }

    fn decided(&mut self, record: Local, remote: Remote, around: &mut Around) {
        let answered = remote == Remote::Unknown || remote.rev().is_some();
        if self.conflict.is_some() && !answered {
            return self.say(DraftOutput::Restored(Source::Nothing));
        }
        let typed = self.edits > self.clean || self.conflict.is_some();
        let local = match record.text {
            _ if typed => Local { text: true, base: self.base, dirty: true, ..record },
            true => record,
            false => Local { base: self.base, ..record },
        };
        let unsent = typed && !self.blind && self.request.is_none();
        let decision = decide(local, remote, unsent);
        let source = if typed { beside(decision, record) } else { decision.source };
        self.say(DraftOutput::Restored(source));
        self.blind |= decision.dirty && !typed;
        if typed || source == Source::Device && decision.dirty {
            self.touch(around.now);
        } else if decision.conflict.is_some() {
            // It stays where it is until somebody decides.
        } else if source != Source::Nothing {
            self.facts = true;
            self.saved_to = if source == Source::Server { Place::Server } else { Place::Device };
        } else if answered && (local.text || self.clean_at != Place::Nowhere) {
            self.forget();
            self.say(DraftOutput::Drop);
        }
        if !typed && !decision.dirty && source == Source::Device {
            self.clean_at = Place::Server;
        }
        self.settle(decision, remote);
        if remote == Remote::Unreachable && local.text {
            self.compare = self.edits == self.clean;
            self.unreachable(around);
        }
    }

    /// Does as the table says.
    pub(super) fn settle(&mut self, decision: Decision, remote: Remote) {
        // Until the server hears that it was cleared, another tombstone says nothing of that.
        if !self.unheard || !matches!(remote, Remote::Tombstone(_)) {
            self.base = decision.base;
        }
        self.conflict = decision.conflict.map(|theirs| (theirs, remote.rev()));
        if let Remote::Stands { .. } = remote {
            self.clean_at = Place::Server;
        }
        if let Remote::Newer(_) = remote {
            self.outdated = true;
            self.say(DraftOutput::CheckVersion);
        }
    }
}

/// What there is beside what was typed on this page.
fn beside(decision: Decision, record: Local) -> Source {
    match decision.conflict {
        Some(Theirs::Server) => Source::Server,
        Some(Theirs::Other) => Source::Device,
        Some(Theirs::Cleared) => Source::Nothing,
        None if decision.source == Source::Device && record.text => Source::Device,
        None if decision.source == Source::Device => Source::Nothing,
        None => decision.source,
    }
}
