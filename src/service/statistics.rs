//! Numbers of the directory by day, and what its database is (docs/rollbook.md, section 9).

use crate::domain::caller::{OperateDirectory, Permit, ReadStatistics};
use crate::domain::community::Visibility;
use crate::domain::day::Day;
use crate::domain::error::Result;
use crate::domain::statistics::{DailyCount, DaySample, StoreFacts, daily_counts};

use super::Service;

/// The number of days that are shown, today included. As many samples of earlier days are kept.
const DAYS: i64 = 90;

impl Service {
    /// Stores the present numbers as those of today, and deletes those of days that are not shown any more. To be called
    /// from time to time, by any number of servers: the last call of a day counts.
    pub(crate) async fn keep_daily_count(&self, _permit: &Permit<OperateDirectory>) -> Result<()> {
        // Before the numbers are read: a day that has just begun does not get the numbers of the day before.
        let today = Day::of(self.clock.now());
        let sample = DaySample::of(today, &self.store.counts(&Visibility::All).await?)?;
        self.store.keep_day_sample(sample, today.plus(-DAYS)).await
    }

    /// Returns the numbers of each of the last [`DAYS`] days, the oldest first. The last day is today, with the present
    /// numbers.
    pub(crate) async fn daily_counts(&self, _permit: &Permit<ReadStatistics>) -> Result<Vec<DailyCount>> {
        let today = Day::of(self.clock.now());
        // The day before the first one tells how many changes that one had.
        let mut stored = self.store.day_samples(today.plus(-DAYS), today.plus(-1)).await?;
        let counts = self.store.counts(&Visibility::All).await?;
        stored.samples.push(DaySample::of(today, &counts)?);
        let begun = counts.oldest_change.map_or(today, Day::of);
        Ok(daily_counts(&stored.samples, today.plus(1 - DAYS), today, stored.is_journal_whole.then_some(begun)))
    }

    /// Returns what the database of the directory is.
    pub(crate) async fn store_facts(&self, _permit: &Permit<ReadStatistics>) -> Result<StoreFacts> {
        self.store.facts().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::domain::caller::{Caller, Permission};
    use crate::domain::env::{Clock, RandomIds};
    use crate::domain::journal::Channel;
    use crate::domain::target::Target;
    use crate::domain::time::Timestamp;
    use crate::store::sqlite::{SqliteOptions, SqliteStore};
    use crate::store::statistics::Statistics as _;
    use crate::store::suite::{group, put_group};

    /// A clock that shows the second that it is set to.
    #[derive(Debug, Default)]
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::Relaxed) * 1_000_000)
        }
    }

    fn permit<P: Permission>() -> Permit<P> {
        Arc::new(Caller::operator(Channel::CommandLine)).permit().unwrap()
    }

    #[tokio::test]
    async fn ninety_days_have_their_last_numbers() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("rollbook.db");
        let list_limit = Duration::from_secs(60);
        let options = SqliteOptions { path, default_language: None, create: true, serve: true, list_limit };
        let (store, clock) = (Arc::new(SqliteStore::open(options).await.unwrap()), Arc::new(SetClock::default()));
        let service = Service::new(store.clone(), clock.clone(), Arc::<RandomIds>::default(), "rollbook".to_owned());
        for day in 0..100 {
            for (hour, name) in [(8, "morning"), (20, "evening")] {
                let second = (day * 24 + hour) * 3_600;
                let id = format!("{name}-{day}");
                put_group(&*store, second, Target::New, group(&id, name)).await.unwrap();
                clock.0.store(second + 600, Ordering::Relaxed);
                service.keep_daily_count(&permit()).await.unwrap();
            }
        }
        let counts = service.daily_counts(&permit()).await.unwrap();
        let expected = (10..100).map(|day| DailyCount {
            day: Day::from_number(day),
            groups: u64::try_from(day * 2 + 2).ok(),
            users: Some(0),
            memberships: Some(0),
            changes: Some(2),
        });
        assert_eq!(counts, expected.collect::<Vec<_>>());
        let kept = store.day_samples(Day::from_number(0), Day::from_number(100)).await.unwrap().samples;
        assert_eq!((kept.len(), kept[0].day), (91, Day::from_number(9)), "the day before the first is needed");
    }
}
