//! Lists of one group's members and of one user's groups, each in one snapshot.

use tokio_postgres::Row;

use crate::domain::community::Visibility;
use crate::domain::cursor::CursorPage;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupKey};
use crate::domain::membership::{JoinedGroup, JoinedGroupQuery, Member, MemberQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::entity::Lookup;
use crate::store::sql::list::entities::{LOOK_UP_THRESHOLD, ListQuery};
use crate::store::sql::list::members::{MemberList, MembershipRow, Total, count_groups_of, groups_of, next};
use crate::store::sql::members::{existing, visible};
use crate::store::sql::tables::Users;

use super::engine::Postgres;
use super::lists::{in_order, number, numbers};
use super::read_transaction::ReadTransaction;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::PostgresEntity;

/// Reads a page of the members of a group, and the group. A deleted group has no members.
pub(crate) async fn of_group(
    mut transaction: ReadTransaction,
    query: &MemberQuery,
) -> Result<(Group, CursorPage<Member>), DatabaseError> {
    let group = find::<Group>(&mut transaction, &query.group).await?;
    let group = visible(group, &query.group, &query.visibility)?;
    if group.deleted.is_some() {
        transaction.end().await?;
        return Ok((group, CursorPage { items: Vec::new(), total: Some(0), next: None }));
    }
    let mut list = MemberList::new(&Postgres, &group, query)?;
    if let Some(candidates) = list.candidates(LOOK_UP_THRESHOLD) {
        let first = ListQuery::<Users, Postgres>::first_rows(&candidates, LOOK_UP_THRESHOLD);
        let users: Vec<UserUid> = numbers(&transaction.all(&[first]).await?.concat())?;
        if users.len() as u64 <= LOOK_UP_THRESHOLD {
            list = list.among(users);
        }
    }
    let (total, rows) = match list.total() {
        Total::Known(total) => (Some(total), transaction.all(&[list.rows()?]).await?.concat()),
        Total::TooCostly => (None, transaction.all(&[list.rows()?]).await?.concat()),
        Total::Count(count) => {
            let mut results = transaction.all(&[list.rows()?, *count]).await?.into_iter();
            let rows = results.next().unwrap_or_default();
            (Some(number(&results.next().unwrap_or_default())?), rows)
        }
    };
    let mut rows = rows.iter().map(MembershipRow::read).collect::<Result<Vec<_>>>()?;
    let next = next(&mut rows, query.limit);
    let users: Vec<User> = entities(&mut transaction, &rows).await?;
    transaction.end().await?;
    let member = |(user, MembershipRow { since, change, .. })| Member { user, since, change };
    Ok((group, CursorPage { items: users.into_iter().zip(rows).map(member).collect(), total, next }))
}

/// Reads a page of the groups of a user, and the user. A deleted user is in no group.
pub(crate) async fn of_user(
    mut transaction: ReadTransaction,
    query: &JoinedGroupQuery,
) -> Result<(User, CursorPage<JoinedGroup>), DatabaseError> {
    let user = existing(find::<User>(&mut transaction, &query.user).await?, &query.user)?;
    let statements = [groups_of(&Postgres, user.uid, query)?, count_groups_of(&Postgres, user.uid, query)];
    let mut results = transaction.all(&statements).await?.into_iter();
    let (rows, total) = (results.next().unwrap_or_default(), results.next().unwrap_or_default());
    let mut rows = rows.iter().map(MembershipRow::read).collect::<Result<Vec<_>>>()?;
    let next = next(&mut rows, query.limit);
    let groups: Vec<Group> = entities(&mut transaction, &rows).await?;
    transaction.end().await?;
    let joined = |(group, MembershipRow { since, change, .. })| JoinedGroup { group, since, change };
    let items = groups.into_iter().zip(rows).map(joined).collect();
    Ok((user, CursorPage { items, total: Some(number(&total)?), next }))
}

/// Reads the membership of the user in the group.
pub(crate) async fn of_pair(
    mut transaction: ReadTransaction,
    visibility: &Visibility,
    group: &GroupKey,
    user: &UserKey,
) -> Result<Member, DatabaseError> {
    let found = visible(find::<Group>(&mut transaction, group).await?, group, visibility)?;
    let member = existing(find::<User>(&mut transaction, user).await?, user)?;
    let sql = "SELECT added, change FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    let rows = transaction.rows(sql, &[&found.uid, &member.uid]).await?;
    transaction.end().await?;
    match rows.first().filter(|_| found.deleted.is_none() && member.deleted.is_none()) {
        Some(row) => {
            let since = Timestamp::from_micros(row.try_get(0)?);
            Ok(Member { user: member, since, change: row.try_get(1)? })
        }
        None => Err(Error::NotFound(ResourceKind::Membership, user.to_string()).into()),
    }
}

async fn find<E: PostgresEntity>(transaction: &mut ReadTransaction, key: &E::Key) -> Result<Option<E>, DatabaseError> {
    let statements = E::statements();
    let rows = match E::lookup(key) {
        Lookup::Uid(uid) => transaction.rows(&statements.by_uid, &[&uid]).await?,
        Lookup::Unique(column, value) => transaction.rows(statements.by_unique(column)?.0, &[&value]).await?,
    };
    Ok(rows.first().map(E::read::<Row>).transpose()?)
}

/// Reads the entities of the rows, in their order.
async fn entities<E: PostgresEntity>(
    transaction: &mut ReadTransaction,
    listed: &[MembershipRow],
) -> Result<Vec<E>, DatabaseError> {
    let uids: Vec<_> = listed.iter().map(|row| row.uid).collect();
    let rows = transaction.rows(&E::statements().these, &[&uids]).await?;
    Ok(in_order(&uids, &rows, E::read, E::uid)?)
}
