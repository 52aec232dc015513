//! Memberships in PostgreSQL. Whoever locks a user and groups locks the user first, and groups in the order of their
//! numbers.

use async_trait::async_trait;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::membership::{Membership, MembershipChange};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::Entry;

use super::counters;
use super::groups;
use super::journal::append;
use super::pipeline::parameters;
use super::transaction::{Change, Trace, Writing};
use super::trouble::Trouble;

/// Puts a user into a group, or takes one out.
pub struct ChangeMember {
    pub operation: Operation,
    pub visibility: Visibility,
    pub member: Membership,
    /// Whether the user is to be in the group afterwards.
    pub is_in: bool,
}

#[async_trait]
impl Change for ChangeMember {
    type Output = MembershipChange;

    fn trace(&self) -> Trace<'_> {
        Trace::Operation(&self.operation.id)
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<MembershipChange, Trouble> {
        let user = find_user(writing, &self.member.user).await?;
        let Some(group) = self.find_group(writing).await? else { return Ok(MembershipChange::NoGroup) };
        let Some(user) = user else { return Ok(MembershipChange::NoUser) };
        let added = added(writing, group.uid, user).await?;
        let at = self.operation.at;
        let entry = match (added, self.is_in) {
            (Some(_), true) | (None, false) => return Ok(MembershipChange::Unchanged),
            (None, true) => {
                insert(writing, group.uid, user, self.member.user.key(), at);
                Entry::of_new_member(group.uid, user, at)?
            }
            (Some(added), false) => {
                delete(writing, group.uid, user);
                Entry::of_former_member(group.uid, user, added)?
            }
        };
        append(writing, &self.operation, entry);
        Ok(MembershipChange::Done)
    }
}

impl ChangeMember {
    /// The group, if it may be seen; locked, so that its members are changed one after the other.
    async fn find_group(&self, writing: &mut Writing<'_>) -> Result<Option<Group>, Trouble> {
        let group = groups::find_locked(writing, &GroupKey::Id(self.member.group.clone())).await?;
        Ok(group.filter(|group| self.visibility.sees(&group.fields.communities)))
    }
}

/// The live user's number; it stays live until the transaction ends.
async fn find_user(writing: &mut Writing<'_>, id: &Id) -> Result<Option<UserUid>, Trouble> {
    let sql = "SELECT uid FROM users WHERE id_key = $1 AND deleted IS NULL FOR SHARE";
    let found = writing.find(sql, &[&id.key()]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?)
}

/// When the user was put into the group; `None` = is not in it.
async fn added(writing: &mut Writing<'_>, group: GroupUid, user: UserUid) -> Result<Option<Timestamp>, Trouble> {
    let sql = "SELECT added FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    let found = writing.find(sql, &[&group, &user]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?.map(Timestamp::from_micros))
}

/// Stores the membership of a live user and counts it.
pub fn insert(writing: &mut Writing<'_>, group: GroupUid, user: UserUid, user_key: String, added: Timestamp) {
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added) VALUES ($1, $2, $3, 1, $4)";
    writing.queue(sql, parameters![group, user, user_key, added.as_micros()]);
    count(writing, group, 1);
}

/// Forgets the membership.
pub fn delete(writing: &mut Writing<'_>, group: GroupUid, user: UserUid) {
    let sql = "DELETE FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    writing.queue(sql, parameters![group, user]);
    count(writing, group, -1);
}

fn count(writing: &mut Writing<'_>, group: GroupUid, change: i64) {
    let sql = "UPDATE groups SET members = members + $2 WHERE uid = $1";
    writing.queue(sql, parameters![group, change]);
    counters::add(writing, Counter::Memberships, change);
}

/// Takes a deleted user out of every count and list. The rows stay.
pub async fn hide_user(writing: &mut Writing<'_>, user: UserUid) -> Result<(), Trouble> {
    let of_user = "SELECT uid, deleted IS NULL FROM groups WHERE uid IN (SELECT group_uid FROM memberships \
                   WHERE user_uid = $1 AND live = 1) ORDER BY uid FOR NO KEY UPDATE";
    let found = writing.read(of_user, &[&user]).await?;
    let groups = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<GroupUid>, _>>()?;
    let live = found.iter().map(|row| row.try_get(1)).collect::<Result<Vec<bool>, _>>()?;
    let hidden = live.into_iter().filter(|live| *live).count() as i64;
    writing.queue("UPDATE groups SET members = members - 1 WHERE uid = ANY($1)", parameters![groups]);
    writing.queue("UPDATE memberships SET live = 0 WHERE user_uid = $1", parameters![user]);
    counters::add(writing, Counter::Memberships, -hidden);
    Ok(())
}

/// Keeps the order of members when a user's ID changes.
pub fn rename_user(writing: &mut Writing<'_>, user: UserUid, key: String) {
    writing.queue("UPDATE memberships SET user_key = $2 WHERE user_uid = $1", parameters![user, key]);
}
