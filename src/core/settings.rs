//! All numbers that steer the core, in one place and in the core's own units.

use super::backoff::Backoff;
use super::breaker::BreakerSettings;
use super::connection::ConnectionSettings;
use super::gate::GateSettings;
use super::session::{SessionSettings, Start};
use super::tabs::{Member, TabsSettings};
use super::time::Timestamp;
use super::version::{VersionId, VersionSettings};

/// What the hub is built from. The host has checked every value.
#[derive(Debug)]
pub struct Settings {
    /// The waits between the attempts of one call.
    pub backoff: Backoff,
    /// Statuses that are worth another attempt.
    pub retry_statuses: Vec<u16>,
    /// Of each origin; none: retries are not rationed.
    pub budget: Option<BudgetSettings>,
    /// Of each origin and each route; none: nothing trips.
    pub breaker: Option<BreakerSettings>,
    /// Of each origin.
    pub gate: GateSettings,
    /// How it is kept alive, how it begins, and this tab's number among those that share it, if any do. None: there is
    /// no session endpoint, and a 401 cannot be verified.
    pub session: Option<(SessionSettings, Start, Option<Member>)>,
    /// How the page keeps up, and the versions that this tab used, and when; none of them: the storage that would tell
    /// does not work. None: it does not.
    pub version: Option<(VersionSettings, Option<UsedVersions>)>,
    /// When the connection counts as degraded, and how it is probed.
    pub connection: ConnectionSettings,
    /// Whether there is an endpoint that a probe can ask.
    pub can_probe: bool,
    /// How tabs notice each other; none: each works alone.
    pub tabs: Option<TabsSettings>,
}

/// Versions that a tab ran or was reloaded for, and when.
pub type UsedVersions = Vec<(VersionId, Timestamp)>;

/// A retry budget's numbers, in tokens.
#[derive(Clone, Copy, Debug)]
pub struct BudgetSettings {
    /// Held at the start and at most. Default 30.
    pub capacity: f64,
    /// Taken by each retry. Default 1.
    pub cost: f64,
    /// Given back by each success. Default 0.2.
    pub refund: f64,
}
