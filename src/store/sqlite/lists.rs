//! Answering lists: the statements of [`crate::store::sql`], chosen and run in one snapshot.

use rusqlite::{CachedStatement, Connection, Row};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::query::{GroupQuery, Listed, UserQuery};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::lists::List;
use crate::store::sql::orders::keys;
use crate::store::sql::sets::{Part, Set};
use crate::store::sql::tables::{Groups, Listing, Users};
use crate::store::sql::window::Window;

use super::connection::failed;
use super::counters;
use super::engine::Sqlite;
use super::memory::Memory;
use super::pages::Pages;
use super::sets::Sets;
use super::statements::{all, one};
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

fn answer<'c, L: Listing, T>(
    connection: &'c Connection,
    memory: &Memory,
    list: &List<'_, L, Sqlite>,
    counter: Counter,
    by_uid: impl FnOnce(&'c Connection) -> rusqlite::Result<CachedStatement<'c>>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Listed<T>> {
    let live = counters::get(connection, counter)?;
    let sets = Sets::new(connection, memory, list, live)?;
    let (uids, total) = match smallest(&sets)? {
        Some(smallest) => looked_up(&sets, smallest)?,
        None => {
            let found = sets.found(list.parts())?;
            let keys = keys::<L>(list.sort);
            (Pages(&sets).page(&found, &keys, list.page.offset(), list.page.size.into())?, found.len(live))
        }
    };
    let mut thing = by_uid(connection)?;
    let items = uids.into_iter().map(|uid| thing.query_row([uid], &read)).collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

/// The smallest set of the list's parts and all of it, if it has few things.
fn smallest<L: Listing>(sets: &Sets<'_, L>) -> rusqlite::Result<Option<(Set, Vec<i64>)>> {
    let mut smallest: Option<(Set, Vec<i64>)> = None;
    for set in sets.list.parts().iter().filter_map(Part::set) {
        // A set is remembered where it once was not few.
        if sets.remembers(&set) {
            continue;
        }
        let set = set.probed();
        let beginning = List::<L, Sqlite>::beginning(&set, sets.few);
        let beginning: Vec<i64> = all(sets.connection, &beginning, |row| row.get(0))?;
        let smaller = smallest.as_ref().is_none_or(|(_, least)| beginning.len() < least.len());
        if beginning.len() as u64 <= sets.few && smaller {
            smallest = Some((set, beginning));
        }
    }
    Ok(smallest)
}

/// The page of a list that starts from few things, and how many match.
fn looked_up<L: Listing>(sets: &Sets<'_, L>, smallest: (Set, Vec<i64>)) -> rusqlite::Result<(Vec<i64>, u64)> {
    let plan = sets.list.plan(Some(smallest), sets.few);
    let total = plan.total.as_ref().map_or(Ok(0), |total| one(sets.connection, total, |row| row.get(0)))?;
    let window = Window::new(sets.list.page.offset(), sets.list.page.size.into());
    Ok((all(sets.connection, &sets.list.window(&plan, window), |row| row.get(0))?, total))
}
