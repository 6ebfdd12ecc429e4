//! One tab, and what its host keeps for it.

use std::collections::{BTreeSet, VecDeque};

use evenkeel::core::random::Random;
use evenkeel::core::tabs::{Member, Role, Tabs, TabsSettings, Word};
use evenkeel::core::time::Timestamp;

/// What the clock of the device shows when a story begins.
pub const EPOCH: u64 = 1_790_000_000_000;

/// What reaches a tab from outside.
#[derive(Clone, Copy, Debug)]
pub enum Coming {
    /// A word, and the number of the event that rides on it.
    Word(Word, u64),
    /// The request of this number was granted.
    Locked(u32),
    /// What it was granted was taken away, or it broke.
    Lost(u32),
}

pub struct Tab {
    pub tabs: Tabs,
    pub random: Random,
    pub me: Member,
    /// Closed and killed tabs never come back.
    pub alive: bool,
    /// In the group: not in the back/forward cache.
    pub joined: bool,
    pub visible: bool,
    pub frozen: bool,
    /// Timers come so often only, in milliseconds.
    pub timers_every: u64,
    /// No timer rings before this moment: the tab has just been thawed.
    pub timers_from: u64,
    /// What came while it was frozen.
    pub inbox: Vec<Coming>,
    /// The newest request for the lock.
    pub request: Option<u32>,
    /// Told that the lock is its own, and not yet that it is so no more.
    pub told_locked: bool,
    /// How far its clock is ahead of that of the device.
    pub clock_ahead: u64,
    /// The last event that it has seen, 0 before the first.
    pub place: u64,
    /// Events that went by.
    pub missed: Vec<u64>,
    /// The leadership that it listened to last, and those that it has turned away from.
    listened_to: Option<(Member, u64)>,
    past: BTreeSet<(Member, u64)>,
    strangers: bool,
    /// What was said in the last minute, for the bound on it.
    pub said_at: VecDeque<u64>,
}

impl Tab {
    pub fn new(settings: TabsSettings, me: Member, visible: bool, seed: u64) -> Tab {
        Tab {
            tabs: Tabs::new(settings, me, visible),
            random: Random::new(seed),
            me,
            alive: true,
            joined: false,
            visible,
            frozen: false,
            timers_every: 1,
            timers_from: 0,
            inbox: Vec::new(),
            request: None,
            told_locked: false,
            clock_ahead: 0,
            place: 0,
            missed: Vec::new(),
            listened_to: None,
            past: BTreeSet::new(),
            strangers: false,
            said_at: VecDeque::new(),
        }
    }

    /// In a group whose leader works once in minutes.
    pub fn patient(self) -> Tab {
        Tab { tabs: self.tabs.patient(), ..self }
    }

    /// What this tab's clock shows.
    pub fn clock(&self, now: u64) -> Timestamp {
        Timestamp(EPOCH + self.clock_ahead + now)
    }

    pub fn runs(&self) -> bool {
        self.alive && self.joined && !self.frozen
    }

    pub fn leads(&self) -> bool {
        self.runs() && self.tabs.role() == Role::Leader
    }

    /// When its timer rings next.
    pub fn rings_at(&self, now: u64) -> Option<u64> {
        if !self.alive || self.frozen {
            return None;
        }
        let wake = self.tabs.next_wake()?.0.saturating_sub(EPOCH + self.clock_ahead).max(now).max(self.timers_from);
        Some(wake.div_ceil(self.timers_every) * self.timers_every)
    }

    /// An event reached this tab, from the network or from another tab.
    pub fn see(&mut self, event: u64) {
        if event <= self.place {
            return;
        }
        if self.place != 0 {
            self.missed.extend(self.place + 1..event);
        }
        self.place = event;
    }

    /// From here on others may speak in the name of tabs, so that what it listens to tells nothing.
    pub fn hear_strangers(&mut self) {
        self.strangers = true;
    }

    /// It took a word of this leadership.
    ///
    /// # Panics
    ///
    /// When it had listened to another one since: two leaders would be heard at a time.
    pub fn listen(&mut self, word: Word) {
        let leadership = (word.from, word.epoch);
        if self.strangers || self.listened_to == Some(leadership) {
            return;
        }
        assert!(!self.past.contains(&leadership), "{} listens to {leadership:?} again", self.me);
        self.past.extend(self.listened_to.replace(leadership));
    }
}
