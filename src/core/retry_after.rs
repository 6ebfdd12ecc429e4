//! What a response asks a client to wait: `Retry-After` (RFC 9110 section 10.2.3) and the `retry-after-ms` of some APIs.

use super::http_date;
use super::time::{Duration, Timestamp};

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
                    (http_date::parse(value, sent)?.since(sent)).as_millis()
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: Timestamp = Timestamp(784_111_777_000);

    fn ms(milliseconds: u64) -> Option<Duration> {
        Some(Duration::from_millis(milliseconds))
    }

    fn retry_after(value: &str) -> Option<Duration> {
        parse(Some(value), None, None, NOW)
    }

    #[test]
    fn a_number_is_seconds_even_when_it_looks_like_a_moment() {
        assert_eq!(retry_after("120"), ms(120_000));
        assert_eq!(retry_after("0"), ms(0));
        assert_eq!(retry_after("007"), ms(7_000));
        assert_eq!(retry_after(" \t12 "), ms(12_000));
        assert_eq!(retry_after("1704067200"), ms(1_704_067_200_000));
    }

    #[test]
    fn a_wait_of_ages_stays_exact_in_javascript() {
        assert_eq!(retry_after("9007199254740"), ms(9_007_199_254_740_000));
        assert_eq!(retry_after("9007199254741"), ms(LONGEST_MS));
        assert_eq!(retry_after(&"9".repeat(400)), ms(LONGEST_MS));
        assert_eq!(parse(None, Some(&"9".repeat(400)), None, NOW), ms(LONGEST_MS));
    }

    #[test]
    fn what_is_malformed_asks_for_nothing() {
        for value in [
            "",
            " ",
            "soon",
            "-1",
            "+5",
            "1.5",
            "1e9",
            "0x10",
            "12s",
            "1 2",
            "5, 10",
            "1_000",
            "٣",
            "NaN",
            "Infinity",
            "1994-11-06T08:49:37Z",
            "Sun, 31 Feb 1994 08:49:37 GMT",
        ] {
            assert_eq!(retry_after(value), None, "{value}");
        }
        assert_eq!(parse(None, None, Some("Sun, 06 Nov 1994 08:49:37 GMT"), NOW), None);
    }

    #[test]
    fn a_date_is_a_wait_until_then_in_any_of_the_three_forms() {
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:51:37 GMT"), ms(120_000));
        assert_eq!(retry_after("Sunday, 06-Nov-94 08:51:37 GMT"), ms(120_000));
        assert_eq!(retry_after("Sun Nov  6 08:51:37 1994"), ms(120_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:36 GMT"), ms(0));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT"), ms(0));
    }

    #[test]
    fn a_client_whose_clock_is_wrong_waits_as_long_as_the_server_meant() {
        // The client's battery is empty: it believes in 1970. The server says when it spoke.
        let wait = |retry_after, date| parse(Some(retry_after), None, Some(date), Timestamp(5_000));
        let sent = "Tue, 10 Nov 2026 12:00:00 GMT";

        assert_eq!(wait("Tue, 10 Nov 2026 12:00:30 GMT", sent), ms(30_000));
        // The century too is the server's: by the client's, 26 would be 1926 and no wait.
        assert_eq!(wait("Tuesday, 10-Nov-26 12:00:30 GMT", sent), ms(30_000));
        assert_eq!(wait("Tue, 10 Nov 2026 11:59:30 GMT", sent), ms(0));
        // A date that cannot be read leaves the client's own clock.
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:06 GMT", "yesterday"), ms(1_000));
    }

    #[test]
    fn retry_after_ms_wins_when_it_is_well_formed() {
        let wait = |retry_after_ms| parse(Some("9"), Some(retry_after_ms), None, NOW);

        assert_eq!(wait("1500"), ms(1_500));
        assert_eq!(wait(" 1500.5 "), ms(1_500));
        assert_eq!(wait("0"), ms(0));
        for malformed in ["", "-1", "1500.", ".5", "1.5.2", "1e3", "soon", "Sun, 06 Nov 1994 08:51:37 GMT"] {
            assert_eq!(wait(malformed), ms(9_000), "{malformed}");
            assert_eq!(parse(None, Some(malformed), None, NOW), None, "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_header_says_the_wait_is_bounded(
            retry_after: Option<String>, retry_after_ms: Option<String>, date: Option<String>, now: u64,
        ) {
            let wait = parse(retry_after.as_deref(), retry_after_ms.as_deref(), date.as_deref(), Timestamp(now));
            prop_assert!(wait.is_none_or(|wait| wait.as_millis() <= LONGEST_MS));
        }

        #[test]
        fn any_whole_number_of_seconds_is_read(seconds in 0_u64..9_007_199_254_740) {
            prop_assert_eq!(retry_after(&seconds.to_string()), Some(Duration::from_secs(seconds)));
        }

        #[test]
        fn any_number_of_milliseconds_is_read(whole in 0_u64..=LONGEST_MS, decimals in "(\\.[0-9]{1,20})?") {
            prop_assert_eq!(parse(None, Some(&format!("{whole}{decimals}")), None, NOW), ms(whole));
        }
    }
}
