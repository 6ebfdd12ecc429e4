//! Versions, and a moment for each.

use super::VersionId;
use crate::core::time::Timestamp;

/// More than one page ever meets, unless somebody makes them up.
pub(super) const VERSIONS_MAX: usize = 16;

/// The versions that were noted last.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The newest last.
    pub(super) versions: Vec<(VersionId, Timestamp)>,
}

impl Memory {
    /// Notes it anew; the oldest is forgotten for it. Whether it was not known.
    pub(super) fn note(&mut self, version: VersionId, at: Timestamp) -> bool {
        let known = self.versions.iter().position(|(other, _)| *other == version);
        if let Some(old) = known.or((self.versions.len() == VERSIONS_MAX).then_some(0)) {
            self.versions.remove(old);
        }
        self.versions.push((version, at));
        known.is_none()
    }
}
