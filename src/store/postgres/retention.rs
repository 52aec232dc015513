//! Dropping the oldest changes in PostgreSQL. Of several nodes, one takes a step at a time; the others leave it to that one.

use async_trait::async_trait;

use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::store::sql::retention::{Dropped, HORIZON, Horizon, NODES, OLDEST, Oldest, STORE_HORIZON};

use super::connection::database_error::DatabaseError;
use super::entities::batch_index;
use super::write::pipeline::parameters;
use super::write::transaction::Transaction;
use super::write::unit_of_work::{OutcomeLookup, UnitOfWork};

/// Locks retention until the transaction ends, unless another node has locked it.
const TRY_LOCK: &str = "SELECT pg_try_advisory_xact_lock(1919055723, 2)";

/// The unit of work of one step, which drops changes before this time. Its output is whether there may be more to drop.
pub(super) struct DropChanges(pub Timestamp);

#[async_trait]
impl UnitOfWork for DropChanges {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let is_locked = transaction.find(TRY_LOCK, &[]).await?.map_or(Ok(false), |row| row.try_get(0))?;
        if !is_locked {
            return Ok(false);
        }
        let present: Option<String> = match transaction.find(HORIZON, &[]).await? {
            Some(row) => Some(row.try_get(0)?),
            None => None,
        };
        let present = present.map(|text| Horizon::parse(&text)).transpose()?;
        let rows = transaction.read(OLDEST, &[&present.map_or(0, |horizon| horizon.seq)]).await?;
        let oldest = rows.iter().map(Oldest::read).collect::<Result<Vec<_>>>()?;
        let Dropped { entries, users, horizon, more } = Dropped::of(oldest, self.0, present);
        let Some(horizon) = horizon else { return Ok(false) };
        if !users.0.is_empty() {
            const USERS: &str = "DELETE FROM journal_members AS m USING unnest($1::BIGINT[], $2::BIGINT[]) \
                                 AS own (user_uid, seq) WHERE m.user_uid = own.user_uid AND m.seq = own.seq";
            transaction.queue(USERS, parameters![users.0, users.1]);
        }
        if !entries.is_empty() {
            transaction.queue("DELETE FROM journal WHERE seq = ANY($1)", parameters![entries]);
            transaction.queue(STORE_HORIZON, parameters![horizon.text()]);
        }
        Ok(delete_nodes(transaction, horizon.seq).await? || more)
    }
}

/// Queues the deletion of some nodes of the index of batches that cover no later entry. Returns whether there may be more. A batch that runs
/// at the same time may merge them, so the index is locked.
async fn delete_nodes(transaction: &mut Transaction<'_>, last: i64) -> Result<bool, DatabaseError> {
    const ANY: &str = "SELECT 1 FROM batch_index WHERE last_seq <= $1 LIMIT 1";
    const DELETE: &str = "DELETE FROM batch_index WHERE (kind, segment, level, first_seq) IN \
                          (SELECT kind, segment, level, first_seq FROM batch_index WHERE last_seq <= $1 LIMIT $2)";
    if transaction.find(ANY, &[&last]).await?.is_none() {
        return Ok(false);
    }
    transaction.read(batch_index::LOCK, &[]).await?;
    transaction.queue(DELETE, parameters![last, NODES]);
    Ok(true)
}
