//! Who is signed in: asked by one tab for all, and never ended by a broken server.
//!
//! Every tab has one [`Session`]. The leader among them asks by the clock; all hear what comes of it and take it for
//! their own. The order of questions and sign-outs in all tabs is that of their turns.
//!
//! The host calls [`Session::wake`] after all that it tells, at [`Session::next_wake`] and at [`Session::next_awake`], and
//! does what [`Session::poll`] says until it is dry.

mod attendance;
mod hearing;
mod questions;
mod schedule;
mod sign_out;
mod verdict;

use super::queue::Queue;
use super::random::Random;
use super::tabs::{Member, Role, Tabs, TabsOutput, TabsSettings, Word};
use super::time::{Duration, Timestamp, earliest};
use super::verify::{SessionAnswer, Verified, Verify, VerifySettings};
use attendance::Attendance;
use questions::Want;
use schedule::Schedule;
use sign_out::Signing;
use verdict::Learned;

/// A person, as a number of the host's. 0 is one of whom nothing is known but that they are signed in.
pub type User = u32;

/// How a session is kept alive.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// Between two pings while somebody is active in any tab. Default 5 min.
    pub active: Duration,
    /// While nobody is. Default 15 min.
    pub idle: Duration,
    /// So long without input, or hidden, is idle. Default 5 min.
    pub idle_after: Duration,
    /// So long without input in any tab, and nothing is asked by itself any more. Default 8 h.
    pub stop_after_idle: Option<Duration>,
    /// How often and how patiently the endpoint is asked.
    pub verify: VerifySettings,
}

/// What an earlier page, or the server that rendered this one, says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// Somebody was signed in, whoever it was.
    pub lived: bool,
    /// Somebody is: nothing needs to be asked first.
    pub user: Option<User>,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// What one answer of the endpoint says.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Whether somebody is signed in, and who.
    pub says: SessionAnswer,
    /// Until when. What is past, or did not move on since the answer before, makes nobody ask early.
    pub expires: Option<Timestamp>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

/// In the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Status {
    Loading,
    Authenticated,
    SignedOut,
    Unknown,
}

/// What the app is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How it stands.
    pub status: Status,
    /// Who is, or was last, signed in; none once signed out.
    pub user: Option<User>,
    /// Whether this tab asks for all.
    pub leads: bool,
}

/// Why a session is over, in the order of the public type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ended {
    /// The server said so, often enough.
    Expired,
    /// The person signed out here.
    SignOut,
    /// In another tab.
    OtherTab,
}

/// What tabs say to each other about the session, besides the words of [`Tabs`]. `turn` grows with each
/// question and each sign-out in any tab: what bears a smaller one than is known is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionWord {
    /// Which question, or which sign-out, it belongs to.
    pub turn: u64,
    /// What it says.
    pub says: SessionSays,
}

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSays {
    /// The sender asks the server, and will say more within so long.
    Asking(Duration),
    /// What came of it: with the user of `SignedIn`, and until when the session lasts; with the last user known of
    /// `Unknown`, and until when the server wants to be left alone. Of turn 0 when it came with the sender's page.
    Verdict(Verified, Option<User>, Option<Timestamp>),
    /// One clear answer that nobody is signed in, which is enough where no session ever lived: in the sender's tab. It
    /// proves nothing to a tab that saw one alive.
    Nobody,
    /// Somebody needs to know. Only an answer to a question of this turn or a later one will do; 0: any.
    Verify,
    /// Somebody is active in the sender's page.
    Active,
    /// The sender's page was hidden.
    Hidden,
    /// Somebody signs out: no question may be out, and none is asked within so long.
    Quiet(Duration),
    /// The sender's question is out no more, if one was. It also tells who signs out of the newest turn.
    Stopped,
    /// The server signed them out.
    SignedOut,
    /// The server did not.
    Resume,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SessionOutput {
    /// Ask the session endpoint.
    Ask,
    /// End that question.
    Cancel,
    /// Tell all who wait, in this tab.
    Verified(Verified),
    /// Show this.
    Show(Snapshot),
    /// Tell that the session is over, once.
    Ended(Ended),
    /// Tell that one known person was replaced by another.
    Switched(User, User),
    /// Remember on this device that a session is alive, or forget it.
    Mark(bool),
    /// Nothing is out that could revive the cookie: sign out at the server.
    SignOut,
    /// User or status changed, and this tab is the one to tell other libraries.
    Changed,
    /// When the endpoint is asked next, if it is; for people who look at diagnostics.
    Next(Option<Timestamp>),
    /// Say this to all other tabs.
    Post(SessionWord),
    /// For this tab's place among the others.
    Tabs(TabsOutput),
    /// This tab left them.
    Left,
}

/// What happens around.
pub struct Around<'a> {
    /// The wall, made monotonic: schedules.
    pub now: Timestamp,
    /// Without sleep: how long a question may take.
    pub awake: Timestamp,
    /// The dice.
    pub random: &'a mut Random,
    /// What the browser says of the network.
    pub online: bool,
    /// Whether somebody can see the page.
    pub visible: bool,
}

/// One tab's knowledge of the session.
#[derive(Debug)]
pub struct Session {
    settings: SessionSettings,
    heartbeat: Duration,
    me: Member,
    tabs: Option<Tabs>,
    verify: Verify,
    schedule: Schedule,
    attendance: Attendance,

    status: Status,
    user: Option<User>,
    /// A session was alive, in this page or an earlier one.
    lived: bool,
    /// The last person who was known here, also after they signed out; 0: nobody, or one without a number.
    person: User,
    /// The last clear verdict; none before the first.
    told: Option<Option<User>>,

    /// The greatest turn that was taken or heard of.
    newest: u64,
    /// The turn of what is known: what bears a smaller one is out of date.
    known: u64,
    /// That of this tab's newest question; each confirmation takes a new one.
    asked: u64,
    asked_at: Timestamp,
    /// What came with its newest answer: until when the session lasts, and how long to wait.
    brought: (Option<Timestamp>, Option<Duration>),
    /// Another tab's question that is out, and when it is given up.
    asking: Option<(u64, Timestamp)>,
    want: Option<Want>,
    /// Somebody in this page waits for a verdict.
    owed: bool,
    /// When this tab missed the leader's work last.
    looked_at: Timestamp,
    /// Another tab's sign-out: nobody asks until then.
    quiet: Option<(u64, Timestamp)>,
    signing: Option<Signing>,

    away: bool,
    stopped: bool,
    shown: Option<Snapshot>,
    /// When this tab looks at the clock next, and what was said of it.
    planned: Option<Timestamp>,
    next: Option<Timestamp>,
    outputs: Queue<SessionOutput>,
}

impl Session {
    /// One tab. With a place in a group it shares what it knows with the others; it joins at once.
    #[must_use]
    pub fn new(
        settings: SessionSettings,
        tabs: Option<(Member, TabsSettings)>,
        start: Start,
        around: &mut Around,
    ) -> Session {
        let me = tabs.map_or(0, |(me, _)| me);
        let heartbeat = tabs.map_or(TabsSettings::default(), |(_, tabs)| tabs).heartbeat;
        let mut session = Session {
            settings,
            heartbeat: heartbeat.max(Duration::from_millis(1)),
            me,
            tabs: tabs.map(|(me, settings)| Tabs::new(settings, me, around.visible).patient()),
            verify: Verify::new(settings.verify),
            schedule: Schedule::default(),
            attendance: Attendance::new(settings.idle_after, around.visible, around.now),
            status: if start.user.is_some() { Status::Authenticated } else { Status::Loading },
            user: start.user,
            lived: start.lived,
            person: 0,
            told: None,
            newest: 0,
            known: 0,
            asked: 0,
            asked_at: Timestamp(0),
            brought: (None, None),
            asking: None,
            want: None,
            owed: false,
            looked_at: Timestamp(0),
            quiet: None,
            signing: None,
            away: false,
            stopped: false,
            shown: None,
            planned: None,
            next: None,
            outputs: Queue::new(),
        };
        session.join(around);
        let turn = session.take_turn(around.now);
        match start.user {
            Some(user) => {
                let verified = Verified::SignedIn(user);
                session.post(0, SessionSays::Verdict(verified, start.user, start.expires));
                let learned = Learned { user: None, expires: start.expires, retry_after: None, here: false };
                session.learn(turn, verified, learned, around);
                if start.expires.is_some_and(|at| at <= around.now) {
                    session.schedule.doubt(&session.settings, around.now, around.random);
                }
            }
            None => session.arrive(turn, around),
        }
        session
    }

    /// Somebody in this page needs to know.
    pub fn request(&mut self, around: &mut Around) {
        if self.stopped {
            return;
        }
        self.owed = true;
        if !self.away {
            self.need(0, around.now, around);
        }
        if let (Some(want), true) = (&mut self.want, self.signing.is_some()) {
            // What asks may be what signs out: each would wait for the other.
            want.limit = want.limit.min(around.now + self.heartbeat);
        }
    }

    /// The endpoint answered this tab's question.
    pub fn answered(&mut self, answer: Answer, around: &mut Around) {
        self.brought = (answer.expires, answer.retry_after);
        self.verify.answered(around.awake, answer.says, self.lived);
        if !self.verify.idle() {
            self.say_asking(around);
        }
        self.drain_verify(around);
    }

    /// Another tab said something about who leads.
    pub fn heard_tabs(&mut self, word: Word, around: &mut Around) {
        if let Some(tabs) = &mut self.tabs {
            tabs.heard(around.now, word, 0, around.random);
        }
    }

    /// The lock that was asked for is held, or was lost or not to be had.
    pub fn locked(&mut self, held: bool, around: &mut Around) {
        match &mut self.tabs {
            Some(tabs) if held => tabs.locked(around.now),
            Some(tabs) => tabs.lost(around.now),
            None => {}
        }
    }

    /// A pointer, key, touch or scroll.
    pub fn active(&mut self, around: &mut Around) {
        if self.away {
            return;
        }
        if self.attendance.active(around.now) {
            self.post(0, SessionSays::Active);
        }
        // Nobody asks by the clock whether somebody signed in elsewhere.
        let stale = |at: Timestamp| around.now.since(at) > self.settings.active;
        if self.status == Status::SignedOut && self.schedule.answered_at.is_some_and(stale) {
            self.need(0, around.now, around);
        }
    }

    /// The page became visible or hidden.
    pub fn visible(&mut self, around: &mut Around) {
        if self.away || self.attendance.visible == around.visible {
            return;
        }
        if let Some(tabs) = &mut self.tabs {
            tabs.visible(around.now, around.visible);
        }
        if around.visible {
            self.attendance.visible = true;
            self.active(around);
        } else if self.attendance.hidden(around.now) {
            self.post(0, SessionSays::Hidden);
        }
    }

    /// The browser's `online` and `offline`.
    pub fn network(&mut self, around: &mut Around) {
        if around.online {
            self.schedule.hurry(&self.settings, around.now, around.random);
        }
    }

    /// The page goes, perhaps into the back/forward cache, or came back from there.
    pub fn away(&mut self, away: bool, around: &mut Around) {
        if self.stopped || self.away == away {
            return;
        }
        if away {
            if self.attendance.hidden(around.now) {
                self.post(0, SessionSays::Hidden);
            }
            self.leave();
            return self.show();
        }
        self.away = false;
        self.join(around);
        let turn = self.take_turn(around.now);
        self.arrive(turn, around);
    }

    /// This device slept, or the page stood still.
    pub fn slept(&mut self, around: &mut Around) {
        if self.away {
            return;
        }
        if let Some(tabs) = &mut self.tabs {
            tabs.slept(around.now);
        }
        let at = self.schedule.hold(&self.settings, around.now, around.random);
        if self.stop_asking() {
            self.need(0, at, around);
        }
        let limit = at + self.patience();
        if let Some(want) = &mut self.want {
            (want.at, want.told, want.limit) = (at, false, limit);
        }
    }

    /// The client ends.
    pub fn stop(&mut self) {
        if !self.away {
            self.leave();
        }
        (self.stopped, self.owed) = (true, false);
        (self.quiet, self.signing) = (None, None);
    }

    /// Lets everything act on what happened.
    pub fn wake(&mut self, around: &mut Around) {
        if self.stopped {
            return;
        }
        self.wake_tabs(around);
        self.wake_sign_out(around);
        self.verify.wake(around.awake);
        self.drain_verify(around);
        self.pursue(around);
        self.keep_alive(around);
        self.plan();
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<SessionOutput> {
        self.outputs.pop_front()
    }

    /// When to come back, on the wall.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let tabs = self.tabs.as_ref().and_then(Tabs::next_wake);
        let (want, planned) = match self.want {
            _ if self.away || !self.verify.idle() => (None, None),
            Some(want) if self.may_ask() => (Some(want.at.min(want.limit)), self.planned),
            Some(want) => (Some(want.limit), None),
            None if self.may_ask() => (None, self.planned),
            None => (None, None),
        };
        earliest(&[tabs, self.sign_out_wake(), want, planned])
    }

    /// When to come back, on the timeline without sleep.
    #[must_use]
    pub fn next_awake(&self) -> Option<Timestamp> {
        self.verify.next_wake()
    }

    fn join(&mut self, around: &mut Around) {
        self.attendance.visible = around.visible;
        if let Some(tabs) = &mut self.tabs {
            tabs.visible(around.now, around.visible);
            tabs.join(around.now, 0, around.random);
        }
        self.wake_tabs(around);
        self.active(around);
    }

    /// A question that was out before this page was there says nothing to it: somebody may have signed in since.
    fn arrive(&mut self, turn: u64, around: &mut Around) {
        self.known = turn;
        self.need(turn, around.now, around);
        self.show();
    }

    fn leave(&mut self) {
        if self.stop_asking() {
            self.post(self.newest, SessionSays::Stopped);
        }
        if let Some(tabs) = &mut self.tabs {
            tabs.leave();
            self.drain_tabs();
            self.outputs.push_back(SessionOutput::Left);
        }
        self.away = true;
        (self.want, self.asking) = (None, None);
    }

    fn wake_tabs(&mut self, around: &mut Around) {
        if let Some(tabs) = &mut self.tabs {
            tabs.wake(around.now, 0, around.random);
        }
        if self.drain_tabs() {
            self.pursue_anew(around);
        }
        self.show();
    }

    /// Whether this tab leads from now on.
    fn drain_tabs(&mut self) -> bool {
        let mut begins = false;
        while let Some(said) = self.tabs.as_mut().and_then(Tabs::poll) {
            begins |= said == TabsOutput::Role(Role::Leader);
            self.outputs.push_back(SessionOutput::Tabs(said));
        }
        begins
    }

    fn plan(&mut self) {
        self.planned = self.ping_at().filter(|_| !self.away);
        let next = self.planned.filter(|_| self.leads());
        if self.verify.idle() && std::mem::replace(&mut self.next, next) != next {
            self.outputs.push_back(SessionOutput::Next(next));
        }
    }
}
