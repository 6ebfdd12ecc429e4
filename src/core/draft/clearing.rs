//! What is cleared stays cleared, and what stands against a text is decided by the person.

use super::saving::Draft;
use super::{Around, Choice, DraftOutput, Theirs};
use crate::core::time::{Duration, Timestamp};

/// Whoever clears a draft waits no longer for the server to hear of it.
const CLEAR_MAX: Duration = Duration::from_secs(3);

impl Draft {
    pub(super) fn clear(&mut self, now: Timestamp) {
        self.give_up_restoring();
        self.forget();
        self.base = None;
        // Whose it is may still be found out.
        self.unheard = self.goes_to_server();
        self.buried = false;
        self.clearing = Some(now + CLEAR_MAX);
        self.say(DraftOutput::Bury);
    }

    /// Whether it is cleared as far as it can be now.
    pub(super) fn cleared(&self) -> bool {
        self.buried && !(self.unheard && self.may_ask())
    }

    pub(super) fn cleared_elsewhere(&mut self, now: Timestamp) {
        self.give_up_restoring();
        if self.edits > self.clean {
            self.made_before(now);
        } else if self.conflict.is_none() {
            self.forget();
            self.base = None;
        }
    }

    /// What was typed here was made before it was cleared.
    pub(super) fn made_before(&mut self, now: Timestamp) {
        if !matches!(self.conflict, Some((Theirs::Cleared, _))) {
            // Its answer would speak of a text that was never cleared.
            self.request = None;
            self.conflict = Some((Theirs::Cleared, None));
        }
        // The tombstone took this page's text off the device.
        self.touch(now);
    }

    pub(super) fn resolve(&mut self, choice: Choice, around: &mut Around) {
        // Of one that is frozen, nothing was shown.
        if !self.frozen()
            && let Some((theirs, rev)) = self.conflict.take()
        {
            // What is being read is older than the decision.
            self.give_up_restoring();
            if theirs != Theirs::Other {
                self.base = rev;
            }
            if theirs == Theirs::Cleared && choice == Choice::Theirs {
                self.forget();
                self.say(DraftOutput::Drop);
            } else {
                (self.blind, self.nobodys) = (false, false);
                self.touch(around.now);
            }
        }
        self.flush(around);
    }
}
