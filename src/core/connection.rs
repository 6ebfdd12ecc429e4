//! One connection state for the whole app, and the probe that finds out when a server is back.

use super::random::Random;
use super::time::{Duration, Timestamp};

/// Probes back off to this: an outage of an hour costs each page a dozen requests.
const PROBE_MAX: Duration = Duration::from_secs(300);

/// When the connection counts as degraded, and how often it is probed then.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionSettings {
    /// Failures in a row. Default 2.
    pub degraded_after: u32,
    /// Before the first probe; doubling up to 5 min, each drawn from between half of it and all. Default 10 s.
    pub probe: Duration,
}

/// What the app is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// The last thing heard was an answer, or nothing has failed yet.
    Online,
    /// Several requests in a row found no server, or one that cannot work.
    Degraded,
    /// The browser says that there is no network. A hint: an answer disproves it.
    Offline,
}

/// Follows what requests meet and what the browser says.
#[derive(Debug)]
pub struct Connection {
    settings: ConnectionSettings,
    status: ConnectionStatus,
    since: Timestamp,
    failures: u32,
    wait: Duration,
    probe_at: Timestamp,
}

impl Connection {
    /// Starts with what the browser says.
    #[must_use]
    pub fn new(settings: ConnectionSettings, now: Timestamp, online: bool) -> Connection {
        let status = if online { ConnectionStatus::Online } else { ConnectionStatus::Offline };
        Connection { settings, status, since: now, failures: 0, wait: settings.probe, probe_at: now }
    }

    /// What the app is told.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.status
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// A server answered with anything but 502, 503 or 504.
    pub fn reached(&mut self, now: Timestamp) {
        self.failures = 0;
        self.turn(now, ConnectionStatus::Online);
    }

    /// A network error, a timeout, 502, 503 or 504.
    pub fn missed(&mut self, now: Timestamp, random: &mut Random) {
        self.failures = self.failures.saturating_add(1);
        if self.status == ConnectionStatus::Online && self.failures >= self.settings.degraded_after {
            self.turn(now, ConnectionStatus::Degraded);
            self.wait = self.settings.probe;
            self.plan(now, random);
        }
    }

    /// The browser's `online` and `offline` events.
    pub fn network(&mut self, now: Timestamp, online: bool) {
        if !online {
            self.turn(now, ConnectionStatus::Offline);
        } else if self.status == ConnectionStatus::Offline {
            self.reached(now);
        }
    }

    /// Whether a probe should go now; plans the next one when so.
    pub fn take_probe(&mut self, now: Timestamp, random: &mut Random) -> bool {
        let due = self.next_probe().is_some_and(|at| at <= now);
        if due {
            self.wait = self.wait.saturating_mul(2).min(PROBE_MAX.max(self.settings.probe));
            self.plan(now, random);
        }
        due
    }

    /// When the next probe is due.
    #[must_use]
    pub fn next_probe(&self) -> Option<Timestamp> {
        (self.status == ConnectionStatus::Degraded).then_some(self.probe_at)
    }

    fn plan(&mut self, now: Timestamp, random: &mut Random) {
        let half = self.wait / 2;
        self.probe_at = now + half + random.up_to(half);
    }

    fn turn(&mut self, now: Timestamp, status: ConnectionStatus) {
        if self.status != status {
            self.status = status;
            self.since = now;
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use ConnectionStatus::{Degraded, Offline, Online};

    const START: Timestamp = Timestamp(5_000);
    const SETTINGS: ConnectionSettings = ConnectionSettings { degraded_after: 2, probe: Duration::from_secs(10) };

    #[test]
    fn one_failure_is_bad_luck_and_two_are_a_degraded_connection() {
        let (mut connection, mut random) = (Connection::new(SETTINGS, START, true), Random::new(1));
        connection.missed(START, &mut random);
        assert_eq!(connection.status(), Online);
        connection.missed(START + Duration::from_secs(1), &mut random);
        assert_eq!((connection.status(), connection.since()), (Degraded, START + Duration::from_secs(1)));
        connection.reached(START + Duration::from_secs(2));
        assert_eq!((connection.status(), connection.next_probe()), (Online, None));
    }

    #[test]
    fn an_answer_disproves_the_offline_hint() {
        let mut connection = Connection::new(SETTINGS, START, false);
        assert_eq!(connection.status(), Offline);
        connection.reached(START);
        assert_eq!(connection.status(), Online);
    }

    #[test]
    fn probes_of_an_hour_long_outage_back_off_to_five_minutes() {
        let (mut connection, mut random) = (Connection::new(SETTINGS, START, true), Random::new(3));
        connection.missed(START, &mut random);
        connection.missed(START, &mut random);
        let (mut now, mut gaps) = (START, Vec::new());
        while now.since(START) < Duration::from_secs(3_600) {
            let next = connection.next_probe().expect("degraded");
            gaps.push(next.since(now));
            now = next;
            assert!(connection.take_probe(now, &mut random));
            assert!(!connection.take_probe(now, &mut random), "one at a time");
        }
        assert!(gaps[0] <= Duration::from_secs(10) && gaps[0] >= Duration::from_secs(5));
        assert!(gaps.iter().all(|gap| *gap <= PROBE_MAX));
        assert!(gaps.len() < 30, "{} probes in an hour", gaps.len());
    }
}
