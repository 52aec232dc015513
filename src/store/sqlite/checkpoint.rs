//! Keeping the write-ahead log short. SQLite's own checkpoint never waits for readers, so that under readers who
//! never all pause the log would grow without end; ours waits a little once the log is long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::{Connection, wal::CheckpointMode};

use super::connection::BUSY_TIMEOUT;
use super::readers::Readers;

/// After how many new pages in the log a checkpoint copies what no reader holds back (4 MiB).
const PASSIVE_PAGES: usize = 1_024;
/// After how many it also waits for readers, so that the log starts anew (64 MiB).
const RESTART_PAGES: usize = 16_384;
/// For how long it waits for them.
const RESTART_WAIT: Duration = Duration::from_millis(250);
const PAGE_BYTES: usize = 4_096;

/// The length of the log, as of the last commit.
pub struct Checkpoints {
    pages: Arc<AtomicUsize>,
    done_at: AtomicUsize,
}

impl Checkpoints {
    /// Watches the commits of the connection, in place of SQLite's automatic checkpoints.
    pub fn watch(connection: &mut Connection) -> Self {
        let pages = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = connection.wal_hook(Some(hook)) {
            tracing::error!(%error, "the write-ahead log is not watched; it will not be checkpointed");
        }
        Self { pages, done_at: AtomicUsize::new(0) }
    }

    /// Checkpoints if the log has grown enough since the last time.
    pub fn run_if_due(&self, connection: &Connection, readers: &Readers) {
        let pages = self.pages.load(Ordering::Relaxed);
        metrics::gauge!("rollbook_wal_bytes").set((pages * PAGE_BYTES) as f64);
        let done_at = self.done_at.load(Ordering::Relaxed);
        // A log that is shorter than at the last checkpoint has started anew.
        let grown = if pages < done_at { pages } else { pages - done_at };
        if grown < PASSIVE_PAGES {
            return;
        }
        self.done_at.store(pages, Ordering::Relaxed);
        readers.release();
        let checkpointed = if pages >= RESTART_PAGES {
            with_wait(connection, RESTART_WAIT, CheckpointMode::RESTART)
        } else {
            checkpoint(connection, CheckpointMode::PASSIVE)
        };
        if let Err(error) = checkpointed {
            tracing::debug!(%error, "a checkpoint was put off");
        }
    }

    /// Leaves an empty log behind, if no other process reads.
    pub fn finish(&self, connection: &Connection) {
        if let Err(error) = with_wait(connection, RESTART_WAIT, CheckpointMode::TRUNCATE) {
            tracing::debug!(%error, "the log stays for the next start");
        }
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
