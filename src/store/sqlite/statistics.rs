//! The statistics of SQLite.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::day::Day;
use crate::domain::error::Result;
use crate::domain::statistics::{DaySample, DaySamples, StoreFacts};
use crate::store::Store as _;
use crate::store::sql::statistics::{FORGET, KEEP, facts, samples, values};
use crate::store::statistics::Statistics;

use super::SqliteStore;
use super::past::{SqliteSnapshot, output};
use super::storage::open::failed;
use super::write::writer::WriteContext;

const FACTS: &str = "SELECT sqlite_version(), (SELECT max(version) FROM migrations), page_count * page_size \
                     FROM pragma_page_count, pragma_page_size";

#[async_trait]
impl Statistics for SqliteStore {
    async fn keep_day_sample(&self, sample: DaySample, oldest: Day) -> Result<()> {
        let values = values(&sample)?;
        let keep = move |context: &mut WriteContext<'_>| {
            let keep = context.connection.prepare_cached(KEEP).and_then(|mut keep| keep.execute(values));
            let forget = || context.connection.prepare_cached(FORGET)?.execute([oldest.number()]);
            keep.and_then(|_| forget()).map(drop).map_err(failed)
        };
        self.writer.write(keep).await
    }

    async fn day_samples(&self, first: Day, last: Day) -> Result<DaySamples> {
        self.read_past(move |snapshot| output(samples(snapshot, first, last))).await
    }

    async fn facts(&self) -> Result<StoreFacts> {
        let (kind, integrity) = (self.name(), Arc::clone(&self.integrity));
        let read = move |snapshot: &mut SqliteSnapshot<'_>| {
            let facts = output(facts(snapshot, kind, FACTS))?;
            Ok(StoreFacts { bytes: facts.bytes + integrity.file.log_bytes(), ..facts })
        };
        self.read_past(read).await
    }
}
