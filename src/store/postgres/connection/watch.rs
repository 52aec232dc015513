//! The watch: a task that checks every two seconds, and after each commit that was not confirmed, which server is the
//! primary, and whether a transaction pooler is in the way.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::connector::Connector;
use super::host_monitor::HostMonitor;
use super::pool::Pool;
use super::pooler::{REFUSAL, pools_transactions};
use super::session::{DatabaseLimits, Session};

/// The interval between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// The time limit of the pooler check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the session of the watch is kept. A new one also shows to which server new connections lead.
const MAX_SESSION_AGE: Duration = Duration::from_secs(30);

/// The running watch of a store. Dropping it ends the task.
pub(crate) struct Watch(AbortHandle);

/// The state of the task.
struct Watcher {
    connector: Arc<Connector>,
    pool: Pool,
    limits: DatabaseLimits,
    hosts: HostMonitor,
    /// The session of the pooler check, and when it was opened.
    session: Option<(Session, Instant)>,
}

impl Watch {
    /// Checks once, and starts the task. Fails with the reason if the database cannot be used.
    pub(crate) async fn begin(
        hosts: HostMonitor,
        connector: Arc<Connector>,
        pool: Pool,
        limits: DatabaseLimits,
    ) -> Result<Self, String> {
        // The pooler check compares with an idle session of the pool, so open one.
        drop(pool.get().await.map_err(|error| error.to_string())?);
        let mut watcher = Watcher { connector, pool, limits, hosts, session: None };
        watcher.check_pooler().await?;
        if watcher.connector.has_transaction_pooler() {
            return Err(REFUSAL.to_owned());
        }
        Ok(Self(tokio::spawn(watcher.watch()).abort_handle()))
    }

    /// Ends the watch.
    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Watcher {
    async fn watch(mut self) {
        let mut ticks = interval_at(Instant::now() + CHECK_INTERVAL, CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! { _ = ticks.tick() => {}, () = self.pool.wait_unconfirmed() => {} }
            self.hosts.compare().await;
            self.pool.close_unusable();
            let had_pooler = self.connector.has_transaction_pooler();
            let checked = self.check_pooler().await;
            match (had_pooler, self.connector.has_transaction_pooler(), checked) {
                (false, true, _) => tracing::error!(database = self.connector.display_url(), "{REFUSAL}"),
                (true, false, _) => {
                    tracing::info!(database = self.connector.display_url(), "sessions can be used again")
                }
                (_, _, Err(cause)) => tracing::debug!(cause, "the check for a connection pooler failed"),
                (_, _, Ok(())) => {}
            }
        }
    }

    /// Checks once for a transaction pooler, in bounded time, and records the result in the connector. Fails with the
    /// reason if there is no result.
    async fn check_pooler(&mut self) -> Result<(), String> {
        let session = self.session.take().filter(|(session, opened)| {
            session.is_open() && session.is_current() && opened.elapsed() < MAX_SESSION_AGE
        });
        let check = async {
            let (session, opened) = match session {
                Some(kept) => kept,
                None => (Session::open_despite_pooler(&self.connector, &self.limits).await?, Instant::now()),
            };
            self.compare(&session).await?;
            Ok((session, opened))
        };
        let checked = timeout(CHECK_TIMEOUT, check).await;
        self.session = Some(checked.unwrap_or_else(|_| Err("the database does not respond".to_owned()))?);
        Ok(())
    }

    /// Compares the session with another one: an idle one of the pool, or a new one if a pooler was detected, because
    /// the pool gives no sessions then.
    async fn compare(&self, session: &Session) -> Result<(), String> {
        let has_pooler = if self.connector.has_transaction_pooler() {
            let other = Session::open_despite_pooler(&self.connector, &self.limits).await?;
            pools_transactions(session.client(), other.client()).await
        } else {
            let Some(other) = self.pool.idle().await else { return Ok(()) };
            other.begin_transaction();
            let has_pooler = pools_transactions(session.client(), other.client()).await;
            if has_pooler.is_ok() {
                other.end_transaction();
            }
            has_pooler
        };
        self.connector.set_transaction_pooler(has_pooler.map_err(|error| super::database_error::text(&error))?);
        Ok(())
    }
}
