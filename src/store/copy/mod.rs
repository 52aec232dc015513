//! Copies a whole directory from one store to another of any kind. Rows are copied exactly; each store builds its own
//! derived data (indexes, counters) from them. The copy is read back before it is kept: every table must have the same
//! number of rows and the same digest.

mod rows;
mod table_digest;

use anyhow::bail;
use async_trait::async_trait;

use crate::domain::history::FeedPosition;

pub(crate) use rows::{Column, ColumnType, Row, Table, Value};
pub(crate) use table_digest::Digest;
use table_digest::{TableDigest, TableHasher};

/// The maximum number of rows in a batch.
const MAX_ROWS: usize = 1_000;
/// The approximate size of a batch of long rows, in bytes.
const TARGET_BYTES: usize = 4 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LiveCounts {
    /// Live groups.
    pub groups: i64,
    /// Live users.
    pub users: i64,
    /// Memberships of live users in live groups.
    pub memberships: i64,
    /// Changes of the journal, each of a batch by itself.
    pub changes: i64,
}

/// One consistent snapshot of a directory, to copy from.
#[async_trait]
pub(crate) trait Source: Send {
    /// Returns the number of rows in the table.
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64>;
    /// Returns the first `limit` rows after the key of `last`, or from the start if `last` is `None`, ordered by key.
    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>>;
    /// Counts the live entities in the tables, and reads the counter of changes, which no table gives.
    async fn live(&mut self) -> anyhow::Result<LiveCounts>;
}

/// One consistent snapshot of a directory that may be in use.
#[async_trait]
pub(crate) trait DirectorySnapshot: Source {
    /// Returns the position of the feed up to which the snapshot has every change; `None` in an empty feed. A snapshot
    /// of PostgreSQL may have some of the changes behind it as well.
    async fn feed_end(&mut self) -> anyhow::Result<Option<FeedPosition>>;
}

/// A new directory, to copy into. No other process sees it before [`Destination::keep`]. If it is dropped before that,
/// nothing remains.
#[async_trait]
pub(crate) trait Destination: Source {
    /// Inserts rows into the table, and the rows derived from each of them into their tables.
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()>;
    /// Completes what depends on all rows: counters and the numbers of the next new entities. `changes` is the value of
    /// the counter of changes.
    async fn finish(&mut self, changes: i64) -> anyhow::Result<()>;
    /// Returns the live entities according to the store's own counters.
    async fn counters(&mut self) -> anyhow::Result<LiveCounts>;
    /// Makes the copy durable and visible as a directory.
    async fn keep(self: Box<Self>) -> anyhow::Result<()>;
}

/// The progress of a copy.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// The number of rows done in this stage.
    pub rows: u64,
    /// The number of rows of the directory.
    pub of: u64,
}

/// The stages of a copy, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows are sent to the destination.
    Copying,
    /// All rows were sent. The destination completes counters and indexes.
    Finishing,
    /// Rows are read back and compared.
    Verifying,
}

/// The result of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Each table's name and the number of its rows.
    pub tables: Vec<(&'static str, u64)>,
    /// The digest of all rows. Equal directories have equal digests in every store.
    pub digest: Digest,
}

/// Copies the tables, reads them back, and keeps the copy if it equals the source. Calls `observer` after every batch.
/// Fails, and keeps nothing, if the copy differs.
pub(crate) async fn copy(
    source: &mut dyn Source,
    mut destination: Box<dyn Destination>,
    tables: &'static [Table],
    observer: &mut (dyn FnMut(Progress) + Send),
) -> anyhow::Result<Report> {
    let mut of = 0;
    for table in tables {
        of += source.count(table).await?;
    }
    let mut progress = ProgressCounter { stage: Stage::Copying, rows: 0, of, observer };
    let mut sent = Vec::new();
    for table in tables {
        sent.push(transfer(source, &mut *destination, table, &mut progress).await?);
    }
    progress.enter(Stage::Finishing);
    let live = source.live().await?;
    destination.finish(live.changes).await?;
    progress.enter(Stage::Verifying);
    for (table, sent) in tables.iter().zip(&sent) {
        let found = read_back(&mut *destination, table, &mut progress).await?;
        if found != *sent {
            bail!(
                "the copy is not the same as its source ({}: {} rows were sent and {} found) and was not kept: run \
                 the copy again",
                table.name,
                sent.rows,
                found.rows
            );
        }
    }
    let counted = destination.counters().await?;
    if live != counted {
        bail!("the copy counts {counted:?} and its source has {live:?}: it was not kept; run the copy again");
    }
    let report = report(tables, &sent);
    destination.keep().await?;
    Ok(report)
}

async fn transfer(
    source: &mut dyn Source,
    destination: &mut dyn Destination,
    table: &'static Table,
    progress: &mut ProgressCounter<'_>,
) -> anyhow::Result<TableDigest> {
    let (mut batches, mut hasher) = (RowBatches::of(table), TableHasher::of(table));
    while let Some(rows) = batches.next(source).await? {
        rows.iter().for_each(|row| hasher.add(row));
        destination.write(table, &rows).await?;
        progress.count(rows.len());
        batches.advance(rows);
    }
    Ok(hasher.finish())
}

async fn read_back(
    destination: &mut dyn Destination,
    table: &'static Table,
    progress: &mut ProgressCounter<'_>,
) -> anyhow::Result<TableDigest> {
    let (mut batches, mut hasher) = (RowBatches::of(table), TableHasher::of(table));
    while let Some(rows) = batches.next(destination).await? {
        rows.iter().for_each(|row| hasher.add(row));
        progress.count(rows.len());
        batches.advance(rows);
    }
    Ok(hasher.finish())
}

fn report(tables: &[Table], digests: &[TableDigest]) -> Report {
    let counts = tables.iter().zip(digests).map(|(table, digest)| (table.name, digest.rows)).collect();
    Report { tables: counts, digest: table_digest::combined(digests) }
}

/// Counts rows and reports the progress.
struct ProgressCounter<'a> {
    stage: Stage,
    rows: u64,
    of: u64,
    observer: &'a mut (dyn FnMut(Progress) + Send),
}

impl ProgressCounter<'_> {
    fn enter(&mut self, stage: Stage) {
        (self.stage, self.rows) = (stage, 0);
        self.count(0);
    }

    fn count(&mut self, rows: usize) {
        self.rows += rows as u64;
        (self.observer)(Progress { stage: self.stage, rows: self.rows, of: self.of });
    }
}

/// Reads the rows of a table in batches of limited size.
pub(crate) struct RowBatches {
    table: &'static Table,
    /// The last row that was processed.
    last: Option<Row>,
    limit: usize,
}

impl RowBatches {
    /// Starts at the first row.
    pub(crate) fn of(table: &'static Table) -> Self {
        // The first batch is small, because the length of the rows is not known yet.
        Self { table, last: None, limit: MAX_ROWS / 10 }
    }

    /// Returns the next batch after the last processed row; `None` at the end.
    pub(crate) async fn next<S: Source + ?Sized>(&mut self, source: &mut S) -> anyhow::Result<Option<Vec<Row>>> {
        let rows = source.rows(self.table, self.last.as_ref(), self.limit).await?;
        self.measure(&rows);
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// Returns the last processed row, and the number of rows to read after it.
    pub(crate) fn position(&self) -> (Option<&Row>, usize) {
        (self.last.as_ref(), self.limit)
    }

    /// Adapts the size of the next batch to the length of the rows.
    pub(crate) fn measure(&mut self, rows: &[Row]) {
        let bytes: usize = rows.iter().flatten().map(Value::bytes).sum();
        self.limit = (TARGET_BYTES * rows.len() / bytes.max(1)).clamp(1, MAX_ROWS);
    }

    /// Marks the rows as processed: the next batch starts after them.
    pub(crate) fn advance(&mut self, rows: Vec<Row>) {
        self.last = rows.into_iter().next_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTES: [Table; 1] = [Table {
        name: "notes",
        columns: &[Column { name: "uid", kind: ColumnType::Integer }, Column { name: "text", kind: ColumnType::Text }],
        key: 1,
    }];

    /// A directory in memory. As a destination it can be set up to lose a row or to count wrongly.
    #[derive(Clone, Default)]
    struct Memory {
        rows: Vec<Row>,
        live: LiveCounts,
        loses: Option<usize>,
        kept: std::sync::Arc<std::sync::Mutex<bool>>,
    }

    #[async_trait]
    impl Source for Memory {
        async fn count(&mut self, _: &'static Table) -> anyhow::Result<u64> {
            Ok(self.rows.len() as u64)
        }

        async fn rows(&mut self, _: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
            let from = last.map_or(0, |last| self.rows.iter().position(|row| row == last).unwrap() + 1);
            Ok(self.rows.iter().skip(from).take(limit).cloned().collect())
        }

        async fn live(&mut self) -> anyhow::Result<LiveCounts> {
            Ok(self.live)
        }
    }

    #[async_trait]
    impl Destination for Memory {
        async fn write(&mut self, _: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
            self.rows.extend_from_slice(rows);
            Ok(())
        }

        async fn finish(&mut self, _: i64) -> anyhow::Result<()> {
            self.loses.map(|at| self.rows.remove(at));
            Ok(())
        }

        async fn counters(&mut self) -> anyhow::Result<LiveCounts> {
            Ok(self.live)
        }

        async fn keep(self: Box<Self>) -> anyhow::Result<()> {
            *self.kept.lock().unwrap() = true;
            Ok(())
        }
    }

    fn notes(count: i64) -> Memory {
        let note = |number| vec![Value::Integer(number), Value::Text("x".repeat(number as usize % 50))];
        Memory { rows: (1..=count).map(note).collect(), ..Memory::default() }
    }

    async fn copied(mut source: Memory, destination: Memory) -> (anyhow::Result<Report>, bool, Vec<Progress>) {
        let (kept, mut observer) = (destination.kept.clone(), Vec::new());
        let report = copy(&mut source, Box::new(destination), &NOTES, &mut |progress| observer.push(progress)).await;
        let kept = *kept.lock().unwrap();
        (report, kept, observer)
    }

    #[tokio::test]
    async fn every_row_is_sent_and_read_back() {
        let (report, kept, observer) = copied(notes(2_500), Memory::default()).await;
        let report = report.unwrap();
        assert!(kept && report.tables == [("notes", 2_500)]);
        assert_eq!(report.digest, copied(notes(2_500), Memory::default()).await.0.unwrap().digest);
        assert_ne!(report.digest, copied(notes(2_499), Memory::default()).await.0.unwrap().digest);
        let ends = observer.iter().filter(|progress| progress.rows == progress.of).map(|progress| progress.stage);
        assert_eq!(ends.collect::<Vec<_>>(), [Stage::Copying, Stage::Verifying]);
    }

    #[tokio::test]
    async fn a_copy_that_differs_is_not_kept() {
        for at in [0, 1_234, 2_499] {
            let (report, kept, _) = copied(notes(2_500), Memory { loses: Some(at), ..Memory::default() }).await;
            assert!(report.unwrap_err().to_string().contains("2500 rows were sent and 2499 found") && !kept);
        }
        let miscounted = Memory { live: LiveCounts { groups: 1, ..LiveCounts::default() }, ..Memory::default() };
        let (report, kept, _) = copied(notes(1), miscounted).await;
        assert!(report.unwrap_err().to_string().contains("groups: 1") && !kept);
    }
}
