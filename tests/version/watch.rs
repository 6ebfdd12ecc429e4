//! What must be true in every story.

use std::collections::BTreeMap;

use evenkeel::core::version::{Snapshot, Status, Unsaved, VersionId, VersionSettings};

use super::world::{Name, SECOND};

/// A check is over after so long, and one that nobody else asked for waits a second at most.
const CHECKED_MAX: u64 = 11 * SECOND;
/// The longest that a page waits for anything that somebody waits for.
const TIMER_MAX: u64 = 15 * SECOND;

/// Watches one tab. What it knows of a page is forgotten with the page.
pub struct Watch {
    pub shown: Snapshot,
    /// The newest word of whoever decides.
    pub word: Option<Name>,
    pub held: bool,
    /// Somebody said yes, and when.
    pub applied_at: Option<u64>,
    settings: VersionSettings,
    storage_worked: bool,
    /// How often the clock was set.
    leaps: u32,
    /// When somebody was active last, and after how many leaps.
    active: (u64, u32),
    asks: bool,
    failed: bool,
    waiting_since: Option<u64>,
    noticed: Vec<VersionId>,
    dismissed: Vec<VersionId>,
    reloaded_for: Vec<Name>,
    /// What the tab ran or was reloaded for: when, and after how many leaps.
    used: BTreeMap<Name, (u64, u32)>,
}

const NOTHING: Snapshot =
    Snapshot { status: Status::Current, latest: None, reason: None, blocked_by: None, dismissed: false };

impl Watch {
    pub fn new(settings: VersionSettings) -> Watch {
        Watch {
            shown: NOTHING,
            word: None,
            held: false,
            applied_at: None,
            settings,
            storage_worked: true,
            leaps: 0,
            active: (0, 0),
            asks: false,
            failed: false,
            waiting_since: None,
            noticed: Vec::new(),
            dismissed: Vec::new(),
            reloaded_for: Vec::new(),
            used: BTreeMap::new(),
        }
    }

    pub fn loaded(&mut self, now: u64, storage_works: bool) {
        let (leaps, used) = (self.leaps, std::mem::take(&mut self.used));
        *self = Watch { active: (now, leaps), leaps, used, storage_worked: storage_works, ..Watch::new(self.settings) };
    }

    pub fn used(&mut self, name: Name, now: u64) {
        self.used.insert(name, (now, self.leaps));
    }

    pub fn active(&mut self, now: u64) {
        self.active = (now, self.leaps);
    }

    pub fn slept(&mut self, time: u64) {
        for since in [&mut self.waiting_since, &mut self.applied_at].into_iter().flatten() {
            *since += time;
        }
    }

    /// The clock was set. One that was set back stands still until it is looked at again: a timer later, at most.
    pub fn leapt(&mut self) {
        self.leaps += 1;
        self.slept(TIMER_MAX);
    }

    pub fn waits(&mut self, now: u64) {
        self.waiting_since.get_or_insert(now);
    }

    pub fn asks(&self) -> bool {
        self.asks
    }

    pub fn asked(&mut self) {
        assert!(self.settings.endpoint, "there is nobody to ask");
        assert!(!std::mem::replace(&mut self.asks, true), "two questions at once");
    }

    pub fn cancelled(&mut self) {
        assert!(std::mem::take(&mut self.asks), "there is nothing to cancel");
        self.failed = true;
    }

    pub fn heard(&mut self, found: Option<Name>) {
        assert!(std::mem::take(&mut self.asks));
        self.failed = found.is_none();
        if found.is_some() {
            self.word = found;
        }
    }

    pub fn answered(&mut self) {
        assert!(self.waiting_since.take().is_some(), "nobody waits");
    }

    pub fn shows(&mut self, snapshot: Snapshot) {
        assert_ne!(self.shown, snapshot, "shown twice");
        let Snapshot { status, latest, reason, blocked_by, dismissed } = snapshot;
        assert_eq!(blocked_by.is_some(), status == Status::Blocked, "{snapshot:?}");
        assert_eq!(reason.is_some(), status != Status::Current, "{snapshot:?}");
        assert!(latest.is_some_and(|latest| latest != 0) || (status == Status::Current && !dismissed), "{snapshot:?}");
        self.shown = snapshot;
    }

    pub fn dismissed(&mut self, version: VersionId) {
        self.dismissed.push(version);
    }

    pub fn notice(&mut self) {
        let latest = self.shown.latest.expect("something newer");
        assert!(matches!(self.shown.status, Status::UpdateAvailable | Status::Blocked), "{:?}", self.shown);
        assert!(!self.dismissed.contains(&latest), "the person said no to {latest}");
        assert!(!self.noticed.contains(&latest), "told twice of {latest}");
        self.noticed.push(latest);
    }

    /// A page reloads itself.
    pub fn may_reload(&mut self, now: u64, target: Name, online: bool, visible: bool, unsaved: Unsaved) {
        assert!(self.storage_worked, "nobody can tell how often it did");
        assert_eq!(self.word, Some(target), "nobody who decides said so");
        assert!(online && !self.failed, "nobody is there");
        assert!(!self.held, "held");
        assert_eq!(unsaved, Unsaved::default(), "unsaved");
        let (active_at, active_leaps) = self.active;
        let idle = now - active_at >= self.settings.idle.as_millis();
        assert!(!visible || idle || active_leaps != self.leaps, "somebody was active {} ms ago", now - active_at);
        assert!(!self.reloaded_for.contains(&target), "a page was reloaded for {target} twice");
        self.reloaded_for.push(target);
        if let Some((at, leaps)) = self.used.get(&target)
            && *leaps == self.leaps
        {
            assert!(now - at >= self.settings.loop_guard.as_millis(), "{target} was used {} ms ago", now - at);
        }
    }

    /// Every wait ends.
    pub fn check(&self, now: u64) {
        if let Some(since) = self.waiting_since {
            assert!(now.saturating_sub(since) <= CHECKED_MAX, "somebody waits for a check since {since}, {now} now");
        }
        if let Some(since) = self.applied_at {
            let most = self.settings.flush_timeout.as_millis() * 6 + 11 * SECOND;
            assert!(now.saturating_sub(since) <= most, "somebody said yes at {since}, {now} now");
        }
    }
}
