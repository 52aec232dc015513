//! The writer thread. It takes writes from a bounded queue, runs all waiting writes in one transaction (group commit)
//! and replies to each only after the commit is durable.
//!
//! A write that is refused must not have changed the database; then the other writes of the group are unaffected. A
//! write that fails after it changed the database (the disk is full, the program has a defect) undoes the whole group.
//! A savepoint for each write would undo that write alone, but it copies every page that the write changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use crate::domain::{Error, Result};
use crate::metric_names;

use super::checkpoint::Checkpoints;
use crate::store::sqlite::list::text_index::{TextChange, apply};
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::read::readers::Readers;
use crate::store::sqlite::storage::database_file::DatabaseFile;
use crate::store::sqlite::storage::file_identity::FileLoss;
use crate::store::sqlite::storage::integrity::Integrity;
use crate::store::sqlite::storage::open::failed;
use crate::store::sqlite::storage::readiness;

/// The maximum number of waiting writes. Further writes are refused at once.
const QUEUE_CAPACITY: usize = 4_096;
/// The maximum number of writes in one commit.
const MAX_COMMIT_SIZE: usize = 256;
/// How long the thread waits for a write before it checks the files and releases memory.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a process that does not serve yields to another process that writes. It is longer than the time that SQLite
/// sleeps between two attempts to take a lock.
const YIELD_PAUSE: Duration = Duration::from_millis(110);
/// How long a write may wait in the queue. After that it is withdrawn.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a write may use while it runs, inside the transaction of its group.
pub(crate) struct WriteContext<'a> {
    /// The connection, with the transaction open.
    pub connection: &'a Connection,
    /// Changes of the text indexes, applied at the end of the group. SQLite's full-text index flushes before every
    /// statement that may have to be undone, so one flush per commit costs much less.
    pub texts: &'a mut Vec<TextChange>,
    /// The cached entities that the write invalidates.
    pub invalidations: &'a mut Vec<Invalidation>,
}

/// Sends the result to the waiting caller: the result of its own write, or the error that undid the group or left its
/// outcome unknown.
type Reply = Box<dyn FnOnce(Option<Error>) + Send>;

/// Runs a write. Returns whether it succeeded, and the reply to send after the commit.
type Run = Box<dyn FnOnce(&mut WriteContext<'_>) -> (bool, Reply) + Send>;

/// A queued write. If it is dropped without a reply, it was not committed.
struct Job {
    job_state: Arc<JobState>,
    run: Run,
}

/// The state of a queued write. It changes once, to begun or withdrawn.
#[derive(Default)]
struct JobState(AtomicU8);

impl JobState {
    const QUEUED: u8 = 0;
    const BEGUN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    /// Moves a queued write to the state. Returns false if it was no longer queued.
    fn transition(&self, state: u8) -> bool {
        self.0.compare_exchange(Self::QUEUED, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Withdraws a write that has not begun when its caller goes away.
struct WithdrawOnDrop(Arc<JobState>);

impl Drop for WithdrawOnDrop {
    fn drop(&mut self) {
        self.0.transition(JobState::WITHDRAWN);
    }
}

/// The queue to the writer thread.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    waiting: Arc<AtomicUsize>,
    integrity: Arc<Integrity>,
}

impl Writer {
    /// Starts the thread on the connection. Commits invalidate the caches of `readers`; errors that show damage are
    /// recorded in `integrity`. With `yields`, the thread pauses before its next group after another process has
    /// committed. Without that, an import would always take the lock first.
    pub(crate) fn start(
        connection: Connection,
        readers: Arc<Readers>,
        integrity: Arc<Integrity>,
        yields: bool,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_CAPACITY);
        let waiting = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::Builder::new().name("rollbook-writer".to_owned()).spawn({
            let (waiting, integrity) = (Arc::clone(&waiting), Arc::clone(&integrity));
            move || run(connection, receiver, &waiting, readers, &integrity, yields)
        })?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), waiting, integrity })
    }

    /// Queues the write and waits until it is durable. A write that has not begun after five seconds is withdrawn, as
    /// is one whose caller goes away. If it has begun, the caller waits for it. Fails if the queue is full, the store
    /// is closed or the database is lost or damaged.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut WriteContext<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.integrity.check()?;
        let (sender, mut receiver) = oneshot::channel();
        let job_state = Arc::new(JobState::default());
        let integrity = Arc::clone(&self.integrity);
        let run = move |context: &mut WriteContext<'_>| {
            let result = integrity.record_damage(write(context));
            let succeeded = result.is_ok();
            let reply = move |failure: Option<Error>| {
                let _gone = sender.send(failure.map_or(result, Err));
            };
            (succeeded, Box::new(reply) as Reply)
        };
        self.enqueue(Job { job_state: Arc::clone(&job_state), run: Box::new(run) })?;
        let withdraw = WithdrawOnDrop(Arc::clone(&job_state));
        let result = match tokio::time::timeout(QUEUE_TIMEOUT, &mut receiver).await {
            Ok(result) => result,
            Err(_) if job_state.transition(JobState::WITHDRAWN) => {
                return Err(Error::Unavailable("the write waited too long in the queue".to_owned()));
            }
            Err(_) => receiver.await,
        };
        drop(withdraw);
        let undone = || Error::Unavailable("the write was undone with others".to_owned());
        self.integrity.record_damage(result.unwrap_or_else(|_| Err(undone())))
    }

    fn enqueue(&self, job: Job) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or_else(|| Error::Unavailable("the store is closed".to_owned()))?;
        // Incremented before the job is sent, because the writer thread may decrement it at once.
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        if sender.try_send(job).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Unavailable("the write queue is full".to_owned()));
        }
        metrics::gauge!(metric_names::WRITE_QUEUE).set(waiting as f64);
        Ok(())
    }

    /// Refuses further writes, finishes the waiting ones and ends the thread. Blocks until then.
    pub(crate) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn run(
    mut connection: Connection,
    queue: Receiver<Job>,
    waiting: &AtomicUsize,
    readers: Arc<Readers>,
    integrity: &Arc<Integrity>,
    yields: bool,
) {
    let checkpoints = Checkpoints::watch(&mut connection, Arc::clone(&readers), Arc::clone(integrity));
    let (mut seen, mut is_counted) = (None, false);
    loop {
        let first = queue.recv_timeout(IDLE_CHECK_INTERVAL);
        let others_committed = detect_external_commits(&connection, &mut seen, &readers, integrity);
        match first {
            Ok(first) => {
                if yields && others_committed {
                    std::thread::sleep(YIELD_PAUSE);
                }
                let group = group_of(first, &queue);
                waiting.fetch_sub(group.len(), Ordering::Relaxed);
                metrics::gauge!(metric_names::WRITE_QUEUE).set(waiting.load(Ordering::Relaxed) as f64);
                metrics::histogram!(metric_names::COMMIT_SIZE).record(group.len() as f64);
                commit_group(&connection, group, &readers, integrity, &mut is_counted);
                if integrity.check().is_ok() {
                    checkpoints.run_if_due(&connection);
                }
            }
            Err(RecvTimeoutError::Timeout) => release_when_idle(&connection, &readers, integrity),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    readers.end_idle_snapshots();
    // The check logs a loss itself.
    let _lost = integrity.check_files();
    match integrity.file_loss() {
        Some(FileLoss::Log) => checkpoints.finish(&connection),
        None if integrity.check().is_ok() => checkpoints.finish(&connection),
        loss => close_without_checkpoint(&connection, &integrity.file, loss),
    }
}

/// Closes files that are damaged or not in their place, without a checkpoint: it could copy into another database, or
/// from a damaged log. A log that may belong to another database is not deleted.
fn close_without_checkpoint(connection: &Connection, file: &DatabaseFile, loss: Option<FileLoss>) {
    if let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::error!(%error, "the checkpoint on close could not be turned off: the log may be copied into another database");
    }
    match if loss.is_some_and(FileLoss::orphans_log) { file.rename_log() } else { Ok(None) } {
        Ok(None) => {}
        Ok(Some(aside)) => {
            tracing::warn!("the write-ahead log of the replaced database was renamed to {}", aside.display())
        }
        Err(error) => {
            tracing::error!(%error, "remove the -wal file before the next start: it belongs to another database")
        }
    }
}

/// Ends idle snapshots, checks the files and releases the connection's page cache.
fn release_when_idle(connection: &Connection, readers: &Readers, integrity: &Integrity) {
    // The check logs a loss and wakes whoever waits for it.
    let _lost = integrity.check_files();
    readers.end_idle_snapshots();
    if let Err(error) = connection.release_memory() {
        tracing::debug!(%error, "the page cache could not be released");
    }
}

/// Returns the first write and all waiting ones, up to [`MAX_COMMIT_SIZE`].
fn group_of(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    std::iter::once(first).chain(queue.try_iter().take(MAX_COMMIT_SIZE - 1)).collect()
}

/// Checks whether another process (the command line) has committed since the last call. If so, or if that is unknown,
/// all caches are invalidated. Returns whether one has.
fn detect_external_commits(
    connection: &Connection,
    seen: &mut Option<i64>,
    readers: &Readers,
    integrity: &Integrity,
) -> bool {
    let version = connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut version| version.query_row([], |row| row.get::<_, i64>(0)));
    match version {
        // The version changes with the commits of all other connections.
        Ok(version) if *seen == Some(version) => false,
        Ok(version) => {
            integrity.record_state(connection);
            readers.invalidate(&[Invalidation::All]);
            seen.replace(version).is_some()
        }
        Err(error) => {
            tracing::warn!(%error, "it is unknown whether another process wrote");
            readers.invalidate(&[Invalidation::All]);
            false
        }
    }
}

/// Runs the group in one transaction and replies to all of its writes. If the transaction is lost, writes that have run
/// get the error as their reply; those that have not are dropped, which their callers see.
///
/// The first group of a process increments a counter in the database header, which not every commit changes. So no
/// older state of the file has the same header as the state when the process ends ([`DatabaseFile::check_files`]).
fn commit_group(
    connection: &Connection,
    group: Vec<Job>,
    readers: &Readers,
    integrity: &Integrity,
    is_counted: &mut bool,
) {
    let mut replies = Vec::with_capacity(group.len());
    let mut invalidations = Vec::new();
    // Checked before the transaction too: a commit to a truncated log could bring it back to its expected length and
    // hide the loss.
    let intact = integrity.check_files();
    let committed = intact.and_then(|()| {
        integrity.record_damage(run_group(connection, group, &mut invalidations, &mut replies, !*is_counted))
    });
    *is_counted |= committed.is_ok();
    readers.invalidate(&invalidations);
    if let Err(error) = &committed {
        tracing::error!(%error, writes = replies.len(), "a group of writes was rolled back");
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
    }
    let failure = committed.and_then(|()| integrity.check_files()).err();
    for reply in replies {
        reply(failure.clone());
    }
}

fn run_group(
    connection: &Connection,
    group: Vec<Job>,
    invalidations: &mut Vec<Invalidation>,
    replies: &mut Vec<Reply>,
    updates_header: bool,
) -> Result<()> {
    let mut texts = Vec::new();
    let mut state = connection.execute_batch("BEGIN IMMEDIATE").map_err(failed);
    if updates_header {
        state = state.and_then(|()| readiness::write(connection).map_err(failed));
    }
    for job in group {
        if !job.job_state.transition(JobState::BEGUN) {
            continue;
        }
        state = state.and_then(|()| {
            let mut context = WriteContext { connection, texts: &mut texts, invalidations };
            replies.extend(run_job(&mut context, job)?);
            Ok(())
        });
    }
    state?;
    apply(connection, &texts).map_err(failed)?;
    connection.execute_batch("COMMIT").map_err(failed)
}

/// Runs one write and returns its reply; `None` if it panicked. Fails only if the whole transaction is lost.
fn run_job(context: &mut WriteContext<'_>, job: Job) -> Result<Option<Reply>> {
    let (connection, before) = (context.connection, context.connection.total_changes());
    // A panic in one write must not end the thread that all writes need.
    let run = catch_unwind(AssertUnwindSafe(|| (job.run)(context)));
    let succeeded = matches!(run, Ok((true, _)));
    if connection.is_autocommit() || (!succeeded && connection.total_changes() != before) {
        return Err(Error::Unavailable("a write of the same transaction failed".to_owned()));
    }
    Ok(run.ok().map(|(_, reply)| reply))
}
