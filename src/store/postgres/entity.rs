//! Generic reads and writes of groups, users and clients in PostgreSQL. The statements are derived from the description
//! of each entity's columns.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::{Error, Result};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::restore::{Restored, RestoredMemberships};
use crate::domain::target::Target;
use crate::store::Mutation;
use crate::store::sql::columns::{insert, inserted, select, update, updated};
use crate::store::sql::entity::{Applied, Lookup, StoredEntity, after, is_restored, live_difference, refuse_deleted};
use crate::store::sql::journal::JournalEntry;

use super::connection::database_error::DatabaseError;
use super::entities::journal::append;
use super::entities::{counters, derived};
use super::read::point_reads::PointReads;
use super::write::pipeline::{owned, parameters};
use super::write::transaction::Transaction;
use super::write::unit_of_work::{OnUniqueViolation, OutcomeLookup, UnitOfWork};

/// A kind of entity, with the steps that are specific to it in PostgreSQL.
#[async_trait]
pub(super) trait PostgresEntity: StoredEntity {
    /// The statements of this kind, built once.
    fn statements() -> &'static Statements;

    /// Reads the context that the update function needs in addition to the entity, which is already locked.
    async fn context(
        _transaction: &mut Transaction<'_>,
        _current: Option<&Self>,
    ) -> Result<Self::Context, DatabaseError> {
        Ok(Self::Context::default())
    }

    /// Fails with `NotFound` if the mutation creates an entity with a reference to an entity that does not exist.
    async fn check_references(
        _transaction: &mut Transaction<'_>,
        _current: Option<&Self>,
        _mutation: &Mutation<Self::Fields>,
    ) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// Queues the changes to rows that depend on the entity without being derived from it alone (memberships and
    /// counters), when it changes from `before` to `after`.
    async fn update_dependents(
        _transaction: &mut Transaction<'_>,
        _before: Option<&Self>,
        _after: &Self,
    ) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// Queues what brings back the memberships of the entity, whose deletion was undone. Returns how many there are.
    async fn return_memberships(
        _transaction: &mut Transaction<'_>,
        _restored: &Self,
    ) -> Result<RestoredMemberships, DatabaseError> {
        Ok(RestoredMemberships::new(0, 0))
    }
}

/// The statements of one kind of entity. They live for the whole process, because sessions cache prepared statements by
/// text.
pub(super) struct Statements {
    /// Selects an entity by number, live or deleted.
    pub by_uid: String,
    /// Selects entities by numbers, in no order.
    pub these: String,
    /// As `these`, and locks the entities in the order of their numbers.
    pub these_locked: String,
    /// Selects the deleted entities with these numbers, and locks them in the order of their numbers.
    pub these_deleted: String,
    /// Selects the live entities with these ID keys, and locks them in the order of their numbers.
    pub these_live: String,
    /// Selects which of these numbers are taken, each with whether its entity is deleted.
    pub taken: String,
    /// Draws the next number.
    pub next: String,
    /// The name of the sequence of numbers.
    pub sequence: String,
    /// Advances the sequence, so that it gives only numbers greater than the parameter.
    pub advance_sequence: String,
    /// As `by_uid`, and locks the entity.
    by_uid_locked: String,
    /// For each column of [`StoredEntity::UNIQUE`]: its name, the statement that selects a live entity by it, and the
    /// same with a lock.
    by_unique: Vec<(&'static str, String, String)>,
    insert: String,
    update: String,
    /// Updates [`StoredEntity::SECRET_COLUMN`].
    set_secret: Option<String>,
    /// The name of the unique index of the numbers.
    primary_key: String,
    derived: Option<derived::Statements>,
}

const LOCKED: &str = "FOR NO KEY UPDATE";

impl Statements {
    /// Builds the statements of the kind `E`.
    pub(super) fn of<E: StoredEntity>() -> Self {
        let (table, by_uid) = (E::TABLE, select::<E>("WHERE uid = $1"));
        let by_unique = E::UNIQUE.iter().map(|unique| {
            let sql = select::<E>(&format!("WHERE {} = $1 AND deleted IS NULL", unique.column));
            let locked = format!("{sql} {LOCKED}");
            (unique.column, sql, locked)
        });
        Self {
            these: select::<E>("WHERE uid = ANY($1)"),
            these_locked: select::<E>(&format!("WHERE uid = ANY($1) ORDER BY uid {LOCKED}")),
            these_deleted: select::<E>(&format!("WHERE uid = ANY($1) AND deleted IS NOT NULL ORDER BY uid {LOCKED}")),
            these_live: select::<E>(&format!(
                "WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL ORDER BY uid {LOCKED}"
            )),
            taken: format!("SELECT uid, deleted IS NOT NULL FROM {table} WHERE uid = ANY($1)"),
            next: format!("SELECT nextval('{table}_uid')"),
            sequence: format!("{table}_uid"),
            advance_sequence: format!("SELECT setval('{table}_uid', $1) FROM {table}_uid WHERE last_value <= $1"),
            by_uid_locked: format!("{by_uid} {LOCKED}"),
            by_uid,
            by_unique: by_unique.collect(),
            insert: insert::<E>(),
            update: update::<E>(),
            set_secret: E::SECRET_COLUMN.map(|column| format!("UPDATE {table} SET {column} = $2 WHERE uid = $1")),
            primary_key: format!("{table}_pkey"),
            derived: E::DERIVED.map(derived::Statements::of),
        }
    }

    /// Returns the statement that selects a live entity by this column of [`StoredEntity::UNIQUE`], and the same with a
    /// lock. Fails if the column is not unique.
    pub(super) fn by_unique(&'static self, column: &str) -> Result<(&'static str, &'static str)> {
        let result = self.by_unique.iter().find(|(unique, ..)| *unique == column);
        let (_, sql, locked) =
            result.ok_or_else(|| Error::internal(anyhow::anyhow!("no unique index is on {column}")))?;
        Ok((sql, locked))
    }
}

/// Implements [`PostgresEntity::statements`] for `$entity`: builds them when they are first needed.
macro_rules! statements {
    ($entity:ty) => {
        fn statements() -> &'static $crate::store::postgres::entity::Statements {
            use $crate::store::postgres::entity::Statements;
            static STATEMENTS: std::sync::LazyLock<Statements> = std::sync::LazyLock::new(Statements::of::<$entity>);
            &STATEMENTS
        }
    };
}
pub(super) use statements;

/// Returns the entity with the key, if it exists. A key that is a number also finds a deleted entity.
pub(super) async fn find<E: PostgresEntity>(point_reads: &PointReads, key: &E::Key) -> Result<Option<E>> {
    let statements = E::statements();
    let result = match E::lookup(key) {
        Lookup::Uid(uid) => point_reads.find(&statements.by_uid, &[&uid]).await?,
        Lookup::Unique(column, value) => point_reads.find(statements.by_unique(column)?.0, &[&value]).await?,
    };
    result.as_ref().map(E::read::<Row>).transpose()
}

/// As [`find`], and locks the entity until the transaction ends.
pub(super) async fn find_locked<E: PostgresEntity>(
    transaction: &mut Transaction<'_>,
    key: &E::Key,
) -> Result<Option<E>, DatabaseError> {
    let statements = E::statements();
    let result = match E::lookup(key) {
        Lookup::Uid(uid) => transaction.lock(&statements.by_uid_locked, &[&uid]).await?,
        Lookup::Unique(column, value) => transaction.lock(statements.by_unique(column)?.1, &[&value]).await?,
    };
    Ok(result.as_ref().map(E::read::<Row>).transpose()?)
}

/// The unit of work that creates, changes or deletes one entity by an update function.
pub(super) struct WriteEntity<E: PostgresEntity> {
    /// The operation, for the journal.
    pub operation: Operation,
    /// The key of the entity, or a new entity.
    pub target: Target<E::Key>,
    /// The update function.
    pub update: E::Update,
    /// The default language of the directory.
    pub language: Tag,
}

#[async_trait]
impl<E: PostgresEntity> UnitOfWork for WriteEntity<E> {
    type Output = E;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<E, DatabaseError> {
        self.apply(transaction).await.map(|(after, _)| after)
    }

    fn on_unique_violation(&self, output: &E, index: &str) -> OnUniqueViolation {
        if index == E::statements().primary_key {
            // A batch has used this number itself, or has set the sequence back a little, because its
            // `advance_sequence` ran while others drew numbers.
            return OnUniqueViolation::Retry(Error::Unavailable("a number was drawn twice".to_owned()));
        }
        let Some(unique) = E::UNIQUE.iter().find(|unique| unique.index == index) else {
            return OnUniqueViolation::unexpected(index);
        };
        let error = (unique.refusal)(output);
        match self.target.key().map(E::lookup) {
            // No entity had the key when it was read. Another transaction may have created it since then.
            Some(Lookup::Unique(..)) if output.version() == 1 => OnUniqueViolation::Retry(error),
            _ => OnUniqueViolation::Refused(error),
        }
    }
}

impl<E: PostgresEntity> WriteEntity<E> {
    /// Writes the entity. Also returns what became of its memberships if the update function restored it.
    async fn apply(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<(E, Option<RestoredMemberships>), DatabaseError> {
        let before: Option<E> = match self.target.key() {
            Some(key) => find_locked(transaction, key).await?,
            None => None,
        };
        let context = E::context(transaction, before.as_ref()).await?;
        let mutation = E::apply(&self.update, before.as_ref(), context)?;
        refuse_deleted(&mutation, before.as_ref())?;
        E::check_references(transaction, before.as_ref(), &mutation).await?;
        mutate(transaction, &self.language, &self.operation, before.as_ref(), mutation).await
    }
}

/// Queues what a mutation of an entity writes, with its journal entry. Returns the entity afterwards, and what became of
/// its memberships if the mutation restored it. The entity is locked.
pub(super) async fn mutate<E: PostgresEntity>(
    transaction: &mut Transaction<'_>,
    language: &Tag,
    operation: &Operation,
    before: Option<&E>,
    mutation: Mutation<E::Fields>,
) -> Result<(E, Option<RestoredMemberships>), DatabaseError> {
    let statements = E::statements();
    let uid = match before {
        Some(entity) => entity.uid(),
        None => transaction.next(&statements.next).await?,
    };
    let (after, secret) = match after(mutation, before, uid, language, transaction.time(operation))? {
        Applied::Unchanged(entity) => return Ok((entity, None)),
        Applied::Changed(entity, secret) => (entity, secret),
    };
    store(transaction, before, &after).await?;
    let memberships = match is_restored(before, &after) {
        true => Some(E::return_memberships(transaction, &after).await?),
        false => None,
    };
    if let (Some(text), Some(sql)) = (secret, &statements.set_secret) {
        transaction.queue(sql, parameters![uid, text]);
    }
    append(transaction, operation, JournalEntry::of(before, &after)?);
    Ok((after, memberships))
}

/// The unit of work that restores one entity by an update function.
pub(super) struct RestoreEntity<E: PostgresEntity>(pub WriteEntity<E>);

#[async_trait]
impl<E: PostgresEntity> UnitOfWork for RestoreEntity<E> {
    type Output = Restored<E>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        self.0.outcome_lookup()
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Restored<E>, DatabaseError> {
        let (entity, memberships) = self.0.apply(transaction).await?;
        Ok(Restored::new(entity, memberships)?)
    }

    fn on_unique_violation(&self, output: &Restored<E>, index: &str) -> OnUniqueViolation {
        self.0.on_unique_violation(&output.entity, index)
    }
}

/// Queues all writes that change the entity from `before` (`None` = new) to `after`, except its secret and its journal
/// entry.
pub(super) async fn store<E: PostgresEntity>(
    transaction: &mut Transaction<'_>,
    before: Option<&E>,
    after: &E,
) -> Result<(), DatabaseError> {
    let statements = E::statements();
    match before {
        Some(_) => transaction.queue(&statements.update, owned(updated(after))),
        None => transaction.queue(&statements.insert, owned(inserted(after))),
    }
    if let Some(statements) = &statements.derived {
        derived::update(transaction, statements, before, after);
    }
    if let Some(counter) = E::COUNTER {
        counters::add(transaction, counter, live_difference(before, after));
    }
    E::update_dependents(transaction, before, after).await
}
