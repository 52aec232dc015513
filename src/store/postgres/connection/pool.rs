//! The pool of sessions for transactions. The number of sessions, the time that a request waits for one, and the number
//! of waiting requests are limited.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts};

use tokio::sync::Notify;

use crate::domain::{Error, Result};
use crate::metric_names;

use super::connector::Connector;
use super::session::{DatabaseLimits, Session};

/// The maximum number of requests that wait for a session, per session of the pool.
const MAX_WAITING_PER_SESSION: usize = 16;

/// The pool of sessions.
#[derive(Clone)]
pub(crate) struct Pool {
    sessions: managed::Pool<Sessions>,
    /// Notified when a commit was not confirmed.
    unconfirmed: Arc<Notify>,
}

/// A session taken from the pool. Dropping it returns it, unless its transaction was left open: then it is closed.
pub(crate) type Pooled = Object<Sessions>;

/// How the pool opens sessions, and checks them before it reuses them.
pub(crate) struct Sessions {
    connector: Arc<Connector>,
    limits: DatabaseLimits,
    /// The number of the next session. It starts at random, so that nodes use different numbers.
    next: AtomicU16,
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = String;

    async fn create(&self) -> Result<Session, String> {
        Session::open(&self.connector, &self.limits, self.next.fetch_add(1, Ordering::Relaxed)).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<String> {
        if session.is_usable() { Ok(()) } else { Err(RecycleError::message("the session is not usable any more")) }
    }
}

impl Pool {
    /// An empty pool; sessions are opened when they are needed.
    pub(crate) fn new(connector: Arc<Connector>, limits: DatabaseLimits) -> anyhow::Result<Self> {
        let sessions = managed::Pool::builder(Sessions { connector, limits, next: AtomicU16::new(rand::random()) })
            .max_size(limits.connections)
            .wait_timeout(Some(limits.wait))
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self { sessions, unconfirmed: Arc::default() })
    }

    /// Returns a session, after a wait if all are in use. Fails with `Unavailable` if too many requests wait, if the
    /// wait is too long, or if the database cannot be reached.
    pub(crate) async fn get(&self) -> Result<Pooled> {
        let status = self.sessions.status();
        metrics::gauge!(metric_names::DATABASE_WAITING).set(status.waiting as f64);
        metrics::gauge!(metric_names::DATABASE_CONNECTIONS).set(status.size as f64);
        if status.waiting >= MAX_WAITING_PER_SESSION * status.max_size {
            return Err(Error::Unavailable("too many requests wait for a connection to the database".to_owned()));
        }
        self.sessions.get().await.map_err(|error| Error::Unavailable(pool_error_text(&error)))
    }

    /// As [`Self::get`], but the server has just responded on the session.
    pub(crate) async fn get_checked(&self) -> Result<Pooled> {
        loop {
            let session = self.get().await?;
            if session.client().check_connection().await.is_ok() {
                return Ok(session);
            }
            drop(Object::take(session));
        }
    }

    /// Returns an open session that is not in use, if there is one. Does not wait.
    pub(crate) async fn idle(&self) -> Option<Pooled> {
        if self.sessions.status().available == 0 {
            return None;
        }
        let at_once = Some(Duration::ZERO);
        self.sessions.timeout_get(&Timeouts { wait: at_once, create: at_once, recycle: at_once }).await.ok()
    }

    /// Closes the idle sessions that are not usable any more.
    pub(crate) fn close_unusable(&self) {
        self.sessions.retain(|session, _| session.is_usable());
    }

    /// Reports that a commit was not confirmed: another server may have become the primary.
    pub(crate) fn report_unconfirmed(&self) {
        self.unconfirmed.notify_one();
    }

    /// Waits until [`Self::report_unconfirmed`] is called.
    pub(crate) async fn wait_unconfirmed(&self) {
        self.unconfirmed.notified().await;
    }

    /// Closes the idle sessions, and the others when they are returned. Later calls of [`Self::get`] fail.
    pub(crate) fn close(&self) {
        self.sessions.close();
    }
}

fn pool_error_text(error: &PoolError<String>) -> String {
    match error {
        PoolError::Timeout(_) => "all connections to the database are in use".to_owned(),
        PoolError::Backend(cause) => cause.clone(),
        PoolError::Closed => "the store is closed".to_owned(),
        other => other.to_string(),
    }
}
