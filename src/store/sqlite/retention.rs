//! Dropping the oldest changes in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::store::sql::retention::{Dropped, HORIZON, Horizon, NODES, OLDEST, Oldest, STORE_HORIZON};

use super::storage::open::failed;

/// Whether a step would drop anything. A read, so that a server without old changes writes nothing.
pub(super) fn is_due(connection: &Connection, before: Timestamp) -> Result<bool> {
    let horizon = horizon(connection)?;
    let dropped = decide(connection, before, horizon)?;
    if !dropped.entries.is_empty() {
        return Ok(true);
    }
    let nodes = "SELECT EXISTS (SELECT 1 FROM batch_index WHERE last_seq <= ?1)";
    let last = horizon.map_or(0, |horizon| horizon.seq);
    connection.prepare_cached(nodes).and_then(|mut nodes| nodes.query_row([last], |row| row.get(0))).map_err(failed)
}

/// Takes one step. Returns whether there may be more to drop.
pub(super) fn drop_changes(connection: &Connection, before: Timestamp) -> Result<bool> {
    let present = horizon(connection)?;
    let dropped = decide(connection, before, present)?;
    let more = write(connection, &dropped, present).map_err(failed)?;
    Ok(more || dropped.more)
}

fn horizon(connection: &Connection) -> Result<Option<Horizon>> {
    let text: rusqlite::Result<Option<String>> =
        connection.prepare_cached(HORIZON).and_then(|mut select| select.query_row([], |row| row.get(0)).optional());
    text.map_err(failed)?.map(|text| Horizon::parse(&text)).transpose()
}

fn decide(connection: &Connection, before: Timestamp, horizon: Option<Horizon>) -> Result<Dropped> {
    let mut select = connection.prepare_cached(OLDEST).map_err(failed)?;
    let mut rows = select.query([horizon.map_or(0, |horizon| horizon.seq)]).map_err(failed)?;
    let mut oldest = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        oldest.push(Oldest::read(row)?);
    }
    Ok(Dropped::of(oldest, before, horizon))
}

/// Writes the step. Returns whether there may be more nodes to delete.
fn write(connection: &Connection, dropped: &Dropped, present: Option<Horizon>) -> rusqlite::Result<bool> {
    let Some(horizon) = dropped.horizon else { return Ok(false) };
    let mut users = connection.prepare_cached("DELETE FROM journal_members WHERE user_uid = ?1 AND seq = ?2")?;
    for (user, seq) in dropped.users.0.iter().zip(&dropped.users.1) {
        users.execute([user, seq])?;
    }
    let mut entries = connection.prepare_cached("DELETE FROM journal WHERE seq = ?1")?;
    for seq in &dropped.entries {
        entries.execute([seq])?;
    }
    if Some(horizon) != present {
        connection.prepare_cached(STORE_HORIZON)?.execute([horizon.text()])?;
    }
    let nodes = "DELETE FROM batch_index WHERE rowid IN (SELECT rowid FROM batch_index WHERE last_seq <= ?1 LIMIT ?2)";
    Ok(connection.prepare_cached(nodes)?.execute(params![horizon.seq, NODES])? as i64 == NODES)
}
