//! The session: what the host is told of it, and what it says, as numbers.

use super::driver::Driver;
use super::host::{Question, Task};
use super::tabs;
use crate::core::hub::{Input, SessionInput};
use crate::core::session::{Answer, SessionOutput, SessionSays, SessionWord};
use crate::core::time::{Duration, Timestamp};
use crate::core::verify::{SessionAnswer, Verified};

/// The session's tabs are this group; streams count from 1.
pub const GROUP: u32 = 0;

/// A verdict that cannot tell. What is more is when the server may be asked again.
const UNKNOWN: f64 = 2.0;

/// Does what the core says about the session.
pub(super) fn perform(driver: &Driver, output: SessionOutput) {
    let host = driver.host();
    match output {
        SessionOutput::Ask => host.begin(Task::Ask as u32, Question::Session as u32, 0, &[]),
        SessionOutput::Cancel => host.hush(Question::Session as u32),
        SessionOutput::Show(shown) => host.show_session(shown.status as u32, number(shown.user), shown.leads),
        SessionOutput::Verified(verified) => host.told_session(0, verdict(verified), 0.0),
        SessionOutput::Ended(ended) => host.told_session(1, f64::from(ended as u32), 0.0),
        SessionOutput::Switched(from, to) => host.told_session(2, f64::from(from), f64::from(to)),
        SessionOutput::Mark(alive) => host.told_session(3, f64::from(alive), 0.0),
        SessionOutput::SignOut => host.told_session(4, 0.0, 0.0),
        SessionOutput::Changed => host.told_session(5, 0.0, 0.0),
        SessionOutput::Next(at) => host.told_session(6, moment(at), 0.0),
        SessionOutput::Post(SessionWord { turn, says }) => {
            let (says, value, user, expires) = match says {
                SessionSays::Asking(within) => (5, within.as_millis() as f64, None, None),
                SessionSays::Verdict(Verified::Unknown, user, until) => {
                    (6, UNKNOWN + until.map_or(0.0, |until| until.0 as f64), user, None)
                }
                SessionSays::Verdict(verified, user, expires) => (6, verdict(verified), user, expires),
                SessionSays::Verify => (7, 0.0, None, None),
                SessionSays::Active => (8, 0.0, None, None),
                SessionSays::Hidden => (9, 0.0, None, None),
                SessionSays::Quiet(within) => (10, within.as_millis() as f64, None, None),
                SessionSays::Stopped => (11, 0.0, None, None),
                SessionSays::SignedOut => (12, 0.0, None, None),
                SessionSays::Resume => (13, 0.0, None, None),
                SessionSays::Nobody => (14, 0.0, None, None),
            };
            host.post_session(turn as f64, says, value, number(user), moment(expires));
        }
        SessionOutput::Tabs(output) => tabs::perform(driver, GROUP, output),
        SessionOutput::Left => host.left(GROUP),
    }
}

/// What the glue tells. None: what no glue of this build says.
#[must_use]
pub fn input(what: u32, a: f64, b: f64, c: f64) -> Option<Input> {
    Some(Input::Session(match what {
        0 => SessionInput::Answered(Answer {
            says: match a {
                -2.0 => SessionAnswer::Nobody,
                0.0.. => SessionAnswer::User(a as u32),
                _ => SessionAnswer::CannotTell,
            },
            expires: at(b),
            retry_after: (c >= 0.0).then(|| Duration::from_millis(c as u64)),
        }),
        1 => SessionInput::Verify,
        2 => SessionInput::Nudged,
        3 => SessionInput::SignOut,
        4 => SessionInput::SignedOut(a > 0.0),
        _ => return None,
    }))
}

/// What another tab says, from the numbers that it was sent as. None: what no tab of this version says.
#[must_use]
pub fn heard(turn: f64, says: u32, value: f64, user: f64, expires: f64) -> Option<Input> {
    let within = Duration::from_millis(value as u64);
    let user = (user >= 0.0).then_some(user as u32);
    let says = match says {
        5 => SessionSays::Asking(within),
        6 if value > UNKNOWN => SessionSays::Verdict(Verified::Unknown, user, at(value - UNKNOWN)),
        6 => SessionSays::Verdict(
            match value {
                0.0 => Verified::SignedIn(user?),
                1.0 => Verified::SignedOut,
                _ => Verified::Unknown,
            },
            user,
            at(expires),
        ),
        7 => SessionSays::Verify,
        8 => SessionSays::Active,
        9 => SessionSays::Hidden,
        10 => SessionSays::Quiet(within),
        11 => SessionSays::Stopped,
        12 => SessionSays::SignedOut,
        13 => SessionSays::Resume,
        14 => SessionSays::Nobody,
        _ => return None,
    };
    Some(Input::Session(SessionInput::Heard(SessionWord { turn: turn as u64, says })))
}

fn verdict(verified: Verified) -> f64 {
    match verified {
        Verified::SignedIn(_) => 0.0,
        Verified::SignedOut => 1.0,
        Verified::Unknown => UNKNOWN,
    }
}

fn number(user: Option<u32>) -> f64 {
    user.map_or(-1.0, f64::from)
}

fn moment(at: Option<Timestamp>) -> f64 {
    at.map_or(-1.0, |at| at.0 as f64)
}

fn at(moment: f64) -> Option<Timestamp> {
    (moment >= 0.0).then_some(Timestamp(moment as u64))
}
