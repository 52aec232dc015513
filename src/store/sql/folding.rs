//! The folded keys of a directory whose tables of Unicode are not those of this program. The folded columns come from
//! the description of each record, so a new one is folded again without further code.
//!
//! Case folding and normalization never change for characters that a version of Unicode has. So new tables change the
//! keys of few entities: of those with characters that Unicode did not have when the keys were written.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use async_trait::async_trait;

use crate::domain::client::Client;
use crate::domain::group::Group;
use crate::domain::text::FoldingTables;
use crate::domain::user::User;
use crate::store::copy::{Row, RowBatches, Table, Value};

use super::columns::{Column, Record};
use super::copy::{CLIENTS, Cells, GROUPS, USERS, column_names, select};
use super::derived::Derived;
use super::entity::{StoredEntity, Unique};

/// Selects the tables with which the keys of the directory were folded.
pub(crate) const SELECT_TABLES: &str = "SELECT value FROM settings WHERE key = 'folding'";
/// Stores the tables with which the keys of the directory are folded.
pub(crate) const STORE_TABLES: &str = "INSERT INTO settings (key, value) VALUES ('folding', $1) \
                                       ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// Why this program does not use the keys of a database. The text follows "the database NAME".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FoldingError {
    /// The keys were folded with newer tables.
    #[error(
        "was written by a newer version of Rollbook (its keys are folded with Unicode {0}, those of this version with \
         {current}): run that version or a later one",
        current = FoldingTables::CURRENT
    )]
    Newer(String),
    /// The keys were folded with older tables, and this process does not serve.
    #[error(
        "has keys that an earlier version of Rollbook folded with other tables of Unicode: start 'rollbook serve' of \
         this version, which folds them again"
    )]
    Older,
}

/// Returns whether keys that were folded with the `stored` tables must be folded again. Unknown tables count as older.
/// Fails with `Newer`, and with `Older` unless this process is to `serve`.
pub(crate) fn must_refold(stored: Option<&str>, serve: bool) -> Result<bool, FoldingError> {
    if let Some(stored) = stored {
        match FoldingTables::parse(stored) {
            Some(tables) if tables == FoldingTables::CURRENT => return Ok(false),
            Some(tables) if !tables.is_newer_than(&FoldingTables::CURRENT) => {}
            _ => return Err(FoldingError::Newer(stored.to_owned())),
        }
    }
    if serve { Ok(true) } else { Err(FoldingError::Older) }
}

/// A directory in a transaction that nobody else writes to.
#[async_trait]
pub(crate) trait Refolding: Send {
    /// Returns the rows that the statement selects, with all columns of the table.
    async fn select(&mut self, table: &'static Table, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>>;
    /// Runs a statement that changes rows.
    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<()>;
    /// Replaces the xp entries and the texts of the `owners`, which are live entities of the table, by the derived
    /// ones.
    async fn replace_derived(&mut self, table: &'static Table, owners: &[i64], derived: Derived) -> anyhow::Result<()>;
}

/// Folds every key of the directory again, batch by batch, and writes the rows whose keys differ, with the xp entries and
/// texts that are derived from them. Returns how many entities changed. Fails if two live entities would have the same
/// unique key; the transaction must then be rolled back.
pub(crate) async fn refold(directory: &mut dyn Refolding) -> anyhow::Result<usize> {
    let groups = refold_table::<Group>(directory, GROUPS).await?;
    let users = refold_table::<User>(directory, USERS).await?;
    Ok(groups + users + refold_table::<Client>(directory, CLIENTS).await?)
}

async fn refold_table<E: StoredEntity>(directory: &mut dyn Refolding, table: &'static Table) -> anyhow::Result<usize> {
    let (mut batches, mut changed) = (RowBatches::of(table), 0);
    let sql = update_keys::<E>();
    loop {
        let (last, limit) = batches.position();
        let key = last.map_or(&[][..], |last| &last[..table.key]);
        let rows = directory.select(table, &select(table, key.is_empty(), limit), key).await?;
        if rows.is_empty() {
            return Ok(changed);
        }
        batches.measure(&rows);
        let entities = rows.iter().map(read::<E>).collect::<anyhow::Result<Vec<_>>>()?;
        let mut derived = Derived::folded(&entities);
        let mut owners = owners_of_other_xp(directory, &entities, &derived).await?;
        for (row, entity) in rows.iter().zip(&entities) {
            if folded::<E>().all(|(at, column)| column.field.value(entity) == row[at]) {
                continue;
            }
            clear_unique_keys(directory, table, row, entity).await?;
            let keys = folded::<E>().map(|(_, column)| column.field.value(entity));
            directory.execute(&sql, &keys.chain([entity.uid().into()]).collect::<Vec<_>>()).await?;
            if !entity.is_live() {
                changed += 1;
            } else {
                owners.insert(entity.uid());
            }
        }
        changed += owners.len();
        for (_, rows) in &mut derived.rows {
            rows.retain(|row| owner(row).is_some_and(|owner| owners.contains(&owner)));
        }
        derived.texts.retain(|(owner, _)| owners.contains(owner));
        if !owners.is_empty() && E::DERIVED.is_some() {
            directory.replace_derived(table, &Vec::from_iter(owners), derived).await?;
        }
        batches.advance(rows);
    }
}

fn read<E: StoredEntity>(row: &Row) -> anyhow::Result<E> {
    E::read(&Cells(row)).with_context(|| format!("a {} cannot be read", E::NAME))
}

/// The folded columns, each with its place in the row.
fn folded<E: Record>() -> impl Iterator<Item = (usize, &'static Column<E>)> {
    E::COLUMNS.iter().enumerate().filter(|(_, column)| column.field.is_folded())
}

/// Returns an `UPDATE` of the folded columns of an entity. The parameters are their values, then the number.
fn update_keys<E: Record>() -> String {
    let changes: Vec<_> =
        folded::<E>().enumerate().map(|(at, (_, column))| format!("{} = ${}", column.name, at + 1)).collect();
    format!("UPDATE {} SET {} WHERE uid = ${}", E::TABLE, changes.join(", "), changes.len() + 1)
}

/// Returns the numbers of the entities whose stored xp entries are not the derived ones. `entities` are all entities
/// between the first and the last.
async fn owners_of_other_xp<E: StoredEntity>(
    directory: &mut dyn Refolding,
    entities: &[E],
    derived: &Derived,
) -> anyhow::Result<HashSet<i64>> {
    let mut owners = HashSet::new();
    let (Some(first), Some(last)) = (entities.first(), entities.last()) else { return Ok(owners) };
    for (table, rows) in &derived.rows {
        let columns = column_names(table.columns);
        let sql = format!("SELECT {columns} FROM {} WHERE owner >= $1 AND owner <= $2", table.name);
        let stored = directory.select(table, &sql, &[first.uid().into(), last.uid().into()]).await?;
        let (stored, derived): (HashSet<&Row>, HashSet<&Row>) = (stored.iter().collect(), rows.iter().collect());
        owners.extend(stored.symmetric_difference(&derived).filter_map(|row| owner(row)));
    }
    Ok(owners)
}

/// The owner of a row of xp entries, their first column.
fn owner(row: &Row) -> Option<i64> {
    match row.first() {
        Some(Value::Integer(owner)) => Some(*owner),
        _ => None,
    }
}

/// Clears the unique keys that the live entity is about to get from others, whose keys are not folded again yet. Until
/// they are, these get a key with capital letters, which no folded text has. Fails if another live entity keeps the key.
async fn clear_unique_keys<E: StoredEntity>(
    directory: &mut dyn Refolding,
    table: &'static Table,
    row: &Row,
    entity: &E,
) -> anyhow::Result<()> {
    let is_changed = |unique: &&Unique<E>| {
        folded::<E>().any(|(at, column)| column.name == unique.column && column.field.value(entity) != row[at])
    };
    for unique in E::UNIQUE.iter().filter(|unique| entity.is_live() && is_changed(unique)) {
        let Some(key) = value_of(entity, unique.column) else { continue };
        let columns = column_names(table.columns);
        let sql = format!("SELECT {columns} FROM {} WHERE {} = $1 AND deleted IS NULL", table.name, unique.column);
        for other in directory.select(table, &sql, std::slice::from_ref(&key)).await? {
            let other: E = read(&other)?;
            if value_of(&other, unique.column).as_ref() == Some(&key) {
                bail!(collision(&other, entity, unique));
            }
            let sql = format!("UPDATE {} SET {} = $1 WHERE uid = $2", table.name, unique.column);
            directory.execute(&sql, &[format!("UID {}", other.uid()).into(), other.uid().into()]).await?;
        }
    }
    Ok(())
}

fn value_of<E: Record>(record: &E, name: &str) -> Option<Value> {
    E::COLUMNS.iter().find(|column| column.name == name).map(|column| column.field.value(record))
}

/// The sentence about two live entities that would have the same unique key.
fn collision<E: StoredEntity>(one: &E, other: &E, unique: &Unique<E>) -> String {
    let name = unique.column.trim_end_matches("_key");
    let text = |entity: &E| match value_of(entity, name) {
        Some(Value::Text(text)) => format!("{text:?}"),
        _ => "none".to_owned(),
    };
    format!(
        "by this version's tables of Unicode the {kind}s {:?} and {:?} have the same {name} ({} and {}), which must be \
         unique; nothing was changed: start the previous version again, change or delete one of the two, then start \
         this version",
        one.id(),
        other.id(),
        text(one),
        text(other),
        kind = E::NAME,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RefreshToken, SigningKey};

    #[test]
    fn older_and_unknown_tables_are_for_the_server() {
        assert_eq!(must_refold(Some(&FoldingTables::CURRENT.to_string()), false), Ok(false));
        for older in [None, Some("1.1.0 1.1.0")] {
            assert_eq!(must_refold(older, true), Ok(true));
            assert_eq!(must_refold(older, false), Err(FoldingError::Older));
        }
        for newer in ["1.1.0 99.0.0", "99.0.0 1.1.0", "of another form"] {
            assert_eq!(must_refold(Some(newer), true), Err(FoldingError::Newer(newer.to_owned())));
        }
    }

    #[test]
    fn keys_are_updated_by_number() {
        assert_eq!(
            update_keys::<Group>(),
            "UPDATE groups SET id_key = $1, name_key = $2, description_key = $3 WHERE uid = $4"
        );
    }

    #[test]
    fn other_tables_have_no_folded_columns() {
        assert_eq!(folded::<RefreshToken>().count() + folded::<SigningKey>().count(), 0);
    }
}
