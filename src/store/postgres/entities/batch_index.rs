//! The journal entries of a batch in PostgreSQL, with the [index of batches](crate::store::sql::journal::batch_index).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tokio_postgres::Row;

use crate::domain::error::Error;
use crate::domain::journal::Operation;
use crate::store::sql::copy::insert;
use crate::store::sql::journal::batch_entry::{Piece, of_members};
use crate::store::sql::journal::batch_index::{BATCH_INDEX, Growth, MERGE, NewEntries, NodeKey};

use super::journal;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::write::pipeline::owned;
use crate::store::postgres::write::transaction::Transaction;

/// Locks the index until the transaction ends. Batches that run at the same time add to it one after the other, so that
/// none merges nodes that another one merges, and the entries of the later one have the higher numbers. A batch locks
/// it last, shortly before its COMMIT.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(1919055723, 1)";

/// Queues the entries of a batch and adds them to the index. Returns the number of the entry of each added membership,
/// in the order of the batch.
pub(crate) async fn append(
    transaction: &mut Transaction<'_>,
    operation: &Operation,
    pieces: Vec<Piece>,
) -> Result<Vec<i64>, DatabaseError> {
    if pieces.is_empty() {
        return Ok(Vec::new());
    }
    transaction.read(LOCK, &[]).await?;
    let numbers = journal::draw_numbers(transaction, pieces.len()).await?;
    let mut entries = Vec::with_capacity(pieces.len());
    for (seq, Piece { entry, touched }) in numbers.into_iter().zip(pieces) {
        journal::append_numbered(transaction, operation, seq, entry);
        entries.push((seq, touched));
    }
    let changes_of_members = of_members(&entries);
    let new = NewEntries::of(entries.iter().map(|(seq, touched)| (*seq, &**touched)));
    let growth = merges(transaction, new).await?;
    let sets = sets(transaction, growth.stored()).await?;
    let changes = growth.changes(&sets)?;
    static INSERT: LazyLock<String> = LazyLock::new(|| insert(&BATCH_INDEX));
    for row in changes.rows {
        transaction.queue(&INSERT, owned(row.into_iter()));
    }
    for key in changes.merged {
        transaction.queue(MERGE, owned(key.values().into_iter()));
    }
    Ok(changes_of_members)
}

/// Reads the roots of all segments and decides the merges.
async fn merges(transaction: &mut Transaction<'_>, new: NewEntries) -> Result<Growth, DatabaseError> {
    let sql = "SELECT asked.at, level, first_seq, last_seq \
               FROM unnest($1::TEXT[], $2::BIGINT[]) WITH ORDINALITY AS asked (kind, segment, at) \
               JOIN batch_index USING (kind, segment) WHERE merged = 0";
    let segments = new.segments();
    let kinds: Vec<_> = segments.iter().map(|segment| segment.kind.name()).collect();
    let highs: Vec<_> = segments.iter().map(|segment| segment.high).collect();
    let root = |row: &Row| {
        let segment = *at(&segments, row)?;
        let level: i16 = row.try_get(1)?;
        Ok((NodeKey { segment, level: level.into(), first: row.try_get(2)? }, row.try_get(3)?))
    };
    let roots = transaction.read(sql, &[&kinds, &highs]).await?;
    let roots = roots.iter().map(root).collect::<Result<Vec<_>, DatabaseError>>()?;
    Ok(new.merge_into(roots))
}

/// Reads the sets of these nodes.
async fn sets(
    transaction: &mut Transaction<'_>,
    keys: Vec<NodeKey>,
) -> Result<BTreeMap<NodeKey, String>, DatabaseError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT asked.at, numbers FROM unnest($1::TEXT[], $2::BIGINT[], $3::SMALLINT[], $4::BIGINT[]) \
               WITH ORDINALITY AS asked (kind, segment, level, first_seq, at) \
               JOIN batch_index USING (kind, segment, level, first_seq)";
    let kinds: Vec<_> = keys.iter().map(|key| key.segment.kind.name()).collect();
    let highs: Vec<_> = keys.iter().map(|key| key.segment.high).collect();
    let levels: Vec<_> = keys.iter().map(|key| key.level as i16).collect();
    let firsts: Vec<_> = keys.iter().map(|key| key.first).collect();
    let result = transaction.read(sql, &[&kinds, &highs, &levels, &firsts]).await?;
    result.iter().map(|row| Ok((*at(&keys, row)?, row.try_get(1)?))).collect()
}

/// The item of a parameter to which the row belongs: its first column counts from 1.
fn at<'a, T>(items: &'a [T], row: &Row) -> Result<&'a T, DatabaseError> {
    let at: i64 = row.try_get(0)?;
    let item = usize::try_from(at - 1).ok().and_then(|at| items.get(at));
    item.ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the position {at}")).into())
}
