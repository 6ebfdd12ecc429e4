//! One tab in virtual time.

use std::collections::BTreeMap;

use evenkeel::core::clock::Clock;
use evenkeel::core::random::Random;
use evenkeel::core::time::{Duration, Timestamp};
use evenkeel::core::version::{
    Around, Mode, Prepared, Snapshot, Status, UNNAMED, Unsaved, Version, VersionId, VersionOutput, VersionSettings,
};

use super::watch::Watch;

/// What the clock of the device shows when a story begins.
const EPOCH: u64 = 1_790_000_000_000;
pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const POLL: u64 = 5 * MINUTE;
pub const IDLE: u64 = 3 * SECOND;
pub const SPREAD: u64 = 10 * SECOND;
pub const LOOP_GUARD: u64 = 10 * MINUTE;
pub const FLUSH_TIMEOUT: u64 = 5 * SECOND;
/// The endpoint answers, and the host gets a page ready, in so long.
pub const LATENCY: u64 = 50;
/// Wakes in one moment: more make the host spin.
const WAKES_IN_A_MOMENT_MAX: u32 = 3;

/// The longest wait of all, for a loop guard that a clock was set back under.
const WAIT_MAX: u64 = 2 * LOOP_GUARD;

/// A version by its name. `?` is one that nobody named.
pub type Name = char;

/// What the endpoint does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Says(Name),
    Fails,
    Silent,
}

#[derive(Clone, Copy, Debug)]
enum Coming {
    Answer(Option<Name>),
    Prepared(Prepared),
}

/// All times are milliseconds since the story began.
pub struct World {
    pub now: u64,
    /// What the pages said, and when.
    pub log: Vec<(u64, VersionOutput)>,
    /// When which page was reloaded for which version, and whether the person asked for it.
    pub reloads: Vec<(u64, Name, bool)>,
    /// The version that the page is.
    pub page: Name,
    pub settings: VersionSettings,
    pub rng: fastrand::Rng,
    pub endpoint: Endpoint,
    /// What the server answers a reload with; none: what the page is reloaded for.
    pub serves: Option<Name>,
    /// What the app wants of any version.
    pub mode: Mode,
    pub storage_works: bool,
    /// The page asks whether it may be left, and the person says no.
    pub declines: bool,
    /// The person is in the middle of something when the host looks.
    pub editing: bool,
    /// The host never gets ready.
    pub stuck: bool,
    pub online: bool,
    pub visible: bool,
    pub unsaved: Unsaved,
    /// What the tab's storage holds.
    pub record: Vec<(Name, u64)>,
    pub watch: Watch,
    version: Version,
    random: Random,
    clock: Clock,
    clock_off_by: i64,
    due: Option<Timestamp>,
    timer: Option<u64>,
    coming: BTreeMap<(u64, u64), Coming>,
    arrivals: u64,
}

/// The public defaults.
pub fn settings() -> VersionSettings {
    VersionSettings {
        endpoint: true,
        poll: Some(Duration::from_millis(POLL)),
        idle: Duration::from_millis(IDLE),
        spread: Duration::from_millis(SPREAD),
        loop_guard: Duration::from_millis(LOOP_GUARD),
        flush_timeout: Duration::from_millis(FLUSH_TIMEOUT),
    }
}

impl World {
    /// A visible page of version A, which the endpoint names, too. With the public defaults.
    pub fn new() -> World {
        World::with(|_| {})
    }

    /// Where nothing can be asked.
    pub fn without_endpoint() -> World {
        World::with(|settings| settings.endpoint = false)
    }

    pub fn with(change: impl FnOnce(&mut VersionSettings)) -> World {
        World::seeded(1, change)
    }

    pub fn seeded(seed: u64, change: impl FnOnce(&mut VersionSettings)) -> World {
        let mut settings = settings();
        change(&mut settings);
        let (host, mut random) = (Timestamp(EPOCH), Random::new(seed));
        let around =
            &mut Around { now: host, random: &mut random, online: true, visible: true, unsaved: Unsaved::default() };
        let mut world = World {
            now: 0,
            log: Vec::new(),
            reloads: Vec::new(),
            page: 'A',
            version: Version::new(settings, Some(Vec::new()), around),
            settings,
            rng: fastrand::Rng::with_seed(seed),
            endpoint: Endpoint::Says('A'),
            serves: None,
            mode: Mode::Reload,
            storage_works: true,
            declines: false,
            editing: false,
            stuck: false,
            online: true,
            visible: true,
            unsaved: Unsaved::default(),
            record: Vec::new(),
            watch: Watch::new(settings),
            random,
            clock: Clock::new(host),
            clock_off_by: 0,
            due: None,
            timer: None,
            coming: BTreeMap::new(),
            arrivals: 0,
        };
        world.load('A');
        world
    }

    // ------------------------------------------------------------ given

    pub fn endpoint_says(&mut self, name: Name) {
        self.endpoint = Endpoint::Says(name);
    }

    /// The server runs this from now on: what the endpoint says and a reload brings.
    pub fn deploy(&mut self, name: Name) {
        self.endpoint_says(name);
        self.serves = Some(name);
    }

    /// The page knows that the server runs this.
    #[track_caller]
    pub fn learn(&mut self, name: Name) {
        self.deploy(name);
        if self.settings.endpoint {
            self.check();
            self.run(LATENCY);
        } else {
            self.header(name);
        }
        assert_eq!(self.shown().latest, Some(self.id(name)), "what it learned");
    }

    /// The same, of a page that is on its way already.
    pub fn learn_later(&mut self, name: Name) {
        self.deploy(name);
        self.check();
        self.run(LATENCY);
    }

    // ------------------------------------------------------------ when

    /// A response bears this version.
    pub fn header(&mut self, name: Name) {
        let (id, mode) = (self.id(name), self.mode);
        if !self.settings.endpoint {
            self.watch.word = Some(name);
        }
        self.tell(|version, around| version.seen(id, mode, around));
    }

    /// A response is 426.
    pub fn refuse(&mut self) {
        let mode = self.mode;
        if !self.settings.endpoint && self.shown().latest.is_none_or(|latest| latest == 0) {
            self.watch.word = Some('?');
        }
        self.tell(|version, around| version.refused(mode, around));
    }

    /// The host says that the endpoint answered, which nobody asked.
    pub fn answer_unasked(&mut self, name: Name) {
        let (id, mode) = (self.id(name), self.mode);
        self.tell(|version, around| version.checked(Some((id, mode)), around));
    }

    pub fn check(&mut self) {
        self.watch.waits(self.now);
        self.tell(Version::check);
    }

    pub fn chunk_failed(&mut self) {
        self.watch.waits(self.now);
        self.tell(Version::chunk_failed);
    }

    pub fn active(&mut self) {
        self.watch.active(self.now);
        self.tell(Version::active);
    }

    pub fn hold(&mut self, held: bool) {
        self.watch.held = held;
        self.tell(|version, around| version.hold(held, around));
    }

    pub fn drafts(&mut self, unsaved: bool) {
        self.unsaved.drafts = unsaved;
        self.wake();
    }

    pub fn requests(&mut self, running: bool) {
        self.unsaved.requests = running;
        self.wake();
    }

    /// A changed field has the focus, or loses it.
    pub fn edit(&mut self, editing: bool) {
        self.editing = editing;
        if !editing {
            self.tell(Version::released);
        }
    }

    pub fn apply(&mut self) {
        if self.shown().latest.is_none_or(|latest| latest == 0) {
            self.watch.waits(self.now);
        } else if self.shown().status != Status::Reloading {
            self.watch.applied_at = Some(self.now);
        }
        self.tell(Version::apply);
    }

    pub fn dismiss(&mut self) {
        if let Some(latest) = self.shown().latest.filter(|latest| *latest != 0) {
            self.watch.dismissed(latest);
        }
        self.tell(Version::dismiss);
    }

    pub fn show(&mut self, visible: bool) {
        self.visible = visible;
        self.tell(Version::visible);
    }

    pub fn network(&mut self, online: bool) {
        self.online = online;
        self.tell(Version::network);
    }

    pub fn restore(&mut self) {
        self.tell(Version::restored);
    }

    /// The device sleeps: no timer rings, and what was under way comes late.
    pub fn sleep(&mut self, time: u64) {
        self.now += time;
        self.watch.slept(time);
        self.wake();
    }

    /// The clock of the device is set by so much.
    pub fn set_clock(&mut self, by: i64) {
        self.clock_off_by += by;
        self.watch.leapt();
    }

    /// The person reloads the page, or the browser does after it threw the page away.
    pub fn reload_by_hand(&mut self) {
        let name = self.serves.unwrap_or(self.page);
        self.load(name);
    }

    pub fn stop(&mut self) {
        self.version.stop();
        self.drain();
        self.timer = self.version.next_wake().map(|_| self.now);
    }

    pub fn run(&mut self, time: u64) {
        let until = self.now + time;
        loop {
            let comes = self.coming.first_key_value().map(|((at, _), _)| (*at).max(self.now));
            let rings = self.timer.map(|at| at.max(self.now));
            let Some(next) = comes.into_iter().chain(rings).min().filter(|next| *next <= until) else { break };
            self.now = next;
            if comes == Some(next) {
                let (_, coming) = self.coming.pop_first().expect("something comes");
                self.arrive(coming);
                continue;
            }
            let mut wakes = 0;
            while self.timer.is_some_and(|at| at <= self.now) {
                wakes += 1;
                assert!(wakes <= WAKES_IN_A_MOMENT_MAX, "the host spins");
                self.wake();
            }
        }
        self.now = until;
        self.watch.check(self.now);
    }

    /// Runs until the page was reloaded once more.
    #[track_caller]
    pub fn run_until_reloaded(&mut self) -> u64 {
        let (before, from) = (self.reloads.len(), self.now);
        while self.reloads.len() == before {
            assert!(self.now - from < HOUR, "it was not reloaded: {:?}", self.shown());
            self.run(10);
        }
        self.reloads[before].0
    }

    // ------------------------------------------------------------ then

    /// What the app is shown.
    pub fn shown(&self) -> Snapshot {
        self.watch.shown
    }

    /// How often it was said.
    pub fn said(&self, what: VersionOutput) -> usize {
        self.said_at(what).len()
    }

    pub fn said_at(&self, what: VersionOutput) -> Vec<u64> {
        self.log.iter().filter(|(_, output)| *output == what).map(|(at, _)| *at).collect()
    }

    pub fn forget(&mut self) {
        self.log.clear();
    }

    #[track_caller]
    pub fn assert_not_reloaded(&self) {
        assert_eq!(self.reloads, []);
    }

    /// What a name is to the page that runs now.
    pub fn id(&self, name: Name) -> VersionId {
        match name {
            '?' => UNNAMED,
            name if name == self.page => 0,
            name => name as VersionId,
        }
    }

    // ------------------------------------------------------------ how

    fn name(&self, id: VersionId) -> Name {
        match id {
            UNNAMED => '?',
            0 => self.page,
            id => char::from_u32(id).expect("a name"),
        }
    }

    fn host(&self) -> u64 {
        (EPOCH + self.now).saturating_add_signed(self.clock_off_by)
    }

    /// A page comes, as of what the tab's storage tells.
    fn load(&mut self, name: Name) {
        self.page = name;
        let host = Timestamp(self.host());
        self.clock = Clock::new(host);
        self.note(name);
        let used = self.record.iter().map(|(name, at)| (self.id(*name), Timestamp(*at))).collect();
        let used = self.storage_works.then_some(used);
        self.watch.loaded(self.now, self.storage_works);
        self.unsaved = Unsaved::default();
        self.editing = false;
        let around = &mut Around {
            now: self.clock.now(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
            unsaved: self.unsaved,
        };
        self.version = Version::new(self.settings, used, around);
        self.coming.clear();
        self.due = None;
        self.wake();
    }

    fn note(&mut self, name: Name) {
        if self.storage_works {
            self.record.retain(|(other, _)| *other != name);
            self.record.push((name, self.host()));
            self.watch.used(name, self.now);
        }
    }

    fn wake(&mut self) {
        self.tell(|_, _| {});
    }

    fn tell(&mut self, act: impl FnOnce(&mut Version, &mut Around)) {
        let slept = self.clock.observe(Timestamp(self.host()), self.due, !self.visible);
        let around = &mut Around {
            now: self.clock.now(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
            unsaved: self.unsaved,
        };
        if slept {
            self.version.slept(around);
        }
        act(&mut self.version, around);
        self.version.wake(around);
        self.drain();
        self.due = self.version.next_wake();
        self.timer = self.due.map(|at| self.now + at.since(self.clock.now()).as_millis());
        assert!(self.timer.is_none_or(|at| at - self.now <= WAIT_MAX), "a wait without an end");
    }

    fn drain(&mut self) {
        while let Some(output) = self.version.poll() {
            self.log.push((self.now, output));
            self.perform(output);
        }
    }

    fn perform(&mut self, output: VersionOutput) {
        match output {
            VersionOutput::Check => {
                self.watch.asked();
                match self.endpoint {
                    Endpoint::Says(name) => self.soon(Coming::Answer(Some(name))),
                    Endpoint::Fails => self.soon(Coming::Answer(None)),
                    Endpoint::Silent => {}
                }
            }
            VersionOutput::Cancel => {
                self.watch.cancelled();
                self.coming.retain(|_, coming| !matches!(coming, Coming::Answer(_)));
            }
            VersionOutput::Checked => self.watch.answered(),
            VersionOutput::Show(snapshot) => self.watch.shows(snapshot),
            VersionOutput::Notice => self.watch.notice(),
            VersionOutput::Flush => {}
            VersionOutput::Prepare(_) if self.stuck => {}
            VersionOutput::Prepare(asked) => {
                let held = self.editing && !asked;
                self.soon(Coming::Prepared(if held { Prepared::Held } else { Prepared::Ready }));
            }
            VersionOutput::Reload(id, by_person) => self.reload(id, by_person),
        }
    }

    fn reload(&mut self, id: VersionId, by_person: bool) {
        let target = self.name(id);
        if by_person {
            self.watch.applied_at = None;
        } else {
            self.watch.may_reload(self.now, target, self.online, self.visible, self.unsaved);
        }
        if !self.storage_works && !by_person {
            return self.tell(Version::unrecorded);
        }
        self.note(self.page);
        self.note(target);
        self.reloads.push((self.now, target, by_person));
        if !self.declines {
            self.load(self.serves.unwrap_or(target));
        }
    }

    fn arrive(&mut self, coming: Coming) {
        match coming {
            Coming::Answer(found) => {
                self.watch.heard(found);
                let found = found.map(|name| (self.id(name), self.mode));
                self.tell(|version, around| version.checked(found, around));
            }
            Coming::Prepared(prepared) => self.tell(|version, around| version.prepared(prepared, around)),
        }
    }

    fn soon(&mut self, coming: Coming) {
        self.arrivals += 1;
        self.coming.insert((self.now + LATENCY, self.arrivals), coming);
    }
}
