//! What may be sent to one origin now: a bounded queue in order of priority, in front of slots and a token bucket.
//!
//! A ticket stands for a request that wants to go out. It waits in the queue, leaves it with a slot and a token, and
//! gives the slot back at its end. A call that waits for its next retry holds none: it comes with a new ticket.

use super::bucket::TokenBucket;
use super::time::Timestamp;

/// Who goes first. Ordered as served: `Critical` is the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others: session and version checks.
    Critical,
    /// What a person waits for.
    #[default]
    Normal,
    /// What can wait while the page is hidden or the server struggles.
    Background,
}

/// How much goes to one origin.
#[derive(Clone, Copy, Debug)]
pub struct GateSettings {
    /// Requests under way at a time. Default 16; 0 counts as 1.
    pub max_concurrent: usize,
    /// Requests that wait. Default 512; 0 counts as 1, since every ticket passes through the queue.
    pub max_queued: usize,
    /// Requests a second and burst of the token bucket, `None` for no such limit. Default 50 and 100.
    pub rate: Option<(f64, f64)>,
}

impl Default for GateSettings {
    fn default() -> GateSettings {
        GateSettings { max_concurrent: 16, max_queued: 512, rate: Some((50.0, 100.0)) }
    }
}

/// In the order of its fields: the queue is sorted by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    priority: Priority,
    arrival: u64,
    ticket: u32,
}

/// The gate of one origin.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Sorted: the first is served next, the last is dropped first. At a few hundred entries, moving them costs less
    /// than the code of anything cleverer.
    queue: Vec<Waiting>,
    arrivals: u64,
    running: usize,
    max_concurrent: usize,
    max_queued: usize,
    bucket: Option<TokenBucket>,
}

impl Gate {
    /// Starts with nothing queued, nothing running and a full bucket.
    #[must_use]
    pub fn new(settings: &GateSettings) -> Gate {
        Gate {
            queue: Vec::new(),
            arrivals: 0,
            running: 0,
            max_concurrent: settings.max_concurrent.max(1),
            max_queued: settings.max_queued.max(1),
            bucket: settings.rate.map(|(per_second, burst)| TokenBucket::new(per_second, burst)),
        }
    }

    /// Puts a ticket at the end of its priority. When that is one too many, the newest of the lowest priority is dropped
    /// and returned: it may be this very ticket.
    pub fn enqueue(&mut self, ticket: u32, priority: Priority) -> Option<u32> {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.insert(Waiting { priority, arrival, ticket });
        if self.queue.len() <= self.max_queued {
            return None;
        }
        self.queue.pop().map(|dropped| dropped.ticket)
    }

    /// Moves a queued ticket up to `priority`, never down. Among its new equals its age counts: it has waited as long.
    pub fn raise(&mut self, ticket: u32, priority: Priority) {
        let Some(place) = self.place(ticket) else {
            return;
        };
        if priority < self.queue[place].priority {
            let waiting = self.queue.remove(place);
            self.insert(Waiting { priority, ..waiting });
        }
    }

    /// Takes a ticket out of the queue. True when it was there.
    pub fn cancel(&mut self, ticket: u32) -> bool {
        let place = self.place(ticket);
        if let Some(place) = place {
            self.queue.remove(place);
        }
        place.is_some()
    }

    /// The next ticket to be sent now, if any may: it takes a slot and a token. `background`: whether background work may
    /// go.
    pub fn next(&mut self, now: Timestamp, background: bool) -> Option<u32> {
        self.front(background)?;
        self.send(0, now)
    }

    /// The next background ticket, although background work may not go and whatever else is queued: the one that is sent
    /// as a probe. It takes a slot and a token.
    pub fn next_background(&mut self, now: Timestamp) -> Option<u32> {
        let place = self.queue.iter().position(|waiting| waiting.priority == Priority::Background)?;
        self.send(place, now)
    }

    /// A request came to its end and gives its slot back.
    ///
    /// # Panics
    ///
    /// When no slot is out: some request gave its slot back twice.
    pub fn release(&mut self) {
        assert!(self.running > 0, "each slot is given back once");
        self.running -= 1;
    }

    /// How many tickets wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many slots are taken.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing waits and nothing runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.running == 0
    }

    /// When [`Gate::next`] has a ticket without anything else happening: `now` if it has one already, later if only a
    /// token is missing, `None` if only an event can help.
    #[must_use]
    pub fn next_wake(&self, now: Timestamp, background: bool) -> Option<Timestamp> {
        self.front(background)?;
        if self.running >= self.max_concurrent {
            return None;
        }
        let ready_at = self.bucket.as_ref().map_or(now, |bucket| bucket.ready_at(now));
        (ready_at.0 < u64::MAX).then_some(ready_at)
    }

    fn front(&self, background: bool) -> Option<&Waiting> {
        self.queue.first().filter(|waiting| background || waiting.priority != Priority::Background)
    }

    fn send(&mut self, place: usize, now: Timestamp) -> Option<u32> {
        if self.running >= self.max_concurrent {
            return None;
        }
        if self.bucket.as_mut().is_some_and(|bucket| !bucket.take(now)) {
            return None;
        }
        self.running += 1;
        Some(self.queue.remove(place).ticket)
    }

    fn place(&self, ticket: u32) -> Option<usize> {
        self.queue.iter().position(|waiting| waiting.ticket == ticket)
    }

    fn insert(&mut self, waiting: Waiting) {
        let place = self.queue.partition_point(|other| *other < waiting);
        self.queue.insert(place, waiting);
    }
}
