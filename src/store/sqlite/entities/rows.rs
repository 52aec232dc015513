//! Reads a row of SQLite through the interface [`Columns`] that all engines share.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::store::sql::columns::Record;
use crate::store::sql::rows::Columns;

impl Columns for Row<'_> {
    type Error = rusqlite::Error;

    fn integer(&self, at: usize) -> rusqlite::Result<i64> {
        self.get(at)
    }

    fn optional_integer(&self, at: usize) -> rusqlite::Result<Option<i64>> {
        self.get(at)
    }

    fn small(&self, at: usize) -> rusqlite::Result<i64> {
        self.get(at)
    }

    fn optional_small(&self, at: usize) -> rusqlite::Result<Option<i64>> {
        self.get(at)
    }

    fn text(&self, at: usize) -> rusqlite::Result<&str> {
        Ok(self.get_ref(at)?.as_str()?)
    }

    fn optional_text(&self, at: usize) -> rusqlite::Result<Option<&str>> {
        Ok(self.get_ref(at)?.as_str_or_null()?)
    }

    fn unreadable(at: usize, reason: String) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, reason.into())
    }
}

/// Reads a record from a row with its columns.
pub(crate) fn record<E: Record>(row: &Row<'_>) -> rusqlite::Result<E> {
    E::read(row)
}
