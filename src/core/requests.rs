//! The life of every request: queue, attempt, wait, attempt, answer.
//!
//! From the outside in, a call meets its deadline, the single flight, the gate (queue, concurrency, rate), the breaker,
//! and in each attempt the timeout; between attempts the retry budget and the backoff.

use super::breaker::BreakerState;
use super::clock::Clock;
pub use super::flight::{Answer, Body};
use super::flight::{Call, CallId, Caller, Flight, State};
use super::gate::Priority;
use super::kind::{End, Kind};
use super::origin::{Met, Origin, Pass, place, split};
use super::output::{Attempt, Output, Settled};
use super::queue::Queue;
use super::random::Random;
use super::settings::Settings;
use super::time::{Duration, Timestamp, earliest};
use super::verify::Verified;

/// Calls of one origin that wait outside of its queue: for a retry, or for word of the session.
const WAITING_MAX: usize = 512;
/// Callers of one flight. More is a loop gone wild.
const CALLERS_MAX: usize = 4_096;
/// Somebody who waits through retries for as long is told.
const RETRYING_AFTER: Duration = Duration::from_secs(3);
/// While requests run the host calls at least so often, so that a sleep is noticed to the second.
const TICK: Duration = Duration::from_secs(1);

/// What happens around all requests.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The browser says that there is no network.
    pub offline: bool,
    /// Background work may go.
    pub background: bool,
    /// A 401 can be verified.
    pub session: bool,
}

/// What the requests have to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestsOutput {
    /// For the host to do.
    Host(Output),
    /// A trusted origin was met, or missed.
    Met(Met),
    /// Ask whether somebody is still signed in.
    Verify,
}

/// The surroundings of one step, borrowed from the hub.
pub struct Step<'a> {
    /// Both timelines.
    pub clock: &'a Clock,
    /// The numbers.
    pub settings: &'a Settings,
    /// The dice.
    pub random: &'a mut Random,
    /// What happens around.
    pub weather: Weather,
}

#[derive(Debug, Default)]
struct Outputs(Queue<RequestsOutput>);

impl Outputs {
    fn host(&mut self, output: Output) {
        self.0.push_back(RequestsOutput::Host(output));
    }
}

/// All requests of one client.
#[derive(Debug, Default)]
pub struct Requests {
    flights: Vec<Flight>,
    origins: Vec<Origin>,
    /// A breaker opened: what is queued behind it need not wait for its turn.
    tripped: bool,
    outputs: Outputs,
}

impl Requests {
    /// A new call: it joins an equal one, is refused, or queues.
    pub fn call(&mut self, call: Call, step: &mut Step) {
        let deadline = step.clock.awake() + call.deadline;
        if let Some(at) = self.flights.iter().position(|flight| call.share.is_some() && flight.share == call.share) {
            // To one of them HTML may be what was asked for; the others are told by the host.
            self.flights[at].traits.wants_data &= call.traits.wants_data;
            return self.join(at, call.id, call.priority, deadline, step);
        }
        let origin = place(&mut self.origins, split(&call.url).0, step.settings);
        self.flights.push(Flight::new(call, origin, deadline));
        let at = self.flights.len() - 1;
        self.origins[origin].waiting += 1;
        self.enqueue(at, step);
    }

    /// The caller does not want it any more.
    pub fn abort(&mut self, call: CallId, step: &mut Step) {
        let found = self.flights.iter().enumerate().find_map(|(at, flight)| {
            flight.callers.iter().position(|caller| caller.id == call).map(|caller| (at, caller))
        });
        if let Some((at, caller)) = found {
            self.leave(at, caller, Kind::Aborted, step);
        }
    }

    /// All requests to trusted origins end, or simply all: another user signed in, or the client is disposed of.
    pub fn abort_all(&mut self, only_trusted: bool, step: &mut Step) {
        for at in (0..self.flights.len()).rev() {
            if self.flights[at].traits.trusted || !only_trusted {
                self.finish(at, End::Kind(Kind::Aborted), None, step);
            }
        }
    }

    /// The session is over: nothing is sent again as whoever signs in next, or shared with them. What is out may be answered.
    pub fn session_ended(&mut self, step: &mut Step) {
        for at in (0..self.flights.len()).rev() {
            let flight = &mut self.flights[at];
            if flight.traits.trusted {
                (flight.retries, flight.share, flight.stale) = (flight.retried, None, true);
                if matches!(flight.state, State::Queued | State::Backoff { .. }) {
                    let (end, wait) = (flight.last.unwrap_or(End::Kind(Kind::Aborted)), flight.retry_after);
                    self.finish(at, end, wait, step);
                }
            }
        }
    }

    /// The headers are here.
    pub fn answered(&mut self, attempt: Attempt, answer: Answer, step: &mut Step) {
        let Some(at) = self.running(attempt) else { return };
        let State::Sent { pass, .. } = self.flights[at].state else { return };
        self.met(at, pass, Met::Status(answer.status), step);
        let flight = &mut self.flights[at];
        flight.retry_after = answer.retry_after;
        let traits = flight.traits;
        // Where a page may be what was asked for, only what may be sent twice is asked for once more.
        let page_is_odd = traits.wants_data || (answer.redirected && traits.idempotent);
        let sign_in_page = answer.html && answer.status <= 399 && !traits.streams && page_is_odd;
        let verifiable = traits.trusted && step.weather.session && !flight.verified;
        let room = self.origins[flight.origin].waiting < WAITING_MAX;
        if verifiable && room && (answer.status == 401 || sign_in_page) {
            // A redirect to a sign-in page refuses as a 401 does. HTML in place of data may follow a write that was done.
            flight.refused = answer.status == 401 || answer.redirected;
            self.release(at, step);
            self.outputs.host(Output::Drain(self.flights[at].id));
            self.outputs.0.push_back(RequestsOutput::Verify);
            self.hold(at, State::Verifying);
            return;
        }
        let end = match answer.status {
            401 if flight.verified => End::Kind(Kind::Forbidden),
            401 => End::Kind(Kind::AuthUnknown),
            _ if sign_in_page && traits.wants_data => End::Kind(Kind::Parse),
            ..=399 => End::Ok,
            _ => End::Status,
        };
        if let (End::Ok, Some(budget)) = (end, &mut self.origins[self.flights[at].origin].budget) {
            budget.refund();
        }
        let worth_it = end == End::Status && step.settings.retry_statuses.contains(&answer.status);
        if worth_it && self.retry(at, end, step) {
            self.outputs.host(Output::Drain(self.flights[at].id));
        } else if traits.streams || end == End::Kind(Kind::Parse) {
            self.finish(at, end, answer.retry_after, step);
        } else {
            let flight = &mut self.flights[at];
            flight.state = State::Reading { silent_until: step.clock.awake() + flight.timeout, end };
            self.outputs.host(Output::Read(flight.attempt()));
        }
    }

    /// Some bytes of the body came.
    pub fn progressed(&mut self, attempt: Attempt, step: &mut Step) {
        let Some(at) = self.running(attempt) else { return };
        let flight = &mut self.flights[at];
        if let State::Reading { silent_until, .. } = &mut flight.state {
            *silent_until = step.clock.awake() + flight.timeout;
        }
    }

    /// The body was read, or could not be.
    pub fn read(&mut self, attempt: Attempt, body: Body, step: &mut Step) {
        let Some(at) = self.running(attempt) else { return };
        let State::Reading { end, .. } = self.flights[at].state else { return };
        match body {
            Body::Whole => self.finish(at, end, self.flights[at].retry_after, step),
            Body::TooLarge if end == End::Ok => self.finish(at, End::Kind(Kind::TooLarge), None, step),
            Body::Broken if end == End::Ok => self.failed_at(at, Kind::Network, step),
            _ => self.finish_unread(at, end, step),
        }
    }

    /// No response came.
    pub fn failed(&mut self, attempt: Attempt, step: &mut Step) {
        if let Some(at) = self.running(attempt) {
            self.failed_at(at, Kind::Network, step);
        }
    }

    /// It could not be sent as it is, or a hook threw: another attempt would meet the same.
    pub fn unsendable(&mut self, attempt: Attempt, step: &mut Step) {
        if let Some(at) = self.running(attempt) {
            self.finish(at, End::Kind(Kind::Invalid), None, step);
        }
    }

    /// The session was asked. The flights that waited for it go on or end.
    pub fn verified(&mut self, verified: Verified, step: &mut Step) {
        let waits = |flight: &&Flight| matches!(flight.state, State::Verifying);
        let waiting: Vec<CallId> = self.flights.iter().filter(waits).map(|flight| flight.id).collect();
        for id in waiting {
            let at = self.find(id);
            let flight = &mut self.flights[at];
            let end = match verified {
                Verified::SignedIn(_) if flight.stale => Kind::Unauthenticated,
                Verified::SignedIn(_) if !(flight.refused || flight.traits.idempotent) => Kind::Parse,
                Verified::SignedIn(_) if flight.traits.replayable => {
                    flight.verified = true;
                    self.enqueue(at, step);
                    continue;
                }
                Verified::SignedOut => Kind::Unauthenticated,
                _ => Kind::AuthUnknown,
            };
            self.finish(at, End::Kind(end), None, step);
        }
    }

    /// The page slept: what runs now says nothing about the server.
    pub fn slept(&mut self) {
        for flight in &mut self.flights {
            flight.slept = true;
        }
    }

    /// Time passed, or the weather changed: ends what is overdue and sends what may go.
    pub fn wake(&mut self, step: &mut Step) {
        let (now, awake) = (step.clock.now(), step.clock.awake());
        let mut at = 0;
        while at < self.flights.len() {
            let id = self.flights[at].id;
            self.expire(at, awake, step);
            if self.flights.get(at).is_none_or(|flight| flight.id != id) {
                continue;
            }
            match self.flights[at].state {
                State::Backoff { until } if until <= now => self.enqueue(at, step),
                State::Sent { silent_until, .. } if silent_until <= awake => self.failed_at(at, Kind::Timeout, step),
                State::Reading { silent_until, end } if silent_until <= awake => match end {
                    End::Ok => self.failed_at(at, Kind::Timeout, step),
                    _ => self.finish_unread(at, end, step),
                },
                _ => {}
            }
            if self.flights.get(at).is_some_and(|flight| flight.id == id) {
                self.tell_retrying(at, now);
                at += 1;
            }
        }
        if std::mem::take(&mut self.tripped) {
            for at in (0..self.flights.len()).rev() {
                if matches!(self.flights[at].state, State::Queued) {
                    self.refuse_early(at, step);
                }
            }
        }
        for origin in 0..self.origins.len() {
            while let Some(ticket) = self.origins[origin].next(now, step.weather.background) {
                self.send(ticket, step);
            }
        }
    }

    /// Whether a background call could go now and tell whether its server is back.
    #[must_use]
    pub fn can_probe(&self, now: Timestamp) -> bool {
        self.probing_origin(now).is_some()
    }

    /// Lets one background call through, where no other probe can tell whether the server is back.
    pub fn send_one_background(&mut self, step: &mut Step) {
        let now = step.clock.now();
        let ticket = self.probing_origin(now).and_then(|origin| self.origins[origin].gate.next_background(now));
        if let Some(ticket) = ticket {
            self.send(ticket, step);
        }
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<RequestsOutput> {
        self.outputs.0.pop_front()
    }

    /// Whether something is on its way that changes something at the server, waits included.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.flights.iter().any(|flight| flight.traits.writes)
    }

    /// Calls that wait for a slot.
    #[must_use]
    pub fn queued(&self) -> usize {
        let waiting = self.flights.iter().filter(|flight| matches!(flight.state, State::Queued));
        waiting.map(|flight| flight.callers.len()).sum()
    }

    /// When to come back, on the wall.
    #[must_use]
    pub fn next_wake(&self, clock: &Clock, weather: Weather) -> Option<Timestamp> {
        let flights = self.flights.iter().filter_map(|flight| {
            let state = match flight.state {
                State::Sent { silent_until, .. } | State::Reading { silent_until, .. } => {
                    Some(clock.on_wall(silent_until))
                }
                State::Backoff { until } => Some(until),
                State::Queued | State::Verifying | State::Parked => None,
            };
            let told = flight.retrying_since.filter(|_| !flight.told_retrying).map(|since| since + RETRYING_AFTER);
            let deadline = flight.deadline().map(|deadline| clock.on_wall(deadline));
            earliest(&[state, told, deadline, Some(clock.now() + TICK)])
        });
        let origins = self.origins.iter().filter_map(|origin| origin.next_wake(clock.now(), weather.background));
        flights.chain(origins).min()
    }

    fn join(&mut self, at: usize, id: CallId, priority: Priority, deadline: Timestamp, step: &Step) {
        let caller = Caller { id, deadline, shared: true };
        let flight = &mut self.flights[at];
        let refused = match flight.state {
            _ if flight.callers.len() >= CALLERS_MAX => Some(End::Kind(Kind::QueueFull)),
            State::Backoff { until } if step.clock.awake() + until.since(step.clock.now()) >= deadline => flight.last,
            _ => None,
        };
        if let Some(end) = refused {
            let retry_after = flight.retry_after;
            return self.settle(at, &caller, end, retry_after);
        }
        flight.callers.push(caller);
        if priority < flight.priority {
            flight.priority = priority;
            self.origins[flight.origin].gate.raise(flight.id, priority);
        }
    }

    fn running(&self, attempt: Attempt) -> Option<usize> {
        self.flights.iter().position(|flight| flight.attempt() == attempt && flight.holds_slot())
    }

    fn find(&self, id: CallId) -> usize {
        self.flights.iter().position(|flight| flight.id == id).expect("what waits has a flight")
    }

    /// Ends a flight that the breaker refuses, unless it may wait: its turn would bring it nothing.
    fn refuse_early(&mut self, at: usize, step: &mut Step) -> bool {
        let (now, flight) = (step.clock.now(), &self.flights[at]);
        let goes = flight.priority != Priority::Background
            || self.origins[flight.origin].background(step.weather.background, now);
        let refusal = self.refusal(at, now).filter(|_| goes);
        refusal.map(|wait| self.refuse(at, wait, step)).is_some()
    }

    fn enqueue(&mut self, at: usize, step: &mut Step) {
        if self.refuse_early(at, step) {
            return;
        }
        self.release(at, step);
        let flight = &mut self.flights[at];
        flight.state = State::Queued;
        let dropped = self.origins[flight.origin].gate.enqueue(flight.id, flight.priority);
        if let Some(at) = dropped.and_then(|id| self.flights.iter().position(|flight| flight.id == id)) {
            let end = self.flights[at].last.unwrap_or(End::Kind(Kind::QueueFull));
            self.finish(at, end, self.flights[at].retry_after, step);
        }
    }

    fn send(&mut self, ticket: CallId, step: &mut Step) {
        let at = self.find(ticket);
        let flight = &mut self.flights[at];
        let origin = &mut self.origins[flight.origin];
        let mut pass = Pass::default();
        if flight.traits.trusted {
            match origin.admit(&flight.route, step.clock.now(), step.settings) {
                Ok(admitted) => pass = admitted,
                Err(wait) => {
                    origin.gate.release();
                    return self.refuse(at, wait, step);
                }
            }
        }
        flight.attempts += 1;
        flight.slept = false;
        flight.state = State::Sent { silent_until: step.clock.awake() + flight.timeout, pass };
        self.outputs.host(Output::Send(flight.attempt()));
    }

    /// For how long the breakers would refuse a flight now.
    fn refusal(&self, at: usize, now: Timestamp) -> Option<Duration> {
        let flight = &self.flights[at];
        self.origins[flight.origin].refuses(&flight.route, now).filter(|_| flight.traits.trusted)
    }

    /// The breaker is open: a call that was retrying ends with its last real error.
    fn refuse(&mut self, at: usize, wait: Duration, step: &mut Step) {
        let flight = &self.flights[at];
        let (end, wait) = match flight.last {
            Some(last) => (last, flight.retry_after),
            None => (End::Kind(Kind::CircuitOpen), Some(wait)),
        };
        self.finish(at, end, wait, step);
    }

    /// Where a background call waits that could go now and say something about its server.
    fn probing_origin(&self, now: Timestamp) -> Option<usize> {
        let probes = |&at: &usize| {
            let flight = &self.flights[at];
            matches!(flight.state, State::Queued)
                && flight.priority == Priority::Background
                && flight.traits.trusted
                && self.refusal(at, now).is_none()
                && self.origins[flight.origin].gate.next_wake(now, true).is_some_and(|ready| ready <= now)
        };
        (0..self.flights.len()).find(probes).map(|at| self.flights[at].origin)
    }

    fn failed_at(&mut self, at: usize, kind: Kind, step: &mut Step) {
        let flight = &mut self.flights[at];
        flight.retry_after = None;
        let pass = match flight.state {
            State::Sent { pass, .. } => pass,
            _ => Pass::default(),
        };
        let id = flight.id;
        let met = if kind == Kind::Timeout { Met::Silence } else { Met::Broken };
        self.met(at, pass, met, step);
        if kind == Kind::Timeout {
            self.outputs.host(Output::Cancel(id));
        }
        if step.weather.offline {
            self.finish(at, End::Kind(Kind::Offline), None, step);
        } else if !self.retry(at, End::Kind(kind), step) {
            self.finish(at, End::Kind(kind), None, step);
        }
    }

    /// Hands the pass back with what was met, and tells the hub.
    fn met(&mut self, at: usize, pass: Pass, met: Met, step: &mut Step) {
        let flight = &mut self.flights[at];
        if let State::Sent { pass, .. } = &mut flight.state {
            *pass = Pass::default();
        }
        if !flight.traits.trusted {
            return;
        }
        let met = if flight.slept { Met::Nothing } else { met };
        let origin = &mut self.origins[flight.origin];
        for switched in origin.record(&flight.route, pass, met, step.clock.now(), step.random).into_iter().flatten() {
            self.tripped |= switched.state == BreakerState::Open;
            self.outputs.host(Output::Breaker(flight.id, switched));
        }
        if met != Met::Nothing {
            self.outputs.0.push_back(RequestsOutput::Met(met));
        }
    }

    /// Plans another attempt, if there may be one and it fits. Callers whose deadline is nearer end at once.
    fn retry(&mut self, at: usize, end: End, step: &mut Step) -> bool {
        let (now, awake) = (step.clock.now(), step.clock.awake());
        let refused = self.refusal(at, now);
        let flight = &mut self.flights[at];
        let origin = &mut self.origins[flight.origin];
        let may = flight.traits.idempotent && flight.traits.replayable && flight.retried < flight.retries;
        if !may || step.weather.offline || origin.waiting >= WAITING_MAX {
            return false;
        }
        let wait = step.settings.backoff.delay(flight.retried, flight.retry_after, step.random);
        let fits = |deadline: Timestamp| awake + wait < deadline;
        if !flight.last_deadline().is_some_and(fits) {
            return false;
        }
        if refused.is_some_and(|open| open > wait) {
            return false;
        }
        if origin.budget.as_mut().is_some_and(|budget| !budget.try_spend()) {
            return false;
        }
        flight.retried += 1;
        flight.last = Some(end);
        flight.retrying_since.get_or_insert(now);
        let id = flight.id;
        self.release(at, step);
        self.hold(at, State::Backoff { until: now + wait });
        self.outputs.host(Output::Retry(id, wait));
        let flight = &self.flights[at];
        for caller in (0..flight.callers.len()).rev() {
            if !fits(self.flights[at].callers[caller].deadline) {
                let gone = self.flights[at].callers.remove(caller);
                self.settle(at, &gone, end, self.flights[at].retry_after);
            }
        }
        true
    }

    fn tell_retrying(&mut self, at: usize, now: Timestamp) {
        let flight = &mut self.flights[at];
        let long = flight.retrying_since.is_some_and(|since| now.since(since) >= RETRYING_AFTER);
        if long && !flight.told_retrying {
            flight.told_retrying = true;
            self.outputs.host(Output::Retrying(flight.id));
        }
    }

    /// Ends the callers whose own time has run out.
    fn expire(&mut self, at: usize, awake: Timestamp, step: &mut Step) {
        let id = self.flights[at].id;
        while let Some(flight) = self.flights.get(at).filter(|flight| flight.id == id) {
            let Some(caller) = flight.callers.iter().position(|caller| caller.deadline <= awake) else { return };
            self.leave(at, caller, Kind::Timeout, step);
        }
    }

    /// One caller goes; the last one takes the request along.
    fn leave(&mut self, at: usize, caller: usize, kind: Kind, step: &mut Step) {
        if self.flights[at].callers.len() == 1 {
            return self.finish(at, End::Kind(kind), None, step);
        }
        let caller = self.flights[at].callers.remove(caller);
        self.settle(at, &caller, End::Kind(kind), None);
    }

    /// The flight is over for all.
    fn finish(&mut self, at: usize, end: End, retry_after: Option<Duration>, step: &mut Step) {
        let flight = &self.flights[at];
        // A response that was handed on is the caller's now; any other request that still runs is ended.
        let handed_on = flight.traits.streams
            && matches!(end, End::Ok | End::Status | End::Kind(Kind::AuthUnknown | Kind::Forbidden));
        let whole = matches!(flight.state, State::Reading { end: reading, .. } if reading == end);
        if flight.holds_slot() && !handed_on && !whole {
            self.outputs.host(Output::Cancel(flight.id));
        }
        self.release(at, step);
        self.hold(at, State::Parked);
        self.settle_all(at, end, retry_after);
    }

    /// The status says enough, and the rest of the body is not waited for.
    fn finish_unread(&mut self, at: usize, end: End, step: &mut Step) {
        self.outputs.host(Output::Cancel(self.flights[at].id));
        self.finish(at, end, self.flights[at].retry_after, step);
    }

    /// Settles every caller of a flight that waits, and forgets the flight.
    fn settle_all(&mut self, at: usize, end: End, retry_after: Option<Duration>) {
        let callers = std::mem::take(&mut self.flights[at].callers);
        callers.iter().for_each(|caller| self.settle(at, caller, end, retry_after));
        let flight = self.flights.remove(at);
        self.origins[flight.origin].waiting -= 1;
        self.outputs.host(Output::Done(flight.id));
    }

    fn settle(&mut self, at: usize, caller: &Caller, end: End, retry_after: Option<Duration>) {
        let flight = &self.flights[at];
        self.outputs.host(Output::Settle(Settled {
            call: caller.id,
            flight: flight.id,
            end,
            attempts: flight.attempts,
            retry_after,
            shared: caller.shared,
        }));
    }

    /// Gives back what the present state holds: a slot and a pass, a place in the queue, or a place among the waiting.
    fn release(&mut self, at: usize, step: &mut Step) {
        let flight = &mut self.flights[at];
        let origin = &mut self.origins[flight.origin];
        match flight.state {
            State::Sent { pass, .. } => {
                origin.gate.release();
                // What was met was recorded before; a probe that was aborted frees its place.
                let _ = origin.record(&flight.route, pass, Met::Nothing, step.clock.now(), step.random);
            }
            State::Reading { .. } => origin.gate.release(),
            State::Queued => {
                origin.gate.cancel(flight.id);
            }
            State::Backoff { .. } | State::Verifying | State::Parked => origin.waiting -= 1,
        }
    }

    /// Enters a state that waits outside the gate.
    fn hold(&mut self, at: usize, state: State) {
        let flight = &mut self.flights[at];
        flight.state = state;
        self.origins[flight.origin].waiting += 1;
    }
}
