//! The options as they come from the glue, which has checked them and filled in the defaults.

use crate::core::time::Duration;
use serde::Deserialize;

use crate::core::backoff::{Backoff, Jitter};
use crate::core::breaker::BreakerSettings;
use crate::core::connection::ConnectionSettings;
use crate::core::gate::GateSettings;
use crate::core::settings::{BudgetSettings, Settings};
use crate::core::tabs::TabsSettings;
use crate::core::verify::VerifySettings;

/// Numbers only, in the order in which they are taken apart below: a struct of named fields would cost every page
/// three more kilobytes to read. Times are in milliseconds.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Options(Vec<f64>);

fn ms(value: f64) -> Duration {
    Duration::from_millis(value as u64)
}

impl Options {
    /// The settings, and the seed of the dice. None when the glue and this module are not of one build.
    pub(super) fn settings(&self) -> Option<(Settings, u64)> {
        let [
            seed,
            base,
            factor,
            max,
            full_jitter,
            // A negative capacity: no budget.
            capacity,
            cost,
            refund,
            // 0: no breaker.
            consecutive,
            ratio,
            minimum,
            window,
            open,
            max_open,
            max_concurrent,
            max_queued,
            // 0: no limit.
            per_second,
            burst,
            // 0: no session endpoint.
            confirmations,
            confirm_after,
            verify_timeout,
            degraded_after,
            probe,
            can_probe,
            // 0: each tab works alone.
            heartbeat,
            takeover,
        ] = *self.0.first_chunk()?;
        let retry_statuses = self.0[26..].iter().map(|status| *status as u16).collect();
        let jitter = if full_jitter > 0.0 { Jitter::Full } else { Jitter::None };
        let settings = Settings {
            backoff: Backoff { base: ms(base), factor, max: ms(max), jitter },
            retry_statuses,
            budget: (capacity >= 0.0).then_some(BudgetSettings { capacity, cost, refund }),
            breaker: (consecutive > 0.0).then_some(BreakerSettings {
                consecutive: consecutive as u32,
                ratio,
                minimum: minimum as u32,
                window: ms(window),
                open: ms(open),
                max_open: ms(max_open),
            }),
            gate: GateSettings {
                max_concurrent: max_concurrent as usize,
                max_queued: max_queued as usize,
                rate: (per_second > 0.0).then_some((per_second, burst)),
            },
            verify: (confirmations > 0.0).then_some(VerifySettings {
                confirmations: confirmations as u32,
                confirm_after: ms(confirm_after),
                timeout: ms(verify_timeout),
            }),
            connection: ConnectionSettings { degraded_after: degraded_after as u32, probe: ms(probe) },
            can_probe: can_probe > 0.0,
            tabs: (takeover > 0.0).then_some(TabsSettings { heartbeat: ms(heartbeat), takeover: ms(takeover) }),
        };
        Some((settings, seed as u64))
    }
}
