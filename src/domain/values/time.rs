//! Timestamps in microseconds.

use std::borrow::Cow;

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::Pieces;

const EPOCH: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

const SECONDS_PER_DAY: i32 = 86_400;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment that can be parsed and displayed, 0001-01-01T00:00:00Z: .NET's `DateTime.MinValue`.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last moment that can be parsed and displayed, 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Returns the moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns the moment `seconds` seconds later; limited to the range of the type.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Parses an ISO 8601 date (`2015-01-01`, which is midnight UTC) or date and time. A time without an offset is UTC.
    /// The result is rounded down to the microsecond.
    ///
    /// `None` for any other text. That includes the basic format (`20150101`), because it is also a number, leap
    /// seconds, offsets of a day or more, and moments before [`Self::MIN`] or after [`Self::MAX`].
    pub fn parse_iso(text: &str) -> Option<Self> {
        Self::parse_iso_in(text, |_| 0)
    }

    /// As [`Self::parse_iso`], with another offset for dates and times without one: `offset_of` returns it for a local
    /// time, in seconds east of UTC.
    pub fn parse_iso_in(text: &str, offset_of: impl FnOnce(DateTime) -> i32) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashed = bytes.len() >= 10
            && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !dashed || text.contains('[') || is_leap_second(&bytes[10..]) {
            return None;
        }
        let text = truncate_to_nanoseconds(text);
        let pieces = Pieces::parse(&*text).ok()?;
        let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
        let offset = pieces.to_numeric_offset().map_or_else(|| offset_of(local), |offset| offset.seconds());
        if offset.abs() >= SECONDS_PER_DAY {
            return None;
        }
        let moment = Self::from_civil(local).plus_seconds(-i64::from(offset));
        (Self::MIN..=Self::MAX).contains(&moment).then_some(moment)
    }

    fn from_civil(moment: DateTime) -> Self {
        // `div_euclid` rounds down before 1970, too.
        Self(moment.duration_since(EPOCH).as_nanos().div_euclid(1_000) as i64)
    }

    /// The date and time of day in UTC, limited to [`Self::MIN`] and [`Self::MAX`] so that the year has four digits.
    pub fn to_civil(self) -> DateTime {
        EPOCH.saturating_add(SignedDuration::from_micros(self.clamp(Self::MIN, Self::MAX).0))
    }
}

/// The text with its fraction of a second cut to nanoseconds, because jiff does not accept more digits.
fn truncate_to_nanoseconds(text: &str) -> Cow<'_, str> {
    const MAX_DIGITS: usize = 9;
    let Some((whole, fraction)) = text.find(['.', ',']).map(|point| text.split_at(point + 1)) else {
        return text.into();
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= MAX_DIGITS {
        return text.into();
    }
    format!("{whole}{}{}", &fraction[..MAX_DIGITS], &fraction[digits..]).into()
}

/// Whether the time of day, with the separator before it, has a second of 60, which jiff would read as 59.
fn is_leap_second(time: &[u8]) -> bool {
    let digits = time.iter().skip(1).filter(|byte| **byte != b':').take_while(|byte| byte.is_ascii_digit());
    digits.skip(4).take(2).eq(b"60")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_iso_dates_and_nothing_else() {
        let midnight = Timestamp::parse_iso("2015-01-01").unwrap();
        assert_eq!(midnight.as_seconds(), 1_420_070_400);
        assert_eq!(Timestamp::parse_iso("2015-01-01T00:00:00"), Some(midnight));
        assert_eq!(Timestamp::parse_iso("2015-01-01T05:30:00+05:30"), Some(midnight));
        assert_eq!(Timestamp::parse_iso("2015-01-01T00:00:00.5Z"), Some(Timestamp(midnight.0 + 500_000)));
        for text in ["20150101", "2015-1-1", "2015-13-01", "now", "", "2015-01-01T00:00:00Z[UTC]"] {
            assert_eq!(Timestamp::parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn the_years_1_to_9999_are_parsed_and_displayed() {
        let last = "9999-12-31T23:59:59.999999";
        for (text, moment, printed) in [
            ("0001-01-01", Timestamp::MIN, "0001-01-01T00:00:00"),
            ("0001-01-01T00:00:00Z", Timestamp::MIN, "0001-01-01T00:00:00"),
            ("0001-01-01T05:30:00+05:30", Timestamp::MIN, "0001-01-01T00:00:00"),
            ("9999-12-31T23:59:59.9999999", Timestamp::MAX, last),
            ("9999-12-31T23:59:59.999999999Z", Timestamp::MAX, last),
            ("9999-12-31T22:59:59.9999999-01:00", Timestamp::MAX, last),
            ("1969-12-31T23:59:59.9999999Z", Timestamp(-1), "1969-12-31T23:59:59.999999"),
            ("1969-12-31T23:59:59.99999999999999999999Z", Timestamp(-1), "1969-12-31T23:59:59.999999"),
            ("1970-01-02t23:58:59.9999990000-00:01", Timestamp(172_799_999_999), "1970-01-02T23:59:59.999999"),
            ("1970-01-01T23:59:00,0000010009+23:59", Timestamp(1), "1970-01-01T00:00:00.000001"),
        ] {
            let read = Timestamp::parse_iso(text);
            assert_eq!((read, moment.to_civil().to_string().as_str()), (Some(moment), printed), "{text}");
        }
        for text in [
            "0000-12-31T23:59:59Z",
            "0000-12-31T23:59:59-01:00 ",
            "0001-01-01T00:00:00+01:00",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59.9999999-00:01",
            "9999-12-31T24:00:00Z",
            "9999-12-31T23:59:60Z",
            "2016-12-31T23:59:60",
            "2016-12-31t235960z",
            "2015-01-01T24:00:00Z",
            "10000-01-01T00:00:00Z",
            "2015-01-01T00:00:00+24:00",
            "2015-01-01T00:00:00-25:59",
            "2015-01-01T00:00:00.Z",
            "2015-01-01T00:00:00.123456789é",
            "2015-01-01T00:00:00.12345678é",
            "2015-01-01T00:00:00.12345678x9",
            "2015-01-01T00:00:00.1234567890.1",
            "2015-01-01T00:00:00.1+05:30:159",
        ] {
            assert_eq!(Timestamp::parse_iso(text), None, "{text}");
        }
        assert!(Timestamp::parse_iso("0000-12-31T23:59:59-01:00").is_some(), "it is in the year 1 in UTC");
        assert_eq!(Timestamp(i64::MIN).to_civil(), Timestamp::MIN.to_civil());
        assert_eq!(Timestamp(i64::MAX).to_civil(), Timestamp::MAX.to_civil());
    }
}
