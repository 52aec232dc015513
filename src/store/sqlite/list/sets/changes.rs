//! Which entities have changed since a set was cached, by the journal.

use rusqlite::{Connection, Row, params};

use crate::store::sql::tables::{Groups, Listing, Upkeep};

/// The entities that may have entered or left a set after the entry of the journal; `None` where they are more than
/// `max`, or not known, as after a batch, or if entries after it are no longer kept.
pub(crate) fn changed_since<L: Listing>(
    connection: &Connection,
    max: u64,
    upkeep: Upkeep,
    entry: i64,
) -> rusqlite::Result<Option<Vec<i64>>> {
    // Entries since then may have been dropped.
    let first: Option<i64> =
        connection.prepare_cached("SELECT min(seq) FROM journal")?.query_row([], |row| row.get(0))?;
    if first.is_some_and(|first| first > entry + 1) {
        return Ok(None);
    }
    match upkeep {
        Upkeep::Entity => by_entities::<L>(connection, max, entry),
        Upkeep::Memberships(end) => by_memberships::<L>(connection, max, end, entry),
        Upkeep::Unknown => Ok(None),
    }
}

fn by_entities<L: Listing>(connection: &Connection, max: u64, entry: i64) -> rusqlite::Result<Option<Vec<i64>>> {
    // The plus keeps SQLite from the index on the kind, which holds all entries since the first.
    let sql = "SELECT subject, kind = 'batch' FROM journal WHERE seq > ?1 AND +kind IN ('batch', ?2) LIMIT ?3";
    let mut changes = connection.prepare_cached(sql)?;
    let changes = changes.query_map(params![entry, L::JOURNALED_AS, max + 1], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let changes: Vec<(i64, bool)> = changes.collect::<rusqlite::Result<_>>()?;
    if changes.len() as u64 > max || changes.iter().any(|(_, in_batch)| *in_batch) {
        return Ok(None);
    }
    Ok(Some(changes.into_iter().map(|(subject, _)| subject).collect()))
}

/// The same of a set that memberships decide: all of them, or those with the entity with the number `end`.
fn by_memberships<L: Listing>(
    connection: &Connection,
    max: u64,
    end: Option<i64>,
    entry: i64,
) -> rusqlite::Result<Option<Vec<i64>>> {
    // An edit of the entity at the other end changes no membership. The plus is as above.
    let sql = "SELECT kind, subject, member FROM journal WHERE seq > ?1 AND (+kind IN ('batch', 'membership', \
               'members', ?2) OR +kind = ?3 AND change NOT IN ('created', 'updated'))";
    let mut entries = connection.prepare_cached(sql)?;
    let ends = L::MEMBERSHIPS;
    let mut entries = entries.query(params![entry, L::JOURNALED_AS, ends.other_journaled_as])?;
    let mut changed = Vec::new();
    while let Some(row) = entries.next()? {
        match change::<L>(row, end)? {
            Change::Of(uid) => changed.push(uid),
            Change::None => {}
            Change::Unknown => return Ok(None),
        }
        if changed.len() as u64 > max {
            return Ok(None);
        }
    }
    Ok(Some(changed))
}

/// What an entry of the journal tells of a set.
enum Change {
    /// The entity with the number may have entered or left it.
    Of(i64),
    /// Nothing changed.
    None,
    /// It is not known which entities did.
    Unknown,
}

fn change<L: Listing>(row: &Row<'_>, end: Option<i64>) -> rusqlite::Result<Change> {
    let (kind, subject, member): (String, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let concerns = |number: i64| end.is_none_or(|end| end == number);
    let is_of_groups = L::TABLE == Groups::TABLE;
    Ok(match (&*kind, member) {
        (kind, _) if kind == L::JOURNALED_AS => Change::Of(subject),
        ("membership", Some(user)) => match is_of_groups {
            true if concerns(user) => Change::Of(subject),
            false if concerns(subject) => Change::Of(user),
            _ => Change::None,
        },
        // The users are in the text of the entry.
        ("members", _) if is_of_groups => Change::Of(subject),
        ("members", _) if !concerns(subject) => Change::None,
        ("batch" | "members" | "membership", _) => Change::Unknown,
        // An entity at the other end was deleted or restored.
        _ if concerns(subject) => Change::Unknown,
        _ => Change::None,
    })
}
