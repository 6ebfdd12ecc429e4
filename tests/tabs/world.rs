//! One browser in virtual time.

use std::collections::{BTreeMap, VecDeque};

use evenkeel::core::tabs::{Member, Role, Says, TabsOutput, TabsSettings, Word};
use evenkeel::core::time::Duration;

use super::tab::{Coming, Tab};

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HEARTBEAT: u64 = SECOND;
pub const TAKEOVER: u64 = 5 * SECOND;
/// The longest that a group may be without a leader while one of its tabs runs as it should.
pub const BOUND: u64 = TAKEOVER + 3 * HEARTBEAT;
/// Browsers wake the timers of tabs that were hidden for long so often.
pub const THROTTLED: u64 = MINUTE;
/// A word or a lock takes up to so long.
const LATENCY_MAX: u64 = 10;
/// Words of one tab in a minute, whatever happens: four questions and four answers in a second, and some for the locks.
const SAID_IN_A_MINUTE_MAX: usize = 600;

/// All times are milliseconds since the story began; a tab is known by its number, in order of opening.
pub struct World {
    pub now: u64,
    pub tabs: Vec<Tab>,
    /// Who began or stopped leading, and when.
    pub changes: Vec<(u64, usize, Role)>,
    pub words: Vec<(u64, Word)>,
    /// How often a leader told somebody who came how things stand.
    pub told: usize,
    pub rng: fastrand::Rng,
    settings: TabsSettings,
    /// Nobody asks a silent leader unless its work is missed.
    patient: bool,
    coming: BTreeMap<(u64, u64), (usize, Coming)>,
    arrivals: u64,
    /// When the last word of one tab reaches another: they keep their order.
    last_word: BTreeMap<(usize, usize), u64>,
    requests: u32,
    holder: Option<(usize, u32)>,
    queue: VecDeque<(usize, u32)>,
    /// Locks are not to be had.
    locks_broken: bool,
    /// The newest event of the server.
    head: u64,
}

impl World {
    pub fn new() -> World {
        World::seeded(1)
    }

    pub fn seeded(seed: u64) -> World {
        World {
            now: 0,
            tabs: Vec::new(),
            changes: Vec::new(),
            words: Vec::new(),
            told: 0,
            rng: fastrand::Rng::with_seed(seed),
            settings: TabsSettings {
                heartbeat: Duration::from_millis(HEARTBEAT),
                takeover: Duration::from_millis(TAKEOVER),
            },
            patient: false,
            coming: BTreeMap::new(),
            arrivals: 0,
            last_word: BTreeMap::new(),
            requests: 0,
            holder: None,
            queue: VecDeque::new(),
            locks_broken: false,
            head: 100,
        }
    }

    /// Where the leader works once in minutes.
    pub fn patient(seed: u64) -> World {
        World { patient: true, ..World::seeded(seed) }
    }

    /// With so many tabs, the first of which is visible and leads.
    pub fn with_tabs(count: usize) -> World {
        World::with(count, true)
    }

    /// The same, and nobody sees the first one either.
    pub fn with_hidden_tabs(count: usize) -> World {
        World::with(count, false)
    }

    fn with(count: usize, visible: bool) -> World {
        let mut world = World::new();
        for nth in 0..count {
            world.open(visible && nth == 0);
        }
        world.run(2 * SECOND);
        world.assert_led_by(0);
        world.forget();
        world
    }

    /// What was said and done so far is no part of the story.
    pub fn forget(&mut self) {
        self.words.clear();
        self.told = 0;
        self.changes.clear();
    }

    // ------------------------------------------------------------ when

    pub fn open(&mut self, visible: bool) -> usize {
        let me = self.rng.u32(1..);
        self.open_as(me, visible)
    }

    pub fn open_as(&mut self, me: Member, visible: bool) -> usize {
        let tab = Tab::new(self.settings, me, visible, self.rng.u64(..));
        self.tabs.push(if self.patient { tab.patient() } else { tab });
        let tab = self.tabs.len() - 1;
        self.join(tab);
        tab
    }

    /// Comes, or comes back from the back/forward cache.
    pub fn join(&mut self, tab: usize) {
        let (this, now) = (&mut self.tabs[tab], self.now);
        this.joined = true;
        this.tabs.join(this.clock(now), this.place, &mut this.random);
        self.drain(tab);
    }

    /// Goes into the back/forward cache.
    pub fn leave(&mut self, tab: usize) {
        self.tabs[tab].tabs.leave();
        self.drain(tab);
        self.tabs[tab].joined = false;
        assert_eq!(self.tabs[tab].tabs.next_wake(), None, "no wait is left");
    }

    pub fn close(&mut self, tab: usize) {
        self.leave(tab);
        self.tabs[tab].alive = false;
    }

    /// The browser ends it. No code of it runs any more.
    pub fn kill(&mut self, tab: usize) {
        self.tabs[tab].alive = false;
        self.release(tab);
    }

    pub fn freeze(&mut self, tab: usize) {
        self.tabs[tab].frozen = true;
    }

    /// What came meanwhile arrives now: each sender's words in their order, anything else in any.
    pub fn thaw(&mut self, tab: usize) {
        self.tabs[tab].frozen = false;
        self.tabs[tab].timers_from = self.now + self.rng.u64(0..=2 * LATENCY_MAX);
        let (mut locks_at, mut words_at) = (self.now, BTreeMap::new());
        for coming in std::mem::take(&mut self.tabs[tab].inbox) {
            let at = self.now + self.rng.u64(0..=2 * LATENCY_MAX);
            let at = match coming {
                Coming::Word(word, _) => {
                    let last = words_at.entry(word.from).or_insert(at);
                    *last = at.max(*last);
                    *last
                }
                Coming::Locked(_) | Coming::Lost(_) => {
                    locks_at = at.max(locks_at);
                    locks_at
                }
            };
            self.come(at, tab, coming);
        }
        for from in 0..self.tabs.len() {
            let at = words_at.get(&self.tabs[from].me).copied().unwrap_or(0);
            let last = self.last_word.entry((from, tab)).or_insert(0);
            *last = at.max(*last);
        }
    }

    /// The whole device sleeps, and every tab hears of it.
    pub fn sleep(&mut self, time: u64) {
        let awake: Vec<usize> = (0..self.tabs.len()).filter(|tab| !self.tabs[*tab].frozen).collect();
        awake.iter().for_each(|tab| self.freeze(*tab));
        self.run(time);
        for tab in awake {
            self.thaw(tab);
            let (this, now) = (&mut self.tabs[tab], self.now);
            if this.alive {
                this.tabs.slept(this.clock(now));
            }
        }
    }

    /// This tab misses the leader's work.
    pub fn miss(&mut self, tab: usize) {
        let (this, now) = (&mut self.tabs[tab], self.now);
        this.tabs.ask_now(this.clock(now));
        self.drain(tab);
    }

    pub fn throttle(&mut self, tab: usize, every: u64) {
        self.tabs[tab].timers_every = every;
    }

    pub fn show(&mut self, tab: usize, visible: bool) {
        let (this, now) = (&mut self.tabs[tab], self.now);
        this.visible = visible;
        this.tabs.visible(this.clock(now), visible);
        self.drain(tab);
    }

    /// Requests for the lock end at once, without a grant.
    pub fn break_locks(&mut self, broken: bool) {
        self.locks_broken = broken;
    }

    /// The server has one more event. Whoever believes to lead reads it, and tells the others.
    pub fn event(&mut self) {
        self.head += 1;
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].leads() {
                self.read_on(tab);
            }
        }
    }

    /// Somebody says this to a tab, right or wrong.
    pub fn whisper(&mut self, tab: usize, word: Word) {
        self.arrive(tab, Coming::Word(word, 0));
    }

    pub fn run(&mut self, time: u64) {
        let until = self.now + time;
        loop {
            let comes = self.coming.first_key_value().map(|(key, _)| *key);
            let rings = (0..self.tabs.len()).filter_map(|tab| Some((self.tabs[tab].rings_at(self.now)?, tab))).min();
            match (comes, rings) {
                (Some(key), _) if key.0 <= until && rings.is_none_or(|(at, _)| key.0 <= at) => {
                    self.now = key.0;
                    let (tab, coming) = self.coming.remove(&key).expect("it was just there");
                    self.arrive(tab, coming);
                }
                (_, Some((at, tab))) if at <= until => {
                    self.now = at;
                    self.drain(tab);
                }
                _ => break,
            }
        }
        self.now = until;
    }

    /// Runs until this tab leads, and says how long that took.
    pub fn run_until_led_by(&mut self, tab: usize) -> u64 {
        let began = self.now;
        while !self.tabs[tab].leads() {
            assert!(self.now - began < 10 * MINUTE, "{tab} never leads");
            self.run(1);
        }
        self.now - began
    }

    // ------------------------------------------------------------ then

    /// Those that run and believe to lead.
    pub fn leaders(&self) -> Vec<usize> {
        (0..self.tabs.len()).filter(|tab| self.tabs[*tab].leads()).collect()
    }

    /// It leads alone, holds the lock, and everybody listens to it.
    pub fn assert_led_by(&mut self, leader: usize) {
        assert_eq!(self.leaders(), [leader], "at {}", self.now);
        assert_eq!(self.holder.map(|(tab, _)| tab), Some(leader), "the leader holds the lock");
        self.event();
        self.run(3 * LATENCY_MAX);
        for (nth, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.runs()) {
            assert_eq!(tab.place, self.head, "{nth} listens to {leader}");
        }
    }

    /// Words said by one tab.
    pub fn said_by(&self, tab: usize) -> Vec<Says> {
        let from = self.tabs[tab].me;
        self.words.iter().filter(|(_, word)| word.from == from).map(|(_, word)| word.says).collect()
    }

    pub fn assert_nothing_missed(&self) {
        for (nth, tab) in self.tabs.iter().enumerate() {
            assert!(tab.missed.is_empty(), "{nth} missed {:?}", tab.missed);
        }
    }

    // ------------------------------------------------------------ the browser

    fn come(&mut self, at: u64, tab: usize, coming: Coming) {
        self.arrivals += 1;
        self.coming.insert((at, self.arrivals), (tab, coming));
    }

    fn arrive(&mut self, tab: usize, coming: Coming) {
        let (this, now) = (&mut self.tabs[tab], self.now);
        if !this.alive {
            return;
        }
        if this.frozen {
            this.inbox.push(coming);
            return;
        }
        let clock = this.clock(now);
        match coming {
            Coming::Word(..) if !this.joined => {}
            Coming::Word(word, event) => {
                let led = this.tabs.load();
                let taken = this.tabs.heard(clock, word, this.place, &mut this.random);
                if taken && word.says == Says::Load {
                    let superseded = led.is_none_or(|mine| (mine.epoch, mine.from) < (word.epoch, word.from));
                    assert!(superseded, "a leader listens to {word:?}");
                    this.listen(word);
                    this.see(event);
                }
            }
            Coming::Locked(request) if this.request == Some(request) => {
                this.told_locked = true;
                this.tabs.locked(clock);
            }
            Coming::Lost(request) if this.request == Some(request) => {
                this.told_locked = false;
                this.request = None;
                this.tabs.lost(clock);
            }
            Coming::Locked(_) | Coming::Lost(_) => {}
        }
        self.drain(tab);
    }

    /// As the hub does: whatever a tab was told, it is woken, and its outputs are done.
    fn drain(&mut self, tab: usize) {
        let (this, now) = (&mut self.tabs[tab], self.now);
        let clock = this.clock(now);
        this.tabs.wake(clock, this.place, &mut this.random);
        assert!(this.tabs.next_wake().is_none_or(|wake| wake > clock), "{tab} spins at {now}");
        while let Some(output) = self.tabs[tab].tabs.poll() {
            match output {
                TabsOutput::Lock { steal } => self.request(tab, steal),
                TabsOutput::Unlock => self.release(tab),
                TabsOutput::Post(word) => self.post(tab, word, 0),
                TabsOutput::Role(role) => {
                    self.changes.push((self.now, tab, role));
                    if role == Role::Leader {
                        self.read_on(tab);
                    }
                }
                TabsOutput::Joined => {
                    self.told += 1;
                    let place = self.tabs[tab].place;
                    if let Some(word) = self.tabs[tab].tabs.load() {
                        self.post(tab, word, place);
                    }
                }
            }
        }
        let this = &self.tabs[tab];
        assert!(this.tabs.role() == Role::Follower || this.told_locked, "{tab} leads without the lock");
    }

    /// The leader reads what the server has beyond the last event that it saw; a new tab begins with the newest.
    fn read_on(&mut self, tab: usize) {
        let place = self.tabs[tab].place;
        let from = if place == 0 { self.head } else { place + 1 };
        for event in from..=self.head {
            self.tabs[tab].see(event);
            let word = self.tabs[tab].tabs.load().expect("a leader may speak");
            if self.tabs[tab].tabs.followed() {
                self.post(tab, word, event);
            }
        }
    }

    fn post(&mut self, from: usize, word: Word, event: u64) {
        if word.says != Says::Load {
            self.words.push((self.now, word));
            self.count(from);
        }
        for to in 0..self.tabs.len() {
            if to != from && self.tabs[to].alive && self.tabs[to].joined {
                let at = self.now + self.rng.u64(1..=LATENCY_MAX);
                let at = at.max(self.last_word.get(&(from, to)).copied().unwrap_or(0));
                self.last_word.insert((from, to), at);
                self.come(at, to, Coming::Word(word, event));
            }
        }
    }

    fn count(&mut self, tab: usize) {
        let said_at = &mut self.tabs[tab].said_at;
        said_at.push_back(self.now);
        while said_at.front().is_some_and(|at| at + MINUTE < self.now) {
            said_at.pop_front();
        }
        assert!(said_at.len() <= SAID_IN_A_MINUTE_MAX, "{tab} chatters");
    }

    // ------------------------------------------------------------ the lock

    fn request(&mut self, tab: usize, steal: bool) {
        assert!(!self.tabs[tab].told_locked, "{tab} asks for what it holds");
        self.release(tab);
        self.requests += 1;
        let request = self.requests;
        self.tabs[tab].request = Some(request);
        if self.locks_broken {
            self.come(self.now, tab, Coming::Lost(request));
        } else if steal {
            if let Some((from, stolen)) = self.holder.take() {
                let at = self.now + self.rng.u64(1..=LATENCY_MAX);
                self.come(at, from, Coming::Lost(stolen));
            }
            self.queue.push_front((tab, request));
        } else {
            self.queue.push_back((tab, request));
        }
        self.grant();
    }

    fn release(&mut self, tab: usize) {
        self.tabs[tab].request = None;
        self.tabs[tab].told_locked = false;
        self.queue.retain(|(waits, _)| *waits != tab);
        if self.holder.is_some_and(|(holds, _)| holds == tab) {
            self.holder = None;
        }
        self.grant();
    }

    fn grant(&mut self) {
        if self.holder.is_none()
            && let Some((tab, request)) = self.queue.pop_front()
        {
            self.holder = Some((tab, request));
            let at = self.now + self.rng.u64(1..=LATENCY_MAX);
            self.come(at, tab, Coming::Locked(request));
        }
    }
}
