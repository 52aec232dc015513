//! The rows of xp entries in SQLite, for filters and sorting.

use rusqlite::{Connection, params_from_iter};

use crate::domain::xp::Xp;
use crate::store::copy::Table;
use crate::store::sql::copy::insert;
use crate::store::sql::xp::rows;

/// Updates the rows of one owner in the table after its document has changed from `was` to `is`.
pub(crate) fn save(
    connection: &Connection,
    table: &Table,
    owner: i64,
    was: Option<&Xp>,
    is: Option<&Xp>,
) -> rusqlite::Result<()> {
    if was == is {
        return Ok(());
    }
    if was.is_some() {
        connection.prepare_cached(&format!("DELETE FROM {} WHERE owner = ?1", table.name))?.execute([owner])?;
    }
    let mut insert = connection.prepare_cached(&insert(table))?;
    rows(is.map(Xp::entries).unwrap_or_default())
        .into_iter()
        .try_for_each(|row| insert.execute(params_from_iter(row.into_row(owner))).map(drop))
}
