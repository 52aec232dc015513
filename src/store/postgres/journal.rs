//! Appending to the journal. Its numbers are drawn here, after the locks of the change, so that of two changes of one
//! thing the later one has the higher number. Beside each stands its transaction's number: who reads changes as they
//! come goes by that, and stops below the oldest transaction that is still under way (`pg_snapshot_xmin`): all that is
//! before it has ended, so nothing can come in between afterwards.

use crate::domain::journal::Operation;
use crate::store::sql::journal::Entry;

use super::pipeline::parameters;
use super::transaction::Writing;

/// Queues the entry.
pub fn append(writing: &mut Writing<'_>, operation: &Operation, entry: Entry) {
    let sql = "INSERT INTO journal (operation, at, actor_user, actor_client, door, kind, change, subject, member, \
               before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    writing.queue(
        sql,
        parameters![
            operation.id.clone(),
            operation.at.as_micros(),
            operation.actor.user,
            operation.actor.client,
            operation.door.name(),
            entry.kind,
            entry.change.name(),
            entry.subject,
            entry.member,
            entry.before,
            entry.after,
        ],
    );
}
