//! Writing the journal, in the transaction of the change it tells of.

use rusqlite::{Connection, params};

use crate::domain::Result;
use crate::domain::journal::{Change, Operation};

use super::connection::failed;

/// What changed, and how.
#[derive(Debug)]
pub struct Entry {
    /// `group`, `user`, `membership` or `client`.
    pub kind: &'static str,
    /// The number of the thing; of a membership, the group's.
    pub subject: i64,
    /// The user of a membership.
    pub member: Option<i64>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Appends one entry.
pub fn append(connection: &Connection, operation: &Operation, change: Change, entry: &Entry) -> Result<()> {
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
            change.name(),
            entry.subject,
            entry.member,
            entry.before,
            entry.after
        ])
        .map(drop)
        .map_err(failed)
}
