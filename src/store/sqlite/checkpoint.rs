//! Keeping the write-ahead log short. SQLite's own checkpoint never waits for readers, so that under readers who
//! never all pause the log would grow without end; ours waits a little once the log is long.
//!
//! What can be copied without waiting for anybody is copied by a thread of its own, beside the one that writes. So there
//! is little left to copy when that one has to wait. Meanwhile no point read keeps its snapshot for the next one, which would
//! be waited for in vain: what is to renew it is the commit that waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, wal::CheckpointMode};

use super::connection::{BUSY_TIMEOUT, open_writer};
use super::readers::Readers;

/// After how many new pages in the log a checkpoint copies what no reader holds back (4 MiB).
const PASSIVE_PAGES: usize = 1_024;
/// After how many it also waits for readers, so that the log starts anew (64 MiB).
const RESTART_PAGES: usize = 16_384;
/// How many pages after that it is tried again (16 MiB).
const RESTART_STEP: usize = 4_096;
/// For how long it waits for them,
const RESTART_WAIT: Duration = Duration::from_millis(25);
/// unless there are as many as this (256 MiB),
const LONG_PAGES: usize = 65_536;
/// or at the end.
const LONG_WAIT: Duration = Duration::from_millis(250);
const PAGE_BYTES: usize = 4_096;

/// The length of the log, as of the last commit, and who shortens it.
pub struct Checkpoints {
    pages: Arc<AtomicUsize>,
    done_at: AtomicUsize,
    waited_at: AtomicUsize,
    readers: Arc<Readers>,
    copying: Option<Copying>,
}

impl Checkpoints {
    /// Watches the commits of the connection, in place of SQLite's automatic checkpoints. The snapshots of `readers` are
    /// ended before each.
    pub fn watch(connection: &mut Connection, readers: Arc<Readers>) -> Self {
        let pages = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = connection.wal_hook(Some(hook)) {
            tracing::error!(%error, "the write-ahead log is not watched; it will not be checkpointed");
        }
        let copying = connection.path().map(PathBuf::from).and_then(|path| Copying::start(path, Arc::clone(&readers)));
        Self { pages, done_at: AtomicUsize::new(0), waited_at: AtomicUsize::new(0), readers, copying }
    }

    /// Checkpoints if the log has grown enough since the last time.
    pub fn run_if_due(&self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        metrics::gauge!("rollbook_wal_bytes").set((pages * PAGE_BYTES) as f64);
        let done_at = self.done_at.load(Ordering::Relaxed);
        // A log that is shorter than at the last checkpoint has started anew.
        let grown = if pages < done_at { pages } else { pages - done_at };
        if grown < PASSIVE_PAGES {
            return;
        }
        self.done_at.store(pages, Ordering::Relaxed);
        let waited_at = self.waited_at.load(Ordering::Relaxed);
        let waits = pages >= RESTART_PAGES && (pages < waited_at || pages - waited_at >= RESTART_STEP);
        if !waits && self.copying.as_ref().is_some_and(Copying::ask) {
            return;
        }
        self.waited_at.store(pages, Ordering::Relaxed);
        let wait = if pages < LONG_PAGES { RESTART_WAIT } else { LONG_WAIT };
        told(self.readers.give_way(|| with_wait(connection, wait, CheckpointMode::RESTART)));
    }

    /// Leaves an empty log behind, if no other process reads.
    pub fn finish(self, connection: &Connection) {
        if let Some(copying) = self.copying {
            copying.end();
        }
        if let Err(error) = with_wait(connection, LONG_WAIT, CheckpointMode::TRUNCATE) {
            tracing::debug!(%error, "the log stays for the next start");
        }
    }
}

/// The thread that copies what can be copied without waiting.
struct Copying {
    due: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Copying {
    fn start(path: PathBuf, readers: Arc<Readers>) -> Option<Self> {
        let (due, asked) = sync_channel(1);
        let thread = std::thread::Builder::new().name("rollbook-copy".to_owned());
        match thread.spawn(move || copy(&path, &asked, &readers)) {
            Ok(thread) => Some(Self { due, thread }),
            Err(error) => {
                tracing::warn!(%error, "checkpoints are the writing thread's own");
                None
            }
        }
    }

    /// Has it copy; whether it will.
    fn ask(&self) -> bool {
        // One that is still copying will go on with what is new.
        !matches!(self.due.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(())))
    }

    fn end(self) {
        drop(self.due);
        if self.thread.join().is_err() {
            tracing::error!("the thread of checkpoints had panicked");
        }
    }
}

fn copy(path: &Path, asked: &Receiver<()>, readers: &Readers) {
    let connection = match open_writer(path) {
        Ok(connection) => connection,
        Err(error) => return tracing::warn!(%error, "checkpoints are the writing thread's own"),
    };
    while asked.recv().is_ok() {
        readers.release();
        told(checkpoint(&connection, CheckpointMode::PASSIVE));
    }
}

fn told(checkpointed: rusqlite::Result<()>) {
    if let Err(error) = checkpointed {
        tracing::debug!(%error, "a checkpoint was put off");
    }
}

fn with_wait(connection: &Connection, wait: Duration, mode: CheckpointMode) -> rusqlite::Result<()> {
    connection.busy_timeout(wait)?;
    let checkpointed = checkpoint(connection, mode);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    checkpointed
}

fn checkpoint(connection: &Connection, mode: CheckpointMode) -> rusqlite::Result<()> {
    connection.wal_checkpoint_v2(None::<&str>, mode).map(drop)
}
