//! Whether a transaction was committed whose connection was lost before the server said so.
//!
//! Every session holds an advisory lock of its own until it ends. Whoever gets that lock knows that the session's
//! transaction has ended, one way or the other; then the journal tells which. What is found is only good if a standby
//! that becomes the primary would find it, too: so the look-up commits a write, which waits for the standby as every
//! commit does, and for all commits before it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::pool::{Pool, Pooled};
use super::trouble::{Trouble, text};

/// For how long the outcome is looked for: a standby may have to become the primary first.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long one look may take, the wait for a standby included.
const LOOK: Duration = Duration::from_secs(8);
/// How long until the next one.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the operation was committed by the session with the key. `None` if it cannot be told now.
pub async fn was_made(pool: &Pool, key: i64, operation: &str) -> Option<bool> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        match pool.get().await {
            Ok(session) => match timeout(LOOK, look(&session, key, operation)).await {
                Ok(Ok(made)) => return Some(made),
                Ok(Err(trouble)) => tracing::debug!(?trouble, "the outcome could not be looked up"),
                Err(_) => tracing::debug!("looking the outcome up took too long"),
            },
            Err(error) => tracing::debug!(%error, "the outcome could not be looked up"),
        }
        sleep(PAUSE).await;
    }
    None
}

async fn look(session: &Pooled, key: i64, operation: &str) -> Result<bool, Trouble> {
    let client = session.client();
    let found = session.prepared("SELECT EXISTS (SELECT 1 FROM journal WHERE operation = $1)").await?;
    session.begins();
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let mut made: bool = client.query_one(&found, &[&operation]).await?.try_get(0)?;
    if !made {
        // It may still come, as long as the session is there.
        client.execute(&session.prepared("SELECT pg_advisory_xact_lock($1)").await?, &[&key]).await?;
        made = client.query_one(&found, &[&operation]).await?.try_get(0)?;
    }
    client.batch_execute("UPDATE settings SET value = value WHERE key = 'default_language'").await?;
    session.clear_warnings();
    client.batch_execute("SET LOCAL statement_timeout = 0; COMMIT").await.map_err(|error| {
        tracing::debug!(cause = text(&error), "the look-up was not committed");
        Trouble::from(error)
    })?;
    if session.was_warned() {
        return Err(Trouble::NotMade("the wait for the synchronous standby was cancelled".to_owned()));
    }
    session.ends();
    Ok(made)
}
