//! What must be true in every story.
//!
//! - Every call settles once, on the flight that it joined, and every flight is forgotten once.
//! - Nothing is sent, read or announced for a flight whose callers are gone, nor after the client was disposed of.
//! - A flight is sent at most `retries + 2` times, one attempt at a time, counted without a gap.
//! - An origin never has more requests under way than it may.
//! - While somebody waits, the host is told when to come back.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::core::flight::{Call, CallId};
use evenkeel::core::hub::Input;
use evenkeel::core::output::{Attempt, Output};

#[derive(Debug, Default)]
pub struct Watch {
    flights: BTreeMap<CallId, Seen>,
    calls: usize,
    settled: usize,
    max_concurrent: usize,
    disposed: bool,
}

#[derive(Debug)]
struct Seen {
    origin: String,
    share: Option<String>,
    callers: BTreeSet<CallId>,
    retries: u32,
    sends: u32,
    unsent: u32,
    running: bool,
}

impl Watch {
    pub fn new(max_concurrent: usize) -> Watch {
        Watch { max_concurrent, ..Watch::default() }
    }

    /// Calls that have not ended.
    pub fn waiting(&self) -> usize {
        self.calls - self.settled
    }

    pub fn callers(&self) -> Vec<CallId> {
        self.flights.values().flat_map(|flight| flight.callers.iter().copied()).collect()
    }

    /// Requests under way.
    pub fn running(&self) -> usize {
        self.flights.values().filter(|flight| flight.running).count()
    }

    pub fn input(&mut self, input: &Input) {
        match input {
            Input::Call(call) => self.call(call),
            Input::Dispose => self.disposed = true,
            Input::Unsendable(attempt) => {
                if let Some(flight) = self.flights.get_mut(&attempt.flight) {
                    flight.unsent += u32::from(flight.running && flight.sends == attempt.number);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &Call) {
        self.calls += 1;
        let shared = self.flights.values_mut().find(|flight| call.share.is_some() && flight.share == call.share);
        if let Some(flight) = shared.filter(|_| !self.disposed) {
            flight.callers.insert(call.id);
            return;
        }
        let origin = evenkeel::core::origin::split(&call.url).0.to_owned();
        let callers = BTreeSet::from([call.id]);
        let (share, retries) = (call.share.clone(), call.retries);
        let seen = Seen { origin, share, callers, retries, sends: 0, unsent: 0, running: false };
        assert!(self.flights.insert(call.id, seen).is_none(), "a call's id is used once");
    }

    pub fn output(&mut self, output: &Output) {
        match *output {
            Output::Send(attempt) => self.send(attempt),
            Output::Read(attempt) => {
                let flight = self.wanted(attempt.flight);
                assert!(flight.running && flight.sends == attempt.number, "only what runs is read");
            }
            Output::Retry(flight, _) => self.wanted(flight).running = false,
            Output::Retrying(flight) => {
                self.wanted(flight);
            }
            Output::Drain(flight) | Output::Cancel(flight) => self.known(flight).running = false,
            Output::Settle(settled) => {
                self.settled += 1;
                let flight = self.known(settled.flight);
                assert!(flight.callers.remove(&settled.call), "{settled:?}: a call settles once, where it joined");
                assert_eq!(settled.attempts, flight.sends - flight.unsent, "{settled:?}");
                assert_eq!(settled.shared, settled.call != settled.flight, "{settled:?}");
            }
            Output::Done(flight) => {
                let flight = self.flights.remove(&flight).expect("a flight is forgotten once");
                assert!(flight.callers.is_empty(), "nobody is forgotten with it");
            }
            Output::AskSession | Output::Probe => assert!(!self.disposed, "nothing is sent after dispose()"),
            Output::Breaker(..) | Output::CancelSession | Output::Connection(..) | Output::Queued(_) => {}
        }
    }

    fn send(&mut self, attempt: Attempt) {
        assert!(!self.disposed, "nothing is sent after dispose()");
        let flight = self.wanted(attempt.flight);
        assert!(!flight.running, "{attempt:?}: one attempt at a time");
        flight.running = true;
        flight.sends += 1;
        assert_eq!(attempt.number, flight.sends, "attempts are counted without a gap");
        assert!(flight.sends <= flight.retries + 2, "{attempt:?}: the retries, and once more for the session");
        let origin = flight.origin.clone();
        let running = self.flights.values().filter(|flight| flight.running && flight.origin == origin).count();
        assert!(running <= self.max_concurrent, "{running} requests under way to {origin}");
    }

    /// After a step's outputs.
    pub fn step(&self, wakes: bool) {
        assert_eq!(self.flights.values().map(|flight| flight.callers.len()).sum::<usize>(), self.waiting());
        if self.disposed {
            assert_eq!(self.waiting(), 0, "dispose() ends every call");
            assert!(!wakes, "a client that was disposed of sleeps for ever");
        }
        assert!(wakes || self.waiting() == 0, "somebody waits, and nobody will wake the hub");
    }

    fn known(&mut self, flight: CallId) -> &mut Seen {
        self.flights.get_mut(&flight).expect("a flight that was not forgotten")
    }

    fn wanted(&mut self, flight: CallId) -> &mut Seen {
        let seen = self.known(flight);
        assert!(!seen.callers.is_empty(), "flight {flight} has callers");
        seen
    }
}
