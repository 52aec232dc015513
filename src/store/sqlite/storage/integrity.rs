//! The integrity of the database file: whether it is damaged or no longer in its place. Either stops all writes
//! permanently.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::watch;

use crate::domain::error::{Error, Result};

use super::database_file::DatabaseFile;
use super::file_identity::FileLoss;
use super::open::{failed, open_reader, open_writer};

/// The file, and the damage or loss that was found.
pub(crate) struct Integrity {
    /// The file.
    pub file: DatabaseFile,
    damaged: AtomicBool,
    loss: watch::Sender<Option<FileLoss>>,
}

impl Integrity {
    /// Starts with a file that counts as intact.
    pub(crate) fn new(file: DatabaseFile) -> Self {
        Self { file, damaged: AtomicBool::new(false), loss: watch::Sender::new(None) }
    }

    /// Fails if the file is damaged or lost, so that nothing may be written.
    pub(crate) fn check(&self) -> Result<()> {
        match self.file_loss() {
            Some(loss) => Err(Error::Unavailable(self.message(loss))),
            None if self.is_damaged() => Err(self.damaged()),
            None => Ok(()),
        }
    }

    /// Records damage that the result of a read or write shows, and returns the result. Damage is recorded until the
    /// process ends; after that, an `Unavailable` result becomes `Damaged`, because the damage is its cause.
    pub(crate) fn record_damage<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(Error::Damaged(cause)) = &result
            && !self.damaged.swap(true, Ordering::AcqRel)
        {
            let file = self.file.path().display();
            tracing::error!(
                %file,
                cause,
                "the database is damaged and takes no more writes: restore a backup (docs/operations.md, section 6)"
            );
        }
        match result {
            Err(Error::Unavailable(_)) if self.is_damaged() => Err(self.damaged()),
            result => result,
        }
    }

    /// Checks that the files are in their place, after a commit and before it is acknowledged. Fails with
    /// `OutcomeUnknown` if they are not.
    pub(crate) fn check_files(&self) -> Result<()> {
        let unknown = |_| Error::OutcomeUnknown("the files of the database are not in their place".to_owned());
        self.find_loss().map_err(unknown)
    }

    /// Opens a read-only connection. SQLite opens the file by name, so this fails if another file has the name or if
    /// the log next to it belongs to another file.
    pub(crate) fn open_reader(&self) -> Result<Connection> {
        self.opened(open_reader(self.file.path()))
    }

    /// Opens a connection for checkpoints, with the same checks as [`Self::open_reader`].
    pub(crate) fn open_copier(&self) -> Result<Connection> {
        let opened = open_writer(self.file.path()).and_then(|connection| {
            // Only the writer thread decides whether a checkpoint runs on close.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            Ok(connection)
        });
        self.opened(opened)
    }

    fn opened(&self, opened: rusqlite::Result<Connection>) -> Result<Connection> {
        let opened = opened.and_then(|connection| {
            // SQLite opens the log at the first read.
            connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
            Ok(connection)
        });
        self.find_loss().map_err(|loss| Error::Unavailable(self.message(loss)))?;
        self.record_damage(opened.map_err(failed))
    }

    fn find_loss(&self) -> Result<(), FileLoss> {
        let found = self.file_loss().map_or_else(|| self.file.check_files(), Err);
        if let Err(loss) = found {
            // Logged first: whoever waits for the loss ends the process.
            self.loss.send_if_modified(|known| {
                let is_first = known.is_none();
                if is_first {
                    tracing::error!("{}", self.message(loss));
                    *known = Some(loss);
                }
                is_first
            });
        }
        found
    }

    /// Returns how the files were lost; `None` if they were not.
    pub(crate) fn file_loss(&self) -> Option<FileLoss> {
        *self.loss.borrow()
    }

    /// Waits until the files are lost, and returns a sentence that says how and what to do.
    pub(crate) async fn wait_for_loss(&self) -> String {
        let mut loss = self.loss.subscribe();
        // This value owns the sender, so the channel is open.
        let loss = loss.wait_for(Option::is_some).await.ok().and_then(|loss| *loss);
        loss.map_or_else(String::new, |loss| self.message(loss))
    }

    /// Records the state after another process has written ([`DatabaseFile::record_state`]).
    pub(crate) fn record_state(&self, connection: &Connection) {
        if let Err(error) = self.file.record_state(connection) {
            tracing::debug!(%error, "the header of the database cannot be read");
        }
    }

    fn message(&self, loss: FileLoss) -> String {
        format!("the database {} {loss}", self.file.path().display())
    }

    fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("{} is damaged", self.file.path().display()))
    }
}
