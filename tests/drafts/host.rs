//! What the host of a page does around its machine: it writes, asks, compares texts, and hears of the other tabs.

use evenkeel::core::draft::restore::{Remote, Source};
use evenkeel::core::draft::{DraftInput, DraftOutput, Owner, Place, Sent, Status, Stored, Theirs};
use evenkeel::core::kind::Kind;
use evenkeel::core::verify::Verified;

use super::device::{Holder, Record, Tombstone};
use super::page::Page;
use super::server::{Answer, Ask, Fate};
use super::texts::{Text, User};
use super::world::{DISK, LATENCY, MINUTE, PageId, READ_TIMEOUT, TIMEOUT, World};

/// Requests of one page in a minute of whatever anybody does.
const REQUESTS_A_MINUTE_MAX: usize = 120;

#[derive(Clone, Copy, Debug)]
pub enum What {
    Read,
    Save { text: Text, edits: u32 },
    Clear { holder: Holder, stamp: u64 },
}

#[derive(Clone, Debug)]
pub enum Coming {
    Arrive {
        page: PageId,
        number: u32,
        what: What,
        ask: Ask,
        expected: User,
        fate: Fate,
        late: bool,
    },
    Answered {
        page: PageId,
        number: u32,
        what: What,
        answer: Answer,
    },
    Loaded {
        page: PageId,
    },
    Put {
        page: PageId,
        record: Record,
        edits: u32,
        stored: Stored,
    },
    /// There is nothing to put.
    Said {
        page: PageId,
        edits: u32,
        stored: Stored,
    },
    Buried {
        page: PageId,
        stamp: u64,
        submitted: Option<Text>,
    },
    Heard {
        page: PageId,
        holder: Holder,
        stamp: u64,
    },
    Verified {
        page: PageId,
    },
    Learnt {
        page: PageId,
    },
}

impl World {
    // ------------------------------------------------------------ whose it is

    pub fn see(&mut self, page: PageId) {
        let shown = &mut self.pages[page];
        if matches!(shown.holder, Holder::User(_)) {
            return;
        }
        let holder = match shown.believed {
            None => Holder::Unknown(shown.tab),
            Some(None) => Holder::Tab(shown.tab),
            Some(Some(user)) => Holder::User(user),
        };
        if holder != shown.holder {
            shown.absorbed.extend(shown.last.map(|(holder, stamp)| (holder, shown.writer, stamp)));
            shown.holder = holder;
            // Not for this owner.
            shown.kept = 0;
            let cleared_at = shown.cleared_at;
            if let Some(tombstone) = &mut shown.tombstone
                && tombstone.stamp == cleared_at
                && holder != Holder::Tab(shown.tab)
            {
                tombstone.holder = holder;
                let device = shown.device;
                self.bury_for(page, device, holder, cleared_at, true);
            }
        }
    }

    /// Whether who is signed in is whose draft it is, as far as this page knows.
    pub fn look(&mut self, page: PageId) -> bool {
        self.see(page);
        let shown = &mut self.pages[page];
        let owner = owner_of(shown.believed);
        let holder = shown.holder;
        if std::mem::replace(&mut shown.owned, owner) != owner {
            self.tell(page, DraftInput::Owned(owner));
        }
        matches!((owner, holder), (Owner::User(owner), Holder::User(user)) if owner == user)
    }

    // ------------------------------------------------------------ what the machine wants

    pub fn perform(&mut self, id: PageId, output: DraftOutput) {
        match output {
            DraftOutput::Load => {
                self.pages[id].loaded = false;
                let at = self.now + DISK;
                if self.stuck != Some(self.pages[id].device) {
                    self.at(at, Coming::Loaded { page: id });
                }
            }
            DraftOutput::Read(number) => {
                (self.pages[id].reading, self.pages[id].found) = (number, None);
                self.request(id, number, What::Read, Ask::Read);
            }
            DraftOutput::Store(base) => self.store(id, base),
            DraftOutput::Upload(number, base, _) => self.upload(id, number, base),
            DraftOutput::Bury => {
                let stamp = self.pages[id].cleared_at;
                let at = self.busy(id);
                let page = &mut self.pages[id];
                page.tombstone = Some(Tombstone { holder: page.holder, stamp, unheard: true, rev: None });
                let submitted = page.confirmed.filter(|_| page.submitted);
                self.at(at, Coming::Buried { page: id, stamp, submitted });
            }
            DraftOutput::Clear(number) => {
                let Page { device, holder, tombstone, .. } = self.pages[id];
                let stamp = tombstone.map_or(0, |tombstone| tombstone.stamp);
                self.request(id, number, What::Clear { holder, stamp }, Ask::Clear { device, stamp });
            }
            DraftOutput::Restored(source) => self.take(id, source),
            DraftOutput::Drop => {
                let page = &mut self.pages[id];
                let device = page.device;
                let own = page.last.take().map(|(holder, stamp)| (holder, page.writer, stamp));
                let absorbed = std::mem::take(&mut page.absorbed);
                let records = std::mem::take(&mut page.local_records);
                for (holder, writer, stamp) in absorbed.into_iter().chain(records).chain(own) {
                    self.devices[device].remove(holder, writer, stamp);
                }
                let page = &mut self.pages[id];
                page.submit(page.since);
            }
            DraftOutput::Show(shown) => {
                let page = &mut self.pages[id];
                page.shown = shown;
                // It was not restored, but is what stands against the clear.
                if shown.conflict == Some(Theirs::Cleared) && std::mem::take(&mut page.withheld) {
                    page.take_local();
                    if let (Holder::User(user), Some(data)) = (page.holder, page.data) {
                        self.texts.found_out(data, Some(user));
                    }
                }
                self.check(id);
            }
            DraftOutput::Verify => {
                let at = self.now + 2 * LATENCY;
                self.at(at, Coming::Verified { page: id });
            }
            _ => {}
        }
    }

    /// 'saved' is said only of what is there.
    fn check(&mut self, id: PageId) {
        let page = &self.pages[id];
        let Some(data) = page.data.filter(|_| page.shown.status == Status::Saved) else { return };
        match page.shown.saved_to {
            Place::Server => {
                let Holder::User(user) = page.holder else { panic!("nobody has a server") };
                assert!(self.server.accepted.contains(&(user, data)), "{data} is not at the server");
            }
            _ => {
                let records = &self.devices[page.device].records;
                let accepted = self.server.accepted.iter().any(|(_, text)| *text == data);
                let is_there = accepted || records.iter().any(|record| self.texts.has_seen(record.text, data));
                assert!(page.shown.saved_to == Place::Device && is_there, "{data} is not on the device");
            }
        }
    }

    fn busy(&mut self, id: PageId) -> u64 {
        let page = &mut self.pages[id];
        page.busy_until = page.busy_until.max(self.now) + DISK;
        page.busy_until
    }

    fn store(&mut self, id: PageId, base: Option<u64>) {
        let (device, at) = (self.pages[id].device, self.busy(id));
        let stamp = self.stamp(device);
        let page = &mut self.pages[id];
        page.base = base;
        let edits = page.edits;
        let Some(data) = page.data else {
            return self.at(at, Coming::Said { page: id, edits, stored: Stored::Same });
        };
        let (text, save) = page.write();
        let same = page.confirmed == Some(data);
        page.same = same;
        if same && page.submitted {
            let own = page.last.take();
            page.kept = edits;
            if let Some((holder, stamp)) = own {
                self.devices[device].remove(holder, self.pages[id].writer, stamp);
            }
            return self.at(at, Coming::Said { page: id, edits, stored: Stored::Same });
        }
        let dirty = !same || !page.endpoint;
        let record = Record {
            holder: page.holder,
            writer: page.writer,
            stamp,
            since: page.since,
            text,
            base,
            dirty,
            save,
            lineage: page.lineage.clone(),
        };
        let refused = page.refused.filter(|(of, _)| *of == save);
        page.same |= refused.is_some();
        let stored = match refused {
            Some((_, kind)) => Stored::Refused(kind),
            None if same => Stored::Same,
            None => Stored::Dirty,
        };
        if self.stuck != Some(device) {
            self.at(at, Coming::Put { page: id, record, edits, stored });
        }
    }

    /// The tail: what is not in the database is written at once.
    pub fn keep(&mut self, id: PageId) {
        let device = self.pages[id].device;
        let stamp = self.stamp(device);
        let page = &mut self.pages[id];
        if page.edits <= page.kept || page.data.is_none() || !page.alive {
            return;
        }
        let (text, save) = page.write();
        let same = page.confirmed == Some(text);
        if same && page.submitted {
            return;
        }
        let (dirty, lineage) = (!same || !page.endpoint, page.lineage.clone());
        let Page { holder, writer, since, base, .. } = *page;
        page.last = Some((holder, stamp));
        for (holder, writer, stamp) in std::mem::take(&mut page.absorbed) {
            self.devices[device].remove(holder, writer, stamp);
        }
        let record = Record { holder, writer, stamp, since, text, base, dirty, save, lineage };
        self.devices[device].put(record, &mut self.texts);
    }

    fn upload(&mut self, id: PageId, number: u32, base: Option<u64>) {
        let page = &mut self.pages[id];
        if page.same {
            return;
        }
        page.attempt = number;
        page.before = page.confirmed.take();
        let (text, save) = page.written.expect("it was written");
        let edits = page.edits;
        self.request(id, number, What::Save { text, edits }, Ask::Save { text, save, base });
    }

    fn request(&mut self, id: PageId, number: u32, what: What, ask: Ask) {
        if !self.look(id) {
            return self.at(self.now, Coming::Answered { page: id, number, what, answer: Answer::OtherUser });
        }
        let now = self.now;
        self.asked.retain(|(at, _)| now - at < MINUTE);
        self.asked.push((now, id));
        let mine = self.asked.iter().filter(|(_, page)| *page == id).count();
        assert!(mine <= REQUESTS_A_MINUTE_MAX, "{mine} requests in a minute");
        let page = &self.pages[id];
        let Holder::User(expected) = page.holder else { panic!("nobody asks") };
        if let Ask::Save { text, .. } = ask {
            self.texts.found_out(text, Some(expected));
        }
        if !self.devices[page.device].online {
            let answer = Answer::Later(Kind::Offline, None);
            return self.at(now + 1, Coming::Answered { page: id, number, what, answer });
        }
        let fate = self.server.fates.pop_front().unwrap_or(Fate::Fine);
        let patience = if matches!(what, What::Read) { READ_TIMEOUT } else { TIMEOUT };
        let (arrives, late) = match fate {
            Fate::Late(by) => (now + by, true),
            _ => (now + LATENCY, false),
        };
        let slow = matches!(fate, Fate::Slow(by) if LATENCY + by > patience);
        if matches!(fate, Fate::Lost | Fate::AnswerLost | Fate::Late(_)) || slow {
            let answer = Answer::Later(Kind::Timeout, None);
            self.at(now + patience, Coming::Answered { page: id, number, what, answer });
        }
        if !matches!(fate, Fate::Lost | Fate::Never) {
            self.at(arrives, Coming::Arrive { page: id, number, what, ask, expected, fate, late });
        }
    }

    /// What was found is what the page holds from now on, unless somebody typed.
    fn take(&mut self, id: PageId, source: Source) {
        let open = |page: &PageId| *page != id && self.pages[*page].data.is_some();
        let held: Vec<Option<Text>> = self
            .pages_of(self.pages[id].device)
            .iter()
            .filter(|page| open(page))
            .map(|page| self.pages[*page].data)
            .collect();
        let page = &mut self.pages[id];
        let typed = page.typed();
        if let Some(local) = &page.local
            && held.iter().flatten().any(|held| self.texts.has_seen(*held, local.text))
        {
            self.texts.taken(local.text);
        }
        if source == Source::Server || page.found.is_some() {
            page.theirs = page.found.take();
        }
        let found = match source {
            Source::Nothing => None,
            Source::Device => page.local.as_ref().map(|local| local.text),
            Source::Server => Some(page.theirs.expect("the server has it").text),
        };
        if let (Some(found), Holder::User(user)) = (found, page.holder) {
            self.texts.found_out(found, Some(user));
            assert_eq!(self.texts.owner(found), Some(user), "whose text it is");
        }
        if typed {
            let records = std::mem::take(&mut page.local_records);
            if source == Source::Device && page.other.is_none() && !records.is_empty() {
                page.other = page.local.clone();
            }
        }
        if let Some(local) = page.local.as_ref().filter(|local| source == Source::Device && local.base.is_none())
            && page.tombstone.is_some_and(|tombstone| tombstone.unheard)
        {
            // It counts as typed after this device's clear. A page that asked nothing may have sent it all the same, and
            // another device may have cleared that.
            self.texts.pardon(local.text);
        }
        match source {
            Source::Server if typed && page.theirs.is_some_and(|theirs| theirs.same || theirs.own) => page.adopt(),
            Source::Server if typed => {}
            Source::Server => page.take_theirs(),
            Source::Device if !typed && page.local.is_some() => page.take_local(),
            Source::Nothing if !typed => page.withheld = page.local.is_some(),
            _ => {}
        }
        page.reading = 0;
        page.restored.push(found.map(|found| (found, source)));
    }

    // ------------------------------------------------------------ what comes back

    pub fn arrive(&mut self, coming: Coming) {
        match coming {
            Coming::Arrive { page, number, what, ask, expected, fate, late } => {
                let device = self.pages[page].device;
                let cookie = self.devices[device].cookie;
                let answer = match fate {
                    Fate::Says(answer) => answer,
                    _ => self.server.answer(ask, cookie, expected, self.clears(expected), &mut self.texts),
                };
                self.server.log.push((self.now, ask));
                let patience = if matches!(what, What::Read) { READ_TIMEOUT } else { TIMEOUT };
                let slow = matches!(fate, Fate::Slow(by) if LATENCY + by > patience);
                if fate != Fate::AnswerLost && !late && !slow {
                    let by = if let Fate::Slow(by) = fate { by } else { LATENCY };
                    self.at(self.now + by, Coming::Answered { page, number, what, answer });
                }
            }
            Coming::Answered { page, number, what, answer } if self.pages[page].alive => {
                self.answered(page, number, what, answer);
            }
            Coming::Loaded { page } if self.pages[page].alive => {
                let shown = &self.pages[page];
                let typed = shown.typed();
                let counts =
                    |record: &Record| !typed || !(record.writer == shown.writer || shown.lineage.has(record.save));
                let chosen = self.devices[shown.device].choose(&shown.holders(), counts);
                let local = self.pages[page].take_choice(chosen, typed);
                let nothing = !local.text && !local.void && !local.unheard && !local.other;
                self.tell(page, DraftInput::Loaded((!nothing).then_some(local)));
            }
            Coming::Put { page, record, edits, stored } if self.pages[page].alive => {
                self.put(page, record, edits, stored);
            }
            Coming::Said { page, edits, stored } if self.pages[page].alive => {
                self.settle(page, edits, stored);
                self.tell(page, DraftInput::Stored(stored));
            }
            Coming::Buried { page, stamp, submitted } => self.bury(page, stamp, submitted),
            Coming::Heard { page, holder, stamp }
                if self.pages[page].alive && self.pages[page].holders().contains(&holder) =>
            {
                self.hear_cleared(page, stamp);
            }
            Coming::Verified { page } if self.pages[page].alive => {
                let cookie = self.devices[self.pages[page].device].cookie;
                let verified = cookie.map_or(Verified::SignedOut, Verified::SignedIn);
                self.pages[page].believed = Some(cookie);
                self.act(page, |page, _| page.drafts.verified(verified));
                self.look(page);
            }
            Coming::Learnt { page } if self.pages[page].alive => self.learn(page),
            _ => {}
        }
    }

    /// Whether the server has yet to hear that a draft was cleared.
    fn clears(&self, user: User) -> bool {
        let mut tombstones = self.devices.iter().filter_map(|device| device.tombstone(Holder::User(user)));
        tombstones.any(|tombstone| tombstone.unheard)
    }

    fn settle(&mut self, id: PageId, edits: u32, stored: Stored) {
        if stored == Stored::Same {
            self.pages[id].settled = self.pages[id].settled.max(edits);
        }
    }

    fn put(&mut self, id: PageId, record: Record, edits: u32, stored: Stored) {
        let device = self.pages[id].device;
        if self.devices[device].full {
            return self.tell(id, DraftInput::Stored(Stored::Failed));
        }
        let (holder, stamp, since, text) = (record.holder, record.stamp, record.since, record.text);
        if let Holder::User(user) = holder {
            self.texts.found_out(text, Some(user));
        }
        let tombstone = self.devices[device].put(record, &mut self.texts);
        let page = &mut self.pages[id];
        if holder == page.holder {
            page.last = Some((holder, stamp));
        } else {
            // It was found out meanwhile whose it is.
            page.absorbed.push((holder, page.writer, stamp));
        }
        page.kept = page.kept.max(edits);
        if holder == page.holder {
            for (holder, writer, stamp) in std::mem::take(&mut page.absorbed) {
                if (holder, writer) != (page.holder, page.writer) {
                    self.devices[device].remove(holder, writer, stamp);
                }
            }
        }
        let page = &mut self.pages[id];
        if !page.endpoint && since == page.since {
            page.confirmed = Some(text);
            page.submitted = false;
        }
        if tombstone > since {
            self.hear_cleared(id, tombstone);
        }
        self.settle(id, edits, stored);
        self.tell(id, DraftInput::Stored(stored));
    }

    fn bury(&mut self, id: PageId, stamp: u64, submitted: Option<Text>) {
        let page = &self.pages[id];
        let (device, endpoint) = (page.device, page.endpoint);
        if let Some(submitted) = submitted {
            self.texts.cleared(submitted, stamp);
        }
        for holder in self.pages[id].holders() {
            let unheard = endpoint && matches!(holder, Holder::User(_));
            self.bury_for(id, device, holder, stamp, unheard);
        }
        let page = &mut self.pages[id];
        page.last = None;
        page.absorbed.clear();
        self.tell(id, DraftInput::Buried);
    }

    fn bury_for(&mut self, id: PageId, device: usize, holder: Holder, stamp: u64, unheard: bool) {
        let open: Vec<Text> = self.pages_of(device).iter().filter_map(|page| self.pages[*page].data).collect();
        self.devices[device].bury(holder, stamp, unheard, &open, &mut self.texts);
        for other in self.pages_of(device) {
            if other != id {
                let at = self.now + 1 + self.rng.u64(0..3) * DISK;
                self.at(at, Coming::Heard { page: other, holder, stamp });
            }
        }
    }

    fn hear_cleared(&mut self, id: PageId, stamp: u64) {
        let page = &mut self.pages[id];
        if stamp <= page.since || stamp <= page.cleared_at {
            return;
        }
        page.cleared_at = stamp;
        page.last = None;
        self.tell(id, DraftInput::ClearedElsewhere);
        if self.pages[id].shown.status == Status::Idle {
            self.pages[id].submit(stamp);
        }
    }

    fn answered(&mut self, id: PageId, number: u32, what: What, answer: Answer) {
        match what {
            What::Read => {
                // The host compares with what the device has.
                if !self.pages[id].loaded && !self.pages[id].restored.is_empty() {
                    self.pages[id].loaded = true;
                }
                if number != self.pages[id].reading {
                    return;
                }
                if !self.pages[id].loaded && self.stuck.is_none() {
                    return self.at(self.now + 1, Coming::Answered { page: id, number, what, answer });
                }
                let remote = self.pages[id].remote(answer);
                self.tell(id, DraftInput::Read(number, remote));
            }
            What::Save { text, edits } => {
                let sent = self.saved_as(id, number, text, edits, answer);
                self.tell(id, DraftInput::Sent(number, sent));
            }
            What::Clear { holder, stamp } => {
                if let Answer::Accepted(rev) = answer {
                    let device = self.pages[id].device;
                    self.devices[device].heard(holder, stamp, rev);
                }
                self.tell(id, DraftInput::Gone(number, answer.sent()));
            }
        }
    }

    /// What the answer says of the text that was sent.
    fn saved_as(&mut self, id: PageId, number: u32, text: Text, edits: u32, answer: Answer) -> Sent {
        let page = &mut self.pages[id];
        let newest = page.attempt == number;
        match answer {
            Answer::Is(_) if !newest => return Sent::Stale(Remote::Unknown),
            Answer::Is(copy) => {
                let lineage = page.lineage.clone();
                let remote = page.compare(copy, Some(text), &lineage);
                if page.theirs.is_some_and(|theirs| theirs.same || theirs.own) {
                    page.adopt();
                }
                return Sent::Stale(remote);
            }
            Answer::Accepted(_) if newest => {
                page.confirmed = Some(text);
                page.submitted = false;
                page.settled =
                    page.settled.max(if page.written.is_some_and(|(written, _)| written == text) { edits } else { 0 });
            }
            Answer::Accepted(_) | Answer::Later(..) => {}
            Answer::Refused(kind) => {
                if newest {
                    page.confirmed = page.before;
                    let refused = page.written.filter(|(written, _)| *written == text).map(|(_, save)| (save, kind));
                    page.refused = refused;
                }
            }
            Answer::Unauthorized | Answer::OtherUser | Answer::Absent | Answer::Outdated => {
                if newest {
                    page.confirmed = page.before;
                }
            }
        }
        if answer == Answer::Absent {
            page.endpoint = false;
        }
        answer.sent()
    }
}

pub fn owner_of(believed: Option<Option<User>>) -> Owner {
    match believed {
        None => Owner::Pending,
        Some(None) => Owner::Nobody,
        Some(Some(user)) => Owner::User(user),
    }
}
