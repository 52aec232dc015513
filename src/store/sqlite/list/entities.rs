//! Lists of groups and users: chooses a query plan and runs it in one snapshot.

use rusqlite::{CachedStatement, Connection, Row};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::query::{GroupQuery, ListResult, Page, UserQuery};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::list::candidates::Conjunct;
use crate::store::sql::list::entities::{FirstRows, ListQuery};
use crate::store::sql::list::sorting::keys;
use crate::store::sql::list::window::Window;
use crate::store::sql::tables::{Groups, Listing, Users};

use super::engine::Sqlite;
use super::pages::Pager;
use super::sets::evaluate::Evaluator;
use super::sets::result_cache::ResultCache;
use super::statements::{all, one};
use crate::store::sqlite::entities::counters;
use crate::store::sqlite::entities::rows;
use crate::store::sqlite::entity::by_uid;
use crate::store::sqlite::storage::open::failed;

/// Returns a page of groups, with the total.
pub(crate) fn of_groups(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &GroupQuery,
) -> Result<ListResult<Group>> {
    let list = ListQuery::<Groups, _> {
        engine: &Sqlite,
        filter: &query.filter,
        communities: query.visibility.limit(),
        sort: &query.sort,
    };
    list_result(connection, result_cache, &list, query.page, Counter::Groups, by_uid::<Group>, rows::record)
        .map_err(failed)
}

/// Returns a page of users, with the total.
pub(crate) fn of_users(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &UserQuery,
) -> Result<ListResult<User>> {
    let list = ListQuery::<Users, _> { engine: &Sqlite, filter: &query.filter, communities: None, sort: &query.sort };
    list_result(connection, result_cache, &list, query.page, Counter::Users, by_uid::<User>, rows::record)
        .map_err(failed)
}

/// Returns the page and the total of the list. `counter` holds the number of live entities. `by_uid` prepares the
/// statement that reads an entity, and `read` reads its row.
fn list_result<'c, L: Listing, T>(
    connection: &'c Connection,
    result_cache: &ResultCache,
    list: &ListQuery<'_, L, Sqlite>,
    page: Page,
    counter: Counter,
    by_uid: impl FnOnce(&'c Connection) -> rusqlite::Result<CachedStatement<'c>>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<ListResult<T>> {
    let live = counters::get(connection, counter)?;
    let evaluator = Evaluator::new(connection, result_cache, list, live)?;
    let (uids, total) = match smallest_set(&evaluator)? {
        Some(smallest) => look_up(&evaluator, smallest, page)?,
        None => {
            let match_set = evaluator.match_set(list.conjuncts())?;
            let keys = keys::<L>(list.sort);
            (Pager(&evaluator).page(&match_set, &keys, page.offset(), page.size.into())?, match_set.len(live))
        }
    };
    let mut entity = by_uid(connection)?;
    let items = uids.into_iter().map(|uid| entity.query_row([uid], &read)).collect::<rusqlite::Result<_>>()?;
    Ok(ListResult { items, total })
}

/// Returns the smallest of the list's candidate sets that are not above the threshold, with all its rows. `None` if
/// there is no such set.
pub(crate) fn smallest_set<L: Listing>(evaluator: &Evaluator<'_, L>) -> rusqlite::Result<Option<FirstRows>> {
    let mut smallest: Option<FirstRows> = None;
    for set in evaluator.list.conjuncts().iter().filter_map(Conjunct::candidate_set) {
        // A set is cached only if it was above the threshold.
        if evaluator.is_cached(&set) {
            continue;
        }
        let set = set.probed();
        let first_rows = ListQuery::<L, Sqlite>::first_rows(&set, evaluator.threshold);
        let uids: Vec<i64> = all(evaluator.connection, &first_rows, |row| row.get(0))?;
        let is_smaller = smallest.as_ref().is_none_or(|smallest| uids.len() < smallest.uids.len());
        if uids.len() as u64 <= evaluator.threshold && is_smaller {
            smallest = Some(FirstRows { set, uids });
        }
    }
    Ok(smallest)
}

/// Looks up the entities of the set and sorts those that match. Returns the `uid`s of the page, and the total.
fn look_up<L: Listing>(
    evaluator: &Evaluator<'_, L>,
    smallest: FirstRows,
    page: Page,
) -> rusqlite::Result<(Vec<i64>, u64)> {
    let plan = evaluator.list.plan(Some(smallest), evaluator.threshold);
    let total = plan.total.as_ref().map_or(Ok(0), |total| one(evaluator.connection, total, |row| row.get(0)))?;
    let (keys, window) = (keys::<L>(evaluator.list.sort), Window::new(page.offset(), page.size.into()));
    Ok((all(evaluator.connection, &evaluator.list.window(&plan, &keys, window), |row| row.get(0))?, total))
}
