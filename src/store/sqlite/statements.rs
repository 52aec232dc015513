//! Running the statements that [`crate::store::sql`] builds.

use rusqlite::{Connection, Row, params_from_iter};
use sea_query::{SelectStatement, SqliteQueryBuilder, Values};

use super::bind::Bound;

/// The only row of the statement.
pub fn one<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (sql, values) = built(statement);
    connection.prepare_cached(&sql)?.query_row(params_from_iter(values.into_iter().map(Bound)), read)
}

/// All rows of the statement.
pub fn all<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let (sql, values) = built(statement);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values.into_iter().map(Bound)), read)?.collect()
}

/// One row of the statement after the other, for as long as `read` says to go on.
pub fn each(
    connection: &Connection,
    statement: &SelectStatement,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (sql, values) = built(statement);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values.into_iter().map(Bound)))?;
    while let Some(row) = rows.next()? {
        if !read(row)? {
            break;
        }
    }
    Ok(())
}

fn built(statement: &SelectStatement) -> (String, Values) {
    #[cfg(test)]
    crate::store::sql::asked::note(statement);
    statement.build(SqliteQueryBuilder)
}
