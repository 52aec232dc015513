//! Pages of walks by cursor. A small set is looked up and sorted, with its total in the same pipeline. Otherwise the
//! stretches of the order are read one after the other until the page is full.

use std::collections::HashSet;

use sea_query::{Expr, SelectStatement};
use tokio_postgres::Row;

use crate::domain::Result;
use crate::domain::cursor::{CursorPage, CursorQuery, Position};
use crate::domain::group::Group;
use crate::domain::query::{Condition, GroupField, Sort, UserField};
use crate::domain::user::User;
use crate::store::sql::columns::Record as _;
use crate::store::sql::counters::Counter;
use crate::store::sql::list::conditions::filters::condition;
use crate::store::sql::list::cursor::{Class, cursor_keys, position, sorted_after};
use crate::store::sql::list::entities::{ListQuery, Plan};
use crate::store::sql::list::probing::{MOST_PROBED, Probing, without_probes};
use crate::store::sql::tables::{Groups, Listing, Users};

use super::engine::Postgres;
use super::lists::{in_order, number, numbers, plan, rows_and_total};
use super::read_transaction::ReadTransaction;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::counters;
use crate::store::postgres::entity::PostgresEntity;

/// Reads a page of a walk through groups.
pub(crate) async fn groups(
    transaction: ReadTransaction,
    query: &CursorQuery<GroupField>,
) -> Result<CursorPage<Group>, DatabaseError> {
    page::<Groups, Group>(transaction, query, Counter::Groups, Group::read).await
}

/// Reads a page of a walk through users.
pub(crate) async fn users(
    transaction: ReadTransaction,
    query: &CursorQuery<UserField>,
) -> Result<CursorPage<User>, DatabaseError> {
    page::<Users, User>(transaction, query, Counter::Users, User::read).await
}

async fn page<L: Listing, E: PostgresEntity>(
    mut transaction: ReadTransaction,
    query: &CursorQuery<L::Field>,
    counter: Counter,
    read: fn(&Row) -> Result<E>,
) -> Result<CursorPage<E>, DatabaseError> {
    let keys = cursor_keys::<L>(&query.sort);
    let list = list_of::<L>(query);
    let (limit, after) = (query.limit as usize, query.after.as_ref());
    let plan = plan(&mut transaction, &list).await?;
    if !plan.is_whole_set
        && let Some((others, probes)) = without_probes(&query.filter)
    {
        let unprobed = ListQuery { filter: &others, ..list_of::<L>(query) };
        let total = total(&unprobed, counter);
        if number(&transaction.all(&[total]).await?.concat())? > MOST_PROBED as u64 {
            return probed(transaction, &unprobed, &keys, query, &probes, read).await;
        }
    }
    // One more than the page has, to know whether another one follows.
    let size = limit + 1;
    let (mut uids, total) = if after.is_none() && query.skip > 0 {
        let (window, total) = (|window| list.window(&plan, &keys, window), plan.total.clone());
        let range = (query.skip, size as u64);
        let (rows, total) = rows_and_total(&mut transaction, total, counter, range, window).await?;
        (numbers(&rows)?, Some(total))
    } else {
        let statements = statements(&list, Some(&plan), &keys, after);
        let total = plan.total.unwrap_or_else(|| counters::value(counter));
        rows(&mut transaction, statements, size, Some(total)).await?
    };
    let has_next = uids.len() > limit;
    uids.truncate(limit);
    let items = entities(&mut transaction, &uids, read).await?;
    transaction.end().await?;
    let next = items.last().filter(|_| has_next).map(|last| position::<L, E>(last, &keys));
    Ok(CursorPage { items, total, next })
}

/// The list of the walk.
pub(super) fn list_of<L: Listing>(query: &CursorQuery<L::Field>) -> ListQuery<'_, L, Postgres> {
    let communities = query.visibility.limit().filter(|_| L::IS_LIMITED);
    ListQuery { engine: &Postgres, filter: &query.filter, communities, sort: &query.sort }
}

/// The statement of the number of all that match.
fn total<L: Listing>(list: &ListQuery<'_, L, Postgres>, counter: Counter) -> SelectStatement {
    list.plan(None, 0).total.unwrap_or_else(|| counters::value(counter))
}

/// The statements of the rows after the position, which come one after the other.
fn statements<L: Listing>(
    list: &ListQuery<'_, L, Postgres>,
    plan: Option<&Plan>,
    keys: &[Sort<L::Field>],
    after: Option<&Position>,
) -> Vec<SelectStatement> {
    if let Some(plan) = plan.filter(|plan| plan.is_whole_set) {
        return vec![sorted_after::<L>(plan.rows.clone(), keys, after)];
    }
    let classes = Class::after(keys, after).into_iter();
    let stretches = classes.flat_map(|(class, after)| class.stretches::<L>(&Postgres, keys, after, true));
    stretches.map(|stretch| list.matches(stretch)).collect()
}

/// The first `size` numbers that the statements give, and the number that `total` gives, which is read beside the first
/// of them.
pub(super) async fn rows(
    transaction: &mut ReadTransaction,
    statements: Vec<SelectStatement>,
    size: usize,
    mut total: Option<SelectStatement>,
) -> Result<(Vec<i64>, Option<u64>), DatabaseError> {
    let (mut uids, mut count) = (Vec::new(), None);
    for mut statement in statements {
        let rows = statement.limit((size - uids.len()) as u64).take();
        let both: Vec<_> = std::iter::once(rows).chain(total.take()).collect();
        let mut results = transaction.all(&both).await?.into_iter();
        uids.extend(numbers(&results.next().unwrap_or_default())?);
        if let Some(rows) = results.next() {
            count = Some(number(&rows)?);
        }
        if uids.len() == size {
            break;
        }
    }
    Ok((uids, count))
}

/// The entities with the numbers, in their order.
pub(super) async fn entities<E: PostgresEntity>(
    transaction: &mut ReadTransaction,
    uids: &[i64],
    read: fn(&Row) -> Result<E>,
) -> Result<Vec<E>, DatabaseError> {
    let rows = transaction.rows(&E::statements().these, &[&uids]).await?;
    Ok(in_order(uids, &rows, read, |entity| entity.uid())?)
}

/// A page of the rows of the walk that pass the probes. It may end before it is full, and nothing is counted.
async fn probed<L: Listing, E: PostgresEntity>(
    mut transaction: ReadTransaction,
    list: &ListQuery<'_, L, Postgres>,
    keys: &[Sort<L::Field>],
    query: &CursorQuery<L::Field>,
    probes: &[Condition<L::Field>],
    read: fn(&Row) -> Result<E>,
) -> Result<CursorPage<E>, DatabaseError> {
    let conditions: Vec<Expr> = probes.iter().map(|probe| condition::<L>(&Postgres, probe)).collect();
    let mut after = query.after.clone();
    let mut probing = Probing::new(query.limit as usize);
    while let Some(asked) = probing.next() {
        let statements = statements(list, None, keys, after.as_ref());
        let (uids, _) = rows(&mut transaction, statements, asked, None).await?;
        let passed = transaction.all(&[list.matching(&uids, &conditions)]).await?.concat();
        let passed: HashSet<i64> = numbers(&passed)?.into_iter().collect();
        probing.take(&uids, asked, |uid| passed.contains(&uid));
        let last = entities(&mut transaction, probing.last.as_slice(), read).await?;
        after = last.first().map(|last| position::<L, E>(last, keys)).or(after);
    }
    let items = entities(&mut transaction, &probing.uids, read).await?;
    transaction.end().await?;
    Ok(CursorPage { items, total: None, next: after.filter(|_| probing.has_next()) })
}
