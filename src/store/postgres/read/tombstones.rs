//! Pages of deleted entities.

use tokio_postgres::Row;

use crate::domain::Result;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::group::Group;
use crate::domain::query::{GroupField, UserField};
use crate::domain::user::User;
use crate::store::sql::columns::Record as _;
use crate::store::sql::list::tombstones as statements;
use crate::store::sql::tables::{Groups, Listing, Users};

use super::cursor::{entities, list_of, rows};
use super::read_transaction::ReadTransaction;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::PostgresEntity;

/// Reads a page of deleted groups.
pub(crate) async fn groups(
    transaction: ReadTransaction,
    query: &CursorQuery<GroupField>,
) -> Result<CursorPage<Group>, DatabaseError> {
    page::<Groups, Group>(transaction, query, Group::read).await
}

/// Reads a page of deleted users.
pub(crate) async fn users(
    transaction: ReadTransaction,
    query: &CursorQuery<UserField>,
) -> Result<CursorPage<User>, DatabaseError> {
    page::<Users, User>(transaction, query, User::read).await
}

async fn page<L: Listing, E: PostgresEntity>(
    mut transaction: ReadTransaction,
    query: &CursorQuery<L::Field>,
    read: fn(&Row) -> Result<E>,
) -> Result<CursorPage<E>, DatabaseError> {
    let (list, limit) = (list_of::<L>(query), query.limit as usize);
    let ranges = statements::rows(&list, query.after.as_ref());
    let total = statements::total(&list);
    // One more than the page has, to know whether another one follows.
    let (mut uids, total) = rows(&mut transaction, ranges, limit + 1, Some(total)).await?;
    let has_next = uids.len() > limit;
    uids.truncate(limit);
    let items = entities(&mut transaction, &uids, read).await?;
    transaction.end().await?;
    let next = items.last().filter(|_| has_next).map(statements::position);
    Ok(CursorPage { items, total, next })
}
