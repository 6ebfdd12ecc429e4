//! The three forms of an HTTP date (RFC 9110 section 5.6.7), strictly: names are case-sensitive, the zone is GMT.
//!
//! | form | example |
//! |---|---|
//! | IMF-fixdate | `Sun, 06 Nov 1994 08:49:37 GMT` |
//! | RFC 850 | `Sunday, 06-Nov-94 08:49:37 GMT` |
//! | asctime | `Sun Nov  6 08:49:37 1994` |

use super::time::Timestamp;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

// What follows the weekday. A digit is the number of the field that takes the character there, `d` is a day's first
// digit or the space in its place, everything else stands for itself. Their lengths tell the forms apart.
const IMF_FIXDATE: &[u8] = b", 22 111 0000 33:44:55 GMT";
const RFC_850: &[u8] = b", 22-111-00 33:44:55 GMT";
const ASCTIME: &[u8] = b" 111 d2 33:44:55 0000";

const DAY_MS: u64 = 86_400_000;
/// The mean Gregorian year, 365.2425 days.
const YEAR_MS: u64 = 31_556_952_000;
/// The end of year 9999, the last that four digits can say.
const LAST_MS: u64 = 253_402_300_799_999;

/// The moment that `text` names, or `None` if it is no HTTP date.
///
/// `now` settles the century of an RFC 850 year: the latest one that is not more than 50 years ahead. Days before
/// 1970 become its first, which is just as much in the past. A leap second (`:60`) is the second after. The weekday must be
/// one, but need not be the right one.
#[must_use]
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.as_bytes();
    let weekday_len = text.iter().position(|&c| c == b',' || c == b' ')?;
    let (weekday, rest) = text.split_at(weekday_len);
    let form = [IMF_FIXDATE, RFC_850, ASCTIME].into_iter().find(|form| form.len() == rest.len())?;
    let short_year = form.len() == RFC_850.len();
    WEEKDAYS.iter().find(|name| {
        let name = name.as_bytes();
        weekday == if short_year { name } else { &name[..3] }
    })?;

    let [year, month, day, hour, minute, second] = fields(form, rest)?;
    let month =
        1 + MONTHS.chunks(3).position(|name| name.iter().fold(0, |word, &c| word << 8 | u32::from(c)) == month)? as u32;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let second_of_day = (hour * 60 + minute) * 60 + second;
    let moment = |year| days_since_1970(year, month, day) * DAY_MS + u64::from(second_of_day) * 1_000;

    let mut year = year;
    if short_year {
        let now_ms = now.0.min(LAST_MS);
        // A year more than can be right, give or take a day: the moment itself decides.
        let latest = 2_021 + (now_ms / YEAR_MS) as u32;
        year = latest - (latest - year) % 100;
        if moment(year - 50) > now_ms {
            year -= 100;
        }
    }
    if day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some(Timestamp(moment(year)))
}

/// Reads the six fields as `form` lays them out. Digits add up to a number, the month's letters to a big-endian word.
fn fields(form: &[u8], text: &[u8]) -> Option<[u32; 6]> {
    let mut fields = [0_u32; 6];
    for (&place, &c) in form.iter().zip(text) {
        match place {
            b'1' => fields[1] = fields[1] << 8 | u32::from(c),
            b'd' if c == b' ' => {}
            b'd' | b'0'..=b'5' => {
                if !c.is_ascii_digit() {
                    return None;
                }
                let field = if place == b'd' { 2 } else { usize::from(place - b'0') };
                fields[field] = fields[field] * 10 + u32::from(c - b'0');
            }
            _ if c != place => return None,
            _ => {}
        }
    }
    Some(fields)
}

/// Days from 1970-01-01 in the Gregorian calendar, 0 for what lies before. Counting years from March puts the leap day
/// at their end, where it moves no other.
fn days_since_1970(year: u32, month: u32, day: u32) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    // 1970-01-01 by the same count.
    u64::from(days.saturating_sub(719_469))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        _ => 30 + (month + month / 8) % 2,
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    const EXAMPLE: Timestamp = Timestamp(784_111_777_000);

    fn at(text: &str) -> Timestamp {
        parse(text, EXAMPLE).expect("a date")
    }

    fn read(text: &str) -> Option<u64> {
        parse(text, EXAMPLE).map(|moment| moment.0)
    }

    #[test]
    fn the_three_forms_of_the_rfc_name_the_same_moment() {
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE);
        assert_eq!(at("Sunday, 06-Nov-94 08:49:37 GMT"), EXAMPLE);
        assert_eq!(at("Sun Nov  6 08:49:37 1994"), EXAMPLE);
        assert_eq!(at("Sun Nov 06 08:49:37 1994"), EXAMPLE);
    }

    #[test]
    fn every_day_from_1970_to_2100_is_read_in_all_three_forms() {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        // A calendar that only knows how to turn its pages. 1970-01-01 was a Thursday.
        let (mut midnight_ms, mut weekday) = (0, 4);
        for year in 1970..=2100 {
            let leap = year % 4 == 0 && year != 2100;
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in months.iter().zip(lengths) {
                for day in 1..=length {
                    let name = WEEKDAYS[weekday];
                    let (short, two_digits) = (&name[..3], year % 100);
                    let moment = Some(Timestamp(midnight_ms + 23 * HOUR_MS + 59 * 60_000 + 58_000));
                    let now = Timestamp(midnight_ms);

                    let text = format!("{short}, {day:02} {month} {year} 23:59:58 GMT");
                    assert_eq!(parse(&text, EXAMPLE), moment, "{text}");
                    let text = format!("{name}, {day:02}-{month}-{two_digits:02} 23:59:58 GMT");
                    assert_eq!(parse(&text, now), moment, "{text} in {year}");
                    let text = format!("{short} {month} {day:2} 23:59:58 {year}");
                    assert_eq!(parse(&text, EXAMPLE), moment, "{text}");

                    midnight_ms += 24 * HOUR_MS;
                    weekday = (weekday + 1) % 7;
                }
                assert_eq!(
                    read(&format!("Sun, {:02} {month} {year} 00:00:00 GMT", length + 1)),
                    None,
                    "{month} {year}"
                );
            }
        }
    }

    #[test]
    fn a_two_digit_year_more_than_fifty_years_ahead_is_past() {
        let in_year = |now, text| parse(text, at(now)).expect("a date");
        let now = "Sun, 06 Nov 2026 08:49:37 GMT";

        assert_eq!(in_year(now, "Sunday, 06-Nov-26 09:00:00 GMT"), at("Sun, 06 Nov 2026 09:00:00 GMT"));
        assert_eq!(in_year(now, "Sunday, 31-Dec-75 09:00:00 GMT"), at("Sun, 31 Dec 2075 09:00:00 GMT"));
        // Exactly fifty years are not more than fifty.
        assert_eq!(in_year(now, "Sunday, 06-Nov-76 08:49:37 GMT"), at("Sun, 06 Nov 2076 08:49:37 GMT"));
        assert_eq!(in_year(now, "Sunday, 06-Nov-76 08:49:38 GMT"), at("Sun, 06 Nov 1976 08:49:38 GMT"));
        assert_eq!(in_year(now, "Sunday, 01-Jan-77 00:00:00 GMT"), at("Sun, 01 Jan 1977 00:00:00 GMT"));
        assert_eq!(in_year(now, "Sunday, 31-Dec-99 23:59:59 GMT"), at("Sun, 31 Dec 1999 23:59:59 GMT"));
        // A server that asks for a minute on the last evening of a century means the next one.
        let new_year = "Friday, 01-Jan-00 00:00:30 GMT";
        assert_eq!(in_year("Sun, 31 Dec 2099 23:59:30 GMT", new_year), at("Sun, 01 Jan 2100 00:00:30 GMT"));
    }

    #[test]
    fn what_lies_before_1970_is_past_and_a_leap_second_is_the_one_after() {
        assert_eq!(read("Mon, 01 Jan 0000 00:00:00 GMT"), Some(0));
        assert_eq!(read("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(read("Sat, 31 Dec 2016 23:59:60 GMT"), read("Sun, 01 Jan 2017 00:00:00 GMT"));
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(LAST_MS - 999));
    }

    #[test]
    fn a_clock_gone_mad_still_finds_a_century() {
        for now in [0, LAST_MS, u64::MAX] {
            assert!(parse("Sunday, 06-Nov-94 08:49:37 GMT", Timestamp(now)).is_some(), "{now}");
        }
    }

    #[test]
    fn days_and_times_that_do_not_exist_are_no_dates() {
        for text in [
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sunday, 29-Feb-95 08:49:37 GMT",
            "Sun Feb 30 08:49:37 2000",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nof 1994 08:49:37 GMT",
            "sun, 06 nov 1994 08:49:37 gmt",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun,  6 Nov 1994 08:49:37 GMT",
            "Sun Nov    08:49:37 1994",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
            "",
            ",",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(read("Sun, 29 Feb 2000 08:49:37 GMT").is_some());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused(
            text in prop_oneof![
                any::<String>(),
                "(Sun|Sunday|Wed)?[, ]{1,2}[0-9A-Za-z ]{2}[ -](Nov|Feb|é)?[ -]?[0-9 ]{2,5} ?[0-9:é]{8}( GMT| [0-9]{4})?",
                "(Sun|Sunday), [0-9]{2}( |-)(Feb|Dec)( |-)([0-9]{4}|[0-9]{2}) [0-6][0-9]:[0-6][0-9]:[0-6][0-9] GMT",
            ],
            now: u64,
        ) {
            prop_assert!(parse(&text, Timestamp(now)).is_none_or(|moment| moment.0 <= LAST_MS + 50 * YEAR_MS));
        }

        #[test]
        fn a_two_digit_year_is_read_within_fifty_years_of_now(now_ms in 0..LAST_MS, year in 0..100, day in 1..29) {
            let moment = parse(&format!("Sunday, {day:02}-Mar-{year:02} 12:00:00 GMT"), Timestamp(now_ms)).expect("a date").0;

            // A day for the calendar's unevenness; what would lie before 1970 is its first day.
            prop_assert!(moment <= now_ms + 50 * YEAR_MS + DAY_MS);
            prop_assert!(moment + 50 * YEAR_MS + DAY_MS >= now_ms);
        }
    }
}
