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
const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

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
