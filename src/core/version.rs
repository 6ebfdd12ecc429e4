//! Is this page of the version that the server runs? And if not: the one safe moment to reload it.
//!
//! Where there is an endpoint, nothing else decides: what responses bear only has it asked. The host calls
//! [`Version::wake`] after all that it tells and at [`Version::next_wake`], and does what [`Version::poll`] says until it
//! is dry.

mod checks;
mod guard;
mod memory;
mod reload;

use super::queue::Queue;
use super::random::Random;
use super::time::{Duration, Timestamp, earliest};
use checks::Checks;
use guard::LoopGuard;
use memory::Memory;
use reload::Reload;

/// A version, as a number of the host's. 0 is the page's own.
pub type VersionId = u32;
/// The server refuses this page's version, and does not say which one it would take.
pub const UNNAMED: VersionId = 1;

/// How a page keeps up with its server.
#[derive(Clone, Copy, Debug)]
pub struct VersionSettings {
    /// Whether there is an endpoint to ask. Where there is none, what responses say decides.
    pub endpoint: bool,
    /// Between two checks of a visible page; none: it is asked for a reason only. Default 5 min.
    pub poll: Option<Duration>,
    /// A visible page is reloaded after so long without input. Default 3 s.
    pub idle: Duration,
    /// And at a random moment within so long. Default 10 s.
    pub spread: Duration,
    /// A version that this tab ran, or was reloaded for, is not reloaded for again for so long. Default 10 min.
    pub loop_guard: Duration,
    /// For drafts and unsafe requests; past it, blocked. Default 5 s.
    pub flush_timeout: Duration,
}

/// What the app wants of a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Mode {
    Reload,
    Prompt,
    Ignore,
}

/// In the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Status {
    Current,
    UpdateAvailable,
    Reloading,
    Blocked,
}

/// Why there is something newer, in the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Reason {
    Mismatch,
    ChunkError,
}

/// What keeps a page from being reloaded by itself, in the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Blocker {
    Drafts,
    Requests,
    Hold,
    LoopGuard,
    Storage,
}

/// What the app is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it does.
    pub status: Status,
    /// What the server runs, as far as it is known.
    pub latest: Option<VersionId>,
    /// Why.
    pub reason: Option<Reason>,
    /// What stands in the way.
    pub blocked_by: Option<Blocker>,
    /// The person does not want to be asked again.
    pub dismissed: bool,
}

/// What the host found on trying to get the page ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It may be reloaded.
    Ready,
    /// Somebody is in the middle of something.
    Held,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOutput {
    /// Ask the endpoint, answered by [`Version::checked`].
    Check,
    /// End that question.
    Cancel,
    /// Tell all who wait for a check.
    Checked,
    /// Show this.
    Show(Snapshot),
    /// Tell the person, once for each version.
    Notice,
    /// Ask all parts to put unsaved work into safety; answered by [`Version::wake`]'s `unsaved`.
    Flush,
    /// See whether somebody is in the middle of something (unless the person asked for it: `true`), let the app clear what is in memory, update the
    /// service worker. Answered by [`Version::prepared`].
    Prepare(bool),
    /// Note that this tab ran its own version until now and is reloaded for this one, then reload. With `false`, only if it could be noted, else
    /// [`Version::unrecorded`].
    Reload(VersionId, bool),
}

/// Work that a reload would lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// A draft that the server has not accepted.
    pub drafts: bool,
    /// An unsafe request on its way.
    pub requests: bool,
}

/// What happens around.
pub struct Around<'a> {
    /// The wall, made monotonic.
    pub now: Timestamp,
    /// The dice.
    pub random: &'a mut Random,
    /// What the browser says of the network.
    pub online: bool,
    /// Whether somebody can see the page.
    pub visible: bool,
    /// What a reload would lose.
    pub unsaved: Unsaved,
}

/// One tab's version.
#[derive(Debug)]
pub struct Version {
    checks: Checks,
    guard: LoopGuard,
    reload: Reload,
    endpoint: bool,
    latest: Option<VersionId>,
    mode: Mode,
    /// What was heard while the page was on its way to being reloaded.
    later: Option<(VersionId, Mode)>,
    /// A part of the page could not be loaded, and why is being asked.
    chunk_failed: bool,
    /// And a newer version is why.
    reason: Reason,
    /// The newest version that the person does not want; 0: none.
    dismissed: VersionId,
    /// Those that the person was told of, or said no to.
    noticed: Memory,
    shown: Snapshot,
    visible: bool,
    next: Option<Timestamp>,
    stopped: bool,
    outputs: Queue<VersionOutput>,
}

impl Version {
    /// `used`: versions that this tab ran or was reloaded for, and when, the newest last; none: the storage that would tell does not work.
    #[must_use]
    pub fn new(settings: VersionSettings, used: Option<Vec<(VersionId, Timestamp)>>, around: &mut Around) -> Version {
        Version {
            checks: Checks::new(&settings, around),
            guard: LoopGuard::new(settings.loop_guard, used),
            reload: Reload::new(&settings, around.now),
            endpoint: settings.endpoint,
            latest: None,
            mode: Mode::Ignore,
            later: None,
            chunk_failed: false,
            reason: Reason::Mismatch,
            dismissed: 0,
            noticed: Memory::default(),
            shown: Snapshot { status: Status::Current, latest: None, reason: None, blocked_by: None, dismissed: false },
            visible: around.visible,
            next: None,
            stopped: false,
            outputs: Queue::new(),
        }
    }

    // ------------------------------------------------------------ what the server says

    /// A response of the server bears another version than was seen last.
    pub fn seen(&mut self, version: VersionId, mode: Mode, around: &mut Around) {
        if !self.endpoint {
            self.decide(version, mode, around);
        } else if version != 0 && self.latest != Some(version) {
            self.checks.hint(version, around);
        }
    }

    /// The server refuses this page's version (426).
    pub fn refused(&mut self, mode: Mode, around: &mut Around) {
        if self.target() == 0 {
            self.seen(UNNAMED, mode, around);
        }
    }

    /// The endpoint answered; none: not with a version.
    pub fn checked(&mut self, found: Option<(VersionId, Mode)>, around: &mut Around) {
        if !self.checks.take_asked() {
            return;
        }
        let Some((version, mode)) = found else { return self.check_failed(around) };
        self.checks.found(version, self.latest != Some(version), around);
        self.decide(version, mode, around);
        if std::mem::take(&mut self.chunk_failed) && self.target() != 0 {
            self.reason = Reason::ChunkError;
        }
    }

    // ------------------------------------------------------------ what the page says

    /// Somebody wants to know now. Always ends with [`VersionOutput::Checked`].
    pub fn check(&mut self, around: &mut Around) {
        self.checks.want(around.now);
    }

    /// A part of the page could not be loaded. Always ends with [`VersionOutput::Checked`], too.
    pub fn chunk_failed(&mut self, around: &mut Around) {
        if self.target() != 0 {
            self.reason = Reason::ChunkError;
            return self.checks.join();
        }
        self.chunk_failed = self.endpoint;
        self.checks.want_apart(around.now);
    }

    /// The app holds the page, or lets it go.
    pub fn hold(&mut self, held: bool, _: &mut Around) {
        self.reload.hold(held);
    }

    /// See [`VersionOutput::Prepare`].
    pub fn prepared(&mut self, prepared: Prepared, around: &mut Around) {
        self.reload.prepared(prepared, around.now);
    }

    /// What somebody was in the middle of may be over.
    pub fn released(&mut self, around: &mut Around) {
        self.reload.released(around.now);
    }

    /// See [`VersionOutput::Reload`].
    pub fn unrecorded(&mut self, around: &mut Around) {
        if self.reload.unrecorded() {
            self.guard.broke();
            self.resume(around);
        }
    }

    // ------------------------------------------------------------ what the person says

    /// A pointer, key or composition.
    pub fn active(&mut self, around: &mut Around) {
        self.reload.active(around.now);
    }

    /// The person said yes.
    pub fn apply(&mut self, around: &mut Around) {
        if self.target() == 0 {
            self.check(around);
        } else {
            self.reload.apply();
        }
    }

    /// The person said no.
    pub fn dismiss(&mut self, around: &mut Around) {
        if self.target() != 0 {
            self.dismissed = self.target();
            self.noticed.note(self.dismissed, around.now);
        }
    }

    // ------------------------------------------------------------ what the device says

    /// The page became visible or hidden.
    pub fn visible(&mut self, around: &mut Around) {
        if std::mem::replace(&mut self.visible, around.visible) == around.visible {
            return;
        }
        self.reload.retry(around.now);
        if around.visible {
            self.returned(around);
        }
    }

    /// The browser's `online` and `offline`.
    pub fn network(&mut self, around: &mut Around) {
        if around.online {
            self.checks.nudge(around);
            // A network that returns does so for many.
            self.reload.draw(around);
        }
    }

    /// The page came back from the back/forward cache.
    pub fn restored(&mut self, around: &mut Around) {
        self.returned(around);
    }

    /// This device slept, or the page stood still.
    pub fn slept(&mut self, around: &mut Around) {
        self.returned(around);
    }

    // ------------------------------------------------------------ what comes of it

    /// The client ends.
    pub fn stop(&mut self) {
        self.checks.stop(&mut self.outputs);
        self.next = None;
        self.stopped = true;
    }

    /// Lets everything act on what happened.
    pub fn wake(&mut self, around: &mut Around) {
        if self.stopped {
            return;
        }
        if self.checks.wake(around, &mut self.outputs) {
            self.check_failed(around);
        }
        if self.reload.declined(around.now) {
            self.resume(around);
        }
        let guarded = self.guard.blocks(self.target(), around.now);
        // Where the server does not answer, a reload would end on the browser's error page.
        let clear = guarded.is_none() && !self.checks.failed;
        let spread = self.reason == Reason::Mismatch;
        let reloads = self.reload.wake(clear, spread, around, &mut self.outputs);
        self.show(guarded, around);
        if reloads {
            self.guard.note(self.target());
            self.outputs.push_back(VersionOutput::Reload(self.target(), self.reload.by_person()));
        }
        if self.checks.take_answered() {
            self.outputs.push_back(VersionOutput::Checked);
        }
        let guard = guarded.and_then(|_| self.guard.next(around.now));
        self.next = earliest(&[guard, self.checks.next(around), self.reload.next(clear, spread, around)]);
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<VersionOutput> {
        self.outputs.pop_front()
    }

    /// When to come back, as of the last [`Version::wake`].
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.next
    }

    /// What this page could be reloaded for; 0: nothing.
    fn target(&self) -> VersionId {
        self.latest.unwrap_or(0)
    }

    fn decide(&mut self, version: VersionId, mode: Mode, around: &mut Around) {
        if self.reload.committed() {
            self.later = Some((version, mode));
            return;
        }
        if self.latest != Some(version) {
            self.latest = Some(version);
            self.reload.renew(around);
        }
        if version == 0 {
            self.reason = Reason::Mismatch;
        }
        self.mode = mode;
        self.reload.want(version != 0 && mode == Mode::Reload);
    }

    /// A reload did not come about.
    fn resume(&mut self, around: &mut Around) {
        let (version, mode) = self.later.take().unwrap_or((self.target(), self.mode));
        self.decide(version, mode, around);
    }

    fn check_failed(&mut self, around: &mut Around) {
        self.chunk_failed = false;
        self.checks.fail(self.reload.pending(), around);
    }

    /// Somebody may look at the page again, and has not seen what goes on in it.
    fn returned(&mut self, around: &mut Around) {
        self.checks.nudge(around);
        self.reload.active(around.now);
    }

    fn show(&mut self, guarded: Option<Blocker>, around: &Around) {
        let target = self.target();
        let blocked_by = guarded.or_else(|| self.reload.blocked_by(around));
        let status = match self.mode {
            _ if self.reload.committed() => Status::Reloading,
            _ if target == 0 => Status::Current,
            Mode::Ignore => Status::Current,
            Mode::Reload if blocked_by.is_some() => Status::Blocked,
            _ => Status::UpdateAvailable,
        };
        let shown = Snapshot {
            status,
            latest: self.latest,
            reason: (status != Status::Current).then_some(self.reason),
            blocked_by: blocked_by.filter(|_| status == Status::Blocked),
            dismissed: target != 0 && self.dismissed == target,
        };
        if self.shown != shown {
            self.shown = shown;
            self.outputs.push_back(VersionOutput::Show(shown));
        }
        let asks = status == Status::Blocked || (status == Status::UpdateAvailable && self.mode == Mode::Prompt);
        if asks && self.noticed.note(target, around.now) {
            self.outputs.push_back(VersionOutput::Notice);
        }
    }
}
