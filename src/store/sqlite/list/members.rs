//! Answering lists of one group's members and of one user's groups, each in one snapshot.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::community::Visibility;
use crate::domain::cursor::CursorPage;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupKey};
use crate::domain::membership::{JoinedGroup, JoinedGroupQuery, Member, MemberQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::list::entities::{LOOK_UP_THRESHOLD, ListQuery};
use crate::store::sql::list::members::{MemberList, MembershipRow, Total, count_groups_of, groups_of, next};
use crate::store::sql::members::{existing, visible};
use crate::store::sql::tables::Users;

use super::engine::Sqlite;
use super::statements::{all, one};
use crate::store::sqlite::entities::{memberships, rows};
use crate::store::sqlite::entity::{SqliteEntity, by_uid, find};
use crate::store::sqlite::storage::open::failed;

/// A page of the members of a group, and the group. A deleted group has no members.
pub(crate) fn of_group(connection: &Connection, query: &MemberQuery) -> Result<(Group, CursorPage<Member>)> {
    let group = find(connection, &query.group).map_err(failed)?;
    let group: Group = visible(group, &query.group, &query.visibility)?;
    if group.deleted.is_some() {
        return Ok((group, CursorPage { items: Vec::new(), total: Some(0), next: None }));
    }
    let mut list = MemberList::new(&Sqlite, &group, query)?;
    if let Some(candidates) = list.candidates(LOOK_UP_THRESHOLD) {
        let first = ListQuery::<Users, Sqlite>::first_rows(&candidates, LOOK_UP_THRESHOLD);
        let users: Vec<UserUid> = all(connection, &first, |row| row.get(0)).map_err(failed)?;
        if users.len() as u64 <= LOOK_UP_THRESHOLD {
            list = list.among(users);
        }
    }
    let total = match list.total() {
        Total::Known(total) => Some(total),
        Total::Count(count) => Some(one(connection, &count, |row| row.get(0)).map_err(failed)?),
        Total::TooCostly => None,
    };
    let mut rows = all(connection, &list.rows()?, |row| MembershipRow::read(row)).map_err(failed)?;
    let next = next(&mut rows, query.limit);
    let member =
        |user, MembershipRow { since, change, .. }: &MembershipRow| Member { user, since: *since, change: *change };
    Ok((group, CursorPage { items: entities(connection, &rows, member).map_err(failed)?, total, next }))
}

/// A page of the groups of a user, and the user. A deleted user is in no group.
pub(crate) fn of_user(connection: &Connection, query: &JoinedGroupQuery) -> Result<(User, CursorPage<JoinedGroup>)> {
    let user = existing(find(connection, &query.user).map_err(failed)?, &query.user)?;
    // Whoever sees all groups needs no look-up of each.
    let count = match (user.deleted, query.visibility.limit()) {
        (None, None) => memberships::count_groups_of(user.uid),
        _ => count_groups_of(&Sqlite, user.uid, query),
    };
    let total = one(connection, &count, |row| row.get(0)).map_err(failed)?;
    let rows = groups_of(&Sqlite, user.uid, query)?;
    let mut rows = all(connection, &rows, |row| MembershipRow::read(row)).map_err(failed)?;
    let next = next(&mut rows, query.limit);
    let joined = |group, MembershipRow { since, change, .. }: &MembershipRow| JoinedGroup {
        group,
        since: *since,
        change: *change,
    };
    Ok((user, CursorPage { items: entities(connection, &rows, joined).map_err(failed)?, total: Some(total), next }))
}

/// The membership of the user in the group.
pub(crate) fn of_pair(
    connection: &Connection,
    visibility: &Visibility,
    group: &GroupKey,
    user: &UserKey,
) -> Result<Member> {
    let found: Group = visible(find(connection, group).map_err(failed)?, group, visibility)?;
    let member: User = existing(find(connection, user).map_err(failed)?, user)?;
    let sql = "SELECT added, change FROM memberships WHERE group_uid = ?1 AND user_uid = ?2";
    let membership = connection.prepare_cached(sql).and_then(|mut sql| {
        sql.query_row([found.uid, member.uid], |row| Ok((Timestamp::from_micros(row.get(0)?), row.get(1)?))).optional()
    });
    match membership.map_err(failed)?.filter(|_| found.deleted.is_none() && member.deleted.is_none()) {
        Some((since, change)) => Ok(Member { user: member, since, change }),
        None => Err(Error::NotFound(ResourceKind::Membership, user.to_string())),
    }
}

/// The items that `item` makes of the rows and their entities.
fn entities<E: SqliteEntity, T>(
    connection: &Connection,
    listed: &[MembershipRow],
    item: impl Fn(E, &MembershipRow) -> T,
) -> rusqlite::Result<Vec<T>> {
    let mut entity = by_uid::<E>(connection)?;
    listed.iter().map(|row| Ok(item(entity.query_row([row.uid], rows::record)?, row))).collect()
}
