//! The options as they come from the glue, which has checked them and filled in the defaults.

use std::time::Duration;

use serde::Deserialize;

use crate::core::backoff::{Backoff, Jitter};
use crate::core::breaker::BreakerSettings;
use crate::core::connection::ConnectionSettings;
use crate::core::gate::GateSettings;
use crate::core::settings::{BudgetSettings, Settings};
use crate::core::verify::VerifySettings;

/// Numbers only, and flat: every type that serde learns to read costs each page a kilobyte. Times are in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    pub seed: f64,
    base_ms: f64,
    factor: f64,
    max_ms: f64,
    full_jitter: f64,
    retry_statuses: Vec<f64>,
    /// Negative: no budget.
    budget: f64,
    budget_cost: f64,
    budget_refund: f64,
    /// 0: no breaker.
    breaker_consecutive: f64,
    breaker_ratio: f64,
    breaker_minimum: f64,
    breaker_window_ms: f64,
    breaker_open_ms: f64,
    breaker_max_open_ms: f64,
    max_concurrent: f64,
    max_queued: f64,
    /// 0: no limit.
    per_second: f64,
    burst: f64,
    /// 0: no session endpoint.
    confirmations: f64,
    confirm_after_ms: f64,
    verify_timeout_ms: f64,
    degraded_after: f64,
    probe_ms: f64,
    can_probe: f64,
}

fn ms(value: f64) -> Duration {
    Duration::from_millis(value as u64)
}

impl From<&Options> for Settings {
    fn from(options: &Options) -> Settings {
        Settings {
            backoff: Backoff {
                base: ms(options.base_ms),
                factor: options.factor,
                max: ms(options.max_ms),
                jitter: if options.full_jitter > 0.0 { Jitter::Full } else { Jitter::None },
            },
            retry_statuses: options.retry_statuses.iter().map(|status| *status as u16).collect(),
            budget: (options.budget >= 0.0).then_some(BudgetSettings {
                capacity: options.budget,
                cost: options.budget_cost,
                refund: options.budget_refund,
            }),
            breaker: (options.breaker_consecutive > 0.0).then_some(BreakerSettings {
                consecutive: options.breaker_consecutive as u32,
                ratio: options.breaker_ratio,
                minimum: options.breaker_minimum as u32,
                window: ms(options.breaker_window_ms),
                open: ms(options.breaker_open_ms),
                max_open: ms(options.breaker_max_open_ms),
            }),
            gate: GateSettings {
                max_concurrent: options.max_concurrent as usize,
                max_queued: options.max_queued as usize,
                rate: (options.per_second > 0.0).then_some((options.per_second, options.burst)),
            },
            verify: (options.confirmations > 0.0).then_some(VerifySettings {
                confirmations: options.confirmations as u32,
                confirm_after: ms(options.confirm_after_ms),
                timeout: ms(options.verify_timeout_ms),
            }),
            connection: ConnectionSettings {
                degraded_after: options.degraded_after as u32,
                probe: ms(options.probe_ms),
            },
            can_probe: options.can_probe > 0.0,
        }
    }
}
