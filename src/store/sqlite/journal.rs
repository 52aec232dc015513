//! Writing the journal, in the transaction of the change it tells of.

use rusqlite::{Connection, params};

use crate::domain::Result;
use crate::domain::journal::Operation;
use crate::store::sql::journal::Entry;

use super::connection::failed;

/// Appends one entry.
pub fn append(connection: &Connection, operation: &Operation, entry: &Entry) -> Result<()> {
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO journal (operation, at, actor_user, actor_client, door, kind, change, subject, member, before, after) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .map_err(failed)?;
    statement
        .execute(params![
            operation.id,
            operation.at.as_micros(),
            operation.actor.user,
            operation.actor.client,
            operation.door.name(),
            entry.kind,
            entry.change.name(),
            entry.subject,
            entry.member,
            entry.before,
            entry.after
        ])
        .map(drop)
        .map_err(failed)
}
