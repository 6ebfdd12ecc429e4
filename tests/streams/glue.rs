//! What the glue does for a page: it hands events on, to the app and to the other tabs, and listens to those.

use evenkeel::core::events::parser::Event;
use evenkeel::core::events::report::{Admission, Fire, Status};
use evenkeel::core::events::streams::StreamsOutput;
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::output::Output;
use evenkeel::core::tabs::{Says, TabsOutput, Word};

use super::page::{Got, Load};
use super::script::MINUTE;
use super::world::{Coming, STREAM, World};

/// Two tabs that both believe to have missed something take the connection from each other so often in a minute.
const MISSES_MAX: usize = 3;

impl World {
    /// Tabs that listen are told before the page.
    pub fn deliver(&mut self, page: usize, events: Vec<(String, String, String)>) {
        let this = &self.pages[page];
        if this.followed && this.leads {
            let mut last = this.last_event_id.clone();
            let own = |(kind, data, id): &(String, String, String)| {
                let own = (*id != last).then(|| id.clone());
                last.clone_from(id);
                (kind.clone(), data.clone(), own)
            };
            let told = events.iter().map(own).collect::<Vec<_>>();
            let (before, last_id) = (this.told.clone(), this.reached());
            if !told.is_empty() || last_id != before {
                let load =
                    Load { before: Some(before), last_id: Some(last_id.clone()), events: told, ..Load::default() };
                self.post_load(page, load);
            }
            self.pages[page].told = last_id;
        }
        for (kind, data, id) in events {
            self.hand(page, kind, data, id);
        }
    }

    fn hand(&mut self, page: usize, kind: String, data: String, id: String) {
        let this = &mut self.pages[page];
        this.last_event_id.clone_from(&id);
        this.got.push(Got { at: self.now, kind, data, id });
    }

    fn admit(&mut self, page: usize, kind: &str, data: &str, id: Option<&str>, follows: bool) -> Admission {
        let kind = if kind == "message" { "" } else { kind };
        let event = Event { id: id.map(str::as_bytes), kind: kind.as_bytes(), data: data.as_bytes() };
        self.pages[page].hub.admit(STREAM, &event, follows)
    }

    pub fn take_poll(&mut self, page: usize) {
        let (polled, last_id) = std::mem::take(&mut self.pages[page].polled);
        let mut events = Vec::new();
        for (id, data) in polled {
            if self.admit(page, "message", &data, Some(&id), true) == Admission::New {
                events.push(("message".to_owned(), data, id));
            }
        }
        if !last_id.is_empty() {
            self.tell(page, Input::Stream(STREAM, StreamInput::Reached(last_id.into_bytes())));
        }
        self.deliver(page, events);
    }

    // ------------------------------------------------------------ other tabs

    pub fn heard(&mut self, page: usize, word: Word, load: Load) {
        let this = &mut self.pages[page];
        if !this.followed {
            this.told = this.reached();
        }
        this.followed = true;
        if load.again {
            if this.leads {
                self.tell(page, Input::Stream(STREAM, StreamInput::Again));
            }
            return;
        }
        let host = self.host();
        let taken = self.pages[page].hub.heard(host, STREAM, word);
        self.drain(page);
        if !taken || self.pages[page].leads {
            return;
        }
        if let Some((snapshot, fire)) = load.shown {
            self.pages[page].shows.push((self.now, snapshot, fire));
            if snapshot.status == Status::Closed {
                self.tell(page, Input::Stream(STREAM, StreamInput::Close));
                return;
            }
        }
        self.pages[page].misses.retain(|at| self.now - at < MINUTE);
        let this = &self.pages[page];
        let mut mine = this.reached();
        let gave_up = this.misses.len() >= MISSES_MAX;
        let lags = |reached: &String| this.hub.stream(STREAM).is_some_and(|stream| stream.lags(reached.as_bytes()));
        if let Some(reached) = load.reached.filter(lags) {
            if !gave_up {
                return self.missed(page);
            }
            self.tell(page, Input::Stream(STREAM, StreamInput::Reached(reached.into_bytes())));
        }
        let mut expected = load.before.unwrap_or_else(|| mine.clone());
        for (kind, data, own) in load.events {
            let verdict = self.admit(page, &kind, &data, own.as_deref(), gave_up || expected == mine);
            if verdict == Admission::Gap {
                return self.missed(page);
            }
            if let Some(own) = &own {
                expected.clone_from(own);
                mine.clone_from(own);
            }
            if verdict == Admission::New {
                let id = own.unwrap_or_else(|| self.pages[page].last_event_id.clone());
                self.hand(page, kind, data, id);
            }
        }
        if let Some(last_id) = load.last_id.filter(|_| expected == mine || mine.is_empty()) {
            self.pages[page].last_event_id.clone_from(&last_id);
            self.tell(page, Input::Stream(STREAM, StreamInput::Reached(last_id.into_bytes())));
        }
    }

    fn missed(&mut self, page: usize) {
        self.pages[page].misses.push(self.now);
        self.tell(page, Input::Stream(STREAM, StreamInput::Missed));
    }

    pub fn perform_tabs(&mut self, page: usize, output: TabsOutput) {
        match output {
            TabsOutput::Lock { steal } => {
                self.pages[page].followed |= steal;
                self.lock(page, steal);
            }
            TabsOutput::Unlock => self.release(page),
            TabsOutput::Post(word) => {
                let here = matches!(word.says, Says::Here { .. });
                let reached = here.then(|| self.pages[page].told.clone());
                self.post(page, word, Load { reached, ..Load::default() });
            }
            TabsOutput::Joined => {
                let this = &self.pages[page];
                let shown = this.shows.last().map(|(_, snapshot, _)| (*snapshot, Fire::Nothing));
                let last_id = Some(this.told.clone());
                self.post_load(page, Load { shown, before: Some(String::new()), last_id, ..Load::default() });
            }
            TabsOutput::Role(_) => {}
        }
    }

    /// Rides on a word of the newest leadership that this page had.
    pub fn post_load(&mut self, page: usize, load: Load) {
        let epoch = self.pages[page].log.iter().rev().find_map(|(_, output)| match output {
            Output::Streams(StreamsOutput::Leads(_, _, epoch)) => Some(*epoch),
            _ => None,
        });
        let from = self.pages[page].member.expect("a member");
        self.post(page, Word { from, epoch: epoch.unwrap_or(0), says: Says::Load }, load);
    }

    fn post(&mut self, from: usize, word: Word, load: Load) {
        self.pages[from].listens = true;
        for to in 0..self.pages.len() {
            if to != from && self.pages[to].listens && self.pages[to].alive {
                self.soon(self.now + 1, to, Coming::Word(word, load.clone()));
            }
        }
    }

    // ------------------------------------------------------------ the lock

    fn lock(&mut self, page: usize, steal: bool) {
        self.release(page);
        self.lock_requests += 1;
        let request = self.lock_requests;
        self.pages[page].request = Some(request);
        self.pages[page].listens = true;
        if steal {
            if let Some((from, stolen)) = self.holder.take() {
                self.soon(self.now + 1, from, Coming::Lost(stolen));
            }
            self.queue.push_front((page, request));
        } else {
            self.queue.push_back((page, request));
        }
        self.grant();
    }

    pub fn release(&mut self, page: usize) {
        self.pages[page].request = None;
        self.queue.retain(|(waits, _)| *waits != page);
        self.holder = self.holder.filter(|(holds, _)| *holds != page);
        self.grant();
    }

    fn grant(&mut self) {
        if self.holder.is_none()
            && let Some((page, request)) = self.queue.pop_front()
        {
            self.holder = Some((page, request));
            self.soon(self.now + 1, page, Coming::Locked(request));
        }
    }
}
