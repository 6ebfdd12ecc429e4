//! Who asks the server, and for whom.
//!
//! The leader asks by the clock. A tab that needs to know tells the leader, and waits: for as long as the leader, or
//! whoever asks, says; and then it asks by itself. So nobody depends on a leader that is gone, and one question serves
//! all who wait for one.

use super::verdict::Learned;
use super::{Around, Session, SessionOutput, SessionSays, SessionWord, schedule};
use crate::core::tabs::Role;
use crate::core::time::{Duration, Timestamp};
use crate::core::verify::{Verified, VerifyOutput};

/// Another library tells all tabs at once that something changed. They all have heard of it when the leader asks, a
/// tenth of a heartbeat later, so that its question serves them all.
const NUDGE_SHARE: u32 = 10;
/// Questions for such a reason are at least so far apart.
const NUDGE_PAUSE: Duration = Duration::from_secs(1);

/// An answer that this tab needs, for itself or for another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// Of a question of this turn or a later one.
    pub(super) turn: u64,
    /// Something is done about it then.
    pub(super) at: Timestamp,
    /// The others were told, so that this tab asks next.
    pub(super) told: bool,
    /// No word of another tab puts it off for longer.
    pub(super) limit: Timestamp,
}

impl Session {
    /// An answer is needed. What is waited for already is not asked for again.
    pub(super) fn need(&mut self, turn: u64, at: Timestamp, around: &mut Around) {
        let joined = self.asking.filter(|(asked, until)| *asked >= turn && *until > around.now);
        let (at, told) = joined.map_or((at, false), |(_, until)| (until + self.jitter(around), true));
        let limit = around.now + self.patience();
        // The question that is out is the answer to it: it is not what is late.
        let served = |want: &Want| !self.verify.idle() && want.turn <= self.asked;
        match &mut self.want {
            Some(want) if want.told && turn <= want.turn => {}
            Some(want) => {
                let at = if served(want) { at } else { want.at.min(at) };
                (want.turn, want.at, want.told) = (want.turn.max(turn), at, told);
            }
            None => self.want = Some(Want { turn, at, told, limit }),
        }
    }

    /// Another library's channel says that something may have changed.
    pub fn nudged(&mut self, around: &mut Around) {
        if self.away {
            return;
        }
        let turn = (self.newest + 1).max(around.now.0);
        let at = if self.leads() {
            (around.now + self.heartbeat / NUDGE_SHARE).max(self.asked_at + NUDGE_PAUSE)
        } else {
            // The leader has heard it too, unless it is its own page that said so.
            let quarter = self.heartbeat / 4;
            // The turn of the newest question is when it was asked, unless somebody's clock is ahead.
            let asked = Timestamp(if self.newest > around.now.0 { 0 } else { self.newest });
            around.now.max(asked + NUDGE_PAUSE) + quarter + around.random.up_to(quarter)
        };
        self.need(turn, at, around);
    }

    /// Does what is due for those who wait.
    pub(super) fn pursue(&mut self, around: &mut Around) {
        let (free, patience) = (self.may_ask(), self.patience());
        let (told, late) = match &mut self.want {
            Some(want) if want.limit <= around.now && !free && self.verify.idle() => {
                want.limit = around.now + patience;
                // Somebody signs out, and takes long. Who waits is told what is known: nothing.
                if std::mem::take(&mut self.owed) {
                    self.outputs.push_back(SessionOutput::Verified(Verified::Unknown));
                }
                return;
            }
            Some(want) if free && want.at.min(want.limit) <= around.now => (want.told, want.limit <= around.now),
            _ => return,
        };
        if self.leads() || told || late {
            return self.ask(around);
        }
        let at = around.now + self.heartbeat + self.jitter(around);
        if let Some(want) = &mut self.want {
            (want.at, want.told) = (at, true);
            let turn = want.turn;
            self.post(turn, SessionSays::Verify);
        }
    }

    /// The leader asks by the clock; the others look whether it does.
    pub(super) fn keep_alive(&mut self, around: &mut Around) {
        if !self.may_ask() || self.ping_at().is_none_or(|at| at > around.now) {
            return;
        }
        if self.leads() {
            return self.ask(around);
        }
        self.looked_at = around.now;
        self.need(0, around.now, around);
        self.pursue(around);
        self.wake_leader(around);
    }

    /// When the leader asks by the clock; another tab: when it misses that.
    pub(super) fn ping_at(&self) -> Option<Timestamp> {
        let leads = self.leads();
        let due = self.schedule.due(self.status, &self.settings, &self.attendance, !leads)?;
        if leads {
            return Some(due);
        }
        let missed = due + self.heartbeat + schedule::share(self.heartbeat, (self.me % schedule::SIDES) / 2);
        Some(missed.max(self.looked_at + self.settings.active.max(self.heartbeat)))
    }

    /// Whether this tab may ask the server now, if there is a reason.
    pub(super) fn may_ask(&self) -> bool {
        !self.away && self.quiet.is_none() && self.signing.is_none() && self.verify.idle()
    }

    pub(super) fn leads(&self) -> bool {
        self.tabs.as_ref().is_none_or(|tabs| tabs.role() == Role::Leader)
    }

    fn ask(&mut self, around: &mut Around) {
        self.verify.request(around.awake);
        self.drain_verify(around);
        if !self.leads() {
            self.wake_leader(around);
        }
    }

    /// Does what the question wants.
    pub(super) fn drain_verify(&mut self, around: &mut Around) {
        while let Some(said) = self.verify.poll() {
            match said {
                VerifyOutput::Ask => {
                    self.brought = (None, None);
                    (self.asked, self.asked_at) = (self.take_turn(around.now), around.now);
                    self.outputs.push_back(SessionOutput::Ask);
                    self.say_asking(around);
                }
                VerifyOutput::Cancel => self.outputs.push_back(SessionOutput::Cancel),
                VerifyOutput::Verified(verified) => self.conclude(verified, around),
            }
        }
    }

    /// Tells the others how long this tab's question takes at most until there is more to say.
    pub(super) fn say_asking(&mut self, around: &mut Around) {
        if let Some(until) = self.verify.next_wake() {
            self.post(self.asked, SessionSays::Asking(until.since(around.awake)));
        }
    }

    /// Whether a question of this tab's was out; it is no more.
    pub(super) fn stop_asking(&mut self) -> bool {
        let busy = !self.verify.idle();
        self.verify.stop();
        if self.verify.poll() == Some(VerifyOutput::Cancel) {
            self.outputs.push_back(SessionOutput::Cancel);
        }
        busy
    }

    /// What came of this tab's own question.
    fn conclude(&mut self, verified: Verified, around: &mut Around) {
        let (expires, retry_after) = self.brought;
        let says = match verified {
            Verified::SignedOut if !self.lived => SessionSays::Nobody,
            Verified::SignedOut => SessionSays::Verdict(verified, None, None),
            Verified::SignedIn(user) => SessionSays::Verdict(verified, Some(user), expires),
            Verified::Unknown => SessionSays::Verdict(verified, self.user, retry_after.map(|wait| around.now + wait)),
        };
        self.post(self.asked, says);
        self.learn(self.asked, verified, Learned { user: None, expires, retry_after, here: true }, around);
    }

    /// Those who wait in this tab have their answer.
    pub(super) fn settle_wants(&mut self, turn: u64, verified: Verified) {
        if self.want.is_some_and(|want| want.turn > turn) {
            return;
        }
        self.want = None;
        if std::mem::take(&mut self.owed) {
            self.outputs.push_back(SessionOutput::Verified(verified));
        }
    }

    /// The others, or the leader, may be asked again: what was said before is of no use.
    pub(super) fn pursue_anew(&mut self, around: &mut Around) {
        let leads = self.leads();
        let wait = around.random.up_to(self.heartbeat / 4);
        if let Some(want) = &mut self.want {
            (want.at, want.told) = (if leads { around.now } else { around.now + wait }, false);
        }
    }

    /// Greater than all that are known.
    pub(super) fn take_turn(&mut self, now: Timestamp) -> u64 {
        self.newest = (self.newest + 1).max(now.0);
        self.newest
    }

    pub(super) fn post(&mut self, turn: u64, says: SessionSays) {
        let heard = self.tabs.as_ref().is_some_and(|tabs| tabs.role() == Role::Follower || tabs.followed());
        if heard && !self.away {
            self.outputs.push_back(SessionOutput::Post(SessionWord { turn, says }));
        }
    }

    /// What keeps tabs apart that would otherwise act in one moment.
    pub(super) fn jitter(&self, around: &mut Around) -> Duration {
        around.random.up_to(self.heartbeat / 2)
    }

    /// No answer is waited for any longer before this tab asks by itself.
    pub(super) fn patience(&self) -> Duration {
        self.settings.verify.longest() + self.heartbeat
    }

    fn wake_leader(&mut self, around: &mut Around) {
        if let Some(tabs) = &mut self.tabs {
            tabs.ask_now(around.now);
        }
        self.wake_tabs(around);
    }
}
