//! How the directory grew, a day at a time, and what its database is (docs/rollbook.md, section 9).

use std::collections::BTreeMap;

use super::counts::Counts;
use super::day::Day;
use super::error::{Error, Result};

/// The numbers of the whole directory as they were last seen on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySample {
    /// The day.
    pub day: Day,
    /// Live groups.
    pub groups: u64,
    /// Live users.
    pub users: u64,
    /// Memberships of live users in live groups.
    pub memberships: u64,
    /// The changes that the journal had ever got by then, each of a batch by itself.
    pub changes: u64,
}

impl DaySample {
    /// The sample of a day on which the directory had these numbers. Fails if they are not those of the whole directory.
    pub(crate) fn of(day: Day, counts: &Counts) -> Result<Self> {
        let Counts { groups: Some(groups), users, memberships: Some(memberships), changes, .. } = *counts else {
            return Err(Error::internal(anyhow::anyhow!("the numbers are not those of the whole directory")));
        };
        Ok(Self { day, groups, users, memberships, changes })
    }
}

/// The samples that are stored of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySamples {
    /// The samples, at most one of a day, the oldest first.
    pub samples: Vec<DaySample>,
    /// Whether the journal has every change that it ever got.
    pub is_journal_whole: bool,
}

/// The numbers of one day. `None` is a number that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DailyCount {
    /// The day.
    pub day: Day,
    /// Live groups at the end of the day.
    pub groups: Option<u64>,
    /// Live users at the end of the day.
    pub users: Option<u64>,
    /// Memberships of live users in live groups at the end of the day.
    pub memberships: Option<u64>,
    /// The changes on the day, each of a batch by itself.
    pub changes: Option<u64>,
}

/// Returns the numbers of every day from `first` to `last`, the oldest first.
///
/// The changes on a day are those behind the sample of the day before. Without that sample they are unknown: a difference
/// to an earlier day is not spread. `begun` is the day of the first change of all, before which there was none; `None` if it
/// is unknown.
pub(crate) fn daily_counts(samples: &[DaySample], first: Day, last: Day, begun: Option<Day>) -> Vec<DailyCount> {
    let samples: BTreeMap<Day, &DaySample> = samples.iter().map(|sample| (sample.day, sample)).collect();
    let changes_before = |day: Day| match samples.get(&day.plus(-1)) {
        Some(sample) => Some(sample.changes),
        None => begun.filter(|begun| day <= *begun).map(|_| 0),
    };
    let count = |number| {
        let day = Day::from_number(number);
        let sample = samples.get(&day);
        DailyCount {
            day,
            groups: sample.map(|sample| sample.groups),
            users: sample.map(|sample| sample.users),
            memberships: sample.map(|sample| sample.memberships),
            // A database that was restored from a backup has fewer changes than it had the day before.
            changes: sample.zip(changes_before(day)).and_then(|(sample, before)| sample.changes.checked_sub(before)),
        }
    };
    (first.number()..=last.number()).map(count).collect()
}

/// What the database of the directory is. Nothing here tells where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFacts {
    /// The name of the database: `sqlite` or `postgres`.
    pub kind: &'static str,
    /// The version of the database program, as it writes it: `3.50.2`, `16.4 (Debian 16.4-1)`.
    pub version: String,
    /// The number of the last step of the schema.
    pub schema: i64,
    /// The size of the database, in bytes: with its write-ahead log on SQLite, without it on PostgreSQL.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(day: i64, changes: u64) -> DaySample {
        DaySample { day: Day::from_number(day), groups: changes * 2, users: 1, memberships: 0, changes }
    }

    /// The changes of the days from 10 to 15.
    fn changes(samples: &[DaySample], begun: Option<i64>) -> Vec<Option<u64>> {
        let [first, last] = [10, 15].map(Day::from_number);
        let counts = daily_counts(samples, first, last, begun.map(Day::from_number));
        assert!(counts.iter().map(|count| count.day.number()).eq(10..=15));
        counts.iter().map(|count| count.changes).collect()
    }

    #[test]
    fn changes_are_known_behind_a_sample_of_the_day_before() {
        let all = [(9, 5), (10, 7), (11, 7), (13, 20), (14, 25), (15, 24)].map(|(day, changes)| sample(day, changes));
        assert_eq!(changes(&all, None), [Some(2), Some(0), None, None, Some(5), None]);
        assert_eq!(changes(&all[1..], None), [None, Some(0), None, None, Some(5), None]);
    }

    #[test]
    fn changes_of_the_first_day_of_all_are_known() {
        let all = [sample(12, 7), sample(13, 9), sample(15, 10)];
        assert_eq!(changes(&all, None), [None, None, None, Some(2), None, None]);
        for begun in [12, 13] {
            assert_eq!(changes(&all, Some(begun)), [None, None, Some(7), Some(2), None, None], "{begun}");
        }
        assert_eq!(changes(&all, Some(11))[2], None, "some of them may be of the day before");
    }

    #[test]
    fn a_day_without_a_sample_has_no_numbers() {
        let day = Day::from_number(3);
        let unknown = DailyCount { day, groups: None, users: None, memberships: None, changes: None };
        assert_eq!(daily_counts(&[], day, day, Some(day)), [unknown]);
        let known = DailyCount { day, groups: Some(8), users: Some(1), memberships: Some(0), changes: Some(4) };
        assert_eq!(daily_counts(&[sample(3, 4)], day, day, Some(day)), [known]);
    }
}
