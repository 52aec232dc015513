//! Changes of many members of one group in PostgreSQL.
//!
//! 1. The users are looked up, and the group, and who of them and of its other members joins and leaves, all without
//!    locks.
//! 2. The users who join or leave are locked, in the order of their numbers, then the group, as for the change of a
//!    single membership. A change that names few users locks all of them, because others may change who joins and leaves.
//! 3. With the group locked, its members are read again, and the change is decided and queued. Users of whom only this
//!    shows that they join or leave are locked now.
//!
//! Each membership is found by its key. The planner might otherwise scan all members of the group, because it knows only
//! the size of the average group.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::membership::{MembersChange, MembersOptions, MembersOutcome};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::columns::Record as _;
use crate::store::sql::entity::Lookup;
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::members::{MembersPlan, NamedUsers, changeable, difference, lookups};

use super::journal::append;
use super::memberships::count;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{PostgresEntity as _, find_locked};
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OutcomeLookup, UnitOfWork};

/// The number of named users above which a change may take [`LARGE_LIMIT`], and locks only those who join or leave.
const LARGE: usize = 1_000;
/// The time limit of each statement of a large change, and of all of them together.
const LARGE_LIMIT: Duration = Duration::from_secs(60);
/// The number of members that one statement reads.
const CHUNK: i64 = 10_000;

/// The unit of work that changes the members of one group.
pub(crate) struct ChangeMembers {
    /// The operation, for the journal.
    pub operation: Operation,
    /// Which groups the caller may see. A group that is not visible does not exist for the caller.
    pub visibility: Visibility,
    /// The key of the group.
    pub group: GroupKey,
    /// Whom to add and to remove.
    pub change: MembersChange,
    /// How to make the change.
    pub options: MembersOptions,
}

#[async_trait]
impl UnitOfWork for ChangeMembers {
    type Output = MembersOutcome;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    fn limit(&self) -> Option<Duration> {
        let (add, remove) = self.change.named();
        (self.change.is_exact() || add.len() + remove.len() > LARGE).then_some(LARGE_LIMIT)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<MembersOutcome, DatabaseError> {
        let mut found = live_users(transaction, lookups(&self.change)?).await?;
        let group = self.find_group(transaction).await?;
        let named = self.named(&found)?;
        let present = present_members(transaction, group.uid, &named).await?;
        // If too many would be removed, step 3 decides that. The group may change before.
        let unnamed = named.check_removals(&group, &present, &self.options).unwrap_or_default();
        let others = other_members(transaction, group.uid, &named.add, unnamed).await?;
        let all: Vec<_> = named.all().collect();
        let changed = MembersPlan::new(&group, named, &present, others).changed();
        let mut to_lock = changed.clone();
        if all.len() <= LARGE {
            to_lock.extend(all);
        }
        let locked = lock_users(transaction, &to_lock).await?;
        // Those who were deleted meanwhile are unknown.
        found.retain(|_, uid| !changed.contains(uid) || present.contains_key(uid) || locked.contains(uid));
        let named = self.named(&found)?;

        let group: Option<Group> = find_locked(transaction, &GroupKey::Uid(group.uid)).await?;
        let group = self.changeable(group)?;
        let present = present_members(transaction, group.uid, &named).await?;
        let unnamed = named.check_removals(&group, &present, &self.options)?;
        let others = other_members(transaction, group.uid, &named.add, unnamed).await?;
        let plan = MembersPlan::new(&group, named, &present, others);
        lock_rest(transaction, &plan, &locked).await?;
        let at = transaction.time(&self.operation);
        let entry = JournalEntry::of_members(group.uid, &plan.add, &plan.remove, at)?;
        let Some(entry) = entry.filter(|_| !self.options.dry_run) else { return Ok(plan.outcome) };
        write(transaction, &self.operation, group.uid, &plan.add, &plan.remove, entry).await?;
        Ok(plan.outcome)
    }
}

impl ChangeMembers {
    fn named(&self, found: &HashMap<Lookup, UserUid>) -> Result<NamedUsers> {
        NamedUsers::of(&self.change, found, self.options.unknown)
    }

    fn changeable(&self, group: Option<Group>) -> Result<Group> {
        changeable(group, &self.group, &self.visibility, &self.options)
    }

    /// Returns the group. Does not lock it.
    async fn find_group(&self, transaction: &mut Transaction<'_>) -> Result<Group, DatabaseError> {
        let statements = Group::statements();
        let row = match &self.group {
            GroupKey::Uid(uid) => transaction.find(&statements.by_uid, &[uid]).await?,
            GroupKey::Id(id) => transaction.find(statements.by_unique("id_key")?.0, &[&id.key()]).await?,
        };
        Ok(self.changeable(row.as_ref().map(Group::read).transpose()?)?)
    }
}

/// Returns the numbers of the live users. Locks nobody.
async fn live_users(
    transaction: &mut Transaction<'_>,
    lookups: BTreeSet<Lookup>,
) -> Result<HashMap<Lookup, UserUid>, DatabaseError> {
    const BY_UID: &str = "SELECT uid FROM users WHERE uid IN (SELECT unnest($1::BIGINT[])) AND deleted IS NULL";
    const BY_ID: &str = "SELECT uid, id_key FROM users WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    const BY_USERNAME: &str =
        "SELECT uid, username_key FROM users WHERE username_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    let (mut uids, mut ids, mut usernames) = (Vec::new(), Vec::new(), Vec::new());
    for lookup in lookups {
        match lookup {
            Lookup::Uid(uid) => uids.push(uid),
            Lookup::Unique("id_key", id) => ids.push(id),
            Lookup::Unique(_, username) => usernames.push(username),
        }
    }
    let mut found = HashMap::new();
    if !uids.is_empty() {
        for row in transaction.read(BY_UID, &[&uids]).await? {
            found.insert(Lookup::Uid(row.try_get(0)?), row.try_get(0)?);
        }
    }
    for (column, sql, keys) in [("id_key", BY_ID, ids), ("username_key", BY_USERNAME, usernames)] {
        if !keys.is_empty() {
            for row in transaction.read(sql, &[&keys]).await? {
                found.insert(Lookup::Unique(column, row.try_get(1)?), row.try_get(0)?);
            }
        }
    }
    Ok(found)
}

/// Returns the members among the named users, each with when they were added.
async fn present_members(
    transaction: &mut Transaction<'_>,
    group: GroupUid,
    named: &NamedUsers,
) -> Result<HashMap<UserUid, Timestamp>, DatabaseError> {
    // OFFSET keeps the planner from any other order of the joins: for each user, one row is looked up.
    const BY_KEYS: &str = "SELECT m.user_uid, m.added FROM unnest($2::BIGINT[]) AS named (uid), \
         LATERAL (SELECT user_uid, added, live FROM memberships \
         WHERE group_uid = $1 AND user_uid = named.uid OFFSET 0) AS m WHERE m.live = 1";
    let users: Vec<_> = named.all().collect();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = transaction.read(BY_KEYS, &[&group, &users]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Timestamp::from_micros(row.try_get(1)?)))).collect()
}

/// Locks the users, as the change of a single membership does, and returns those who are live. They then stay live until
/// the transaction ends.
async fn lock_users(
    transaction: &mut Transaction<'_>,
    users: &BTreeSet<UserUid>,
) -> Result<HashSet<UserUid>, DatabaseError> {
    const LOCK: &str = "SELECT uid FROM users WHERE uid IN (SELECT unnest($1::BIGINT[])) AND deleted IS NULL \
                        ORDER BY uid FOR NO KEY UPDATE";
    if users.is_empty() {
        return Ok(HashSet::new());
    }
    let users: Vec<_> = users.iter().copied().collect();
    let rows = transaction.read(LOCK, &[&users]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Locks those whom the plan adds or removes and who were not `locked` before the group was. Never waits, because users
/// are locked before groups: if another transaction changes one of them, this one runs again.
async fn lock_rest(
    transaction: &mut Transaction<'_>,
    plan: &MembersPlan,
    locked: &HashSet<UserUid>,
) -> Result<(), DatabaseError> {
    const LOCK: &str = "SELECT uid FROM users WHERE uid IN (SELECT unnest($1::BIGINT[])) AND deleted IS NULL \
                        FOR NO KEY UPDATE SKIP LOCKED";
    let rest: Vec<_> = plan.changed().into_iter().filter(|uid| !locked.contains(uid)).collect();
    if rest.is_empty() {
        return Ok(());
    }
    if transaction.read(LOCK, &[&rest]).await?.len() < rest.len() {
        return Err(DatabaseError::NotCommitted("a user is being changed".to_owned()));
    }
    transaction.read_last_change().await
}

/// Returns the first `count` members who are not in `named`, which is sorted, each with when they were added.
async fn other_members(
    transaction: &mut Transaction<'_>,
    group: GroupUid,
    named: &[UserUid],
    count: u64,
) -> Result<Vec<(UserUid, Timestamp)>, DatabaseError> {
    const NEXT: &str = "SELECT user_uid, added FROM memberships \
                        WHERE group_uid = $1 AND user_uid > $2 AND live = 1 ORDER BY user_uid LIMIT $3";
    let (mut others, mut last) = (Vec::new(), 0);
    while (others.len() as u64) < count {
        let rows = transaction.read(NEXT, &[&group, &last, &CHUNK]).await?;
        for row in &rows {
            last = row.try_get(0)?;
            if named.binary_search(&last).is_err() {
                others.push((last, Timestamp::from_micros(row.try_get(1)?)));
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    Ok(others)
}

/// Adds and removes members of a live group, with the journal entry of the change, and counts them. The users who are added
/// and the group are locked.
pub(crate) async fn write(
    transaction: &mut Transaction<'_>,
    operation: &Operation,
    group: GroupUid,
    add: &[UserUid],
    remove: &[(UserUid, Timestamp)],
    entry: JournalEntry,
) -> Result<(), DatabaseError> {
    let added = entry.at;
    delete(transaction, group, remove).await?;
    append(transaction, operation, entry);
    insert(transaction, group, add, added);
    count(transaction, group, difference(add, remove));
    Ok(())
}

/// Deletes the memberships, one statement each: for a list of users the planner might scan the group.
async fn delete(
    transaction: &mut Transaction<'_>,
    group: GroupUid,
    users: &[(UserUid, Timestamp)],
) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    for (user, _) in users {
        transaction.queue(sql, parameters![group, *user]);
    }
    // Sent now, because the statements that are sent with the COMMIT must be few.
    if users.is_empty() { Ok(()) } else { transaction.write().await.map(drop) }
}

/// Queues the new memberships. The journal entry that gives them must be queued before them.
fn insert(transaction: &mut Transaction<'_>, group: GroupUid, users: &[UserUid], added: Timestamp) {
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added, change) \
               SELECT $1, uid, id_key, 1, $3, currval('journal_seq') FROM users WHERE uid IN (SELECT unnest($2::BIGINT[]))";
    if !users.is_empty() {
        transaction.queue(sql, parameters![group, users.to_vec(), added.as_micros()]);
    }
}
