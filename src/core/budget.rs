//! How many retries one origin can still afford.
//!
//! Retries multiply load exactly when a server has none to spare. A budget that successes fill and retries drain keeps
//! them a small share of all requests, however many calls fail at once (gRPC's retry throttling, proposal A6). First
//! attempts never ask it.

/// Amounts are kept in millionths: 0.2 added five times is then exactly 1.
const ONE: f64 = 1_000_000.0;

/// A retry budget, full at the start.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    tokens: u64,
    capacity: u64,
    cost: u64,
    refund: u64,
}

impl RetryBudget {
    /// `capacity` tokens at most; each retry costs `cost`, each success gives back `refund`. The defaults are 30, 1 and
    /// 0.2: thirty retries at once, and one more for every five successes. What is negative or NaN counts as 0.
    #[must_use]
    pub fn new(capacity: f64, cost: f64, refund: f64) -> RetryBudget {
        let capacity = millionths(capacity);
        RetryBudget { tokens: capacity, capacity, cost: millionths(cost), refund: millionths(refund) }
    }

    /// Pays for one retry. A budget with less than the cost of one is empty, and nothing is taken.
    pub fn try_spend(&mut self) -> bool {
        match self.tokens.checked_sub(self.cost) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    /// A request succeeded.
    pub fn refund(&mut self) {
        self.tokens = self.tokens.saturating_add(self.refund).min(self.capacity);
    }
}

fn millionths(amount: f64) -> u64 {
    (amount * ONE + 0.5) as u64
}
