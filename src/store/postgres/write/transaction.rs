//! Writes: each unit of work is one transaction. [`transact`] runs it to a definite result:
//!
//! 1. [`transact`] takes a session from the pool and starts an attempt in a task of its own ([`attempt_in_task`]).
//! 2. The unit of work runs inside the transaction ([`attempt`]). It reads at READ COMMITTED, locks the rows that its
//!    rule depends on, and queues its writes.
//! 3. [`Transaction::commit`] sends the queued writes and the COMMIT in one pipeline. So a write usually costs two
//!    round trips: one for the reads, one for the writes and the COMMIT.
//! 4. The responses determine the result of the attempt ([`commit_result`]):
//!    - *committed*: the server confirmed the COMMIT;
//!    - *not committed* (a deadlock, a lost connection before the COMMIT): [`transact`] tries again on another session;
//!    - *outcome unknown* (the connection was lost after the COMMIT was sent): [`resolve_unknown_outcome`] looks up
//!      whether the transaction was committed. If not, [`transact`] tries again. If the look-up fails, the caller gets
//!      [`Error::OutcomeUnknown`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::Object;
use futures_util::future::join;
use futures_util::{FutureExt as _, TryStreamExt as _};
use tokio::sync::oneshot::{self, Sender};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::domain::idempotency::RequestKey;
use crate::domain::journal::Operation;
use crate::domain::time::Timestamp;
use crate::domain::{Error, Result};
use crate::metric_names;

use super::commit_outcome::was_committed;
use super::pipeline::{Parameter, pipelined};
use crate::store::postgres::connection::database_error::{DatabaseError, PRIMARY_CHANGED, into_error, is_fatal, text};
use crate::store::postgres::connection::pool::{Pool, Pooled};
use crate::store::postgres::connection::session::{DatabaseLimits, STANDBY_WAIT_CANCELLED, Session};
use crate::store::postgres::entities::counters;
use crate::store::sql::counters::Counter;
use crate::store::sql::entity::not_before;
use crate::store::sql::journal::LAST_CHANGE;

/// The maximum number of attempts at one unit of work.
const MAX_ATTEMPTS: u32 = 6;
/// The time limit for an attempt that has begun to commit. The server sets none, and a COMMIT may wait for a standby.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The upper bound of the random pause before an attempt, per attempt before it.
const RETRY_PAUSE_MILLIS: u64 = 10;
/// The maximum number of statements that [`Transaction::write`] sends before it waits for their responses.
const PIPELINE_DEPTH: usize = 256;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The reads and writes of one transaction. [`transact`] may run it several times.
#[async_trait]
pub(crate) trait UnitOfWork: Send + Sync + 'static {
    /// The result for the caller.
    type Output: Clone + Send + 'static;

    /// How to find out whether the transaction was committed if the server did not confirm its COMMIT.
    fn outcome_lookup(&self) -> OutcomeLookup<'_>;

    /// The time limit of each statement, and of all attempts together up to the last COMMIT. `None` = the limit of the
    /// store.
    fn limit(&self) -> Option<Duration> {
        None
    }

    /// The time limit of the wait for each lock. `None` = the time limit of the statement.
    fn lock_limit(&self) -> Option<Duration> {
        None
    }

    /// Reads and locks what the rule depends on, and queues the writes. Returns the result for the caller, which is
    /// valid if the transaction is committed.
    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Self::Output, DatabaseError>;

    /// Decides what the violation of the unique `index` means; `output` is the result that [`Self::run`] returned.
    /// By default a violation is a defect of the program.
    fn on_unique_violation(&self, _output: &Self::Output, index: &str) -> OnUniqueViolation {
        OnUniqueViolation::unexpected(index)
    }
}

/// How to find out whether a transaction was committed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutcomeLookup<'a> {
    /// The journal has an entry of this operation if the transaction was committed.
    Operation(&'a str),
    /// The answer of this operation is recorded under the key if the transaction was committed.
    Recorded {
        /// The key.
        key: &'a RequestKey,
        /// The ID of the operation.
        operation: &'a str,
    },
    /// No look-up is needed: the unit of work has the same effect if it is committed twice.
    Idempotent,
    /// There is no way to find out.
    None,
}

/// What the violation of a unique index means.
#[derive(Debug)]
pub(crate) enum OnUniqueViolation {
    /// Another transaction may have inserted the row after [`UnitOfWork::run`] looked for it: run again. If the second
    /// run violates a unique index too, fail with the error.
    Retry(Error),
    /// Fail with the error.
    Refused(Error),
}

impl OnUniqueViolation {
    /// No rule expects a violation of the `index`: an internal error.
    pub(crate) fn unexpected(index: &str) -> Self {
        Self::Refused(Error::internal(anyhow::anyhow!("the unique index {index} refused a row")))
    }
}

/// An open transaction: reads run at once, writes are queued and sent together with the COMMIT.
pub(crate) struct Transaction<'a> {
    session: &'a Session,
    /// The statement that begins the transaction.
    begin_sql: &'a str,
    /// Whether `begin_sql` was sent. It is sent with the first statement.
    begun: bool,
    /// The time of the latest change of the directory, as of the last lock; `None` before the first lock, and in a new
    /// directory.
    last_change: Option<Timestamp>,
    /// The statements to send with the COMMIT, with their parameters.
    queued: Vec<(&'static str, Vec<Parameter>)>,
    /// The number of changes that the queued journal entries tell. The last statement adds it to its counter, because
    /// that is the last counter that a transaction changes.
    pub(crate) changes: i64,
}

/// Why an attempt did not end in a confirmed commit. `T` is the output of the unit of work.
enum AttemptError<T> {
    /// The transaction was not committed.
    Database(DatabaseError),
    /// The transaction was not committed, because this unique index refused a row.
    UniqueViolation { output: T, index: String },
    /// The transaction may or may not have been committed.
    OutcomeUnknown { output: T, cause: String },
}

impl Transaction<'_> {
    /// Runs the statement now and returns its rows. Begins the transaction if this is its first statement.
    pub(crate) async fn read(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let statement = self.session.prepared(sql).await?;
        self.run(&statement, values).await
    }

    /// As [`Transaction::read`], for many rows: converts each as it arrives. Not for the first statement of a transaction.
    pub(crate) async fn read_each<T>(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
        convert: impl Fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let statement = self.session.prepared(sql).await?;
        let rows = self.session.client().query_raw(&statement, values.iter().copied()).await?;
        let mut rows = std::pin::pin!(rows);
        let mut converted = Vec::new();
        while let Some(row) = rows.try_next().await? {
            converted.push(convert(&row)?);
        }
        Ok(converted)
    }

    /// Runs the statement and returns its rows. Sends it, behind the statement that begins the transaction if that was
    /// not sent yet, when it is first polled.
    async fn run(&mut self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseError> {
        let query = self.session.client().query(statement, values);
        if self.begun {
            return Ok(query.await?);
        }
        self.begun = true;
        self.session.begin_transaction();
        let (begun, rows) = join(self.session.client().batch_execute(self.begin_sql), query).await;
        begun?;
        Ok(rows?)
    }

    /// Runs the statement now and returns its first row, if any.
    pub(crate) async fn find(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, DatabaseError> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    /// As [`Transaction::find`], for a statement that locks the row. Reads the time of the latest change as well, in the
    /// same round trip, for [`Transaction::time`].
    pub(crate) async fn lock(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, DatabaseError> {
        let session = self.session;
        let (statement, last_change) = (session.prepared(sql).await?, session.prepared(LAST_CHANGE).await?);
        let last_change = session.client().query_one(&last_change, &[]);
        let (rows, last_change) = join(self.run(&statement, values), last_change).await;
        let rows = rows?;
        self.last_change = last_change?.try_get::<_, Option<i64>>(0)?.map(Timestamp::from_micros);
        Ok(rows.into_iter().next())
    }

    /// Reads the time of the latest change, for [`Transaction::time`]. To be called once all locks are held.
    pub(crate) async fn read_last_change(&mut self) -> Result<(), DatabaseError> {
        if let Some(row) = self.find(LAST_CHANGE, &[]).await? {
            self.last_change = row.try_get::<_, Option<i64>>(0)?.map(Timestamp::from_micros);
        }
        Ok(())
    }

    /// Returns the time of a change that this transaction makes: the operation's clock shows it, but it is not before
    /// the last change of any entity that the transaction has locked.
    ///
    /// The bound is the latest change of the whole directory. One look at the end of one index gives it, whatever the
    /// entity is: the last change of a group or user may also be a membership, alone or in a batch, which several
    /// indexes would have to find. It holds under concurrency, because it is read after the locks are acquired, by a
    /// statement of its own: whoever changed the same entities before has committed, and the statement sees it. A
    /// transaction that locks nothing creates an entity, which has no earlier change.
    pub(crate) fn time(&self, operation: &Operation) -> Timestamp {
        not_before(self.last_change, operation.clock.now())
    }

    /// Runs the statement now, which draws a number from a sequence, and returns the number.
    pub(crate) async fn next(&mut self, sql: &'static str) -> Result<i64, DatabaseError> {
        match self.find(sql, &[]).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Err(Error::internal(anyhow::anyhow!("a sequence gave no number")).into()),
        }
    }

    /// A number from 0 to `count - 1` that spreads the sessions of a pool evenly: no two of up to `count` sessions that
    /// were opened one after the other share it.
    pub(crate) fn slot(&self, count: u16) -> i16 {
        (self.session.number() % count) as i16
    }

    /// Queues a write, to be sent after those queued before it.
    pub(crate) fn queue(&mut self, sql: &'static str, values: Vec<Parameter>) {
        self.queued.push((sql, values));
    }

    /// Sends the queued writes now, waits for them, and returns the connection, so that the caller can write in bulk in
    /// the same transaction. The transaction is rolled back unless the caller queues another write afterwards.
    pub(crate) async fn write(&mut self) -> Result<&Client, DatabaseError> {
        let client = self.session.client();
        if !self.begun {
            self.begun = true;
            self.session.begin_transaction();
            client.batch_execute(self.begin_sql).await?;
        }
        let mut queued = std::mem::take(&mut self.queued).into_iter();
        while queued.len() > 0 {
            let mut sends = Vec::with_capacity(PIPELINE_DEPTH);
            for (sql, values) in queued.by_ref().take(PIPELINE_DEPTH) {
                let statement = self.session.prepared(sql).await?;
                sends.push(async move { client.execute_raw(&statement, values).await }.boxed());
            }
            for response in pipelined(sends).await {
                response?;
            }
        }
        Ok(client)
    }

    /// Ends a transaction that wrote nothing.
    async fn roll_back(&self) -> Result<(), DatabaseError> {
        if self.begun {
            self.session.client().batch_execute("ROLLBACK").await?;
            self.session.end_transaction();
        }
        Ok(())
    }

    /// Sends the queued writes and the COMMIT in one pipeline and returns the `output` if the server confirms the
    /// COMMIT. Sends the `output` to `commit_started` first. If the receiver is closed, the caller has given up, and
    /// nothing is committed.
    async fn commit<T: Clone>(self, output: T, commit_started: Sender<T>) -> Result<T, AttemptError<T>> {
        if self.queued.is_empty() {
            // Nothing was written, so the output is valid even if the session fails from here on.
            return self.roll_back().await.map(|()| output).map_err(AttemptError::Database);
        }
        let (session, mut sends) = (self.session, Vec::with_capacity(self.queued.len() + 3));
        let simple = |sql| session.client().batch_execute(sql).map(|done| done.map(|()| 0)).boxed();
        if !self.begun {
            session.begin_transaction();
            sends.push(simple(self.begin_sql));
        }
        for (sql, values) in self.queued {
            let statement = session.prepared(sql).await.map_err(|error| AttemptError::Database(error.into()))?;
            sends.push(async move { session.client().execute_raw(&statement, values).await }.boxed());
        }
        sends.push(simple(session.before_commit()));
        sends.push(simple("COMMIT"));
        if commit_started.send(output.clone()).is_err() {
            return Err(AttemptError::Database(DatabaseError::TimedOut));
        }
        session.clear_warnings();
        let statements = sends.len();
        match session.while_current(pipelined(sends)).await {
            Some(responses) => commit_result(session, responses, statements, output),
            None => Err(AttemptError::OutcomeUnknown { output, cause: PRIMARY_CHANGED.to_owned() }),
        }
    }
}

/// Derives the result of an attempt from the `responses` to the pipeline of [`Transaction::commit`], which has this
/// number of `statements`; the last one is the COMMIT. There are fewer responses if sending stopped at an error.
fn commit_result<T>(
    session: &Session,
    responses: Vec<Result<u64, tokio_postgres::Error>>,
    statements: usize,
    output: T,
) -> Result<T, AttemptError<T>> {
    let commit_was_sent = responses.len() == statements;
    let commit_succeeded = commit_was_sent && responses.last().is_some_and(Result::is_ok);
    let first_error = responses.into_iter().enumerate().find_map(|(at, response)| Some((at, response.err()?)));
    let Some((at, error)) = first_error else {
        return confirmed_commit(session, output);
    };
    let commit_failed = commit_was_sent && at + 1 == statements;
    // The server rolls back if it refuses a statement before the COMMIT, or the COMMIT itself without ending the
    // session. Any other error after the COMMIT was sent leaves the outcome open.
    let refused_by_server = error.as_db_error().is_some_and(|db_error| !commit_failed || !is_fatal(db_error));
    if commit_was_sent && !refused_by_server {
        return Err(AttemptError::OutcomeUnknown { output, cause: text(&error) });
    }
    // Either way the transaction has ended. (The COMMIT of a failed transaction succeeds, as a rollback.)
    if commit_succeeded || commit_failed {
        session.end_transaction();
    }
    match error.into() {
        DatabaseError::UniqueViolation(index) => Err(AttemptError::UniqueViolation { output, index }),
        error => Err(AttemptError::Database(error)),
    }
}

/// The result of an attempt whose COMMIT the server reported as successful. It does not count if a server that may
/// become the primary could lack the commit.
fn confirmed_commit<T>(session: &Session, output: T) -> Result<T, AttemptError<T>> {
    if session.was_warned() {
        return Err(AttemptError::OutcomeUnknown { output, cause: STANDBY_WAIT_CANCELLED.to_owned() });
    }
    if !session.is_current() {
        return Err(AttemptError::OutcomeUnknown { output, cause: PRIMARY_CHANGED.to_owned() });
    }
    session.end_transaction();
    Ok(output)
}

/// Runs the unit of work until it is committed or refused, with up to [`MAX_ATTEMPTS`] attempts, each on a session of
/// its own. Fails with `Unavailable` if no attempt succeeds in time; nothing was committed then, except perhaps by an
/// idempotent unit of work. Fails with `OutcomeUnknown` if it cannot be found out whether an attempt was committed.
pub(crate) async fn transact<C: UnitOfWork>(pool: &Pool, limits: &DatabaseLimits, work: C) -> Result<C::Output> {
    let limits = &DatabaseLimits { statement: work.limit().unwrap_or(limits.statement), ..*limits };
    let work = Arc::new(work);
    let deadline = Instant::now() + limits.statement;
    let (mut attempt, mut had_unique_violation) = (0, false);
    loop {
        attempt += 1;
        let is_last = attempt == MAX_ATTEMPTS || Instant::now() >= deadline;
        let session = pool.get().await?;
        let lock_key = session.lock_key();
        // Each arm returns, or gives the cause of another attempt.
        let cause = match attempt_in_task(session, limits, &work).await {
            Ok(output) => return Ok(output),
            Err(AttemptError::UniqueViolation { output, index }) => match work.on_unique_violation(&output, &index) {
                OnUniqueViolation::Retry(_) if !had_unique_violation => {
                    had_unique_violation = true;
                    format!("the unique index {index} refused a row")
                }
                OnUniqueViolation::Retry(error) | OnUniqueViolation::Refused(error) => return Err(error),
            },
            Err(AttemptError::OutcomeUnknown { output, cause }) => {
                if resolve_unknown_outcome(pool, lock_key, work.outcome_lookup(), &cause).await? {
                    return Ok(output);
                }
                cause
            }
            Err(AttemptError::Database(DatabaseError::NotCommitted(cause) | DatabaseError::LockTimedOut(cause))) => {
                cause
            }
            Err(AttemptError::Database(error)) => return Err(into_error(error)),
        };
        if is_last {
            return Err(Error::Unavailable(cause));
        }
        metrics::counter!(metric_names::DATABASE_RETRIES).increment(1);
        tracing::debug!(cause, attempt, "retrying a transaction");
        // Random, so that transactions that deadlocked do not meet again.
        sleep(Duration::from_millis(rand::random_range(1..=RETRY_PAUSE_MILLIS * u64::from(attempt)))).await;
    }
}

/// Runs an attempt on the session, in a task of its own, and waits for its result in bounded time.
///
/// The task continues if the caller goes away, so a transaction that has begun always ends. If the COMMIT hangs (as it
/// does if the synchronous standby is lost), the task keeps its connection of the pool: later requests wait, rather
/// than open one connection after the other.
async fn attempt_in_task<C: UnitOfWork>(
    session: Pooled,
    limits: &DatabaseLimits,
    work: &Arc<C>,
) -> Result<C::Output, AttemptError<C::Output>> {
    let (commit_started, mut start) = oneshot::channel();
    let task = tokio::spawn(attempt(session, Arc::clone(work), commit_started));
    // The output, if the attempt has started to commit within the time limit.
    let output = match timeout(limits.response_timeout(), &mut start).await {
        Ok(output) => output.ok(),
        Err(_) => {
            // After this the attempt cannot start to commit. It may have done so just before.
            start.close();
            start.try_recv().ok()
        }
    };
    match (timeout(COMMIT_TIMEOUT, task).await, output) {
        (Ok(result), _) => result.unwrap_or_else(|panic| Err(AttemptError::Database(Error::internal(panic).into()))),
        (Err(_), Some(output)) => {
            let cause = "the database did not respond to a COMMIT".to_owned();
            Err(AttemptError::OutcomeUnknown { output, cause })
        }
        (Err(_), None) => Err(AttemptError::Database(DatabaseError::TimedOut)),
    }
}

/// Runs the unit of work on the session, and commits it. Closes the session if it cannot be used again.
async fn attempt<C: UnitOfWork>(
    session: Pooled,
    work: Arc<C>,
    commit_started: Sender<C::Output>,
) -> Result<C::Output, AttemptError<C::Output>> {
    let limits = [("statement_timeout", work.limit()), ("lock_timeout", work.lock_limit())];
    let settings = limits.into_iter().filter_map(|(name, limit)| Some((name, limit?.as_millis())));
    let settings: String = settings.map(|(name, millis)| format!("; SET LOCAL {name} = {millis}")).collect();
    let begin_sql = &*format!("{BEGIN}{settings}");
    let mut transaction =
        Transaction { session: &session, begin_sql, begun: false, last_change: None, queued: Vec::new(), changes: 0 };
    let result = match session.while_current(work.run(&mut transaction)).await {
        Some(Ok(output)) => {
            let changes = transaction.changes;
            counters::add(&mut transaction, Counter::Changes, changes);
            transaction.commit(output, commit_started).await
        }
        None => Err(AttemptError::Database(DatabaseError::NotCommitted(PRIMARY_CHANGED.to_owned()))),
        Some(Err(error)) => {
            // If the rollback fails, the session is unusable and is closed below, which rolls back as well.
            let _rolled_back = transaction.roll_back().await;
            Err(AttemptError::Database(error))
        }
    };
    // The session is not usable if the outcome is unknown: closing it releases its advisory lock, for which the look-up
    // of the outcome waits. After `NotCommitted` the server may be stopping or read-only, so the session is closed too.
    let not_committed = matches!(result, Err(AttemptError::Database(DatabaseError::NotCommitted(_))));
    if not_committed || !session.is_usable() {
        drop(Object::take(session));
    }
    result
}

/// Finds out whether a transaction was committed if the server did not confirm its COMMIT, because of `cause`.
/// `lock_key` is the key of the advisory lock that its session holds. Returns true if it was committed, and false if it
/// can be tried again. Fails with `OutcomeUnknown` if that cannot be found out.
async fn resolve_unknown_outcome(
    pool: &Pool,
    lock_key: i64,
    outcome_lookup: OutcomeLookup<'_>,
    cause: &str,
) -> Result<bool> {
    tracing::warn!(cause, "a COMMIT was not confirmed; looking up whether the transaction was committed");
    pool.report_unconfirmed();
    let committed = match outcome_lookup {
        OutcomeLookup::Operation(operation) => {
            let sql = "SELECT EXISTS (SELECT 1 FROM journal WHERE operation = $1)";
            was_committed(pool, lock_key, sql, &[&operation]).await
        }
        OutcomeLookup::Recorded { key: RequestKey { scope, key }, operation } => {
            let sql = "SELECT EXISTS \
                       (SELECT 1 FROM idempotency_keys WHERE scope = $1 AND key = $2 AND operation = $3)";
            was_committed(pool, lock_key, sql, &[scope, key, &operation]).await
        }
        OutcomeLookup::Idempotent => Some(false),
        OutcomeLookup::None => None,
    };
    committed.ok_or_else(|| {
        metrics::counter!(metric_names::DATABASE_UNKNOWN_OUTCOMES).increment(1);
        Error::OutcomeUnknown(cause.to_owned())
    })
}
