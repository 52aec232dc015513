//! The interface of a store to its own statistics: numbers of the directory by day, and what the database is.

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::day::Day;
use crate::domain::statistics::{DaySample, DaySamples, StoreFacts};

/// The statistics of a store. They are no part of the journal.
#[async_trait]
pub trait Statistics {
    /// Stores the sample in place of another one of its day, and deletes those of days before `oldest`.
    async fn keep_day_sample(&self, sample: DaySample, oldest: Day) -> Result<()>;
    /// Returns the samples of the days from `first` to `last`, and whether the journal is whole, in one snapshot.
    async fn day_samples(&self, first: Day, last: Day) -> Result<DaySamples>;
    /// Returns what the database is. The cost does not depend on the number of rows.
    async fn facts(&self) -> Result<StoreFacts>;
}
