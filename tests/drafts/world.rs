//! One server, and the devices of two people.

use std::collections::BTreeMap;

use evenkeel::core::draft::restore::Source;
use evenkeel::core::draft::{
    Around, Carried, Choice, DraftInput, DraftOutput, DraftSettings, Place, Snapshot, Status, Theirs,
};
use evenkeel::core::random::Random;
use evenkeel::core::time::{Duration, Timestamp};
use evenkeel::core::verify::Verified;

use super::device::{Device, Holder};
use super::host::{Coming, owner_of};
use super::page::Page;
use super::server::Server;
use super::texts::{Text, Texts, User};

const EPOCH: u64 = 1_790_000_000_000;
pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const DEBOUNCE: u64 = 2 * SECOND;
pub const MAX_WAIT: u64 = 10 * SECOND;
/// The device takes so long for everything.
pub const DISK: u64 = 5;
/// Each way.
pub const LATENCY: u64 = 50;
/// The host gives up on a request.
pub const TIMEOUT: u64 = 30 * SECOND;
pub const READ_TIMEOUT: u64 = 10 * SECOND;
/// Wakes in one moment: more make the host spin.
const WAKES_IN_A_MOMENT_MAX: u32 = 4;

pub const ANNE: User = 1;
pub const BERT: User = 2;
/// The draft's number on every page.
const ID: u32 = 7;

/// One page load of a story.
pub type PageId = usize;

/// All times are milliseconds since the story began.
pub struct World {
    pub now: u64,
    pub server: Server,
    pub devices: Vec<Device>,
    pub pages: Vec<Page>,
    pub texts: Texts,
    pub rng: fastrand::Rng,
    pub settings: DraftSettings,
    /// Pages do not hear at once who is signed in.
    pub slow_sessions: bool,
    /// Which device answers nothing.
    pub stuck: Option<usize>,
    pub coming: BTreeMap<(u64, u64), Coming>,
    arrivals: u64,
    writers: u32,
    pub asked: Vec<(u64, PageId)>,
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl World {
    /// One device where Anne is signed in, and no page yet.
    pub fn new() -> World {
        World::seeded(1)
    }

    pub fn seeded(seed: u64) -> World {
        World {
            now: 0,
            server: Server::default(),
            devices: vec![Device::new(Some(ANNE))],
            pages: Vec::new(),
            texts: Texts::default(),
            rng: fastrand::Rng::with_seed(seed),
            settings: DraftSettings { debounce: ms(DEBOUNCE), max_wait: ms(MAX_WAIT), endpoint: true },
            slow_sessions: false,
            stuck: None,
            coming: BTreeMap::new(),
            arrivals: 0,
            writers: 0,
            asked: Vec::new(),
        }
    }

    /// One that keeps drafts on the device only.
    pub fn without_server() -> World {
        let mut world = World::new();
        world.settings.endpoint = false;
        world
    }

    // ------------------------------------------------------------ given

    pub fn device(&mut self, cookie: Option<User>) -> usize {
        self.devices.push(Device::new(cookie));
        self.devices.len() - 1
    }

    /// A new page in a new tab, that knows who is signed in.
    pub fn open(&mut self, device: usize) -> PageId {
        self.open_in(device, self.pages.len(), true)
    }

    /// The same, which has yet to find out.
    pub fn open_unknown(&mut self, device: usize) -> PageId {
        self.open_in(device, self.pages.len(), false)
    }

    pub fn open_in(&mut self, device: usize, tab: usize, known: bool) -> PageId {
        self.writers += 1;
        let stamp = self.stamp(device);
        let mut page = Page::new(device, tab, self.writers, stamp);
        page.endpoint = self.settings.endpoint;
        let id = self.pages.len();
        if known {
            page.believed = Some(self.devices[device].cookie);
        }
        self.pages.push(page);
        self.see(id);
        let owner = owner_of(self.pages[id].believed);
        self.pages[id].owned = owner;
        self.tell(id, DraftInput::Open(self.settings, owner, Carried::default()));
        if !known && self.slow_sessions {
            let at = self.now + self.rng.u64(0..15 * SECOND);
            self.at(at, Coming::Learnt { page: id });
        }
        id
    }

    /// A page whose person typed, and whose text the server has.
    pub fn saved(&mut self) -> (PageId, Text) {
        let page = self.open(0);
        let text = self.edit(page);
        self.run(DEBOUNCE + 2 * DISK + 2 * LATENCY);
        assert_eq!(self.shown(page).status, Status::Saved);
        (page, text)
    }

    /// A page whose text is on the device, and which the server has not heard of: the network is gone, and so is the page.
    pub fn left_behind(&mut self, device: usize) -> Text {
        let page = self.open(device);
        self.devices[device].online = false;
        let text = self.edit(page);
        self.run(DEBOUNCE + DISK);
        self.kill(page);
        self.devices[device].online = true;
        text
    }

    // ------------------------------------------------------------ when

    /// The person types something that nobody ever typed.
    pub fn edit(&mut self, page: PageId) -> Text {
        let Page { device, eyes, believed, holder, .. } = self.pages[page];
        let owner = match holder {
            Holder::User(user) => Some(user),
            _ => believed.flatten(),
        };
        let pending = believed.is_none() && !matches!(holder, Holder::User(_));
        let at = self.stamp(device);
        let text = self.texts.typed(eyes, owner, pending, at);
        self.give(page, text);
        text
    }

    /// The app gives this text.
    pub fn give(&mut self, page: PageId, text: Text) {
        if let Some(eyes) = self.pages[page].eyes {
            self.texts.shown(text, eyes);
        }
        let shown = &mut self.pages[page];
        (shown.data, shown.eyes) = (Some(text), Some(text));
        shown.withheld = false;
        shown.edits += 1;
        self.look(page);
        self.tell(page, DraftInput::Edited);
    }

    /// What was rendered is rendered again.
    pub fn rerender(&mut self, page: PageId) {
        if self.pages[page].data.is_some() {
            self.pages[page].edits += 1;
            self.look(page);
            self.tell(page, DraftInput::Edited);
        }
    }

    pub fn flush(&mut self, page: PageId) {
        self.look(page);
        self.tell(page, DraftInput::Flush);
    }

    pub fn restore(&mut self, page: PageId) {
        self.look(page);
        self.tell(page, DraftInput::Restore);
    }

    /// Asks, and waits for the answer.
    #[track_caller]
    pub fn restored(&mut self, page: PageId) -> Option<(Text, Source)> {
        let before = self.pages[page].restored.len();
        self.restore(page);
        let from = self.now;
        while self.pages[page].restored.len() == before {
            assert!(self.now - from < 2 * MINUTE, "it is not restored");
            self.run(1);
        }
        self.pages[page].restored[before]
    }

    pub fn clear(&mut self, page: PageId) {
        self.look(page);
        let device = self.pages[page].device;
        let stamp = self.stamp(device);
        self.pages[page].submit(stamp);
        self.tell(page, DraftInput::Clear);
    }

    pub fn resolve(&mut self, page: PageId, choice: Choice) {
        self.look(page);
        let shown = &mut self.pages[page];
        let against = match shown.shown.conflict {
            None => return self.tell(page, DraftInput::Resolve(choice)),
            Some(Theirs::Server) => shown.theirs.map(|theirs| theirs.text),
            Some(Theirs::Other) => shown.other.as_ref().map(|other| other.text),
            Some(Theirs::Cleared) => None,
        };
        let mine = shown.data;
        if let (Holder::User(user), Some(against)) = (shown.holder, against) {
            self.texts.found_out(against, Some(user));
        }
        if choice == Choice::Mine && shown.submitted {
            (shown.submitted, shown.confirmed) = (false, None);
        }
        match (choice, against) {
            (Choice::Mine, Some(against)) => {
                if shown.shown.conflict == Some(Theirs::Server) {
                    let save = shown.theirs.expect("it is shown").save;
                    shown.lineage.add(save);
                } else {
                    let other = shown.other.clone().expect("it is shown");
                    shown.lineage.join(&other.lineage);
                    shown.absorbed.push((other.holder, other.writer, other.stamp));
                }
                let mine = mine.expect("there is a text");
                self.texts.shown(mine, against);
                self.texts.pardon(mine);
                self.texts.wanted(mine);
            }
            (Choice::Mine, None) => {
                shown.since = shown.cleared_at;
                let mine = mine.expect("there is a text");
                self.texts.pardon(mine);
                self.texts.wanted(mine);
            }
            (Choice::Theirs, Some(against)) => {
                if shown.shown.conflict == Some(Theirs::Server) {
                    let (lineage, since) = (shown.lineage.clone(), shown.since);
                    let records = std::mem::take(&mut shown.local_records);
                    shown.take_theirs();
                    shown.local_records = records;
                    shown.lineage.join(&lineage);
                    shown.since = since;
                } else {
                    let other = shown.other.clone().expect("it is shown");
                    (shown.data, shown.eyes) = (Some(other.text), Some(other.text));
                    shown.written = Some((other.text, other.save));
                    shown.lineage.join(&other.lineage);
                    shown.absorbed.push((other.holder, other.writer, other.stamp));
                }
                let mine = mine.expect("there is a text");
                self.texts.shown(against, mine);
                self.texts.let_go(mine);
                self.texts.pardon(against);
            }
            (Choice::Theirs, None) => {
                let at = shown.cleared_at;
                shown.submit(at);
                if let Some(mine) = mine {
                    self.texts.let_go(mine);
                }
            }
        }
        self.tell(page, DraftInput::Resolve(choice));
    }

    pub fn show(&mut self, page: PageId, visible: bool) {
        self.pages[page].visible = visible;
        if !visible {
            self.keep(page);
        }
        self.act(page, |page, around| page.drafts.visible(page.visible, around));
    }

    /// The page goes into the back/forward cache, or comes back.
    pub fn away(&mut self, page: PageId, away: bool) {
        self.pages[page].away = away;
        if away {
            self.keep(page);
        }
        self.act(page, |page, around| page.drafts.away(page.away, around));
    }

    /// It is hidden, it goes, and its place is taken by the next one of the same address.
    pub fn reload(&mut self, page: PageId) -> PageId {
        self.leave(page);
        let Page { device, tab, .. } = self.pages[page];
        let known = !self.slow_sessions || self.rng.bool();
        self.open_in(device, tab, known)
    }

    /// It is closed as pages are.
    pub fn leave(&mut self, page: PageId) {
        self.show(page, false);
        self.away(page, true);
        self.kill(page);
    }

    /// Its process ends: no word, and nothing more is written.
    pub fn kill(&mut self, page: PageId) {
        self.pages[page].alive = false;
        self.pages[page].timer = None;
    }

    pub fn network(&mut self, device: usize, online: bool) {
        self.devices[device].online = online;
        for page in self.pages_of(device) {
            self.act(page, |page, around| page.drafts.network(around));
        }
    }

    /// Somebody else signs in, or they sign out, and what the server has leaves the device. Pages know, unless sessions are slow.
    pub fn sign(&mut self, device: usize, cookie: Option<User>) {
        let before = std::mem::replace(&mut self.devices[device].cookie, cookie);
        if let (Some(user), None) = (before, cookie) {
            self.devices[device].forget_clean(user);
        }
        for page in self.pages_of(device) {
            if self.slow_sessions {
                let at = self.now + self.rng.u64(0..5 * SECOND);
                self.at(at, Coming::Learnt { page });
            } else {
                self.learn(page);
            }
        }
    }

    /// The server does not know them, and no page was told.
    pub fn sign_behind(&mut self, device: usize, cookie: Option<User>) {
        self.devices[device].cookie = cookie;
    }

    pub fn learn(&mut self, page: PageId) {
        self.pages[page].believed = Some(self.devices[self.pages[page].device].cookie);
        self.look(page);
        self.wake(page);
    }

    /// The page's machine is told this, whatever the world is like.
    pub fn say(&mut self, page: PageId, input: DraftInput) {
        self.tell(page, input);
    }

    /// The session endpoint says so.
    pub fn verified(&mut self, page: PageId, verified: Verified) {
        self.act(page, |page, _| page.drafts.verified(verified));
    }

    /// The device sleeps: no timer rings.
    pub fn sleep(&mut self, device: usize, time: u64) {
        self.now += time;
        for page in self.pages_of(device) {
            self.act(page, |page, around| page.drafts.slept(around));
        }
    }

    pub fn run(&mut self, time: u64) {
        let until = self.now + time;
        loop {
            let comes = self.coming.first_key_value().map(|((at, _), _)| (*at).max(self.now));
            let rings = |page: &Page| page.timer.filter(|_| page.alive && !page.away);
            let timer = self.pages.iter().filter_map(rings).min().map(|at| at.max(self.now));
            let Some(next) = comes.into_iter().chain(timer).min().filter(|next| *next <= until) else { break };
            self.now = next;
            if comes == Some(next) {
                let (_, coming) = self.coming.pop_first().expect("something comes");
                self.arrive(coming);
                continue;
            }
            for page in 0..self.pages.len() {
                let mut wakes = 0;
                while rings(&self.pages[page]).is_some_and(|at| at <= self.now) {
                    wakes += 1;
                    assert!(wakes <= WAKES_IN_A_MOMENT_MAX, "the host spins");
                    self.wake(page);
                }
            }
        }
        self.now = until;
    }

    // ------------------------------------------------------------ then

    pub fn shown(&self, page: PageId) -> Snapshot {
        self.pages[page].shown
    }

    #[track_caller]
    pub fn assert_shown(&self, page: PageId, status: Status, saved_to: Place) {
        let shown = self.shown(page);
        assert_eq!((shown.status, shown.saved_to), (status, saved_to), "{shown:?}");
    }

    /// What the device has for Anne.
    pub fn on_device(&self, device: usize) -> Vec<Text> {
        let records = self.devices[device].records.iter();
        records.filter(|record| record.holder == Holder::User(ANNE)).map(|record| record.text).collect()
    }

    /// When the machine said this.
    pub fn said(&self, page: PageId, what: fn(&DraftOutput) -> bool) -> Vec<u64> {
        self.pages[page].log.iter().filter(|(_, said)| what(said)).map(|(at, _)| *at).collect()
    }

    pub fn uploads(&self, page: PageId) -> Vec<u64> {
        self.said(page, |said| matches!(said, DraftOutput::Upload(..)))
    }

    pub fn stores(&self, page: PageId) -> Vec<u64> {
        self.said(page, |said| matches!(said, DraftOutput::Store(_)))
    }

    pub fn flushed(&self, page: PageId) -> usize {
        self.said(page, |said| *said == DraftOutput::Flushed).len()
    }

    /// The statuses that were shown.
    pub fn statuses(&self, page: PageId) -> Vec<Status> {
        let shows = self.pages[page].log.iter().filter_map(|(_, said)| match said {
            DraftOutput::Show(shown) => Some(shown.status),
            _ => None,
        });
        let mut statuses: Vec<Status> = shows.collect();
        statuses.dedup();
        statuses
    }

    pub fn forget(&mut self, page: PageId) {
        self.pages[page].log.clear();
    }

    pub fn unsaved(&self, page: PageId) -> bool {
        self.pages[page].drafts.unsaved()
    }

    pub fn resting(&self, page: PageId) -> bool {
        self.pages[page].drafts.resting()
    }

    pub fn pages_of(&self, device: usize) -> Vec<PageId> {
        (0..self.pages.len()).filter(|page| self.pages[*page].alive && self.pages[*page].device == device).collect()
    }

    // ------------------------------------------------------------ how

    pub fn host(&self) -> u64 {
        EPOCH + self.now
    }

    pub fn stamp(&mut self, device: usize) -> u64 {
        let host = self.host();
        self.devices[device].stamp(host)
    }

    pub fn at(&mut self, at: u64, coming: Coming) {
        self.arrivals += 1;
        self.coming.insert((at, self.arrivals), coming);
    }

    pub fn wake(&mut self, page: PageId) {
        self.act(page, |_, _| {});
    }

    pub fn tell(&mut self, page: PageId, input: DraftInput) {
        self.act(page, |page, around| page.drafts.handle(ID, input, around));
    }

    pub fn act(&mut self, id: PageId, act: impl FnOnce(&mut Page, &mut Around)) {
        if !self.pages[id].alive {
            return;
        }
        let now = Timestamp(self.host());
        let page = &mut self.pages[id];
        let mut random = Random::new(page.random.seed());
        let online = self.devices[page.device].online;
        let around = &mut Around { now, random: &mut random, online, session: page.session };
        act(page, around);
        page.drafts.wake(around);
        while let Some((draft, output)) = self.pages[id].drafts.poll() {
            assert_eq!(draft, ID);
            self.pages[id].log.push((self.now, output));
            self.perform(id, output);
        }
        let page = &mut self.pages[id];
        if !page.withheld && page.reading == 0 {
            // Nobody took what was found.
            page.local_records.clear();
        }
        page.timer = page.drafts.next_wake().map(|at| at.0.saturating_sub(EPOCH));
    }
}
