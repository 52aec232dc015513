//! Undoing changes in PostgreSQL: what the rule depends on is read and locked with one statement for each kind of row,
//! users before groups, each in the order of their numbers. What it decides is written in the same transaction.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::client::Client;
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::restore::GONE_MAX;
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{User, UserUid};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::undo::{KEEP_GROUP_KEYS, KEEP_USER_KEYS, YIELD_GROUP_KEYS, YIELD_USER_KEYS, undoing};
use crate::store::{StoredMembership, UndoFn, UndoMembers, UndoScope, UndoState, UndoWrite, Yielding};

use super::pipeline::parameters;
use super::transaction::Transaction;
use super::unit_of_work::{OnUniqueViolation, OutcomeLookup, UnitOfWork};
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::{clients, member_changes};
use crate::store::postgres::entity::{PostgresEntity, mutate};

/// The time limit of each statement of an undo, and of all of them together.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The number of entities whose writes are sent together.
const CHUNK: usize = 500;

/// The unit of work that undoes changes.
pub(crate) struct Undo {
    /// The operation, for the journal.
    pub operation: Operation,
    /// What the rule depends on.
    pub scope: UndoScope,
    /// The rule.
    pub rule: UndoFn,
    /// The default language of the directory.
    pub language: Tag,
}

#[async_trait]
impl UnitOfWork for Undo {
    type Output = UndoOutcome;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    fn limit(&self) -> Option<Duration> {
        Some(TIME_LIMIT)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<UndoOutcome, DatabaseError> {
        self.undo(transaction).await.map_err(|error| match error {
            // Another transaction has taken the key after `load` looked for it: run again.
            DatabaseError::UniqueViolation(index) => {
                DatabaseError::NotCommitted(format!("the unique index {index} refused a row of an undo"))
            }
            other => other,
        })
    }

    fn on_unique_violation(&self, _output: &UndoOutcome, index: &str) -> OnUniqueViolation {
        OnUniqueViolation::Retry(Error::Unavailable(format!("the unique index {index} refused a row of an undo")))
    }
}

impl Undo {
    async fn undo(&self, transaction: &mut Transaction<'_>) -> Result<UndoOutcome, DatabaseError> {
        let present = load(transaction, &self.scope).await?;
        let plan = (self.rule)(&present)?;
        if plan.is_empty() {
            return Ok(plan.outcome);
        }
        transaction.read_last_change().await?;
        let Yielding { groups, users, kept_groups, kept_users } = plan.yielding;
        groups.iter().for_each(|uid| transaction.queue(YIELD_GROUP_KEYS, parameters![*uid]));
        users.iter().for_each(|uid| transaction.queue(YIELD_USER_KEYS, parameters![*uid]));
        self.write::<User>(transaction, plan.revived_users, Some(YIELD_USER_KEYS)).await?;
        self.write::<User>(transaction, plan.users, None).await?;
        self.write::<Group>(transaction, plan.revived_groups, Some(YIELD_GROUP_KEYS)).await?;
        self.write::<Group>(transaction, plan.groups, None).await?;
        kept_groups.into_iter().for_each(|(uid, key)| transaction.queue(KEEP_GROUP_KEYS, parameters![key, uid]));
        kept_users
            .into_iter()
            .for_each(|(uid, id, name)| transaction.queue(KEEP_USER_KEYS, parameters![id, name, uid]));
        self.write::<Client>(transaction, plan.clients, None).await?;
        transaction.write().await?;
        for members in &plan.members {
            self.change_members(transaction, members).await?;
        }
        self.write::<Group>(transaction, plan.deleted_groups, None).await?;
        self.write::<User>(transaction, plan.deleted_users, None).await?;
        Ok(UndoOutcome { operation: Some(self.operation.id.clone()), ..plan.outcome })
    }

    /// Writes entities of one kind, each read again, because what was written before may have changed its counts. After
    /// each, `yield_keys` takes its unique keys, if it is restored only for a while.
    async fn write<E: PostgresEntity>(
        &self,
        transaction: &mut Transaction<'_>,
        writes: Vec<UndoWrite<E::Fields>>,
        yield_keys: Option<&'static str>,
    ) -> Result<(), DatabaseError> {
        let mut writes = writes.into_iter().peekable();
        while writes.peek().is_some() {
            transaction.write().await?;
            let chunk: Vec<_> = writes.by_ref().take(CHUNK).collect();
            let uids: Vec<_> = chunk.iter().map(|write| write.uid).collect();
            let rows = transaction.read(&E::statements().these, &[&uids]).await?;
            let mut present = by_number::<E>(&rows)?;
            for UndoWrite { uid, mutation, undoes } in chunk {
                let before = present.remove(&uid);
                E::check_references(transaction, before.as_ref(), &mutation).await?;
                let operation = undoing(&self.operation, &undoes);
                mutate(transaction, &self.language, &operation, before.as_ref(), mutation).await?;
                if let Some(sql) = yield_keys {
                    transaction.queue(sql, parameters![uid]);
                }
            }
        }
        Ok(())
    }

    async fn change_members(
        &self,
        transaction: &mut Transaction<'_>,
        UndoMembers { group, add, remove, undoes }: &UndoMembers,
    ) -> Result<(), DatabaseError> {
        let operation = undoing(&self.operation, undoes);
        match JournalEntry::of_members(*group, add, remove, transaction.time(&operation))? {
            Some(entry) => member_changes::write(transaction, &operation, *group, add, remove, entry).await,
            None => Ok(()),
        }
    }
}

/// Reads and locks what is in the scope.
async fn load(transaction: &mut Transaction<'_>, scope: &UndoScope) -> Result<UndoState, DatabaseError> {
    let of_groups = "SELECT id_key, uid FROM groups WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    let of_users = "SELECT id_key, uid FROM users WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    let of_usernames =
        "SELECT username_key, uid FROM users WHERE username_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    // Before the locks, so that the owners are locked as well. A key that moves before that makes a unique index refuse what
    // is written, and the transaction runs again.
    let mut state = UndoState {
        group_ids: owners(transaction, of_groups, &scope.group_ids).await?,
        user_ids: owners(transaction, of_users, &scope.user_ids).await?,
        usernames: owners(transaction, of_usernames, &scope.usernames).await?,
        ..UndoState::default()
    };
    let users = lock::<User>(transaction, &state.all_users(scope)).await?;
    let uids: Vec<_> = users.keys().copied().collect();
    let mut roles = clients::roles_acting_for(transaction, &uids).await?;
    let with_roles = |(uid, user)| (uid, (user, roles.remove(&uid).unwrap_or_default()));
    state.users = users.into_iter().map(with_roles).collect();
    state.groups = lock::<Group>(transaction, &state.all_groups(scope)).await?;
    state.clients = lock::<Client>(transaction, &scope.clients).await?;
    state.memberships = memberships(transaction, &scope.memberships).await?;
    state.members = members(transaction, scope, &state.groups).await?;
    state.joined = joined(transaction, scope).await?;
    Ok(state)
}

/// Locks the entities in the order of their numbers and returns them, live and deleted ones.
async fn lock<E: PostgresEntity>(
    transaction: &mut Transaction<'_>,
    uids: &BTreeSet<i64>,
) -> Result<HashMap<i64, E>, DatabaseError> {
    if uids.is_empty() {
        return Ok(HashMap::new());
    }
    let uids: Vec<_> = uids.iter().copied().collect();
    let rows = transaction.read(&E::statements().these_locked, &[&uids]).await?;
    by_number(&rows)
}

fn by_number<E: PostgresEntity>(rows: &[Row]) -> Result<HashMap<i64, E>, DatabaseError> {
    rows.iter().map(|row| E::read(row).map(|entity| (entity.uid(), entity)).map_err(DatabaseError::from)).collect()
}

async fn memberships(
    transaction: &mut Transaction<'_>,
    pairs: &BTreeSet<(GroupUid, UserUid)>,
) -> Result<HashMap<(GroupUid, UserUid), StoredMembership>, DatabaseError> {
    // OFFSET keeps the planner from any other order of the joins: for each pair, one row is looked up.
    const BY_KEYS: &str = "SELECT m.group_uid, m.user_uid, m.added, m.change \
         FROM unnest($1::BIGINT[], $2::BIGINT[]) AS pair (group_uid, user_uid), \
         LATERAL (SELECT group_uid, user_uid, added, change FROM memberships \
         WHERE group_uid = pair.group_uid AND user_uid = pair.user_uid OFFSET 0) AS m";
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let (groups, users): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    let membership = |row: Row| {
        let since = Timestamp::from_micros(row.try_get(2)?);
        Ok(((row.try_get(0)?, row.try_get(1)?), StoredMembership { since, change: row.try_get(3)? }))
    };
    transaction.read(BY_KEYS, &[&groups, &users]).await?.into_iter().map(membership).collect()
}

/// Counts the members of groups: those who are live, and of the first [`GONE_MAX`] deleted ones those in the scope.
async fn members(
    transaction: &mut Transaction<'_>,
    scope: &UndoScope,
    groups: &HashMap<GroupUid, Group>,
) -> Result<HashMap<GroupUid, u64>, DatabaseError> {
    const HIDDEN: &str = "SELECT counted.uid, hidden.user_uid FROM unnest($1::BIGINT[]) AS counted (uid), \
         LATERAL (SELECT user_uid FROM memberships WHERE group_uid = counted.uid AND live = 0 LIMIT $2) AS hidden";
    let live = |uid: &GroupUid| (*uid, groups.get(uid).map_or(0, |group| group.members.unsigned_abs()));
    let mut members: HashMap<_, _> = scope.counted_groups.iter().map(live).collect();
    if members.is_empty() {
        return Ok(members);
    }
    let counted: Vec<_> = scope.counted_groups.iter().copied().collect();
    for row in transaction.read(HIDDEN, &[&counted, &(GONE_MAX as i64)]).await? {
        if scope.users.contains(&row.try_get(1)?) {
            *members.entry(row.try_get(0)?).or_default() += 1;
        }
    }
    Ok(members)
}

/// Counts the groups of users: those that are live, or are in the scope.
async fn joined(transaction: &mut Transaction<'_>, scope: &UndoScope) -> Result<HashMap<UserUid, u64>, DatabaseError> {
    const JOINED: &str = "SELECT m.user_uid, count(*) FROM memberships m JOIN groups g ON g.uid = m.group_uid \
         WHERE m.user_uid = ANY($1) AND (g.deleted IS NULL OR g.uid = ANY($2)) GROUP BY m.user_uid";
    if scope.counted_users.is_empty() {
        return Ok(HashMap::new());
    }
    let users: Vec<_> = scope.counted_users.iter().copied().collect();
    let groups: Vec<_> = scope.groups.iter().copied().collect();
    let count = |row: Row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.unsigned_abs()));
    transaction.read(JOINED, &[&users, &groups]).await?.into_iter().map(count).collect()
}

/// Returns the live entities that have the keys.
async fn owners(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    keys: &BTreeSet<String>,
) -> Result<HashMap<String, i64>, DatabaseError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<_> = keys.iter().collect();
    let owner = |row: Row| Ok((row.try_get(0)?, row.try_get(1)?));
    transaction.read(sql, &[&keys]).await?.into_iter().map(owner).collect()
}
