//! Copying a whole directory from one store to another, of whatever kind. Tables travel row by row, exactly; what a
//! store derives from them (indexes, counters) it makes anew. The copy is read back before it is kept: as many rows
//! in every table, and the same digest over all of them.

mod tally;

use anyhow::bail;
use async_trait::async_trait;

pub use tally::Digest;
use tally::{Tally, Tallying};

/// How many rows at most are held at a time.
const ROWS: usize = 1_000;
/// About how many bytes are, where rows are long.
const BYTES: usize = 4 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    /// A flag, a kind or a set of roles, for stores with small integers.
    Small,
    Real,
    Text,
}

/// A column that is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A table that is copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// How many of the first columns are the key, by which rows are ordered: numbers by value, text by bytes.
    pub key: usize,
}

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Value {
    /// About how much it holds.
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => 8 + text.len(),
            _ => 8,
        }
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, by the columns of its table.
pub type Row = Vec<Value>;

/// How many live things there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    pub groups: i64,
    pub users: i64,
    /// Of live users in live groups.
    pub memberships: i64,
}

/// One consistent snapshot of a directory.
#[async_trait]
pub trait Source: Send {
    /// The number of the table's rows.
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64>;
    /// The first `limit` rows behind that with the key of `last`, in the order of their keys.
    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>>;
    /// The live things, counted anew.
    async fn live(&mut self) -> anyhow::Result<Live>;
}

/// A directory in the making. It is seen by nobody, and leaves nothing, until it is kept.
#[async_trait]
pub trait Destination: Source {
    /// Puts rows into the table, and what is derived from each of them beside it.
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()>;
    /// Brings to an end what depends on all rows: counters, and the numbers that are drawn next.
    async fn finish(&mut self) -> anyhow::Result<()>;
    /// The live things, as the store's own counters have them.
    async fn counters(&mut self) -> anyhow::Result<Live>;
    /// Makes it a directory, whole and durable.
    async fn keep(self: Box<Self>) -> anyhow::Result<()>;
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub stage: Stage,
    pub rows: u64,
    pub of: u64,
}

/// What a copy does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows are sent.
    Copying,
    /// All rows were sent; what depends on all of them is made.
    Finishing,
    /// Rows are read back.
    Verifying,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Each table's name and the number of its rows.
    pub tables: Vec<(&'static str, u64)>,
    /// Over all rows: equal for equal directories, in whatever store.
    pub digest: Digest,
}

/// Copies the tables, reads them back, and keeps the copy if it is the same. `told` hears of every batch.
pub async fn copy(
    source: &mut dyn Source,
    mut destination: Box<dyn Destination>,
    tables: &'static [Table],
    told: &mut (dyn FnMut(Progress) + Send),
) -> anyhow::Result<Report> {
    let mut of = 0;
    for table in tables {
        of += source.count(table).await?;
    }
    let mut progress = Counted { stage: Stage::Copying, rows: 0, of, told };
    let mut sent = Vec::new();
    for table in tables {
        sent.push(transfer(source, &mut *destination, table, &mut progress).await?);
    }
    progress.enter(Stage::Finishing);
    destination.finish().await?;
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
    let (live, counted) = (source.live().await?, destination.counters().await?);
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
    progress: &mut Counted<'_>,
) -> anyhow::Result<Tally> {
    let (mut batches, mut tally) = (Batches::of(table), Tallying::of(table));
    while let Some(rows) = batches.next(source).await? {
        rows.iter().for_each(|row| tally.add(row));
        destination.write(table, &rows).await?;
        progress.count(rows.len());
        batches.had(rows);
    }
    Ok(tally.end())
}

async fn read_back(
    destination: &mut dyn Destination,
    table: &'static Table,
    progress: &mut Counted<'_>,
) -> anyhow::Result<Tally> {
    let (mut batches, mut tally) = (Batches::of(table), Tallying::of(table));
    while let Some(rows) = batches.next(destination).await? {
        rows.iter().for_each(|row| tally.add(row));
        progress.count(rows.len());
        batches.had(rows);
    }
    Ok(tally.end())
}

fn report(tables: &[Table], tallies: &[Tally]) -> Report {
    let counts = tables.iter().zip(tallies).map(|(table, tally)| (table.name, tally.rows)).collect();
    Report { tables: counts, digest: tally::of_all(tallies) }
}

/// Rows counted towards all there are.
struct Counted<'a> {
    stage: Stage,
    rows: u64,
    of: u64,
    told: &'a mut (dyn FnMut(Progress) + Send),
}

impl Counted<'_> {
    fn enter(&mut self, stage: Stage) {
        (self.stage, self.rows) = (stage, 0);
        self.count(0);
    }

    fn count(&mut self, rows: usize) {
        self.rows += rows as u64;
        (self.told)(Progress { stage: self.stage, rows: self.rows, of: self.of });
    }
}

/// The rows of a table, a batch at a time.
pub struct Batches {
    table: &'static Table,
    /// The last row that was had.
    last: Option<Row>,
    limit: usize,
}

impl Batches {
    /// From the first row on.
    pub fn of(table: &'static Table) -> Self {
        // Few at first: how long rows are is not known yet.
        Self { table, last: None, limit: ROWS / 10 }
    }

    /// The rows behind those that were had; `None` behind the last.
    pub async fn next<S: Source + ?Sized>(&mut self, source: &mut S) -> anyhow::Result<Option<Vec<Row>>> {
        let rows = source.rows(self.table, self.last.as_ref(), self.limit).await?;
        let bytes: usize = rows.iter().flatten().map(Value::bytes).sum();
        self.limit = (BYTES * rows.len() / bytes.max(1)).clamp(1, ROWS);
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// These are done with.
    pub fn had(&mut self, rows: Vec<Row>) {
        self.last = rows.into_iter().next_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTES: [Table; 1] = [Table {
        name: "notes",
        columns: &[Column { name: "uid", kind: Kind::Integer }, Column { name: "text", kind: Kind::Text }],
        key: 1,
    }];

    /// A directory in memory; as a destination it may lose a row or count wrongly.
    #[derive(Clone, Default)]
    struct Memory {
        rows: Vec<Row>,
        live: Live,
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

        async fn live(&mut self) -> anyhow::Result<Live> {
            Ok(self.live)
        }
    }

    #[async_trait]
    impl Destination for Memory {
        async fn write(&mut self, _: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
            self.rows.extend_from_slice(rows);
            Ok(())
        }

        async fn finish(&mut self) -> anyhow::Result<()> {
            self.loses.map(|at| self.rows.remove(at));
            Ok(())
        }

        async fn counters(&mut self) -> anyhow::Result<Live> {
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
        let (kept, mut told) = (destination.kept.clone(), Vec::new());
        let report = copy(&mut source, Box::new(destination), &NOTES, &mut |progress| told.push(progress)).await;
        let kept = *kept.lock().unwrap();
        (report, kept, told)
    }

    #[tokio::test]
    async fn every_row_is_sent_and_read_back() {
        let (report, kept, told) = copied(notes(2_500), Memory::default()).await;
        let report = report.unwrap();
        assert!(kept && report.tables == [("notes", 2_500)]);
        assert_eq!(report.digest, copied(notes(2_500), Memory::default()).await.0.unwrap().digest);
        assert_ne!(report.digest, copied(notes(2_499), Memory::default()).await.0.unwrap().digest);
        let ends = told.iter().filter(|progress| progress.rows == progress.of).map(|progress| progress.stage);
        assert_eq!(ends.collect::<Vec<_>>(), [Stage::Copying, Stage::Verifying]);
    }

    #[tokio::test]
    async fn a_copy_that_differs_is_not_kept() {
        for at in [0, 1_234, 2_499] {
            let (report, kept, _) = copied(notes(2_500), Memory { loses: Some(at), ..Memory::default() }).await;
            assert!(report.unwrap_err().to_string().contains("2500 rows were sent and 2499 found") && !kept);
        }
        let miscounted = Memory { live: Live { groups: 1, ..Live::default() }, ..Memory::default() };
        let (report, kept, _) = copied(notes(1), miscounted).await;
        assert!(report.unwrap_err().to_string().contains("groups: 1") && !kept);
    }
}
