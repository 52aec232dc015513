//! Memberships in PostgreSQL. To avoid deadlocks, a transaction locks a user before groups, and groups in the order of
//! their numbers.

use async_trait::async_trait;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::membership::{Membership, MembershipOutcome};
use crate::domain::restore::GONE_MAX;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::JournalEntry;

use super::counters;
use super::journal::append;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::find_locked;
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OutcomeLookup, UnitOfWork};

/// The unit of work that adds a user to a group or removes one.
pub(crate) struct ChangeMember {
    /// The operation, for the journal.
    pub operation: Operation,
    /// Which groups the caller may see. A group that is not visible does not exist for the caller.
    pub visibility: Visibility,
    /// The IDs of the group and the user.
    pub member: Membership,
    /// Whether the user is a member afterwards.
    pub is_in: bool,
}

#[async_trait]
impl UnitOfWork for ChangeMember {
    type Output = MembershipOutcome;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<MembershipOutcome, DatabaseError> {
        let user = find_user(transaction, &self.member.user).await?;
        let Some(group) = self.find_group(transaction).await? else { return Ok(MembershipOutcome::NoGroup) };
        let Some(user) = user else { return Ok(MembershipOutcome::NoUser) };
        let added = added(transaction, group.uid, user).await?;
        let at = transaction.time(&self.operation);
        match (added, self.is_in) {
            (Some(_), true) | (None, false) => return Ok(MembershipOutcome::Unchanged),
            (None, true) => {
                append(transaction, &self.operation, JournalEntry::of_new_member(group.uid, user, at)?);
                insert(transaction, group.uid, user, self.member.user.key(), at);
            }
            (Some(added), false) => {
                append(transaction, &self.operation, JournalEntry::of_former_member(group.uid, user, added, at)?);
                delete(transaction, group.uid, user);
            }
        }
        Ok(MembershipOutcome::Done)
    }
}

impl ChangeMember {
    /// Returns the group, if it exists and is visible. Locks it, so that concurrent changes of its members are made one
    /// after the other.
    async fn find_group(&self, transaction: &mut Transaction<'_>) -> Result<Option<Group>, DatabaseError> {
        let group: Option<Group> = find_locked(transaction, &GroupKey::Id(self.member.group.clone())).await?;
        Ok(group.filter(|group| self.visibility.sees(&group.fields.communities)))
    }
}

/// Returns the number of the live user. Locks the user, who then stays live until the transaction ends. No other change
/// of the user or of their memberships runs meanwhile, so that the times of all of them are in the order of their
/// numbers; a shared lock would not order two new memberships of one user.
async fn find_user(transaction: &mut Transaction<'_>, id: &Id) -> Result<Option<UserUid>, DatabaseError> {
    let sql = "SELECT uid FROM users WHERE id_key = $1 AND deleted IS NULL FOR NO KEY UPDATE";
    let result = transaction.find(sql, &[&id.key()]).await?;
    Ok(result.map(|row| row.try_get(0)).transpose()?)
}

/// Returns when the user was added to the group; `None` = the user is not a member.
async fn added(
    transaction: &mut Transaction<'_>,
    group: GroupUid,
    user: UserUid,
) -> Result<Option<Timestamp>, DatabaseError> {
    let sql = "SELECT added FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    let result = transaction.find(sql, &[&group, &user]).await?;
    Ok(result.map(|row| row.try_get(0)).transpose()?.map(Timestamp::from_micros))
}

/// Queues a new membership of a live user, and its count. The journal entry that gives the membership must be queued
/// before it.
pub(crate) fn insert(
    transaction: &mut Transaction<'_>,
    group: GroupUid,
    user: UserUid,
    user_key: String,
    added: Timestamp,
) {
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added, change) \
               VALUES ($1, $2, $3, 1, $4, currval('journal_seq'))";
    transaction.queue(sql, parameters![group, user, user_key, added.as_micros()]);
    count(transaction, group, 1);
}

/// Queues the deletion of the membership, and its count.
pub(crate) fn delete(transaction: &mut Transaction<'_>, group: GroupUid, user: UserUid) {
    let sql = "DELETE FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    transaction.queue(sql, parameters![group, user]);
    count(transaction, group, -1);
}

/// Queues the addition of `change` to the member count of the group and to the counter of memberships. The version of
/// the group's memberships is raised.
pub(crate) fn count(transaction: &mut Transaction<'_>, group: GroupUid, change: i64) {
    let sql = "UPDATE groups SET members = members + $2, members_version = members_version + 1 WHERE uid = $1";
    transaction.queue(sql, parameters![group, change]);
    let sql = "UPDATE group_sizes SET members = members + $2 WHERE owner = $1";
    transaction.queue(sql, parameters![group, change]);
    counters::add(transaction, Counter::Memberships, change);
}

/// Adds a restored user to all counts and lists of members, or removes a deleted one from them. The rows stay. Returns in
/// how many live and in how many deleted groups the user is. The user is locked.
pub(crate) async fn show_or_hide(transaction: &mut Transaction<'_>, user: &User) -> Result<(u64, u64), DatabaseError> {
    let lock = "SELECT FROM groups WHERE uid IN (SELECT group_uid FROM memberships WHERE user_uid = $1) \
                ORDER BY uid FOR NO KEY UPDATE";
    transaction.read(lock, &[&user.uid]).await?;
    // A batch that restored a group before the lock was acquired may have deleted memberships, so read again. No
    // membership of the user can be added meanwhile, because the user is locked.
    let of_user = "SELECT uid, deleted IS NULL FROM groups WHERE uid IN (SELECT group_uid FROM memberships \
                   WHERE user_uid = $1)";
    let result = transaction.read(of_user, &[&user.uid]).await?;
    let groups = result.iter().map(|row| row.try_get(0)).collect::<Result<Vec<GroupUid>, _>>()?;
    let live = result.iter().map(|row| row.try_get(1)).collect::<Result<Vec<bool>, _>>()?;
    let in_live = live.iter().filter(|is_live| **is_live).count();
    let (is_live, change) = if user.deleted.is_none() { (1_i16, 1_i64) } else { (0, -1) };
    // The members of deleted groups are counted as well, so that a group can be restored as it is.
    let recount = "UPDATE groups SET members = members + $2, members_version = members_version + 1 WHERE uid = ANY($1)";
    transaction.queue(
        "UPDATE group_sizes SET members = members + $2 WHERE owner = ANY($1)",
        parameters![groups.clone(), change],
    );
    transaction.queue(recount, parameters![groups, change]);
    transaction.queue(
        "UPDATE memberships SET live = $2, user_key = $3 WHERE user_uid = $1",
        parameters![user.uid, is_live, user.fields.id.key()],
    );
    counters::add(transaction, Counter::Memberships, change * in_live as i64);
    Ok((in_live as u64, (live.len() - in_live) as u64))
}

/// Returns how many deleted users a group has, counted to one more than [`GONE_MAX`].
pub(crate) async fn count_hidden(transaction: &mut Transaction<'_>, group: GroupUid) -> Result<u64, DatabaseError> {
    let sql = "SELECT count(*) FROM (SELECT FROM memberships WHERE group_uid = $1 AND live = 0 LIMIT $2) AS hidden";
    let row = transaction.find(sql, &[&group, &(GONE_MAX as i64 + 1)]).await?;
    let count: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    Ok(count.unsigned_abs())
}

/// Queues the update of the user's key in memberships, by which lists of members are sorted.
pub(crate) fn rename_user(transaction: &mut Transaction<'_>, user: UserUid, key: String) {
    transaction.queue("UPDATE memberships SET user_key = $2 WHERE user_uid = $1", parameters![user, key]);
}
