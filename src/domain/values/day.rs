//! Days in UTC.

use std::fmt;

use super::time::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A day in UTC, as the number of days since 1970-01-01. It is displayed as `2026-06-04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of the moment.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.as_micros().div_euclid(MICROS_PER_DAY))
    }

    /// Returns the day with this number.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number of days since 1970-01-01.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day so many days later; earlier if the number is negative. Limited to the range of the type.
    pub const fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The moment at which the day begins.
    pub const fn midnight(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(MICROS_PER_DAY))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.midnight().to_civil().date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        for (moment, day) in [
            ("2026-06-04T00:00:00Z", "2026-06-04"),
            ("2026-06-04T23:59:59.999999Z", "2026-06-04"),
            ("2026-06-05T01:00:00+02:00", "2026-06-04"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31"),
        ] {
            assert_eq!(Day::of(Timestamp::parse_iso(moment).unwrap()).to_string(), day, "{moment}");
        }
        let leap = Day::of(Timestamp::parse_iso("2028-02-28").unwrap());
        assert_eq!(
            [leap.plus(1), leap.plus(2), leap.plus(-59)].map(|day| day.to_string()),
            ["2028-02-29", "2028-03-01", "2027-12-31"]
        );
        assert_eq!(Day::from_number(leap.number()), leap);
    }
}
