//! Rows of any table, read and written as a whole: for copies and for keys that are folded again.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::store::copy::{Row, Table, Value};
use crate::store::sql::copy::insert;

/// Returns the rows that the statement selects, with all columns of the table.
pub(super) fn select_rows(
    connection: &Connection,
    table: &Table,
    sql: &str,
    parameters: &[Value],
) -> rusqlite::Result<Vec<Row>> {
    let row = |row: &rusqlite::Row<'_>| (0..table.columns.len()).map(|at| Ok(value(row.get_ref(at)?)?)).collect();
    connection.prepare_cached(sql)?.query_map(params_from_iter(parameters), row)?.collect()
}

/// Inserts the rows into the table.
pub(super) fn write_rows(connection: &Connection, table: &Table, rows: &[Row]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&insert(table))?;
    rows.iter().try_for_each(|row| statement.execute(params_from_iter(row)).map(drop))
}

/// Returns the value of a column.
pub(crate) fn value(found: ValueRef<'_>) -> Result<Value, rusqlite::types::FromSqlError> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        text => Value::Text(text.as_str()?.to_owned()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
