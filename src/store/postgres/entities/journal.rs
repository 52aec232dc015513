//! Appends to the journal.
//!
//! - An entry draws its number after the transaction has locked the entity. So of two entries of one entity, the later
//!   one has the higher number.
//! - An entry also stores its transaction ID. A reader that follows the journal reads in the order of transaction IDs
//!   and stops below the oldest transaction in progress (`pg_snapshot_xmin`). All transactions below that have ended,
//!   so no entry can appear there later.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::actor::NamedActor;
use crate::domain::error::{Error, Result};
use crate::domain::journal::Operation;
use crate::domain::user::UserUid;
use crate::store::copy::Value;
use crate::store::sql::actors;
use crate::store::sql::copy::insert;
use crate::store::sql::journal::{INSERT, JOURNAL, JournalEntry, values};

use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::write::pipeline::{owned, parameters};
use crate::store::postgres::write::transaction::Transaction;

/// Returns the operation of the latest entry, if any.
pub(crate) async fn latest(point_reads: &PointReads) -> Result<Option<String>> {
    let result = point_reads.find("SELECT operation FROM journal ORDER BY seq DESC LIMIT 1", &[]).await?;
    result.map(|row| row.try_get(0)).transpose().map_err(Error::internal)
}

/// Returns who made the changes of the entries that exist, by number.
pub(crate) async fn actors(point_reads: &PointReads, entries: &[i64]) -> Result<HashMap<i64, NamedActor>> {
    static ACTORS: LazyLock<String> = LazyLock::new(|| actors::select("j.seq = ANY($1)"));
    let rows = point_reads.rows(&ACTORS, &[&entries]).await?;
    rows.iter().map(actors::read).collect()
}

/// Queues the insertion of the entry, with the rows of its users. The transaction counts its changes.
pub(crate) fn append(transaction: &mut Transaction<'_>, operation: &Operation, mut entry: JournalEntry) {
    let users = std::mem::take(&mut entry.users);
    transaction.changes += entry.count;
    transaction.queue(&INSERT, owned(values(operation, entry).into_iter()));
    queue_users(transaction, None, users);
}

/// Queues the rows of the users of the entry with the number; `None` = the entry queued before.
fn queue_users(transaction: &mut Transaction<'_>, seq: Option<i64>, users: Vec<(UserUid, bool)>) {
    const INSERT: &str = "INSERT INTO journal_members (user_uid, seq, position, added) \
                          SELECT user_uid, coalesce($1::BIGINT, currval('journal_seq')), position - 1, added \
                          FROM unnest($2::BIGINT[], $3::SMALLINT[]) WITH ORDINALITY AS u (user_uid, added, position)";
    if !users.is_empty() {
        let (users, added): (Vec<_>, Vec<_>) =
            users.into_iter().map(|(user, is_added)| (user, i16::from(is_added))).unzip();
        transaction.queue(INSERT, parameters![seq, users, added]);
    }
}

/// Draws the numbers of that many entries, in order. To be called once all locks are held.
pub(crate) async fn draw_numbers(transaction: &mut Transaction<'_>, count: usize) -> Result<Vec<i64>, DatabaseError> {
    let sql = "SELECT nextval('journal_seq') FROM generate_series(1, $1::BIGINT)";
    let rows = transaction.read(sql, &[&(count as i64)]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// As [`append`], for an entry with a drawn number.
pub(crate) fn append_numbered(
    transaction: &mut Transaction<'_>,
    operation: &Operation,
    seq: i64,
    mut entry: JournalEntry,
) {
    transaction.changes += entry.count;
    static INSERT: LazyLock<String> = LazyLock::new(|| insert(&JOURNAL));
    let users = std::mem::take(&mut entry.users);
    let values = std::iter::once(Value::from(seq)).chain(values(operation, entry));
    transaction.queue(&INSERT, owned(values));
    queue_users(transaction, Some(seq), users);
}
