//! Lists of memberships: chooses a query plan and runs it in one snapshot.

use rusqlite::Connection;

use crate::domain::Result;
use crate::domain::community::Communities;
use crate::domain::id::Id;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{Field, Filter, GroupField, ListResult, Page, Sort};
use crate::store::sql::counters::Counter;
use crate::store::sql::list::entities::ListQuery;
use crate::store::sql::list::memberships;
use crate::store::sql::list::window::Window;
use crate::store::sql::rows::id;
use crate::store::sql::tables::Groups;

use super::engine::Sqlite;
use super::pages::Pager;
use super::sets::evaluate::Evaluator;
use super::sets::match_set::MatchSet;
use super::sets::result_cache::ResultCache;
use super::statements::{all, each, one};
use crate::store::sqlite::entities::counters;
use crate::store::sqlite::entities::memberships::groups_of;
use crate::store::sqlite::entities::users::live_user;
use crate::store::sqlite::storage::open::failed;

/// Returns a page of memberships, with the total.
pub(crate) fn of_memberships(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &MembershipQuery,
) -> Result<ListResult<Membership>> {
    let (skip, size) = (query.page.offset(), query.page.size.into());
    let read = || {
        let (pairs, total) = match (&query.group, &query.user, query.visibility.limit()) {
            (None, Some(user), communities) => of_user(connection, result_cache, user, communities, query.page)?,
            (None, None, Some(communities)) => of_linked_groups(connection, communities, skip, size)?,
            _ => by_one_statement(connection, query, skip, size)?,
        };
        let mut user_id = connection.prepare_cached("SELECT id FROM users WHERE uid = ?1")?;
        let membership = |(group, uid)| Ok(Membership { group, user: user_id.query_row([uid], |row| id(row, 0))? });
        Ok(ListResult { items: pairs.into_iter().map(membership).collect::<rusqlite::Result<_>>()?, total })
    };
    read().map_err(failed)
}

/// The ID of a membership's group and the number of its user.
type GroupAndUser = (Id, i64);

/// Returns the page from one statement, and the total from a second one or a counter.
fn by_one_statement(
    connection: &Connection,
    query: &MembershipQuery,
    skip: u64,
    size: u64,
) -> rusqlite::Result<(Vec<GroupAndUser>, u64)> {
    let total = match memberships::total(&Sqlite, query) {
        None => counters::get(connection, Counter::Memberships)?,
        Some(statement) => one(connection, &statement, |row| row.get(0))?,
    };
    let window = Window::nearer_end(skip, size, total);
    let rows = memberships::rows(&Sqlite, query, window);
    let pairs = all(connection, &rows, |row| Ok((id(row, 0)?, row.get(1)?)))?;
    Ok((window.in_list_order(pairs), total))
}

/// Returns the page and the total of the memberships of one user: the user's groups as a match set, sorted by ID.
fn of_user(
    connection: &Connection,
    result_cache: &ResultCache,
    user: &Id,
    communities: Option<&Communities>,
    page: Page,
) -> rusqlite::Result<(Vec<GroupAndUser>, u64)> {
    let Some(user) = live_user(connection, &user.key())? else { return Ok((Vec::new(), 0)) };
    let live = counters::get(connection, Counter::Groups)?;
    let sort = [Sort { field: Field::Own(GroupField::Id), descending: false }];
    let list = ListQuery::<Groups, _> { engine: &Sqlite, filter: &Filter::default(), communities, sort: &sort };
    let evaluator = Evaluator::new(connection, result_cache, &list, live)?;
    let groups = all(connection, &groups_of(user), |row| row.get(0))?;
    let match_set = match list.conjuncts() {
        conjuncts if conjuncts.is_empty() => MatchSet::of(&groups),
        conjuncts => MatchSet::These(evaluator.look_up(&groups, &conjuncts)?),
    };
    let uids = Pager(&evaluator).sorted(&match_set, &sort, page.offset(), page.size.into())?;
    let mut group_id = connection.prepare_cached("SELECT id FROM groups WHERE uid = ?1")?;
    let pair = |uid| Ok((group_id.query_row([uid], |row| id(row, 0))?, user));
    Ok((uids.into_iter().map(pair).collect::<rusqlite::Result<_>>()?, match_set.len(live)))
}

/// Returns the page and the total of the memberships of all groups that are linked to one of the communities. The member
/// counts of the groups tell which groups are on the page, and only the members of these are read.
fn of_linked_groups(
    connection: &Connection,
    communities: &Communities,
    skip: u64,
    size: u64,
) -> rusqlite::Result<(Vec<GroupAndUser>, u64)> {
    let groups = memberships::linked_groups(&Sqlite, communities);
    let end = skip + size;
    let (mut total, mut pairs) = (0, Vec::new());
    each(connection, &groups, |row| {
        let members: u64 = row.get(2)?;
        // The group's memberships in the list are those from `first` up to, and without, `last`.
        let (first, last) = (total, total + members);
        let is_on_page = last > skip && first < end;
        if is_on_page {
            let group = id(row, 1)?;
            let from = skip.saturating_sub(first);
            let to = Ord::min(end - first, members);
            let window = Window::nearer_end(from, to - from, members);
            let users: Vec<i64> = all(connection, &memberships::members(row.get(0)?, window), |row| row.get(0))?;
            pairs.extend(window.in_list_order(users).into_iter().map(|user| (group.clone(), user)));
        }
        total = last;
        Ok(true)
    })?;
    Ok((pairs, total))
}
