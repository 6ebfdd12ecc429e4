//! Is anybody there? Known in every tab, since any of them may be the one that asks next.

use crate::core::time::{Duration, Timestamp};

/// Others are told at most so often, and at least, while somebody is there.
const TELL_MIN: Duration = Duration::from_secs(1);
const TELL_MAX: Duration = Duration::from_secs(30);

/// When somebody was active last, here and in the other tabs.
#[derive(Debug)]
pub(super) struct Attendance {
    idle_after: Duration,
    pub(super) visible: bool,
    /// The last input here.
    here: Timestamp,
    /// The last input in other tabs, as far as it is known that they are still visible.
    elsewhere: Option<Timestamp>,
    /// The last input anywhere.
    pub(super) last: Timestamp,
    /// When it was last told among the tabs, by this one or another, that somebody is there.
    told_at: Option<Timestamp>,
}

impl Attendance {
    /// A load counts as activity.
    pub(super) fn new(idle_after: Duration, visible: bool, now: Timestamp) -> Attendance {
        Attendance { idle_after, visible, here: now, elsewhere: None, last: now, told_at: None }
    }

    /// Somebody is active here. Whether the others are to be told.
    pub(super) fn active(&mut self, now: Timestamp) -> bool {
        (self.here, self.last) = (now, now);
        let pause = (self.idle_after / 4).clamp(TELL_MIN, TELL_MAX);
        let tells = self.visible && self.told_at.is_none_or(|at| now.since(at) >= pause);
        if tells {
            self.told_at = Some(now);
        }
        tells
    }

    /// The page was hidden. Whether the others are to be told.
    pub(super) fn hidden(&mut self, now: Timestamp) -> bool {
        let attended = self.here_until() > now;
        (self.visible, self.told_at) = (false, None);
        attended
    }

    /// Somebody is active in another tab.
    pub(super) fn active_elsewhere(&mut self, now: Timestamp) {
        (self.elsewhere, self.told_at, self.last) = (Some(now), Some(now), now);
    }

    /// One of the other tabs where somebody was active was hidden: who is still active says so again. Whether this tab
    /// is to.
    pub(super) fn hidden_elsewhere(&mut self, now: Timestamp) -> bool {
        let attended = self.here_until() > now;
        self.elsewhere = None;
        self.told_at = attended.then_some(now);
        attended
    }

    /// Until when somebody is taken to be there, if nothing more is heard; past, if nobody is.
    pub(super) fn until(&self) -> Timestamp {
        let elsewhere = self.elsewhere.map_or(Timestamp(0), |at| at + self.idle_after);
        self.here_until().max(elsewhere)
    }

    fn here_until(&self) -> Timestamp {
        if self.visible { self.here + self.idle_after } else { Timestamp(0) }
    }
}
