//! The statistics of PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt as _;

use crate::domain::day::Day;
use crate::domain::error::Result;
use crate::domain::statistics::{DaySample, DaySamples, StoreFacts};
use crate::store::Store as _;
use crate::store::sql::statistics::{FORGET, KEEP, facts, samples, values};
use crate::store::statistics::Statistics;

use super::PostgresStore;
use super::connection::database_error::DatabaseError;
use super::past::{PostgresSnapshot, read_past};
use super::write::pipeline::parameters;
use super::write::transaction::Transaction;
use super::write::unit_of_work::{OutcomeLookup, UnitOfWork};

const FACTS: &str = "SELECT current_setting('server_version'), (SELECT max(version) FROM migrations), \
                     pg_database_size(current_database())";

#[async_trait]
impl Statistics for PostgresStore {
    async fn keep_day_sample(&self, sample: DaySample, oldest: Day) -> Result<()> {
        self.execute(KeepDaySample { sample, oldest }).await
    }

    async fn day_samples(&self, first: Day, last: Day) -> Result<DaySamples> {
        read_past!(self, samples, first, last)
    }

    async fn facts(&self) -> Result<StoreFacts> {
        let kind = self.name();
        read_past!(self, facts, kind, FACTS)
    }
}

/// The unit of work that stores a sample and deletes those of days before `oldest`. A node waits for another one that
/// stores a sample of the same day, so the one that commits last counts.
struct KeepDaySample {
    sample: DaySample,
    oldest: Day,
}

#[async_trait]
impl UnitOfWork for KeepDaySample {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        let [day, groups, users, memberships, changes] = values(&self.sample)?;
        transaction.queue(KEEP, parameters![day, groups, users, memberships, changes]);
        transaction.queue(FORGET, parameters![self.oldest.number()]);
        Ok(())
    }
}
