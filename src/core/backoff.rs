//! How long to wait before a retry: exponential backoff with full jitter, above whatever the server asked for.
//!
//! Full jitter draws from the whole of `0..=ceiling` instead of shaking the ceiling a little. Clients that failed in
//! the same moment then spread evenly ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

use super::random::Random;
use super::time::Duration;

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
        let most = self.max.as_millis();
        // `max` is also how NaN becomes 1.
        let factor = self.factor.max(1.0);
        let mut ceiling = self.base.as_millis() as f64;
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// How many of 13,000 clients come back in the fullest second.
    fn fullest_second(told: Duration) -> usize {
        let mut seconds = std::collections::HashMap::new();
        for client in 0..13_000 {
            let wait = Backoff::default().delay(0, Some(told), &mut Random::new(client));
            *seconds.entry(wait.as_secs()).or_insert(0) += 1;
        }
        seconds.into_values().max().unwrap_or(0)
    }

    #[test]
    fn the_ceiling_doubles_up_to_its_maximum() {
        let ceilings: Vec<_> = (0..9).map(|retry| Backoff::default().ceiling(retry).as_millis()).collect();

        assert_eq!(ceilings, [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000]);
        assert_eq!(Backoff::default().ceiling(u32::MAX), s(30));
    }

    #[test]
    fn a_factor_that_does_not_grow_keeps_the_base_and_a_base_over_the_maximum_gives_way() {
        for factor in [1.0, 0.5, 0.0, -3.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(Backoff { factor, ..Backoff::default() }.ceiling(u32::MAX), ms(300), "{factor}");
        }
        assert_eq!(Backoff { base: s(90), ..Backoff::default() }.ceiling(0), s(30));
    }

    #[test]
    fn full_jitter_draws_evenly_from_nothing_to_the_ceiling() {
        let mut random = Random::new(1);
        let mut quarters = [0; 4];

        for _ in 0..10_000 {
            // The ceiling before the fourth retry is 2,400 ms.
            let wait_ms = Backoff::default().delay(3, None, &mut random).as_millis();
            assert!(wait_ms <= 2_400);
            quarters[(wait_ms / 601) as usize] += 1;
        }

        assert!(quarters.iter().all(|drawn| (2_300..2_700).contains(drawn)), "{quarters:?}");
    }

    #[test]
    fn without_jitter_the_wait_is_the_ceiling_or_exactly_what_the_server_asked_for() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
        let mut random = Random::new(1);

        assert_eq!(backoff.delay(2, None, &mut random), ms(1_200));
        assert_eq!(backoff.delay(2, Some(s(7)), &mut random), s(7));
        assert_eq!(backoff.delay(2, Some(Duration::ZERO), &mut random), Duration::ZERO);
    }

    #[test]
    fn thirteen_thousand_clients_told_the_same_value_do_not_come_back_in_the_same_second() {
        // Spread over half the value, up to 30 s. An even spread, and an eighth for chance.
        assert!(fullest_second(s(4)) < 13_000 / 2 * 9 / 8);
        assert!(fullest_second(s(10)) < 13_000 / 5 * 9 / 8);
        assert!(fullest_second(s(30)) < 13_000 / 15 * 9 / 8);
        assert!(fullest_second(s(60)) < 13_000 / 30 * 5 / 4);
        assert!(fullest_second(s(3_600)) < 13_000 / 30 * 5 / 4);
    }

    proptest! {
        #[test]
        fn no_wait_is_shorter_than_asked_nor_longer_than_asked_plus_the_maximum(
            base_ms in 0_u64..100_000, factor in 1.0..10.0, max_ms in 0_u64..100_000,
            retry in 0_u32..50, floor_ms in proptest::option::of(0_u64..1_000_000), seed: u64,
        ) {
            let backoff = Backoff { base: ms(base_ms), factor, max: ms(max_ms), jitter: Jitter::Full };
            let wait = backoff.delay(retry, floor_ms.map(ms), &mut Random::new(seed));

            let floor = ms(floor_ms.unwrap_or(0));
            prop_assert!(wait >= floor);
            prop_assert!(wait <= floor + backoff.max);
            prop_assert!(wait <= floor + backoff.ceiling(retry).max(floor / 2));
        }

        #[test]
        fn a_ceiling_never_falls_from_one_retry_to_the_next(base_ms in 0_u64..100_000, factor: f64, retry in 0_u32..2_000) {
            let backoff = Backoff { base: ms(base_ms), factor, ..Backoff::default() };
            prop_assert!(backoff.ceiling(retry) <= backoff.ceiling(retry + 1));
        }

        #[test]
        fn absurd_settings_give_a_wait_all_the_same(
            base: Duration, factor in proptest::num::f64::ANY, max: Duration, retry: u32, floor: Option<Duration>, seed: u64,
        ) {
            for jitter in [Jitter::Full, Jitter::None] {
                let wait = Backoff { base, factor, max, jitter }.delay(retry, floor, &mut Random::new(seed));
                prop_assert!(wait >= floor.unwrap_or_default());
            }
        }
    }
}
