//! The records of sign-ins in SQLite.

use rusqlite::{Connection, params};

use crate::domain::sign_in::SignIn;
use crate::domain::time::Timestamp;
use crate::store::sql::sign_ins::{INSERT, MAX_CLEARED, values};

/// Records the sign-in.
pub(crate) fn record(connection: &Connection, sign_in: &SignIn) -> rusqlite::Result<()> {
    connection.prepare_cached(&INSERT)?.execute(values(sign_in)).map(drop)
}

/// Deletes some sign-ins from before this time. Returns whether there may be more.
pub(crate) fn clear(connection: &Connection, before: Timestamp) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM sign_ins WHERE seq IN (SELECT seq FROM sign_ins WHERE at < ?1 ORDER BY at LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![before.as_micros(), MAX_CLEARED])? == MAX_CLEARED)
}
