//! A token bucket: so many requests a second on average, with room for a burst.

use super::time::Timestamp;

/// Tokens are kept in billionths, so that what [`TokenBucket::ready_at`] promises is there to the last bit.
const ONE: u64 = 1_000_000_000;

/// One request takes one token.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    tokens: u64,
    burst: u64,
    /// Billionths of a token.
    per_ms: u64,
    filled_at: Timestamp,
}

impl TokenBucket {
    /// Gains `per_second` tokens a second up to `burst`, and starts full. The defaults are 50 and 100.
    ///
    /// A burst under 1 counts as 1, or nothing would ever pass. A rate that is negative or NaN counts as 0.
    #[must_use]
    pub fn new(per_second: f64, burst: f64) -> TokenBucket {
        let burst = ((burst * ONE as f64) as u64).max(ONE);
        TokenBucket {
            tokens: burst,
            burst,
            per_ms: (per_second * (ONE / 1_000) as f64) as u64,
            filled_at: Timestamp::default(),
        }
    }

    /// Takes a token if there is one.
    pub fn take(&mut self, now: Timestamp) -> bool {
        self.tokens = self.tokens_at(now);
        // Also when the clock was set back, or nothing would be gained until it had caught up.
        self.filled_at = now;
        let there = self.tokens >= ONE;
        if there {
            self.tokens -= ONE;
        }
        there
    }

    /// When there is a token: `now` if there is one already, the end of time if there will never be one.
    #[must_use]
    pub fn ready_at(&self, now: Timestamp) -> Timestamp {
        let missing = ONE.saturating_sub(self.tokens_at(now));
        match (missing, self.per_ms) {
            (0, _) => now,
            (_, 0) => Timestamp(u64::MAX),
            (missing, per_ms) => Timestamp(now.0.saturating_add(missing.div_ceil(per_ms))),
        }
    }

    fn tokens_at(&self, now: Timestamp) -> u64 {
        let elapsed_ms = now.0.saturating_sub(self.filled_at.0);
        self.tokens.saturating_add(elapsed_ms.saturating_mul(self.per_ms)).min(self.burst)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn after(ms: u64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    #[test]
    fn a_burst_passes_at_once_and_then_one_every_twenty_milliseconds() {
        let mut bucket = TokenBucket::new(50.0, 100.0);

        assert_eq!((0..1_000).filter(|_| bucket.take(NOW)).count(), 100);
        assert_eq!(bucket.ready_at(NOW), after(20));
        assert!(!bucket.take(after(19)));
        assert!(bucket.take(after(20)));
        assert_eq!((21..=1_020).filter(|&ms| bucket.take(after(ms))).count(), 50);
    }

    #[test]
    fn a_night_asleep_saves_up_no_more_than_a_burst() {
        let mut bucket = TokenBucket::new(50.0, 100.0);
        bucket.take(NOW);

        let woken = after(8 * 3_600_000);

        assert_eq!((0..1_000).filter(|_| bucket.take(woken)).count(), 100);
    }

    #[test]
    fn a_clock_set_back_an_hour_does_not_stop_the_tokens_for_an_hour() {
        let mut bucket = TokenBucket::new(50.0, 1.0);
        assert!(bucket.take(NOW));

        let earlier = Timestamp(NOW.0 - 3_600_000);

        assert!(!bucket.take(earlier));
        assert!(bucket.take(Timestamp(earlier.0 + 20)));
    }

    #[test]
    fn a_bucket_without_a_rate_has_one_burst_and_a_burst_holds_at_least_one_token() {
        for rate in [0.0, -5.0, f64::NAN] {
            let mut bucket = TokenBucket::new(rate, 0.5);
            assert_eq!(bucket.ready_at(NOW), NOW);
            assert!(bucket.take(NOW));
            assert_eq!(bucket.ready_at(NOW), Timestamp(u64::MAX));
            assert!(!bucket.take(after(1_000_000_000)));
        }
    }

    proptest! {
        #[test]
        fn it_gives_as_a_bucket_filled_drop_by_drop_would(
            per_second in 0_u64..2_000, burst in 1_u64..50,
            waits_ms in prop::collection::vec(0_u64..200, 0..200),
        ) {
            let mut bucket = TokenBucket::new(per_second as f64, burst as f64);
            // Thousandths of a token: each millisecond drips `per_second` of them.
            let mut drops = burst * 1_000;
            let mut now = NOW;

            for wait_ms in waits_ms {
                now = Timestamp(now.0 + wait_ms);
                for _ in 0..wait_ms {
                    drops = (drops + per_second).min(burst * 1_000);
                }
                let there = drops >= 1_000;
                prop_assert_eq!(bucket.ready_at(now) == now, there);
                drops -= if there { 1_000 } else { 0 };
                prop_assert_eq!(bucket.take(now), there);
            }
        }

        #[test]
        fn a_token_is_there_when_promised_and_not_a_millisecond_earlier(
            per_second in 0.001..5_000.0, burst in 1.0..20.0, waits_ms in prop::collection::vec(0_u64..100, 0..50),
        ) {
            let mut bucket = TokenBucket::new(per_second, burst);
            let mut now = NOW;
            for wait_ms in waits_ms {
                now = Timestamp(now.0 + wait_ms);
                let ready_at = bucket.ready_at(now);
                if ready_at > now {
                    prop_assert!(!bucket.clone().take(Timestamp(ready_at.0 - 1)));
                }
                now = ready_at;
                prop_assert!(bucket.take(now));
            }
        }

        #[test]
        fn absurd_rates_and_moments_are_survived(
            per_second in prop::num::f64::ANY, burst in prop::num::f64::ANY, moments in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let mut bucket = TokenBucket::new(per_second, burst);
            for moment in moments {
                let now = Timestamp(moment);
                prop_assert!(bucket.ready_at(now) >= now);
                bucket.take(now);
            }
        }
    }
}
