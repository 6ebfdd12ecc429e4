//! How long to wait before a retry: exponential backoff with full jitter, above whatever the server asked for.
//!
//! Full jitter draws from the whole of `0..=ceiling` instead of shaking the ceiling a little. Clients that failed in
//! the same moment then spread evenly ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

use std::time::Duration;

use super::random::Random;
use super::time::millis;

/// Ceilings stop growing here, so that a factor a hair above 1 cannot keep the loop turning for billions of rounds.
const GROWING_RETRIES_MAX: u32 = 1_000;

/// How a wait is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Evenly from nothing up to the ceiling.
    Full,
    /// Always the ceiling. For tests and for a server with one client.
    None,
}

/// The shape of the waits between attempts.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The ceiling before the first retry. Default 300 ms.
    pub base: Duration,
    /// What each further retry multiplies the ceiling by. Default 2; below 1, or NaN, counts as 1.
    pub factor: f64,
    /// What no ceiling exceeds. Default 30 s.
    pub max: Duration,
    /// Default [`Jitter::Full`].
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { base: Duration::from_millis(300), factor: 2.0, max: Duration::from_secs(30), jitter: Jitter::Full }
    }
}

impl Backoff {
    /// `min(max, base · factorⁿ)` in whole milliseconds, where `retry` (n) counts from 0.
    #[must_use]
    pub fn ceiling(&self, retry: u32) -> Duration {
        let most = millis(self.max);
        // `max` is also how NaN becomes 1.
        let factor = self.factor.max(1.0);
        let mut ceiling = millis(self.base) as f64;
        for _ in 0..retry.min(GROWING_RETRIES_MAX) {
            if ceiling >= most as f64 {
                break;
            }
            ceiling *= factor;
        }
        Duration::from_millis((ceiling as u64).min(most))
    }

    /// The wait before retry number `retry` (from 0).
    ///
    /// A `floor` is what the server asked for with `Retry-After`. Jitter is added to it and never taken from it: full
    /// jitter over `min(max, max(ceiling, floor / 2))`. Half the floor, because all clients of an outage are told the
    /// same value, and a spread that does not grow with the floor would bring them all back in the same second.
    /// [`Jitter::None`] waits exactly the floor.
    #[must_use]
    pub fn delay(&self, retry: u32, floor: Option<Duration>, random: &mut Random) -> Duration {
        let ceiling = self.ceiling(retry);
        let Some(floor) = floor else {
            return match self.jitter {
                Jitter::Full => random.up_to(ceiling),
                Jitter::None => ceiling,
            };
        };
        match self.jitter {
            Jitter::Full => floor.saturating_add(random.up_to(ceiling.max(floor / 2).min(self.max))),
            Jitter::None => floor,
        }
    }
}
