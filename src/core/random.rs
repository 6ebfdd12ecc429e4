//! Seeded randomness: the host rolls once, the core's dice follow from it.

use super::time::Duration;

/// A seeded generator. Equal seeds give equal runs, which is what makes a simulated outage repeatable.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// Starts from the host's seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(fastrand::Rng::with_seed(seed))
    }

    /// A seed for something else.
    pub fn seed(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A whole number of milliseconds, evenly drawn from `0..=most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.0.u64(0..=most.as_millis()))
    }
}
