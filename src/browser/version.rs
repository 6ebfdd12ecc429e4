//! The page's version: what the host is told of it, and what it says, as numbers.

use super::driver::Driver;
use super::host::{Question, Task};
use crate::core::hub::{Input, VersionInput};
use crate::core::version::{Mode, Prepared, VersionOutput};

/// Does what the core says about the page's version.
pub(super) fn perform(driver: &Driver, output: VersionOutput) {
    let host = driver.host();
    match output {
        VersionOutput::Check => host.begin(Task::Ask as u32, Question::Version as u32, 0, &[]),
        VersionOutput::Cancel => host.hush(Question::Version as u32),
        VersionOutput::Show(shown) => host.show_version(
            shown.status as u32,
            shown.latest.map_or(-1.0, f64::from),
            shown.reason.map_or(-1, |reason| reason as i32),
            shown.blocked_by.map_or(-1, |blocker| blocker as i32),
            shown.dismissed,
        ),
        VersionOutput::Checked => host.told_version(0, 0.0, 0.0),
        VersionOutput::Notice => host.told_version(1, 0.0, 0.0),
        VersionOutput::Prepare(wanted) => host.told_version(2, f64::from(wanted), 0.0),
        VersionOutput::Reload(version, anyhow) => host.told_version(3, f64::from(version), f64::from(anyhow)),
        // The hub keeps this.
        VersionOutput::Flush => {}
    }
}

/// What the glue tells. None: what no glue of this build says.
#[must_use]
pub fn input(what: u32, a: f64, b: f64) -> Option<Input> {
    let mode = match b {
        0.0 => Mode::Reload,
        1.0 => Mode::Prompt,
        _ => Mode::Ignore,
    };
    Some(Input::Version(match what {
        0 => VersionInput::Seen(a as u32, mode),
        1 => VersionInput::Refused(mode),
        2 => VersionInput::Checked((a >= 0.0).then_some((a as u32, mode))),
        3 => VersionInput::Check,
        4 => VersionInput::ChunkFailed,
        5 => VersionInput::Hold(a > 0.0),
        6 => VersionInput::Released,
        7 => VersionInput::Apply,
        8 => VersionInput::Dismiss,
        9 => VersionInput::Prepared(if a > 0.0 { Prepared::Ready } else { Prepared::Held }),
        10 => VersionInput::Unrecorded,
        _ => return None,
    }))
}
