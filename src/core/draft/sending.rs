//! What a draft asks of the server: one request at a time, and what comes of each.

use super::restore::{Local, Remote, decide};
use super::saving::{Draft, STAGGER};
use super::{Around, DraftOutput, Owner, Place, Rev, Sent};
use crate::core::backoff::{Backoff, Jitter};
use crate::core::events::reconnect::RETRY_AFTER_MAX;
use crate::core::kind::Kind;
use crate::core::time::{Duration, Timestamp};

/// What the host has not answered after so long, it never will: it went into the back/forward cache, say.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(60);
const BACKOFF: Backoff =
    Backoff { base: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60), jitter: Jitter::Full };
/// Without a network the longest waits are long enough.
const RETRY_OFFLINE: u32 = 6;
/// Newer copies in a row that turn out to be this page's own. More make a server that says so of everything.
const STALE_MAX: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Upload,
    Clear,
    /// Only to see whether what was restored is the newest.
    Compare,
}

/// What is out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) what: What,
    /// The newest edit that it carries.
    pub(super) edit: u32,
    /// It outlives the page.
    pub(super) last_words: bool,
    pub(super) until: Timestamp,
}

/// Why nothing is sent, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) until: Timestamp,
    /// What the server asked for; nothing shortens it.
    pub(super) told: Option<Duration>,
    pub(super) kind: Kind,
}

impl Draft {
    /// Whether a request may be made now.
    pub(super) fn may_ask(&self) -> bool {
        self.reaches_server() && self.wait.is_none()
    }

    /// Whether there is somebody to ask it for, and a server that answers this page.
    pub(super) fn reaches_server(&self) -> bool {
        self.settings.endpoint && matches!(self.owner, Owner::User(_)) && !self.frozen() && !self.outdated
    }

    pub(super) fn may_upload(&self) -> bool {
        let held_back = self.nobodys || self.unheard || self.conflict.is_some() || self.refused.is_some();
        let restoring = self.restoring.as_ref().is_some_and(|restoring| restoring.hold.is_some());
        self.stored > self.clean && self.may_ask() && !held_back && !restoring
    }

    pub(super) fn wake_requests(&mut self, around: &mut Around) {
        if let Some(request) = self.request.filter(|request| request.until <= around.now) {
            self.sent(request.number, Sent::Later(Kind::Timeout, None), around);
        }
        self.wait = self.wait.filter(|wait| wait.until > around.now);
    }

    /// Makes the next request.
    pub(super) fn ask(&mut self, now: Timestamp) {
        if self.request.is_some() || !self.may_ask() {
            return;
        }
        if self.unheard {
            if !self.looks_first() {
                let number = self.begin(What::Clear, false, now);
                self.say(DraftOutput::Clear(number));
            }
        } else if self.may_upload() {
            if !self.storing() {
                self.upload(false, now);
            }
        } else if self.compare && self.edits == self.clean {
            let number = self.begin(What::Compare, false, now);
            self.say(DraftOutput::Read(number));
        }
    }

    /// Sends what was written last.
    pub(super) fn upload(&mut self, last_words: bool, now: Timestamp) {
        // What is out already gets there, too, perhaps.
        self.blind |= self.request.is_some() && self.base.is_none();
        let number = self.begin(What::Upload, last_words, now);
        self.say(DraftOutput::Upload(number, self.base, last_words));
    }

    fn begin(&mut self, what: What, last_words: bool, now: Timestamp) -> u32 {
        self.number += 1;
        let (number, edit) = (self.number, self.stored);
        self.request = Some(Request { number, what, edit, last_words, until: now + ANSWER_MAX });
        number
    }

    /// What came of an upload, or of a clearing.
    pub(super) fn sent(&mut self, number: u32, sent: Sent, around: &mut Around) {
        let Some(request) = self.request.filter(|request| request.number == number) else { return };
        self.request = None;
        let clears = request.what == What::Clear;
        match sent {
            Sent::Later(Kind::Network | Kind::Timeout, _) => self.say(DraftOutput::Reached(false)),
            Sent::Later(..) | Sent::OtherUser => {}
            _ => self.say(DraftOutput::Reached(true)),
        }
        if clears {
            self.unheard = matches!(sent, Sent::Later(..) | Sent::Unauthorized | Sent::OtherUser);
        }
        match sent {
            Sent::Accepted(rev) => {
                (self.failures, self.stale, self.denials) = (0, 0, 0);
                if clears {
                    self.heard(rev);
                } else {
                    self.accepted(rev, request.edit);
                }
            }
            Sent::Stale(remote) if !clears => self.stale(remote, around),
            Sent::Unauthorized | Sent::OtherUser => self.deny(around),
            Sent::Absent => self.here_only(around.now),
            Sent::Outdated => self.outdated = true,
            // What was written since is another text.
            Sent::Refused(kind) if !clears && request.edit == self.stored => self.refused = Some(kind),
            Sent::Stale(_) | Sent::Refused(_) => {}
            Sent::Later(kind, told) => {
                self.blind |= request.what == What::Upload && self.base.is_none();
                self.later(kind, told, around);
            }
        }
    }

    fn accepted(&mut self, rev: Rev, edit: u32) {
        (self.base, self.clean, self.clean_at) = (Some(rev), self.clean.max(edit), Place::Server);
        (self.facts, self.compare) = (true, false);
        if self.stored == edit {
            self.saved_to = Place::Server;
        }
        // What was there before, is this page's own by now.
        self.give_up_restoring();
    }

    /// 412: this page's text is L, and that is S.
    fn stale(&mut self, remote: Remote, around: &mut Around) {
        self.stale += 1;
        if self.stale >= STALE_MAX {
            self.later(Kind::Conflict, None, around);
        }
        let local = Local { text: true, base: self.base, dirty: true, ..Local::NOTHING };
        self.settle(decide(local, remote, !self.blind), remote);
        if self.conflict.is_none() {
            self.touch(around.now);
        }
    }

    /// There is no such endpoint: what is on the device is where it should be.
    pub(super) fn here_only(&mut self, now: Timestamp) {
        self.settings.endpoint = false;
        if self.edits > self.clean {
            self.touch(now);
        }
    }

    pub(super) fn later(&mut self, kind: Kind, told: Option<Duration>, around: &mut Around) {
        let told = told.map(|told| told.min(RETRY_AFTER_MAX));
        let retry = if around.online { self.failures } else { RETRY_OFFLINE };
        self.failures += 1;
        let until = around.now + BACKOFF.delay(retry, told, around.random);
        self.wait = Some(Wait { until, told, kind });
    }

    /// The server may be there again, and so for many pages.
    pub(super) fn nudge(&mut self, around: &mut Around) {
        let soon = around.now + around.random.up_to(STAGGER);
        if let Some(wait) = self.wait.as_mut().filter(|wait| wait.told.is_none()) {
            wait.until = wait.until.min(soon);
        }
        self.ask_anew(around.session);
    }

    /// Whoever waits for it does not wait for what nobody told.
    pub(super) fn try_again(&mut self, session: bool) {
        self.wait = self.wait.filter(|wait| wait.told.is_some());
        self.ask_anew(session);
    }

    /// Where no session can be asked, only the server itself can say that they are back.
    fn ask_anew(&mut self, session: bool) {
        self.denied &= session;
    }
}
