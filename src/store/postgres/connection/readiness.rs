//! The readiness check: whether the database can be read and written now. It commits a small write, which waits for the
//! disk and the standby as every other commit does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::domain::{Error, Result};

use super::connector::Connector;
use super::database_error::{DatabaseError, text};
use super::integrity::Integrity;
use super::pool::Pool;
use super::session::{DatabaseLimits, STANDBY_WAIT_CANCELLED, Session};

/// The time limit of the transaction, including its wait for a standby.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The transaction of the check.
///
/// - 10,000 numbers do not fit into 64 kB, so the server writes a temporary file, which fails if the data disk is full.
///   The update of one row does not show that, because its page usually has free space.
/// - The two look-ups read the root pages of two indexes.
/// - The update is written to the write-ahead log, so the COMMIT waits for that disk and for the standby.
const PROBE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL work_mem = '64kB'; \
     SELECT count(*) FROM generate_series(1, 10000); \
     SELECT FROM groups WHERE uid = 0; SELECT FROM journal WHERE seq = 0; \
     UPDATE settings SET value = value WHERE key = 'default_language'; COMMIT";

/// The readiness check of a database. It has a session of its own, so that a check that waits takes no connection from
/// requests.
pub(crate) struct Readiness {
    connector: Arc<Connector>,
    limits: DatabaseLimits,
    integrity: Arc<Integrity>,
    /// The session of the check. Locked while a check runs, so that only one runs at a time.
    session: Arc<Mutex<Option<Session>>>,
}

impl Readiness {
    /// A check without a session; the first run opens it.
    pub(crate) fn new(connector: Arc<Connector>, limits: DatabaseLimits, integrity: Arc<Integrity>) -> Self {
        Self { connector, limits, integrity, session: Arc::default() }
    }

    /// Fails if damage is known, the pool gives no session, or the commit is not confirmed. Sets no time limit for the
    /// waits: the caller may drop the future at any time, and a probe that has begun ends by itself.
    pub(crate) async fn check(&self, pool: &Pool) -> Result<()> {
        self.integrity.check()?;
        drop(pool.get().await?);
        let session = Arc::clone(&self.session).lock_owned().await;
        let (connector, limits, integrity) = (Arc::clone(&self.connector), self.limits, Arc::clone(&self.integrity));
        let probe = tokio::spawn(async move { integrity.record_damage(probe(session, connector, limits).await) });
        probe.await.unwrap_or_else(|panic| Err(Error::internal(panic)))
    }
}

/// Runs the transaction, and keeps the session if the commit was confirmed.
async fn probe(
    mut kept: OwnedMutexGuard<Option<Session>>,
    connector: Arc<Connector>,
    limits: DatabaseLimits,
) -> Result<()> {
    let session = match kept.take().filter(Session::is_usable) {
        Some(session) => session,
        None => Session::open(&connector, &limits, 0).await.map_err(Error::Unavailable)?,
    };
    session.clear_warnings();
    match timeout(PROBE_TIMEOUT, session.client().batch_execute(PROBE)).await {
        Ok(Ok(())) if session.was_warned() => Err(unavailable(STANDBY_WAIT_CANCELLED)),
        Ok(Ok(())) => {
            *kept = Some(session);
            Ok(())
        }
        Ok(Err(error)) => {
            let cause = text(&error);
            match error.into() {
                DatabaseError::Refused(damage @ Error::Damaged(_)) => Err(damage),
                _ => Err(Error::Unavailable(cause)),
            }
        }
        Err(_) => {
            // Otherwise the server would keep the session as long as the standby is away.
            connector.cancel(session.client()).await;
            Err(unavailable("a commit was not confirmed in time: a synchronous standby is away, or the database hangs"))
        }
    }
}

fn unavailable(cause: &str) -> Error {
    Error::Unavailable(cause.to_owned())
}
