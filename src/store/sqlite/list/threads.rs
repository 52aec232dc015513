//! The threads that run lists. A list can take a second, so lists have a few threads of lower priority, a bounded queue
//! and a time limit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::setpriority_process;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

use crate::store::sqlite::storage::integrity::Integrity;
use crate::store::sqlite::storage::open::failed;

/// The maximum number of lists that wait, for each thread. Above it, a list is refused at once.
const QUEUE_LENGTH: usize = 16;
/// The maximum time for which a list waits in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);
/// The priority of the threads, as a `nice` value: a list gets a whole processor if it is idle, and a small share of a
/// busy one.
const NICE: i32 = 5;
/// The number of instructions of SQLite's virtual machine between two checks of the time limit.
const INSTRUCTIONS_PER_CHECK: i32 = 10_000;
/// The time limit is processor time. The elapsed time of a list may be so many times as long, because other threads use
/// the processors as well.
const MAX_ELAPSED_FACTOR: u32 = 5;

/// Runs a list on the thread's connection, or reports why there is no connection.
type ListJob = Box<dyn FnOnce(Result<&mut Connection>) + Send>;

/// The threads, which end when this is dropped.
pub(crate) struct ListThreads {
    queue: SyncSender<ListJob>,
    limit: Duration,
}

impl ListThreads {
    /// Starts as many threads as there are processors, at least two. `limit` is the processor time that a list may take.
    /// Fails if a thread cannot be started.
    pub(crate) fn start(integrity: Arc<Integrity>, limit: Duration) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let (queue, jobs) = sync_channel(threads * QUEUE_LENGTH);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads {
            let (integrity, jobs) = (Arc::clone(&integrity), Arc::clone(&jobs));
            std::thread::Builder::new().name("rollbook-list".to_owned()).spawn(move || run_jobs(&integrity, &jobs))?;
        }
        Ok(Self { queue, limit })
    }

    /// Runs a list in one snapshot. Fails with `ListTooCostly` if it exceeds its time limit, and with `Unavailable` if
    /// too many lists wait.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many lists at once".to_owned());
        let (sender, receiver) = oneshot::channel();
        let (limit, queued) = (self.limit, Instant::now());
        let job = move |connection: Result<&mut Connection>| {
            if sender.is_closed() {
                return;
            }
            let waited_too_long = queued.elapsed() > QUEUE_TIMEOUT;
            let result = if waited_too_long {
                Err(busy())
            } else {
                connection.and_then(|connection| run_limited(connection, limit, read))
            };
            // Fails if the caller has gone away, which does not matter.
            let _sent = sender.send(result);
        };
        self.queue.try_send(Box::new(job)).map_err(|_| busy())?;
        receiver.await.map_err(Error::internal)?
    }
}

/// Runs jobs until the queue is closed, each on the connection of this thread. The connection is opened for the first
/// job, and again after a failure.
fn run_jobs(integrity: &Integrity, jobs: &Mutex<Receiver<ListJob>>) {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::debug!(%error, "the priority of lists cannot be lowered");
    }
    let next_job = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut idle_connection = None;
    while let Ok(job) = next_job() {
        let connection = idle_connection.take().map_or_else(|| integrity.open_reader(), Ok);
        // A panic in a list must not end the thread. The caller gets an error, because the panic drops the sender.
        let outcome = catch_unwind(AssertUnwindSafe(|| match connection {
            Ok(mut connection) => {
                job(Ok(&mut connection));
                Some(connection)
            }
            Err(error) => {
                job(Err(error));
                None
            }
        }));
        idle_connection = outcome.ok().flatten();
    }
}

/// Runs `read` in a read transaction. SQLite interrupts its statements when the time limit is exceeded.
fn run_limited<T>(
    connection: &mut Connection,
    limit: Duration,
    read: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let (began, processor_time_before) = (Instant::now(), processor_time());
    let is_over_limit = move || {
        processor_time().saturating_sub(processor_time_before) > limit || began.elapsed() > limit * MAX_ELAPSED_FACTOR
    };
    connection.progress_handler(INSTRUCTIONS_PER_CHECK, Some(is_over_limit)).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    read(&transaction)
}

/// The processor time that this thread has used.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
