//! The server, and the browser's one cookie.

use evenkeel::core::session::{Answer, User};
use evenkeel::core::time::Timestamp;
use evenkeel::core::verify::SessionAnswer;

use super::script::ms;

/// How the session endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It says who is signed in, and renews the cookie.
    Well,
    /// Its database is down: it says that nobody is.
    Blind,
    /// It fails.
    Broken,
    /// It never answers.
    Silent,
}

pub struct Server {
    /// Whom the browser's cookie stands for.
    pub cookie: Option<User>,
    pub mood: Mood,
    /// From a question to its answer.
    pub latency: u64,
    /// How long a sign-out takes, and whether it is accepted.
    pub sign_out_takes: u64,
    pub refuses: bool,
    /// How long a session lasts from the answer that renews it.
    pub lasts: Option<u64>,
    /// A session that does not grow ends then.
    pub ends_at: Option<u64>,
    pub retry_after: Option<u64>,
    /// When the server took the last sign-out.
    pub signed_out_at: Option<u64>,
    /// When an answer that had been asked for before a sign-out put the old cookie back, and who had asked.
    pub revived: Vec<(u64, usize)>,
}

impl Server {
    pub fn new(cookie: Option<User>) -> Server {
        Server {
            cookie,
            mood: Mood::Well,
            latency: 50,
            sign_out_takes: 200,
            refuses: false,
            lasts: None,
            ends_at: None,
            retry_after: None,
            signed_out_at: None,
            revived: Vec::new(),
        }
    }

    /// What it says to a question that is sent now; none: nothing, ever. `clock` is what the page's shows.
    pub fn answer(&self, now: u64, clock: Timestamp) -> Option<Answer> {
        let says = match (self.mood, self.cookie) {
            (Mood::Silent, _) => return None,
            (Mood::Broken, _) => SessionAnswer::CannotTell,
            (Mood::Blind, _) | (_, None) => SessionAnswer::Nobody,
            (_, Some(_)) if self.ends_at.is_some_and(|at| at <= now) => SessionAnswer::Nobody,
            (_, Some(user)) => SessionAnswer::User(user),
        };
        let lives = matches!(says, SessionAnswer::User(_));
        let left = self.ends_at.map(|at| at.saturating_sub(now)).or(self.lasts).filter(|_| lives);
        let retry_after = self.retry_after.map(ms).filter(|_| says == SessionAnswer::CannotTell);
        Some(Answer { says, expires: left.map(|left| clock + ms(left)), retry_after })
    }

    /// An answer reaches the browser, which takes the cookie that comes with it.
    pub fn renew(&mut self, now: u64, tab: usize, asked_at: u64, says: SessionAnswer) {
        if let SessionAnswer::User(user) = says {
            if self.signed_out_at.is_some_and(|at| at > asked_at) && self.cookie != Some(user) {
                self.revived.push((now, tab));
            }
            self.cookie = Some(user);
        }
    }

    pub fn signed_out(&mut self, now: u64) {
        (self.cookie, self.signed_out_at) = (None, Some(now));
    }
}
