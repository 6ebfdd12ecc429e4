//! Moments as the core sees them: passed in, never read from a clock.

use std::ops::{Add, Div, Mul, Sub};

/// Milliseconds of wall time since the Unix epoch.
///
/// Wall time rather than a monotonic clock, because a browser's monotonic clock may stand still while the laptop sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// The earliest of these moments, where there is any.
#[must_use]
pub fn earliest(moments: &[Option<Timestamp>]) -> Option<Timestamp> {
    moments.iter().flatten().min().copied()
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    /// Saturates: a wait of "for ever" stays representable.
    fn add(self, wait: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(wait.0))
    }
}

/// A span of time in whole milliseconds. Everything saturates: a wait of "for ever" stays one.
///
/// The standard library's duration counts nanoseconds in two fields, which no browser timer can keep and which cost the
/// module a kilobyte of arithmetic. The methods bear the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// No time.
    pub const ZERO: Duration = Duration(0);

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Duration {
        Duration(millis)
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Duration {
        Duration(seconds.saturating_mul(1_000))
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// In whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Whether it is no time.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, at most the longest span.
    #[must_use]
    pub const fn saturating_add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }

    /// The difference, at least zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }

    /// So many times as long, at most the longest span.
    #[must_use]
    pub const fn saturating_mul(self, times: u32) -> Duration {
        Duration(self.0.saturating_mul(times as u64))
    }
}

impl Add for Duration {
    type Output = Duration;

    fn add(self, other: Duration) -> Duration {
        self.saturating_add(other)
    }
}

impl Sub for Duration {
    type Output = Duration;

    fn sub(self, other: Duration) -> Duration {
        self.saturating_sub(other)
    }
}

impl Mul<u32> for Duration {
    type Output = Duration;

    fn mul(self, times: u32) -> Duration {
        self.saturating_mul(times)
    }
}

impl Div<u32> for Duration {
    type Output = Duration;

    fn div(self, parts: u32) -> Duration {
        Duration(self.0 / u64::from(parts))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
impl proptest::arbitrary::Arbitrary for Duration {
    type Parameters = ();
    type Strategy = proptest::strategy::BoxedStrategy<Duration>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use proptest::prelude::{Strategy, any};
        any::<u64>().prop_map(Duration).boxed()
    }
}
