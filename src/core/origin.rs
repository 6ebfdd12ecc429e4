//! What the client knows of one server: its gate, its retry budget, its breaker and those of its routes.

use super::breaker::{Admission, Breaker, BreakerState, Verdict};
use super::budget::RetryBudget;
use super::gate::Gate;
use super::random::Random;
use super::settings::Settings;
use super::time::{Duration, Timestamp};
/// Origins remembered while idle; a page talks to a handful.
const ORIGINS_MAX: usize = 32;
/// Breakers kept for each origin. An app has a few dozen routes; ids beyond the first two path segments share one.
const ROUTES_MAX: usize = 64;
/// Two routes that fail within this time are a failing server rather than two broken endpoints.
const TOGETHER: Duration = Duration::from_secs(30);

/// The origin of an absolute URL and the part of it that one breaker watches: the first two path segments.
#[must_use]
pub fn split(url: &str) -> (&str, &str) {
    let bytes = url.as_bytes();
    let end = |from: usize| {
        let stop = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
        bytes.iter().skip(from).position(stop).map_or(bytes.len(), |at| from + at)
    };
    // `https://host` and behind it the path: the first slash is that of the scheme, the next one stands beside it.
    let scheme = end(0);
    let authority = if bytes.get(scheme + 1) == Some(&b'/') { scheme + 2 } else { 0 };
    let path = end(authority);
    let mut stop = path;
    for _ in 0..2 {
        if bytes.get(stop) == Some(&b'/') {
            stop = end(stop + 1);
        }
    }
    (url.get(..path).unwrap_or(url), url.get(..stop).unwrap_or(url))
}

/// What a request met, as far as it says something about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// A response with this status.
    Status(u16),
    /// The connection broke, or was never made.
    Broken,
    /// Silence.
    Silence,
    /// Nothing that counts: aborted, or the page slept meanwhile.
    Nothing,
}

impl Met {
    /// Neither a server nor a proxy in front of a dead one: what makes a connection degraded.
    #[must_use]
    pub fn is_miss(self) -> bool {
        matches!(self, Met::Broken | Met::Silence | Met::Status(502..=504))
    }

    fn for_origin(self) -> Verdict {
        match self {
            Met::Status(status) if status < 400 => Verdict::Success,
            Met::Broken => Verdict::Failure,
            met if met.is_miss() => Verdict::Failure,
            _ => Verdict::Neither,
        }
    }

    fn for_route(self) -> Verdict {
        match self {
            Met::Status(500..) | Met::Silence => Verdict::Failure,
            Met::Status(status) if status < 400 => Verdict::Success,
            _ => Verdict::Neither,
        }
    }
}

/// The right to send one request, handed back with what it met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass {
    origin_probe: bool,
    route_probe: bool,
}

/// A breaker's state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switched {
    /// The whole origin, or only the route.
    pub whole_origin: bool,
    /// What it is now.
    pub state: BreakerState,
}

#[derive(Debug)]
struct Route {
    name: String,
    breaker: Breaker,
}

/// One server.
#[derive(Debug)]
pub struct Origin {
    name: String,
    /// What may be sent to it now.
    pub gate: Gate,
    /// What retries may still cost.
    pub budget: Option<RetryBudget>,
    /// Calls that wait outside the gate: in a backoff or for a session check.
    pub waiting: usize,
    breaker: Option<Breaker>,
    routes: Vec<Route>,
    failing: Option<(u64, Timestamp)>,
}

/// Finds a server by its name, or makes room for it.
pub(super) fn place(origins: &mut Vec<Origin>, name: &str, settings: &Settings) -> usize {
    if let Some(at) = origins.iter().position(|origin| origin.name == name) {
        return at;
    }
    let origin = Origin::new(name, settings);
    let idle = origins.iter().rposition(Origin::is_idle).filter(|_| origins.len() >= ORIGINS_MAX);
    let Some(at) = idle else {
        origins.push(origin);
        return origins.len() - 1;
    };
    // Flights refer to origins by place, so an idle one is replaced where it stands: the youngest, since the first ones
    // that a page calls are its own.
    origins[at] = origin;
    at
}

impl Origin {
    /// A server of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str, settings: &Settings) -> Origin {
        Origin {
            name: name.to_owned(),
            gate: Gate::new(&settings.gate),
            budget: settings.budget.map(|budget| RetryBudget::new(budget.capacity, budget.cost, budget.refund)),
            waiting: 0,
            breaker: settings.breaker.map(Breaker::new),
            routes: Vec::new(),
            failing: None,
        }
    }

    /// `https://host:port`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether forgetting it would lose nothing that matters.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.gate.is_idle() && self.waiting == 0
    }

    /// For how long a request would be refused now; none when it would be let through.
    #[must_use]
    pub fn refuses(&self, route: &str, now: Timestamp) -> Option<Duration> {
        let refusal = |breaker: &Breaker| match breaker.peek(now) {
            Admission::Refused { retry_after } => Some(retry_after),
            _ => None,
        };
        let origin = self.breaker.as_ref().and_then(refusal);
        origin.max(self.routes.iter().find(|known| known.name == route).and_then(|known| refusal(&known.breaker)))
    }

    /// Whether background work may go now, where it `may` at all. While the breaker is open it waits, and does not fail:
    /// what was held back through an outage is not to end with it.
    #[must_use]
    pub fn background(&self, may: bool, now: Timestamp) -> bool {
        let open = |breaker: &Breaker| matches!(breaker.peek(now), Admission::Refused { .. });
        may && !self.breaker.as_ref().is_some_and(open)
    }

    /// As [`Gate::next`].
    pub fn next(&mut self, now: Timestamp, background: bool) -> Option<u32> {
        let background = self.background(background, now);
        self.gate.next(now, background)
    }

    /// As [`Gate::next_wake`].
    #[must_use]
    pub fn next_wake(&self, now: Timestamp, background: bool) -> Option<Timestamp> {
        self.gate.next_wake(now, self.background(background, now))
    }

    /// Asks both breakers; both must agree.
    pub fn admit(&mut self, route: &str, now: Timestamp, settings: &Settings) -> Result<Pass, Duration> {
        let mut pass = Pass::default();
        let Some(breaker) = &mut self.breaker else { return Ok(pass) };
        match breaker.admit(now) {
            Admission::Refused { retry_after } => return Err(retry_after),
            Admission::Probe => pass.origin_probe = true,
            Admission::Pass => {}
        }
        match self.route(route, settings).map(|route| route.admit(now)) {
            Some(Admission::Refused { retry_after }) => {
                if let (true, Some(breaker)) = (pass.origin_probe, &mut self.breaker) {
                    breaker.abandon_probe();
                }
                return Err(retry_after);
            }
            Some(Admission::Probe) => pass.route_probe = true,
            _ => {}
        }
        Ok(pass)
    }

    /// A request ended. Network errors count for the origin; timeouts and 5xx for the route; timeouts, 502, 503 and 504
    /// for the origin too once they come from two routes, so that one broken endpoint does not close the app.
    pub fn record(
        &mut self,
        route: &str,
        pass: Pass,
        met: Met,
        now: Timestamp,
        random: &mut Random,
    ) -> [Option<Switched>; 2] {
        let mut verdict = met.for_origin();
        if verdict == Verdict::Failure && met != Met::Broken && !pass.origin_probe && !self.fails_together(route, now) {
            verdict = Verdict::Neither;
        }
        let mut origin = None;
        if let Some(breaker) = &mut self.breaker {
            origin = settle(breaker, pass.origin_probe, (met != Met::Nothing).then_some(verdict), now, random);
        }
        let known = self.routes.iter_mut().find(|known| known.name == route);
        let route = known.and_then(|known| {
            // A connection that broke is no answer of the route's, which is what would close its breaker.
            let verdict = (!matches!(met, Met::Nothing | Met::Broken)).then_some(met.for_route());
            settle(&mut known.breaker, pass.route_probe, verdict, now, random)
        });
        let switched = |whole_origin| move |state| Switched { whole_origin, state };
        [origin.map(switched(true)), route.map(switched(false))]
    }

    fn fails_together(&mut self, route: &str, now: Timestamp) -> bool {
        let route = route
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let before = self.failing.replace((route, now));
        before.is_some_and(|(other, at)| other != route && now.since(at) <= TOGETHER)
    }

    fn route(&mut self, name: &str, settings: &Settings) -> Option<&mut Breaker> {
        let at = self.routes.iter().position(|known| known.name == name).unwrap_or_else(|| {
            if self.routes.len() >= ROUTES_MAX {
                self.routes.remove(0);
            }
            self.routes.len()
        });
        if at == self.routes.len() {
            self.routes.push(Route { name: name.to_owned(), breaker: Breaker::new(settings.breaker?) });
        }
        Some(&mut self.routes[at].breaker)
    }
}

fn settle(
    breaker: &mut Breaker,
    probe: bool,
    verdict: Option<Verdict>,
    now: Timestamp,
    random: &mut Random,
) -> Option<BreakerState> {
    let before = breaker.state(now);
    match verdict {
        Some(verdict) => breaker.record(now, verdict, probe, random),
        None if probe => breaker.abandon_probe(),
        None => {}
    }
    let after = breaker.state(now);
    (before != after).then_some(after)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::split;

    #[test]
    fn a_route_is_the_origin_and_two_path_segments() {
        for (url, origin, route) in [
            ("https://a.example/api/meals/7?x=/y", "https://a.example", "https://a.example/api/meals"),
            ("https://a.example/api", "https://a.example", "https://a.example/api"),
            ("https://a.example", "https://a.example", "https://a.example"),
            ("http://127.0.0.1:8080/?q=1", "http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("http://[::1]:80/a#/b/c", "http://[::1]:80", "http://[::1]:80/a"),
            ("data:text/plain,hi/there/you", "data:text", "data:text/plain,hi/there"),
            ("", "", ""),
        ] {
            assert_eq!(split(url), (origin, route), "{url}");
        }
    }
}
