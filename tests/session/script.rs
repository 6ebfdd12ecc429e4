//! Times, and how a session is kept alive in a story.

use evenkeel::core::session::SessionSettings;
use evenkeel::core::time::Duration;
use evenkeel::core::verify::VerifySettings;

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;

pub const HEARTBEAT: u64 = SECOND;
pub const TAKEOVER: u64 = 5 * SECOND;
/// Between two pings, before jitter.
pub const ACTIVE: u64 = 5 * MINUTE;
pub const IDLE: u64 = 15 * MINUTE;
/// With all the jitter that there may be.
pub const ACTIVE_MOST: u64 = ACTIVE + ACTIVE / 10;
pub const IDLE_MOST: u64 = IDLE + IDLE / 10;
pub const IDLE_AFTER: u64 = 5 * MINUTE;
pub const STOP: u64 = 8 * HOUR;
pub const TIMEOUT: u64 = 10 * SECOND;
/// So long are three clear answers apart, all together.
pub const CONFIRMED: u64 = 12 * SECOND;
/// The longest that others stay quiet for a tab that signs out.
pub const QUIET: u64 = 2 * TIMEOUT + 10 * SECOND;
/// The longest that a group may be without a leader while one of its tabs runs as it should.
pub const BOUND: u64 = TAKEOVER + 3 * HEARTBEAT;
/// Browsers wake the timers of tabs that were hidden for long so often.
pub const THROTTLED: u64 = MINUTE;

pub const ANNE: u32 = 1;
pub const BERT: u32 = 2;
/// Somebody of whom nothing is known but that they are signed in.
pub const SOMEBODY: u32 = 0;

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The public defaults.
pub fn settings() -> SessionSettings {
    SessionSettings {
        active: ms(ACTIVE),
        idle: ms(IDLE),
        idle_after: ms(IDLE_AFTER),
        stop_after_idle: Some(ms(STOP)),
        verify: VerifySettings { confirmations: 3, confirm_after: ms(2 * SECOND), timeout: ms(TIMEOUT) },
    }
}
