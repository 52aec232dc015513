//! The readiness check: whether the database can be read and written, at a bounded cost.

use std::sync::{Arc, Mutex, TryLockError};

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::error::{Error, Result};

use super::integrity::Integrity;
use super::open::failed;

/// The part of the check that reads, on a connection of its own.
pub(crate) struct Readiness {
    integrity: Arc<Integrity>,
    connection: Mutex<Option<Connection>>,
}

impl Readiness {
    /// Creates the check. Its connection opens at the first check.
    pub(crate) fn new(integrity: Arc<Integrity>) -> Self {
        Self { integrity, connection: Mutex::default() }
    }

    /// Fails if the file is damaged or lost, if the disk is full, or if a root page is damaged. Blocks as long as the
    /// disk does; meanwhile further calls fail at once.
    pub(crate) fn read(&self) -> Result<()> {
        let mut connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Unavailable("the disk has not answered the last check".to_owned()));
            }
        };
        self.integrity.check()?;
        self.integrity.file.check_free_space()?;
        let own = connection.take().map_or_else(|| self.integrity.open_reader(), Ok)?;
        self.integrity.record_damage(check_root_pages(connection.insert(own)))
    }
}

/// Fails if the root page of a table or an index is damaged, because without it the whole tree is unreadable. Reads one
/// page of each.
pub(crate) fn check_root_pages(connection: &Connection) -> Result<()> {
    let sql = "SELECT name FROM sqlite_schema AS tree WHERE rootpage > 0 AND \
               (SELECT pagetype FROM dbstat WHERE dbstat.name = tree.name LIMIT 1) = 'corrupted' LIMIT 1";
    let corrupted =
        connection.prepare_cached(sql).and_then(|mut select| select.query_row([], |row| row.get(0)).optional());
    let damaged = |name: String| Err(Error::Damaged(format!("the first page of {name} cannot be read")));
    corrupted.map_err(failed)?.map_or(Ok(()), damaged)
}

/// Increments the `user_version` of the database, which has no other use. The caller commits.
pub(crate) fn write(connection: &Connection) -> rusqlite::Result<()> {
    let last: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", last.saturating_add(1))
}
