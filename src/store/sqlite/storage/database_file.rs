//! The database file: checks that it is usable, that one process serves it and that it stays in its place.
//!
//! The file is identified by device and inode, whatever its name. SQLite derives the name of the write-ahead log from
//! the name of the file without symbolic links. A file with two names (hard links) would have two logs, each without
//! the other's commits, so it is refused.

use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use rusqlite::Connection;

use crate::domain::error::{Error, Result};

use super::file_header::Header;
use super::file_identity::{FileId, FileLoss, is_missing, metadata};
use super::open::{open_file, with_suffix};
use super::wal::{Checkpoint, Wal, index_of, log_of};

/// The free disk space that the largest write needs, in bytes. A disk with less counts as full: small writes could
/// still succeed in the space that a failed large write left, and readiness would not show the problem.
const MIN_FREE_BYTES: u64 = 4 << 20;

/// The open file of a database.
pub(crate) struct DatabaseFile {
    /// The path as given; it may be a symbolic link.
    path: PathBuf,
    /// The path without symbolic links, from which SQLite derives the name of the log.
    real: PathBuf,
    /// Opened before SQLite opens the file and closed after SQLite closes it. When a process closes any descriptor of a
    /// file, the system drops all POSIX locks of that process on it, including SQLite's.
    file: File,
    identity: FileId,
    last_seen: Mutex<LastSeen>,
}

/// The state of the files when they were last checked.
#[derive(Default)]
struct LastSeen {
    wal: Option<Wal>,
    /// The file's length and modification time when its header was last read.
    changed: (u64, i64, i64),
    /// The state of the checkpoint before that. The content of the file changes only through checkpoints.
    checkpoint: Option<Checkpoint>,
    /// The header of the file when it was last read. It is as old as the last checkpoint.
    written: Header,
    /// The state of the database, including the log, after the last commit of another process.
    current: Current,
}

/// The values of a database that later states must agree with, as SQLite reports them.
#[derive(Clone, Copy, Default)]
struct Current {
    /// The length, in bytes.
    length: u64,
    schema_cookie: u32,
}

impl Current {
    /// Reads the values through the connection.
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT page_count * page_size, schema_version FROM pragma_page_count, pragma_page_size, \
                   pragma_schema_version";
        connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok(Self { length: row.get(0)?, schema_cookie: row.get(1)? }))
    }
}

impl LastSeen {
    /// Whether a checkpoint of this database can have produced a file with the header.
    fn can_become(&self, header: &Header) -> bool {
        let Self { written, current, .. } = self;
        // A vacuum by another process can shorten the file.
        header.length >= written.length.min(current.length)
            && header.user_version() >= written.user_version()
            && header.changes() >= written.changes()
            && [written.schema_cookie(), current.schema_cookie].contains(&header.schema_cookie())
    }

    /// Compares the file with its last seen state. `before` is the state of the checkpoint before `metadata` was read.
    fn check(&mut self, file: &File, metadata: &Metadata, before: Option<Checkpoint>) -> Result<(), FileLoss> {
        let is_settled = before.is_some_and(|before| self.checkpoint == Some(before) && !before.is_running());
        if is_settled && self.changed == changed(metadata) {
            return Ok(());
        }
        let Ok(header) = Header::of_file(file, metadata.len()) else { return Ok(()) };
        // Read after the header: if a checkpoint wrote that header, the index shows its start by now.
        let after = self.wal.as_ref().and_then(Wal::progress).map(|progress| progress.checkpoint());
        let fits = if is_settled && before == after { header == self.written } else { self.can_become(&header) };
        if !fits {
            return Err(FileLoss::Overwritten);
        }
        // After a vacuum, the end of the checkpoint truncates the file.
        if header.schema_cookie() == self.current.schema_cookie && header.length <= header.full_length() {
            self.current.length = header.length;
        }
        (self.changed, self.checkpoint, self.written) = (changed(metadata), before, header);
        Ok(())
    }
}

impl DatabaseFile {
    /// Opens the file. With `create`, a missing or empty file becomes a database that only its owner can access; with
    /// `serve`, this process becomes its one server. Fails with a sentence that says what to do.
    pub(crate) fn open(path: &Path, create: bool, serve: bool) -> anyhow::Result<Self> {
        let target = target(path);
        match state(&target)? {
            State::Missing if create => refuse_log(&target)?,
            State::Empty if create => {}
            State::Present => {}
            State::Missing | State::Empty => require(path)?,
        }
        let file = open_file(&target, create)?;
        refuse_links(path, &file.metadata()?)?;
        if serve {
            claim(&file, path)?;
        }
        let metadata = file.metadata()?;
        if metadata.len() == 0 {
            // The lock is held, so no other server is creating a database in the file.
            refuse_log(&target)?;
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        let real = fs::canonicalize(&target)?;
        Ok(Self { path: path.to_owned(), real, file, identity: FileId::of(&metadata), last_seen: Mutex::default() })
    }

    /// Returns the path as given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Unlocks the file, so that another process can serve it.
    pub(crate) fn release(&self) {
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "the file stays locked until the process ends");
        }
    }

    /// Records the current state of the database as the one that later checks compare with. Called at the start and
    /// after another process has written. Fails if the files cannot be read.
    pub(crate) fn record_state(&self, connection: &Connection) -> anyhow::Result<()> {
        let current = Current::of(connection)?;
        let mut last_seen = self.last_seen();
        if last_seen.wal.is_none() {
            let wal = Wal::open(&log_of(&self.real), index_of(&self.real))?;
            last_seen.checkpoint = wal.progress().map(|progress| progress.checkpoint());
            last_seen.wal = Some(wal);
            let metadata = self.file.metadata()?;
            last_seen.changed = changed(&metadata);
            last_seen.written = Header::of_file(&self.file, metadata.len())?;
        }
        last_seen.current = current;
        Ok(())
    }

    /// Whether the index does not show how much of the log is copied, as after a crash. The next checkpoint completes
    /// the copy.
    pub(crate) fn may_be_partly_copied(&self) -> bool {
        self.last_seen().checkpoint.is_none_or(|checkpoint| checkpoint.is_running())
    }

    /// Checks that the files are in their place and that only SQLite has written them. Costs three look-ups of names
    /// and two short reads. A change of content is noticed if the header of the file or of the log changed with it; the
    /// header of any other database, and of any older state of this one, is different.
    pub(crate) fn check_files(&self) -> Result<(), FileLoss> {
        let mut last_seen = self.last_seen();
        // Read first, so that a checkpoint that runs during the check counts as later.
        let before = last_seen.wal.as_ref().and_then(Wal::progress);
        let Some(metadata) = metadata(&self.path, FileLoss::Removed)? else { return Ok(()) };
        if FileId::of(&metadata) != self.identity {
            return Err(FileLoss::Replaced);
        }
        // Before the log: SQLite deletes the log of a file that it finds empty, as a file is while it is written over. What
        // the log held must not be copied into such a file.
        last_seen.check(&self.file, &metadata, before.map(|progress| progress.checkpoint()))?;
        last_seen.wal.as_ref().map_or(Ok(()), |wal| wal.check_files(before))
    }

    /// The length of the write-ahead log, in bytes; 0 if it is unknown.
    pub(crate) fn log_bytes(&self) -> u64 {
        fs::metadata(log_of(&self.real)).map_or(0, |log| log.len())
    }

    /// Fails if the disk is full ([`MIN_FREE_BYTES`]), or if the free space is unknown.
    pub(crate) fn check_free_space(&self) -> Result<()> {
        let unknown = |error| Error::Unavailable(format!("the free space on the disk is unknown: {error}"));
        let disk = rustix::fs::fstatvfs(&self.file).map_err(unknown)?;
        // Some file systems report no sizes.
        let is_full = disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < MIN_FREE_BYTES;
        match is_full {
            true => Err(Error::Unavailable(format!("the disk of {} is full", self.path.display()))),
            false => Ok(()),
        }
    }

    /// Renames the log if it still belongs to this file, because SQLite would apply it to the file that has the name
    /// now. Returns the new name; `None` if the log was not renamed.
    pub(crate) fn rename_log(&self) -> io::Result<Option<PathBuf>> {
        if !self.last_seen().wal.as_ref().is_some_and(Wal::is_in_place) {
            return Ok(None);
        }
        let log = log_of(&self.real);
        let aside = with_suffix(&log, ".replaced");
        fs::rename(log, &aside)?;
        Ok(Some(aside))
    }

    fn last_seen(&self) -> MutexGuard<'_, LastSeen> {
        self.last_seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails with a sentence that says what to do unless the file exists and may contain a database.
pub(crate) fn require(path: &Path) -> anyhow::Result<()> {
    let (target, shown) = (target(path), path.display());
    let first = "start 'rollbook serve' first, or name another with --database";
    match state(&target)? {
        State::Present => refuse_links(path, &fs::metadata(&target)?),
        State::Missing => {
            refuse_log(&target)?;
            bail!("there is no database {shown}: {first}")
        }
        State::Empty => {
            refuse_log(&target)?;
            bail!("{shown} is empty, and no database yet: {first}")
        }
    }
}

enum State {
    Missing,
    Empty,
    Present,
}

fn state(path: &Path) -> anyhow::Result<State> {
    match fs::metadata(path) {
        // Opening a pipe would block until another process writes to it.
        Ok(metadata) if !metadata.is_file() => {
            bail!("{} is not a regular file; name another file with --database", path.display())
        }
        Ok(metadata) if metadata.len() == 0 => Ok(State::Empty),
        Ok(_) => Ok(State::Present),
        Err(error) if is_missing(&error) => Ok(State::Missing),
        Err(error) => Err(error).with_context(|| format!("the database {} cannot be reached", path.display())),
    }
}

/// Returns the target of a symbolic link, even if it does not exist; any other path as it is.
fn target(path: &Path) -> PathBuf {
    match fs::read_link(path) {
        Ok(link) => path.parent().unwrap_or(Path::new("")).join(link),
        Err(_) => path.to_owned(),
    }
}

/// Fails if a write-ahead log exists. Called if the file is missing or empty: a log shows that it was a database.
fn refuse_log(target: &Path) -> anyhow::Result<()> {
    let log = log_of(target);
    if log.exists() {
        bail!(
            "the database {} is gone or empty, but its write-ahead log {} is there: put the file back, or restore a \
             backup (docs/operations.md, section 6); to begin a new directory, remove the log",
            target.display(),
            log.display()
        );
    }
    Ok(())
}

fn refuse_links(path: &Path, metadata: &Metadata) -> anyhow::Result<()> {
    if metadata.is_file() && metadata.nlink() > 1 {
        bail!(
            "the database {} has {} names (hard links), and its write-ahead log is next to only one of them: remove the others",
            path.display(),
            metadata.nlink()
        );
    }
    Ok(())
}

/// Locks the file for its one server. The lock (flock) belongs to the file, whatever its name, and is independent of
/// SQLite's POSIX locks. The system releases it when the process ends, however it ends.
fn claim(file: &File, path: &Path) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!(
            "another 'rollbook serve' runs on {}: stop it first, or name another file with --database",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).context("the database cannot be locked"),
    }
}

fn changed(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}
