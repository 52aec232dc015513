//! The sessions that transactions run on: so many and no more, for whom a request waits a while and not in a queue
//! without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};

use crate::domain::{Error, Result};

use super::address::Address;
use super::session::{Limits, Session};

/// How many requests may wait for each connection that there is.
const WAITING_EACH: usize = 16;

/// The pool of sessions.
pub struct Pool {
    sessions: managed::Pool<Sessions>,
}

/// A session out of the pool. It goes back by being dropped, unless its transaction was left open.
pub type Pooled = Object<Sessions>;

/// How the pool makes sessions and looks them over.
pub struct Sessions {
    address: Arc<Address>,
    limits: Limits,
    /// The number of the next session. Nodes begin anywhere.
    next: AtomicU16,
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = String;

    async fn create(&self) -> Result<Session, String> {
        Session::open(&self.address, &self.limits, self.next.fetch_add(1, Ordering::Relaxed)).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<String> {
        if session.is_usable() { Ok(()) } else { Err(RecycleError::message("it has ended")) }
    }
}

impl Pool {
    /// An empty pool; sessions are made when they are wanted.
    pub fn new(address: Arc<Address>, limits: Limits) -> anyhow::Result<Self> {
        let sessions = managed::Pool::builder(Sessions { address, limits, next: AtomicU16::new(rand::random()) })
            .max_size(limits.connections)
            .wait_timeout(Some(limits.wait))
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self { sessions })
    }

    /// A session, as soon as there is one. Fails with `Unavailable` where too many wait already, or for too long, or
    /// where the database cannot be reached.
    pub async fn get(&self) -> Result<Pooled> {
        let status = self.sessions.status();
        metrics::gauge!("rollbook_database_waiting").set(status.waiting as f64);
        metrics::gauge!("rollbook_database_connections").set(status.size as f64);
        if status.waiting >= WAITING_EACH * status.max_size {
            return Err(Error::Unavailable("too many requests wait for a connection to the database".to_owned()));
        }
        self.sessions.get().await.map_err(|error| Error::Unavailable(told(&error)))
    }

    /// Lets go of all sessions; later calls fail.
    pub fn close(&self) {
        self.sessions.close();
    }
}

fn told(error: &PoolError<String>) -> String {
    match error {
        PoolError::Timeout(_) => "all connections to the database are in use".to_owned(),
        PoolError::Backend(cause) => cause.clone(),
        PoolError::Closed => "the store is closed".to_owned(),
        other => other.to_string(),
    }
}
