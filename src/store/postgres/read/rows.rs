//! Reading entities from rows of PostgreSQL.

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

    fn optional_small(&self, at: usize) -> Result<Option<i64>> {
        Ok(self.try_get::<_, Option<i16>>(at).map_err(Error::internal)?.map(i64::from))
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

/// The columns of a row from `first` on: the second entity of a joined row.
pub(crate) struct ColumnsFrom<'a> {
    /// The whole row.
    pub row: &'a Row,
    /// The index of the first column.
    pub first: usize,
}

impl Columns for ColumnsFrom<'_> {
    type Error = Error;

    fn integer(&self, at: usize) -> Result<i64> {
        self.row.integer(self.first + at)
    }

    fn optional_integer(&self, at: usize) -> Result<Option<i64>> {
        self.row.optional_integer(self.first + at)
    }

    fn small(&self, at: usize) -> Result<i64> {
        self.row.small(self.first + at)
    }

    fn optional_small(&self, at: usize) -> Result<Option<i64>> {
        self.row.optional_small(self.first + at)
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.row.text(self.first + at)
    }

    fn optional_text(&self, at: usize) -> Result<Option<&str>> {
        self.row.optional_text(self.first + at)
    }

    fn unreadable(at: usize, reason: String) -> Error {
        Row::unreadable(at, reason)
    }
}

/// Reads all rows by `read`. Fails if one cannot be read.
pub(crate) fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}
