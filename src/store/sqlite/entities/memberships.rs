//! The memberships in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params};
use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement};

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::membership::{Membership, MembershipOutcome};
use crate::domain::restore::GONE_MAX;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::journal::batch_entry::Batched;
use crate::store::sql::list::expressions::OWNER;

use super::counters;
use super::journal::{append, next_number, time};
use crate::store::sqlite::entity::find;
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::storage::open::failed;
use crate::store::sqlite::write::writer::WriteContext;

/// Returns the group and user of a membership if both are live and the group is visible.
fn ends(
    connection: &Connection,
    visibility: &Visibility,
    member: &Membership,
) -> rusqlite::Result<Result<(Group, User), MembershipOutcome>> {
    let group: Option<Group> = find(connection, &GroupKey::Id(member.group.clone()))?;
    let Some(group) = group.filter(|group| visibility.sees(&group.fields.communities)) else {
        return Ok(Err(MembershipOutcome::NoGroup));
    };
    let user = find(connection, &UserKey::Id(member.user.clone()))?;
    Ok(user.map(|user| (group, user)).ok_or(MembershipOutcome::NoUser))
}

/// Adds the user to the group or removes the user from it, with a journal entry. `is_in` is whether the user is a member
/// afterwards.
pub(crate) fn change(
    context: &mut WriteContext<'_>,
    operation: &Operation,
    visibility: &Visibility,
    member: &Membership,
    is_in: bool,
) -> Result<MembershipOutcome> {
    let connection = context.connection;
    let (group, user) = match ends(connection, visibility, member).map_err(failed)? {
        Ok(ends) => ends,
        Err(missing) => return Ok(missing),
    };
    let at = time(connection, operation)?;
    let entry = if is_in {
        let change = next_number(connection).map_err(failed)?;
        if !insert(connection, group.uid, &user, at, Some(change)).map_err(failed)? {
            return Ok(MembershipOutcome::Unchanged);
        }
        JournalEntry::of_new_member(group.uid, user.uid, at)?
    } else {
        let Some(added) = delete(connection, group.uid, user.uid).map_err(failed)? else {
            return Ok(MembershipOutcome::Unchanged);
        };
        JournalEntry::of_former_member(group.uid, user.uid, added, at)?
    };
    context.invalidations.push(Invalidation::Group(group.fields.id.key()));
    append(connection, operation, entry)?;
    Ok(MembershipOutcome::Done)
}

/// Stores the membership of a live user and updates the counters. Returns false if it exists.
pub(crate) fn insert(
    connection: &Connection,
    group: GroupUid,
    user: &User,
    added: Timestamp,
    change: Option<i64>,
) -> rusqlite::Result<bool> {
    let inserted = store(connection, group, user.uid, &user.fields.id.key(), added, change)?;
    if inserted {
        count(connection, group, 1)?;
    }
    Ok(inserted)
}

/// Stores the membership of a live user without updating the counters. `user_key` is the key of the user's ID, `change`
/// the number of the journal entry that gives the membership. Returns false if the membership exists.
pub(crate) fn store(
    connection: &Connection,
    group: GroupUid,
    user: UserUid,
    user_key: &str,
    added: Timestamp,
    change: Option<i64>,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added, change) \
               VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT DO NOTHING";
    Ok(connection.prepare_cached(sql)?.execute(params![group, user, user_key, added.as_micros(), change])? == 1)
}

/// Sets the number of the journal entry that gives the membership.
pub(crate) fn set_change(connection: &Connection, group: GroupUid, user: UserUid, change: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE memberships SET change = ?3 WHERE group_uid = ?1 AND user_uid = ?2";
    connection.prepare_cached(sql)?.execute([group, user, change]).map(drop)
}

/// Deletes the membership and updates the counters. Returns when it was added; `None` if it does not exist.
pub(crate) fn delete(connection: &Connection, group: GroupUid, user: UserUid) -> rusqlite::Result<Option<Timestamp>> {
    let added = remove(connection, group, user)?;
    if added.is_some() {
        count(connection, group, -1)?;
    }
    Ok(added)
}

/// Deletes the membership without updating the counters. Returns when it was added; `None` if it does not exist.
pub(crate) fn remove(connection: &Connection, group: GroupUid, user: UserUid) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "DELETE FROM memberships WHERE group_uid = ?1 AND user_uid = ?2 RETURNING added";
    let added = connection.prepare_cached(sql)?.query_row([group, user], |row| row.get(0)).optional()?;
    Ok(added.map(Timestamp::from_micros))
}

/// Adds `change`, which may be negative, to the group's member count and to the counter of memberships. Raises the
/// version of the group's memberships.
pub(crate) fn count(connection: &Connection, group: GroupUid, change: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE groups SET members = members + ?2, members_version = members_version + 1 WHERE uid = ?1";
    connection.prepare_cached(sql)?.execute([group, change])?;
    counters::add(connection, Counter::Memberships, change)
}

/// Returns the statement that selects the live groups of a live user.
pub(crate) fn groups_of(user: UserUid) -> SelectStatement {
    // All memberships of a live user are live. Deleted groups are much fewer than live ones, so the check uses their
    // index.
    let is_deleted = "EXISTS (SELECT 1 FROM groups g INDEXED BY groups_deleted \
                      WHERE g.uid = m.group_uid AND g.deleted IS NOT NULL)";
    let mut groups = Query::select().expr_as(Expr::col(("m", "group_uid")), OWNER).from_as("memberships", "m").take();
    groups.and_where(Expr::col(("m", "user_uid")).eq(user)).and_where(Expr::cust(is_deleted).not()).take()
}

/// Returns the statement that counts the live groups of a live user.
pub(crate) fn count_groups_of(user: UserUid) -> SelectStatement {
    Query::select().expr(Func::count(Expr::col(Asterisk))).from_subquery(groups_of(user), "joined").take()
}

/// Adds a restored user to all counts and lists of members, or removes a deleted one from them. The rows stay. Returns in
/// how many live and in how many deleted groups the user is.
pub(crate) fn show_or_hide(connection: &Connection, user: &User) -> rusqlite::Result<(u64, u64)> {
    let (is_live, change) = if user.deleted.is_none() { (true, 1) } else { (false, -1) };
    let count = "SELECT count(*) FILTER (WHERE g.deleted IS NULL), count(*) FILTER (WHERE g.deleted IS NOT NULL) \
                 FROM memberships m JOIN groups g ON g.uid = m.group_uid WHERE m.user_uid = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (in_live, in_deleted): (i64, i64) = connection.prepare_cached(count)?.query_row([user.uid], read)?;
    counters::add(connection, Counter::Memberships, change * in_live)?;
    // The members of deleted groups are counted as well, so that a group can be restored as it is.
    let recount = "UPDATE groups SET members = members + ?2, members_version = members_version + 1 \
                   WHERE uid IN (SELECT group_uid FROM memberships WHERE user_uid = ?1)";
    connection.prepare_cached(recount)?.execute([user.uid, change])?;
    let show = "UPDATE memberships SET live = ?2, user_key = ?3 WHERE user_uid = ?1";
    connection.prepare_cached(show)?.execute(params![user.uid, is_live, user.fields.id.key()])?;
    Ok((in_live.unsigned_abs(), in_deleted.unsigned_abs()))
}

/// Returns how many deleted users a group has, counted to one more than [`GONE_MAX`].
pub(crate) fn count_hidden(connection: &Connection, group: GroupUid) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM memberships INDEXED BY memberships_hidden \
               WHERE group_uid = ?1 AND live = 0 LIMIT ?2)";
    connection.prepare_cached(sql)?.query_row(params![group, GONE_MAX + 1], |row| row.get(0))
}

/// Deletes the memberships that a deleted group or user kept. No counter includes them. Returns the group and user of each,
/// and when the user was added.
pub(crate) fn delete_former<E: Batched>(
    connection: &Connection,
    uid: i64,
) -> rusqlite::Result<Vec<(GroupUid, UserUid, Timestamp)>> {
    let sql = format!("DELETE FROM memberships WHERE {} = ?1 RETURNING group_uid, user_uid, added", E::MEMBERSHIP_END);
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?)));
    connection.prepare_cached(&sql)?.query_map([uid], row)?.collect()
}

/// Updates the key by which members are ordered, after a user's ID has changed.
pub(crate) fn rename_user(connection: &Connection, user: UserUid, key: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE memberships SET user_key = ?2 WHERE user_uid = ?1";
    connection.prepare_cached(sql)?.execute(params![user, key]).map(drop)
}
