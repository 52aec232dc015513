//! Reads and writes groups, users and clients in SQLite. The statements are derived from the description of each
//! entity.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params, params_from_iter};

use crate::domain::error::{Error, Result};
use crate::domain::journal::Operation;
use crate::domain::labels::{Labels, Tag};
use crate::domain::restore::{Restored, RestoredMemberships};
use crate::domain::target::Target;
use crate::store::Mutation;
use crate::store::copy::{Table, Value};
use crate::store::sql::columns::{inserted, select, upsert};
use crate::store::sql::copy::insert;
use crate::store::sql::entity::{
    Applied, DerivedTables, Lookup, Sources, StoredEntity, Unique, after, changed_labels, changed_links, is_restored,
    live_difference, live_sources, refuse_deleted, xp_of,
};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::labels::rows as label_rows;

use super::entities::journal::{append, time};
use super::entities::{counters, rows, xp};
use super::list::text_index::{TextChange, TextIndex};
use super::storage::open::{failed, is_unique_violation, number};
use super::write::writer::WriteContext;

/// A kind of entity, with what only this kind needs in SQLite.
pub(super) trait SqliteEntity: StoredEntity {
    /// Returns the statements of the kind, built once.
    fn statements() -> &'static Statements;

    /// Reads what an update function receives in addition to the entity.
    fn context(_connection: &Connection, _current: Option<&Self>) -> rusqlite::Result<Self::Context> {
        Ok(Self::Context::default())
    }

    /// Fails if a new entity refers to an entity that does not exist.
    fn check_references(
        _connection: &Connection,
        _current: Option<&Self>,
        _mutation: &Mutation<Self::Fields>,
    ) -> Result<()> {
        Ok(())
    }

    /// Updates what depends on the entity and is not derived from it alone, after a change from `before` to `after`.
    fn update_dependents(
        _context: &mut WriteContext<'_>,
        _before: Option<&Self>,
        _after: &Self,
    ) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Brings back the memberships of the entity, whose deletion was undone. Returns how many there are.
    fn return_memberships(_context: &mut WriteContext<'_>, _restored: &Self) -> rusqlite::Result<RestoredMemberships> {
        Ok(RestoredMemberships::new(0, 0))
    }
}

/// The statements of one kind of entity.
pub(super) struct Statements {
    by_uid: String,
    /// One statement for each column of [`StoredEntity::UNIQUE`].
    by_unique: Vec<(&'static str, String)>,
    upsert: String,
    /// Sets [`StoredEntity::SECRET_COLUMN`].
    set_secret: Option<String>,
}

impl Statements {
    /// Builds the statements of the kind `E`.
    pub(super) fn of<E: StoredEntity>() -> Self {
        let by_unique = |unique: &Unique<E>| {
            (unique.column, select::<E>(&format!("WHERE {} = ?1 AND deleted IS NULL", unique.column)))
        };
        Self {
            by_uid: select::<E>("WHERE uid = ?1"),
            by_unique: E::UNIQUE.iter().map(by_unique).collect(),
            upsert: upsert::<E>(),
            set_secret: E::SECRET_COLUMN.map(|column| format!("UPDATE {} SET {column} = ?2 WHERE uid = ?1", E::TABLE)),
        }
    }
}

/// Implements [`SqliteEntity::statements`]: the statements of `$entity`, built at the first call.
macro_rules! statements {
    ($entity:ty) => {
        fn statements() -> &'static $crate::store::sqlite::entity::Statements {
            use $crate::store::sqlite::entity::Statements;
            static STATEMENTS: std::sync::LazyLock<Statements> = std::sync::LazyLock::new(Statements::of::<$entity>);
            &STATEMENTS
        }
    };
}
pub(super) use statements;

/// Returns the entity with the key. A key by number also finds a deleted entity.
pub(super) fn find<E: SqliteEntity>(connection: &Connection, key: &E::Key) -> rusqlite::Result<Option<E>> {
    match E::lookup(key) {
        Lookup::Uid(uid) => by_uid::<E>(connection)?.query_row([uid], rows::record).optional(),
        Lookup::Unique(column, value) => by_unique(connection, column, &value),
    }
}

/// Prepares the statement that finds an entity by number.
pub(super) fn by_uid<E: SqliteEntity>(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(&E::statements().by_uid)
}

fn by_unique<E: SqliteEntity>(connection: &Connection, column: &str, value: &str) -> rusqlite::Result<Option<E>> {
    match E::statements().by_unique.iter().find(|(unique, _)| *unique == column) {
        Some((_, sql)) => connection.prepare_cached(sql)?.query_row([value], rows::record).optional(),
        None => Err(rusqlite::Error::InvalidColumnName(column.to_owned())),
    }
}

/// Writes an entity as the update function decides, with its journal entry, and returns the entity after the write.
pub(super) fn write<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    target: &Target<E::Key>,
    update: &E::Update,
) -> Result<E> {
    apply(context, language, operation, target, update).map(|(after, _)| after)
}

/// As [`write()`], for an update function that restores the entity. Also returns what became of its memberships.
pub(super) fn restore<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    target: &Target<E::Key>,
    update: &E::Update,
) -> Result<Restored<E>> {
    let (entity, memberships) = apply(context, language, operation, target, update)?;
    Restored::new(entity, memberships)
}

/// Writes an entity as [`write()`] does. Also returns what became of its memberships if the update function restored it.
fn apply<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    target: &Target<E::Key>,
    update: &E::Update,
) -> Result<(E, Option<RestoredMemberships>)> {
    let before: Option<E> = target.key().map_or(Ok(None), |key| find(context.connection, key)).map_err(failed)?;
    let extra = E::context(context.connection, before.as_ref()).map_err(failed)?;
    let mutation = E::apply(update, before.as_ref(), extra)?;
    refuse_deleted(&mutation, before.as_ref())?;
    E::check_references(context.connection, before.as_ref(), &mutation)?;
    mutate(context, language, operation, before.as_ref(), mutation)
}

/// Applies a mutation to an entity, with its journal entry. Returns the entity afterwards, and what became of its
/// memberships if the mutation restored it.
pub(super) fn mutate<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    before: Option<&E>,
    mutation: Mutation<E::Fields>,
) -> Result<(E, Option<RestoredMemberships>)> {
    let uid = number(context.connection, E::TABLE, before.map(E::uid))?;
    let at = time(context.connection, operation)?;
    let (after, secret) = match after(mutation, before, uid, language, at)? {
        Applied::Unchanged(entity) => return Ok((entity, None)),
        Applied::Changed(entity, secret) => (entity, secret),
    };
    store(context, before, &after)?;
    let memberships = match is_restored(before, &after) {
        true => Some(E::return_memberships(context, &after).map_err(failed)?),
        false => None,
    };
    if let (Some(text), Some(sql)) = (secret, &E::statements().set_secret) {
        context.connection.prepare_cached(sql).and_then(|mut set| set.execute((uid, text))).map_err(failed)?;
    }
    append(context.connection, operation, JournalEntry::of(before, &after)?)?;
    Ok((after, memberships))
}

/// Stores the change from `before` to `after` in all tables, except the secret. Fails with the refusal of the unique
/// index if another live entity has one of the values.
pub(super) fn store<E: SqliteEntity>(context: &mut WriteContext<'_>, before: Option<&E>, after: &E) -> Result<()> {
    let upserted = context.connection.prepare_cached(&E::statements().upsert);
    match upserted.and_then(|mut upsert| upsert.execute(params_from_iter(inserted(after)))) {
        Err(error) if is_unique_violation(&error) => return Err(conflict(context.connection, after)?),
        outcome => outcome.map_err(failed)?,
    };
    if let Some(tables) = E::DERIVED {
        derive(context, &tables, before, after).map_err(failed)?;
    }
    if let Some(counter) = E::COUNTER {
        counters::add(context.connection, counter, live_difference(before, after)).map_err(failed)?;
    }
    E::update_dependents(context, before, after).map_err(failed)
}

/// Returns the error for the first unique value that another live entity has.
fn conflict<E: SqliteEntity>(connection: &Connection, entity: &E) -> Result<Error> {
    for unique in E::UNIQUE {
        let value =
            E::COLUMNS.iter().find(|column| column.name == unique.column).map(|current| current.field.value(entity));
        let Some(Value::Text(value)) = value else { continue };
        let other: Option<E> = by_unique(connection, unique.column, &value).map_err(failed)?;
        if other.is_some_and(|other| other.uid() != entity.uid()) {
            return Ok((unique.refusal)(entity));
        }
    }
    Ok(Error::internal(anyhow::anyhow!("a unique index of {} refused a row", E::TABLE)))
}

/// Updates the derived rows of the entity after a change from `before` to `after`.
fn derive<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    tables: &DerivedTables,
    before: Option<&E>,
    after: &E,
) -> rusqlite::Result<()> {
    let uid = after.uid();
    let (was, is) = (live_sources(before), live_sources(Some(after)));
    if let Some(table) = tables.links {
        link(context.connection, table.name, uid, was.as_ref(), is.as_ref())?;
    }
    if let (Some(table), Some(labels)) = (tables.labels, changed_labels(was.as_ref(), is.as_ref())) {
        save_labels(context.connection, table, uid, labels)?;
    }
    xp::save(context.connection, tables.xp, uid, xp_of(was.as_ref()), xp_of(is.as_ref()))?;
    let index = TextIndex::in_table(E::TABLE);
    let (texts_were, texts_are) = (was.map(|sources| sources.texts), is.map(|sources| sources.texts));
    let change = index.and_then(|index| TextChange::between(index, uid, texts_were, texts_are));
    context.texts.extend(change);
    Ok(())
}

/// Replaces the rows of the labels.
fn save_labels(connection: &Connection, table: &Table, uid: i64, labels: Option<&Labels>) -> rusqlite::Result<()> {
    connection.prepare_cached(&format!("DELETE FROM {} WHERE owner = ?1", table.name))?.execute([uid])?;
    let mut insert = connection.prepare_cached(&insert(table))?;
    let mut rows = labels.into_iter().flat_map(label_rows);
    rows.try_for_each(|row| insert.execute(params_from_iter(row.into_row(uid))).map(drop))
}

/// Updates the links to communities.
fn link(
    connection: &Connection,
    table: &str,
    uid: i64,
    was: Option<&Sources<'_>>,
    is: Option<&Sources<'_>>,
) -> rusqlite::Result<()> {
    let (gone, new) = changed_links(was, is);
    for community in gone {
        let sql = format!("DELETE FROM {table} WHERE community = ?1 AND owner = ?2");
        connection.prepare_cached(&sql)?.execute(params![community, uid])?;
    }
    for community in new {
        let sql = format!("INSERT INTO {table} (community, owner) VALUES (?1, ?2)");
        connection.prepare_cached(&sql)?.execute(params![community, uid])?;
    }
    Ok(())
}
