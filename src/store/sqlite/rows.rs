//! A row of SQLite, read as [`Columns`]. The readers of things are named anew for it: a generic one is not taken
//! where rows of every lifetime come.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::domain::client::Client;
use crate::domain::group::{Group, Outline};
use crate::domain::user::User;
use crate::store::sql::rows::{self, Columns};

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

/// A group from a row that `select_group!` selects.
pub fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    rows::group(row)
}

/// What the list of all groups tells of a group, from a row that `select_outline!` selects.
pub fn outline(row: &Row<'_>) -> rusqlite::Result<Outline> {
    rows::outline(row)
}

/// A user from a row that `select_user!` selects.
pub fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    rows::user(row)
}

/// A client from a row that `select_client!` selects.
pub fn client(row: &Row<'_>) -> rusqlite::Result<Client> {
    rows::client(row)
}
