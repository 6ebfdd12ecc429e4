//! What must be true in every story.
//!
//! - Every call settles once, on the flight that it joined, and every flight is forgotten once.
//! - Nothing is sent, read or announced for a flight whose callers are gone, nor after the client was disposed of.
//! - A flight is sent one attempt at a time, counted without a gap: once, once for each retry that was announced, and
//!   once more for the session. Retries are announced only where a second request does no harm.
//! - An origin never has more requests under way than it may.
//! - What can wait is not sent while the page is hidden, nor, but for a probe, while the connection is bad.
//! - While somebody waits, the host is told when to come back.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::core::connection::ConnectionStatus;
use evenkeel::core::flight::{Call, CallId, Traits};
use evenkeel::core::gate::Priority;
use evenkeel::core::hub::Input;
use evenkeel::core::output::{Attempt, Output};
use evenkeel::core::session::SessionOutput;
use evenkeel::core::settings::Settings;

#[derive(Debug)]
pub struct Watch {
    flights: BTreeMap<CallId, Seen>,
    calls: usize,
    settled: usize,
    max_concurrent: usize,
    background_probes: usize,
    disposed: bool,
    visible: bool,
    connection: ConnectionStatus,
    /// Of the present step.
    was_online: bool,
    sent_in_background: usize,
}

#[derive(Debug)]
struct Seen {
    origin: String,
    share: Option<String>,
    callers: BTreeSet<CallId>,
    traits: Traits,
    retries: u32,
    background: bool,
    announced: u32,
    sends: u32,
    running: bool,
    read: bool,
    /// The person whose request it was is gone.
    stale: bool,
}

impl Watch {
    pub fn new(settings: &Settings) -> Watch {
        Watch {
            flights: BTreeMap::new(),
            calls: 0,
            settled: 0,
            max_concurrent: settings.gate.max_concurrent,
            background_probes: usize::from(!settings.can_probe),
            disposed: false,
            visible: true,
            connection: ConnectionStatus::Online,
            was_online: true,
            sent_in_background: 0,
        }
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
        self.was_online = self.connection == ConnectionStatus::Online;
        self.sent_in_background = 0;
        match input {
            Input::Call(call) => self.call(call),
            Input::Visible(visible) => self.visible = *visible,
            Input::Dispose => self.disposed = true,
            _ => {}
        }
    }

    fn call(&mut self, call: &Call) {
        self.calls += 1;
        let background = call.priority == Priority::Background;
        let shared = self.flights.values_mut().find(|flight| call.share.is_some() && flight.share == call.share);
        if let Some(flight) = shared.filter(|_| !self.disposed) {
            flight.callers.insert(call.id);
            flight.background &= background;
            return;
        }
        let seen = Seen {
            origin: evenkeel::core::origin::split(&call.url).0.to_owned(),
            share: call.share.clone(),
            callers: BTreeSet::from([call.id]),
            traits: call.traits,
            retries: call.retries,
            background,
            announced: 0,
            sends: 0,
            running: false,
            read: false,
            stale: false,
        };
        assert!(self.flights.insert(call.id, seen).is_none(), "a call's id is used once");
    }

    pub fn output(&mut self, output: &Output) {
        match *output {
            Output::Send(attempt) => self.send(attempt),
            Output::Read(attempt) => {
                let flight = self.wanted(attempt.flight);
                assert!(flight.running && flight.sends == attempt.number, "only what runs is read");
                assert!(!std::mem::replace(&mut flight.read, true), "and only once");
            }
            Output::Retry(flight, _) => {
                let flight = self.wanted(flight);
                flight.running = false;
                flight.announced += 1;
                assert!(flight.traits.idempotent && flight.traits.replayable, "a second request may do harm");
                assert!(flight.announced <= flight.retries, "{} retries were wanted", flight.retries);
            }
            Output::Retrying(flight) => {
                self.wanted(flight);
            }
            Output::Drain(flight) | Output::Cancel(flight) => self.known(flight).running = false,
            Output::Settle(settled) => {
                self.settled += 1;
                let flight = self.known(settled.flight);
                assert!(flight.callers.remove(&settled.call), "{settled:?}: a call settles once, where it joined");
                assert_eq!(settled.attempts, flight.sends, "{settled:?}");
                assert_eq!(settled.shared, settled.call != settled.flight, "{settled:?}");
            }
            Output::Done(flight) => {
                let flight = self.flights.remove(&flight).expect("a flight is forgotten once");
                assert!(flight.callers.is_empty(), "nobody is forgotten with it");
            }
            Output::Session(SessionOutput::Ask) => assert!(!self.disposed, "nothing is sent after dispose()"),
            Output::Probe => assert!(!self.disposed && self.visible, "only a visible page probes"),
            Output::Connection(connection, _) => self.connection = connection,
            Output::Session(SessionOutput::Ended(_) | SessionOutput::Switched(..)) => {
                for flight in self.flights.values_mut().filter(|flight| flight.traits.trusted) {
                    (flight.share, flight.stale) = (None, true);
                }
            }
            Output::Breaker(..) | Output::Session(_) | Output::Version(_) | Output::Draft(..) | Output::Queued(_) => {}
            Output::Streams(_) => panic!("no story here opens a stream"),
        }
    }

    fn send(&mut self, attempt: Attempt) {
        assert!(!self.disposed, "nothing is sent after dispose()");
        let visible = self.visible;
        let flight = self.wanted(attempt.flight);
        assert!(!flight.running, "{attempt:?}: one attempt at a time");
        assert!(!flight.stale, "{attempt:?}: nothing is sent as somebody else's");
        (flight.running, flight.read) = (true, false);
        flight.sends += 1;
        assert_eq!(attempt.number, flight.sends, "attempts are counted without a gap");
        assert!(flight.sends <= flight.announced + 2, "{attempt:?}: the retries, and once more for the session");
        assert!(flight.sends == 1 || flight.traits.replayable, "{attempt:?}: the body was read");
        assert!(visible || !flight.background, "{attempt:?}: nobody looks, and it can wait");
        let (origin, background) = (flight.origin.clone(), flight.background);
        self.sent_in_background += usize::from(background);
        let running = self.flights.values().filter(|flight| flight.running && flight.origin == origin).count();
        assert!(running <= self.max_concurrent, "{running} requests under way to {origin}");
    }

    /// After a step's outputs.
    pub fn step(&self, wakes: bool) {
        let is_online = self.connection == ConnectionStatus::Online;
        if !self.was_online && !is_online {
            assert!(self.sent_in_background <= self.background_probes, "the connection is bad, and it can wait");
        }
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
