//! The table of daily samples, and what both stores read of it and of the database.

use crate::domain::day::Day;
use crate::domain::error::{Error, Result};
use crate::domain::statistics::{DaySample, DaySamples, StoreFacts};
use crate::store::copy::{Row, Table, Value};

use super::columns::columns;
use super::past::{SnapshotReader, Statement, integer, read_rows, text};
use super::retention::HORIZON;

/// The table of daily samples. It is copied, because nothing else tells how large the directory was.
pub(crate) const DAILY_COUNTS: Table = Table {
    name: "daily_counts",
    columns: columns! { Integer: "day" "groups" "users" "memberships" "changes"; },
    key: 1,
};

/// Stores a sample, with the parameters of [`values`]. The latest one of a day counts. An equal one writes nothing.
pub(crate) const KEEP: &str = "INSERT INTO daily_counts (day, groups, users, memberships, changes) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (day) DO UPDATE SET groups = excluded.groups, users = excluded.users, \
     memberships = excluded.memberships, changes = excluded.changes \
     WHERE (daily_counts.groups, daily_counts.users, daily_counts.memberships, daily_counts.changes) \
     <> (excluded.groups, excluded.users, excluded.memberships, excluded.changes)";
/// Deletes the samples of days before the parameter.
pub(crate) const FORGET: &str = "DELETE FROM daily_counts WHERE day < $1";

const SAMPLES: &str = "SELECT day, groups, users, memberships, changes FROM daily_counts \
     WHERE day >= $1 AND day <= $2 ORDER BY day";

/// Returns the sample as the parameters of [`KEEP`]. Fails if a number exceeds 63 bits.
pub(crate) fn values(sample: &DaySample) -> Result<[i64; DAILY_COUNTS.columns.len()]> {
    let DaySample { day, groups, users, memberships, changes } = *sample;
    let [groups, users, memberships, changes] = [groups, users, memberships, changes].map(i64::try_from);
    let numbers = || Ok([day.number(), groups?, users?, memberships?, changes?]);
    numbers().map_err(|error: std::num::TryFromIntError| Error::internal(error))
}

/// Returns the samples of the days from `first` to `last`, and whether the journal is whole.
pub(crate) async fn samples<S: SnapshotReader>(
    snapshot: &mut S,
    first: Day,
    last: Day,
) -> Result<DaySamples, S::Failure> {
    let between = [first, last].map(|day| Value::Integer(day.number())).to_vec();
    let statements = vec![Statement::constant(SAMPLES, between), Statement::constant(HORIZON, Vec::new())];
    let mut found = snapshot.read(statements).await?;
    let is_journal_whole = found.pop().is_some_and(|horizon| horizon.is_empty());
    let rows = found.pop().unwrap_or_default();
    Ok(DaySamples { samples: rows.iter().map(sample).collect::<Result<_>>()?, is_journal_whole })
}

fn sample(row: &Row) -> Result<DaySample> {
    let number = |at| u64::try_from(integer(row, at)?).map_err(Error::internal);
    let day = Day::from_number(integer(row, 0)?);
    Ok(DaySample { day, groups: number(1)?, users: number(2)?, memberships: number(3)?, changes: number(4)? })
}

/// Returns what the database is. `statement` selects its version, the number of the last step of its schema, and its
/// size in bytes.
pub(crate) async fn facts<S: SnapshotReader>(
    snapshot: &mut S,
    kind: &'static str,
    statement: &'static str,
) -> Result<StoreFacts, S::Failure> {
    let rows = read_rows(snapshot, Statement::constant(statement, Vec::new())).await?;
    let row =
        rows.first().ok_or_else(|| Error::internal(anyhow::anyhow!("the database tells nothing about itself")))?;
    let bytes = u64::try_from(integer(row, 2)?).map_err(Error::internal)?;
    Ok(StoreFacts { kind, version: text(row, 0)?.to_owned(), schema: integer(row, 1)?, bytes })
}
