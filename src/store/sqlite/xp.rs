//! The rows behind filters and orders by xp.

use rusqlite::{Connection, params};

use crate::domain::xp::Xp;
use crate::store::sql::xp::rows;

/// Brings the rows of one owner in the table from those of `was` to those of `is`.
pub fn put(
    connection: &Connection,
    table: &'static str,
    owner: i64,
    was: Option<&Xp>,
    is: Option<&Xp>,
) -> rusqlite::Result<()> {
    if was == is {
        return Ok(());
    }
    if was.is_some() {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE owner = ?1"))?.execute([owner])?;
    }
    let mut insert = connection.prepare_cached(&format!(
        "INSERT INTO {table} (owner, path, kind, text, rest, number, instant, least) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?;
    for row in rows(is.map(Xp::entries).unwrap_or_default()) {
        insert.execute(params![owner, row.path, row.kind, row.text, row.rest, row.number, row.instant, row.least])?;
    }
    Ok(())
}
