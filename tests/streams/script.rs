//! What the stories are told in: the public defaults, and how the server answers.

use evenkeel::core::backoff::{Backoff, Jitter};
use evenkeel::core::connection::ConnectionSettings;
use evenkeel::core::events::reconnect::ReconnectSettings;
use evenkeel::core::events::report::{Content, Reply};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::flight::{Call, Traits};
use evenkeel::core::gate::Priority;
use evenkeel::core::hub::{Input, SessionInput};
use evenkeel::core::session::{self, SessionSettings, Start};
use evenkeel::core::settings::Settings;
use evenkeel::core::tabs::{Member, TabsSettings};
use evenkeel::core::time::Duration;
use evenkeel::core::verify::{SessionAnswer, VerifySettings};

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The session endpoint answers.
pub fn of_session(says: SessionAnswer) -> Input {
    Input::Session(SessionInput::Answered(session::Answer { says, expires: None, retry_after: None }))
}

/// A session that the server rendered with, and of which nobody asks but for a reason.
pub fn session(confirmations: u32) -> Option<(SessionSettings, Start, Option<Member>)> {
    let verify = VerifySettings { confirmations, confirm_after: ms(2 * SECOND), timeout: ms(10 * SECOND) };
    let settings = SessionSettings {
        active: ms(300 * SECOND),
        idle: ms(900 * SECOND),
        idle_after: ms(300 * SECOND),
        stop_after_idle: Some(ms(0)),
        verify,
    };
    Some((settings, Start { lived: true, user: Some(1), expires: None }, None))
}

/// The public defaults of a client with a session.
pub fn settings() -> Settings {
    Settings {
        backoff: Backoff::default(),
        retry_statuses: vec![408, 425, 429, 500, 502, 503, 504],
        budget: None,
        breaker: None,
        gate: Default::default(),
        session: session(3),
        version: None,
        connection: ConnectionSettings { degraded_after: 2, probe: ms(10 * SECOND) },
        can_probe: true,
        tabs: Some(TabsSettings::default()),
    }
}

/// The public defaults of a stream to the page's own origin.
pub fn stream() -> StreamSettings {
    StreamSettings {
        reconnect: ReconnectSettings {
            backoff: Backoff { base: ms(SECOND), factor: 2.0, max: ms(30 * SECOND), jitter: Jitter::Full },
            stable: ms(10 * SECOND),
            spread: ms(10 * SECOND),
            strict: false,
        },
        first_byte: ms(10 * SECOND),
        watchdog: ms(75 * SECOND),
        max_event_bytes: 8 << 20,
        dedupe_ids: 1_024,
        pause_hidden: None,
        poll: None,
        trusted: true,
    }
}

/// The headers of a stream.
pub fn events() -> Reply {
    Reply { status: 200, retry_after: None, content: Content::Events }
}

pub fn status(status: u16) -> Reply {
    Reply { status, retry_after: None, content: Content::Other }
}

/// A server that cannot serve now, and says for how long.
pub fn busy(wait: u64) -> Reply {
    Reply { retry_after: Some(ms(wait)), ..status(503) }
}

/// A page for people.
pub fn html() -> Reply {
    Reply { content: Content::Html, ..status(200) }
}

/// How long the server takes when a story does not say.
pub const LATENCY: u64 = 10;

/// What a connection meets first.
#[derive(Clone, Copy, Debug)]
pub enum Head {
    Reply(Reply),
    Broken,
    Unsendable,
    Silence,
}

impl Head {
    pub fn is_stream(self) -> bool {
        matches!(self, Head::Reply(Reply { status: 200, content: Content::Events, .. }))
    }
}

/// What becomes of a connection.
#[derive(Clone, Debug)]
pub struct Answer {
    pub head: Head,
    pub after: u64,
    /// What comes after the headers, and when.
    pub pieces: Vec<(u64, String)>,
    /// So long after the headers. None: never.
    pub end: Option<u64>,
}

impl Answer {
    pub fn after(self, after: u64) -> Answer {
        Answer { after, ..self }
    }

    pub fn says(mut self, after: u64, text: &str) -> Answer {
        self.pieces.push((after, text.to_owned()));
        self
    }

    pub fn ends(self, after: u64) -> Answer {
        Answer { end: Some(after), ..self }
    }
}

fn answer(head: Head) -> Answer {
    Answer { head, after: LATENCY, pieces: Vec::new(), end: None }
}

/// A stream that stays open.
pub fn open() -> Answer {
    reply(events())
}

pub fn reply(reply: Reply) -> Answer {
    answer(Head::Reply(reply))
}

pub fn broken() -> Answer {
    answer(Head::Broken)
}

pub fn unsendable() -> Answer {
    answer(Head::Unsendable)
}

pub fn silence() -> Answer {
    answer(Head::Silence)
}

/// What a poll brings.
#[derive(Clone, Debug)]
pub struct Polled {
    /// None: no response came.
    pub reply: Option<Reply>,
    pub events: Vec<(String, String)>,
    pub last_id: String,
    /// No answer ever comes.
    pub silent: bool,
}

impl Polled {
    pub fn reply(reply: Reply) -> Polled {
        Polled { reply: Some(reply), events: Vec::new(), last_id: String::new(), silent: false }
    }

    pub fn nothing() -> Polled {
        Polled::reply(events())
    }

    pub fn lost() -> Polled {
        Polled { reply: None, ..Polled::nothing() }
    }

    pub fn silent() -> Polled {
        Polled { silent: true, ..Polled::nothing() }
    }

    /// The data of each event is its id.
    pub fn events(ids: &[&str]) -> Polled {
        let events = ids.iter().map(|id| ((*id).to_owned(), (*id).to_owned())).collect();
        let last_id = ids.last().map_or(String::new(), |id| (*id).to_owned());
        Polled { events, last_id, ..Polled::nothing() }
    }
}

/// A GET of the app, which will be answered with a 401.
pub fn denied_call(id: u32) -> Call {
    Call {
        id,
        url: "https://app.example/meals".to_owned(),
        share: None,
        priority: Priority::Normal,
        traits: Traits {
            idempotent: true,
            replayable: true,
            trusted: true,
            streams: false,
            wants_data: true,
            writes: false,
        },
        retries: 0,
        timeout: ms(30 * SECOND),
        deadline: ms(90 * SECOND),
    }
}
