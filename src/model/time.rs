//! Points in time. Never reads a clock: time is always an argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Microseconds since 1970-01-01T00:00:00Z, printed as RFC 3339 UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Time(pub i64);

impl Time {
    /// Whole seconds since the Unix epoch, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// A point `seconds` after the Unix epoch.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// This point moved by `seconds`, which may be negative.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The same point for calendar arithmetic; the epoch when out of jiff's range.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Time {
    /// As [`Time`] prints it; `None` outside of the years 0 to 9999.
    pub fn text(self) -> Option<[u8; 27]> {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let year = u64::try_from(year).ok().filter(|year| *year <= 9999)?;
        let micros = self.0.rem_euclid(DAY) as u64;
        let seconds = micros / 1_000_000;
        let mut out = *b"0000-00-00T00:00:00.000000Z";
        for (at, digits, mut number) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, seconds / 3600),
            (14, 2, seconds / 60 % 60),
            (17, 2, seconds % 60),
            (20, 6, micros % 1_000_000),
        ] {
            for digit in out[at..at + digits].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        Some(out)
    }

    /// Reads what [`Time::text`] prints, and nothing else.
    pub fn of_text(text: &str) -> Option<Self> {
        let text: &[u8; 27] = text.as_bytes().try_into().ok()?;
        let fixed = b"0000-00-00T00:00:00.000000Z";
        let same = text
            .iter()
            .zip(fixed)
            .all(|(b, pattern)| if *pattern == b'0' { b.is_ascii_digit() } else { b == pattern });
        if !same {
            return None;
        }
        let number = |at: usize, digits: usize| {
            text[at..at + digits].iter().fold(0, |n, b| 10 * n + i64::from(b - b'0'))
        };
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
        let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2));
        let days = days(year, month, day);
        // A day that the month does not have comes back as another.
        let real = civil(days) == (year, month as u64, day as u64);
        let good = real && hour < 24 && minute < 60 && second < 60;
        let seconds = 3600 * hour + 60 * minute + second;
        good.then(|| Self(days * DAY + seconds * 1_000_000 + number(20, 6)))
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant,
/// "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + 365 * of_era + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01 (as there).
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + i64::from(month <= 2);
    (year, month as u64, day as u64)
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with six fractional digits: `2026-11-23T21:04:05.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(std::str::from_utf8(&text).expect("digits and signs")),
            None => write!(f, "{:.6}", self.to_jiff()),
        }
    }
}

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct BadTime;

impl FromStr for Time {
    type Err = BadTime;
    fn from_str(s: &str) -> Result<Self, BadTime> {
        s.parse::<jiff::Timestamp>().map(|t| Self(t.as_microsecond())).map_err(|_| BadTime)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(D::Error::custom)
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_and_read_as_the_calendar_library_does() {
        let mut at = -62_167_219_200_000_000i64;
        while at < 253_402_300_800_000_000 {
            let time = Time(at);
            let text = time.to_string();
            assert_eq!(text, format!("{:.6}", time.to_jiff()));
            assert_eq!(Time::of_text(&text), Some(time), "{text}");
            at += 86_399_123_457 * 37;
        }
        for wrong in [
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:60:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01T00:00:00.00000Z",
            "2026-01-01t00:00:00.000000Z",
        ] {
            assert_eq!(Time::of_text(wrong), None, "{wrong}");
        }
        assert!(Time::of_text("2024-02-29T23:59:59.999999Z").is_some());
    }
}
