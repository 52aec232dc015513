//! The counters in SQLite: one row each.

use rusqlite::Connection;

use crate::store::sql::counters::Counter;

/// Returns the value of the counter.
pub(crate) fn get(connection: &Connection, counter: Counter) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM counters WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([counter.name()], |row| row.get(0))
}

/// Adds `change`, which may be negative, to the counter.
pub(crate) fn add(connection: &Connection, counter: Counter, change: i64) -> rusqlite::Result<()> {
    if change != 0 {
        let sql = "UPDATE counters SET value = value + ?2 WHERE name = ?1";
        connection.prepare_cached(sql)?.execute((counter.name(), change))?;
    }
    Ok(())
}
