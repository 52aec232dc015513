//! Point reads: reads of one statement, on two sessions that all requests share. The statements are pipelined: each is
//! sent without waiting for the responses to earlier ones. So a busy node needs fewer system calls per read, and a read
//! takes no session of the pool. Each statement is a transaction of its own and sees everything that was committed
//! before it.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::domain::{Error, Result};

use crate::store::postgres::connection::connector::Connector;
use crate::store::postgres::connection::database_error::{DatabaseError, into_error};
use crate::store::postgres::connection::integrity::Integrity;
use crate::store::postgres::connection::pool::{Pool, Pooled};
use crate::store::postgres::connection::session::{DatabaseLimits, Session};

/// The number of shared sessions. Each can keep one processor of the database busy.
const SHARED_SESSIONS: usize = 2;
/// The maximum number of reads in flight.
const MAX_IN_FLIGHT: usize = 4_096;
/// How long a failure to connect is returned to later requests without another try.
const CONNECT_ERROR_TTL: Duration = Duration::from_millis(100);

/// The shared sessions.
pub(crate) struct PointReads {
    /// Opens the sessions.
    pub(crate) connector: Arc<Connector>,
    limits: DatabaseLimits,
    pool: Pool,
    integrity: Arc<Integrity>,
    shared_sessions: [SharedSession; SHARED_SESSIONS],
    /// Counts the reads, which take the shared sessions in turn.
    next: AtomicUsize,
    /// One permit per read in flight.
    permits: Semaphore,
}

/// One shared session, which is opened when it is needed and replaced when it is lost.
#[derive(Default)]
struct SharedSession {
    session: RwLock<Option<Arc<Session>>>,
    /// Locked by the request that connects. The last failure to connect, with its time.
    connecting: Mutex<Option<(Instant, String)>>,
}

/// A session for one read.
enum Borrowed {
    Shared(Arc<Session>),
    Pooled(Box<Pooled>),
}

impl Deref for Borrowed {
    type Target = Session;

    fn deref(&self) -> &Session {
        match self {
            Self::Shared(session) => session,
            Self::Pooled(session) => session,
        }
    }
}

impl PointReads {
    /// No session is opened yet: the first reads do that.
    pub(crate) fn new(
        connector: Arc<Connector>,
        limits: DatabaseLimits,
        pool: Pool,
        integrity: Arc<Integrity>,
    ) -> Self {
        let (shared_sessions, next, permits) = (Default::default(), AtomicUsize::new(0), Semaphore::new(MAX_IN_FLIGHT));
        Self { connector, limits, pool, integrity, shared_sessions, next, permits }
    }

    /// Runs the statement and returns its rows. If the session is lost, retries once on a new one, within the same time
    /// limit. Fails with `Unavailable` if too many reads are in flight, or the database does not respond in time.
    pub(crate) async fn rows(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let busy = |_| Error::Unavailable("too many reads at once".to_owned());
        let _permit = self.permits.try_acquire().map_err(busy)?;
        let shared = &self.shared_sessions[self.next.fetch_add(1, Ordering::Relaxed) % SHARED_SESSIONS];
        let deadline = Instant::now() + self.limits.response_timeout();
        let result = match self.query(shared, sql, values, deadline).await {
            Err(DatabaseError::NotCommitted(_)) => self.query(shared, sql, values, deadline).await,
            result => result,
        };
        self.integrity.record_damage(result.map_err(into_error))
    }

    /// Runs the statement and returns its first row, if any. Fails as [`Self::rows`] does.
    pub(crate) async fn find(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs the statement once.
    async fn query(
        &self,
        shared: &SharedSession,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
        deadline: Instant,
    ) -> Result<Vec<Row>, DatabaseError> {
        let session = timeout_at(deadline, self.session(shared)).await.map_err(|_| DatabaseError::TimedOut)??;
        let query = async { session.client().query(&session.prepared(sql).await?, values).await };
        let result = timeout_at(deadline, query).await.map_err(|_| DatabaseError::TimedOut);
        let result = result.and_then(|rows| Ok(rows?)).and_then(|rows| session.check_current(rows));
        if matches!(result, Err(DatabaseError::NotCommitted(_) | DatabaseError::TimedOut)) {
            // The session may be dead. Marked like this it is not usable, so the next read connects again.
            session.begin_transaction();
        }
        result
    }

    /// Returns the shared session, which is opened if necessary. If it cannot be opened (the server accepts no more
    /// connections, for example), returns an idle session of the pool.
    async fn session(&self, shared: &SharedSession) -> Result<Borrowed, DatabaseError> {
        match self.shared_session(shared).await {
            Ok(session) => Ok(Borrowed::Shared(session)),
            Err(cause) => {
                let idle = self.pool.idle().await.map(|session| Borrowed::Pooled(Box::new(session)));
                idle.ok_or(DatabaseError::Refused(Error::Unavailable(cause)))
            }
        }
    }

    /// Returns the shared session, which is opened if necessary. Fails with the reason.
    async fn shared_session(&self, shared: &SharedSession) -> Result<Arc<Session>, String> {
        if let Some(session) = shared.usable() {
            return Ok(session);
        }
        let waited = timeout(self.limits.wait, shared.connecting.lock()).await;
        let mut failure = waited.map_err(|_| "the database does not respond".to_owned())?;
        if let Some(session) = shared.usable() {
            return Ok(session);
        }
        if let Some((_, cause)) = failure.as_ref().filter(|(at, _)| at.elapsed() < CONNECT_ERROR_TTL) {
            return Err(cause.clone());
        }
        let opened = Session::open(&self.connector, &self.limits, 0).await;
        *failure = opened.as_ref().err().map(|cause| (Instant::now(), cause.clone()));
        let session = Arc::new(opened?);
        *shared.session.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Closes the sessions; later reads fail.
    pub(crate) fn close(&self) {
        for shared in &self.shared_sessions {
            shared.session.write().unwrap_or_else(PoisonError::into_inner).take();
        }
        self.permits.close();
    }
}

impl SharedSession {
    /// The session, if it is open and usable.
    fn usable(&self) -> Option<Arc<Session>> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().filter(|session| session.is_usable()).cloned()
    }
}
