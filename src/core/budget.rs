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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn default() -> RetryBudget {
        RetryBudget::new(30.0, 1.0, 0.2)
    }

    #[test]
    fn thirty_retries_may_be_made_at_once_and_then_none() {
        let mut budget = default();

        let paid = (0..100).filter(|_| budget.try_spend()).count();

        assert_eq!(paid, 30);
    }

    #[test]
    fn five_successes_buy_one_retry_from_any_level() {
        let mut budget = default();
        while budget.try_spend() {}

        for _ in 0..1_000 {
            for _ in 0..4 {
                budget.refund();
                assert!(!budget.try_spend(), "less than the cost of one is empty, and nothing is taken");
            }
            budget.refund();
            assert!(budget.try_spend());
        }
    }

    #[test]
    fn success_saves_up_no_more_than_the_capacity() {
        let mut budget = default();
        for _ in 0..1_000 {
            budget.refund();
        }

        assert_eq!((0..100).filter(|_| budget.try_spend()).count(), 30);
    }

    #[test]
    fn in_an_outage_retries_are_a_fraction_of_the_load() {
        // Given a page that makes 1,000 calls while half of them fail and each failure wants three retries.
        let mut budget = default();
        let mut retries = 0;
        for call in 0..1_000 {
            if call % 2 == 0 {
                budget.refund();
            } else {
                retries += (0..3).filter(|_| budget.try_spend()).count();
            }
        }

        // Then what is sent beyond the calls is the capacity, and one for every five successes: not 1,500.
        assert!((120..=130).contains(&retries), "{retries}");
    }

    proptest! {
        #[test]
        fn it_pays_as_a_purse_of_counted_coins_would(
            capacity in 0_u32..500, cost in 0_u32..50, refund in 0_u32..50,
            operations in prop::collection::vec(any::<bool>(), 0..500),
        ) {
            // Tenths, which no binary fraction holds exactly.
            let tenth = |coins: u32| f64::from(coins) / 10.0;
            let mut budget = RetryBudget::new(tenth(capacity), tenth(cost), tenth(refund));
            let mut purse = capacity;

            for retry in operations {
                if retry {
                    let affordable = purse >= cost;
                    purse -= if affordable { cost } else { 0 };
                    prop_assert_eq!(budget.try_spend(), affordable);
                } else {
                    purse = (purse + refund).min(capacity);
                    budget.refund();
                }
            }
        }

        #[test]
        fn absurd_amounts_are_survived(
            capacity in prop::num::f64::ANY, cost in prop::num::f64::ANY, refund in prop::num::f64::ANY,
            operations in prop::collection::vec(any::<bool>(), 0..50),
        ) {
            let mut budget = RetryBudget::new(capacity, cost, refund);
            for retry in operations {
                if retry {
                    budget.try_spend();
                } else {
                    budget.refund();
                }
                prop_assert!(budget.tokens <= budget.capacity);
            }
        }
    }
}
