//! The order of a sign-out: quiet everywhere, then the server, then word to all.
//!
//! A session endpoint renews the cookie with each answer. One that is on its way while the server signs the person out
//! would sign them in again. So no question is out in any tab when the server is asked, and none is begun until it has
//! answered.

use super::{Around, Ended, Session, SessionOutput, SessionSays};
use crate::core::time::{Duration, Timestamp, earliest};
use crate::core::verify::Verified;

/// Beside two questions' time: others ask again when the tab that signs out is not heard of for so long.
const QUIET_MORE: Duration = Duration::from_secs(10);
/// It says so twice in that time, and after so many times it gives up.
const ROUNDS_MAX: u8 = 12;

/// A sign-out of this tab's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signing {
    turn: u64,
    /// The server was asked.
    out: bool,
    until: Timestamp,
    rounds: u8,
    /// Another tab's was done meanwhile.
    elsewhere: bool,
}

impl Session {
    /// The person signs out. Ends with [`SessionOutput::SignOut`], after which the host calls [`Session::signed_out`].
    pub fn sign_out(&mut self, around: &mut Around) {
        if self.signing.is_some() || self.stopped {
            return;
        }
        let turn = self.take_turn(around.now);
        self.known = turn;
        self.stop_asking();
        let until = around.now + self.heartbeat;
        self.signing = Some(Signing { turn, out: false, until, rounds: 0, elsewhere: false });
        self.ask_for_quiet();
    }

    /// The server signed them out, or did not.
    pub fn signed_out(&mut self, accepted: bool, around: &mut Around) {
        if self.stopped {
            return;
        }
        let signing = self.signing.take();
        if accepted {
            let turn = self.take_turn(around.now);
            self.post(turn, SessionSays::SignedOut);
            return self.ended(turn, Ended::SignOut, around);
        }
        let Some(Signing { turn, elsewhere, .. }) = signing else { return };
        if elsewhere {
            return self.ended(self.known, Ended::OtherTab, around);
        }
        self.post(turn, SessionSays::Resume);
        // Why the server refused, its endpoint may tell.
        self.need(0, around.now, around);
        self.pursue_anew(around);
    }

    /// Another tab's sign-out is done.
    pub(super) fn signed_out_elsewhere(&mut self, turn: u64, around: &mut Around) {
        self.resume(turn, around);
        let Some(signing) = &mut self.signing else { return self.ended(turn, Ended::OtherTab, around) };
        // This tab's own is still under way, and tells why it ended.
        signing.elsewhere = true;
        self.overtake(turn);
    }

    /// Somebody else signs out.
    pub(super) fn hear_quiet(&mut self, turn: u64, within: Duration, around: &mut Around) {
        let until = around.now + within.min(self.quiet_most());
        let newest = self.quiet.map_or(turn, |(before, _)| before.max(turn));
        self.quiet = Some((newest, until));
        let behind = turn < self.known;
        // Who signs out and is behind must know of the newest turn, or its last word would be out of date.
        if self.stop_asking() || behind {
            self.post(self.newest, SessionSays::Stopped);
        }
    }

    /// The sign-out of this turn is over.
    pub(super) fn resume(&mut self, turn: u64, around: &mut Around) {
        if self.quiet.is_some_and(|(quiet, _)| quiet <= turn) {
            self.quiet = None;
            self.pursue_anew(around);
        }
    }

    /// Says once more that nobody may ask, to a tab that may not know.
    pub(super) fn ask_for_quiet(&mut self) {
        if let Some(Signing { turn, .. }) = self.signing {
            self.post(turn, SessionSays::Quiet(self.quiet_most()));
        }
    }

    pub(super) fn wake_sign_out(&mut self, around: &mut Around) {
        if let Some((turn, until)) = self.quiet
            && until <= around.now
        {
            self.resume(turn, around);
        }
        let asking = self.asking.is_some_and(|(_, until)| until > around.now);
        let half = self.quiet_most() / 2;
        let Some(signing) = &mut self.signing else { return };
        let due = signing.until <= around.now;
        if !signing.out {
            if due || !asking {
                (signing.out, signing.until) = (true, around.now + half);
                self.outputs.push_back(SessionOutput::SignOut);
            }
        } else if due && signing.rounds == ROUNDS_MAX {
            self.signed_out(false, around);
        } else if due {
            (signing.until, signing.rounds) = (around.now + half, signing.rounds + 1);
            self.ask_for_quiet();
        }
    }

    /// When a wait of a sign-out ends.
    pub(super) fn sign_out_wake(&self) -> Option<Timestamp> {
        let quiet = self.quiet.map(|(_, until)| until);
        earliest(&[quiet, self.signing.map(|signing| signing.until)])
    }

    fn ended(&mut self, turn: u64, why: Ended, around: &mut Around) {
        self.overtake(turn);
        let verified = Verified::SignedOut;
        self.schedule.answered(verified, None, None, &self.settings, around.now, around.random);
        self.signed_off(why, why == Ended::SignOut);
        self.settle_wants(turn, verified);
    }

    fn quiet_most(&self) -> Duration {
        self.settings.verify.timeout * 2 + QUIET_MORE
    }
}
