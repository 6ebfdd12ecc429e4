//! What the stories are told in: calls, and how the server answers them.

use evenkeel::core::flight::{Call, Traits};
use evenkeel::core::gate::Priority;
use evenkeel::core::hub::{Input, SessionInput};
use evenkeel::core::output::Attempt;
use evenkeel::core::requests::{Answer, Body};
use evenkeel::core::session::{self, SessionSettings, Start};
use evenkeel::core::settings::{BudgetSettings, Settings, UsedVersions};
use evenkeel::core::tabs::Member;
use evenkeel::core::time::Duration;
use evenkeel::core::verify::{SessionAnswer, VerifySettings};
use evenkeel::core::version::VersionSettings;

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

/// Every origin that stories call; only calls to [`ELSEWHERE`] are untrusted.
pub const HOME: &str = "https://app.example";
pub const ELSEWHERE: &str = "https://cdn.example";

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

/// A page that is reloaded as soon as it may be. Without an endpoint its server says by itself which version it runs.
pub fn version(endpoint: bool) -> Option<(VersionSettings, Option<UsedVersions>)> {
    let settings = VersionSettings {
        endpoint,
        poll: None,
        idle: ms(0),
        spread: ms(0),
        loop_guard: ms(10 * MINUTE),
        flush_timeout: ms(5 * SECOND),
    };
    Some((settings, Some(Vec::new())))
}

/// The public defaults.
pub fn settings() -> Settings {
    Settings {
        backoff: Default::default(),
        retry_statuses: vec![408, 425, 429, 500, 502, 503, 504],
        budget: Some(BudgetSettings { capacity: 30.0, cost: 1.0, refund: 0.2 }),
        breaker: Some(Default::default()),
        gate: Default::default(),
        session: session(3),
        version: None,
        connection: evenkeel::core::connection::ConnectionSettings { degraded_after: 2, probe: ms(10 * SECOND) },
        can_probe: true,
        tabs: None,
    }
}

/// A GET with the public defaults, of a path at home or of an absolute URL.
pub fn get(url: &str) -> Call {
    let url = if url.starts_with('/') { format!("{HOME}{url}") } else { url.to_owned() };
    let trusted = !url.starts_with(ELSEWHERE);
    Call {
        id: 0,
        url,
        share: None,
        priority: Priority::Normal,
        traits: Traits { idempotent: true, replayable: true, trusted, streams: false, wants_data: true, writes: false },
        retries: 3,
        timeout: ms(30 * SECOND),
        deadline: ms(90 * SECOND),
    }
}

/// A POST without an idempotency key.
pub fn post(url: &str) -> Call {
    let mut call = get(url);
    call.traits.idempotent = false;
    call.traits.writes = true;
    call
}

/// What a call is changed by, so that stories read as one line.
pub trait But {
    fn but(self, change: impl FnOnce(&mut Call)) -> Self;
    fn shared(self) -> Self;
    fn deadline(self, ms: u64) -> Self;
    fn timeout(self, ms: u64) -> Self;
    fn retries(self, retries: u32) -> Self;
    fn background(self) -> Self;
    fn critical(self) -> Self;
}

impl But for Call {
    fn but(mut self, change: impl FnOnce(&mut Call)) -> Call {
        change(&mut self);
        self
    }

    /// Equal URLs share one request.
    fn shared(self) -> Call {
        self.but(|call| call.share = Some(call.url.clone()))
    }

    fn deadline(self, deadline: u64) -> Call {
        self.but(|call| call.deadline = ms(deadline))
    }

    fn timeout(self, timeout: u64) -> Call {
        self.but(|call| call.timeout = ms(timeout))
    }

    fn retries(self, retries: u32) -> Call {
        self.but(|call| call.retries = retries)
    }

    fn background(self) -> Call {
        self.but(|call| call.priority = Priority::Background)
    }

    fn critical(self) -> Call {
        self.but(|call| call.priority = Priority::Critical)
    }
}

/// What arrives at the server.
#[derive(Clone, Debug)]
pub struct Request {
    pub url: String,
    pub attempt: Attempt,
    /// Among all requests of the story, from 0.
    pub nth: usize,
    /// Since the story began.
    pub at: u64,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub after: u64,
    pub head: Head,
    pub pieces: u64,
    /// Before each piece and before the end.
    pub gap: u64,
    /// None: the body never ends.
    pub body: Option<Body>,
}

#[derive(Clone, Copy, Debug)]
pub enum Head {
    Answer(Answer),
    Broken,
    Silence,
    Unsendable,
}

/// How long the server takes when a story does not say.
pub const LATENCY: u64 = 10;

pub fn status(status: u16) -> Reply {
    reply(Head::Answer(Answer { status, ..Answer::default() }))
}

pub fn ok() -> Reply {
    status(200)
}

pub fn broken() -> Reply {
    reply(Head::Broken)
}

pub fn silence() -> Reply {
    reply(Head::Silence)
}

pub fn unsendable() -> Reply {
    reply(Head::Unsendable)
}

/// A page of HTML, which is not what was asked for.
pub fn page() -> Reply {
    reply(Head::Answer(Answer { status: 200, html: true, ..Answer::default() }))
}

fn reply(head: Head) -> Reply {
    Reply { after: LATENCY, head, pieces: 0, gap: 0, body: Some(Body::Whole) }
}

impl Reply {
    pub fn after(self, after: u64) -> Reply {
        Reply { after, ..self }
    }

    pub fn retry_after(mut self, wait: u64) -> Reply {
        if let Head::Answer(answer) = &mut self.head {
            answer.retry_after = Some(ms(wait));
        }
        self
    }

    pub fn redirected(mut self) -> Reply {
        if let Head::Answer(answer) = &mut self.head {
            answer.redirected = true;
        }
        self
    }

    pub fn pieces(self, pieces: u64, gap: u64) -> Reply {
        Reply { pieces, gap, ..self }
    }

    pub fn body(self, body: Body) -> Reply {
        Reply { body: Some(body), ..self }
    }

    pub fn endless(self) -> Reply {
        Reply { body: None, ..self }
    }
}
