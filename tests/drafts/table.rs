//! The restore table, row by row, and what holds of all rows.

use evenkeel::core::draft::Theirs;
use evenkeel::core::draft::restore::{Decision, Local, Remote, Source, decide};

const UNKNOWN: Remote = Remote::Unknown;
const CLEAN: Local = Local { text: true, base: Some(4), ..Local::NOTHING };
const DIRTY: Local = Local { dirty: true, ..CLEAN };
/// Typed without ever having heard of the server.
const NEW: Local = Local { base: None, ..DIRTY };

fn stands(rev: u64) -> Remote {
    Remote::Stands { rev, same: false, own: false }
}

fn same(rev: u64) -> Remote {
    Remote::Stands { rev, same: true, own: false }
}

fn own(rev: u64) -> Remote {
    Remote::Stands { rev, same: false, own: true }
}

#[track_caller]
fn restores(local: Local, remote: Remote, source: Source, base: Option<u64>) {
    let dirty = source == Source::Device && (local.dirty || remote == UNKNOWN);
    assert_eq!(decide(local, remote, false), Decision { source, base, dirty, conflict: None });
}

#[track_caller]
fn conflicts(local: Local, remote: Remote, source: Source, with: Theirs) {
    let decision = decide(local, remote, false);
    assert_eq!((decision.source, decision.conflict), (source, Some(with)));
}

#[test]
fn only_s_is_restored() {
    restores(Local::NOTHING, stands(7), Source::Server, Some(7));
    restores(Local::NOTHING, UNKNOWN, Source::Nothing, None);
    restores(Local::NOTHING, Remote::Tombstone(7), Source::Nothing, Some(7));
    restores(Local::NOTHING, Remote::Unreachable, Source::Nothing, None);
}

#[test]
fn only_l_is_restored_and_created_on_the_server() {
    restores(NEW, UNKNOWN, Source::Device, None);
    restores(DIRTY, UNKNOWN, Source::Device, None);
    restores(CLEAN, UNKNOWN, Source::Device, None);
}

#[test]
fn l_without_a_base_is_compared_with_s() {
    restores(NEW, same(7), Source::Server, Some(7));
    conflicts(NEW, stands(7), Source::Device, Theirs::Server);
}

#[test]
fn a_clean_l_is_dropped_where_s_was_cleared() {
    restores(CLEAN, Remote::Tombstone(7), Source::Nothing, Some(7));
}

#[test]
fn a_dirty_l_is_offered_where_s_was_cleared_and_never_applied_by_itself() {
    conflicts(DIRTY, Remote::Tombstone(7), Source::Nothing, Theirs::Cleared);
    // A lost answer may have put it there.
    conflicts(NEW, Remote::Tombstone(7), Source::Nothing, Theirs::Cleared);
}

#[test]
fn what_was_made_after_a_clear_is_restored() {
    restores(DIRTY, Remote::Tombstone(4), Source::Device, Some(4));
    let decision = decide(NEW, Remote::Tombstone(4), true);
    assert_eq!(decision, Decision { source: Source::Device, base: Some(4), dirty: true, conflict: None });
}

#[test]
fn a_clean_l_gives_way_to_s_newer_or_from_a_backup() {
    for rev in [4, 7, 2] {
        restores(CLEAN, stands(rev), Source::Server, Some(rev));
    }
}

#[test]
fn a_dirty_l_on_top_of_s_is_restored_and_uploaded() {
    restores(DIRTY, stands(4), Source::Device, Some(4));
}

#[test]
fn a_newer_s_that_says_the_same_is_adopted() {
    restores(DIRTY, same(7), Source::Server, Some(7));
    restores(DIRTY, same(2), Source::Server, Some(2));
}

#[test]
fn a_newer_s_that_came_from_here_is_what_l_goes_on_from() {
    restores(DIRTY, own(7), Source::Device, Some(7));
    restores(NEW, own(7), Source::Device, Some(7));
}

#[test]
fn a_newer_s_that_is_different_is_a_conflict() {
    conflicts(DIRTY, stands(7), Source::Device, Theirs::Server);
    conflicts(DIRTY, stands(2), Source::Device, Theirs::Server);
    assert_eq!(decide(DIRTY, stands(7), false).base, Some(4), "until somebody decides");
}

#[test]
fn another_text_on_the_device_is_a_conflict_unless_s_is_one_already() {
    let local = Local { other: true, ..DIRTY };
    for remote in [stands(4), own(7), UNKNOWN, Remote::Unreachable, Remote::Absent] {
        conflicts(local, remote, Source::Device, Theirs::Other);
    }
    conflicts(local, same(7), Source::Server, Theirs::Other);
    conflicts(local, stands(7), Source::Device, Theirs::Server);
}

#[test]
fn what_is_not_read_of_the_server_leaves_l_as_it_is() {
    for remote in [Remote::Unreachable, Remote::Absent, Remote::Newer(7), Remote::Unauthorized, Remote::OtherUser] {
        for local in [CLEAN, DIRTY, NEW] {
            restores(local, remote, Source::Device, local.base);
        }
    }
}

#[test]
fn what_was_made_before_the_devices_tombstone_is_offered_or_dropped() {
    for remote in [UNKNOWN, Remote::Tombstone(4), Remote::Tombstone(7), Remote::Unreachable, Remote::Absent] {
        conflicts(Local { void: true, ..DIRTY }, remote, Source::Nothing, Theirs::Cleared);
        assert_eq!(decide(Local { void: true, ..CLEAN }, remote, false).source, Source::Nothing);
    }
    conflicts(Local { void: true, ..DIRTY }, own(7), Source::Device, Theirs::Server);
    conflicts(Local { void: true, ..DIRTY }, stands(4), Source::Device, Theirs::Server);
}

/// Everything that a device and a server can have.
fn all() -> Vec<(Local, Remote, bool)> {
    let flags = |bits: u32, bit: u32| bits & 1 << bit != 0;
    let mut all = Vec::new();
    for bits in 0..64 {
        for base in [None, Some(4)] {
            let local = Local {
                text: flags(bits, 0),
                base,
                dirty: flags(bits, 1),
                other: flags(bits, 2),
                void: flags(bits, 3),
                unheard: flags(bits, 4),
            };
            let remotes = [
                Remote::Unreachable,
                Remote::Absent,
                UNKNOWN,
                Remote::Tombstone(4),
                Remote::Tombstone(7),
                Remote::Newer(7),
                stands(4),
                stands(7),
                same(7),
                own(7),
                Remote::Stands { rev: 7, same: true, own: true },
                Remote::Unauthorized,
                Remote::OtherUser,
            ];
            all.extend(remotes.map(|remote| (local, remote, flags(bits, 5))));
        }
    }
    all
}

#[test]
fn a_dirty_text_is_kept_as_it_is_or_stands_in_a_conflict() {
    for (local, remote, unsent) in all() {
        let decision = decide(local, remote, unsent);
        let same = matches!(remote, Remote::Stands { same: true, .. });
        if local.text && local.dirty && !same {
            assert!(decision.dirty || decision.conflict.is_some(), "{local:?} {remote:?}");
            assert!(decision.source == Source::Device || decision.conflict == Some(Theirs::Cleared));
        }
    }
}

#[test]
fn a_base_is_one_that_this_text_was_made_from_or_says_nothing_of_others() {
    for (local, remote, unsent) in all() {
        let decision = decide(local, remote, unsent);
        if decision.dirty && decision.conflict.is_none() && decision.base.is_some() && decision.base != local.base {
            let own = matches!(remote, Remote::Stands { own: true, .. });
            assert!(own || (unsent && matches!(remote, Remote::Tombstone(_))), "{local:?} {remote:?}");
        }
    }
}
