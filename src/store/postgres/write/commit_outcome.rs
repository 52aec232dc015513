//! The look-up of a commit's outcome: whether a transaction was committed if its connection was lost before the server
//! confirmed the COMMIT.
//!
//! 1. If the journal has an entry of the operation, or its answer is recorded under its idempotency key, the transaction
//!    was committed.
//! 2. If not, the transaction may still be running on the server. Every session holds an advisory lock of its own until
//!    it ends, so the look-up waits for that lock and then looks again. Then the result is final on this
//!    server.
//! 3. The result must also hold on a standby that becomes the primary. So the look-up commits a write of its own, which
//!    waits for the standby as every commit does, and thereby for all commits before it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;

use crate::store::postgres::connection::database_error::{DatabaseError, PRIMARY_CHANGED, text};
use crate::store::postgres::connection::pool::{Pool, Pooled};
use crate::store::postgres::connection::session::STANDBY_WAIT_CANCELLED;

/// The time after which no new attempt at the look-up starts. A standby may have to become the primary first.
const DEADLINE: Duration = Duration::from_secs(12);
/// The time limit of one attempt, including its wait for a standby.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
/// The pause between two attempts.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Returns whether a transaction was committed by the session that holds the advisory lock `lock_key`. `trace` selects
/// whether what only this transaction writes exists, with the parameters `values`. `None` if it could not be found out
/// before the deadline.
pub(crate) async fn was_committed(
    pool: &Pool,
    lock_key: i64,
    trace: &'static str,
    values: &[&(dyn ToSql + Sync)],
) -> Option<bool> {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        match pool.get().await {
            Ok(session) => {
                let attempt = session.while_current(look_up(&session, lock_key, trace, values));
                match timeout(ATTEMPT_TIMEOUT, attempt).await {
                    Ok(Some(Ok(committed))) => return Some(committed),
                    Ok(None) => tracing::debug!("{PRIMARY_CHANGED}"),
                    Ok(Some(Err(error))) => tracing::debug!(?error, "the look-up of a commit outcome failed"),
                    Err(_) => tracing::debug!("the look-up of a commit outcome timed out"),
                }
            }
            Err(error) => tracing::debug!(%error, "the look-up of a commit outcome has no session"),
        }
        sleep(RETRY_DELAY).await;
    }
    None
}

/// One attempt at the look-up, as one transaction on the session.
async fn look_up(
    session: &Pooled,
    lock_key: i64,
    trace: &'static str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<bool, DatabaseError> {
    let client = session.client();
    let statement = session.prepared(trace).await?;
    session.begin_transaction();
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let mut committed: bool = client.query_one(&statement, values).await?.try_get(0)?;
    if !committed {
        // The transaction can still be committed until its session has ended.
        client.execute(&session.prepared("SELECT pg_advisory_xact_lock($1)").await?, &[&lock_key]).await?;
        committed = client.query_one(&statement, values).await?.try_get(0)?;
    }
    client.batch_execute("UPDATE settings SET value = value WHERE key = 'default_language'").await?;
    session.clear_warnings();
    client.batch_execute(&format!("{}; COMMIT", session.before_commit())).await.map_err(|error| {
        tracing::debug!(cause = text(&error), "the look-up was not committed");
        DatabaseError::from(error)
    })?;
    if session.was_warned() {
        return Err(DatabaseError::NotCommitted(STANDBY_WAIT_CANCELLED.to_owned()));
    }
    session.end_transaction();
    session.check_current(committed)
}
