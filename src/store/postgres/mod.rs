//! The PostgreSQL store, for several nodes on one database.
//!
//! A node caches no data between requests, so a write that one node has acknowledged is visible on every node at once.
//!
//! - Point reads share two pipelined sessions ([`read::point_reads`]).
//! - Each list reads one snapshot ([`read::read_transaction`]).
//! - Each write is one transaction ([`write::attempts`]). It is tried again if it was not committed. If the server
//!   did not confirm the COMMIT, the outcome is looked up ([`write::commit_outcome`]).

mod connection;
mod copy;
mod entities;
mod entity;
mod erasure;
mod folding;
mod maintenance;
mod migrate;
mod past;
mod read;
mod retention;
mod rows;
mod sessions;
mod statistics;
mod store;
#[cfg(test)]
mod test_database;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;

use crate::domain::error::{Error, Result};
use crate::domain::idempotency::Outcome;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;

use connection::connector::Connector;
use connection::database_error::{DatabaseError, into_error, unusable};
use connection::host_monitor::HostMonitor;
use connection::integrity::Integrity;
use connection::pool::{Pool, Pooled};
use connection::readiness::Readiness;
pub(crate) use connection::session::DatabaseLimits;
use connection::watch::Watch;
pub(crate) use copy::{NewDirectory, Snapshot};
use read::batching::BatchedReads;
use read::point_reads::PointReads;
use read::read_transaction::ReadTransaction;
use write::attempts::transact;
use write::recorded::Recorded;
use write::unit_of_work::UnitOfWork;

/// Which database, and how to use it. Never print this: the URL may contain a password.
#[derive(Clone)]
pub(crate) struct PostgresOptions {
    /// The database URL, `postgres://user@host,host/database?sslmode=…`.
    pub url: String,
    /// The password, if it is not in the URL.
    pub password: Option<SecretString>,
    /// The default language of a new directory; an existing one must have the same. `None` = any (`en` for a new one).
    pub default_language: Option<Tag>,
    /// Whether this process serves: it creates a directory in an empty database, and folds keys again if that is
    /// necessary. If not, both are refused.
    pub serve: bool,
    /// The limits on the use of the database.
    pub limits: DatabaseLimits,
}

/// A directory in a PostgreSQL database.
pub(crate) struct PostgresStore {
    pool: Pool,
    point_reads: Arc<PointReads>,
    batched_reads: Arc<BatchedReads>,
    readiness: Readiness,
    integrity: Arc<Integrity>,
    watch: Watch,
    limits: DatabaseLimits,
    /// One permit per list in progress. Lists may use half of the connections, so that they never block all writes.
    lists: Arc<Semaphore>,
    default_language: Tag,
    directory: Uuid,
}

impl PostgresStore {
    /// Connects and migrates the schema if necessary. Fails with a message that says what to do.
    pub(crate) async fn open(options: PostgresOptions) -> anyhow::Result<Self> {
        let connector = Arc::new(Connector::parse(&options.url, options.password.as_ref())?);
        let mut hosts = HostMonitor::new(Arc::clone(&connector));
        hosts.compare().await;
        let display_url = connector.display_url().to_owned();
        let cannot = || {
            format!("cannot connect to {display_url}: check that PostgreSQL runs there and allows this role to connect")
        };
        let mut client = connector.connect(|_| {}).await.with_context(cannot)?;
        let limits = options.limits;
        let pool = Pool::new(Arc::clone(&connector), limits)?;
        let watch = Watch::begin(hosts, Arc::clone(&connector), pool.clone(), limits).await;
        let watch = watch.map_err(|cause| anyhow!("{display_url} cannot be used: {cause}"))?;
        let migrated = migrate::migrate(&mut client, &display_url, options.serve).await;
        migrated.map_err(|error| unusable(&display_url, error))?;
        let refolded = folding::refold_database(&client, &display_url, options.serve).await;
        refolded.map_err(|error| unusable(&display_url, error))?;
        let default_language = migrate::init_language(&client, options.default_language.as_ref()).await;
        let default_language = default_language.map_err(|error| unusable(&display_url, error))?;
        let directory = migrate::init_directory(&client).await;
        let directory = directory.map_err(|error| unusable(&display_url, error))?;
        let integrity = Arc::new(Integrity::new(Arc::clone(&connector)));
        let point_reads =
            Arc::new(PointReads::new(Arc::clone(&connector), limits, pool.clone(), Arc::clone(&integrity)));
        Ok(Self {
            pool,
            batched_reads: BatchedReads::new(Arc::clone(&point_reads)),
            point_reads,
            readiness: Readiness::new(connector, limits, Arc::clone(&integrity)),
            integrity,
            watch,
            limits,
            lists: Arc::new(Semaphore::new((limits.connections / 2).max(1))),
            default_language,
            directory,
        })
    }

    /// Runs the unit of work to a definite result. Fails as [`transact`] does, and with `Damaged` if damage is known.
    async fn execute<C: UnitOfWork>(&self, work: C) -> Result<C::Output> {
        self.integrity.check()?;
        self.integrity.record_damage(transact(&self.pool, &self.limits, work).await)
    }

    /// Runs the unit of work as [`Self::execute`] does, and records its answer if the operation says so.
    async fn record<C: UnitOfWork<Output: Outcome + Sync>>(&self, operation: &Operation, work: C) -> Result<C::Output> {
        match operation.recording.clone() {
            Some(recording) => self.execute(Recorded { work, recording, operation: operation.id.clone() }).await,
            None => self.execute(work).await,
        }
    }

    /// Reads a list. If its session is lost, retries once on a session on which the server has just responded. Fails
    /// with `Unavailable` if all of that exceeds the time limit of a list.
    async fn list<'a, T>(
        &self,
        read: impl Fn(ReadTransaction) -> BoxFuture<'a, Result<T, DatabaseError>> + Send + Sync,
    ) -> Result<T> {
        let attempts = async {
            let result = match read(self.begin_read(self.pool.get()).await?).await {
                Err(DatabaseError::NotCommitted(cause)) => {
                    tracing::debug!(cause, "retrying a list");
                    read(self.begin_read(self.pool.get_checked()).await?).await
                }
                result => result,
            };
            result.map_err(into_error)
        };
        let timed_out = |_| Err(Error::Unavailable("a list exceeded its time limit".to_owned()));
        self.integrity.record_damage(timeout(self.limits.list_timeout(), attempts).await.unwrap_or_else(timed_out))
    }

    /// Waits for a permit for a list, then for the `session`, and returns a read transaction on it. Fails with
    /// `Unavailable` if the wait is too long.
    async fn begin_read(&self, session: impl Future<Output = Result<Pooled>>) -> Result<ReadTransaction> {
        let busy = || Error::Unavailable("too many lists at once".to_owned());
        let permit = timeout(self.limits.wait, Arc::clone(&self.lists).acquire_owned()).await;
        let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
        Ok(ReadTransaction::new(session.await?, permit, self.limits.list))
    }
}
