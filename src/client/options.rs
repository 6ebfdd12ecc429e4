//! The options as they come from the glue, which has checked them and filled in the defaults.

use crate::core::time::Duration;
use serde::Deserialize;

use crate::core::backoff::{Backoff, Jitter};
use crate::core::breaker::BreakerSettings;
use crate::core::connection::ConnectionSettings;
use crate::core::gate::GateSettings;
use crate::core::session::{SessionSettings, Start};
use crate::core::settings::{BudgetSettings, Settings, UsedVersions};
use crate::core::tabs::{Member, TabsSettings};
use crate::core::time::Timestamp;
use crate::core::verify::VerifySettings;
use crate::core::version::VersionSettings;

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
            degraded_after,
            probe,
            can_probe,
            // 0: each tab works alone.
            heartbeat,
            takeover,
        ] = *self.0.first_chunk()?;
        let mut rest = &self.0[23..];
        let session = session(&mut rest)?;
        let version = version(&mut rest)?;
        let retry_statuses = rest.iter().map(|status| *status as u16).collect();
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
            session,
            version,
            connection: ConnectionSettings { degraded_after: degraded_after as u32, probe: ms(probe) },
            can_probe: can_probe > 0.0,
            tabs: (takeover > 0.0).then_some(TabsSettings { heartbeat: ms(heartbeat), takeover: ms(takeover) }),
        };
        Some((settings, seed as u64))
    }
}

/// Takes so many numbers from the front.
fn take<const N: usize>(numbers: &mut &[f64]) -> Option<[f64; N]> {
    let (taken, rest) = numbers.split_first_chunk()?;
    *numbers = rest;
    Some(*taken)
}

fn session(numbers: &mut &[f64]) -> Option<Option<(SessionSettings, Start, Option<Member>)>> {
    let [confirmations, confirm_after, timeout] = take(numbers)?;
    // 0: no session endpoint.
    if confirmations <= 0.0 {
        return Some(None);
    }
    let [active, idle, idle_after, stop_after_idle, lived, user, expires, member] = take(numbers)?;
    let verify =
        VerifySettings { confirmations: confirmations as u32, confirm_after: ms(confirm_after), timeout: ms(timeout) };
    let settings = SessionSettings {
        active: ms(active),
        idle: ms(idle),
        idle_after: ms(idle_after),
        // Negative: never.
        stop_after_idle: (stop_after_idle >= 0.0).then(|| ms(stop_after_idle)),
        verify,
    };
    let start = Start {
        lived: lived > 0.0,
        user: (user >= 0.0).then_some(user as u32),
        expires: (expires >= 0.0).then_some(Timestamp(expires as u64)),
    };
    Some(Some((settings, start, (member > 0.0).then_some(member as u32))))
}

fn version(numbers: &mut &[f64]) -> Option<Option<(VersionSettings, Option<UsedVersions>)>> {
    // 0: it does not keep up.
    let [on] = take(numbers)?;
    if on <= 0.0 {
        return Some(None);
    }
    let [endpoint, poll, idle, spread, loop_guard, flush_timeout, used] = take(numbers)?;
    let settings = VersionSettings {
        endpoint: endpoint > 0.0,
        // Negative: never.
        poll: (poll >= 0.0).then(|| ms(poll)),
        idle: ms(idle),
        spread: ms(spread),
        loop_guard: ms(loop_guard),
        flush_timeout: ms(flush_timeout),
    };
    // Negative: the storage that would tell does not work.
    if used < 0.0 {
        return Some(Some((settings, None)));
    }
    let mut versions = Vec::new();
    for _ in 0..used as usize {
        let [version, at] = take(numbers)?;
        versions.push((version as u32, Timestamp(at as u64)));
    }
    Some(Some((settings, Some(versions))))
}
