//! Recorded answers in PostgreSQL: the row of a key is inserted first in the transaction of the change, so that it also
//! serves as the lock of the key, and is completed with the answer last.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::error::{Error, Result};
use crate::domain::idempotency::{Outcome, RecordedAnswer, Recording, RequestKey, Written};
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{Record as _, select};

use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OnUniqueViolation, OutcomeLookup, UnitOfWork};

/// How long a request waits for another one with the same key.
const KEY_WAIT: Duration = Duration::from_secs(5);
/// The maximum number of expired rows that one transaction deletes.
const MAX_CLEARED: i64 = 100;

/// Deletes some expired rows. SKIP LOCKED: rows that another transaction is deleting or replacing are left to it.
const CLEAR: &str = "DELETE FROM idempotency_keys WHERE (scope, key) IN (SELECT scope, key FROM idempotency_keys \
                     WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Returns the answer that is recorded under the key at `now`.
pub(crate) async fn find(point_reads: &PointReads, key: &RequestKey, now: Timestamp) -> Result<Option<RecordedAnswer>> {
    static FIND: LazyLock<String> =
        LazyLock::new(|| select::<RecordedAnswer>("WHERE scope = $1 AND key = $2 AND expires > $3"));
    let row = point_reads.find(&FIND, &[&key.scope, &key.key, &now.as_micros()]).await?;
    row.as_ref().map(RecordedAnswer::read).transpose()
}

/// The unit of work that runs another one and records its answer. Fails with `KeyInUse` if an answer is recorded under
/// the key, or if another transaction with the key does not end in time.
pub(crate) struct Recorded<C> {
    /// The change.
    pub work: C,
    /// How to record its answer.
    pub recording: Recording,
    /// The ID of the operation.
    pub operation: String,
}

#[async_trait]
impl<C: UnitOfWork<Output: Outcome + Sync>> UnitOfWork for Recorded<C> {
    type Output = C::Output;

    /// The row of the key tells whether the transaction was committed, also for a change that wrote no journal entry.
    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Recorded { key: &self.recording.key, operation: &self.operation }
    }

    fn limit(&self) -> Option<Duration> {
        self.work.limit()
    }

    fn lock_limit(&self) -> Option<Duration> {
        Some(KEY_WAIT)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<C::Output, DatabaseError> {
        self.claim(transaction).await?;
        let output = self.work.run(transaction).await?;
        match output.written() {
            Some(written) => self.complete(transaction, written)?,
            // The change was refused. Its transaction may still be committed, but its key stays free.
            None => {
                let RequestKey { scope, key } = self.recording.key.clone();
                transaction
                    .queue("DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2", parameters![scope, key]);
            }
        }
        Ok(output)
    }

    fn on_unique_violation(&self, output: &C::Output, index: &str) -> OnUniqueViolation {
        self.work.on_unique_violation(output, index)
    }
}

impl<C> Recorded<C> {
    /// Inserts the row of the key, or takes over an expired one. Waits for another transaction that has done so.
    async fn claim(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO idempotency_keys (scope, key, fingerprint, operation, expires, status) \
                   VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (scope, key) DO UPDATE SET \
                   fingerprint = excluded.fingerprint, operation = excluded.operation, expires = excluded.expires \
                   WHERE idempotency_keys.expires <= $6 RETURNING 1";
        let Recording { key, fingerprint, at, .. } = &self.recording;
        let expires = self.recording.expires().as_micros();
        let claimed = transaction
            .find(sql, &[&key.scope, &key.key, fingerprint, &self.operation, &expires, &at.as_micros()])
            .await;
        match claimed {
            Ok(Some(_)) => Ok(()),
            // The limit of the statement may be shorter than that of the lock.
            Ok(None) | Err(DatabaseError::LockTimedOut(_) | DatabaseError::TimedOut) => Err(Error::KeyInUse.into()),
            Err(error) => Err(error),
        }
    }

    /// Queues the completion of the row with the answer, and deletes some expired rows.
    fn complete(&self, transaction: &mut Transaction<'_>, written: Written<'_>) -> Result<()> {
        let sql = "UPDATE idempotency_keys SET status = $3, location = $4, tag = $5, content_type = $6, body = $7 \
                   WHERE scope = $1 AND key = $2";
        let answer = RecordedAnswer::new(&self.recording, &self.operation, written)?;
        let RecordedAnswer { key: RequestKey { scope, key }, status, location, tag, content_type, body, .. } = answer;
        transaction.queue(sql, parameters![scope, key, status, location, tag, content_type, body]);
        transaction.queue(CLEAR, parameters![self.recording.at.as_micros(), MAX_CLEARED]);
        Ok(())
    }
}

/// The unit of work that deletes some answers that have expired by this time. Its output is whether there were any.
pub(crate) struct ClearAnswers(pub Timestamp);

#[async_trait]
impl UnitOfWork for ClearAnswers {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let now = self.0.as_micros();
        let any = "SELECT 1 FROM idempotency_keys WHERE expires <= $1 LIMIT 1";
        if transaction.find(any, &[&now]).await?.is_none() {
            return Ok(false);
        }
        transaction.queue(CLEAR, parameters![now, MAX_CLEARED]);
        Ok(true)
    }
}
