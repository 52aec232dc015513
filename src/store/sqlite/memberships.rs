//! Memberships in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params};
use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::membership::{Membership, MembershipChange};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::Entry;
use crate::store::sql::lists::OWNER;

use super::cache::Stale;
use super::connection::failed;
use super::counters;
use super::journal::append;
use super::writer::Writing;
use super::{groups, users};

/// The group and user of a membership, if both are live and the group may be seen.
fn ends(
    connection: &Connection,
    visibility: &Visibility,
    member: &Membership,
) -> rusqlite::Result<Result<(Group, User), MembershipChange>> {
    let group = groups::find(connection, &GroupKey::Id(member.group.clone()))?;
    let Some(group) = group.filter(|group| visibility.sees(&group.fields.communities)) else {
        return Ok(Err(MembershipChange::NoGroup));
    };
    let user = users::find(connection, &UserKey::Id(member.user.clone()))?;
    Ok(user.map(|user| (group, user)).ok_or(MembershipChange::NoUser))
}

/// Puts the user into the group.
pub fn add(
    writing: &mut Writing<'_>,
    operation: &Operation,
    visibility: &Visibility,
    member: &Membership,
) -> Result<MembershipChange> {
    let connection = writing.connection;
    let (group, user) = match ends(connection, visibility, member).map_err(failed)? {
        Ok(ends) => ends,
        Err(missing) => return Ok(missing),
    };
    if !insert(connection, group.uid, &user, operation.at).map_err(failed)? {
        return Ok(MembershipChange::Unchanged);
    }
    writing.stale.push(Stale::Group(group.fields.id.key()));
    append(connection, operation, &Entry::of_new_member(group.uid, user.uid, operation.at)?)?;
    Ok(MembershipChange::Done)
}

/// Takes the user out of the group.
pub fn remove(
    writing: &mut Writing<'_>,
    operation: &Operation,
    visibility: &Visibility,
    member: &Membership,
) -> Result<MembershipChange> {
    let connection = writing.connection;
    let (group, user) = match ends(connection, visibility, member).map_err(failed)? {
        Ok(ends) => ends,
        Err(missing) => return Ok(missing),
    };
    let Some(added) = delete(connection, group.uid, user.uid).map_err(failed)? else {
        return Ok(MembershipChange::Unchanged);
    };
    writing.stale.push(Stale::Group(group.fields.id.key()));
    append(connection, operation, &Entry::of_former_member(group.uid, user.uid, added)?)?;
    Ok(MembershipChange::Done)
}

/// Stores the membership of a live user and counts it; `false` if it is there already.
pub fn insert(connection: &Connection, group: GroupUid, user: &User, added: Timestamp) -> rusqlite::Result<bool> {
    let inserted = store(connection, group, user.uid, &user.fields.id.key(), added)?;
    if inserted {
        count(connection, group, 1)?;
    }
    Ok(inserted)
}

/// Stores the membership of a live user, whose ID has the key, and does not count it; `false` if it is there already.
pub fn store(
    connection: &Connection,
    group: GroupUid,
    user: UserUid,
    user_key: &str,
    added: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added) VALUES (?1, ?2, ?3, 1, ?4) \
               ON CONFLICT DO NOTHING";
    Ok(connection.prepare_cached(sql)?.execute(params![group, user, user_key, added.as_micros()])? == 1)
}

/// Forgets the membership; gives when it was added, or `None` if it is not there.
pub fn delete(connection: &Connection, group: GroupUid, user: UserUid) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "DELETE FROM memberships WHERE group_uid = ?1 AND user_uid = ?2 RETURNING added";
    let added = connection.prepare_cached(sql)?.query_row([group, user], |row| row.get(0)).optional()?;
    if added.is_some() {
        count(connection, group, -1)?;
    }
    Ok(added.map(Timestamp::from_micros))
}

/// Counts so many members more, or less.
pub fn count(connection: &Connection, group: GroupUid, change: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE groups SET members = members + ?2 WHERE uid = ?1";
    connection.prepare_cached(sql)?.execute([group, change])?;
    counters::add(connection, Counter::Memberships, change)
}

/// The live groups of a live user.
pub fn groups_of(user: UserUid) -> SelectStatement {
    // All memberships of a live user are live. Beside the groups, few are deleted.
    let is_deleted = "EXISTS (SELECT 1 FROM groups g INDEXED BY groups_deleted \
                      WHERE g.uid = m.group_uid AND g.deleted IS NOT NULL)";
    let mut groups = Query::select().expr_as(Expr::col(("m", "group_uid")), OWNER).from_as("memberships", "m").take();
    groups.and_where(Expr::col(("m", "user_uid")).eq(user)).and_where(Expr::cust(is_deleted).not()).take()
}

/// Takes a deleted user out of every count and list. The rows stay.
pub fn hide_user(connection: &Connection, user: UserUid) -> rusqlite::Result<()> {
    let of_live_groups = "SELECT count(*) FROM memberships m JOIN groups g ON g.uid = m.group_uid \
                          WHERE m.user_uid = ?1 AND m.live = 1 AND g.deleted IS NULL";
    let hidden: i64 = connection.prepare_cached(of_live_groups)?.query_row([user], |row| row.get(0))?;
    counters::add(connection, Counter::Memberships, -hidden)?;
    let discount = "UPDATE groups SET members = members - 1 \
                    WHERE uid IN (SELECT group_uid FROM memberships WHERE user_uid = ?1 AND live = 1)";
    connection.prepare_cached(discount)?.execute([user])?;
    connection.prepare_cached("UPDATE memberships SET live = 0 WHERE user_uid = ?1")?.execute([user]).map(drop)
}

/// Keeps the order of members when a user's ID changes.
pub fn rename_user(connection: &Connection, user: UserUid, key: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE memberships SET user_key = ?2 WHERE user_uid = ?1";
    connection.prepare_cached(sql)?.execute(params![user, key]).map(drop)
}
