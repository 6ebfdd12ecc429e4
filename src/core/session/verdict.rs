//! What a verdict makes of this tab, whoever asked for it.

use super::{Around, Ended, Session, SessionOutput, Snapshot, Status, User};
use crate::core::time::{Duration, Timestamp};
use crate::core::verify::Verified;

/// What came with a verdict.
pub(super) struct Learned {
    /// The last person whom another tab knew, where it cannot tell.
    pub(super) user: Option<User>,
    pub(super) expires: Option<Timestamp>,
    pub(super) retry_after: Option<Duration>,
    /// This tab asked.
    pub(super) here: bool,
}

impl Session {
    /// Takes the verdict of a question that is not out of date.
    pub(super) fn learn(&mut self, turn: u64, verified: Verified, learned: Learned, around: &mut Around) {
        self.overtake(turn);
        let Learned { user, expires, retry_after, here } = learned;
        self.schedule.answered(verified, expires, retry_after, &self.settings, around.now, around.random);
        match verified {
            Verified::SignedIn(user) => self.signed_in(user, here),
            Verified::SignedOut => self.signed_off(Ended::Expired, here),
            Verified::Unknown => {
                self.status = Status::Unknown;
                // Only where nothing was ever known: a tab that heard of a sign-out knows better.
                if let Some(user) = user.filter(|_| self.told.is_none() && self.user.is_none()) {
                    (self.user, self.person) = (Some(user), user);
                    self.live();
                }
                self.show();
            }
        }
        self.settle_wants(turn, verified);
    }

    /// What was asked before this turn is out of date. This tab's own question is so too, or serves nobody any more: who
    /// still waits has it asked again.
    pub(super) fn overtake(&mut self, turn: u64) {
        self.known = self.known.max(turn);
        self.stop_asking();
        if self.asking.is_some_and(|(asked, _)| asked <= turn) {
            self.asking = None;
        }
    }

    fn signed_in(&mut self, user: User, here: bool) {
        (self.status, self.user) = (Status::Authenticated, Some(user));
        self.live();
        self.show();
        let before = std::mem::replace(&mut self.person, user);
        if before != 0 && before != user {
            self.outputs.push_back(SessionOutput::Switched(before, user));
        }
        self.tell(Some(user), here || self.leads());
    }

    /// Nobody is signed in any more, or nobody was.
    pub(super) fn signed_off(&mut self, why: Ended, here: bool) {
        let again = std::mem::replace(&mut self.status, Status::SignedOut) == Status::SignedOut;
        self.user = None;
        let lived = std::mem::take(&mut self.lived) || (why == Ended::SignOut && !again);
        if lived {
            self.outputs.push_back(SessionOutput::Mark(false));
        }
        self.show();
        if lived {
            self.outputs.push_back(SessionOutput::Ended(why));
        }
        // Who signed out tells, and nobody else.
        self.tell(None, here || (why == Ended::Expired && self.leads()));
    }

    /// A session is alive, which a later page shall know too.
    pub(super) fn live(&mut self) {
        if !std::mem::replace(&mut self.lived, true) {
            self.outputs.push_back(SessionOutput::Mark(true));
        }
    }

    /// Whoever found out what changed tells other libraries, or the leader does, where whoever asked knew of nothing before.
    fn tell(&mut self, user: Option<User>, tells: bool) {
        if self.told.replace(user).is_some_and(|before| before != user) && tells {
            self.outputs.push_back(SessionOutput::Changed);
        }
    }

    /// Shows what changed, if anything.
    pub(super) fn show(&mut self) {
        let snapshot = Snapshot { status: self.status, user: self.user, leads: self.leads() };
        if self.shown.replace(snapshot) != Some(snapshot) {
            self.outputs.push_back(SessionOutput::Show(snapshot));
        }
    }
}
