//! The journal entries of a batch in SQLite, with the [index of batches](crate::store::sql::journal::batch_index).

use std::sync::LazyLock;

use rusqlite::{Connection, params, params_from_iter};

use crate::domain::error::Result;
use crate::domain::journal::Operation;
use crate::store::sql::copy::insert;
use crate::store::sql::journal::batch_entry::{Piece, of_members};
use crate::store::sql::journal::batch_index::{BATCH_INDEX, Changes, Growth, MERGE, NewEntries, NodeKey};

use super::journal;
use crate::store::sqlite::storage::open::failed;

/// Appends the entries of a batch and adds them to the index. Returns the number of the entry of each added membership,
/// in the order of the batch.
pub(crate) fn append(connection: &Connection, operation: &Operation, pieces: Vec<Piece>) -> Result<Vec<i64>> {
    let mut entries = Vec::with_capacity(pieces.len());
    for Piece { entry, touched } in pieces {
        journal::append(connection, operation, entry)?;
        entries.push((connection.last_insert_rowid(), touched));
    }
    let changes_of_members = of_members(&entries);
    let new = NewEntries::of(entries.iter().map(|(seq, touched)| (*seq, &**touched)));
    let growth = merges(connection, new).map_err(failed)?;
    let sets = growth.stored().into_iter().map(|key| Ok((key, numbers(connection, key)?)));
    let sets = sets.collect::<rusqlite::Result<_>>().map_err(failed)?;
    write(connection, growth.changes(&sets)?).map_err(failed)?;
    Ok(changes_of_members)
}

/// Reads the roots of all segments and decides the merges.
fn merges(connection: &Connection, new: NewEntries) -> rusqlite::Result<Growth> {
    let sql = "SELECT level, first_seq, last_seq FROM batch_index WHERE kind = ?1 AND segment = ?2 AND merged = 0";
    let (mut statement, mut roots) = (connection.prepare_cached(sql)?, Vec::new());
    for segment in new.segments() {
        let of_segment = statement.query_map(params![segment.kind.name(), segment.high], |row| {
            Ok((NodeKey { segment, level: row.get(0)?, first: row.get(1)? }, row.get(2)?))
        })?;
        for root in of_segment {
            roots.push(root?);
        }
    }
    Ok(new.merge_into(roots))
}

fn numbers(connection: &Connection, key: NodeKey) -> rusqlite::Result<String> {
    let sql = "SELECT numbers FROM batch_index WHERE kind = ?1 AND segment = ?2 AND level = ?3 AND first_seq = ?4";
    connection.prepare_cached(sql)?.query_row(params_from_iter(key.values()), |row| row.get(0))
}

fn write(connection: &Connection, changes: Changes) -> rusqlite::Result<()> {
    static INSERT: LazyLock<String> = LazyLock::new(|| insert(&BATCH_INDEX));
    let (mut insert, mut merge) = (connection.prepare_cached(&INSERT)?, connection.prepare_cached(MERGE)?);
    for row in changes.rows {
        insert.execute(params_from_iter(row))?;
    }
    for key in changes.merged {
        merge.execute(params_from_iter(key.values()))?;
    }
    Ok(())
}
