//! Recorded answers in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::domain::error::{Error, Result};
use crate::domain::idempotency::{Outcome, RecordedAnswer, RequestKey};
use crate::domain::journal::Operation;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{insert, inserted, select};

use super::rows;
use crate::store::sqlite::storage::open::failed;
use crate::store::sqlite::write::writer::WriteContext;

/// The maximum number of expired rows that one write deletes.
const MAX_CLEARED: usize = 100;

/// Runs the write, and records its answer if the operation says so. Fails with `KeyInUse`, before the write runs, if an
/// answer is recorded under the key: the writer runs one write after the other, so the first of two equal requests has
/// ended when the second one begins.
pub(crate) fn recorded<T: Outcome>(
    context: &mut WriteContext<'_>,
    operation: &Operation,
    write: impl FnOnce(&mut WriteContext<'_>) -> Result<T>,
) -> Result<T> {
    let Some(recording) = &operation.recording else { return write(context) };
    if find(context.connection, &recording.key, recording.at).map_err(failed)?.is_some() {
        return Err(Error::KeyInUse);
    }
    let outcome = write(context)?;
    if let Some(written) = outcome.written() {
        let answer = RecordedAnswer::new(recording, &operation.id, written)?;
        replace(context.connection, &answer).map_err(failed)?;
        clear(context.connection, recording.at).map_err(failed)?;
    }
    Ok(outcome)
}

/// Returns the answer that is recorded under the key at `now`.
pub(crate) fn find(
    connection: &Connection,
    key: &RequestKey,
    now: Timestamp,
) -> rusqlite::Result<Option<RecordedAnswer>> {
    let sql = select::<RecordedAnswer>("WHERE scope = ?1 AND key = ?2 AND expires > ?3");
    connection.prepare_cached(&sql)?.query_row(params![key.scope, key.key, now.as_micros()], rows::record).optional()
}

/// Stores the answer in place of an expired one.
fn replace(connection: &Connection, answer: &RecordedAnswer) -> rusqlite::Result<()> {
    let delete = "DELETE FROM idempotency_keys WHERE scope = ?1 AND key = ?2";
    connection.prepare_cached(delete)?.execute(params![answer.key.scope, answer.key.key])?;
    connection.prepare_cached(&insert::<RecordedAnswer>())?.execute(params_from_iter(inserted(answer))).map(drop)
}

/// Deletes some answers that have expired by `now`. Returns whether there may be more.
pub(crate) fn clear(connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM idempotency_keys WHERE rowid IN \
               (SELECT rowid FROM idempotency_keys WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![now.as_micros(), MAX_CLEARED])? == MAX_CLEARED)
}
