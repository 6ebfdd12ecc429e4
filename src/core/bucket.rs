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
