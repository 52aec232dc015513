//! Detection of transaction poolers between a node and PostgreSQL. A pooler that gives each transaction another session
//! (PgBouncer with `pool_mode = transaction`) breaks the state that this store keeps in sessions: prepared statements,
//! settings, and the advisory lock that shows when a session has ended (docs/operations.md, section 2).

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The error message for a transaction pooler, with what to do.
pub(crate) const REFUSAL: &str = "a connection pooler in front of PostgreSQL gives each transaction another session, and \
                           Rollbook keeps state in its sessions: set the pooler to session pooling (in PgBouncer \
                           pool_mode = session), or let --database lead to PostgreSQL itself";

/// Returns whether a pooler gives the transactions of one connection different sessions; tries it with two connections.
/// If this fails, a transaction may be open on either connection.
pub(crate) async fn pools_transactions(one: &Client, two: &Client) -> Result<bool, tokio_postgres::Error> {
    match changes_sessions(one, two).await {
        // PgBouncer with `pool_mode = statement` refuses to begin a transaction with this code.
        Err(error) if error.code() == Some(&SqlState::PROTOCOL_VIOLATION) => Ok(true),
        result => result,
    }
}

async fn changes_sessions(one: &Client, two: &Client) -> Result<bool, tokio_postgres::Error> {
    let session = begin(one).await?;
    begin(two).await?;
    end(one).await?;
    end(two).await?;
    // A pooler may hand out the session that was returned last, or the one returned first: two tries cover both.
    for _ in 0..2 {
        let next = begin(one).await?;
        end(one).await?;
        if next != session {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Begins a transaction and returns the process ID of its session.
async fn begin(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    Ok(first_value(&client.simple_query("BEGIN; SELECT pg_backend_pid()").await?))
}

async fn end(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("ROLLBACK").await
}

/// Returns the first value of the first row, if any.
pub(crate) fn first_value(messages: &[SimpleQueryMessage]) -> Option<String> {
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })?;
    row.get(0).map(str::to_owned)
}
