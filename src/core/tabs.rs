//! One leader among the tabs of one origin.
//!
//! An exclusive Web Lock elects it: whoever holds the lock leads, and the browser gives the lock of a closed or killed
//! tab to the next in the queue. What the lock cannot tell is whether its holder still runs. So the tabs talk: a
//! follower that hears nothing asks, the leader answers, and whoever gets no answer in time steals the lock.
//!
//! The code of a leader whose lock was stolen runs on once it thaws. Therefore each leadership has an epoch, greater
//! than all before it, and nobody listens to a smaller one.
//!
//! The host requests locks and carries words; what rides on them is its own affair. It calls [`Tabs::wake`] after all
//! that it tells and at [`Tabs::next_wake`], and does what [`Tabs::poll`] says until it is dry.

use super::queue::Queue;
use super::random::Random;
use super::time::{Duration, Timestamp, earliest};

/// A word from further ahead is garbage. Far more than clocks differ: a tab that lived through a clock that was set back
/// counts on from where it was, and a device without a battery may start in another decade.
pub(super) const AHEAD_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// One tab in one group: a random number.
pub type Member = u32;

/// How tabs notice each other.
#[derive(Clone, Copy, Debug)]
pub struct TabsSettings {
    /// A leader that was silent for so long is asked. Default 1 s, at least 1 ms.
    pub heartbeat: Duration,
    /// A leader that has not answered for so long is replaced. Default 5 s, at least a heartbeat.
    pub takeover: Duration,
}

impl Default for TabsSettings {
    fn default() -> TabsSettings {
        TabsSettings { heartbeat: Duration::from_secs(1), takeover: Duration::from_secs(5) }
    }
}

/// What a member posts, and all others of its group hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who says it.
    pub from: Member,
    /// The newest leadership that the sender knows of; a leader's own.
    pub epoch: u64,
    /// What it says.
    pub says: Says,
}

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Somebody came.
    Join {
        /// Whether a person sees it.
        visible: bool,
        /// A number that stands for where it is, a hash of its last event id for one. 0: nowhere yet.
        place: u64,
    },
    /// Is the leader there?
    Ask {
        /// Whether a person sees who asks.
        visible: bool,
    },
    /// The leader is. Who came, and stands at the same place, may follow from there.
    Here {
        /// Whether a person sees the leader.
        visible: bool,
        /// Where it is, as of who came.
        place: u64,
    },
    /// The leader gave up its work for this member, who takes the lock now.
    Yours {
        /// The one who takes it.
        to: Member,
    },
    /// The leader's payload rides on this. Only whether to take it is decided here.
    Load,
}

/// Who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Another tab, or nobody yet.
    Follower,
    /// This tab.
    Leader,
}

/// What the host is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TabsOutput {
    /// Request the group's lock, instead of what was requested before: that is ended first, and nothing more is said of
    /// it.
    Lock {
        /// Take it from whoever holds it, rather than queue for it.
        steal: bool,
    },
    /// Release the lock, or end the request for it.
    Unlock,
    /// Send this to all others.
    Post(Word),
    /// Begin or stop the work. What was begun is stopped before anything that comes after this is done.
    Role(Role),
    /// To the leader: somebody came. Tell the others how things stand.
    Joined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not in the group.
    Away,
    /// Waits for the lock, and listens to whoever has it.
    Following,
    Leading,
    /// Leads no more, and keeps the lock: for the one to whom it gave the work, or until it is clear whether the lock is
    /// still its own. If nobody takes the lock from it, it leads again. The next in the queue may be frozen; this one runs.
    Yielding,
}

/// One tab's membership in one group.
#[derive(Debug)]
pub struct Tabs {
    settings: TabsSettings,
    me: Member,
    visible: bool,
    /// Silence says nothing of the leader.
    patient: bool,
    standing: Standing,
    /// The newest leadership known, and whose; nobody's (0) when only others spoke of it. Compared as a pair: of two tabs
    /// that were locked in one millisecond, the greater member counts.
    epoch: u64,
    leader: Member,
    /// Where this tab stood when it came back; 0 once a leader stood there too, or this tab leads. Until then it may have
    /// missed something, and must not go on with what comes after that.
    claim: u64,
    /// It leads from a place that others have passed, and gives nothing up before it has moved on, or until this moment.
    catches_up: (u64, Timestamp),
    /// The next question cannot wait for the leader's silence.
    urgent: bool,
    stealing: bool,
    /// A request for the lock broke: a newcomer may lead that never heard of this tab.
    overtaken: bool,
    /// What was not answered was forgiven once, because this tab did not run.
    doubted: bool,
    followed: bool,
    /// When the leader was heard last.
    heard_at: Timestamp,
    /// When this tab asked or answered last.
    spoke_at: Timestamp,
    /// A follower looks then whether to ask; a leader owes an answer.
    speak_at: Option<Timestamp>,
    /// A follower steals then; a yielding tab gives the lock up.
    act_at: Option<Timestamp>,
    /// A request for the lock broke, and is made again.
    lock_at: Option<Timestamp>,
    /// Somebody came and was not told yet how things stand.
    joined: bool,
    outputs: Queue<TabsOutput>,
}

impl Tabs {
    /// Idle until it joins. `me` should be random: members of one number take no notice of each other.
    #[must_use]
    pub fn new(settings: TabsSettings, me: Member, visible: bool) -> Tabs {
        let heartbeat = settings.heartbeat.max(Duration::from_millis(1));
        Tabs {
            settings: TabsSettings { heartbeat, takeover: settings.takeover.max(heartbeat) },
            me,
            visible,
            patient: false,
            standing: Standing::Away,
            epoch: 0,
            leader: 0,
            claim: 0,
            catches_up: (0, Timestamp(0)),
            urgent: false,
            stealing: false,
            overtaken: false,
            doubted: false,
            followed: false,
            heard_at: Timestamp(0),
            spoke_at: Timestamp(0),
            speak_at: None,
            act_at: None,
            lock_at: None,
            joined: false,
            outputs: Queue::new(),
        }
    }

    /// For a group whose leader works once in minutes: no silence is too long, and once it has answered, the leader is
    /// asked by [`Tabs::ask_now`] only.
    #[must_use]
    pub fn patient(self) -> Tabs {
        Tabs { patient: true, ..self }
    }

    /// Comes, or comes back after [`Tabs::leave`]. `place` is where this tab stands, 0 when it is new: the leader that
    /// stands elsewhere hands over to it, and meanwhile nothing is to be taken.
    pub fn join(&mut self, now: Timestamp, place: u64, random: &mut Random) {
        if self.standing != Standing::Away {
            return;
        }
        self.claim = place;
        self.followed = false;
        self.follow(now);
        self.ask(now, Says::Join { visible: self.visible, place }, random);
    }

    /// Goes: the page is hidden for good or put into the back/forward cache, the work is over. No wait is left.
    pub fn leave(&mut self) {
        if self.standing == Standing::Away {
            return;
        }
        self.turn(Standing::Away);
        self.outputs.push_back(TabsOutput::Unlock);
    }

    /// The newest request for the lock was granted.
    pub fn locked(&mut self, now: Timestamp) {
        match self.standing {
            Standing::Away => self.outputs.push_back(TabsOutput::Unlock),
            Standing::Leading | Standing::Yielding => {}
            Standing::Following => {
                // A tab that is stolen from may be thawed later, and wants to have heard all that was said meanwhile.
                self.followed |= self.stealing;
                self.lead(now);
            }
        }
    }

    /// The lock was stolen, or the newest request for it ended without a grant.
    pub fn lost(&mut self, now: Timestamp) {
        match self.standing {
            Standing::Away => {}
            Standing::Following => {
                // Where requests end at once, the next one waits.
                self.stealing = false;
                self.overtaken = true;
                self.lock_at.get_or_insert(now + self.settings.heartbeat);
            }
            Standing::Leading | Standing::Yielding => {
                if self.leader == self.me {
                    self.leader = 0;
                }
                self.reclaim(now);
                self.follow(now);
            }
        }
    }

    /// Another member said something. `place` is where this tab stands now. True when the word is from the leader that
    /// counts: what it carries is to be taken.
    pub fn heard(&mut self, now: Timestamp, word: Word, place: u64, random: &mut Random) -> bool {
        if self.standing == Standing::Away || word.from == self.me || word.epoch > (now + AHEAD_MAX).0 {
            return false;
        }
        if place != self.catches_up.0 {
            self.catches_up.0 = 0;
        }
        self.followed = true;
        let leads = matches!(word.says, Says::Here { .. } | Says::Yours { .. } | Says::Load);
        let (theirs, known) = ((word.epoch, if leads { word.from } else { 0 }), (self.epoch, self.leader));
        if leads && theirs < known {
            return false;
        }
        let newer = theirs > known;
        if newer {
            (self.epoch, self.leader) = theirs;
            if self.standing == Standing::Leading {
                self.step_down(now);
            }
        }
        match word.says {
            Says::Join { visible, place: theirs } => {
                let missed = theirs != 0 && theirs != place;
                self.asked(now, word.from, visible, missed, true, random);
            }
            Says::Ask { visible } => self.asked(now, word.from, visible, false, false, random),
            _ if self.standing == Standing::Following => self.led(now, word.says, newer, random),
            _ => {}
        }
        leads && self.claim == 0
    }

    /// The page became visible or hidden.
    pub fn visible(&mut self, now: Timestamp, visible: bool) {
        if self.visible == visible {
            return;
        }
        self.visible = visible;
        match self.standing {
            Standing::Following if visible => self.ask_soon(now),
            Standing::Leading if !visible => self.answer(now),
            _ => {}
        }
    }

    /// The leader's work is missed: is it there?
    pub fn ask_now(&mut self, now: Timestamp) {
        if self.standing == Standing::Following {
            self.ask_soon(now);
        }
    }

    /// This page did not run for a while. What was not answered meanwhile proves nothing: it is asked again. Only once,
    /// so that a page that runs for a moment at a time is not put off for ever.
    pub fn slept(&mut self, now: Timestamp) {
        if self.standing != Standing::Following || self.doubted || self.act_at.is_none() {
            return;
        }
        self.doubted = true;
        self.act_at = None;
        self.ask_soon(now);
    }

    /// The host's timer rang. `place` is where this tab stands now.
    pub fn wake(&mut self, now: Timestamp, place: u64, random: &mut Random) {
        if place != self.claim {
            self.claim = 0;
        }
        if due(self.lock_at, now) {
            self.lock_at = None;
            self.outputs.push_back(TabsOutput::Lock { steal: false });
        }
        if due(self.act_at, now) {
            self.act(now);
        }
        if due(self.speak_at, now) {
            match self.standing {
                Standing::Leading => self.say_here(now, place),
                Standing::Following => self.look(now, random),
                Standing::Away | Standing::Yielding => {}
            }
        }
    }

    /// When to call [`Tabs::wake`], if ever.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        earliest(&[self.lock_at, self.act_at, self.speak_at])
    }

    /// What to do next.
    pub fn poll(&mut self) -> Option<TabsOutput> {
        self.outputs.pop_front()
    }

    /// The newest leadership known; a leader's own.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who works.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.standing == Standing::Leading { Role::Leader } else { Role::Follower }
    }

    /// Whether somebody else may be listening. Nothing needs to be told to nobody.
    #[must_use]
    pub fn followed(&self) -> bool {
        self.followed
    }

    /// What a payload rides on; `None` when it is not this tab's to say anything. A leader that was told to stop because
    /// it gave its work away may still say where it stopped.
    #[must_use]
    pub fn load(&self) -> Option<Word> {
        let newest = self.leader == self.me && self.standing != Standing::Following && self.standing != Standing::Away;
        newest.then(|| self.word(Says::Load))
    }

    // ------------------------------------------------------------ leading

    fn lead(&mut self, now: Timestamp) {
        self.epoch = self.epoch.saturating_add(1).max(now.0);
        self.leader = self.me;
        self.catches_up = (std::mem::take(&mut self.claim), now + self.settings.takeover);
        self.turn(Standing::Leading);
        self.speak_at = Some(now);
    }

    /// Somebody wants to know whether the leader is there, or would be the better one.
    fn asked(&mut self, now: Timestamp, from: Member, visible: bool, missed: bool, came: bool, random: &mut Random) {
        match self.standing {
            // Who missed something asks again. An answer would say that there is nothing to catch up.
            Standing::Leading if missed && self.catching_up(now) => {}
            Standing::Leading if missed || (visible && !self.visible && !self.catching_up(now)) => {
                self.step_down(now);
                self.post(Says::Yours { to: from });
            }
            Standing::Leading => {
                self.joined |= came;
                self.answer(now);
            }
            // The answer is for all. Asked for by one, it need not be asked for by another. It may have overtaken the
            // question.
            Standing::Following if now.since(self.heard_at) >= self.pause() => {
                self.expect_answer(now, random);
                if !self.urgent {
                    self.look_later(now, random);
                }
            }
            Standing::Away | Standing::Following | Standing::Yielding => {}
        }
    }

    fn catching_up(&self, now: Timestamp) -> bool {
        self.catches_up.0 != 0 && now < self.catches_up.1
    }

    /// What it did not come to catch up with while it led is still missing.
    fn reclaim(&mut self, now: Timestamp) {
        if self.catching_up(now) {
            self.claim = std::mem::take(&mut self.catches_up.0);
        }
    }

    /// Answers at the next wake, or a little later if it has just done so: one answer is for all who ask.
    fn answer(&mut self, now: Timestamp) {
        self.speak_at = Some(self.next_word(now));
    }

    fn say_here(&mut self, now: Timestamp, place: u64) {
        self.spoke_at = now;
        self.speak_at = None;
        self.post(Says::Here { visible: self.visible, place });
        if std::mem::take(&mut self.joined) {
            self.outputs.push_back(TabsOutput::Joined);
        }
    }

    /// Until somebody takes the lock, or nobody does.
    fn step_down(&mut self, now: Timestamp) {
        self.reclaim(now);
        self.turn(Standing::Yielding);
        self.act_at = Some(now + self.settings.heartbeat);
    }

    // ------------------------------------------------------------ following

    fn follow(&mut self, now: Timestamp) {
        self.turn(Standing::Following);
        self.outputs.push_back(TabsOutput::Lock { steal: false });
        self.heard_at = now;
        self.speak_at = Some(now + self.settings.heartbeat);
        // Where the leader may not be heard for minutes, who follows it anew shows itself.
        self.urgent = self.patient;
    }

    /// The leader that counts was heard.
    fn led(&mut self, now: Timestamp, says: Says, newer: bool, random: &mut Random) {
        self.heard_at = now;
        self.doubted = false;
        if self.act_at.take().is_some() && !self.urgent {
            self.look_later(now, random);
        }
        if says == (Says::Yours { to: self.me }) {
            if !self.stealing {
                self.steal();
            }
            return;
        }
        if matches!(says, Says::Here { place, .. } if place == self.claim) {
            self.claim = 0;
        }
        let unknown = newer && (self.claim != 0 || self.overtaken);
        let better = self.visible && matches!(says, Says::Here { visible: false, .. });
        if unknown || better {
            self.ask_soon(now);
        }
    }

    /// Asks if nothing was heard for long enough; looks again later if something was. So what is heard moves no timer: a
    /// busy stream says thousands of words a second.
    fn look(&mut self, now: Timestamp, random: &mut Random) {
        let silent = now.since(self.heard_at) >= self.settings.heartbeat;
        if !silent && !self.urgent && self.claim == 0 {
            self.look_later(self.heard_at, random);
            return;
        }
        let visible = self.visible;
        let claims = self.claim != 0;
        self.ask(now, if claims { Says::Join { visible, place: self.claim } } else { Says::Ask { visible } }, random);
    }

    fn ask(&mut self, now: Timestamp, says: Says, random: &mut Random) {
        self.spoke_at = now;
        self.urgent = false;
        self.post(says);
        self.expect_answer(now, random);
        self.look_later(now, random);
    }

    /// Asks at the next wake, or a little later if it has just done so.
    fn ask_soon(&mut self, now: Timestamp) {
        self.urgent = true;
        self.speak_at = Some(self.next_word(now));
    }

    /// Of many followers, the one that draws the smallest number asks.
    fn look_later(&mut self, from: Timestamp, random: &mut Random) {
        let heartbeat = self.settings.heartbeat;
        let at = from + heartbeat + random.up_to(heartbeat / 2);
        self.speak_at = (!self.patient || self.act_at.is_some() || self.claim != 0).then_some(at);
    }

    /// Staggered, so that two rarely steal together, and hidden tabs last: they would have to hand over at once.
    fn expect_answer(&mut self, now: Timestamp, random: &mut Random) {
        let half = self.settings.heartbeat / 2;
        let last = if self.visible { Duration::ZERO } else { half };
        let at = now + self.settings.takeover + last + random.up_to(half);
        self.act_at.get_or_insert(at);
    }

    fn steal(&mut self) {
        self.stealing = true;
        (self.act_at, self.lock_at) = (None, None);
        self.outputs.push_back(TabsOutput::Lock { steal: true });
    }

    // ------------------------------------------------------------ both

    fn act(&mut self, now: Timestamp) {
        let late = self.act_at.is_some_and(|at| now.since(at) > self.settings.heartbeat);
        match self.standing {
            // This page did not run, and the answer may lie among what it has not heard yet.
            Standing::Following if late && !self.doubted => self.slept(now),
            Standing::Following => self.steal(),
            Standing::Yielding => self.lead(now),
            Standing::Away | Standing::Leading => {}
        }
    }

    fn turn(&mut self, standing: Standing) {
        let before = self.role();
        self.standing = standing;
        (self.speak_at, self.act_at, self.lock_at) = (None, None, None);
        (self.stealing, self.overtaken, self.urgent) = (false, false, false);
        (self.doubted, self.joined) = (false, false);
        if self.role() != before {
            self.outputs.push_back(TabsOutput::Role(self.role()));
        }
    }

    /// When the next word may be said.
    fn next_word(&self, now: Timestamp) -> Timestamp {
        now.max(self.spoke_at + self.pause())
    }

    /// Between two words: four in a heartbeat are enough, whatever is asked.
    fn pause(&self) -> Duration {
        self.settings.heartbeat / 4
    }

    fn post(&mut self, says: Says) {
        self.outputs.push_back(TabsOutput::Post(self.word(says)));
    }

    fn word(&self, says: Says) -> Word {
        Word { from: self.me, epoch: self.epoch, says }
    }
}

fn due(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}
