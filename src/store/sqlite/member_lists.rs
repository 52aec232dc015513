//! Answering lists of memberships, in one snapshot.

use rusqlite::Connection;

use crate::domain::Result;
use crate::domain::community::Communities;
use crate::domain::id::Id;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{Field, Filter, GroupField, Listed, Page, Sort};
use crate::store::sql::counters::Counter;
use crate::store::sql::lists::List;
use crate::store::sql::memberships;
use crate::store::sql::rows::id;
use crate::store::sql::tables::Groups;
use crate::store::sql::window::Window;

use super::connection::failed;
use super::counters;
use super::engine::Sqlite;
use super::found::Found;
use super::memberships::groups_of;
use super::memory::Memory;
use super::pages::Pages;
use super::sets::Sets;
use super::statements::{all, each, one};
use super::users::live_user;

/// A page of memberships.
pub fn of_memberships(connection: &Connection, memory: &Memory, query: &MembershipQuery) -> Result<Listed<Membership>> {
    let (skip, size) = (query.page.offset(), query.page.size.into());
    let read = || {
        let (pairs, total) = match (&query.group, &query.user, query.visibility.limit()) {
            (None, Some(user), communities) => of_user(connection, memory, user, communities, query.page)?,
            (None, None, Some(communities)) => within(connection, communities, skip, size)?,
            _ => paired(connection, query, skip, size)?,
        };
        let mut user_id = connection.prepare_cached("SELECT id FROM users WHERE uid = ?1")?;
        let membership = |(group, uid)| Ok(Membership { group, user: user_id.query_row([uid], |row| id(row, 0))? });
        Ok(Listed { items: pairs.into_iter().map(membership).collect::<rusqlite::Result<_>>()?, total })
    };
    read().map_err(failed)
}

/// The page's groups and users' numbers, and how many match.
fn paired(
    connection: &Connection,
    query: &MembershipQuery,
    skip: u64,
    size: u64,
) -> rusqlite::Result<(Vec<(Id, i64)>, u64)> {
    let total = match memberships::total(&Sqlite, query) {
        None => counters::get(connection, Counter::Memberships)?,
        Some(statement) => one(connection, &statement, |row| row.get(0))?,
    };
    let window = Window::nearer_end(skip, size, total);
    let rows = memberships::rows(&Sqlite, query, window);
    let mut pairs = all(connection, &rows, |row| Ok((id(row, 0)?, row.get(1)?)))?;
    if window.from_end {
        pairs.reverse();
    }
    Ok((pairs, total))
}

/// The same of one user: a list of groups, those that the user is in.
fn of_user(
    connection: &Connection,
    memory: &Memory,
    user: &Id,
    communities: Option<&Communities>,
    page: Page,
) -> rusqlite::Result<(Vec<(Id, i64)>, u64)> {
    let Some(user) = live_user(connection, &user.key())? else { return Ok((Vec::new(), 0)) };
    let live = counters::get(connection, Counter::Groups)?;
    let sort = [Sort { field: Field::Own(GroupField::Id), descending: false }];
    let list = List::<Groups, _> { engine: &Sqlite, filter: &Filter::default(), communities, sort: &sort, page };
    let sets = Sets::new(connection, memory, &list, live)?;
    let groups = all(connection, &groups_of(user), |row| row.get(0))?;
    let found = match list.parts() {
        parts if parts.is_empty() => Found::these(&groups),
        parts => Found::These(sets.looked_up(&groups, &parts)?),
    };
    let uids = Pages(&sets).sorted(&found, &sort, page.offset(), page.size.into())?;
    let mut group_id = connection.prepare_cached("SELECT id FROM groups WHERE uid = ?1")?;
    let pair = |uid| Ok((group_id.query_row([uid], |row| id(row, 0))?, user));
    Ok((uids.into_iter().map(pair).collect::<rusqlite::Result<_>>()?, found.len(live)))
}

/// The same of all groups linked to one of the communities: of each it is known how many members come before it.
fn within(
    connection: &Connection,
    communities: &Communities,
    skip: u64,
    size: u64,
) -> rusqlite::Result<(Vec<(Id, i64)>, u64)> {
    let groups = memberships::linked_groups(&Sqlite, communities);
    let (mut before, mut pairs) = (0, Vec::new());
    each(connection, &groups, |row| {
        let members: u64 = row.get(2)?;
        if before + members > skip && before < skip + size {
            let group = id(row, 1)?;
            let from = skip.saturating_sub(before);
            let window = Window::nearer_end(from, Ord::min(skip + size - before, members) - from, members);
            let mut users: Vec<i64> = all(connection, &memberships::members(row.get(0)?, window), |row| row.get(0))?;
            if window.from_end {
                users.reverse();
            }
            pairs.extend(users.into_iter().map(|user| (group.clone(), user)));
        }
        before += members;
        Ok(true)
    })?;
    Ok((pairs, before))
}
