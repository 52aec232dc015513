//! The embedded store: SQLite in one file.
//!
//! One thread writes ([`write::writer`]); readers read in parallel ([`read::readers`]). Another process (the command
//! line) may open the same file at the same time; a second server may not.

mod entities;
mod entity;
mod erasure;
mod list;
mod past;
mod read;
mod retention;
mod sessions;
mod statistics;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::wal::CheckpointMode;
use uuid::Uuid;

use crate::domain::error::Result;
use crate::domain::idempotency::Outcome;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;

use list::sets::result_cache::ResultCache;
use read::readers::Readers;
use storage::database_file::DatabaseFile;
use storage::integrity::Integrity;
use storage::open::open_error;
use storage::readiness::Readiness;
use write::writer::{WriteContext, Writer};

pub(crate) use storage::copy::{NewFile, Snapshot};
pub(crate) use storage::open::create_folders_of;

/// The options with which a database file is opened.
#[derive(Clone, Debug)]
pub(crate) struct SqliteOptions {
    /// The path of the file; it may be a symbolic link.
    pub path: PathBuf,
    /// The default language of a new database; an existing database must have the same one. `None` accepts the language
    /// of an existing database and gives a new one `en`.
    pub default_language: Option<Tag>,
    /// Whether a missing or empty file becomes a new database.
    pub create: bool,
    /// Whether this process serves the file. A second server is refused.
    pub serve: bool,
    /// The time limit of a list.
    pub list_limit: Duration,
}

/// A directory in a SQLite file.
pub(crate) struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    result_cache: Arc<ResultCache>,
    readiness: Arc<Readiness>,
    path: PathBuf,
    default_language: Tag,
    directory: Uuid,
    /// The last field, so that it is dropped last: it keeps the file open until SQLite has closed it.
    integrity: Arc<Integrity>,
}

impl SqliteStore {
    /// Opens the file. If required, creates it and its folders, migrates its schema and, to serve it, folds its keys
    /// again. Fails with a sentence that says what to do.
    pub(crate) async fn open(options: SqliteOptions) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::open_blocking(&options)).await?
    }

    fn open_blocking(options: &SqliteOptions) -> anyhow::Result<Self> {
        let file = DatabaseFile::open(&options.path, options.create, options.serve)?;
        Self::open_file(file, options).map_err(|error| open_error(&options.path.display().to_string(), error))
    }

    fn open_file(file: DatabaseFile, options: &SqliteOptions) -> anyhow::Result<Self> {
        let shown = options.path.display().to_string();
        storage::migrate::refuse_foreign(&storage::open::open_reader(&options.path)?, &shown, options.create)?;
        let mut connection = storage::open::open_writer(&options.path)?;
        storage::migrate::migrate(&mut connection, &shown)?;
        storage::readiness::check_root_pages(&connection)?;
        storage::folding::refold_file(&mut connection, &shown, options.serve)?;
        let default_language = storage::migrate::init_language(&connection, options.default_language.as_ref())?;
        let directory = storage::migrate::init_directory(&connection)?;
        file.record_state(&connection)?;
        if options.serve
            && file.may_be_partly_copied()
            && let Err(error) = write::checkpoint::checkpoint(&connection, CheckpointMode::PASSIVE)
        {
            tracing::debug!(%error, "the write-ahead log of the last process could not be copied; the next checkpoint copies it");
        }
        if let Err(loss) = file.check_files() {
            anyhow::bail!("the database {shown} {loss}");
        }
        let integrity = Arc::new(Integrity::new(file));
        let readers = Arc::new(Readers::start(Arc::clone(&integrity), options.list_limit)?);
        let writer = Writer::start(connection, Arc::clone(&readers), Arc::clone(&integrity), !options.serve)?;
        let readiness = Arc::new(Readiness::new(Arc::clone(&integrity)));
        let (writer, result_cache, path) = (Arc::new(writer), Arc::default(), options.path.clone());
        Ok(Self { writer, readers, result_cache, readiness, path, default_language, directory, integrity })
    }

    /// Queues the write and waits for it, and records its answer if the operation says so.
    async fn write_recorded<T: Outcome + Send + 'static>(
        &self,
        operation: Operation,
        write: impl FnOnce(&mut WriteContext<'_>, &Operation) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let recorded = move |context: &mut WriteContext<'_>| {
            entities::answers::recorded(context, &operation, |context| write(context, &operation))
        };
        self.writer.write(recorded).await
    }
}
