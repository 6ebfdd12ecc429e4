//! Drafts: what the host is told of them, and what it says, as numbers.

use super::driver::Driver;
use crate::core::draft::restore::{Local, Remote};
use crate::core::draft::{
    Carried, Choice, DraftId, DraftInput, DraftOutput, DraftSettings, Owner, Rev, Sent, Snapshot, Stored,
};
use crate::core::input::Input;
use crate::core::kind::Kind;
use crate::core::time::Duration;

// What the device has, as bits.
const TEXT: u32 = 1;
const DIRTY: u32 = 2;
const OTHER: u32 = 4;
const VOID: u32 = 8;
const UNHEARD: u32 = 16;

/// Answers of the server begin here: to an upload that came too late, of a kind for good, and of one for now.
const STALE: u32 = 20;
const REFUSED: u32 = 40;
const LATER: u32 = 60;
/// So do the kinds of what cannot be stored as it is.
const UNSTORABLE: u32 = 3;

/// Does what the core says about a draft.
pub(super) fn perform(driver: &Driver, id: DraftId, output: DraftOutput) {
    let host = driver.host();
    let (what, a, b, c) = match output {
        DraftOutput::Show(Snapshot { status, saved_to, error, conflict }) => {
            let (kind, wait) = error.map_or((-1, None), |(kind, wait)| (kind as i32, wait));
            let conflict = conflict.map_or(-1, |theirs| theirs as i32);
            return host.show_draft(id, status as u32, saved_to as u32, kind, millis(wait), conflict);
        }
        DraftOutput::Load => (0, 0.0, 0.0, false),
        DraftOutput::Read(number) => (1, f64::from(number), 0.0, false),
        DraftOutput::Store(base) => (2, revision(base), 0.0, false),
        DraftOutput::Upload(number, base, last_words) => (3, f64::from(number), revision(base), last_words),
        DraftOutput::Bury => (4, 0.0, 0.0, false),
        DraftOutput::Clear(number) => (5, f64::from(number), 0.0, false),
        DraftOutput::Restored(source) => (6, f64::from(source as u32), 0.0, false),
        DraftOutput::Flushed => (7, 0.0, 0.0, false),
        DraftOutput::Cleared => (8, 0.0, 0.0, false),
        DraftOutput::Drop => (9, 0.0, 0.0, false),
        DraftOutput::Closed => (10, 0.0, 0.0, false),
        // The hub keeps these.
        DraftOutput::Verify | DraftOutput::CheckVersion | DraftOutput::Reached(_) => return,
    };
    host.told_draft(id, what, a, b, c);
}

/// A draft of the glue. Times are in milliseconds.
#[must_use]
pub fn open(id: DraftId, debounce: f64, max_wait: f64, endpoint: bool, whose: f64, base: f64, edited: bool) -> Input {
    let ms = |value: f64| Duration::from_millis(value as u64);
    let settings = DraftSettings { debounce: ms(debounce), max_wait: ms(max_wait), endpoint };
    Input::Draft(id, DraftInput::Open(settings, owner(whose), Carried { base: rev(base), edited }))
}

/// What the glue tells. None: what no glue of this build says.
#[must_use]
pub fn input(id: DraftId, what: u32, a: f64, b: f64, c: f64) -> Option<Input> {
    Some(Input::Draft(
        id,
        match what {
            0 => DraftInput::Owned(owner(a)),
            1 => DraftInput::Edited,
            2 => DraftInput::Flush,
            3 => DraftInput::Restore,
            4 => DraftInput::Loaded((a > 0.0).then(|| {
                let has = |flag| a as u32 & flag != 0;
                Local {
                    text: has(TEXT),
                    base: rev(b),
                    dirty: has(DIRTY),
                    other: has(OTHER),
                    void: has(VOID),
                    unheard: has(UNHEARD),
                }
            })),
            5 => DraftInput::Read(a as u32, remote(b as u32, c)?),
            6 => DraftInput::Stored(match a as u32 {
                0 => Stored::Dirty,
                1 => Stored::Same,
                2 => Stored::Failed,
                kind => Stored::Refused(Kind::of(kind - UNSTORABLE)?),
            }),
            7 => DraftInput::Sent(a as u32, sent(b as u32, c)?),
            8 => DraftInput::Clear,
            9 => DraftInput::Buried,
            10 => DraftInput::Gone(a as u32, sent(b as u32, c)?),
            11 => DraftInput::ClearedElsewhere,
            12 => DraftInput::Resolve(if a > 0.0 { Choice::Theirs } else { Choice::Mine }),
            13 => DraftInput::Close,
            _ => return None,
        },
    ))
}

fn remote(what: u32, value: f64) -> Option<Remote> {
    let rev = value as Rev;
    Some(match what {
        0 => Remote::Unreachable,
        1 => Remote::Absent,
        2 => Remote::Unknown,
        3 => Remote::Tombstone(rev),
        4 => Remote::Newer(rev),
        5..=8 => Remote::Stands { rev, same: what & 1 == 0, own: what > 6 },
        9 => Remote::Unauthorized,
        10 => Remote::OtherUser,
        _ => return None,
    })
}

fn sent(what: u32, value: f64) -> Option<Sent> {
    Some(match what {
        0 => Sent::Accepted(value as Rev),
        1 => Sent::Unauthorized,
        2 => Sent::OtherUser,
        3 => Sent::Absent,
        4 => Sent::Outdated,
        STALE..REFUSED => Sent::Stale(remote(what - STALE, value)?),
        REFUSED..LATER => Sent::Refused(Kind::of(what - REFUSED)?),
        _ => Sent::Later(
            Kind::of(what.checked_sub(LATER)?)?,
            (value >= 0.0).then(|| Duration::from_millis(value as u64)),
        ),
    })
}

fn owner(number: f64) -> Owner {
    match number {
        -2.0 => Owner::Pending,
        0.0.. => Owner::User(number as u32),
        _ => Owner::Nobody,
    }
}

fn rev(number: f64) -> Option<Rev> {
    (number >= 0.0).then_some(number as Rev)
}

fn revision(base: Option<Rev>) -> f64 {
    base.map_or(-1.0, |rev| rev as f64)
}

fn millis(wait: Option<Duration>) -> f64 {
    wait.map_or(-1.0, |wait| wait.as_millis() as f64)
}
