//! One page with one draft, and what its host knows of the texts: the machine knows only numbers.

use std::collections::BTreeMap;

use evenkeel::core::draft::drafts::Drafts;
use evenkeel::core::draft::restore::{Local, Remote, Source};
use evenkeel::core::draft::{DraftOutput, Owner, Place, Snapshot, Status, Theirs as Against};
use evenkeel::core::random::Random;

use super::device::{Chosen, Holder, Record, Tombstone};
use super::server::{Answer, Copy};
use super::texts::Text;

/// What a save is known by: the page load that made it, and the how manieth text it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveId {
    pub writer: u32,
    pub n: u64,
}

/// All texts that a text was made from: by page load, the newest.
#[derive(Clone, Debug, Default)]
pub struct Lineage(BTreeMap<u32, u64>);

impl Lineage {
    pub fn has(&self, save: SaveId) -> bool {
        self.0.get(&save.writer).is_some_and(|n| *n >= save.n)
    }

    pub fn add(&mut self, save: SaveId) {
        let n = self.0.entry(save.writer).or_default();
        *n = save.n.max(*n);
    }

    pub fn join(&mut self, other: &Lineage) {
        other.0.iter().for_each(|(writer, n)| self.add(SaveId { writer: *writer, n: *n }));
    }
}

/// What was read of the server last, beside what this page or its device has.
#[derive(Clone, Copy, Debug)]
pub struct Theirs {
    pub text: Text,
    pub save: SaveId,
    pub own: bool,
    pub same: bool,
}

/// One page load. It outlives its person's looking at it only in the requests that are out.
#[derive(Debug)]
pub struct Page {
    pub device: usize,
    /// The same after a reload.
    pub tab: usize,
    pub alive: bool,
    pub away: bool,
    pub visible: bool,
    pub drafts: Drafts,
    pub random: Random,
    pub timer: Option<u64>,
    /// There is a server to save to.
    pub endpoint: bool,
    /// There is a session to ask.
    pub session: bool,

    /// As the page knows it; none: nobody. `None`: it is being found out.
    pub believed: Option<Option<u32>>,
    pub owned: Owner,
    pub holder: Holder,

    pub writer: u32,
    /// What the person has before their eyes.
    pub eyes: Option<Text>,
    /// What the app gave.
    pub data: Option<Text>,
    pub confirmed: Option<Text>,
    /// As it was before what is out.
    pub before: Option<Text>,
    /// What was written last says what is confirmed, or was refused.
    pub same: bool,
    pub submitted: bool,
    pub edits: u32,
    pub settled: u32,
    pub kept: u32,
    pub count: u64,
    pub written: Option<(Text, SaveId)>,
    pub refused: Option<(SaveId, evenkeel::core::kind::Kind)>,
    pub lineage: Lineage,
    pub since: u64,
    pub base: Option<u64>,
    pub last: Option<(Holder, u64)>,
    /// Everything on this device is done one after the other.
    pub busy_until: u64,
    pub attempt: u32,
    /// The newest read.
    pub reading: u32,

    pub loaded: bool,
    pub local: Option<Record>,
    pub void: bool,
    pub withheld: bool,
    pub other: Option<Record>,
    pub theirs: Option<Theirs>,
    /// As the restore that is under way read it.
    pub found: Option<Theirs>,
    pub tombstone: Option<Tombstone>,
    pub cleared_at: u64,
    pub local_records: Vec<(Holder, u32, u64)>,
    pub absorbed: Vec<(Holder, u32, u64)>,

    pub shown: Snapshot,
    pub log: Vec<(u64, DraftOutput)>,
    /// What was given to whoever asked for it.
    pub restored: Vec<Option<(Text, Source)>>,
}

impl Page {
    pub fn new(device: usize, tab: usize, writer: u32, since: u64) -> Page {
        Page {
            device,
            tab,
            alive: true,
            away: false,
            visible: true,
            drafts: Drafts::default(),
            random: Random::new(u64::from(writer)),
            timer: None,
            endpoint: true,
            session: true,
            believed: None,
            owned: Owner::Pending,
            holder: Holder::Unknown(tab),
            writer,
            eyes: None,
            data: None,
            confirmed: None,
            before: None,
            same: false,
            submitted: false,
            edits: 0,
            settled: 0,
            kept: 0,
            count: 0,
            written: None,
            refused: None,
            lineage: Lineage::default(),
            since,
            base: None,
            last: None,
            busy_until: 0,
            attempt: 0,
            reading: 0,
            loaded: false,
            local: None,
            void: false,
            withheld: false,
            other: None,
            theirs: None,
            found: None,
            tombstone: None,
            cleared_at: 0,
            local_records: Vec::new(),
            absorbed: Vec::new(),
            shown: Snapshot { status: Status::Idle, saved_to: Place::Nowhere, error: None, conflict: None },
            log: Vec::new(),
            restored: Vec::new(),
        }
    }

    /// Where its records may be.
    pub fn holders(&self) -> Vec<Holder> {
        let unknown = Holder::Unknown(self.tab);
        if self.holder == unknown { vec![unknown] } else { vec![self.holder, unknown] }
    }

    /// The person typed something of which nobody knows that it is safe, or has yet to decide.
    pub fn typed(&self) -> bool {
        let unsettled = self.data != self.confirmed || self.edits > self.settled;
        self.data.is_some() && (unsettled || self.shown.conflict.is_some())
    }

    /// Names what the page holds.
    pub fn write(&mut self) -> (Text, SaveId) {
        let data = self.data.expect("there is a text");
        if self.written.is_none_or(|(text, _)| text != data) {
            self.count += 1;
            let save = SaveId { writer: self.writer, n: self.count };
            self.written = Some((data, save));
            self.lineage.add(save);
        }
        self.written.expect("it was written")
    }

    /// What was found on the device.
    pub fn take_choice(&mut self, chosen: Chosen, typed: bool) -> Local {
        let Chosen { local, void, other, tombstone, absorbed, .. } = chosen;
        let dirty = local.as_ref().is_some_and(|local| local.dirty);
        let is_other = typed && local.as_ref().is_some_and(|local| Some(local.text) != self.data);
        let other = if is_other { local.clone().filter(|_| dirty && !void) } else { other };
        // What is shown stays, though another page may have taken it off the device.
        let shown = self.shown.conflict == Some(Against::Other);
        self.other = other.or(self.other.take().filter(|_| shown));
        self.local_records = if is_other { Vec::new() } else { absorbed };
        self.tombstone = tombstone;
        let stamp = self.buried_at();
        self.void = if typed { self.since < stamp } else { void };
        if self.void {
            self.cleared_at = stamp;
        } else {
            self.since = self.since.max(stamp);
        }
        let after = local.as_ref().is_some_and(|local| local.since >= stamp);
        let tombstone_rev = tombstone.and_then(|tombstone| tombstone.rev).filter(|_| after);
        let base = local.as_ref().and_then(|local| local.base).or(tombstone_rev);
        self.local = local;
        self.loaded = true;
        Local {
            text: self.local.is_some(),
            base,
            dirty,
            other: self.other.is_some(),
            void: self.void,
            // What was made after it from something at the server, was made after the server had heard.
            unheard: tombstone.is_some_and(|tombstone| tombstone.unheard) && (base.is_none() || self.void),
        }
    }

    /// The clear that it knows of.
    fn buried_at(&self) -> u64 {
        self.tombstone.map_or(0, |tombstone| tombstone.stamp)
    }

    /// What is typed from now on was not made from what this page wrote until now.
    fn rename(&mut self) {
        self.absorbed.extend(self.last.take().map(|(holder, stamp)| (holder, self.writer, stamp)));
        self.writer += 1_000;
    }

    /// What the device had is what the page holds.
    pub fn take_local(&mut self) {
        let local = self.local.clone().expect("there is one");
        (self.data, self.eyes) = (Some(local.text), Some(local.text));
        self.written = Some((local.text, local.save));
        self.rename();
        self.lineage = local.lineage;
        self.since = if self.void { local.since } else { local.since.max(self.buried_at()) };
        if !local.dirty {
            self.confirmed = Some(local.text);
        }
        self.submitted = false;
        let records = std::mem::take(&mut self.local_records);
        self.absorbed.extend(records);
    }

    /// What the server had is what the page holds.
    pub fn take_theirs(&mut self) {
        let theirs = self.theirs.expect("there is one");
        (self.data, self.eyes) = (Some(theirs.text), Some(theirs.text));
        self.written = Some((theirs.text, theirs.save));
        self.since = self.buried_at();
        self.rename();
        self.lineage = Lineage::default();
        let records = std::mem::take(&mut self.local_records);
        self.absorbed.extend(records);
        self.adopt();
    }

    /// What stands at the server is in what the page holds.
    pub fn adopt(&mut self) {
        let theirs = self.theirs.expect("there is one");
        self.lineage.add(theirs.save);
        self.confirmed = Some(theirs.text);
        self.submitted = false;
    }

    /// What the page held until now was submitted.
    pub fn submit(&mut self, stamp: u64) {
        self.confirmed = self.data;
        self.submitted = true;
        (self.since, self.cleared_at) = (stamp, stamp);
        self.kept = self.edits;
        self.settled = self.edits;
        self.written = None;
        self.lineage = Lineage::default();
        self.rename();
        self.attempt = 0;
        (self.local, self.other, self.theirs, self.eyes) = (None, None, None, None);
        self.withheld = false;
    }

    /// What stands at the server, beside what it is compared with.
    pub fn compare(&mut self, copy: Option<Copy>, mine: Option<Text>, lineage: &Lineage) -> Remote {
        self.theirs = None;
        let Some(Copy { rev, text, save, newer }) = copy else { return Remote::Unknown };
        let Some(text) = text else { return Remote::Tombstone(rev) };
        if newer {
            return Remote::Newer(rev);
        }
        let (same, own) = (mine == Some(text), mine.is_some() && lineage.has(save));
        self.theirs = Some(Theirs { text, save, own, same });
        Remote::Stands { rev, same, own }
    }

    /// How a read ended.
    pub fn remote(&mut self, answer: Answer) -> Remote {
        match answer {
            Answer::Is(copy) => {
                let typed = self.typed();
                let local = self.local.clone();
                let mine = if typed { self.data } else { local.as_ref().map(|local| local.text) };
                let lineage =
                    if typed { self.lineage.clone() } else { local.map(|local| local.lineage).unwrap_or_default() };
                let shown = self.theirs;
                let remote = self.compare(copy, mine, &lineage);
                self.found = std::mem::replace(&mut self.theirs, shown);
                remote
            }
            Answer::Unauthorized => Remote::Unauthorized,
            Answer::OtherUser => Remote::OtherUser,
            Answer::Absent => Remote::Absent,
            _ => Remote::Unreachable,
        }
    }
}
