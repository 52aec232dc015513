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

/// All rows as things.
pub fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}
