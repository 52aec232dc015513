//! Checkpoints of the write-ahead log (WAL). SQLite's automatic checkpoint never waits for readers, so under continuous
//! reads the log would grow without limit. This one waits for readers for a short time once the log is long.
//!
//! A thread of its own runs the checkpoints that do not wait (PASSIVE), in parallel with the writer thread. So little
//! is left to copy when the writer thread has to wait for readers (RESTART). While it waits, no point read keeps its
//! snapshot for later reads: the checkpoint would wait for that snapshot in vain, because only the next commit renews
//! it, and the waiting thread is the one that commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, wal::CheckpointMode};

use crate::metric_names;
use crate::store::sqlite::read::readers::Readers;
use crate::store::sqlite::storage::integrity::Integrity;
use crate::store::sqlite::storage::open::BUSY_TIMEOUT;

/// Number of new log pages after which a PASSIVE checkpoint runs (4 MiB).
const PASSIVE_PAGES: usize = 1_024;
/// Number of log pages above which a RESTART checkpoint waits for readers, so that the next commit restarts the log (64
/// MiB).
const RESTART_PAGES: usize = 16_384;
/// Number of further pages before the next RESTART checkpoint (16 MiB).
const RESTART_STEP: usize = 4_096;
/// Time limit of the wait for readers, for a log shorter than [`LONG_PAGES`].
const RESTART_WAIT: Duration = Duration::from_millis(25);
/// Number of log pages from which [`LONG_WAIT`] applies (256 MiB).
const LONG_PAGES: usize = 65_536;
/// Time limit of the wait for readers, for a long log and at shutdown.
const LONG_WAIT: Duration = Duration::from_millis(250);
/// The page size, in bytes.
const PAGE_BYTES: usize = 4_096;

/// Decides after each commit whether and how to checkpoint.
pub(crate) struct Checkpoints {
    /// The length of the log after the last commit, in pages.
    pages: Arc<AtomicUsize>,
    /// The length at which the last checkpoint of any kind ran.
    done_at: AtomicUsize,
    /// The length at which the last checkpoint waited for readers.
    waited_at: AtomicUsize,
    readers: Arc<Readers>,
    /// `None` if its thread could not start; then the writer thread runs all checkpoints.
    passive: Option<PassiveCheckpointer>,
}

impl Checkpoints {
    /// Watches the commits of the connection; this replaces SQLite's automatic checkpoints. The snapshots of `readers`
    /// end before each checkpoint.
    pub(crate) fn watch(connection: &mut Connection, readers: Arc<Readers>, integrity: Arc<Integrity>) -> Self {
        let pages = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = connection.wal_hook(Some(hook)) {
            tracing::error!(%error, "the commit hook could not be set: the write-ahead log will not be checkpointed");
        }
        let passive = PassiveCheckpointer::start(Arc::clone(&readers), integrity);
        Self { pages, done_at: AtomicUsize::new(0), waited_at: AtomicUsize::new(0), readers, passive }
    }

    /// Runs a checkpoint if the log has grown enough since the last one.
    pub(crate) fn run_if_due(&self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        metrics::gauge!(metric_names::WAL_BYTES).set((pages * PAGE_BYTES) as f64);
        let done_at = self.done_at.load(Ordering::Relaxed);
        // A log that is shorter than at the last checkpoint has been restarted.
        let grown = if pages < done_at { pages } else { pages - done_at };
        if grown < PASSIVE_PAGES {
            return;
        }
        self.done_at.store(pages, Ordering::Relaxed);
        let waited_at = self.waited_at.load(Ordering::Relaxed);
        let waits = pages >= RESTART_PAGES && (pages < waited_at || pages - waited_at >= RESTART_STEP);
        if !waits && self.passive.as_ref().is_some_and(PassiveCheckpointer::request) {
            return;
        }
        self.waited_at.store(pages, Ordering::Relaxed);
        let wait = if pages < LONG_PAGES { RESTART_WAIT } else { LONG_WAIT };
        log_failure(self.readers.without_snapshots(|| with_wait(connection, wait, CheckpointMode::RESTART)));
    }

    /// Ends the checkpoint thread and truncates the log, unless another process reads it.
    pub(crate) fn finish(self, connection: &Connection) {
        if let Some(passive) = self.passive {
            passive.stop();
        }
        if let Err(error) = truncate(connection) {
            tracing::debug!(%error, "the write-ahead log could not be truncated; the next start reads it");
        }
    }
}

/// The thread that runs PASSIVE checkpoints.
struct PassiveCheckpointer {
    requests: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl PassiveCheckpointer {
    fn start(readers: Arc<Readers>, integrity: Arc<Integrity>) -> Option<Self> {
        let (sender, requests) = sync_channel(1);
        let thread = std::thread::Builder::new().name("rollbook-copy".to_owned());
        match thread.spawn(move || run_passive(&integrity, &requests, &readers)) {
            Ok(thread) => Some(Self { requests: sender, thread }),
            Err(error) => {
                tracing::warn!(%error, "no checkpoint thread: the writer thread runs all checkpoints");
                None
            }
        }
    }

    /// Requests a checkpoint. Returns false if the thread has ended.
    fn request(&self) -> bool {
        // A full channel means that a request is waiting already.
        !matches!(self.requests.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(())))
    }

    fn stop(self) {
        drop(self.requests);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn run_passive(integrity: &Integrity, requests: &Receiver<()>, readers: &Readers) {
    let connection = match integrity.open_copier() {
        Ok(connection) => connection,
        Err(error) => return tracing::warn!(%error, "no checkpoint thread: the writer thread runs all checkpoints"),
    };
    while requests.recv().is_ok() {
        readers.end_idle_snapshots();
        log_failure(checkpoint(&connection, CheckpointMode::PASSIVE));
    }
}

fn log_failure(checkpointed: rusqlite::Result<()>) {
    if let Err(error) = checkpointed {
        tracing::debug!(%error, "a checkpoint did not complete; the next one continues it");
    }
}

/// Copies the whole log and truncates it. Waits a short time for readers and writers, because writes wait meanwhile. Fails if
/// one of them takes longer.
pub(crate) fn truncate(connection: &Connection) -> rusqlite::Result<()> {
    with_wait(connection, LONG_WAIT, CheckpointMode::TRUNCATE)
}

fn with_wait(connection: &Connection, wait: Duration, mode: CheckpointMode) -> rusqlite::Result<()> {
    connection.busy_timeout(wait)?;
    let checkpointed = checkpoint(connection, mode);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    checkpointed
}

/// Runs a checkpoint of the given mode. Fails if readers or another process block it.
pub(crate) fn checkpoint(connection: &Connection, mode: CheckpointMode) -> rusqlite::Result<()> {
    connection.wal_checkpoint_v2(None::<&str>, mode).map(drop)
}
