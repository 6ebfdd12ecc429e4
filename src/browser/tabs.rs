//! A group of tabs: what its machine wants of the host, and what its members say, as numbers.

use super::driver::Driver;
use crate::core::tabs::{Says, TabsOutput, Word};

/// Does what the core says about a group.
pub(super) fn perform(driver: &Driver, group: u32, output: TabsOutput) {
    let host = driver.host();
    match output {
        TabsOutput::Lock { steal } => host.lock(group, steal),
        TabsOutput::Unlock => host.unlock(group),
        TabsOutput::Post(word) => {
            let (says, visible, value) = match word.says {
                Says::Join { visible, place } => (0, visible, place as f64),
                Says::Ask { visible } => (1, visible, 0.0),
                Says::Here { visible, place } => (2, visible, place as f64),
                Says::Yours { to } => (3, false, f64::from(to)),
                Says::Load => (4, false, 0.0),
            };
            host.post(group, word.epoch as f64, says, visible, value);
        }
        TabsOutput::Joined => host.joined(group),
        // Told with the epoch, or shown.
        TabsOutput::Role(_) => {}
    }
}

/// What another tab said, from the numbers that it was sent as. None: what no tab of this version says.
#[must_use]
pub fn word(from: f64, epoch: f64, says: u32, visible: bool, value: f64) -> Option<Word> {
    let says = match says {
        0 => Says::Join { visible, place: value as u64 },
        1 => Says::Ask { visible },
        2 => Says::Here { visible, place: value as u64 },
        3 => Says::Yours { to: value as u32 },
        4 => Says::Load,
        _ => return None,
    };
    Some(Word { from: from as u32, epoch: epoch as u64, says })
}
