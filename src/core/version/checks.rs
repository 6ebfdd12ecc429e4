//! When the endpoint is asked.
//!
//! What a response bears may come from a cache or a canary, so it is a hint: it has the endpoint asked, and the endpoint
//! decides. A hint that the endpoint contradicts is worth less each time.

use super::memory::{Memory, VERSIONS_MAX};
use super::{Around, UNNAMED, VersionId, VersionOutput, VersionSettings};
use crate::core::queue::Queue;
use crate::core::time::{Duration, Timestamp, earliest};

/// A check takes so long at most.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two checks that nobody waits for. A hint, or whatever has many pages wake together, is jittered as much.
const APART: Duration = Duration::from_secs(1);
/// The longest wait after a contradicted hint where nothing is polled.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// The questions to the endpoint, at most one at a time.
#[derive(Debug)]
pub(super) struct Checks {
    endpoint: bool,
    poll: Option<Duration>,
    jitter: Duration,
    poll_at: Timestamp,
    /// For a reason that can wait a moment.
    due: Option<Timestamp>,
    /// For somebody who waits for the answer.
    wanted: Option<Timestamp>,
    asking: bool,
    asked_at: Timestamp,
    awaited: bool,
    answered: bool,
    /// What a response bore, until the endpoint has spoken of it; 0: nothing.
    hint: VersionId,
    /// After the next hint that is contradicted, or check that fails.
    wait: Duration,
    /// And until when no response that bears them is a hint.
    contradicted: Memory,
    /// The newest check brought no version.
    pub(super) failed: bool,
}

impl Checks {
    pub(super) fn new(settings: &VersionSettings, around: &mut Around) -> Checks {
        let mut checks = Checks {
            endpoint: settings.endpoint,
            poll: settings.poll,
            jitter: settings.spread.min(APART),
            poll_at: around.now,
            due: None,
            wanted: None,
            asking: false,
            asked_at: Timestamp(0),
            awaited: false,
            answered: false,
            hint: 0,
            wait: APART,
            contradicted: Memory::default(),
            failed: false,
        };
        checks.plan_poll(around);
        checks
    }

    /// A response bears this version, or refuses the page's own.
    pub(super) fn hint(&mut self, version: VersionId, around: &mut Around) {
        let from = self.heeds_from(version);
        if self.hint == 0 || from <= around.now {
            self.hint = version;
        }
        self.plan(from.max(around.now), around);
    }

    /// The page came back from somewhere, or its network did.
    pub(super) fn nudge(&mut self, around: &mut Around) {
        self.plan(around.now, around);
        // What was missed meanwhile is made up for by this one.
        self.plan_poll(around);
    }

    /// Somebody waits for an answer.
    pub(super) fn want(&mut self, now: Timestamp) {
        if self.endpoint && !self.asking {
            self.wanted = Some(now);
        }
        self.join();
    }

    /// The same, for a reason that may come over and over.
    pub(super) fn want_apart(&mut self, now: Timestamp) {
        if self.wanted.is_none() {
            self.want(now.max(self.asked_at + APART));
        }
    }

    /// Somebody waits for what is being asked. If that is nothing, they are told at once.
    pub(super) fn join(&mut self) {
        self.awaited = true;
        if !self.asking && self.wanted.is_none() {
            self.end();
        }
    }

    /// Whether anybody waits who is to be told now.
    pub(super) fn take_answered(&mut self) -> bool {
        std::mem::take(&mut self.answered)
    }

    /// Whether the answer that came is one that was asked for.
    pub(super) fn take_asked(&mut self) -> bool {
        std::mem::take(&mut self.asking)
    }

    /// The endpoint said this. `news`: nobody knew.
    pub(super) fn found(&mut self, version: VersionId, news: bool, around: &mut Around) {
        self.failed = false;
        if news {
            self.wait = APART;
            self.contradicted.versions.clear();
        }
        if self.hint == 0 || self.hint == version || (self.hint == UNNAMED && version != 0) {
            self.hint = 0;
            self.due = None;
        } else {
            self.contradict(around);
        }
        self.end();
    }

    /// It said nothing. `again`: somebody depends on it.
    pub(super) fn fail(&mut self, again: bool, around: &mut Around) {
        self.failed = true;
        if again || self.hint != 0 {
            let half = self.wait() / 2;
            self.due = Some(around.now + half + around.random.up_to(half));
        }
        self.end();
    }

    /// Asks if it is time; whether a check took too long.
    pub(super) fn wake(&mut self, around: &mut Around, outputs: &mut Queue<VersionOutput>) -> bool {
        let late = self.asking && self.asked_at + TIMEOUT <= around.now;
        if late {
            self.stop(outputs);
        } else if self.next_ask(around).is_some_and(|at| at <= around.now) {
            self.asking = true;
            self.asked_at = around.now;
            self.due = None;
            self.wanted = None;
            self.plan_poll(around);
            outputs.push_back(VersionOutput::Check);
        }
        late
    }

    pub(super) fn stop(&mut self, outputs: &mut Queue<VersionOutput>) {
        if std::mem::take(&mut self.asking) {
            outputs.push_back(VersionOutput::Cancel);
        }
    }

    pub(super) fn next(&self, around: &Around) -> Option<Timestamp> {
        if self.asking { Some(self.asked_at + TIMEOUT) } else { self.next_ask(around) }
    }

    fn end(&mut self) {
        self.answered |= std::mem::take(&mut self.awaited);
    }

    fn next_ask(&self, around: &Around) -> Option<Timestamp> {
        if self.asking || !self.endpoint {
            return None;
        }
        let poll_at = self.poll.filter(|_| around.visible).map(|_| self.poll_at);
        let at = earliest(&[self.due, poll_at]).filter(|_| around.online);
        let apart = self.poll.unwrap_or(APART).min(APART);
        earliest(&[self.wanted, at.map(|at| at.max(self.asked_at + apart))])
    }

    /// Jittered, and joined with what is planned already.
    fn plan(&mut self, from: Timestamp, around: &mut Around) {
        if self.due.is_none_or(|due| due > from + self.jitter) {
            self.due = Some(from + around.random.up_to(self.jitter));
        }
    }

    fn plan_poll(&mut self, around: &mut Around) {
        if let Some(poll) = self.poll {
            self.poll_at = around.now + poll + around.random.up_to(poll / 10);
        }
    }

    fn contradict(&mut self, around: &mut Around) {
        let until = around.now + self.wait();
        self.contradicted.note(self.hint, until);
        // Where a response said so again while the endpoint was asked, it is asked again.
        match &mut self.due {
            Some(due) => *due = until + around.random.up_to(self.jitter),
            None => self.hint = 0,
        }
    }

    /// From when on a response that bears this version is a hint. Versions without end share the last one's wait.
    fn heeds_from(&self, version: VersionId) -> Timestamp {
        let contradicted = &self.contradicted.versions;
        let known = contradicted.iter().find(|(other, _)| *other == version);
        let known = known.or_else(|| contradicted.last().filter(|_| contradicted.len() == VERSIONS_MAX));
        known.map_or(Timestamp(0), |(_, until)| *until)
    }

    /// Doubles with each time that it is taken.
    fn wait(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(self.poll.unwrap_or(WAIT_MAX).max(APART));
        wait
    }
}
