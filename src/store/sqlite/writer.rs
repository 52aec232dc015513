//! The one thread that writes. It takes writes from a bounded queue, runs all that are waiting in one transaction and
//! answers each only after that transaction reached the disk.
//!
//! A write that is refused must not have written anything yet: then its neighbours stand. One that fails later (the disk is
//! full, the program has a defect) undoes all of them. A savepoint for each write would undo it alone, and copies every
//! page that it changes for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

use super::cache::Stale;
use super::checkpoint::Checkpoints;
use super::connection::failed;
use super::readers::Readers;
use super::search::{TextChange, apply};

/// How many writes may wait; one more is refused at once.
const QUEUE: usize = 4_096;
/// How many writes at most share one commit.
const GROUP: usize = 256;
/// How long the thread waits for a write before it looks around.
const IDLE: Duration = Duration::from_millis(500);
/// For how long a process that serves nobody gives way to one that writes as well: for longer than SQLite sleeps between
/// two looks at a lock that it waits for.
const TURN: Duration = Duration::from_millis(110);
/// How long a write waits in the queue before it is withdrawn.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// One write, in the transaction of its group.
pub struct Writing<'a> {
    pub connection: &'a Connection,
    /// Changes of the text indexes, put off to the end of the group: SQLite's full-text index writes itself out before
    /// every statement that may have to be undone, and one write-out a commit is many times cheaper.
    pub texts: &'a mut Vec<TextChange>,
    /// What the write makes untrue of what is held in memory.
    pub stale: &'a mut Vec<Stale>,
}

/// Tells the waiting caller what became of its write: its own result, or the failure that undid it.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

/// Runs a write; gives whether it succeeded and how to answer once that is on the disk.
type Run = Box<dyn FnOnce(&mut Writing<'_>) -> (bool, Answer) + Send>;

/// A queued write. One that is dropped without an answer was not made.
struct Job {
    standing: Arc<Standing>,
    run: Run,
}

/// Whether a queued write has begun or was withdrawn: whichever came first.
#[derive(Default)]
struct Standing(AtomicU8);

impl Standing {
    const QUEUED: u8 = 0;
    const BEGUN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn becomes(&self, state: u8) -> bool {
        self.0.compare_exchange(Self::QUEUED, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Withdraws the write of a caller that went away before it began.
struct Withdraw(Arc<Standing>);

impl Drop for Withdraw {
    fn drop(&mut self) {
        self.0.becomes(Standing::WITHDRAWN);
    }
}

/// The queue to the writing thread.
pub struct Writer {
    queue: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the thread on the connection; `readers` are told of its commits. Beside another process that writes, one
    /// that `gives_way` leaves it a turn after each of its own: an import would else be first at the lock every time.
    pub fn start(connection: Connection, readers: Arc<Readers>, gives_way: bool) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::Builder::new().name("rollbook-writer".to_owned()).spawn({
            let waiting = Arc::clone(&waiting);
            move || run(connection, receiver, &waiting, readers, gives_way)
        })?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), waiting })
    }

    /// Queues the write and waits until it is on the disk. A write that has not begun after five seconds is
    /// withdrawn, as is one whose caller goes away; one that has begun is waited for.
    pub async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, mut receiver) = oneshot::channel();
        let standing = Arc::new(Standing::default());
        let run = move |writing: &mut Writing<'_>| {
            let result = write(writing);
            let succeeded = result.is_ok();
            let answer = move |undone: Option<Error>| {
                let _gone = sender.send(undone.map_or(result, Err));
            };
            (succeeded, Box::new(answer) as Answer)
        };
        self.enqueue(Job { standing: Arc::clone(&standing), run: Box::new(run) })?;
        let withdraw = Withdraw(Arc::clone(&standing));
        let answered = match tokio::time::timeout(QUEUE_WAIT, &mut receiver).await {
            Ok(answered) => answered,
            Err(_) if standing.becomes(Standing::WITHDRAWN) => {
                return Err(Error::Unavailable("the write waited too long in the queue".to_owned()));
            }
            Err(_) => receiver.await,
        };
        drop(withdraw);
        answered.unwrap_or_else(|_| Err(Error::Unavailable("the write was undone with others".to_owned())))
    }

    fn enqueue(&self, job: Job) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or_else(|| Error::Unavailable("the store is closed".to_owned()))?;
        // Counted before it is sent: the writer takes it off again perhaps at once.
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        if sender.try_send(job).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Unavailable("the write queue is full".to_owned()));
        }
        metrics::gauge!("rollbook_write_queue").set(waiting as f64);
        Ok(())
    }

    /// Takes no more writes, finishes those that wait and ends the thread. Blocks.
    pub fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writing thread had panicked");
        }
    }
}

fn run(
    mut connection: Connection,
    queue: Receiver<Job>,
    waiting: &AtomicUsize,
    readers: Arc<Readers>,
    gives_way: bool,
) {
    let checkpoints = Checkpoints::watch(&mut connection, Arc::clone(&readers));
    let mut seen = None;
    loop {
        let first = queue.recv_timeout(IDLE);
        let others_wrote = notice_others(&connection, &mut seen, &readers);
        match first {
            Ok(first) => {
                if gives_way && others_wrote {
                    std::thread::sleep(TURN);
                }
                let group = group_of(first, &queue);
                waiting.fetch_sub(group.len(), Ordering::Relaxed);
                metrics::gauge!("rollbook_write_queue").set(waiting.load(Ordering::Relaxed) as f64);
                metrics::histogram!("rollbook_commit_size").record(group.len() as f64);
                commit_group(&connection, group, &readers);
                checkpoints.run_if_due(&connection);
            }
            Err(RecvTimeoutError::Timeout) => rest(&connection, &readers),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    readers.release();
    checkpoints.finish(&connection);
}

/// No snapshot outlives an idle moment, nor does what the connection keeps of the file in memory.
fn rest(connection: &Connection, readers: &Readers) {
    readers.release();
    if let Err(error) = connection.release_memory() {
        tracing::debug!(%error, "the pages in memory stay");
    }
}

/// The first write, and all that wait behind it.
fn group_of(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    std::iter::once(first).chain(queue.try_iter().take(GROUP - 1)).collect()
}

/// Another process (the command line) may have written: what is held in memory may be untrue then. Gives whether one has
/// since the last time.
fn notice_others(connection: &Connection, seen: &mut Option<i64>, readers: &Readers) -> bool {
    let version = connection
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut version| version.query_row([], |row| row.get::<_, i64>(0)));
    match version {
        // It changes with the commits of every connection but this one.
        Ok(version) if *seen == Some(version) => false,
        Ok(version) => {
            readers.committed(&[Stale::All]);
            seen.replace(version).is_some()
        }
        Err(error) => {
            tracing::warn!(%error, "whether another process wrote cannot be told");
            readers.committed(&[Stale::All]);
            false
        }
    }
}

/// Runs the group in one transaction and answers all of it. Where the transaction was lost, all of it is told so:
/// those that have run by their answer, those that have not by being dropped.
fn commit_group(connection: &Connection, group: Vec<Job>, readers: &Readers) {
    let mut answers = Vec::with_capacity(group.len());
    let mut stale = Vec::new();
    let undone = run_group(connection, group, &mut stale, &mut answers).err();
    readers.committed(&stale);
    if let Some(error) = &undone {
        tracing::error!(%error, writes = answers.len(), "a group of writes was undone");
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
    }
    for answer in answers {
        answer(undone.clone());
    }
}

fn run_group(
    connection: &Connection,
    group: Vec<Job>,
    stale: &mut Vec<Stale>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    let mut texts = Vec::new();
    let mut state = connection.execute_batch("BEGIN IMMEDIATE").map_err(failed);
    for job in group {
        if !job.standing.becomes(Standing::BEGUN) {
            continue;
        }
        state = state.and_then(|()| {
            let mut writing = Writing { connection, texts: &mut texts, stale };
            answers.extend(run_one(&mut writing, job)?);
            Ok(())
        });
    }
    state?;
    apply(connection, &texts).map_err(failed)?;
    connection.execute_batch("COMMIT").map_err(failed)
}

/// Runs one write; fails only where the whole transaction is lost. No answer for one that panicked: it is dropped.
fn run_one(writing: &mut Writing<'_>, job: Job) -> Result<Option<Answer>> {
    let (connection, before) = (writing.connection, writing.connection.total_changes());
    // A defect in one write must not end the thread that all writes need.
    let run = catch_unwind(AssertUnwindSafe(|| (job.run)(writing)));
    let succeeded = matches!(run, Ok((true, _)));
    if connection.is_autocommit() || (!succeeded && connection.total_changes() != before) {
        return Err(Error::Unavailable("a write of the same transaction failed".to_owned()));
    }
    Ok(run.ok().map(|(_, answer)| answer))
}
