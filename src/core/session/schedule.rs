//! When the server is asked by itself.
//!
//! Nothing is counted down here: every moment follows from when the last answer came, what it said, and who was there
//! since. So a tab that slept, was throttled, or has just become the leader knows what is due as well as any other.

use super::attendance::Attendance;
use super::{SessionSettings, Status};
use crate::core::random::Random;
use crate::core::time::{Duration, Timestamp, earliest};
use crate::core::verify::Verified;

/// What chance adds to an interval, or takes from a backoff, is so many parts of this.
pub(super) const SIDES: u32 = 1_024;
/// At most so much is added to an interval, so that pages that began together do not stay together.
const JITTER_SHARE: u32 = 10;
/// So long before the session ends, or a tenth of what is left, whichever is less.
const LEAD_MAX: Duration = Duration::from_secs(60);
const LEAD_SHARE: u32 = 10;
/// Between an answer and a question because of what it said: a clock that is wrong by just the length of a session must
/// not make a page ask without end. Also how long after its end a session that does not grow is looked at.
const EXPIRY_PAUSE: Duration = Duration::from_secs(1);
/// The first wait after a failure; doubling up to the interval.
const RETRY_BASE: Duration = Duration::from_secs(1);
/// No server keeps a page away for longer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// Whoever wakes in one moment asks within so long, or within a tenth of the interval.
const STAGGER_MAX: Duration = Duration::from_secs(1);
const STAGGER_SHARE: u32 = 10;

/// What is known of the last answer, whichever tab it reached.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    pub(super) answered_at: Option<Timestamp>,
    /// Thrown once for each answer.
    dice: u32,
    /// Answers in a row that could not tell.
    failures: u32,
    /// When the backoff ends, and until when the server asked to be left alone.
    retry_at: Timestamp,
    rest_until: Timestamp,
    expires: Option<Timestamp>,
    /// The session's end makes it time then.
    expiry_at: Option<Timestamp>,
    /// After a sleep nobody asks before this moment.
    hold: Timestamp,
}

impl Schedule {
    /// An answer came, here or in another tab.
    pub(super) fn answered(
        &mut self,
        verified: Verified,
        expires: Option<Timestamp>,
        retry_after: Option<Duration>,
        settings: &SessionSettings,
        now: Timestamp,
        random: &mut Random,
    ) {
        self.answered_at = Some(now);
        self.dice = random.up_to(Duration::from_millis(u64::from(SIDES))).as_millis() as u32;
        self.expiry_at = None;
        if verified == Verified::Unknown {
            let doubled = RETRY_BASE * 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
            let half = doubled.min(settings.active) / 2;
            let rest = retry_after.map_or(Duration::ZERO, |asked| asked.min(RETRY_AFTER_MAX));
            self.failures = self.failures.saturating_add(1);
            self.retry_at = now + half + share(half, self.dice);
            self.rest_until = now + rest + share(rest / 2, self.dice);
            return;
        }
        self.failures = 0;
        let before = std::mem::replace(&mut self.expires, expires);
        if let Some(expires) = expires.filter(|at| *at > now) {
            let left = expires.since(now);
            let grew = before.is_none_or(|before| before < expires);
            let early = now + left.saturating_sub(LEAD_MAX.min(left / LEAD_SHARE)).max(EXPIRY_PAUSE);
            self.expiry_at = Some(if grew { early } else { expires + EXPIRY_PAUSE });
        }
    }

    /// When the server is to be asked, in the worst case that `dice` stand for; none: not by itself.
    pub(super) fn due(
        &self,
        status: Status,
        settings: &SessionSettings,
        attendance: &Attendance,
        most: bool,
    ) -> Option<Timestamp> {
        let dice = if most { SIDES } else { self.dice };
        let answered_at = self.answered_at?;
        let after = |interval: Duration| answered_at + interval + share(interval / JITTER_SHARE, dice);
        let active = after(settings.active);
        let regular = if active <= attendance.until() { active } else { after(settings.idle) };
        let due = match status {
            Status::Authenticated => earliest(&[Some(regular), self.expiry_at])?,
            Status::Unknown => self.retry_at.max(self.rest_until),
            Status::Loading | Status::SignedOut => return None,
        };
        let due = due.max(self.hold);
        let forgotten = settings.stop_after_idle.is_some_and(|stop| attendance.last + stop <= due);
        (!forgotten).then_some(due)
    }

    /// The network is back: a backoff need not be waited for.
    pub(super) fn hurry(&mut self, settings: &SessionSettings, now: Timestamp, random: &mut Random) {
        self.failures = 0;
        self.retry_at = self.retry_at.min(stagger(settings, now, random));
    }

    /// What a server rendered had ended before it was seen here: whether it goes on is asked once.
    pub(super) fn doubt(&mut self, settings: &SessionSettings, now: Timestamp, random: &mut Random) {
        self.expiry_at = Some(stagger(settings, now, random));
    }

    /// This device slept, and all its pages wake in one moment. When this one may ask.
    pub(super) fn hold(&mut self, settings: &SessionSettings, now: Timestamp, random: &mut Random) -> Timestamp {
        self.hold = stagger(settings, now, random);
        self.hold
    }
}

/// So much of a span.
pub(super) fn share(span: Duration, dice: u32) -> Duration {
    span * dice / SIDES
}

fn stagger(settings: &SessionSettings, now: Timestamp, random: &mut Random) -> Timestamp {
    now + random.up_to(STAGGER_MAX.min(settings.active / STAGGER_SHARE))
}
