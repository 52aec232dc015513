//! The connections that read. A point read takes a few microseconds, less than a hand-over to another thread would, so
//! it runs on the thread of the request, with that thread's own connection. Lists take longer and run on threads of
//! their own.
//!
//! To begin and end a read transaction costs as much as the read itself (two locks of the file). So the group reads of
//! a thread share one snapshot until this process commits, for at most half a second. They see every commit that was
//! acknowledged here before them, and commits of another process at most half a second late. All other reads use a
//! snapshot of their own, so that a client created at the command line is valid here at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use thread_local::ThreadLocal;
use tokio::sync::watch;

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::store::CachedEntity;

use super::group_cache::{GroupCache, Invalidation};
use crate::store::sqlite::list::threads::ListThreads;
use crate::store::sqlite::storage::integrity::Integrity;
use crate::store::sqlite::storage::open::failed;

/// The maximum age of a snapshot that group reads share.
const SNAPSHOT_AGE: Duration = Duration::from_millis(500);

/// The connections for point reads, the threads for lists and the cache of groups.
pub(crate) struct Readers {
    integrity: Arc<Integrity>,
    points: ThreadLocal<Mutex<PointReader>>,
    /// The number of commits that this process knows of.
    commits: AtomicU64,
    /// The same number, for those who wait for the next commit.
    committed: watch::Sender<u64>,
    /// Whether each snapshot must end with its read.
    no_snapshots: AtomicBool,
    groups: GroupCache,
    list_threads: ListThreads,
}

impl Readers {
    /// Starts the readers of the file. `list_limit` is the time limit of a list. Fails if a thread cannot be started.
    pub(crate) fn start(integrity: Arc<Integrity>, list_limit: Duration) -> io::Result<Self> {
        let list_threads = ListThreads::start(Arc::clone(&integrity), list_limit)?;
        let (points, groups) = (ThreadLocal::new(), GroupCache::default());
        let (commits, no_snapshots) = (AtomicU64::new(0), AtomicBool::new(false));
        let committed = watch::Sender::default();
        Ok(Self { integrity, points, commits, committed, no_snapshots, groups, list_threads })
    }

    /// Runs a point read on this thread, in a snapshot of its own. Damage is recorded.
    pub(crate) fn point<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read(PointReader::renew, read)
    }

    /// Runs a read of a group on this thread, in the snapshot that its group reads share. Damage is recorded.
    pub(crate) fn group<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read(PointReader::refresh, read)
    }

    /// Returns the live group with the ID, from the cache or else from `read`, which runs as in [`Self::group`].
    pub(crate) fn cached_group(
        &self,
        id: &Id,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Option<Group>>,
    ) -> Result<Option<Arc<CachedEntity<Group>>>> {
        self.groups.get(id, || self.group(read))
    }

    fn read<T>(
        &self,
        begin: impl FnOnce(&mut PointReader, u64) -> rusqlite::Result<()>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        // Loaded before the snapshot begins, so that the snapshot contains these commits.
        let commits = self.commits.load(Ordering::Acquire);
        let reader = self.points.get_or_try(|| PointReader::open(&self.integrity));
        let mut reader = lock(reader?);
        let read = begin(&mut reader, commits).and_then(|()| read(&reader.connection));
        if self.no_snapshots.load(Ordering::Acquire) {
            end(&mut reader);
        }
        self.integrity.record_damage(read.map_err(failed))
    }

    /// Invalidates cached entities and snapshots after a commit. Must be called before the commit is acknowledged, so
    /// that later reads see it.
    pub(crate) fn invalidate(&self, invalidations: &[Invalidation]) {
        // The order matters: a read that misses the cache afterwards must not use a snapshot from before the commit.
        let commits = self.commits.fetch_add(1, Ordering::Release) + 1;
        self.groups.invalidate(invalidations);
        self.committed.send_replace(commits);
    }

    /// Waits until this process knows of more commits than `seen`, and sets `seen` to their number.
    pub(crate) async fn wait_for_commit(&self, seen: &mut u64) {
        if let Ok(commits) = self.committed.subscribe().wait_for(|commits| commits > seen).await {
            *seen = *commits;
        }
    }

    /// Ends the snapshots of threads that are not reading, so that they do not hold back a checkpoint.
    pub(crate) fn end_idle_snapshots(&self) {
        self.points.iter().filter_map(|reader| reader.try_lock().ok()).for_each(|mut reader| end(&mut reader));
    }

    /// Runs `run`, which waits for all snapshots of point reads to end. While it runs, every snapshot ends with its
    /// read.
    pub(crate) fn without_snapshots<T>(&self, run: impl FnOnce() -> T) -> T {
        self.no_snapshots.store(true, Ordering::Release);
        // A running read may have checked the flag before it was set, so this waits for it. Point reads are short.
        self.points.iter().map(lock).for_each(|mut reader| end(&mut reader));
        let outcome = run();
        self.no_snapshots.store(false, Ordering::Release);
        outcome
    }

    /// Runs a list on a list thread, in one snapshot (see [`ListThreads::run`]). Damage is recorded.
    pub(crate) async fn list<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.integrity.record_damage(self.list_threads.run(read).await)
    }
}

/// A connection for point reads, and its snapshot.
struct PointReader {
    connection: Connection,
    /// The number of commits that the snapshot contains at least, and when it began; `None` if no snapshot is open.
    snapshot: Option<(u64, Instant)>,
}

impl PointReader {
    fn open(integrity: &Integrity) -> Result<Mutex<Self>> {
        Ok(Mutex::new(Self { connection: integrity.open_reader()?, snapshot: None }))
    }

    /// Begins a new snapshot unless the current one contains these commits and is young enough.
    fn refresh(&mut self, commits: u64) -> rusqlite::Result<()> {
        let fresh = |(seen, begun): (u64, Instant)| seen == commits && begun.elapsed() < SNAPSHOT_AGE;
        if self.snapshot.is_some_and(fresh) { Ok(()) } else { self.renew(commits) }
    }

    /// Begins a new snapshot, which contains at least these commits.
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
