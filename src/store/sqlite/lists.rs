//! Answering lists: the statements of [`crate::store::sql`], chosen and run in one snapshot.

use rusqlite::{CachedStatement, Connection, Row, params_from_iter};
use sea_query::{SelectStatement, SqliteQueryBuilder};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{GroupQuery, Listed, UserQuery};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::lists::List;
use crate::store::sql::memberships;
use crate::store::sql::rows::id;
use crate::store::sql::tables::{Groups, Listing, Users};

use super::bind::Bound;
use super::connection::failed;
use super::counters;
use super::engine::Sqlite;
use super::{groups, rows, users};

/// A page of groups.
pub fn of_groups(connection: &Connection, query: &GroupQuery) -> Result<Listed<Group>> {
    let list = List::<Groups, _> {
        engine: &Sqlite,
        filter: &query.filter,
        communities: query.visibility.limit(),
        sort: &query.sort,
        page: query.page,
    };
    answer(connection, &list, Counter::Groups, groups::by_uid, rows::group).map_err(failed)
}

/// A page of users.
pub fn of_users(connection: &Connection, query: &UserQuery) -> Result<Listed<User>> {
    let list = List::<Users, _> {
        engine: &Sqlite,
        filter: &query.filter,
        communities: None,
        sort: &query.sort,
        page: query.page,
    };
    answer(connection, &list, Counter::Users, users::by_uid, rows::user).map_err(failed)
}

/// A page of memberships.
pub fn of_memberships(connection: &Connection, query: &MembershipQuery) -> Result<Listed<Membership>> {
    let plan = memberships::plan(&Sqlite, query);
    let read = || {
        let total = match &plan.total {
            None => counters::get(connection, Counter::Memberships)?,
            Some(statement) => one(connection, statement, |row| row.get(0))?,
        };
        let pairs = all(connection, &plan.rows, |row| Ok((id(row, 0)?, row.get::<_, i64>(1)?)))?;
        let mut user_id = connection.prepare_cached("SELECT id FROM users WHERE uid = ?1")?;
        let membership = |(group, uid)| Ok(Membership { group, user: user_id.query_row([uid], |row| id(row, 0))? });
        Ok(Listed { items: pairs.into_iter().map(membership).collect::<rusqlite::Result<_>>()?, total })
    };
    read().map_err(failed)
}

fn answer<'c, L: Listing, T>(
    connection: &'c Connection,
    list: &List<'_, L, Sqlite>,
    counter: Counter,
    by_uid: impl FnOnce(&'c Connection) -> rusqlite::Result<CachedStatement<'c>>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Listed<T>> {
    let mut begun = Vec::new();
    for set in list.sets() {
        let beginning: Vec<i64> = all(connection, &List::<L, Sqlite>::beginning(&set), |row| row.get(0))?;
        begun.push((set, beginning));
    }
    let plan = list.plan(begun.into_iter().min_by_key(|(_, beginning)| beginning.len()));
    let total = match &plan.total {
        None => counters::get(connection, counter)?,
        Some(statement) => one(connection, statement, |row| row.get(0))?,
    };
    let uids: Vec<i64> = all(connection, &plan.rows, |row| row.get(0))?;
    let mut thing = by_uid(connection)?;
    let items = uids.into_iter().map(|uid| thing.query_row([uid], &read)).collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

fn one<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    connection.prepare_cached(&sql)?.query_row(params_from_iter(values.into_iter().map(Bound)), read)
}

fn all<T>(
    connection: &Connection,
    statement: &SelectStatement,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values.into_iter().map(Bound)), read)?.collect()
}
