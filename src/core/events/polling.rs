//! Asking again and again, where a stream does not get through.

use super::reconnect::{RETRY_AFTER_MAX, Wait};
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
        let floor = retry_after.unwrap_or(Duration::ZERO).min(RETRY_AFTER_MAX);
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const INTERVAL: Duration = Duration::from_secs(5);
    const LATER: Timestamp = Timestamp(u64::MAX);

    fn begun() -> Polling {
        let mut polling = Polling::new(Some(INTERVAL));
        polling.ended(NOW, true);
        polling.ended(NOW, true);
        polling
    }

    fn backoff() -> Backoff {
        Backoff { base: SECOND, ..Backoff::default() }
    }

    /// How long after an answer the next poll is due.
    fn wait(polling: &mut Polling, ok: bool, retry_after: Option<Duration>, seed: u64) -> Duration {
        assert!(polling.take(LATER));
        polling.done(NOW, ok, retry_after, &backoff(), &mut Random::new(seed));
        polling.next_wake().expect("the next poll").since(NOW)
    }

    #[test]
    fn two_silent_connections_in_a_row_begin_it() {
        let mut polling = Polling::new(Some(INTERVAL));
        polling.ended(NOW, true);
        polling.ended(NOW, false);
        polling.ended(NOW, true);
        assert!(!polling.on());
        polling.ended(NOW, true);
        assert!(polling.on() && !polling.delivers());
        assert_eq!(polling.next_wake(), Some(NOW), "at once");
    }

    #[test]
    fn where_there_is_nothing_to_poll_it_never_begins() {
        let mut polling = Polling::new(None);
        for _ in 0..10 {
            polling.ended(NOW, true);
        }
        assert!(!polling.on() && !polling.take(LATER));
        polling = begun();
        polling.give_up();
        polling.ended(NOW, true);
        polling.ended(NOW, true);
        assert!(!polling.on());
    }

    #[test]
    fn one_is_out_at_a_time() {
        let mut polling = begun();
        assert!(polling.take(NOW) && polling.out());
        assert!(!polling.take(LATER));
        assert_eq!(polling.next_wake(), None);
        polling.hurry(NOW);
        assert!(polling.out());
    }

    #[test]
    fn the_interval_gets_up_to_a_tenth_of_jitter() {
        let waits: Vec<_> = (0..200).map(|seed| wait(&mut begun(), true, None, seed).as_millis()).collect();
        assert!(waits.iter().all(|wait| (5_000..=5_500).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait < 5_100) && waits.iter().any(|wait| *wait > 5_400), "{waits:?}");
    }

    #[test]
    fn failures_back_off_and_an_answer_begins_anew() {
        let mut polling = begun();
        let seconds: Vec<_> = (0..7).map(|_| wait(&mut polling, false, None, 1).as_secs()).collect();
        assert!(seconds.is_sorted() && seconds[0] == 5 && seconds[6] >= 30, "{seconds:?}");
        assert!(!polling.delivers());
        assert_eq!(wait(&mut polling, true, None, 1).as_secs(), 5);
        assert!(polling.delivers());
    }

    #[test]
    fn what_the_server_asked_for_is_not_shortened() {
        let mut polling = begun();
        let asked = SECOND * 60;
        assert!((asked..=asked + SECOND * 6).contains(&wait(&mut polling, false, Some(asked), 1)));
        polling.hurry(NOW);
        assert_eq!(polling.next_wake(), Some(NOW + asked));
    }

    #[test]
    fn one_that_is_of_no_use_is_made_again_an_interval_later() {
        let mut polling = begun();
        assert!(!polling.interrupt(NOW), "none is out");
        assert!(polling.take(NOW) && polling.interrupt(NOW));
        assert_eq!((polling.out(), polling.next_wake()), (false, Some(NOW + INTERVAL)));
    }

    #[test]
    fn what_retires_begins_like_new() {
        let mut polling = begun();
        wait(&mut polling, true, None, 1);
        assert!(!polling.stop(), "none is out");
        assert!(!polling.on() && !polling.delivers());
        polling.ended(NOW, true);
        assert!(!polling.on());
        polling.ended(NOW, true);
        assert!(polling.take(NOW) && polling.stop());
    }
}
