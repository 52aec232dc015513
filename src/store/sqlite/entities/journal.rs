//! The journal in SQLite. An entry is written in the transaction of the change that it records.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::Result;
use crate::domain::actor::NamedActor;
use crate::domain::journal::Operation;
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::actors;
use crate::store::sql::copy;
use crate::store::sql::counters::Counter;
use crate::store::sql::entity::not_before;
use crate::store::sql::journal::{INSERT, JOURNAL_MEMBERS, JournalEntry, LAST_CHANGE, values};

use super::counters;
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

/// Appends one entry of the operation, with the rows of its users, and counts its changes.
pub(crate) fn append(connection: &Connection, operation: &Operation, mut entry: JournalEntry) -> Result<()> {
    counters::add(connection, Counter::Changes, entry.count).map_err(failed)?;
    let users = std::mem::take(&mut entry.users);
    insert(connection, values(operation, entry), &users).map_err(failed)
}

fn insert(connection: &Connection, values: impl rusqlite::Params, users: &[(UserUid, bool)]) -> rusqlite::Result<()> {
    connection.prepare_cached(&INSERT)?.execute(values)?;
    if users.is_empty() {
        return Ok(());
    }
    static INSERT_USER: LazyLock<String> = LazyLock::new(|| copy::insert(&JOURNAL_MEMBERS));
    let (seq, mut insert) = (connection.last_insert_rowid(), connection.prepare_cached(&INSERT_USER)?);
    users.iter().enumerate().try_for_each(|(position, (user, is_added))| {
        insert.execute(params![user, seq, position as i64, is_added]).map(drop)
    })
}
