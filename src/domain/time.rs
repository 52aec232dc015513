//! Moments, as the directory stores them: microseconds since 1970-01-01 UTC.

use jiff::civil;
use jiff::tz::TimeZone;

/// A moment in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// In whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment and `seconds` more.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Reads an ISO 8601 date (`2015-01-01`, midnight UTC) or date and time; a time without an offset is UTC.
    /// `None` for anything else, the basic format (`20150101`) included: that is a number first.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashed = bytes.len() >= 10
            && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !dashed || text.contains('[') {
            return None;
        }
        if bytes.len() == 10 {
            let date: civil::Date = text.parse().ok()?;
            return Self::from_civil(date.to_datetime(civil::Time::midnight()));
        }
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_microsecond()));
        }
        Self::from_civil(text.parse().ok()?)
    }

    fn from_civil(moment: civil::DateTime) -> Option<Self> {
        let zoned = moment.to_zoned(TimeZone::UTC).ok()?;
        Some(Self(zoned.timestamp().as_microsecond()))
    }

    /// The date and time of day in UTC, for a dialect to print.
    pub fn to_civil(self) -> civil::DateTime {
        let instant = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        TimeZone::UTC.to_datetime(instant)
    }
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
}
