//! Answering lists of deleted entities, in one snapshot.

use rusqlite::Connection;

use crate::domain::Result;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::group::Group;
use crate::domain::query::{GroupField, UserField};
use crate::domain::user::User;
use crate::store::sql::list::tombstones::{position, rows, total};
use crate::store::sql::tables::{Groups, Listing, Users};

use super::cursor::{entities, list_of};
use super::statements::{all, one};
use crate::store::sqlite::entity::SqliteEntity;
use crate::store::sqlite::storage::open::failed;

/// A page of deleted groups.
pub(crate) fn of_groups(connection: &Connection, query: &CursorQuery<GroupField>) -> Result<CursorPage<Group>> {
    answer::<Groups, Group>(connection, query).map_err(failed)
}

/// A page of deleted users.
pub(crate) fn of_users(connection: &Connection, query: &CursorQuery<UserField>) -> Result<CursorPage<User>> {
    answer::<Users, User>(connection, query).map_err(failed)
}

fn answer<L: Listing, E: SqliteEntity>(
    connection: &Connection,
    query: &CursorQuery<L::Field>,
) -> rusqlite::Result<CursorPage<E>> {
    let list = list_of::<L>(query);
    let total = one(connection, &total(&list), |row| row.get(0))?;
    let limit = query.limit as usize;
    let mut uids: Vec<i64> = Vec::new();
    for mut statement in rows(&list, query.after.as_ref()) {
        // One more than the page has, to know whether another one follows.
        let statement = statement.limit((limit + 1 - uids.len()) as u64).take();
        uids.extend(all(connection, &statement, |row| row.get::<_, i64>(0))?);
    }
    let has_next = uids.len() > limit;
    uids.truncate(limit);
    let items: Vec<E> = entities(connection, &uids)?;
    let next = items.last().filter(|_| has_next).map(position);
    Ok(CursorPage { items, total: Some(total), next })
}
