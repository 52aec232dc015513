//! Batches in PostgreSQL:
//!
//! 1. [`load`] reads and locks everything that the items depend on, with one statement per kind of row.
//! 2. [`decide`] applies the items in memory, in their order.
//! 3. [`WriteBatch::write`] writes the result: new entities in bulk, changes of existing entities one by one.
//!
//! So the number of statements of a batch does not grow with the number of new entities.

mod decide;
mod load;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::{Client, Row};

use crate::domain::error::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::copy::Table;
use crate::store::sql::columns::row;
use crate::store::sql::copy::{GROUPS, USERS};
use crate::store::sql::counters::Counter;
use crate::store::sql::derived::{Derived, GROUP_SIZES};
use crate::store::sql::entity::StoredEntity;
use crate::store::sql::journal::batch_entry::BatchEntry;
use crate::store::{BatchItem, ItemOutcome};

use super::pipeline::parameters;
use super::transaction::Transaction;
use super::unit_of_work::{OutcomeLookup, UnitOfWork};
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::{batch_index, counters};
use crate::store::postgres::entity::store;
use crate::store::postgres::rows::{write_derived, write_rows};
use decide::{BatchEntity, Decider, Decisions, NewMember, Replacement};

/// The time limit of each statement of a batch, and of all of them together.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The unit of work that writes a batch. Its output is the outcome of each item; an item that is refused does not
/// affect the others.
pub(crate) struct WriteBatch {
    /// The operation, for the journal.
    pub operation: Operation,
    /// The items, which are applied in order.
    pub items: Vec<BatchItem>,
    /// The default language of the directory.
    pub language: Tag,
}

#[async_trait]
impl UnitOfWork for WriteBatch {
    type Output = Vec<Result<ItemOutcome>>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    fn limit(&self) -> Option<Duration> {
        Some(TIME_LIMIT)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Self::Output, DatabaseError> {
        self.write(transaction).await.map_err(|error| match error {
            // Another transaction has inserted the row after `load` read: run the whole batch again.
            DatabaseError::UniqueViolation(index) => {
                DatabaseError::NotCommitted(format!("the unique index {index} refused a row of a batch"))
            }
            other => other,
        })
    }
}

/// The unit of work that returns what [`WriteBatch`] would, and writes nothing.
pub(crate) struct PreviewBatch(pub WriteBatch);

#[async_trait]
impl UnitOfWork for PreviewBatch {
    type Output = Vec<Result<ItemOutcome>>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    fn limit(&self) -> Option<Duration> {
        Some(TIME_LIMIT)
    }

    /// Queues nothing, so the transaction is rolled back.
    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Self::Output, DatabaseError> {
        let (Decisions { replacements, members, .. }, mut outcomes, _) = self.0.decide(transaction, true).await?;
        // A restored entity loses the memberships that it had.
        let groups: HashSet<_> = replacements.iter().filter_map(Replacement::restored_group).collect();
        let users: HashSet<_> = replacements.iter().filter_map(Replacement::restored_user).collect();
        let new = new_members(transaction, &members).await?;
        for member in &members {
            if new.contains(&member.pair()) || groups.contains(&member.group) || users.contains(&member.user) {
                outcomes[member.at] = Ok(ItemOutcome::Created);
            }
        }
        Ok(outcomes)
    }
}

impl WriteBatch {
    /// Loads what the items depend on, and decides what is to be written at which time. Also returns the outcomes, of which those of
    /// new memberships are not decided yet.
    async fn decide(
        &self,
        transaction: &mut Transaction<'_>,
        is_preview: bool,
    ) -> Result<(Decisions, Vec<Result<ItemOutcome>>, Timestamp), DatabaseError> {
        let state = load::load(transaction, &self.items, is_preview).await?;
        transaction.read_last_change().await?;
        let at = transaction.time(&self.operation);
        let mut decider = Decider::new(state, &self.language, at);
        let mut outcomes = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            match decider.decide(index, item) {
                Err(error) if !error.is_refusal() => return Err(error.into()),
                outcome => outcomes.push(outcome),
            }
        }
        Ok((decider.finish(), outcomes, at))
    }

    /// Loads, decides and writes, as the description of the module says.
    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Vec<Result<ItemOutcome>>, DatabaseError> {
        let (decisions, mut outcomes, at) = self.decide(transaction, false).await?;
        let Decisions { mut journal_entry, replacements, users, mut groups, members } = decisions;
        // Before new memberships are inserted, because a restored entity loses those that it had.
        let restored: Vec<_> = replacements.iter().filter_map(Replacement::restored_group).collect();
        delete_former::<Group>(transaction, restored, &mut journal_entry).await?;
        let restored: Vec<_> = replacements.iter().filter_map(Replacement::restored_user).collect();
        delete_former::<User>(transaction, restored, &mut journal_entry).await?;
        queue_replacements(transaction, &replacements).await?;
        transaction.write().await?;
        let mut added = BTreeMap::new();
        let new = new_members(transaction, &members).await?;
        let members: Vec<_> = members.into_iter().filter(|member| new.contains(&member.pair())).collect();
        for NewMember { at: index, group, user, .. } in &members {
            outcomes[*index] = Ok(ItemOutcome::Created);
            journal_entry.member(*group, *user);
            *added.entry(*group).or_default() += 1;
        }
        let client = transaction.write().await?;
        write_new(client, USERS, &users).await?;
        let memberships = added.values().sum();
        for group in &mut groups {
            group.members = added.remove(&group.uid).unwrap_or_default();
            group.members_version = i64::from(group.members > 0);
        }
        write_new(client, GROUPS, &groups).await?;
        let sizes: Vec<_> = groups.iter().map(|group| vec![group.uid.into(), group.members.into()]).collect();
        write_rows(client, &GROUP_SIZES, &sizes).await?;
        count_members(transaction, added);
        counters::add(transaction, Counter::Groups, groups.len() as i64);
        counters::add(transaction, Counter::Users, users.len() as i64);
        counters::add(transaction, Counter::Memberships, memberships);
        let changes = batch_index::append(transaction, &self.operation, journal_entry.pieces(at)?).await?;
        insert_members(transaction, &members, changes, at).await?;
        Ok(outcomes)
    }
}

/// Deletes the memberships that the restored entities had before their deletion, and journals their end. No count
/// includes them.
async fn delete_former<E: BatchEntity>(
    transaction: &mut Transaction<'_>,
    restored: Vec<i64>,
    journal_entry: &mut BatchEntry,
) -> Result<(), DatabaseError> {
    if restored.is_empty() {
        return Ok(());
    }
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, Timestamp::from_micros(row.try_get(2)?)));
    for (group, user, added) in transaction.read_each(E::DELETE_FORMER, &[&restored], row).await? {
        journal_entry.former_member(group, user, added);
    }
    Ok(())
}

/// Returns which of the memberships do not exist yet, as pairs of group and user. They stay so, because the groups are
/// locked.
async fn new_members(
    transaction: &mut Transaction<'_>,
    members: &[NewMember],
) -> Result<HashSet<(GroupUid, UserUid)>, DatabaseError> {
    // OFFSET keeps the planner from any other order of the joins: for each pair, one row is looked up.
    const PRESENT: &str = "SELECT m.group_uid, m.user_uid FROM unnest($1::BIGINT[], $2::BIGINT[]) AS new (of, uid), \
                           LATERAL (SELECT group_uid, user_uid FROM memberships \
                           WHERE group_uid = new.of AND user_uid = new.uid OFFSET 0) AS m";
    let mut new: HashSet<_> = members.iter().map(NewMember::pair).collect();
    if !members.is_empty() {
        let (groups, users): (Vec<_>, Vec<_>) = members.iter().map(NewMember::pair).unzip();
        for row in transaction.read(PRESENT, &[&groups, &users]).await? {
            new.remove(&(row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(new)
}

/// Inserts the memberships. `changes` are the numbers of the journal entries that contain them, in the same order.
async fn insert_members(
    transaction: &mut Transaction<'_>,
    members: &[NewMember],
    changes: Vec<i64>,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    if members.is_empty() {
        return Ok(());
    }
    let (groups, users): (Vec<_>, Vec<_>) = members.iter().map(NewMember::pair).unzip();
    let keys: Vec<_> = members.iter().map(|member| &*member.user_key).collect();
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added, change) \
               SELECT group_uid, user_uid, user_key, 1, $5, change \
               FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[]) \
               AS new (group_uid, user_uid, user_key, change)";
    transaction.read(sql, &[&groups, &users, &keys, &changes, &at.as_micros()]).await.map(drop)
}

/// Inserts new entities and their derived rows by COPY.
async fn write_new<E: StoredEntity>(client: &Client, table: &Table, new: &[E]) -> Result<(), DatabaseError> {
    write_rows(client, table, &new.iter().map(row).collect::<Vec<_>>()).await?;
    Ok(write_derived(client, &Derived::of(new)).await?)
}

/// Queues the changes of existing entities one by one, in the order of the items: one user may take the username that
/// another one gives up.
async fn queue_replacements(
    transaction: &mut Transaction<'_>,
    replacements: &[Replacement],
) -> Result<(), DatabaseError> {
    for replacement in replacements {
        match replacement {
            Replacement::Group(before, after) => store(transaction, Some(&**before), after).await?,
            Replacement::User(before, after) => store(transaction, Some(&**before), after).await?,
        }
    }
    Ok(())
}

/// Queues the update of the member counts of existing groups.
fn count_members(transaction: &mut Transaction<'_>, added: BTreeMap<GroupUid, i64>) {
    if !added.is_empty() {
        let sql = "UPDATE groups SET members = members + more, members_version = members_version + 1 \
                   FROM unnest($1::BIGINT[], $2::BIGINT[]) AS new (of, more) WHERE uid = of";
        let (groups, more): (Vec<_>, Vec<_>) = added.into_iter().unzip();
        transaction.queue(sql, parameters![groups.clone(), more.clone()]);
        let sql = "UPDATE group_sizes SET members = members + more \
                   FROM unnest($1::BIGINT[], $2::BIGINT[]) AS new (of, more) WHERE owner = of";
        transaction.queue(sql, parameters![groups, more]);
    }
}
