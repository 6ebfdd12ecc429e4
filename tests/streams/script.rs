//! What the stories are told in: the public defaults, and how the server answers.

use evenkeel::core::backoff::{Backoff, Jitter};
use evenkeel::core::connection::ConnectionSettings;
use evenkeel::core::events::reconnect::ReconnectSettings;
use evenkeel::core::events::report::{Content, Reply};
use evenkeel::core::events::stream::StreamSettings;
use evenkeel::core::settings::Settings;
use evenkeel::core::tabs::TabsSettings;
use evenkeel::core::time::Duration;
use evenkeel::core::verify::VerifySettings;

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The public defaults of a client with a session.
pub fn settings() -> Settings {
    Settings {
        backoff: Backoff::default(),
        retry_statuses: vec![408, 425, 429, 500, 502, 503, 504],
        budget: None,
        breaker: None,
        gate: Default::default(),
        verify: Some(VerifySettings { confirmations: 3, confirm_after: ms(2 * SECOND), timeout: ms(10 * SECOND) }),
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
