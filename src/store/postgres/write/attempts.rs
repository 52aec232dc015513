//! Writes: each unit of work is one transaction. [`transact`] runs it to a definite result:
//!
//! 1. [`transact`] takes a session from the pool and starts an attempt in a task of its own ([`attempt_in_task`]).
//! 2. The unit of work runs inside the transaction ([`attempt`]). It reads at READ COMMITTED, locks the rows that its
//!    rule depends on, and queues its writes.
//! 3. [`Transaction::commit`] sends the queued writes and the COMMIT in one pipeline. So a write usually costs two
//!    round trips: one for the reads, one for the writes and the COMMIT.
//! 4. The responses determine the result of the attempt:
//!    - *committed*: the server confirmed the COMMIT;
//!    - *not committed* (a deadlock, a lost connection before the COMMIT): [`transact`] tries again on another session;
//!    - *outcome unknown* (the connection was lost after the COMMIT was sent): [`resolve_unknown_outcome`] looks up
//!      whether the transaction was committed. If not, [`transact`] tries again. If the look-up fails, the caller gets
//!      [`Error::OutcomeUnknown`].

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Object;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::{Instant, sleep, timeout};

use crate::domain::idempotency::RequestKey;
use crate::domain::{Error, Result};
use crate::metric_names;

use super::commit_outcome::was_committed;
use super::transaction::{AttemptError, Transaction};
use super::unit_of_work::{OnUniqueViolation, OutcomeLookup, UnitOfWork};
use crate::store::postgres::connection::database_error::{DatabaseError, PRIMARY_CHANGED, into_error};
use crate::store::postgres::connection::pool::{Pool, Pooled};
use crate::store::postgres::connection::session::DatabaseLimits;
use crate::store::postgres::entities::counters;
use crate::store::sql::counters::Counter;

/// The maximum number of attempts at one unit of work.
const MAX_ATTEMPTS: u32 = 6;
/// The time limit for an attempt that has begun to commit. The server sets none, and a COMMIT may wait for a standby.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The upper bound of the random pause before an attempt, per attempt before it.
const RETRY_PAUSE_MILLIS: u64 = 10;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

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
    let mut transaction = Transaction::new(&session, begin_sql);
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
