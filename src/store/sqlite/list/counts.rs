//! The numbers of what the directory has, in one snapshot.

use rusqlite::Connection;

use crate::domain::community::{Communities, Visibility};
use crate::domain::counts::Counts;
use crate::domain::time::Timestamp;
use crate::store::sql::counters::{COUNTED_LINKS_MAX, Counter, FIRST_CHANGE, linked_groups, sizes};

use super::engine::Sqlite;
use super::statements::all;
use crate::store::sqlite::entities::counters;

/// Counts what a caller may see.
pub(crate) fn of(connection: &Connection, visibility: &Visibility) -> rusqlite::Result<Counts> {
    let counter = |counter| counters::get(connection, counter);
    let (groups, memberships) = match visibility.limit() {
        None => (Some(counter(Counter::Groups)?), Some(counter(Counter::Memberships)?)),
        Some(communities) => linked(connection, communities)?.unzip(),
    };
    let oldest: Option<i64> = connection.prepare_cached(FIRST_CHANGE)?.query_row([], |row| row.get(0))?;
    Ok(Counts {
        groups,
        users: counter(Counter::Users)?,
        memberships,
        changes: counter(Counter::Changes)?,
        oldest_change: oldest.map(Timestamp::from_micros),
    })
}

/// Counts the groups that are linked to one of the communities, and their members. `None` if that costs too much.
fn linked(connection: &Connection, communities: &Communities) -> rusqlite::Result<Option<(u64, u64)>> {
    let mut groups: Vec<i64> = all(connection, &linked_groups(communities), |row| row.get(0))?;
    if groups.len() > COUNTED_LINKS_MAX {
        return Ok(None);
    }
    groups.sort_unstable();
    groups.dedup();
    let sizes: Vec<u64> = all(connection, &sizes(&Sqlite, &groups), |row| row.get(0))?;
    Ok(Some((groups.len() as u64, sizes.iter().sum())))
}
