//! One tab, and what its host keeps for it.

use std::collections::BTreeMap;

use evenkeel::core::clock::Clock;
use evenkeel::core::random::Random;
use evenkeel::core::session::{Answer, Around, Ended, Session, SessionWord, Snapshot, User};
use evenkeel::core::tabs::Word;
use evenkeel::core::time::Timestamp;
use evenkeel::core::verify::Verified;

use super::watch::Watch;

/// What reaches a tab from outside.
#[derive(Clone, Copy, Debug)]
pub enum Coming {
    /// A word of another tab about who leads.
    Word(usize, Word),
    /// A word of another tab about the session.
    Said(usize, SessionWord),
    /// The request of this number was granted.
    Locked(u32),
    /// What it was granted was taken away, or it broke.
    Lost(u32),
    /// The answer to the question of this number, which was asked then, is at the browser.
    Response(u32, u64, Answer),
    /// At the page.
    Answer(u32, u64, Answer),
    /// Whether the server takes a sign-out, at the browser.
    Accepted(bool),
    /// At the page.
    SignedOut(bool),
}

pub struct Tab {
    pub session: Session,
    pub clock: Clock,
    pub random: Random,
    /// Closed and killed tabs never come back.
    pub alive: bool,
    /// In the back/forward cache, or on its way there.
    pub away: bool,
    pub visible: bool,
    pub online: bool,
    pub frozen: bool,
    /// Timers come so often only, in milliseconds.
    pub timers_every: u64,
    /// No timer rings before this moment: the tab has just been thawed.
    pub timers_from: u64,
    /// When its timer rings, in the world's time.
    pub rings_at: Option<u64>,
    /// When the host promised to call, on its clock.
    pub due: Option<Timestamp>,
    /// What came while it was frozen.
    pub inbox: Vec<Coming>,
    /// The newest request for the lock.
    pub request: Option<u32>,
    pub told_locked: bool,
    /// The question that is out.
    pub question: Option<u32>,
    /// When the last one was asked that was answered.
    pub answered: u64,
    /// What the app was shown and told, and when.
    pub shows: Vec<(u64, Snapshot)>,
    pub verdicts: Vec<(u64, Verified)>,
    pub ends: Vec<(u64, Ended)>,
    pub switches: Vec<(u64, User, User)>,
    pub next_ping: Option<Timestamp>,
    pub watch: Watch,
}

impl Tab {
    pub fn runs(&self) -> bool {
        self.alive && !self.frozen
    }

    pub fn shown(&self) -> Snapshot {
        self.shows.last().expect("something is shown at once").1
    }

    pub fn leads(&self) -> bool {
        self.runs() && !self.away && self.shown().leads
    }

    /// Does something as the hub does: the clock first.
    pub fn tell(&mut self, host: Timestamp, act: impl FnOnce(&mut Session, &mut Around)) {
        let slept = self.clock.observe(host, self.due, !self.visible);
        let around = &mut Around {
            now: self.clock.now(),
            awake: self.clock.awake(),
            random: &mut self.random,
            online: self.online,
            visible: self.visible,
        };
        if slept {
            self.session.slept(around);
        }
        act(&mut self.session, around);
        self.session.wake(around);
        let wake = self.session.next_wake();
        assert!(wake.is_none_or(|wake| wake > around.now), "a tab spins");
        let awake = self.session.next_awake();
        assert!(awake.is_none_or(|wake| wake > around.awake), "a tab spins over its question");
        let due = [wake, awake.map(|awake| self.clock.on_wall(awake))].into_iter().flatten().min();
        self.due = due;
    }

    /// When its timer rings from now on.
    pub fn set_timer(&mut self, now: u64, host: Timestamp) {
        self.rings_at = self.due.map(|due| now + self.clock.on_host(due).since(host).as_millis());
    }

    pub fn next_ring(&self) -> Option<u64> {
        if !self.runs() {
            return None;
        }
        let at = self.rings_at?.max(self.timers_from);
        Some(at.div_ceil(self.timers_every) * self.timers_every)
    }

    /// Words and locks that came while it was frozen, each sender's in their order.
    pub fn take_inbox(&mut self, now: u64, mut jitter: impl FnMut() -> u64) -> Vec<(u64, Coming)> {
        let mut latest: BTreeMap<(u8, usize), u64> = BTreeMap::new();
        let order = |coming: &Coming| match coming {
            Coming::Word(from, _) | Coming::Said(from, _) => (0, *from),
            Coming::Locked(_) | Coming::Lost(_) => (1, 0),
            _ => (2, 0),
        };
        let inbox = std::mem::take(&mut self.inbox);
        let thawed = inbox.into_iter().map(|coming| {
            let last = latest.entry(order(&coming)).or_insert(now);
            *last = (now + jitter()).max(*last);
            (*last, coming)
        });
        thawed.collect()
    }
}
