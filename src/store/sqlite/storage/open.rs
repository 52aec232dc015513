//! Opens the database file: its permissions, the settings of connections, and the mapping of SQLite's errors.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::domain::error::{Error, Result};

/// How long a connection waits for the lock of another process that writes (the command line and a server).
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of the file a reader maps into memory, in bytes: the maximum that SQLite is compiled with
/// (`.cargo/config.toml`), which is more than any file needs. SQLite reads the rest by system calls.
const MMAP_BYTES: i64 = 1 << 40;

/// The application ID in the header of Rollbook's databases: "Roll" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x526f_6c6c;

/// Returns whether a file has this name. Fails with a sentence if that is unknown, for example if this process may not
/// enter the folder.
pub(crate) fn exists(path: &Path) -> anyhow::Result<bool> {
    path.try_exists().with_context(|| {
        format!("{} cannot be reached; run as a user who may read its folder, or name another file", path.display())
    })
}

/// Returns the path with `suffix` appended to its last component.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates the missing folders of the file, accessible only to their owner. Fails with a sentence if the path names a
/// folder or if a folder cannot be created.
pub(crate) fn create_folders_of(path: &Path) -> anyhow::Result<()> {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        bail!("{} names a folder; add the name of a file", path.display());
    }
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) else {
        return Ok(());
    };
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.with_context(|| format!("the folder {} cannot be created; name another path", folder.display()))
}

/// Opens the file. With `create`, creates it and its folders if they are missing, accessible only to their owner,
/// because the file contains signing keys. Fails with a sentence that says what to do.
pub(crate) fn open_file(path: &Path, create: bool) -> anyhow::Result<File> {
    if create {
        create_folders_of(path)?;
    }
    let opened = OpenOptions::new().read(true).write(true).create(create).truncate(false).mode(0o600).open(path);
    opened.with_context(|| {
        format!(
            "{} cannot be opened for writing; let it be written, or name another file with --database",
            path.display()
        )
    })
}

/// Opens a connection that writes.
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: an acknowledged commit survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten with zeros, so that nothing of an erased user stays in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    // SQLite reads mapped pages from the system's cache without a copy.
    connection.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens a connection to a file that no other process uses and that is useless until it is complete. It has no log and
/// does not sync: whoever publishes the file syncs it.
pub(crate) fn open_unshared(path: &Path) -> rusqlite::Result<Connection> {
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

/// Maps an error of SQLite to the store's error. Violations of constraints are handled where they can occur.
pub(crate) fn failed(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::ListTooCostly,
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => Error::Unavailable(error.to_string()),
        _ if is_damage(&error) => Error::Damaged(error.to_string()),
        _ => Error::internal(error),
    }
}

/// Turns the error of an open into a sentence that says what to do.
pub(crate) fn open_error(path: &str, error: anyhow::Error) -> anyhow::Error {
    use rusqlite::ErrorCode::NotADatabase;
    let sqlite_error = error.downcast_ref::<rusqlite::Error>();
    if sqlite_error.and_then(rusqlite::Error::sqlite_error_code) == Some(NotADatabase) {
        return anyhow::anyhow!(
            "{path} is not a SQLite database: name another file with --database, or restore a backup if it was one"
        );
    }
    let damage = sqlite_error.is_some_and(is_damage) || matches!(error.downcast_ref(), Some(Error::Damaged(_)));
    match sqlite_error {
        _ if damage => {
            anyhow::anyhow!(
                "the database {path} is damaged ({error}): restore a backup (docs/operations.md, section 6)"
            )
        }
        Some(error) => anyhow::anyhow!("the database {path} cannot be opened: {error}"),
        None => error,
    }
}

/// Whether the error shows that the database is damaged: neither SQLite nor this program can have written what was
/// read. Pages have no checksums. Damage inside a value shows only if the value has the wrong type; a lost row shows
/// only if an index still refers to it. A row that may be missing must be read as optional.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase};
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, QueryReturnedNoRows, Utf8Error};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        || matches!(error, FromSqlConversionFailure(..) | InvalidColumnType(..) | QueryReturnedNoRows | Utf8Error(..))
}

/// Whether the error is a violation of a unique index.
pub(crate) fn is_unique_violation(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// Returns the number of an entity: `own`, or the next free number of the table. Tombstones stay in the table, so a
/// number is never reused.
pub(crate) fn number(connection: &Connection, table: &'static str, own: Option<i64>) -> Result<i64> {
    let next = || {
        let sql = format!("SELECT coalesce(max(uid), 0) + 1 FROM {table}");
        connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    };
    own.map_or_else(next, Ok).map_err(failed)
}
