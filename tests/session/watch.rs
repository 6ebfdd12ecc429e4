//! What must be true of every tab in every story.

use std::collections::VecDeque;

use evenkeel::core::session::{Ended, SessionOutput, SessionSays, Status, User};
use evenkeel::core::verify::SessionAnswer;

use super::script::{MINUTE, SECOND};

/// Questions of one tab in a minute, whatever happens to it: no storm.
const ASKED_IN_A_MINUTE_MAX: usize = 90;
/// Words of one tab about the session in a minute.
const SAID_IN_A_MINUTE_MAX: usize = 600;

/// What the whole browser was told by the server.
#[derive(Default)]
pub struct Evidence {
    /// Whom it ever said to be signed in.
    users: Vec<User>,
    /// When a question and its confirmations were complete.
    confirmed: Vec<u64>,
    /// When one clear answer came.
    clear: Vec<u64>,
    /// When a tab was told that a sign-out was accepted.
    signed_out: Vec<u64>,
}

impl Evidence {
    pub fn signed_out(&mut self, now: u64) {
        self.signed_out.push(now);
    }

    /// The server says so.
    pub fn user(&mut self, user: User) {
        if !self.users.contains(&user) {
            self.users.push(user);
        }
    }
}

/// One tab, as it is seen from outside.
pub struct Watch {
    confirmations: usize,
    /// It may be told what no server said.
    strangers: bool,
    /// It knows of a session: of a person, or by the mark.
    lived: bool,
    /// The last person with a name.
    person: User,
    status: Status,
    user: Option<User>,
    /// When the server was asked that said so first.
    lived_since: u64,
    /// When the question was asked that it knows its person from.
    known_at: u64,
    /// Somebody waits since.
    pub owed_since: Option<u64>,
    asked: VecDeque<u64>,
    said: VecDeque<u64>,
    /// The clear answers in a row, by when they came.
    clear: Vec<u64>,
    question_out: bool,
    /// It is about to be told an answer.
    answered: bool,
    signs_out: bool,
    stopped: bool,
}

impl Watch {
    pub fn new(now: u64, lived: bool, strangers: bool, confirmations: u32) -> Watch {
        Watch {
            confirmations: confirmations.max(1) as usize,
            strangers,
            lived,
            person: 0,
            status: Status::Loading,
            user: None,
            lived_since: now,
            known_at: 0,
            owed_since: None,
            asked: VecDeque::new(),
            said: VecDeque::new(),
            clear: Vec::new(),
            question_out: false,
            answered: false,
            signs_out: false,
            stopped: false,
        }
    }

    /// The client ended: nobody is told anything more.
    pub fn stopped(&mut self) {
        self.stopped = true;
        self.owed_since = None;
    }

    /// Somebody wants to know.
    pub fn waits(&mut self, now: u64) {
        self.owed_since = self.owed_since.or(Some(now)).filter(|_| !self.stopped);
    }

    pub fn question_out(&self) -> bool {
        self.question_out
    }

    /// The server answered this tab's question.
    pub fn answered(&mut self, now: u64, says: SessionAnswer, evidence: &mut Evidence) {
        (self.question_out, self.answered) = (false, true);
        match says {
            SessionAnswer::User(user) => {
                self.clear.clear();
                evidence.user(user);
            }
            SessionAnswer::CannotTell => self.clear.clear(),
            SessionAnswer::Nobody => {
                self.clear.push(now);
                evidence.clear.push(now);
                let gaps = [2 * SECOND, 10 * SECOND];
                let from = self.clear.len().saturating_sub(self.confirmations);
                let row = &self.clear[from..];
                let spaced = row.windows(2).zip(gaps).all(|(two, gap)| two[1] - two[0] >= gap);
                if row.len() == self.confirmations && spaced {
                    evidence.confirmed.push(now);
                }
            }
        }
    }

    /// Whatever came out of the tab in one go.
    pub fn see(&mut self, now: u64, tab: usize, outputs: &[SessionOutput], evidence: &Evidence, source: Option<u64>) {
        assert!(!self.stopped || outputs.is_empty(), "{tab} is stopped and goes on: {outputs:?}");
        let (mut ended, mut switched, mut expected) = (vec![], vec![], vec![]);
        let lived_before = self.lived;
        for output in outputs {
            match *output {
                SessionOutput::Ask => {
                    assert!(!self.question_out, "{tab} asks twice at a time");
                    assert!(!self.signs_out, "{tab} asks while it signs out");
                    self.question_out = true;
                    let asked = count(&mut self.asked, now);
                    assert!(asked <= ASKED_IN_A_MINUTE_MAX, "{tab} asks {asked} times in a minute");
                }
                SessionOutput::Cancel => {
                    // A page that slept finds out before it reads the answer.
                    assert!(self.question_out || self.answered, "{tab} cancels nothing");
                    (self.question_out, self.answered) = (false, false);
                    self.clear.clear();
                }
                SessionOutput::SignOut => {
                    assert!(!self.question_out, "{tab} signs out while its question is out");
                    self.signs_out = true;
                }
                SessionOutput::Post(word) => {
                    let said = count(&mut self.said, now);
                    assert!(said <= SAID_IN_A_MINUTE_MAX, "{tab} chatters");
                    assert!(word.turn < 1 << 53, "no JavaScript number");
                    if matches!(word.says, SessionSays::SignedOut | SessionSays::Resume) {
                        self.signs_out = false;
                    }
                }
                SessionOutput::Mark(alive) => {
                    assert!(self.lived != alive || !alive, "{tab} marks twice");
                    self.lived = alive;
                    if alive {
                        // A tab that was frozen hears all of it at once.
                        self.lived_since = source.unwrap_or(now);
                    }
                }
                SessionOutput::Show(shown) => {
                    assert!(
                        shown.user.is_none() || matches!(shown.status, Status::Authenticated | Status::Unknown),
                        "{tab} shows a person who is not there"
                    );
                    if let Some(user) = shown.user {
                        if self.user != Some(user) {
                            self.met(now, tab, user, evidence, source);
                        }
                        if self.person != 0 && user != self.person {
                            expected.push((self.person, user));
                        }
                        self.person = user;
                    }
                    if shown.status == Status::SignedOut && self.status != Status::SignedOut {
                        self.ends(now, tab, lived_before, evidence);
                    }
                    (self.status, self.user) = (shown.status, shown.user);
                }
                SessionOutput::Ended(why) => ended.push(why),
                SessionOutput::Switched(from, to) => switched.push((from, to)),
                SessionOutput::Verified(_) => {
                    assert!(self.owed_since.is_some(), "{tab} answers nobody");
                    self.owed_since = None;
                }
                SessionOutput::Changed | SessionOutput::Next(_) | SessionOutput::Tabs(_) | SessionOutput::Left => {}
            }
        }
        assert_eq!(switched, expected, "{tab} tells once of every change");
        self.answered = false;
        let over = lived_before && !self.lived;
        let signed_out_here = ended == [Ended::SignOut];
        assert!(ended.len() == usize::from(over) || signed_out_here, "{tab} was told {ended:?}, lived: {lived_before}");
        if signed_out_here {
            self.signs_out = false;
        }
    }

    /// A sign-out of this tab's was answered.
    pub fn signed_out(&mut self) {
        self.signs_out = false;
    }

    /// A person appears. Only the server brings one, and never from before what is known. `source`: when the question
    /// was asked that this is known from.
    fn met(&mut self, now: u64, tab: usize, user: User, evidence: &Evidence, source: Option<u64>) {
        if self.strangers {
            return;
        }
        assert!(evidence.users.contains(&user), "{tab} shows {user} at {now}, of whom nobody heard");
        if let Some(asked_at) = source {
            assert!(asked_at >= self.known_at, "{tab} shows {user} again at {now}");
            self.known_at = asked_at;
        }
    }

    /// It shows that nobody is signed in.
    fn ends(&mut self, now: u64, tab: usize, lived: bool, evidence: &Evidence) {
        let since = |times: &[u64]| times.iter().any(|at| *at >= self.lived_since && *at <= now);
        let confirmed = since(&evidence.confirmed) || since(&evidence.signed_out);
        let clear = !lived && !evidence.clear.is_empty();
        assert!(confirmed || clear || self.strangers, "{tab} logs its person out at {now} for nothing");
        self.clear.clear();
    }
}

/// How often in a minute, this time included.
fn count(times: &mut VecDeque<u64>, now: u64) -> usize {
    times.push_back(now);
    while times.front().is_some_and(|at| at + MINUTE < now) {
        times.pop_front();
    }
    times.len()
}
