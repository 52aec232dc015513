//! Reading. A point read takes a few microseconds, less than handing it to another thread would, so it runs where
//! the request runs, on a connection of that thread's own. Lists and scans may take longer: they go to a bounded
//! pool, with a limit on the time of each.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use thread_local::ThreadLocal;
use tokio::sync::Semaphore;

use crate::domain::{Error, Result};

use super::connection::{failed, open_reader};

/// For how long a list waits for its turn.
const SCAN_WAIT: Duration = Duration::from_secs(5);
/// After how many of SQLite's steps the time of a list is looked at.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections that read.
pub struct Readers {
    path: PathBuf,
    points: ThreadLocal<RefCell<Connection>>,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    scan_limit: Duration,
}

impl Readers {
    /// Readers of the database file; a list may take `scan_limit`.
    pub fn new(path: PathBuf, scan_limit: Duration) -> Self {
        let at_once = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let turns = Arc::new(Semaphore::new(at_once));
        Self { path, points: ThreadLocal::new(), idle: Arc::default(), turns, scan_limit }
    }

    /// Runs a point read on this thread.
    pub fn point<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.points.get_or_try(|| open_reader(&self.path).map(RefCell::new)).map_err(failed)?;
        read(&connection.borrow()).map_err(failed)
    }

    /// Runs a list or scan in the pool, in one snapshot; over its time it fails with `TooCostly`.
    pub async fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many lists at once".to_owned());
        let turn = tokio::time::timeout(SCAN_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let (idle, path, limit) = (Arc::clone(&self.idle), self.path.clone(), self.scan_limit);
        let scanned = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let waiting = lock(&idle).pop();
            let mut connection = waiting.map_or_else(|| open_reader(&path), Ok).map_err(failed)?;
            let result = within(&mut connection, limit, read);
            lock(&idle).push(connection);
            result
        });
        scanned.await.map_err(Error::internal)?
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn within<T>(connection: &mut Connection, limit: Duration, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let over = move || started.elapsed() > limit;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(over)).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    read(&transaction)
}
