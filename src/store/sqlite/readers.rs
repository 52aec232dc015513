//! Reading. A point read takes a few microseconds, less than handing it to another thread would, so it runs where
//! the request runs, on a connection of that thread's own. Lists and scans may take longer: they go to threads of their
//! own.
//!
//! Beginning and ending a read transaction costs as much as the read itself (two locks of the file). A thread's reads
//! of groups therefore share one snapshot until this process commits again, or for half a second. So they see all that
//! was acknowledged here before them, and what another process changed at most that much later. Everything else is read
//! in a snapshot of its own: a client made at the command line is known here at once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use thread_local::ThreadLocal;

use crate::domain::Result;
use crate::domain::group::{Group, GroupKey};
use crate::domain::id::Id;
use crate::domain::shared::Shared;

use super::cache::{GroupCache, Stale};
use super::connection::{failed, open_reader};
use super::groups;
use super::scans::Scans;

/// For how long reads of groups share a snapshot at most.
const SNAPSHOT_AGE: Duration = Duration::from_millis(500);

/// The connections that read.
pub struct Readers {
    path: PathBuf,
    points: ThreadLocal<Mutex<PointReader>>,
    /// How many times the database has changed, as far as is known here.
    commits: AtomicU64,
    /// Whether no snapshot may outlive its read.
    giving_way: AtomicBool,
    groups: GroupCache,
    scans: Scans,
}

impl Readers {
    /// Readers of the database file; a list may take `scan_limit`. Fails where no thread can be started.
    pub fn start(path: PathBuf, scan_limit: Duration) -> io::Result<Self> {
        let scans = Scans::start(&path, scan_limit)?;
        let (points, groups) = (ThreadLocal::new(), GroupCache::default());
        let (commits, giving_way) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { path, points, commits, giving_way, groups, scans })
    }

    /// Runs a point read on this thread, in a snapshot of its own.
    pub fn point<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read(PointReader::renew, read)
    }

    /// The group with the key, read on this thread in the snapshot that its reads of groups share.
    pub fn group(&self, key: &GroupKey) -> Result<Option<Group>> {
        self.read(PointReader::refresh, |connection| groups::find(connection, key))
    }

    /// The live group with the ID, from memory or else as [`Self::group`].
    pub fn group_by_id(&self, id: &Id) -> Result<Option<Arc<Shared<Group>>>> {
        self.groups.get(id, || self.group(&GroupKey::Id(id.clone())))
    }

    fn read<T>(
        &self,
        begin: impl FnOnce(&mut PointReader, u64) -> rusqlite::Result<()>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        // Loaded before the snapshot is taken, which so has this commit or a later one.
        let commits = self.commits.load(Ordering::Acquire);
        let reader = self.points.get_or_try(|| PointReader::open(&self.path)).map_err(failed)?;
        let mut reader = lock(reader);
        let read = begin(&mut reader, commits).and_then(|()| read(&reader.connection));
        if self.giving_way.load(Ordering::Acquire) {
            end(&mut reader);
        }
        read.map_err(failed)
    }

    /// Something was committed that makes `stale` untrue: later reads must see it. To be called before anybody is told.
    pub fn committed(&self, stale: &[Stale]) {
        // In this order: who finds nothing in memory afterwards must not read in a snapshot of before.
        self.commits.fetch_add(1, Ordering::Release);
        self.groups.forget(stale);
    }

    /// Ends the snapshots of threads that read nothing now, so that they hold no checkpoint back.
    pub fn release(&self) {
        self.points.iter().filter_map(|reader| reader.try_lock().ok()).for_each(|mut reader| end(&mut reader));
    }

    /// Runs something that waits for all snapshots of point reads to end: meanwhile none outlives its read.
    pub fn give_way<T>(&self, run: impl FnOnce() -> T) -> T {
        self.giving_way.store(true, Ordering::Release);
        // Who reads now may have looked before: a point read is soon over.
        self.points.iter().map(lock).for_each(|mut reader| end(&mut reader));
        let outcome = run();
        self.giving_way.store(false, Ordering::Release);
        outcome
    }

    /// Runs a list or scan on a thread of its own, in one snapshot (see [`Scans::run`]).
    pub async fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.scans.run(read).await
    }
}

/// A connection for point reads and the snapshot it may hold.
struct PointReader {
    connection: Connection,
    /// The commits that the snapshot has at least, and when it began.
    snapshot: Option<(u64, Instant)>,
}

impl PointReader {
    fn open(path: &Path) -> rusqlite::Result<Mutex<Self>> {
        Ok(Mutex::new(Self { connection: open_reader(path)?, snapshot: None }))
    }

    /// Begins a new snapshot unless the present one has these commits and is young.
    fn refresh(&mut self, commits: u64) -> rusqlite::Result<()> {
        let fresh = |(seen, begun): (u64, Instant)| seen == commits && begun.elapsed() < SNAPSHOT_AGE;
        if self.snapshot.is_some_and(fresh) { Ok(()) } else { self.renew(commits) }
    }

    /// Begins a new snapshot, which has these commits at least.
    fn renew(&mut self, commits: u64) -> rusqlite::Result<()> {
        self.end()?;
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.snapshot = Some((commits, Instant::now()));
        Ok(())
    }

    fn end(&mut self) -> rusqlite::Result<()> {
        self.snapshot = None;
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.prepare_cached("ROLLBACK")?.execute([]).map(drop)
    }
}

fn end(reader: &mut PointReader) {
    if let Err(error) = reader.end() {
        tracing::debug!(%error, "a snapshot could not be ended");
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
