//! No version is reloaded for twice: a page that comes back old would be reloaded for ever.

use super::memory::Memory;
use super::{Blocker, VersionId};
use crate::core::time::{Duration, Timestamp};

/// A server that names another version each time it is asked must not reload a page without end. More than anybody
/// deploys within the guard's time.
const RELOADS_MAX: usize = 8;
/// Of a version that this very page was reloaded for: if the page still stands, somebody declined.
const FOR_GOOD: Timestamp = Timestamp(u64::MAX);

/// The versions that this tab ran or was reloaded for. Fails closed: where they cannot be kept, no page reloads itself.
#[derive(Debug)]
pub(super) struct LoopGuard {
    span: Duration,
    used: Memory,
    /// The storage that would tell what a page before this one did.
    works: bool,
}

impl LoopGuard {
    pub(super) fn new(span: Duration, used: Option<Vec<(VersionId, Timestamp)>>) -> LoopGuard {
        let mut guard = LoopGuard { span, used: Memory::default(), works: used.is_some() };
        for (version, at) in used.unwrap_or_default() {
            guard.used.note(version, at);
        }
        guard
    }

    /// What keeps this page from being reloaded for this version by itself.
    pub(super) fn blocks(&self, version: VersionId, now: Timestamp) -> Option<Blocker> {
        if !self.works {
            return Some(Blocker::Storage);
        }
        let (mut held, mut is_used) = (0, false);
        for (other, at) in &self.used.versions {
            if *other != 0 && self.holds(*at, now) {
                held += 1;
                is_used |= *other == version;
            }
        }
        (is_used || held >= RELOADS_MAX).then_some(Blocker::LoopGuard)
    }

    /// When that may change.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let held = self.used.versions.iter().filter(|(_, at)| *at != FOR_GOOD && self.holds(*at, now));
        held.map(|(_, at)| *at + self.span).min()
    }

    /// This page is reloaded for this version, and if it still stands afterwards, not by itself again.
    pub(super) fn note(&mut self, version: VersionId) {
        self.used.note(version, FOR_GOOD);
    }

    /// What this page is reloaded for cannot be kept.
    pub(super) fn broke(&mut self) {
        self.works = false;
    }

    /// A clock that was set back leaves moments that lie ahead, perhaps by decades.
    fn holds(&self, at: Timestamp, now: Timestamp) -> bool {
        at == FOR_GOOD || now.0.abs_diff(at.0) < self.span.as_millis()
    }
}
