//! Opening the database file: who may read it, how it is written, and what SQLite's errors mean to us.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::domain::error::{Error, ListError, Result};

/// For how long a connection waits for another process that writes (the command line beside a server).
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of the file a reader maps, in bytes: the most that SQLite as it is built lets it (`.cargo/config.toml`), which
/// is more than any file. What would lie beyond is read by system calls.
const MAPPED: i64 = 1 << 40;

/// Marks the file as ours: "Roll" in ASCII.
pub const APPLICATION_ID: i32 = 0x526f_6c6c;

/// Makes the folders and the file if they are missing, readable by their owner alone: the file holds signing keys.
pub fn create_file(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| {
            format!("the folder {} cannot be made; name another place with --database", folder.display())
        })?;
    }
    let opened = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map(drop).with_context(|| {
        format!(
            "{} cannot be opened for writing; let it be written, or name another file with --database",
            path.display()
        )
    })
}

/// The connection that writes.
pub fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit that was acknowledged is on the disk, power cut or not.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

/// A connection that only reads.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    // Mapped pages are read where the system caches them, without a copy.
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection to a file that no other process knows of, and which is of no use before it is whole: it has no log
/// beside it, and the disk is waited for by whoever makes it known.
pub fn open_unshared(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// What a failure of SQLite means to the caller. A broken constraint is handled where it can happen.
pub fn failed(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::List(ListError::TooCostly),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => Error::Unavailable(error.to_string()),
        _ => Error::internal(error),
    }
}

/// Whether a unique index refused the statement.
pub fn is_unique_violation(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// The number of a thing in the table: its own, or if it has none yet, the next. Tombstones stay, so the highest
/// number is never a forgotten one.
pub fn number(connection: &Connection, table: &'static str, own: Option<i64>) -> Result<i64> {
    let next = || {
        let sql = format!("SELECT coalesce(max(uid), 0) + 1 FROM {table}");
        connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    };
    own.map_or_else(next, Ok).map_err(failed)
}
