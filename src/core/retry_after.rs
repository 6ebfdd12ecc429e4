//! What a response asks a client to wait: `Retry-After` (RFC 9110 section 10.2.3) and the `retry-after-ms` of some APIs.

use std::time::Duration;

use super::http_date;
use super::time::{Timestamp, millis};

/// 2⁵³ − 1, the most milliseconds that a JavaScript number holds exactly.
const LONGEST_MS: u64 = (1 << 53) - 1;

/// The wait that a response's header fields ask for; `None` if they ask for none, or malformed.
///
/// - `retry_after_ms` wins when it is well-formed: digits, decimals allowed and dropped.
/// - `retry_after` is seconds (digits only) or an HTTP date. A number is never a date: `1704067200` is seconds.
/// - A date is read against the response's own `date`, so that neither the client's clock nor its century matters;
///   against `now` where that is missing or malformed. A moment in the past is no wait.
///
/// Blanks around a value are ignored. No wait is longer than 2⁵³ − 1 ms.
#[must_use]
pub fn parse(
    retry_after: Option<&str>,
    retry_after_ms: Option<&str>,
    date: Option<&str>,
    now: Timestamp,
) -> Option<Duration> {
    let wait_ms = match retry_after_ms.and_then(milliseconds) {
        Some(wait_ms) => wait_ms,
        None => {
            let value = retry_after?.trim_ascii();
            match digits(value) {
                Some(seconds) => seconds.saturating_mul(1_000),
                None => {
                    let sent = date.and_then(|date| http_date::parse(date.trim_ascii(), now)).unwrap_or(now);
                    millis(http_date::parse(value, sent)?.since(sent))
                }
            }
        }
    };
    Some(Duration::from_millis(wait_ms.min(LONGEST_MS)))
}

fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim_ascii();
    let Some((whole, decimals)) = text.split_once('.') else {
        return digits(text);
    };
    digits(decimals)?;
    digits(whole)
}

/// Digits and nothing else, saturating: `str::parse` would take a sign, and refuse what is merely too large.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, c| {
        c.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(c - b'0')))
    })
}
