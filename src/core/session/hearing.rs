//! What other tabs say about the session. None of it is trusted further than it must be.

use super::verdict::Learned;
use super::{Around, Session, SessionSays, SessionWord};
use crate::core::tabs::AHEAD_MAX;
use crate::core::time::Duration;
use crate::core::verify::Verified;

impl Session {
    /// Another tab said something about the session.
    pub fn heard(&mut self, word: SessionWord, around: &mut Around) {
        let SessionWord { turn, says } = word;
        if self.away || turn > (around.now + AHEAD_MAX).0 {
            return;
        }
        self.newest = self.newest.max(turn);
        match says {
            SessionSays::Asking(within) => self.hear_asking(turn, within, around),
            SessionSays::Verdict(verified, ..) if turn < self.known => self.hear_late(verified, around),
            SessionSays::Nobody if turn < self.known => self.hear_late(Verified::SignedOut, around),
            SessionSays::SignedOut if turn < self.known => {}
            SessionSays::Verdict(verified, user, until) => {
                // What the server asked of one tab, it asked of all.
                let rests = until.filter(|_| verified == Verified::Unknown);
                let retry_after = rests.map(|until| until.since(around.now));
                let expires = until.filter(|_| rests.is_none());
                self.learn(turn, verified, Learned { user, expires, retry_after, here: false }, around);
            }
            SessionSays::Nobody if self.lived => self.doubt(turn, around),
            SessionSays::Nobody => {
                let learned = Learned { user: None, expires: None, retry_after: None, here: false };
                self.learn(turn, Verified::SignedOut, learned, around);
            }
            SessionSays::Verify => self.hear_verify(turn, around),
            SessionSays::Active => self.attendance.active_elsewhere(around.now),
            SessionSays::Hidden => {
                if self.attendance.hidden_elsewhere(around.now) {
                    self.post(0, SessionSays::Active);
                }
            }
            SessionSays::Quiet(within) => self.hear_quiet(turn, within, around),
            SessionSays::Stopped => {
                if self.asking.is_some_and(|(asked, _)| asked <= turn) {
                    self.asking = None;
                    self.pursue_anew(around);
                }
            }
            SessionSays::SignedOut => self.signed_out_elsewhere(turn, around),
            SessionSays::Resume => self.resume(turn, around),
        }
    }

    /// Somebody asks: who waits need not ask for as long as they say.
    fn hear_asking(&mut self, turn: u64, within: Duration, around: &mut Around) {
        let until = around.now + within.min(self.settings.verify.longest()) + self.heartbeat;
        if self.asking.is_none_or(|(asked, _)| asked <= turn) {
            self.asking = Some((turn, until));
        }
        self.ask_for_quiet();
        let jitter = self.jitter(around);
        if let Some(want) = &mut self.want {
            let serves = turn >= want.turn;
            if serves || want.told {
                (want.at, want.told) = (until + jitter, true);
            }
        }
    }

    /// Somebody needs to know.
    fn hear_verify(&mut self, turn: u64, around: &mut Around) {
        self.ask_for_quiet();
        let at = around.now + self.heartbeat + self.jitter(around);
        if !self.leads() {
            // Asked for by one, it need not be asked for by another.
            if let Some(want) = self.want.as_mut().filter(|want| !want.told && turn >= want.turn) {
                (want.at, want.told) = (at, true);
            }
            return;
        }
        let busy = !self.verify.idle();
        if busy {
            self.say_asking(around);
        }
        if busy && turn <= self.asked {
            return;
        }
        match &mut self.want {
            Some(want) => want.turn = want.turn.max(turn),
            None => self.need(turn, around.now, around),
        }
    }

    /// A verdict that is out of date, or that came with a page: a cache may have kept it. It proves nothing, but where it
    /// says something else than is known here, the server is asked.
    fn hear_late(&mut self, verified: Verified, around: &mut Around) {
        let says = match verified {
            Verified::SignedIn(user) => Some(Some(user)),
            Verified::SignedOut => Some(None),
            Verified::Unknown => None,
        };
        if says.is_some() && self.told.is_some() && says != self.told {
            self.nudged(around);
        }
    }

    /// A tab that never saw a session says that there is none. This one did, and wants that confirmed.
    fn doubt(&mut self, turn: u64, around: &mut Around) {
        if self.asking.is_some_and(|(asked, _)| asked <= turn) {
            self.asking = None;
        }
        if !self.verify.idle() {
            return;
        }
        let quarter = self.heartbeat / 4;
        let wait = if self.leads() { Duration::ZERO } else { quarter + around.random.up_to(quarter) };
        self.need(0, around.now + wait, around);
        if let Some(want) = &mut self.want {
            (want.at, want.told) = (around.now + wait, true);
        }
    }
}
