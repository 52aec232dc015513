//! Times as a reader sees them: in the reader's zone, relative up to a day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Unit, Zoned};

use crate::domain::time::Timestamp;

use super::messages::{self, MONTHS};
use super::ui::{Html, escaped};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// The reader's time zone, and the time at which the page is rendered.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    zone: TimeZone,
    now: Timestamp,
}

impl Reader {
    /// The reader in the zone with the name, e.g. `Europe/Rome`; UTC if there is none of that name.
    pub(super) fn new(now: Timestamp, zone: Option<&str>) -> Self {
        let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        Self { zone, now }
    }

    fn local(&self, at: Timestamp) -> Zoned {
        let moment = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(self.zone.clone())
    }

    /// The day of the time in the reader's zone.
    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// The time as an element: `10 minutes ago`, `Yesterday`, `24 Nov`, `12 Mar 2025`, with the exact moment as its title.
    pub(super) fn ago(&self, at: &Timestamp) -> Html {
        self.element(*at, &self.relative(*at))
    }

    /// The time as an element with day and time of day: `Today, 14:20`, `3 Feb 2021, 10:00`.
    pub(super) fn moment(&self, at: &Timestamp) -> Html {
        let local = self.local(*at);
        self.element(*at, &format!("{}, {:02}:{:02}", self.day(local.date()), local.hour(), local.minute()))
    }

    /// The time of day as an element: `14:20`.
    pub(super) fn clock(&self, at: &Timestamp) -> Html {
        let local = self.local(*at);
        self.element(*at, &format!("{:02}:{:02}", local.hour(), local.minute()))
    }

    /// The time of day with its seconds as an element: `14:20:05`.
    pub(super) fn clock_with_seconds(&self, at: &Timestamp) -> Html {
        let local = self.local(*at);
        self.element(*at, &format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second()))
    }

    /// A day: `Today`, `Yesterday`, `24 Nov`, or with the year if it is not this one.
    pub(super) fn day(&self, day: Date) -> String {
        let today = self.day_of(self.now);
        match today.since((Unit::Day, day)).map_or(i32::MAX, |span| span.get_days()) {
            0 => messages::TODAY.to_owned(),
            1 => messages::YESTERDAY.to_owned(),
            _ => {
                let month = MONTHS[usize::from(day.month().unsigned_abs() - 1)];
                let short: String = month.chars().take(3).collect();
                match day.year() == today.year() {
                    true => format!("{} {short}", day.day()),
                    false => format!("{} {short} {}", day.day(), day.year()),
                }
            }
        }
    }

    /// A day as the head of a list: `Today, 26 November 2026`, `24 November 2026`.
    pub(super) fn full_day(&self, day: Date) -> String {
        let month = MONTHS[usize::from(day.month().unsigned_abs() - 1)];
        let full = format!("{} {month} {}", day.day(), day.year());
        let today = self.day_of(self.now);
        if day == today { format!("{}, {full}", messages::TODAY) } else { full }
    }

    /// A moment in a sentence: `1 June 2026, 08:00`.
    pub(super) fn full_moment(&self, at: Timestamp) -> String {
        let local = self.local(at);
        let month = MONTHS[usize::from(local.month().unsigned_abs() - 1)];
        format!("{} {month} {}, {:02}:{:02}", local.day(), local.year(), local.hour(), local.minute())
    }

    /// The value of a field for a date and a time of day: `2026-06-01T08:00`.
    pub(super) fn field(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// The time that a field for a date and a time of day says, in the reader's zone; `None` if it says none. A time with
    /// an offset, as in a link, is taken as it is.
    pub(super) fn parse(&self, text: &str) -> Option<Timestamp> {
        Timestamp::parse_iso_in(text, |local| match local.to_zoned(self.zone.clone()) {
            Ok(zoned) => zoned.offset().seconds(),
            Err(_) => 0,
        })
    }

    /// The name of the reader's zone.
    pub(super) fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    fn relative(&self, at: Timestamp) -> String {
        let seconds = self.now.as_seconds() - at.as_seconds();
        match seconds {
            ..0 => self.day(self.day_of(at)),
            0..MINUTE => messages::JUST_NOW.to_owned(),
            MINUTE..HOUR => messages::minutes_ago(seconds / MINUTE),
            HOUR.. if self.day_of(at) == self.day_of(self.now) => messages::hours_ago(seconds / HOUR),
            _ => self.day(self.day_of(at)),
        }
    }

    /// The element of a time with its text. The title is the exact moment, in the reader's zone and in UTC.
    fn element(&self, at: Timestamp, text: &str) -> Html {
        let local = self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let utc = at.to_civil();
        let title = match self.zone() {
            "UTC" => format!("{local} UTC"),
            zone => format!("{local} {zone} ({} UTC)", utc.strftime("%Y-%m-%d %H:%M:%S")),
        };
        let (title, text) = (escaped(&title), escaped(text));
        Html::new(format!("<time datetime=\"{}Z\" title=\"{title}\">{text}</time>", utc.strftime("%Y-%m-%dT%H:%M:%S")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso(text).unwrap()
    }

    #[test]
    fn times_are_relative_up_to_a_day() {
        let reader = Reader::new(at("2026-11-26T13:30:00Z"), None);
        for (moment, text) in [
            ("2026-11-26T13:29:40Z", "just now"),
            ("2026-11-26T13:29:00Z", "1 minute ago"),
            ("2026-11-26T13:20:00Z", "10 minutes ago"),
            ("2026-11-26T12:30:00Z", "1 hour ago"),
            ("2026-11-26T00:30:00Z", "13 hours ago"),
            ("2026-11-25T23:59:00Z", "Yesterday"),
            ("2026-11-24T08:15:00Z", "24 Nov"),
            ("2025-03-12T14:22:10Z", "12 Mar 2025"),
        ] {
            assert_eq!(reader.relative(at(moment)), text, "{moment}");
        }
    }

    #[test]
    fn times_are_in_the_readers_zone() {
        let reader = Reader::new(at("2026-11-26T13:30:00Z"), Some("Europe/Rome"));
        if reader.zone() == "UTC" {
            return; // This machine has no time zones.
        }
        let shown = reader.moment(&at("2026-06-01T22:30:00Z")).to_string();
        assert!(shown.contains(">2 Jun, 00:30<") && shown.contains("datetime=\"2026-06-01T22:30:00Z\""), "{shown}");
        assert_eq!(Reader::new(reader.now, Some("No/Where")).zone(), "UTC");
    }
}
