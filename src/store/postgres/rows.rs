//! Rows of PostgreSQL, as the columns that things are read from.

use tokio_postgres::Row;

use crate::domain::error::{Error, Result};
use crate::store::sql::rows::Columns;

impl Columns for Row {
    type Error = Error;

    fn integer(&self, at: usize) -> Result<i64> {
        self.try_get(at).map_err(Error::internal)
    }

    fn optional_integer(&self, at: usize) -> Result<Option<i64>> {
        self.try_get(at).map_err(Error::internal)
    }

    fn small(&self, at: usize) -> Result<i64> {
        self.try_get::<_, i16>(at).map(i64::from).map_err(Error::internal)
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.try_get(at).map_err(Error::internal)
    }

    fn optional_text(&self, at: usize) -> Result<Option<&str>> {
        self.try_get(at).map_err(Error::internal)
    }

    fn unreadable(at: usize, reason: String) -> Error {
        Error::internal(anyhow::anyhow!("column {at}: {reason}"))
    }
}

/// The columns of a row from one of them on.
pub struct Behind<'a> {
    pub row: &'a Row,
    pub from: usize,
}

impl Columns for Behind<'_> {
    type Error = Error;

    fn integer(&self, at: usize) -> Result<i64> {
        self.row.integer(self.from + at)
    }

    fn optional_integer(&self, at: usize) -> Result<Option<i64>> {
        self.row.optional_integer(self.from + at)
    }

    fn small(&self, at: usize) -> Result<i64> {
        self.row.small(self.from + at)
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.row.text(self.from + at)
    }

    fn optional_text(&self, at: usize) -> Result<Option<&str>> {
        self.row.optional_text(self.from + at)
    }

    fn unreadable(at: usize, reason: String) -> Error {
        Row::unreadable(at, reason)
    }
}

/// All rows as things.
pub fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}
