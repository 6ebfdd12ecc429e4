//! One device: what its storage holds, and who is signed in.

use super::page::{Lineage, SaveId};
use super::texts::{Text, Texts, User};

/// Whose a record is: a person's, or a tab's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    User(User),
    Tab(usize),
    /// A tab's, until it is known who types there.
    Unknown(usize),
}

#[derive(Clone, Debug)]
pub struct Record {
    pub holder: Holder,
    pub writer: u32,
    pub stamp: u64,
    pub since: u64,
    pub text: Text,
    pub base: Option<u64>,
    pub dirty: bool,
    pub save: SaveId,
    pub lineage: Lineage,
}

#[derive(Clone, Copy, Debug)]
pub struct Tombstone {
    pub holder: Holder,
    pub stamp: u64,
    pub unheard: bool,
    pub rev: Option<u64>,
}

#[derive(Debug)]
pub struct Device {
    /// Who is signed in.
    pub cookie: Option<User>,
    pub online: bool,
    pub records: Vec<Record>,
    pub tombstones: Vec<Tombstone>,
    stamp: u64,
    /// The storage takes nothing.
    pub full: bool,
}

/// What of all that is there is to go on with.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    pub local: Option<Record>,
    pub void: bool,
    pub other: Option<Record>,
    pub tombstone: Option<Tombstone>,
    /// Of no use, once `local` is stored by who asks.
    pub absorbed: Vec<(Holder, u32, u64)>,
}

impl Device {
    pub fn new(cookie: Option<User>) -> Device {
        Device { cookie, online: true, records: Vec::new(), tombstones: Vec::new(), stamp: 0, full: false }
    }

    pub fn stamp(&mut self, now: u64) -> u64 {
        self.stamp = now.max(self.stamp + 1);
        self.stamp
    }

    pub fn tombstone(&self, holder: Holder) -> Option<Tombstone> {
        self.tombstones.iter().find(|tombstone| tombstone.holder == holder).copied()
    }

    /// The stamp of the tombstone that stands there; 0: none.
    pub fn put(&mut self, record: Record, texts: &mut Texts) -> u64 {
        texts.kept(record.text);
        let stamp = self.tombstone(record.holder).map_or(0, |tombstone| tombstone.stamp);
        let place = |other: &Record| (other.holder, other.writer) == (record.holder, record.writer);
        // The tail may hold a newer one than the database.
        if self.records.iter().any(|other| place(other) && other.stamp > record.stamp) {
            return stamp;
        }
        self.records.retain(|other| !place(other));
        self.records.push(record);
        stamp
    }

    /// `open`: what pages hold, which is not lost with their records.
    pub fn bury(&mut self, holder: Holder, stamp: u64, unheard: bool, open: &[Text], texts: &mut Texts) {
        let is_void = |record: &Record| record.holder == holder && record.since < stamp;
        for record in self.records.iter().filter(|record| is_void(record)) {
            if matches!(holder, Holder::User(_)) {
                texts.buried(record.text);
            }
            if !open.contains(&record.text) {
                texts.let_go(record.text);
            }
        }
        self.records.retain(|record| !is_void(record));
        self.tombstones.retain(|tombstone| tombstone.holder != holder);
        self.tombstones.push(Tombstone { holder, stamp, unheard, rev: None });
    }

    pub fn heard(&mut self, holder: Holder, stamp: u64, rev: u64) {
        let is_it = |tombstone: &&mut Tombstone| tombstone.holder == holder && tombstone.stamp == stamp;
        if let Some(tombstone) = self.tombstones.iter_mut().find(is_it) {
            (tombstone.unheard, tombstone.rev) = (false, Some(rev));
        }
    }

    /// Spares what was written since.
    pub fn remove(&mut self, holder: Holder, writer: u32, stamp: u64) {
        self.records.retain(|record| (record.holder, record.writer) != (holder, writer) || record.stamp > stamp);
    }

    pub fn forget_clean(&mut self, user: User) {
        self.records.retain(|record| record.holder != Holder::User(user) || record.dirty);
    }

    /// Of the records that `counts`.
    pub fn choose(&self, holders: &[Holder], counts: impl Fn(&Record) -> bool) -> Chosen {
        let tombstone = holders
            .iter()
            .filter_map(|holder| self.tombstone(*holder))
            .max_by_key(|tombstone| (tombstone.stamp, tombstone.unheard));
        let before = |record: &Record| tombstone.is_some_and(|tombstone| record.since < tombstone.stamp);
        let mut found: Vec<&Record> = self.records.iter().filter(|record| holders.contains(&record.holder)).collect();
        found.retain(|record| counts(record) && (record.dirty || !before(record)));
        let rank = |record: &Record| if before(record) { 2 } else { u8::from(!record.dirty) };
        found.sort_by_key(|record| (rank(record), u64::MAX - record.stamp));
        let mut chosen = Chosen { tombstone, ..Chosen::default() };
        for record in &found {
            let is_past = found.iter().any(|later| later.stamp > record.stamp && later.lineage.has(record.save));
            if !is_past && chosen.local.is_none() {
                chosen.void = before(record);
                chosen.local = Some((*record).clone());
            } else if !is_past && record.dirty && chosen.local.as_ref().is_some_and(|local| local.text != record.text) {
                chosen.other.get_or_insert_with(|| (*record).clone());
                continue;
            }
            chosen.absorbed.push((record.holder, record.writer, record.stamp));
        }
        chosen
    }
}
