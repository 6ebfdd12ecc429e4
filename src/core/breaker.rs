//! A circuit breaker: while a server fails, requests fail at once here instead of slowly there.
//!
//! Closed, it counts. It opens after a run of failures, or when too large a share of the recent results failed. Open,
//! it refuses for a while; then it is half-open and lets one request through as a probe, whose outcome closes it or
//! opens it for twice as long. The terms are those of Polly and resilience4j.

use std::time::Duration;

use super::random::Random;
use super::time::{Timestamp, millis};

/// The sliding window moves in tenths: a result leaves it after nine to ten tenths of [`BreakerSettings::window`].
const BUCKETS: usize = 10;

/// When to open, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// So many failures in a row open it. Default 5.
    pub consecutive: u32,
    /// Such a share of failures in the window opens it. Default 0.5.
    pub ratio: f64,
    /// The share counts from so many results in the window. Default 10.
    pub minimum: u32,
    /// How far back the share looks. Default 30 s.
    pub window: Duration,
    /// How long it stays open at first. Default 5 s.
    pub open: Duration,
    /// What the open time doubles up to while probes fail. Default 60 s.
    pub max_open: Duration,
}

impl Default for BreakerSettings {
    fn default() -> BreakerSettings {
        BreakerSettings {
            consecutive: 5,
            ratio: 0.5,
            minimum: 10,
            window: Duration::from_secs(30),
            open: Duration::from_secs(5),
            max_open: Duration::from_secs(60),
        }
    }
}

/// What an answer says about the server's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Success,
    /// It does not: 5xx, a timeout, no connection.
    Failure,
    /// An answer that tells nothing about its health (4xx, 429). It counts for nothing, but it is an answer: it closes
    /// a half-open breaker.
    Neither,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Pass,
    /// Send it; its outcome decides. It must end in [`Breaker::record`] with `probe` set, or in
    /// [`Breaker::abandon_probe`].
    Probe,
    /// Do not send it.
    Refused {
        /// When asking again makes sense: what is left of the open time, or the first open time while a probe is out.
        retry_after: Duration,
    },
}

/// The three states of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are refused.
    Open,
    /// A probe may pass, or is out.
    HalfOpen,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { since: Timestamp, length: Duration },
    HalfOpen { probe_out: bool },
}

/// The results of one tenth of the window.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    tenth: u64,
    total: u32,
    failures: u32,
}

/// One breaker, for one origin or one route.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// How long it opens next, before jitter.
    open: Duration,
    failures_in_a_row: u32,
    buckets: [Bucket; BUCKETS],
}

impl Breaker {
    /// Starts closed.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Breaker {
        Breaker {
            settings,
            phase: Phase::Closed,
            open: settings.open.min(settings.max_open),
            failures_in_a_row: 0,
            buckets: [Bucket::default(); BUCKETS],
        }
    }

    /// Whether a request may be sent now. After [`Admission::Probe`] the probe's place is taken.
    pub fn admit(&mut self, now: Timestamp) -> Admission {
        let admission = self.peek(now);
        if admission == Admission::Probe {
            self.phase = Phase::HalfOpen { probe_out: true };
        }
        admission
    }

    /// What [`Breaker::admit`] would say, without taking the probe's place.
    #[must_use]
    pub fn peek(&self, now: Timestamp) -> Admission {
        match self.phase {
            Phase::Closed => Admission::Pass,
            Phase::HalfOpen { probe_out: true } => Admission::Refused { retry_after: self.settings.open },
            Phase::HalfOpen { probe_out: false } => Admission::Probe,
            Phase::Open { since, length } => {
                let left = length.saturating_sub(now.since(since));
                // A clock that was set back would make the wait as long as its error. One probe finds out.
                if left.is_zero() || now < since { Admission::Probe } else { Admission::Refused { retry_after: left } }
            }
        }
    }

    /// A request that was admitted came to its end. `probe`: whether it was admitted as [`Admission::Probe`].
    ///
    /// Only a failure can open a closed breaker. While it is open or half-open, requests that were sent before it opened
    /// come to their ends too: they change nothing. An open time is drawn evenly from 1 to 1.5 times its length, so that
    /// many clients do not probe together; the longest is thus 1.5 times [`BreakerSettings::max_open`].
    pub fn record(&mut self, now: Timestamp, verdict: Verdict, probe: bool, random: &mut Random) {
        match self.phase {
            Phase::Closed => self.count(now, verdict, random),
            Phase::HalfOpen { probe_out: true } if probe => {
                if verdict == Verdict::Failure {
                    self.open = self.open.saturating_mul(2).min(self.settings.max_open);
                    self.trip(now, random);
                } else {
                    *self = Breaker::new(self.settings);
                }
            }
            _ => {}
        }
    }

    /// The probe was aborted: the next request takes its place.
    pub fn abandon_probe(&mut self) {
        if let Phase::HalfOpen { probe_out } = &mut self.phase {
            *probe_out = false;
        }
    }

    /// The state now. An open breaker whose time is over is half-open.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match (self.phase, self.peek(now)) {
            (Phase::Closed, _) => BreakerState::Closed,
            (Phase::Open { .. }, Admission::Refused { .. }) => BreakerState::Open,
            _ => BreakerState::HalfOpen,
        }
    }

    fn count(&mut self, now: Timestamp, verdict: Verdict, random: &mut Random) {
        let failed = match verdict {
            Verdict::Neither => return,
            Verdict::Success => false,
            Verdict::Failure => true,
        };
        self.failures_in_a_row = if failed { self.failures_in_a_row.saturating_add(1) } else { 0 };

        let tenth_ms = (millis(self.settings.window) / BUCKETS as u64).max(1);
        let tenth = now.0 / tenth_ms;
        let (mut total, mut failures) = (0_u32, 0_u32);
        for bucket in &mut self.buckets {
            // What lies ahead was counted before the clock was set back, and is as worthless as what is too old.
            if bucket.tenth > tenth || tenth - bucket.tenth >= BUCKETS as u64 {
                *bucket = Bucket::default();
            }
            total = total.saturating_add(bucket.total);
            failures = failures.saturating_add(bucket.failures);
        }
        let bucket = &mut self.buckets[(tenth % BUCKETS as u64) as usize];
        bucket.tenth = tenth;
        bucket.total = bucket.total.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));
        total = total.saturating_add(1);
        failures = failures.saturating_add(u32::from(failed));

        let run = self.failures_in_a_row >= self.settings.consecutive;
        let share = total >= self.settings.minimum && f64::from(failures) >= self.settings.ratio * f64::from(total);
        if failed && (run || share) {
            self.trip(now, random);
        }
    }

    fn trip(&mut self, now: Timestamp, random: &mut Random) {
        self.phase = Phase::Open { since: now, length: self.open.saturating_add(random.up_to(self.open / 2)) };
    }
}
