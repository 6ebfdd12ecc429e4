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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::Priority::{Background, Critical, Normal};
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn after(ms: u64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    fn gate(max_concurrent: usize, max_queued: usize) -> Gate {
        Gate::new(&GateSettings { max_concurrent, max_queued, rate: None })
    }

    /// All that may be sent now.
    fn sent(gate: &mut Gate, now: Timestamp) -> Vec<u32> {
        std::iter::from_fn(|| gate.next(now, true)).collect()
    }

    #[test]
    fn critical_goes_before_normal_before_background_and_equals_in_order_of_arrival() {
        let mut gate = gate(16, 512);
        for (ticket, priority) in
            [(1, Background), (2, Normal), (3, Critical), (4, Normal), (5, Background), (6, Critical)]
        {
            assert_eq!(gate.enqueue(ticket, priority), None);
        }

        assert_eq!(sent(&mut gate, NOW), [3, 6, 2, 4, 1, 5]);
    }

    #[test]
    fn no_more_run_than_there_are_slots() {
        let mut gate = gate(2, 512);
        for ticket in 1..=5 {
            gate.enqueue(ticket, Normal);
        }

        assert_eq!(sent(&mut gate, NOW), [1, 2]);
        assert_eq!(gate.next_wake(NOW, true), None, "time alone frees no slot");
        gate.release();
        assert_eq!(sent(&mut gate, NOW), [3]);
        assert_eq!((gate.queued(), gate.running()), (2, 2));
    }

    #[test]
    fn beyond_the_burst_requests_go_at_the_rate() {
        let mut gate = Gate::new(&GateSettings { max_concurrent: 1_000, ..GateSettings::default() });
        for ticket in 0..500 {
            gate.enqueue(ticket, Normal);
        }

        assert_eq!(sent(&mut gate, NOW).len(), 100);
        assert_eq!(gate.next_wake(NOW, true), Some(after(20)));
        assert_eq!(sent(&mut gate, after(19)), []);
        assert_eq!(sent(&mut gate, after(1_000)).len(), 50);
    }

    #[test]
    fn a_full_queue_drops_the_newest_of_the_lowest_priority() {
        let mut gate = gate(1, 3);
        for (ticket, priority) in [(1, Background), (2, Background), (3, Normal)] {
            assert_eq!(gate.enqueue(ticket, priority), None);
        }

        assert_eq!(gate.enqueue(4, Background), Some(4), "it may be the one that came");
        assert_eq!(gate.enqueue(5, Normal), Some(2));
        assert_eq!(gate.enqueue(6, Critical), Some(1));
        assert_eq!(gate.enqueue(7, Critical), Some(5));
        assert_eq!(gate.enqueue(8, Normal), Some(8));
        assert_eq!(gate.queued(), 3);
    }

    #[test]
    fn a_gate_of_no_size_still_lets_one_after_the_other_through() {
        let mut gate = gate(0, 0);
        for ticket in 0..3 {
            assert_eq!(gate.enqueue(ticket, Normal), None);
            assert_eq!(gate.next(NOW, true), Some(ticket));
            gate.release();
        }
    }

    #[test]
    fn a_raised_ticket_keeps_its_age_among_its_new_equals_and_never_falls() {
        let mut gate = gate(16, 512);
        for (ticket, priority) in [(1, Normal), (2, Background), (3, Normal), (4, Critical)] {
            gate.enqueue(ticket, priority);
        }

        gate.raise(2, Normal);
        gate.raise(4, Background);
        gate.raise(99, Critical);

        assert_eq!(sent(&mut gate, NOW), [4, 1, 2, 3]);
    }

    #[test]
    fn a_cancelled_ticket_is_not_sent() {
        let mut gate = gate(16, 512);
        gate.enqueue(1, Normal);
        gate.enqueue(2, Normal);

        assert!(gate.cancel(1));
        assert!(!gate.cancel(1));

        assert_eq!(sent(&mut gate, NOW), [2]);
        assert!(!gate.cancel(2), "it has left the queue");
    }

    #[test]
    fn background_waits_while_it_may_not_go_but_one_can_be_let_through_as_a_probe() {
        let mut gate = gate(16, 512);
        for (ticket, priority) in [(1, Background), (2, Background), (3, Normal)] {
            gate.enqueue(ticket, priority);
        }

        assert_eq!(gate.next(NOW, false), Some(3));
        assert_eq!(gate.next(NOW, false), None);
        assert_eq!(gate.next_wake(NOW, false), None, "time alone does not let it go");

        assert_eq!(gate.next_background(NOW), Some(1));
        assert_eq!((gate.queued(), gate.running()), (1, 2));
    }

    #[test]
    fn a_probe_takes_a_slot_and_a_token_as_any_other() {
        let mut gate =
            Gate::new(&GateSettings { max_concurrent: 2, rate: Some((1.0, 1.0)), ..GateSettings::default() });
        gate.enqueue(1, Background);
        gate.enqueue(2, Background);

        assert_eq!(gate.next_background(NOW), Some(1));
        assert_eq!(gate.next_background(NOW), None, "no token");
        assert_eq!(gate.next_background(after(1_000)), Some(2));
        gate.enqueue(3, Background);
        assert_eq!(gate.next_background(after(9_000)), None, "no slot");
    }

    #[test]
    fn it_is_idle_once_nothing_waits_and_nothing_runs() {
        let mut gate = gate(16, 512);
        assert!(gate.is_idle());
        gate.enqueue(1, Normal);
        assert!(!gate.is_idle());
        gate.next(NOW, true);
        assert!(!gate.is_idle());
        gate.release();
        assert!(gate.is_idle());
    }

    #[test]
    #[should_panic(expected = "each slot is given back once")]
    fn a_slot_given_back_twice_is_a_bug() {
        gate(1, 1).release();
    }

    /// The same rules on an unsorted list, searched through each time. Arrivals are counted by position.
    struct Model {
        waiting: Vec<(u32, Priority)>,
        running: usize,
        bucket: Option<TokenBucket>,
        settings: GateSettings,
    }

    impl Model {
        fn enqueue(&mut self, ticket: u32, priority: Priority) -> Option<u32> {
            self.waiting.push((ticket, priority));
            if self.waiting.len() <= self.settings.max_queued {
                return None;
            }
            let lowest = self.waiting.iter().map(|(_, priority)| *priority).max()?;
            let newest = self.waiting.iter().rposition(|(_, priority)| *priority == lowest)?;
            Some(self.waiting.remove(newest).0)
        }

        fn send(&mut self, now: Timestamp, may_go: impl Fn(Priority) -> bool) -> Option<u32> {
            let highest =
                self.waiting.iter().map(|(_, priority)| *priority).filter(|priority| may_go(*priority)).min()?;
            let oldest = self.waiting.iter().position(|(_, priority)| *priority == highest)?;
            if self.running == self.settings.max_concurrent {
                return None;
            }
            if let Some(bucket) = &mut self.bucket
                && !bucket.take(now)
            {
                return None;
            }
            self.running += 1;
            Some(self.waiting.remove(oldest).0)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Enqueue(Priority),
        Raise(usize, Priority),
        Cancel(usize),
        Next(bool),
        NextBackground,
        Release,
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let priority = || prop_oneof![Just(Critical), Just(Normal), Just(Background)];
        prop_oneof![
            6 => priority().prop_map(Step::Enqueue),
            2 => (any::<usize>(), priority()).prop_map(|(which, priority)| Step::Raise(which, priority)),
            1 => any::<usize>().prop_map(Step::Cancel),
            4 => any::<bool>().prop_map(Step::Next),
            1 => Just(Step::NextBackground),
            4 => Just(Step::Release),
            2 => (0_u64..500).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn it_serves_as_one_who_searches_a_list_would(
            steps in prop::collection::vec(step(), 0..200),
            max_concurrent in 1_usize..6, max_queued in 1_usize..12,
            rate in prop::option::of((1.0..20.0, 1.0..10.0)),
        ) {
            let settings = GateSettings { max_concurrent, max_queued, rate };
            let mut gate = Gate::new(&settings);
            let bucket = rate.map(|(per_second, burst)| TokenBucket::new(per_second, burst));
            let mut model = Model { waiting: Vec::new(), running: 0, bucket, settings };
            let mut now = NOW;
            let mut tickets = 0;

            for step in steps {
                match step {
                    Step::Enqueue(priority) => {
                        tickets += 1;
                        prop_assert_eq!(gate.enqueue(tickets, priority), model.enqueue(tickets, priority));
                    }
                    Step::Raise(which, priority) => {
                        let ticket = (which % (tickets as usize + 1)) as u32;
                        gate.raise(ticket, priority);
                        if let Some(waiting) = model.waiting.iter_mut().find(|waiting| waiting.0 == ticket) {
                            waiting.1 = waiting.1.min(priority);
                        }
                    }
                    Step::Cancel(which) => {
                        let ticket = (which % (tickets as usize + 1)) as u32;
                        let place = model.waiting.iter().position(|waiting| waiting.0 == ticket);
                        prop_assert_eq!(gate.cancel(ticket), place.is_some());
                        place.map(|place| model.waiting.remove(place));
                    }
                    Step::Next(background) => {
                        let expected = model.send(now, |priority| background || priority != Background);
                        prop_assert_eq!(gate.next(now, background), expected);
                    }
                    Step::NextBackground => {
                        let expected = model.send(now, |priority| priority == Background);
                        prop_assert_eq!(gate.next_background(now), expected);
                    }
                    Step::Release => {
                        if model.running > 0 {
                            model.running -= 1;
                            gate.release();
                        }
                    }
                    Step::Wait(wait_ms) => now = Timestamp(now.0 + wait_ms),
                }

                prop_assert_eq!(gate.queued(), model.waiting.len());
                prop_assert_eq!(gate.running(), model.running);
                prop_assert!(gate.queued() <= max_queued && gate.running() <= max_concurrent);
                for background in [true, false] {
                    let at = |moment| gate.clone().next(moment, background);
                    match gate.next_wake(now, background) {
                        Some(wake) => {
                            prop_assert!(at(wake).is_some());
                            prop_assert!(wake == now || at(Timestamp(wake.0 - 1)).is_none());
                        }
                        None => prop_assert_eq!(at(Timestamp(now.0 + 3_600_000)), None),
                    }
                }
            }
        }
    }
}
