//! How long to wait before connecting again: a floor that the server asked for, plus jitter.
//!
//! A restarted server loses all its streams in one moment. 13,000 pages with one second of jitter are 13,000
//! connections in a second; spread over ten seconds they are 1,370. So the first wait after a connection that lived is
//! drawn from the wide `spread`, unless the server asked for another, or it was this device that woke or changed its
//! network.

use crate::core::backoff::{Backoff, Jitter};
use crate::core::random::Random;
use crate::core::time::{Duration, Timestamp};

/// What a server may ask for with `retry:`.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// No server keeps a page away for longer with one `Retry-After`.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// The waits of one stream.
#[derive(Clone, Copy, Debug)]
pub struct ReconnectSettings {
    /// Base 1 s, doubling up to 30 s, full jitter by default.
    pub backoff: Backoff,
    /// A connection that lived as long starts the backoff anew. Default 10 s.
    pub stable: Duration,
    /// The first wait after such a connection is drawn from it. Default 10 s.
    pub spread: Duration,
    /// As the specification has it: never less than the reconnection time, and after a connection that opened exactly that.
    pub strict: bool,
}

/// Until when to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What the server asked for; nothing shortens it.
    pub floor: Timestamp,
    /// With the jitter, which `online` and becoming visible end.
    pub until: Timestamp,
}

impl Wait {
    /// Ends the jitter, and leaves what the server asked for.
    pub fn hurry(&mut self, now: Timestamp) {
        self.until = self.until.min(now.max(self.floor));
    }
}

/// Counts failures, and draws the wait after each.
#[derive(Debug)]
pub struct Reconnect {
    settings: ReconnectSettings,
    failures: u32,
    retry: Option<Duration>,
}

impl Reconnect {
    /// No failure yet.
    #[must_use]
    pub fn new(settings: ReconnectSettings) -> Reconnect {
        Reconnect { settings, failures: 0, retry: None }
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// A fresh backoff: the connection is stable, or somebody asked for one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// When a connection that opened then is stable.
    #[must_use]
    pub fn stable_at(&self, opened: Timestamp) -> Timestamp {
        opened + self.settings.stable
    }

    /// The stream's own `retry:`.
    pub fn asked(&mut self, retry: u64) {
        self.retry = Some(Duration::from_millis(retry).clamp(RETRY_MIN, RETRY_MAX));
    }

    /// One more failure. `opened`: when the connection that ended had opened, if it had; `shaken`: this device woke or changed its network.
    pub fn wait(
        &mut self,
        now: Timestamp,
        opened: Option<Timestamp>,
        shaken: bool,
        retry_after: Option<Duration>,
        random: &mut Random,
    ) -> Wait {
        let ReconnectSettings { backoff, spread, strict, .. } = self.settings;
        let stable = opened.is_some_and(|opened| self.stable_at(opened) <= now);
        if stable {
            self.failures = 0;
        }
        let ceiling = Backoff { base: self.retry.unwrap_or(backoff.base), ..backoff }.ceiling(self.failures);
        self.failures = self.failures.saturating_add(1);
        let mut floor = self.retry.max(retry_after.map(|asked| asked.min(RETRY_AFTER_MAX))).unwrap_or(Duration::ZERO);
        if strict {
            floor = floor.max(self.retry.unwrap_or(backoff.base));
        }
        let jitter = if strict && opened.is_some() {
            Duration::ZERO
        } else if stable && self.retry.is_none() && !shaken {
            random.up_to(spread)
        } else if backoff.jitter == Jitter::None {
            ceiling - floor
        } else {
            random.up_to(ceiling)
        };
        Wait { floor: now + floor, until: now + floor + jitter }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const SETTINGS: ReconnectSettings = ReconnectSettings {
        backoff: Backoff { base: SECOND, factor: 2.0, max: Duration::from_secs(30), jitter: Jitter::Full },
        stable: Duration::from_secs(10),
        spread: Duration::from_secs(10),
        strict: false,
    };

    /// A connection that opened so long ago.
    fn opened(ago: Duration) -> Option<Timestamp> {
        Some(Timestamp(NOW.0 - ago.as_millis()))
    }

    #[test]
    fn online_ends_the_jitter_and_leaves_what_the_server_asked_for() {
        let mut wait = Wait { floor: NOW + SECOND * 5, until: NOW + SECOND * 9 };
        wait.hurry(NOW + SECOND * 7);
        assert_eq!(wait.until, NOW + SECOND * 7);
        wait.hurry(NOW + SECOND);
        assert_eq!(wait.until, NOW + SECOND * 5);
        wait.hurry(NOW + SECOND * 20);
        assert_eq!(wait.until, NOW + SECOND * 5, "it never makes a wait longer");
    }

    #[test]
    fn a_stable_connection_starts_the_backoff_anew_and_an_instable_one_does_not() {
        let mut random = Random::new(1);
        let mut reconnect = Reconnect::new(SETTINGS);
        for failures in 1..=3 {
            reconnect.wait(NOW, None, false, None, &mut random);
            assert_eq!(reconnect.failures(), failures);
        }
        reconnect.wait(NOW, opened(Duration::from_millis(9_999)), false, None, &mut random);
        assert_eq!(reconnect.failures(), 4);
        reconnect.wait(NOW, opened(SECOND * 10), false, None, &mut random);
        assert_eq!(reconnect.failures(), 1);
    }

    #[test]
    fn failures_for_ever_overflow_nothing() {
        let mut reconnect = Reconnect::new(SETTINGS);
        reconnect.failures = u32::MAX;
        let wait = reconnect.wait(
            Timestamp(u64::MAX),
            None,
            false,
            Some(Duration::from_millis(u64::MAX)),
            &mut Random::new(1),
        );
        assert_eq!(
            (wait.floor, wait.until, reconnect.failures()),
            (Timestamp(u64::MAX), Timestamp(u64::MAX), u32::MAX)
        );
    }

    proptest! {
        #[test]
        fn a_wait_is_what_was_asked_for_and_no_more_than_jitter_on_top(
            base_ms in 0..100_000_u64, max_ms in 0..100_000_u64, spread_ms in 0..100_000_u64, full: bool, strict: bool,
            failures in 0..40_u32, opened_ms in option::of(0..20_000_u64), shaken: bool,
            retry in option::of(any::<u64>()), retry_after in option::of(any::<u64>()), seed: u64,
        ) {
            let ms = Duration::from_millis;
            let jitter = if full { Jitter::Full } else { Jitter::None };
            let backoff = Backoff { base: ms(base_ms), max: ms(max_ms), jitter, ..SETTINGS.backoff };
            let mut reconnect = Reconnect::new(ReconnectSettings { backoff, spread: ms(spread_ms), strict, ..SETTINGS });
            reconnect.failures = failures;
            if let Some(retry) = retry {
                reconnect.asked(retry);
            }
            let opened = opened_ms.and_then(|ago| opened(ms(ago)));
            let wait = reconnect.wait(NOW, opened, shaken, retry_after.map(ms), &mut Random::new(seed));

            let retry = retry.map(|retry| ms(retry.clamp(100, 300_000)));
            let asked = retry.unwrap_or_default().max(ms(retry_after.unwrap_or(0)).min(SECOND * 86_400));
            let floor = if strict { asked.max(retry.unwrap_or(ms(base_ms))) } else { asked };
            prop_assert_eq!(wait.floor, NOW + floor);
            prop_assert!(wait.until >= wait.floor);
            prop_assert!(wait.until <= wait.floor + ms(max_ms.max(spread_ms)));
            if strict && opened.is_some() {
                prop_assert_eq!(wait.until, wait.floor, "as the specification has it");
            }
        }
    }
}
