//! Is somebody still signed in? Asked once for however many callers, and never answered by a broken server.
//!
//! A session endpoint whose database is down answers exactly as it does when nobody is signed in, so one such answer
//! proves nothing: only `confirmations` of them in a row, spaced, do.

use super::session::User;
use super::time::{Duration, Timestamp};

/// Each later gap is five times the one before it: an outage of ten seconds logs nobody out.
const GAP_FACTOR: u32 = 5;

/// How often and how patiently the session endpoint is asked.
#[derive(Clone, Copy, Debug)]
pub struct VerifySettings {
    /// Signed-out answers in a row that are believed. Default 3.
    pub confirmations: u32,
    /// Before the second question; each later gap is five times as long. Default 2 s.
    pub confirm_after: Duration,
    /// For every question. Default 10 s.
    pub timeout: Duration,
}

impl VerifySettings {
    /// The longest that one question takes, with its confirmations.
    #[must_use]
    pub fn longest(&self) -> Duration {
        // A sum of powers of five is less than a quarter of the next one.
        let gaps = GAP_FACTOR.saturating_pow(self.confirmations.saturating_sub(1));
        self.timeout * self.confirmations.max(1) + (self.confirm_after * gaps) / (GAP_FACTOR - 1)
    }
}

/// What one answer of the session endpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionAnswer {
    /// Somebody is signed in.
    User(User),
    /// A clear answer that nobody is: `null`, `{}` or 401.
    Nobody,
    /// A network error, a timeout, 5xx, HTML, or something that cannot be read.
    CannotTell,
}

/// What the questions came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Somebody is signed in.
    SignedIn(User),
    /// Nobody is, and it was said often enough.
    SignedOut,
    /// It cannot be verified now, so nobody is logged out.
    Unknown,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutput {
    /// Ask the session endpoint.
    Ask,
    /// End the question that is out: nobody waits for it any more, or it took too long.
    Cancel,
    /// Tell everybody who waits.
    Verified(Verified),
}

#[derive(Debug)]
enum State {
    Idle,
    Asking { clear: u32, until: Timestamp },
    Waiting { clear: u32, until: Timestamp },
}

/// One question for all callers.
#[derive(Debug)]
pub struct Verify {
    settings: VerifySettings,
    state: State,
    ask: bool,
    cancel: bool,
    verified: Option<Verified>,
}

impl Verify {
    /// Asks nothing until somebody does.
    #[must_use]
    pub fn new(settings: VerifySettings) -> Verify {
        Verify { settings, state: State::Idle, ask: false, cancel: false, verified: None }
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Somebody wants to know. Joins the question that is out already.
    pub fn request(&mut self, now: Timestamp) {
        if self.idle() {
            self.question(now, 0);
        }
    }

    /// The endpoint answered. An answer that nobody waits for is dropped. Where no session ever `lived`, there is none to
    /// lose, and one clear answer is enough.
    pub fn answered(&mut self, now: Timestamp, answer: SessionAnswer, lived: bool) {
        let State::Asking { clear, .. } = self.state else { return };
        let needed = if lived { self.settings.confirmations } else { 1 };
        match answer {
            SessionAnswer::User(user) => self.finish(Verified::SignedIn(user)),
            SessionAnswer::CannotTell => self.finish(Verified::Unknown),
            SessionAnswer::Nobody if clear + 1 >= needed => self.finish(Verified::SignedOut),
            SessionAnswer::Nobody => {
                let gap = self.settings.confirm_after.saturating_mul(GAP_FACTOR.saturating_pow(clear));
                self.state = State::Waiting { clear: clear + 1, until: now + gap };
            }
        }
    }

    /// Time passed.
    pub fn wake(&mut self, now: Timestamp) {
        match self.state {
            State::Waiting { clear, until } if until <= now => self.question(now, clear),
            State::Asking { until, .. } if until <= now => {
                self.cancel = true;
                self.finish(Verified::Unknown);
            }
            _ => {}
        }
    }

    /// Ends without an answer.
    pub fn stop(&mut self) {
        self.cancel |= matches!(self.state, State::Asking { .. });
        self.state = State::Idle;
        self.ask = false;
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<VerifyOutput> {
        if std::mem::take(&mut self.cancel) {
            return Some(VerifyOutput::Cancel);
        }
        if std::mem::take(&mut self.ask) {
            return Some(VerifyOutput::Ask);
        }
        self.verified.take().map(VerifyOutput::Verified)
    }

    /// When to come back.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        match self.state {
            State::Idle => None,
            State::Asking { until, .. } | State::Waiting { until, .. } => Some(until),
        }
    }

    fn question(&mut self, now: Timestamp, clear: u32) {
        self.ask = true;
        self.state = State::Asking { clear, until: now + self.settings.timeout };
    }

    fn finish(&mut self, verified: Verified) {
        self.state = State::Idle;
        self.verified = Some(verified);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000);
    const SETTINGS: VerifySettings =
        VerifySettings { confirmations: 3, confirm_after: Duration::from_secs(2), timeout: Duration::from_secs(10) };

    fn asked() -> Verify {
        let mut verify = Verify::new(SETTINGS);
        verify.request(START);
        assert_eq!(verify.poll(), Some(VerifyOutput::Ask));
        verify
    }

    #[test]
    fn three_spaced_answers_end_a_session_and_two_do_not() {
        let mut verify = asked();
        let mut now = START;
        for gap in [2, 10] {
            verify.answered(now, SessionAnswer::Nobody, true);
            assert_eq!(verify.poll(), None, "not yet");
            assert_eq!(verify.next_wake(), Some(now + Duration::from_secs(gap)));
            now = now + Duration::from_secs(gap);
            verify.wake(now);
            assert_eq!(verify.poll(), Some(VerifyOutput::Ask));
        }
        verify.answered(now, SessionAnswer::Nobody, true);
        assert_eq!(verify.poll(), Some(VerifyOutput::Verified(Verified::SignedOut)));
    }

    #[test]
    fn where_no_session_lived_one_answer_is_enough() {
        let mut verify = asked();
        verify.answered(START, SessionAnswer::Nobody, false);
        assert_eq!(verify.poll(), Some(VerifyOutput::Verified(Verified::SignedOut)));
        assert!(verify.idle());
    }

    #[test]
    fn no_question_takes_longer_than_it_says() {
        for confirmations in 0..6 {
            let settings = VerifySettings { confirmations, ..SETTINGS };
            let mut verify = Verify::new(settings);
            verify.request(START);
            let mut now = START;
            while !verify.idle() {
                // Each answer comes at the last moment.
                now = now + Duration::from_millis(9_999);
                verify.answered(now, SessionAnswer::Nobody, true);
                now = verify.next_wake().unwrap_or(now);
                verify.wake(now);
            }
            assert!(now.since(START) <= settings.longest(), "{confirmations}");
        }
        let absurd = VerifySettings { confirmations: u32::MAX, ..SETTINGS };
        assert!(absurd.longest() > Duration::from_secs(1_000_000));
    }

    #[test]
    fn a_database_that_blinks_logs_nobody_out() {
        let mut verify = asked();
        verify.answered(START, SessionAnswer::Nobody, true);
        let later = START + Duration::from_secs(2);
        verify.wake(later);
        assert_eq!(verify.poll(), Some(VerifyOutput::Ask));
        verify.answered(later, SessionAnswer::User(7), true);
        assert_eq!(verify.poll(), Some(VerifyOutput::Verified(Verified::SignedIn(7))));
    }

    #[test]
    fn a_question_that_never_ends_is_unknown_after_its_timeout() {
        let mut verify = asked();
        verify.wake(START + Duration::from_secs(10));
        assert_eq!(verify.poll(), Some(VerifyOutput::Cancel));
        assert_eq!(verify.poll(), Some(VerifyOutput::Verified(Verified::Unknown)));
        verify.answered(START + Duration::from_secs(11), SessionAnswer::Nobody, true);
        assert_eq!(verify.poll(), None, "a late answer says nothing");
        assert_eq!(verify.next_wake(), None);
    }

    #[test]
    fn a_second_caller_joins_the_question_that_is_out() {
        let mut verify = asked();
        verify.request(START);
        assert_eq!(verify.poll(), None);
    }

    #[test]
    fn nothing_is_asked_after_stop() {
        let mut verify = asked();
        verify.stop();
        assert_eq!(verify.poll(), Some(VerifyOutput::Cancel));
        verify.wake(START + Duration::from_secs(99));
        assert_eq!((verify.poll(), verify.next_wake()), (None, None));
    }
}
