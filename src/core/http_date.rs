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
/// 50 years of the Gregorian mean, 365.2425 days.
const FIFTY_YEARS_MS: u64 = 50 * 31_556_952_000;
/// The end of year 9999, the last that four digits can say.
const LAST_MS: u64 = 253_402_300_799_999;

/// The moment that `text` names, or `None` if it is no HTTP date.
///
/// `now` settles the century of an RFC 850 year: the latest one that is not more than 50 years ahead. Moments before
/// 1970 become 1970, which is just as much in the past. A leap second (`:60`) is the second after. The weekday must be
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
        // Close enough to start from: the moment itself decides below.
        let latest = 2_021 + (now_ms / (FIFTY_YEARS_MS / 50)) as u32;
        year = latest - (latest - year) % 100;
        if moment(year) > now_ms + FIFTY_YEARS_MS {
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
