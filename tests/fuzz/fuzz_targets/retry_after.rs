//! Whatever `Retry-After`, `retry-after-ms` and `Date` say, the wait is bounded, and the three forms of a date agree.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use evenkeel::core::time::Timestamp;
use evenkeel::core::{http_date, retry_after};
use libfuzzer_sys::fuzz_target;

const LONGEST: Duration = Duration::from_millis((1 << 53) - 1);
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Fields { now: u64, retry_after: &'a str, retry_after_ms: Option<&'a str>, date: Option<&'a str> },
    // Bytes, so that some name a day or an hour that does not exist.
    Moment { year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8 },
    // A date with one character exchanged.
    Spoiled { form: u8, place: u8, character: char, now: u64 },
}

fuzz_target!(|input: Input| {
    match input {
        Input::Fields { now, retry_after, retry_after_ms, date } => {
            fields(Timestamp(now), retry_after, retry_after_ms, date);
        }
        Input::Moment { year, month, day, hour, minute, second } => {
            let month = MONTHS[usize::from(month % 12)];
            forms(year % 10_000, month, day % 40, &format!("{:02}:{:02}:{:02}", hour % 30, minute % 70, second % 70));
        }
        Input::Spoiled { form, place, character, now } => {
            let text = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
                [usize::from(form % 3)];
            let place = usize::from(place) % text.len();
            let spoiled = format!("{}{character}{}", &text[..place], &text[place + 1..]);
            fields(Timestamp(now), &spoiled, None, Some(text));
        }
    }
});

fn fields(now: Timestamp, value: &str, retry_after_ms: Option<&str>, date: Option<&str>) {
    let wait = retry_after::parse(Some(value), retry_after_ms, date, now);
    assert!(wait.is_none_or(|wait| wait <= LONGEST));

    // Blanks around a value change nothing.
    let padded = format!(" \t{value} ");
    assert_eq!(wait, retry_after::parse(Some(&padded), retry_after_ms, date, now));

    // retry-after-ms decides alone wherever it says anything.
    let by_ms = retry_after::parse(None, retry_after_ms, date, now);
    assert!(by_ms.is_none() || by_ms == wait);

    // A number is seconds; everything else is a date or nothing.
    let trimmed = value.trim_ascii();
    let alone = retry_after::parse(Some(value), None, None, now);
    if !trimmed.is_empty() && trimmed.bytes().all(|c| c.is_ascii_digit()) {
        let seconds = trimmed.parse().unwrap_or(u64::MAX);
        assert_eq!(alone, Some(Duration::from_secs(seconds).min(LONGEST)));
    } else {
        let until = http_date::parse(trimmed, now);
        assert_eq!(alone, until.map(|until| until.since(now).min(LONGEST)));
    }
}

fn forms(year: u16, month: &str, day: u8, time: &str) {
    let now = Timestamp(0);
    let moment = http_date::parse(&format!("Sun, {day:02} {month} {year:04} {time} GMT"), now);
    assert_eq!(http_date::parse(&format!("Sun {month} {day:2} {time} {year:04}"), now), moment);

    // Two digits name the same moment to whoever lives then.
    let short = format!("Sunday, {day:02}-{month}-{:02} {time} GMT", year % 100);
    if let Some(moment) = moment
        && year >= 1970
    {
        assert_eq!(http_date::parse(&short, moment), Some(moment));
        assert_eq!(retry_after::parse(Some(&short), None, None, moment), Some(Duration::ZERO));
    }
}
