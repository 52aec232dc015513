//! Lists and scans. They may take long, so they have a few threads of their own, which give way to those that serve
//! everything else, a bounded queue, and a limit on the time of each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::setpriority_process;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

use super::connection::{failed, open_reader};

/// How many scans may wait for each thread; one more is refused at once.
const WAITING: usize = 16;
/// For how long a scan may have waited for its turn.
const WAIT: Duration = Duration::from_secs(2);
/// How much the threads give way, as `nice` counts it: a list gets a fair part of an idle processor, and a small one of a
/// busy one.
const NICE: i32 = 5;
/// After how many of SQLite's steps the time of a scan is looked at.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;
/// How many times its limit a scan may last where the processor is shared with others.
const PATIENCE: u32 = 5;

/// A scan on the thread's connection, or what became of opening it.
type Scan = Box<dyn FnOnce(Result<&mut Connection>) + Send>;

/// The queue to the threads, which end with it.
pub struct Scans {
    queue: SyncSender<Scan>,
    limit: Duration,
}

impl Scans {
    /// As many threads as there are processors, and two at least. A scan may take `limit` of a processor's time.
    pub fn start(path: &Path, limit: Duration) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let (queue, scans) = sync_channel(threads * WAITING);
        let scans = Arc::new(Mutex::new(scans));
        for _ in 0..threads {
            let (path, scans) = (path.to_owned(), Arc::clone(&scans));
            std::thread::Builder::new().name("rollbook-scan".to_owned()).spawn(move || run(path, &scans))?;
        }
        Ok(Self { queue, limit })
    }

    /// Runs a scan in one snapshot. Fails with `TooCostly` when it is over its limit, and with `Unavailable` where too
    /// many are waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many lists at once".to_owned());
        let (sender, receiver) = oneshot::channel();
        let (limit, queued) = (self.limit, Instant::now());
        let scan = move |connection: Result<&mut Connection>| {
            if sender.is_closed() {
                return;
            }
            let waited_long = queued.elapsed() > WAIT;
            let result = if waited_long { Err(busy()) } else { connection.and_then(|own| within(own, limit, read)) };
            let _gone = sender.send(result);
        };
        self.queue.try_send(Box::new(scan)).map_err(|_| busy())?;
        receiver.await.map_err(Error::internal)?
    }
}

fn run(path: PathBuf, scans: &Mutex<Receiver<Scan>>) {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::debug!(%error, "lists run beside point reads as their equals");
    }
    let next = || scans.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut own = None;
    while let Ok(scan) = next() {
        let connection = own.take().map_or_else(|| open_reader(&path), Ok).map_err(failed);
        // A defect in one scan must not end the thread: whoever waits for it is told by being dropped.
        let scanned = catch_unwind(AssertUnwindSafe(|| match connection {
            Ok(mut connection) => {
                scan(Ok(&mut connection));
                Some(connection)
            }
            Err(error) => {
                scan(Err(error));
                None
            }
        }));
        own = scanned.ok().flatten();
    }
}

fn within<T>(connection: &mut Connection, limit: Duration, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let (begun, worked) = (Instant::now(), processor_time());
    let over = move || processor_time().saturating_sub(worked) > limit || begun.elapsed() > limit * PATIENCE;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(over)).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    read(&transaction)
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
