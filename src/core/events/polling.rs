//! Asking again and again, where a stream does not get through.

use super::reconnect::Wait;
use crate::core::backoff::Backoff;
use crate::core::random::Random;
use crate::core::time::{Duration, Timestamp};

/// Connections in a row that were silent, before polling begins.
const SILENT_MAX: u32 = 2;
/// A tenth of the interval is added, so that pages that began together do not stay together.
const JITTER_SHARE: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Due(Wait),
    Out,
}

/// Begins when streaming does not get through, and retires when it does.
#[derive(Debug)]
pub struct Polling {
    /// None: there is nothing to poll.
    interval: Option<Duration>,
    state: State,
    silent: u32,
    failures: u32,
    answered: bool,
}

impl Polling {
    /// Off until a stream was silent twice.
    #[must_use]
    pub fn new(interval: Option<Duration>) -> Polling {
        Polling { interval, state: State::Off, silent: 0, failures: 0, answered: false }
    }

    /// Whether events come this way now.
    #[must_use]
    pub fn delivers(&self) -> bool {
        self.answered && self.state != State::Off
    }

    /// Whether it was begun.
    #[must_use]
    pub fn on(&self) -> bool {
        self.state != State::Off
    }

    /// A connection ended: without a byte, though nothing else was wrong, or otherwise.
    pub fn ended(&mut self, now: Timestamp, silent: bool) {
        self.silent = if silent { self.silent + 1 } else { 0 };
        if self.silent >= SILENT_MAX && self.interval.is_some() && self.state == State::Off {
            self.state = State::Due(Wait { floor: now, until: now });
        }
    }

    /// Ends it: a stream got through, or nobody wants events now. Whether a poll is out.
    pub fn stop(&mut self) -> bool {
        let out = self.state == State::Out;
        self.state = State::Off;
        self.silent = 0;
        self.failures = 0;
        self.answered = false;
        out
    }

    /// The poll that is out is of no use; it is made again. Whether there is one.
    pub fn interrupt(&mut self, now: Timestamp) -> bool {
        let Some(interval) = self.interval.filter(|_| self.out()) else { return false };
        self.state = State::Due(Wait { floor: now, until: now + interval });
        true
    }

    /// The server has no such endpoint.
    pub fn give_up(&mut self) {
        self.stop();
        self.interval = None;
    }

    /// Whether one is due; it is out then.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let due = matches!(self.state, State::Due(wait) if wait.until <= now);
        if due {
            self.state = State::Out;
        }
        due
    }

    /// Whether one is out; what comes without one is of an earlier time.
    #[must_use]
    pub fn out(&self) -> bool {
        self.state == State::Out
    }

    /// It brought an answer, or failed; the next one is set.
    pub fn done(
        &mut self,
        now: Timestamp,
        ok: bool,
        retry_after: Option<Duration>,
        backoff: &Backoff,
        random: &mut Random,
    ) {
        let Some(interval) = self.interval else { return };
        self.answered = ok;
        self.failures = if ok { 0 } else { self.failures.saturating_add(1) };
        let floor = retry_after.unwrap_or(Duration::ZERO);
        let wait = interval.max(floor).max(if ok { interval } else { backoff.ceiling(self.failures) });
        let jitter = random.up_to(Duration::from_millis(wait.as_millis() / JITTER_SHARE));
        self.state = State::Due(Wait { floor: now + floor, until: now + wait + jitter });
    }

    /// What is due need not wait longer: the network is back.
    pub fn hurry(&mut self, now: Timestamp) {
        if let State::Due(wait) = &mut self.state {
            wait.hurry(now);
        }
    }

    /// When the next one is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        match self.state {
            State::Due(wait) => Some(wait.until),
            _ => None,
        }
    }
}
