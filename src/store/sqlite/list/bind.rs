//! Binds the parameters of a statement that sea-query built to a statement of rusqlite. (The crates that do this need
//! another version of rusqlite, and only one crate may link SQLite.)

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value as SqlValue};
use sea_query::Value;

/// A parameter of a statement.
pub(crate) struct Bound(pub Value);

impl ToSql for Bound {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match &self.0 {
            Value::Bool(value) => value.map_or(SqlValue::Null, |value| SqlValue::Integer(value.into())),
            Value::Int(value) => value.map_or(SqlValue::Null, |value| SqlValue::Integer(value.into())),
            Value::BigInt(value) => value.map_or(SqlValue::Null, SqlValue::Integer),
            Value::BigUnsigned(value) => match value.map(i64::try_from) {
                None => SqlValue::Null,
                Some(value) => {
                    SqlValue::Integer(value.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?)
                }
            },
            Value::String(value) => value.clone().map_or(SqlValue::Null, SqlValue::Text),
            other => {
                let unexpected = format!("no statement of this store binds {other:?}");
                return Err(rusqlite::Error::ToSqlConversionFailure(unexpected.into()));
            }
        }))
    }
}
