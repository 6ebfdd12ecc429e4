//! One draft: what it knows, and what it does next.
//!
//! What happens changes only what is known; [`Draft::wake`] acts on it. The device is written first, and the server is sent
//! what was written. One request is out at a time, beside the reading of a restore.

use super::asking::Restoring;
use super::sending::{ANSWER_MAX, Request, Wait, What};
use super::{
    Around, Carried, DraftId, DraftInput, DraftOutput, DraftSettings, Owner, Place, Rev, Snapshot, Status, Stored,
    Theirs,
};
use crate::core::kind::Kind;
use crate::core::queue::Queue;
use crate::core::time::{Duration, Timestamp, earliest};

/// For a write to the device; past it, the server is not kept waiting.
const STORE_MAX: Duration = Duration::from_secs(2);
/// What neither store took is written again so often.
const STORE_AGAIN: Duration = Duration::from_secs(60);
/// For whoever waits until it is saved.
const FLUSH_MAX: Duration = Duration::from_secs(60);
/// So long it waits to hear whose the text is.
const OWNER_MAX: Duration = Duration::from_secs(3);

/// What wakes together is staggered over this.
pub(super) const STAGGER: Duration = Duration::from_secs(1);

/// One draft of one page.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: DraftId,
    pub(super) settings: DraftSettings,
    pub(super) owner: Owner,
    /// The revision that the page's text was made from.
    pub(super) base: Option<Rev>,

    // Edits by their numbers, in the order in which they get there.
    /// The newest one.
    pub(super) edits: u32,
    /// The host was told to write it.
    pub(super) stored: u32,
    /// The device has it.
    pub(super) held: u32,
    /// Nothing is to be sent of it: the server has it, or shall not have it.
    pub(super) clean: u32,
    /// Where the text is that the last confirmed edit stands for.
    pub(super) clean_at: Place,
    pub(super) saved_to: Place,

    /// When the first edit was made that is not written.
    first: Option<Timestamp>,
    pub(super) due: Option<Timestamp>,
    store_until: Option<Timestamp>,
    /// Writes without an answer; the last answer is that of the newest.
    unanswered: u32,
    /// The text is written, but not yet that the server has it.
    pub(super) facts: bool,
    failed: bool,
    /// What was written last cannot be saved as it is.
    pub(super) refused: Option<Kind>,
    /// The server wants a newer page: this device only, until this page ends.
    pub(super) outdated: bool,

    /// Questions to the device without an answer.
    pub(super) loads: u32,
    pub(super) number: u32,
    pub(super) request: Option<Request>,
    pub(super) wait: Option<Wait>,
    pub(super) failures: u32,
    pub(super) stale: u32,
    /// A request may have carried a text without a base to the server.
    pub(super) blind: bool,
    /// The server could not be asked whether it has something newer than what was restored.
    pub(super) compare: bool,

    /// It was typed before anybody signed in: it stays with this tab until it is edited.
    pub(super) nobodys: bool,
    /// Somebody else is signed in, or nobody.
    pub(super) foreign: bool,
    /// The server said so.
    pub(super) denied: bool,
    pub(super) verifying: bool,
    pub(super) denials: u32,

    pub(super) conflict: Option<(Theirs, Option<Rev>)>,
    /// The server has not heard that it was cleared.
    pub(super) unheard: bool,
    pub(super) buried: bool,
    /// Somebody waits for it to be cleared, until then.
    pub(super) clearing: Option<Timestamp>,
    pub(super) restoring: Option<Restoring>,
    flushing: Option<Timestamp>,
    /// Until when a flush waits for somebody to save it for.
    owner_until: Option<Timestamp>,
    /// And for no edit after this one.
    flush_to: u32,
    closing: bool,
    shown: Snapshot,
    pub(super) outputs: Queue<DraftOutput>,
}

impl Draft {
    pub(super) fn new(id: DraftId, settings: DraftSettings, owner: Owner, carried: Carried, around: &Around) -> Draft {
        let mut draft = Draft {
            id,
            settings,
            owner,
            base: carried.base,
            edits: 0,
            stored: 0,
            held: 0,
            clean: 0,
            clean_at: Place::Nowhere,
            saved_to: Place::Nowhere,
            first: None,
            due: None,
            store_until: None,
            unanswered: 0,
            facts: false,
            failed: false,
            refused: None,
            outdated: false,
            loads: 0,
            number: 0,
            request: None,
            wait: None,
            failures: 0,
            stale: 0,
            blind: carried.edited,
            compare: false,
            nobodys: false,
            foreign: false,
            denied: false,
            verifying: false,
            denials: 0,
            conflict: None,
            unheard: false,
            buried: false,
            clearing: None,
            restoring: None,
            flushing: None,
            owner_until: None,
            flush_to: 0,
            closing: false,
            shown: Snapshot { status: Status::Idle, saved_to: Place::Nowhere, error: None, conflict: None },
            outputs: Queue::new(),
        };
        if carried.edited {
            draft.touch(around.now);
        }
        draft
    }

    pub(super) fn handle(&mut self, input: DraftInput, around: &mut Around) {
        match input {
            DraftInput::Open(..) => {}
            DraftInput::Owned(owner) => self.owned(owner, around.now),
            DraftInput::Edited => self.edited(around.now),
            DraftInput::Flush => self.flush(around),
            DraftInput::Restore => self.restore(around.now),
            DraftInput::Loaded(local) => self.loaded(local, around.now),
            DraftInput::Read(number, remote) => self.read(number, remote, around),
            DraftInput::Stored(stored) => self.stored(stored, around.now),
            DraftInput::Sent(number, sent) | DraftInput::Gone(number, sent) => self.sent(number, sent, around),
            DraftInput::Clear => self.clear(around.now),
            DraftInput::Buried => self.buried = true,
            DraftInput::ClearedElsewhere => self.cleared_elsewhere(around.now),
            DraftInput::Resolve(choice) => self.resolve(choice, around),
            DraftInput::Close => {
                self.closing = true;
                self.give_up_restoring();
                self.flush(around);
            }
        }
    }

    pub(super) fn say(&mut self, output: DraftOutput) {
        self.outputs.push_back(output);
    }

    // ------------------------------------------------------------ edits

    fn edited(&mut self, now: Timestamp) {
        // The next person's text carries what nobody's was; that is not sent by itself.
        if std::mem::take(&mut self.nobodys) {
            self.clean = self.stored;
        }
        self.edits += 1;
        let first = *self.first.get_or_insert(now);
        let at = (now + self.settings.debounce).min(first + self.settings.max_wait);
        if self.due.is_none_or(|due| due > now) {
            self.due = Some(at);
        }
    }

    /// The page's text may have become another: it is written and compared.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.edits += 1;
        self.due = Some(now);
    }

    /// What was typed is of no use any more.
    pub(super) fn forget(&mut self) {
        (self.clean, self.stored, self.held) = (self.edits, self.edits, self.edits);
        (self.clean_at, self.saved_to) = (Place::Nowhere, Place::Nowhere);
        (self.first, self.due) = (None, None);
        (self.facts, self.failed, self.blind, self.compare, self.nobodys) = (false, false, false, false, false);
        (self.refused, self.request, self.conflict) = (None, None, None);
        self.wait = self.wait.filter(|wait| wait.told.is_some());
    }

    /// Everything on its way is to get there now.
    pub(super) fn flush(&mut self, around: &mut Around) {
        self.flushing.get_or_insert(around.now + FLUSH_MAX);
        self.owner_until.get_or_insert(around.now + OWNER_MAX);
        self.flush_to = self.edits;
        self.try_again(around.session);
        self.save_now(around.now);
    }

    /// What was typed last is written at once.
    pub(super) fn save_now(&mut self, now: Timestamp) {
        if self.edits > self.stored || (self.failed && self.edits > self.held) {
            self.due = Some(now);
        }
    }

    /// The page is hidden, or `goes`.
    pub(super) fn leave(&mut self, goes: bool, around: &mut Around) {
        self.save_now(around.now);
        if self.due.is_some_and(|due| due <= around.now) {
            self.store(around.now);
        }
        self.try_again(around.session);
        // What is out without being meant to outlive the page ends with it.
        let out = self.request.filter(|request| {
            !goes || request.what != What::Upload || (request.last_words && request.edit == self.stored)
        });
        if out.is_none() && self.may_upload() {
            self.upload(true, around.now);
        }
    }

    // ------------------------------------------------------------ the device

    fn store(&mut self, now: Timestamp) {
        self.stored = self.edits;
        (self.first, self.due) = (None, None);
        (self.facts, self.failed) = (false, false);
        self.refused = None;
        self.store_until = Some(now + STORE_MAX);
        self.unanswered += 1;
        self.say(DraftOutput::Store(self.base));
    }

    fn stored(&mut self, stored: Stored, now: Timestamp) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered > 0 {
            return;
        }
        self.store_until = None;
        if matches!(stored, Stored::Same | Stored::Refused(_)) {
            // Last words that did not wait for this are not sent.
            let unsent = |request: &Request| request.what == What::Upload && request.edit == self.stored;
            self.request = self.request.filter(|request| !unsent(request));
        }
        match stored {
            Stored::Failed => return self.fail(now),
            Stored::Refused(kind) => {
                self.refused = Some(kind);
                return;
            }
            Stored::Dirty if self.settings.endpoint => {}
            Stored::Dirty => (self.clean, self.clean_at) = (self.stored, Place::Device),
            Stored::Same => self.clean = self.clean.max(self.stored),
        }
        (self.held, self.failed) = (self.stored, false);
        if self.edits == self.stored {
            self.due = None;
        }
        self.saved_to = if self.stored > self.clean { Place::Device } else { self.clean_at };
    }

    pub(super) fn storing(&self) -> bool {
        self.store_until.is_some()
    }

    fn fail(&mut self, now: Timestamp) {
        self.failed = true;
        if self.due.is_none() && self.stored > self.clean {
            self.due = Some(now + STORE_AGAIN);
        }
    }

    // ------------------------------------------------------------ what comes of it

    /// Acts on what happened.
    pub(super) fn wake(&mut self, around: &mut Around) {
        let now = around.now;
        let past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if past(self.store_until) {
            self.store_until = None;
            self.fail(now);
        }
        self.wake_requests(around);
        self.wake_restore(around);
        let facts = self.facts && self.edits == self.clean;
        if !self.storing() && (facts || past(self.due)) {
            self.store(now);
        }
        self.ask(now);
        let shown = self.snapshot();
        if self.shown != shown {
            self.shown = shown;
            self.say(DraftOutput::Show(shown));
        }
        if past(self.clearing) || (self.clearing.is_some() && self.cleared()) {
            self.clearing = None;
            self.say(DraftOutput::Cleared);
        }
        let stranger = self.owner == Owner::Pending && self.goes_to_server() && self.edits > self.clean;
        self.owner_until = self.owner_until.filter(|until| *until > now && stranger);
        let rests = self.owner_until.is_none() && self.rests(self.flush_to);
        if past(self.flushing) || (self.flushing.is_some() && rests) {
            (self.flushing, self.owner_until) = (None, None);
            self.say(DraftOutput::Flushed);
            if self.closing {
                self.say(DraftOutput::Closed);
            }
        }
    }

    /// When to come back.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let due = self.due.filter(|_| !self.storing());
        let request = self.request.map(|request| request.until);
        let wait = self.wait.map(|wait| wait.until);
        let restoring = self.restoring.as_ref().and_then(Restoring::next);
        earliest(&[due, self.store_until, request, wait, restoring, self.clearing, self.flushing, self.owner_until])
    }

    /// This device slept: nothing is concluded, and all waits begin anew.
    pub(super) fn slept(&mut self, around: &mut Around) {
        let now = around.now;
        let soon = now + around.random.up_to(STAGGER);
        self.due = self.due.map(|_| soon);
        self.store_until = self.store_until.map(|_| now + STORE_MAX);
        self.flushing = self.flushing.map(|_| now + FLUSH_MAX);
        self.clearing = self.clearing.map(|_| soon);
        if let Some(request) = &mut self.request {
            request.until = now + ANSWER_MAX;
        }
        if let Some(restoring) = &mut self.restoring {
            restoring.anew(now);
        }
        if let Some(wait) = &mut self.wait {
            wait.until = if wait.told.is_some() { wait.until.max(soon) } else { soon };
        }
    }

    // ------------------------------------------------------------ how it stands

    /// Whether what is saved is to go to a server, sooner or later.
    pub(super) fn goes_to_server(&self) -> bool {
        self.settings.endpoint && self.owner != Owner::Nobody && !self.nobodys
    }

    pub(super) fn frozen(&self) -> bool {
        self.foreign || self.denied
    }

    /// Whether something would be lost, or left where its person does not see it, if the page went now.
    pub(super) fn unsaved(&self) -> bool {
        let by_server = self.goes_to_server() && self.owner != Owner::Pending && !self.outdated;
        self.conflict.is_some() || self.is_dirty(by_server)
    }

    /// Whether an edit is not yet where it is to go.
    fn is_dirty(&self, by_server: bool) -> bool {
        self.edits != self.clean && (by_server || self.edits != self.held)
    }

    /// Whether nothing is under way that a flush could still save.
    pub(super) fn resting(&self) -> bool {
        self.rests(self.edits)
    }

    /// The same of what was typed until then.
    fn rests(&self, edit: u32) -> bool {
        let writes = self.storing() || (self.due.is_some() && !self.failed && self.stored < edit);
        let sends = self.request.is_some() || self.verifying || self.restoring.is_some() || self.may_upload();
        !writes && !sends
    }

    fn snapshot(&self) -> Snapshot {
        let dirty = self.edits > self.clean;
        let writes = self.storing() && self.stored > self.clean.max(self.held);
        let uploads = self.request.is_some_and(|request| request.what == What::Upload);
        let (status, error) = if self.frozen() {
            (Status::Frozen, None)
        } else if self.conflict.is_some() {
            (Status::Conflict, None)
        } else if writes || uploads {
            (Status::Saving, None)
        } else if let Some(kind) = self.refused.filter(|_| self.edits == self.stored) {
            (Status::Error, Some((kind, None)))
        } else if self.failed && dirty {
            (Status::Error, Some((Kind::Runtime, None)))
        } else if self.outdated {
            (Status::Error, Some((Kind::Outdated, None)))
        } else if let Some(wait) = self.wait.filter(|_| dirty || self.compare) {
            (Status::Offline, Some((wait.kind, wait.told)))
        } else if self.request.is_some_and(|request| request.what == What::Compare) {
            (Status::Offline, self.shown.error)
        } else if self.is_dirty(self.goes_to_server()) {
            (Status::Dirty, None)
        } else if self.saved_to == Place::Nowhere {
            (Status::Idle, None)
        } else {
            (Status::Saved, None)
        };
        let conflict = self.conflict.filter(|_| status == Status::Conflict).map(|(theirs, _)| theirs);
        Snapshot { status, saved_to: self.saved_to, error, conflict }
    }
}
