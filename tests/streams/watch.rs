//! What must be true in every story, of each page.
//!
//! - At most one connection and one poll are under way; each ends before the next begins.
//! - No connection and no poll while another tab has the connection, while the page is away, hidden for too long, or
//!   after the stream was closed.
//! - No connection comes sooner than the server asked, unless the app or another user wants one.
//! - What is shown makes sense: a time of the next connection while it waits and only then, no error with `open`.
//! - While anything is to come, the host is told when to come back.

use evenkeel::core::events::report::{Broken, Content, Fire, Reply, Snapshot, Status, StreamOutput};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::events::streams::StreamsOutput;
use evenkeel::core::hub::{Input, StreamInput};
use evenkeel::core::kind::{End, Kind};
use evenkeel::core::output::Output;
use evenkeel::core::tabs::TabsOutput;
use evenkeel::core::time::Duration;

use super::world::EPOCH;

/// No server keeps a page away for longer with one `Retry-After`.
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
pub struct Watch {
    settings: StreamSettings,
    /// The connection under way, and whether its headers are here.
    connection: Option<(u32, bool)>,
    connections: u32,
    poll: bool,
    follows: bool,
    /// Whoever leads anew says how things stand, also where that is no news.
    shares: bool,
    away: bool,
    held: bool,
    hidden_since: Option<u64>,
    closed: bool,
    /// And no input came since.
    slept: bool,
    /// The stream's own `retry:`, clamped.
    retry: u64,
    /// No connection before.
    floor: u64,
    shown: Option<Snapshot>,
}

impl Watch {
    pub fn new(settings: StreamSettings, visible: bool) -> Watch {
        Watch {
            settings,
            connection: None,
            connections: 0,
            poll: false,
            follows: false,
            shares: false,
            away: false,
            held: false,
            hidden_since: (!visible).then_some(0),
            closed: false,
            slept: false,
            retry: 0,
            floor: 0,
            shown: None,
        }
    }

    pub fn input(&mut self, now: u64, input: &Input) {
        match input {
            Input::Visible(visible) => self.hidden_since = (!visible).then_some(now),
            Input::Away(away) => self.away = *away,
            Input::Dispose => self.closed = true,
            Input::Stream(_, input) => self.told(now, input),
            _ => {}
        }
    }

    fn told(&mut self, now: u64, input: &StreamInput) {
        match *input {
            StreamInput::Open(_, _, member) => self.follows = member.is_some(),
            StreamInput::Answered(connection, reply) if self.connection == Some((connection, false)) => {
                self.answered(now, connection, reply);
            }
            StreamInput::Broken(connection, Broken::Lost)
                if self.connection.is_some_and(|mine| mine.0 == connection) =>
            {
                self.asks(now, self.retry);
            }
            StreamInput::Polled(_) => self.poll = false,
            StreamInput::Hold(held) => self.held = held,
            StreamInput::Again => {
                self.floor = 0;
                // Whoever asks wants it, seen or not.
                self.hidden_since = self.hidden_since.map(|_| now);
            }
            StreamInput::Close => self.closed = true,
            _ => {}
        }
    }

    fn answered(&mut self, now: u64, connection: u32, reply: Reply) {
        if reply.status == 200 && reply.content == Content::Events {
            self.connection = Some((connection, true));
        } else if !self.settings.reconnect.strict {
            let asked = reply.retry_after.map_or(0, |wait| wait.min(DAY).as_millis());
            self.asks(now, asked.max(self.retry));
        }
    }

    fn asks(&mut self, now: u64, wait: u64) {
        // What a page hears first after a sleep may be about a connection that it has just replaced.
        if !self.slept {
            self.floor = now + wait;
        }
    }

    /// The number of the newest connection.
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// The device sleeps.
    pub fn sleeps(&mut self) {
        self.slept = true;
    }

    /// The server said so on the connection.
    pub fn asked(&mut self, retry: u64) {
        self.retry = retry.clamp(100, 300_000);
    }

    /// The session was asked, or another user signed in: the next connection is not for a failure.
    pub fn session_spoke(&mut self) {
        self.floor = 0;
    }

    pub fn output(&mut self, now: u64, output: &Output) {
        let Output::Streams(output) = output else { return };
        match *output {
            StreamsOutput::Stream(_, output) => self.does(now, output),
            StreamsOutput::Leads(_, leads, _) => {
                self.follows = !leads;
                // Another tab says how things stand meanwhile.
                self.shown = self.shown.filter(|_| leads);
            }
            StreamsOutput::Left(_) => self.follows = true,
            StreamsOutput::Tabs(_, TabsOutput::Role(_)) => panic!("roles are told with their epoch"),
            StreamsOutput::Tabs(..) => self.shares = true,
        }
    }

    fn does(&mut self, now: u64, output: StreamOutput) {
        match output {
            StreamOutput::Connect(connection) => {
                self.assert_wanted();
                assert_eq!(self.connection, None, "one connection at a time");
                assert!(now >= self.floor, "the server asked for {} ms more", self.floor - now);
                assert!(connection > self.connections, "a connection's number is used once");
                self.connections = connection;
                self.connection = Some((connection, false));
            }
            StreamOutput::Pump(connection) => {
                assert_eq!(self.connection, Some((connection, true)), "what answered with events is read");
            }
            StreamOutput::Drop => self.connection = None,
            StreamOutput::Poll => {
                self.assert_wanted();
                assert!(!std::mem::replace(&mut self.poll, true), "one poll at a time");
                assert!(self.settings.poll.is_some(), "there is something to poll");
            }
            StreamOutput::DropPoll => self.poll = false,
            StreamOutput::TakePoll => assert!(!self.poll && !self.closed, "what a poll brought is taken at once"),
            StreamOutput::Show(snapshot, fire) => self.shows(now, snapshot, fire),
            StreamOutput::Verify | StreamOutput::Met(_) => panic!("the hub keeps these"),
        }
    }

    fn assert_wanted(&self) {
        assert!(!self.closed, "nothing is sent after the end");
        assert!(!self.follows, "another tab has the connection");
        assert!(!self.away, "a page in the back/forward cache has none");
    }

    fn shows(&mut self, now: u64, shown: Snapshot, fire: Fire) {
        let ended = self.shown.is_some_and(|before| before.status == Status::Closed);
        assert!(!ended, "the end is told once: {shown:?}");
        assert!(self.shares || fire != Fire::Nothing || self.shown != Some(shown), "no news: {shown:?}");
        let waits = shown.status == Status::Waiting;
        assert_eq!(shown.next_retry_at.is_some(), waits, "{shown:?}");
        if fire == Fire::Open {
            // What opens with an event that is too large, is open.
            let fine = shown.fault.is_none_or(|fault| fault.end == End::Kind(Kind::TooLarge));
            assert!(matches!(shown.status, Status::Open | Status::Polling) && fine, "{shown:?}");
        }
        if let Some(at) = shown.next_retry_at {
            let at = at.0 - EPOCH;
            assert!(at >= now && at >= self.floor, "{shown:?}, and the server asked for {} more", self.floor - now);
        }
        self.closed |= shown.status == Status::Closed;
        self.shown = Some(shown);
    }

    /// After an input's outputs.
    pub fn step(&mut self, now: u64, wakes: bool) {
        // What comes first after a sleep may come before the timer that is overdue.
        let slept = std::mem::take(&mut self.slept);
        if self.closed {
            assert_eq!((self.connection, self.poll), (None, false), "the end leaves nothing behind");
            return;
        }
        let rests = self.follows || self.away || self.shown.is_some_and(|shown| shown.status == Status::Paused);
        if rests {
            assert_eq!((self.connection, self.poll), (None, false), "who rests has no connection");
            return;
        }
        let hidden = self.hidden_since.map_or(0, |since| now - since);
        let patience = self.settings.pause_hidden.map_or(u64::MAX, |after| after.as_millis());
        assert!(slept || hidden <= patience, "nobody has looked for {hidden} ms");
        let strict = self.settings.reconnect.strict;
        let unbounded = self.connection.is_some_and(|(_, open)| strict || open && self.held);
        assert!(wakes || unbounded, "something is to come, and nobody will wake the hub");
    }
}
