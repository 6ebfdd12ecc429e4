//! The one safe moment: nothing typed is lost, nobody is interrupted, and 13,000 pages do not take the same second.

use super::{Around, Blocker, Prepared, VersionOutput, VersionSettings};
use crate::core::queue::Queue;
use crate::core::time::{Duration, Timestamp};

/// What somebody was in the middle of is looked at again no sooner.
const RETRY_MIN: Duration = Duration::from_secs(2);
/// The host gets the page ready within twice the flush timeout and this.
const PREPARE_MORE: Duration = Duration::from_secs(5);
/// A page that still stands so long after its reload was not reloaded: somebody declined.
const RELOAD_MAX: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    /// For the person to pause, and for whatever else stands in the way.
    Waiting,
    /// For unsaved work.
    Flushing,
    /// For the host.
    Preparing,
    /// For the end of this page.
    Reloading,
}

/// A page on its way to being reloaded, by itself or because the person asked for it.
#[derive(Debug)]
pub(super) struct Reload {
    idle: Duration,
    spread: Duration,
    flush_timeout: Duration,
    stage: Stage,
    /// When the stage is over, one way or the other.
    until: Timestamp,
    /// The person asked for it.
    by_person: bool,
    /// The host was asked whether somebody is in the middle of something.
    looks: bool,
    /// The random moment.
    drawn: Timestamp,
    retry_at: Timestamp,
    active_at: Timestamp,
    held: bool,
    /// Somebody was in the middle of something when the host looked.
    busy: bool,
    /// Unsaved work took longer than it may.
    overdue: bool,
    /// The host got the page ready. What it sent for that is waited for, and nothing is got ready again.
    ready: bool,
}

impl Reload {
    /// A load is activity.
    pub(super) fn new(settings: &VersionSettings, now: Timestamp) -> Reload {
        Reload {
            idle: settings.idle,
            spread: settings.spread,
            flush_timeout: settings.flush_timeout,
            stage: Stage::Idle,
            until: now,
            by_person: false,
            looks: false,
            drawn: now,
            retry_at: now,
            active_at: now,
            held: false,
            busy: false,
            overdue: false,
            ready: false,
        }
    }

    /// Whether nothing that is heard now changes it any more.
    pub(super) fn committed(&self) -> bool {
        self.by_person || self.reloading()
    }

    pub(super) fn by_person(&self) -> bool {
        self.by_person
    }

    /// Whether it is under way by itself.
    pub(super) fn pending(&self) -> bool {
        self.stage != Stage::Idle && !self.committed()
    }

    /// Whether the host was told to.
    pub(super) fn reloading(&self) -> bool {
        self.stage == Stage::Reloading
    }

    /// What keeps it from happening by itself.
    pub(super) fn blocked_by(&self, around: &Around) -> Option<Blocker> {
        if self.held || self.busy {
            return Some(Blocker::Hold);
        }
        if !self.overdue {
            return None;
        }
        Some(if around.unsaved.drafts { Blocker::Drafts } else { Blocker::Requests })
    }

    /// Its waits begin anew, for another version.
    pub(super) fn renew(&mut self, around: &mut Around) {
        self.stage = Stage::Idle;
        self.retry_at = around.now;
        self.busy = false;
        self.overdue = false;
        self.draw(around);
    }

    /// Another random moment: many pages can do now what they could not before.
    pub(super) fn draw(&mut self, around: &mut Around) {
        self.drawn = around.now + around.random.up_to(self.spread);
    }

    /// Whether it is to happen by itself.
    pub(super) fn want(&mut self, wanted: bool) {
        if !wanted {
            self.stage = Stage::Idle;
        } else if self.stage == Stage::Idle {
            self.stage = Stage::Waiting;
        }
    }

    pub(super) fn active(&mut self, now: Timestamp) {
        self.active_at = now;
    }

    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// What somebody was in the middle of may be over.
    pub(super) fn retry(&mut self, now: Timestamp) {
        self.retry_at = self.retry_at.min(now);
    }

    pub(super) fn released(&mut self, now: Timestamp) {
        self.busy = false;
        self.retry(now);
    }

    /// The person asked for it. What the host does already is not done twice.
    pub(super) fn apply(&mut self) {
        if self.by_person {
            return;
        }
        self.by_person = true;
        if self.stage != Stage::Preparing {
            self.stage = Stage::Waiting;
        }
    }

    pub(super) fn prepared(&mut self, prepared: Prepared, now: Timestamp) {
        if self.stage != Stage::Preparing {
            return;
        }
        self.until = now;
        if prepared == Prepared::Ready || !self.looks {
            return;
        }
        if self.by_person {
            self.stage = Stage::Flushing;
        } else {
            self.busy = true;
            self.retry_at = now + self.idle.max(RETRY_MIN);
            self.stage = Stage::Waiting;
        }
    }

    /// The host could not note it.
    pub(super) fn unrecorded(&mut self) -> bool {
        let undone = self.reloading() && !self.by_person;
        if undone {
            self.stage = Stage::Waiting;
        }
        undone
    }

    /// Whether the page still stands, and will.
    pub(super) fn declined(&mut self, now: Timestamp) -> bool {
        let declined = self.reloading() && self.until <= now;
        if declined {
            self.stage = Stage::Idle;
            self.by_person = false;
        }
        declined
    }

    /// Goes as far as it can. `clear`: nothing about the version is in the way. Whether the page is to be reloaded now.
    pub(super) fn wake(
        &mut self,
        clear: bool,
        spread: bool,
        around: &Around,
        outputs: &mut Queue<VersionOutput>,
    ) -> bool {
        let now = around.now;
        let unsaved = around.unsaved.drafts || around.unsaved.requests;
        self.overdue &= unsaved;
        let may = clear && !self.held && around.online && self.ready_at(spread, around) <= now;
        if self.stage == Stage::Preparing && self.until <= now {
            self.busy = false;
            self.ready = true;
            if self.by_person || (may && !unsaved) {
                return self.go(now);
            }
            self.stage = Stage::Flushing;
            self.until = now + self.flush_timeout;
        }
        if self.stage == Stage::Flushing && !may && !self.by_person {
            self.stage = Stage::Waiting;
        }
        if self.stage == Stage::Waiting && (may || self.by_person) {
            (self.stage, self.ready) = (Stage::Flushing, false);
            self.until = now + self.flush_timeout;
            outputs.push_back(VersionOutput::Flush);
        }
        if self.stage == Stage::Flushing {
            let late = unsaved && self.until <= now;
            self.overdue |= late;
            self.ready &= !late;
            if self.ready && !unsaved {
                return self.go(now);
            }
            if !unsaved || (late && self.by_person) {
                self.looks = !self.by_person;
                self.stage = Stage::Preparing;
                self.until = now + self.flush_timeout * 2 + PREPARE_MORE;
                outputs.push_back(VersionOutput::Prepare(self.by_person));
            }
        }
        false
    }

    fn go(&mut self, now: Timestamp) -> bool {
        self.stage = Stage::Reloading;
        self.until = now + RELOAD_MAX;
        true
    }

    pub(super) fn next(&self, clear: bool, spread: bool, around: &Around) -> Option<Timestamp> {
        match self.stage {
            Stage::Idle => None,
            Stage::Waiting => Some(self.ready_at(spread, around)).filter(|_| clear && !self.held && around.online),
            Stage::Flushing => Some(self.until).filter(|_| self.by_person || !self.overdue),
            Stage::Preparing | Stage::Reloading => Some(self.until),
        }
    }

    fn ready_at(&self, spread: bool, around: &Around) -> Timestamp {
        let drawn = if spread { self.drawn.max(self.retry_at) } else { self.retry_at };
        if around.visible { drawn.max(self.active_at + self.idle) } else { drawn }
    }
}
