//! Answering lists: the statements of [`crate::store::sql`], chosen and run in one snapshot.

use rusqlite::{CachedStatement, Connection, Row};

use crate::domain::Result;
use crate::domain::community::Communities;
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{GroupQuery, Listed, UserQuery};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::lists::List;
use crate::store::sql::memberships::{self, Window};
use crate::store::sql::orders::keys;
use crate::store::sql::rows::id;
use crate::store::sql::sets::{Part, Set};
use crate::store::sql::tables::{Groups, Listing, Users};

use super::connection::failed;
use super::counters;
use super::engine::Sqlite;
use super::memory::Memory;
use super::pages::Pages;
use super::sets::Sets;
use super::statements::{all, each, one};
use super::{groups, rows, users};

/// A page of groups.
pub fn of_groups(connection: &Connection, memory: &Memory, query: &GroupQuery) -> Result<Listed<Group>> {
    let list = List::<Groups, _> {
        engine: &Sqlite,
        filter: &query.filter,
        communities: query.visibility.limit(),
        sort: &query.sort,
        page: query.page,
    };
    answer(connection, memory, &list, Counter::Groups, groups::by_uid, rows::group).map_err(failed)
}

/// A page of users.
pub fn of_users(connection: &Connection, memory: &Memory, query: &UserQuery) -> Result<Listed<User>> {
    let list = List::<Users, _> {
        engine: &Sqlite,
        filter: &query.filter,
        communities: None,
        sort: &query.sort,
        page: query.page,
    };
    answer(connection, memory, &list, Counter::Users, users::by_uid, rows::user).map_err(failed)
}

/// A page of memberships.
pub fn of_memberships(connection: &Connection, query: &MembershipQuery) -> Result<Listed<Membership>> {
    let (skip, size) = (query.page.offset(), query.page.size.into());
    let read = || {
        let (pairs, total) = match (&query.group, &query.user, query.visibility.limit()) {
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

fn answer<'c, L: Listing, T>(
    connection: &'c Connection,
    memory: &Memory,
    list: &List<'_, L, Sqlite>,
    counter: Counter,
    by_uid: impl FnOnce(&'c Connection) -> rusqlite::Result<CachedStatement<'c>>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Listed<T>> {
    let live = counters::get(connection, counter)?;
    let few = few(live);
    let sets = Sets::new(connection, memory)?;
    let (uids, total) = match smallest(&sets, list, few)? {
        Some(smallest) => looked_up(connection, list, smallest, few)?,
        None => {
            let found = sets.found(list, list.parts(), live)?;
            let pages = Pages { list, sets: &sets, live, few };
            let keys = keys::<L>(list.sort);
            (pages.page(&found, &keys, list.page.offset(), list.page.size.into())?, found.len(live))
        }
    };
    let mut thing = by_uid(connection)?;
    let items = uids.into_iter().map(|uid| thing.query_row([uid], &read)).collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

/// Up to how many things, of so many, are looked up and sorted without a further thought: at the root of the number of
/// all, that takes about as long as walking an index until a page of them is full.
fn few(live: u64) -> u64 {
    live.isqrt()
}

/// The smallest set of the list's parts and all of it, if it has few things.
fn smallest<L: Listing>(
    sets: &Sets<'_>,
    list: &List<'_, L, Sqlite>,
    few: u64,
) -> rusqlite::Result<Option<(Set, Vec<i64>)>> {
    let mut smallest: Option<(Set, Vec<i64>)> = None;
    for set in list.parts().iter().filter_map(Part::set) {
        // A set is remembered where it once was not few.
        if sets.remembered(&set).is_some() {
            continue;
        }
        let beginning: Vec<i64> = all(sets.connection, &List::<L, Sqlite>::beginning(&set, few), |row| row.get(0))?;
        let smaller = smallest.as_ref().is_none_or(|(_, least)| beginning.len() < least.len());
        if beginning.len() as u64 <= few && smaller {
            smallest = Some((set, beginning));
        }
    }
    Ok(smallest)
}

/// The page of a list that starts from few things, and how many match.
fn looked_up<L: Listing>(
    connection: &Connection,
    list: &List<'_, L, Sqlite>,
    smallest: (Set, Vec<i64>),
    few: u64,
) -> rusqlite::Result<(Vec<i64>, u64)> {
    let plan = list.plan(Some(smallest), few);
    let total = plan.total.map_or(Ok(0), |total| one(connection, &total, |row| row.get(0)))?;
    Ok((all(connection, &plan.rows, |row| row.get(0))?, total))
}
