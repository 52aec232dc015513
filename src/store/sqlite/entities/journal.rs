//! The journal in SQLite. An entry is written in the transaction of the change that it records.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Result;
use crate::domain::actor::NamedActor;
use crate::domain::journal::Operation;
use crate::domain::time::Timestamp;
use crate::store::sql::actors;
use crate::store::sql::entity::not_before;
use crate::store::sql::journal::{INSERT, JournalEntry, LAST_CHANGE, values};

use crate::store::sqlite::storage::open::failed;

/// Returns the operation of the last entry; `None` if the journal is empty.
pub(crate) fn latest(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT operation FROM journal ORDER BY seq DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

/// Returns who made the changes of the entries that exist, by number.
pub(crate) fn actors(connection: &Connection, entries: &[i64]) -> rusqlite::Result<HashMap<i64, NamedActor>> {
    let mut actor = connection.prepare_cached(&actors::select("j.seq = ?1"))?;
    let found = entries.iter().map(|entry| actor.query_row([entry], |row| actors::read(row)).optional());
    found.filter_map(Result::transpose).collect()
}

/// Returns the time of a change that this transaction makes now: the operation's clock shows it, but it is not before
/// the last change of the directory. There is one writer, so it is not before the last change of any entity.
pub(crate) fn time(connection: &Connection, operation: &Operation) -> Result<Timestamp> {
    let last = connection.prepare_cached(LAST_CHANGE).and_then(|mut last| last.query_row([], |row| row.get(0)));
    let last: Option<i64> = last.map_err(failed)?;
    Ok(not_before(last.map(Timestamp::from_micros), operation.clock.now()))
}

/// Returns the number that the next entry gets. Numbers are never reused, so it does not depend on the entries alone.
pub(crate) fn next_number(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'journal'";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Appends one entry of the operation.
pub(crate) fn append(connection: &Connection, operation: &Operation, entry: JournalEntry) -> Result<()> {
    let insert = connection.prepare_cached(&INSERT);
    insert.and_then(|mut insert| insert.execute(values(operation, entry))).map(drop).map_err(failed)
}
