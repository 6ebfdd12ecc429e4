//! One browser in virtual time.

use std::collections::{BTreeMap, VecDeque};

use evenkeel::core::clock::Clock;
use evenkeel::core::random::Random;
use evenkeel::core::session::{
    Around, Ended, Session, SessionOutput, SessionSays, SessionSettings, SessionWord, Start, Status, User,
};
use evenkeel::core::tabs::{Role, TabsOutput, TabsSettings};
use evenkeel::core::time::Timestamp;
use evenkeel::core::verify::Verified;

use super::script::{ACTIVE, CONFIRMED, HEARTBEAT, QUIET, SECOND, TAKEOVER, TIMEOUT, ms, settings};
use super::server::Server;
use super::tab::{Coming, Tab};
use super::watch::{Evidence, Watch};

/// What the clock of the device shows when a story begins.
pub const EPOCH: u64 = 1_790_000_000_000;
/// A word or a lock takes up to so long.
pub const LATENCY_MAX: u64 = 10;
/// Nobody waits longer for a verdict, in a page that runs: for one question that may not be out of date and the one
/// after it, each with its confirmations, and for others that say they ask, or sign out.
const VERDICT_MOST: u64 = 3 * (3 * TIMEOUT + CONFIRMED + SECOND) + QUIET;

/// All times are milliseconds since the story began; a tab is known by its number, in order of opening.
pub struct World {
    pub now: u64,
    pub tabs: Vec<Tab>,
    pub server: Server,
    pub settings: SessionSettings,
    pub rng: fastrand::Rng,
    /// Questions to the server: when, and whose.
    pub asked: Vec<(u64, usize)>,
    /// What was said among the tabs about the session.
    pub words: Vec<(u64, usize, SessionSays)>,
    /// Which tab told other libraries.
    pub changed: Vec<(u64, usize)>,
    /// A mark that this browser keeps.
    pub mark: bool,
    /// So long pages lay in a cache after they were rendered.
    pub cached: u64,
    /// Of a hundred words so many are lost.
    pub lost_of_100: u32,
    strangers: bool,
    /// Locks and channels are not to be had.
    pub alone: bool,
    evidence: Evidence,
    /// When the question of a verdict was asked, by who posted it and its turn; and of the one that is heard now.
    sources: BTreeMap<(usize, u64), u64>,
    source: Option<u64>,
    /// How far the device's clock is off.
    clock_off: i64,
    coming: BTreeMap<(u64, u64), (usize, Coming)>,
    arrivals: u64,
    last_word: BTreeMap<(usize, usize), u64>,
    requests: u32,
    holder: Option<(usize, u32)>,
    queue: VecDeque<(usize, u32)>,
}

impl World {
    /// With a cookie for this person, and no tab.
    pub fn new(cookie: Option<User>) -> World {
        World::seeded(1, cookie)
    }

    pub fn seeded(seed: u64, cookie: Option<User>) -> World {
        World {
            now: 0,
            tabs: Vec::new(),
            server: Server::new(cookie),
            settings: settings(),
            rng: fastrand::Rng::with_seed(seed),
            asked: Vec::new(),
            words: Vec::new(),
            changed: Vec::new(),
            mark: false,
            cached: 0,
            lost_of_100: 0,
            strangers: false,
            alone: false,
            evidence: Evidence::default(),
            sources: BTreeMap::new(),
            source: None,
            clock_off: 0,
            coming: BTreeMap::new(),
            arrivals: 0,
            last_word: BTreeMap::new(),
            requests: 0,
            holder: None,
            queue: VecDeque::new(),
        }
    }

    /// So many tabs of this person, the first of which is visible and leads. What it took to get there is forgotten.
    pub fn of(user: User, tabs: usize) -> World {
        let mut world = World::new(Some(user));
        world.settle(tabs);
        world
    }

    /// Opens so many tabs, and forgets what it took.
    pub fn settle(&mut self, tabs: usize) {
        for nth in 0..tabs {
            self.open(nth == 0);
            self.run(200);
        }
        self.run(3 * SECOND);
        self.forget();
    }

    /// What was said and done so far is no part of the story.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.words.clear();
        self.changed.clear();
        for tab in &mut self.tabs {
            tab.verdicts.clear();
            tab.ends.clear();
            tab.switches.clear();
        }
    }

    // ------------------------------------------------------------ when

    /// A page is loaded.
    pub fn open(&mut self, visible: bool) -> usize {
        self.open_with(visible, None)
    }

    /// A page is loaded that the server rendered with the session of its cookie.
    pub fn open_rendered(&mut self, visible: bool) -> usize {
        self.open_with(visible, self.server.cookie)
    }

    /// A page is loaded that the server rendered for this person, long ago perhaps.
    pub fn open_with(&mut self, visible: bool, user: Option<User>) -> usize {
        if let Some(user) = user {
            self.evidence.user(user);
        }
        let (host, me) = (self.host(), self.rng.u32(1..));
        let mut random = Random::new(self.rng.u64(..));
        let expires = self.server.answer(self.now, host).and_then(|answer| answer.expires);
        let expires = expires.map(|at| Timestamp(at.0.saturating_sub(self.cached)));
        let start = Start { lived: self.mark, user, expires: expires.filter(|_| user.is_some()) };
        let tabs = TabsSettings { heartbeat: ms(HEARTBEAT), takeover: ms(TAKEOVER) };
        let around = &mut Around { now: host, awake: host, random: &mut random, online: true, visible };
        let session = Session::new(self.settings, (!self.alone).then_some((me, tabs)), start, around);
        self.tabs.push(Tab {
            session,
            clock: Clock::new(host),
            random,
            alive: true,
            away: false,
            visible,
            online: true,
            frozen: false,
            timers_every: 1,
            timers_from: 0,
            rings_at: None,
            due: None,
            inbox: Vec::new(),
            request: None,
            told_locked: false,
            question: None,
            answered: 0,
            shows: Vec::new(),
            verdicts: Vec::new(),
            ends: Vec::new(),
            switches: Vec::new(),
            next_ping: None,
            watch: Watch::new(self.now, self.mark, self.strangers, self.settings.verify.confirmations),
        });
        let tab = self.tabs.len() - 1;
        self.tell(tab, |_, _| {});
        tab
    }

    /// Goes into the back/forward cache, or comes back from there.
    pub fn away(&mut self, tab: usize, away: bool) {
        if away {
            self.tell(tab, |session, around| session.away(true, around));
            self.tabs[tab].away = true;
            self.tabs[tab].frozen = true;
            assert_eq!(self.tabs[tab].question, None, "nothing is out in the cache");
        } else {
            self.tabs[tab].away = false;
            self.tabs[tab].frozen = false;
            self.restart_wait(tab);
            self.tell(tab, |session, around| session.away(false, around));
            for coming in std::mem::take(&mut self.tabs[tab].inbox) {
                self.arrive(tab, coming);
            }
        }
    }

    pub fn close(&mut self, tab: usize) {
        self.away(tab, true);
        self.tabs[tab].alive = false;
    }

    /// The browser ends it. No code of it runs any more, and its requests end.
    pub fn kill(&mut self, tab: usize) {
        self.tabs[tab].alive = false;
        self.tabs[tab].question = None;
        self.release(tab);
    }

    /// The client is disposed of; the page stays.
    pub fn stop(&mut self, tab: usize) {
        self.tell(tab, |session, _| session.stop());
        self.tabs[tab].watch.stopped();
        assert_eq!(self.tabs[tab].due, None, "no wait is left");
        assert_eq!(self.tabs[tab].question, None, "no question is left");
    }

    pub fn freeze(&mut self, tab: usize) {
        self.tabs[tab].frozen = true;
    }

    /// What came meanwhile arrives now: each sender's words in their order, anything else in any.
    pub fn thaw(&mut self, tab: usize) {
        let (now, rng) = (self.now, &mut self.rng);
        let this = &mut self.tabs[tab];
        this.frozen = false;
        this.timers_from = now + rng.u64(0..=2 * LATENCY_MAX);
        for (at, coming) in this.take_inbox(now, || rng.u64(0..=2 * LATENCY_MAX)) {
            if let Coming::Word(from, _) | Coming::Said(from, _) = coming {
                let last = self.last_word.entry((from, tab)).or_insert(0);
                *last = at.max(*last);
            }
            self.come(at, tab, coming);
        }
        self.restart_wait(tab);
    }

    /// The whole device sleeps.
    pub fn sleep(&mut self, time: u64) {
        let awake: Vec<usize> = (0..self.tabs.len()).filter(|tab| self.tabs[*tab].runs()).collect();
        awake.iter().for_each(|tab| self.freeze(*tab));
        self.run(time);
        awake.iter().for_each(|tab| self.thaw(*tab));
    }

    /// The device's clock is set.
    pub fn set_clock(&mut self, by: i64) {
        self.clock_off += by;
    }

    pub fn throttle(&mut self, tab: usize, every: u64) {
        self.tabs[tab].timers_every = every;
        self.restart_wait(tab);
    }

    pub fn show(&mut self, tab: usize, visible: bool) {
        self.tabs[tab].visible = visible;
        self.tell(tab, |session, around| session.visible(around));
    }

    pub fn network(&mut self, tab: usize, online: bool) {
        self.tabs[tab].online = online;
        self.tell(tab, |session, around| session.network(around));
    }

    /// A pointer, key, touch or scroll.
    pub fn act(&mut self, tab: usize) {
        self.tell(tab, |session, around| session.active(around));
    }

    /// Somebody goes on typing in a tab.
    pub fn run_active(&mut self, tab: usize, time: u64) {
        let until = self.now + time;
        while self.now < until {
            self.act(tab);
            self.run((until - self.now).min(20 * SECOND));
        }
    }

    /// A 401, or somebody who calls `verify()`.
    pub fn request(&mut self, tab: usize) {
        let watch = &mut self.tabs[tab].watch;
        watch.waits(self.now);
        self.tell(tab, |session, around| session.request(around));
    }

    /// Another library tells all tabs but the one that it is in.
    pub fn nudge(&mut self, but: Option<usize>) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].runs() && Some(tab) != but {
                self.tell(tab, |session, around| session.nudged(around));
            }
        }
    }

    pub fn sign_out(&mut self, tab: usize) {
        self.tell(tab, |session, around| session.sign_out(around));
    }

    /// From here on others may speak in the name of tabs, so that what is shown may have no reason.
    pub fn hear_strangers(&mut self) {
        self.strangers = true;
    }

    /// This reaches a tab now.
    pub fn come_now(&mut self, tab: usize, coming: Coming) {
        self.arrive(tab, coming);
    }

    /// Somebody says this to a tab, right or wrong.
    pub fn whisper(&mut self, tab: usize, turn: u64, says: SessionSays) {
        self.tell(tab, |session, around| session.heard(SessionWord { turn, says }, around));
    }

    pub fn run(&mut self, time: u64) {
        let until = self.now + time;
        loop {
            let comes = self.coming.first_key_value().map(|(key, _)| *key);
            let rings = (0..self.tabs.len()).filter_map(|tab| Some((self.tabs[tab].next_ring()?.max(self.now), tab)));
            let rings = rings.min();
            match (comes, rings) {
                (Some(key), _) if key.0 <= until && rings.is_none_or(|(at, _)| key.0 <= at) => {
                    self.now = key.0;
                    let (tab, coming) = self.coming.remove(&key).expect("it was just there");
                    self.arrive(tab, coming);
                }
                (_, Some((at, tab))) if at <= until => {
                    self.now = at;
                    self.tell(tab, |_, _| {});
                }
                _ => break,
            }
            self.assert_nobody_waits_for_ever();
        }
        self.now = until;
        self.assert_nobody_waits_for_ever();
    }

    /// Runs until something was asked, and says when.
    pub fn run_until_asked(&mut self) -> u64 {
        let (from, before) = (self.now, self.asked.len());
        while self.asked.len() == before {
            assert!(self.now - from < 100 * ACTIVE, "nobody asks");
            self.run(1);
        }
        self.asked[before].0
    }

    // ------------------------------------------------------------ then

    /// Those that run and believe to lead.
    pub fn leaders(&self) -> Vec<usize> {
        (0..self.tabs.len()).filter(|tab| self.tabs[*tab].leads()).collect()
    }

    /// When questions were sent.
    pub fn asked(&self) -> Vec<u64> {
        self.asked.iter().map(|(at, _)| *at).collect()
    }

    pub fn status(&self, tab: usize) -> Status {
        self.tabs[tab].shown().status
    }

    pub fn user(&self, tab: usize) -> Option<User> {
        self.tabs[tab].shown().user
    }

    pub fn verdicts(&self, tab: usize) -> Vec<Verified> {
        self.tabs[tab].verdicts.iter().map(|(_, verified)| *verified).collect()
    }

    /// How its session ended, each time that it did.
    pub fn ends(&self, tab: usize) -> Vec<Ended> {
        self.tabs[tab].ends.iter().map(|(_, why)| *why).collect()
    }

    pub fn switches(&self, tab: usize) -> Vec<(User, User)> {
        self.tabs[tab].switches.iter().map(|(_, from, to)| (*from, *to)).collect()
    }

    pub fn said(&self, meant: impl Fn(&SessionSays) -> bool) -> Vec<(u64, usize)> {
        self.words.iter().filter(|(.., says)| meant(says)).map(|(at, tab, _)| (*at, *tab)).collect()
    }

    /// Every tab shows this.
    pub fn assert_all(&self, status: Status, user: Option<User>) {
        for tab in (0..self.tabs.len()).filter(|tab| self.tabs[*tab].runs()) {
            assert_eq!((self.status(tab), self.user(tab)), (status, user), "{tab} at {}", self.now);
        }
    }

    // ------------------------------------------------------------ the browser

    /// What the device's clock shows.
    pub fn host(&self) -> Timestamp {
        Timestamp((EPOCH + self.now).saturating_add_signed(self.clock_off))
    }

    fn tell(&mut self, tab: usize, act: impl FnOnce(&mut Session, &mut Around)) {
        let host = self.host();
        let this = &mut self.tabs[tab];
        this.tell(host, act);
        this.set_timer(self.now, host);
        let outputs: Vec<SessionOutput> = std::iter::from_fn(|| this.session.poll()).collect();
        this.watch.see(self.now, tab, &outputs, &self.evidence, self.source);
        for output in outputs {
            self.perform(tab, output);
        }
        let this = &self.tabs[tab];
        assert_eq!(this.question.is_some(), this.watch.question_out());
    }

    fn perform(&mut self, tab: usize, output: SessionOutput) {
        let now = self.now;
        let this = &mut self.tabs[tab];
        match output {
            SessionOutput::Ask => self.ask(tab),
            SessionOutput::Cancel => this.question = None,
            SessionOutput::Verified(verified) => this.verdicts.push((now, verified)),
            SessionOutput::Show(shown) => this.shows.push((now, shown)),
            SessionOutput::Ended(why) => this.ends.push((now, why)),
            SessionOutput::Switched(from, to) => this.switches.push((now, from, to)),
            SessionOutput::Mark(alive) => self.mark = alive,
            SessionOutput::SignOut => {
                let at = now + self.server.sign_out_takes;
                self.come(at, tab, Coming::Accepted(!self.server.refuses));
            }
            SessionOutput::Changed => self.changed.push((now, tab)),
            SessionOutput::Next(at) => this.next_ping = at,
            SessionOutput::Post(word) => {
                self.words.push((now, tab, word.says));
                if matches!(word.says, SessionSays::Verdict(..)) {
                    self.sources.insert((tab, word.turn), this.answered);
                }
                self.post(tab, Coming::Said(tab, word));
            }
            SessionOutput::Tabs(output) => match output {
                TabsOutput::Lock { steal } => self.request_lock(tab, steal),
                TabsOutput::Unlock => self.release(tab),
                TabsOutput::Post(word) => self.post(tab, Coming::Word(tab, word)),
                TabsOutput::Role(role) => {
                    assert!(role == Role::Follower || this.told_locked, "{tab} leads without the lock");
                }
                TabsOutput::Joined => {}
            },
            SessionOutput::Left => {}
        }
    }

    fn ask(&mut self, tab: usize) {
        self.asked.push((self.now, tab));
        self.requests += 1;
        self.tabs[tab].question = Some(self.requests);
        // Its expiry is read on the page's own clock, which goes on where the device's was set back.
        if let Some(answer) = self.server.answer(self.now, self.tabs[tab].clock.now()) {
            let at = self.now + self.server.latency;
            self.come(at, tab, Coming::Response(self.requests, self.now, answer));
        }
    }

    fn come(&mut self, at: u64, tab: usize, coming: Coming) {
        self.arrivals += 1;
        self.coming.insert((at, self.arrivals), (tab, coming));
    }

    fn arrive(&mut self, tab: usize, coming: Coming) {
        let now = self.now;
        let this = &mut self.tabs[tab];
        if !this.alive {
            return;
        }
        // The network goes on in a page that is frozen, and so do its cookies.
        let coming = match coming {
            Coming::Response(question, ..) if this.question != Some(question) => return,
            Coming::Response(question, asked_at, answer) => {
                self.server.renew(now, tab, asked_at, answer.says);
                Coming::Answer(question, asked_at, answer)
            }
            // A page that goes ends its requests.
            Coming::Accepted(accepted) => {
                let accepted = accepted && !this.away;
                if accepted {
                    self.server.signed_out(now);
                }
                Coming::SignedOut(accepted)
            }
            Coming::Word(..) | Coming::Said(..) if this.away => return,
            coming => coming,
        };
        let this = &mut self.tabs[tab];
        if this.frozen {
            this.inbox.push(coming);
            return;
        }
        match coming {
            Coming::Word(_, word) => self.tell(tab, |session, around| session.heard_tabs(word, around)),
            Coming::Said(from, word) => {
                self.source = self.sources.get(&(from, word.turn)).copied();
                self.tell(tab, |session, around| session.heard(word, around));
            }
            Coming::Locked(request) if this.request == Some(request) => {
                this.told_locked = true;
                self.tell(tab, |session, around| session.locked(true, around));
            }
            Coming::Lost(request) if this.request == Some(request) => {
                (this.told_locked, this.request) = (false, None);
                self.tell(tab, |session, around| session.locked(false, around));
            }
            Coming::Answer(question, asked_at, answer) if this.question == Some(question) => {
                (this.question, this.answered) = (None, asked_at);
                this.watch.answered(now, answer.says, &mut self.evidence);
                self.source = Some(asked_at);
                self.tell(tab, |session, around| session.answered(answer, around));
            }
            Coming::SignedOut(accepted) => {
                if accepted {
                    self.evidence.signed_out(now);
                }
                this.watch.signed_out();
                self.tell(tab, |session, around| session.signed_out(accepted, around));
            }
            _ => {}
        }
        self.source = None;
    }

    fn post(&mut self, from: usize, coming: Coming) {
        for to in 0..self.tabs.len() {
            if to == from || !self.tabs[to].alive || self.tabs[to].away || self.rng.u32(0..100) < self.lost_of_100 {
                continue;
            }
            let at = self.now + self.rng.u64(1..=LATENCY_MAX);
            let at = at.max(self.last_word.get(&(from, to)).copied().unwrap_or(0));
            self.last_word.insert((from, to), at);
            self.come(at, to, coming);
        }
    }

    fn restart_wait(&mut self, tab: usize) {
        let owed_since = &mut self.tabs[tab].watch.owed_since;
        *owed_since = owed_since.map(|_| self.now);
    }

    fn assert_nobody_waits_for_ever(&self) {
        for (nth, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.runs() && tab.timers_every == 1) {
            let waits = tab.watch.owed_since.map_or(0, |since| self.now - since);
            assert!(waits <= VERDICT_MOST, "somebody waits in {nth} for {waits} ms");
        }
    }

    // ------------------------------------------------------------ the lock

    fn request_lock(&mut self, tab: usize, steal: bool) {
        assert!(!self.tabs[tab].told_locked, "{tab} asks for what it holds");
        self.release(tab);
        self.requests += 1;
        let request = self.requests;
        self.tabs[tab].request = Some(request);
        if steal {
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
