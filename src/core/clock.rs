//! One host clock, two timelines: the wall, and the time that this page was awake.
//!
//! A laptop that sleeps for eight hours must not find all its requests timed out on waking, so the deadlines of running
//! requests are kept in awake time. Schedules (a backoff, a breaker's open time) stay on the wall: the server recovered
//! while nobody looked.

use super::time::{Duration, Timestamp};

/// A visible page's timers come on time; later than this, the page did not run.
const LATE_VISIBLE: Duration = Duration::from_secs(5);
/// Browsers wake the timers of a page hidden for long once a minute. That is throttling, not sleep.
const LATE_HIDDEN: Duration = Duration::from_secs(70);

/// Turns host times, which leap in both directions, into times that do neither.
#[derive(Debug, Default)]
pub struct Clock {
    host: u64,
    now: Timestamp,
    slept: Duration,
}

impl Clock {
    /// Starts at the host's time.
    #[must_use]
    pub fn new(host: Timestamp) -> Clock {
        Clock { host: host.0, now: host, slept: Duration::ZERO }
    }

    /// Takes the host's time; `due` is when the host had promised to call at the latest. Returns whether the page slept
    /// in between. A clock that was set back stands still for this call and goes on from there.
    pub fn observe(&mut self, host: Timestamp, due: Option<Timestamp>, hidden: bool) -> bool {
        let before = self.now;
        self.now = self.now + Duration::from_millis(host.0.saturating_sub(self.host));
        self.host = host.0;
        // Who was not to be called is never called late.
        let late = due.map_or(Duration::ZERO, |due| self.now.since(due.max(before)));
        let slept = late > if hidden { LATE_HIDDEN } else { LATE_VISIBLE };
        if slept {
            self.slept = self.slept.saturating_add(late);
        }
        slept
    }

    /// The wall, made monotonic.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The same moment on the timeline that leaves sleep out.
    #[must_use]
    pub fn awake(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_sub(self.slept.as_millis()))
    }

    /// When an awake moment will be on the wall, if nobody sleeps until then.
    #[must_use]
    pub fn on_wall(&self, awake: Timestamp) -> Timestamp {
        awake + self.slept
    }

    /// What the host's clock will show at a moment of the monotonic wall.
    #[must_use]
    pub fn on_host(&self, moment: Timestamp) -> Timestamp {
        Timestamp(self.host.saturating_add(moment.0.saturating_sub(self.now.0)))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn eight_hours_of_sleep_leave_awake_time_where_it_was() {
        let start = Timestamp(1_000_000);
        let mut clock = Clock::new(start);
        let due = start + SECOND;
        assert!(clock.observe(start + SECOND * 8 * 3600, Some(due), false));
        assert_eq!(clock.awake(), due);
        assert_eq!(clock.on_wall(clock.awake() + SECOND), clock.now() + SECOND);
    }

    #[test]
    fn a_page_that_waits_for_nothing_but_word_from_outside_is_not_asleep() {
        let start = Timestamp(1_000_000);
        let mut clock = Clock::new(start);
        assert!(!clock.observe(start + SECOND * 3600, None, false));
        assert_eq!(clock.awake(), clock.now());
    }

    #[test]
    fn a_throttled_hidden_page_is_not_asleep() {
        let start = Timestamp(1_000_000);
        let mut clock = Clock::new(start);
        assert!(!clock.observe(start + SECOND * 60, Some(start + SECOND), true));
        assert_eq!(clock.awake(), clock.now());
    }

    #[test]
    fn a_clock_set_back_by_an_hour_never_runs_backwards() {
        let start = Timestamp(10_000_000);
        let mut clock = Clock::new(start);
        clock.observe(Timestamp(start.0 - 3_600_000), None, false);
        assert_eq!(clock.now(), start);
        clock.observe(Timestamp(start.0 - 3_600_000 + 500), None, false);
        assert_eq!(clock.now(), start + Duration::from_millis(500));
        assert_eq!(clock.on_host(clock.now() + SECOND), Timestamp(start.0 - 3_600_000 + 1_500));
    }
}
