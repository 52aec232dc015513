//! Runs the statements that [`crate::store::sql`] builds.

use rusqlite::{Connection, Row, Rows, params_from_iter};
use sea_query::{SelectStatement, SqliteQueryBuilder, Values};

use super::bind::Bound;

/// Runs the statement and reads its only row.
pub(crate) fn one<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (sql, values) = built(statement);
    connection.prepare_cached(&sql)?.query_row(params_from_iter(values.into_iter().map(Bound)), read)
}

/// Runs the statement and reads all its rows.
pub(crate) fn all<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let (sql, values) = built(statement);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values.into_iter().map(Bound)), read)?.collect()
}

/// Runs the statement and reads its rows one after the other, until `read` returns false.
pub(crate) fn each(
    connection: &Connection,
    statement: &SelectStatement,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    with_rows(connection, statement, |rows| {
        while let Some(row) = rows.next()? {
            if !read(row)? {
                break;
            }
        }
        Ok(())
    })
}

/// Runs the statement and passes its rows to `read`.
pub(crate) fn with_rows<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnOnce(&mut Rows<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (sql, values) = built(statement);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values.into_iter().map(Bound)))?;
    read(&mut rows)
}

/// Builds the text and the parameters of the statement.
fn built(statement: &SelectStatement) -> (String, Values) {
    #[cfg(test)]
    crate::store::sql::list::statement_log::note(statement);
    statement.build(SqliteQueryBuilder)
}
