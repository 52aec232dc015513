//! Lists: chooses among the statements of [`crate::store::sql`] and runs them in one snapshot. Statements that do not
//! depend on each other's results are sent together.

use std::collections::HashMap;

use sea_query::SelectStatement;
use tokio_postgres::Row;

use crate::domain::Result;
use crate::domain::error::Error;
use crate::domain::group::Group;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{GroupQuery, ListResult, Page, UserQuery};
use crate::domain::user::User;
use crate::store::sql::columns::Record as _;
use crate::store::sql::counters::Counter;
use crate::store::sql::list::candidate_set::CandidateSet;
use crate::store::sql::list::candidates::Conjunct;
use crate::store::sql::list::entities::{FirstRows, LOOK_UP_THRESHOLD, ListQuery, Plan};
use crate::store::sql::list::memberships as membership_statements;
use crate::store::sql::list::sorting::keys;
use crate::store::sql::list::window::Window;
use crate::store::sql::rows;
use crate::store::sql::tables::{Groups, Listing, Users};

use super::engine::Postgres;
use super::read_transaction::ReadTransaction;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::counters;
use crate::store::postgres::entity::PostgresEntity as _;

/// Reads a page of groups, with the total.
pub(crate) async fn groups(
    mut transaction: ReadTransaction,
    query: &GroupQuery,
) -> Result<ListResult<Group>, DatabaseError> {
    let list = ListQuery::<Groups, _> {
        engine: &Postgres,
        filter: &query.filter,
        communities: query.visibility.limit(),
        sort: &query.sort,
    };
    let (uids, total) = page(&mut transaction, &list, query.page, Counter::Groups).await?;
    let rows = transaction.rows(&Group::statements().these, &[&uids]).await?;
    transaction.end().await?;
    Ok(ListResult { items: in_order(&uids, &rows, Group::read, |group| group.uid)?, total })
}

/// Reads a page of users, with the total.
pub(crate) async fn users(
    mut transaction: ReadTransaction,
    query: &UserQuery,
) -> Result<ListResult<User>, DatabaseError> {
    let list = ListQuery::<Users, _> { engine: &Postgres, filter: &query.filter, communities: None, sort: &query.sort };
    let (uids, total) = page(&mut transaction, &list, query.page, Counter::Users).await?;
    let rows = transaction.rows(&User::statements().these, &[&uids]).await?;
    transaction.end().await?;
    Ok(ListResult { items: in_order(&uids, &rows, User::read, |user| user.uid)?, total })
}

/// Reads a page of memberships, with the total.
pub(crate) async fn memberships(
    mut transaction: ReadTransaction,
    query: &MembershipQuery,
) -> Result<ListResult<Membership>, DatabaseError> {
    let (total, window) = (membership_statements::total(&Postgres, query), |window| {
        membership_statements::rows(&Postgres, query, window)
    });
    let (pairs, total) =
        rows_and_total(&mut transaction, total, Counter::Memberships, range(query.page), window).await?;
    let uids = pairs.iter().map(|row| row.try_get(1)).collect::<Result<Vec<i64>, _>>()?;
    let rows = transaction.rows("SELECT uid, id FROM users WHERE uid = ANY($1)", &[&uids]).await?;
    transaction.end().await?;
    let users: HashMap<i64, &Row> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row))).collect::<Result<_, DatabaseError>>()?;
    let membership = |(pair, uid): (&Row, &i64)| {
        let user = users.get(uid).ok_or_else(|| missing(*uid))?;
        Ok(Membership { group: rows::id(pair, 0)?, user: rows::id(*user, 1)? })
    };
    let items = pairs.iter().zip(&uids).map(membership).collect::<Result<_>>()?;
    Ok(ListResult { items, total })
}

/// Returns the numbers of the entities on the page, in order, and the total number of matches. `counter` holds the
/// total of a list without filters.
async fn page<L: Listing>(
    transaction: &mut ReadTransaction,
    list: &ListQuery<'_, L, Postgres>,
    page: Page,
    counter: Counter,
) -> Result<(Vec<i64>, u64), DatabaseError> {
    let plan = plan(transaction, list).await?;
    let keys = keys::<L>(list.sort);
    let window = |window| list.window(&plan, &keys, window);
    let (rows, total) = rows_and_total(transaction, plan.total.clone(), counter, range(page), window).await?;
    Ok((numbers(&rows)?, total))
}

/// Returns the plan of the list.
pub(super) async fn plan<L: Listing>(
    transaction: &mut ReadTransaction,
    list: &ListQuery<'_, L, Postgres>,
) -> Result<Plan, DatabaseError> {
    let sets: Vec<CandidateSet> = list.conjuncts().iter().filter_map(Conjunct::candidate_set).collect();
    // The first rows of each candidate set show which set is the smallest, and whether it is below the threshold.
    let first_rows: Vec<_> =
        sets.iter().map(|set| ListQuery::<L, Postgres>::first_rows(set, LOOK_UP_THRESHOLD)).collect();
    let first_rows = if first_rows.is_empty() { Vec::new() } else { transaction.all(&first_rows).await? };
    let first_uids = first_rows.iter().map(|rows| numbers(rows)).collect::<Result<Vec<_>, _>>()?;
    let first_rows = sets.into_iter().zip(first_uids).map(|(set, uids)| FirstRows { set, uids });
    let smallest = first_rows.min_by_key(|first_rows| first_rows.uids.len());
    Ok(list.plan(smallest, LOOK_UP_THRESHOLD))
}

/// How many rows come before the page, and how many it has at most.
fn range(page: Page) -> (u64, u64) {
    (page.offset(), page.size.into())
}

/// Returns at most `size` rows after the first `skip`, and the total from the statement `total`, or from the counter if
/// there is none. A page far from the beginning is read from the nearer end of the list, so its total is read first.
pub(super) async fn rows_and_total(
    transaction: &mut ReadTransaction,
    total: Option<SelectStatement>,
    counter: Counter,
    (skip, size): (u64, u64),
    rows: impl Fn(Window) -> SelectStatement,
) -> Result<(Vec<Row>, u64), DatabaseError> {
    let total = total.unwrap_or_else(|| counters::value(counter));
    if skip <= LOOK_UP_THRESHOLD {
        let mut results = transaction.all(&[rows(Window::new(skip, size)), total]).await?.into_iter();
        let (rows, total) = (results.next().unwrap_or_default(), results.next().unwrap_or_default());
        return Ok((rows, number(&total)?));
    }
    let total = number(&transaction.all(&[total]).await?.concat())?;
    let window = Window::nearer_end(skip, size, total);
    let rows = transaction.all(&[rows(window)]).await?.concat();
    Ok((window.in_list_order(rows), total))
}

/// The number in the first column of the only row; 0 if there is no row.
pub(super) fn number(rows: &[Row]) -> Result<u64, DatabaseError> {
    let number: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(number.try_into().map_err(Error::internal)?)
}

/// The numbers in the first column of the rows.
pub(super) fn numbers(rows: &[Row]) -> Result<Vec<i64>, tokio_postgres::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The entities of the rows, in the order of `uids`.
pub(super) fn in_order<T>(
    uids: &[i64],
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T>,
    uid: impl Fn(&T) -> i64,
) -> Result<Vec<T>> {
    let entities = rows.iter().map(|row| read(row).map(|entity| (uid(&entity), entity)));
    let mut entities: HashMap<i64, T> = entities.collect::<Result<_>>()?;
    uids.iter().map(|uid| entities.remove(uid).ok_or_else(|| missing(*uid))).collect()
}

/// The error for an entity that a list found and that the same snapshot does not have: a defect.
fn missing(uid: i64) -> Error {
    Error::internal(anyhow::anyhow!("a list found an entity that does not exist: {uid}"))
}
