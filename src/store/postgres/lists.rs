//! Answering lists: the statements of [`crate::store::sql`], chosen and run in one snapshot. The statements that do
//! not depend on each other's answers are sent at once.

use std::collections::HashMap;

use sea_query::SelectStatement;
use tokio_postgres::Row;

use crate::domain::Result;
use crate::domain::error::Error;
use crate::domain::group::Group;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::{GroupQuery, Listed, Page, UserQuery};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::lists::{FEW, List};
use crate::store::sql::memberships;
use crate::store::sql::rows;
use crate::store::sql::sets::{Part, Set};
use crate::store::sql::tables::{Groups, Listing, Users};
use crate::store::sql::window::Window;

use super::counters;
use super::engine::Postgres;
use super::reading::Reading;
use super::trouble::Trouble;
use super::{groups, users};

/// A page of groups.
pub async fn of_groups(mut reading: Reading, query: &GroupQuery) -> Result<Listed<Group>, Trouble> {
    let list = List::<Groups, _> {
        engine: &Postgres,
        filter: &query.filter,
        communities: query.visibility.limit(),
        sort: &query.sort,
        page: query.page,
    };
    let (uids, total) = page(&mut reading, &list, Counter::Groups).await?;
    let found = reading.rows(groups::THESE, &[&uids]).await?;
    reading.end().await?;
    Ok(Listed { items: in_order(&uids, &found, rows::group, |group| group.uid)?, total })
}

/// A page of users.
pub async fn of_users(mut reading: Reading, query: &UserQuery) -> Result<Listed<User>, Trouble> {
    let list = List::<Users, _> {
        engine: &Postgres,
        filter: &query.filter,
        communities: None,
        sort: &query.sort,
        page: query.page,
    };
    let (uids, total) = page(&mut reading, &list, Counter::Users).await?;
    let found = reading.rows(users::THESE, &[&uids]).await?;
    reading.end().await?;
    Ok(Listed { items: in_order(&uids, &found, rows::user, |user| user.uid)?, total })
}

/// A page of memberships.
pub async fn of_memberships(mut reading: Reading, query: &MembershipQuery) -> Result<Listed<Membership>, Trouble> {
    let (total, window) = (memberships::total(&Postgres, query), |window| memberships::rows(&Postgres, query, window));
    let (pairs, total) = rows_and_total(&mut reading, total, Counter::Memberships, query.page, window).await?;
    let uids = pairs.iter().map(|row| row.try_get(1)).collect::<Result<Vec<i64>, _>>()?;
    let found = reading.rows("SELECT uid, id FROM users WHERE uid = ANY($1)", &[&uids]).await?;
    reading.end().await?;
    let users: HashMap<i64, &Row> =
        found.iter().map(|row| Ok((row.try_get(0)?, row))).collect::<Result<_, Trouble>>()?;
    let membership = |(pair, uid): (&Row, &i64)| {
        let user = users.get(uid).ok_or_else(|| missing(*uid))?;
        Ok(Membership { group: rows::id(pair, 0)?, user: rows::id(*user, 1)? })
    };
    let items = pairs.iter().zip(&uids).map(membership).collect::<Result<_>>()?;
    Ok(Listed { items, total })
}

/// The numbers of the things on the page, in order, and how many match.
async fn page<L: Listing>(
    reading: &mut Reading,
    list: &List<'_, L, Postgres>,
    counter: Counter,
) -> Result<(Vec<i64>, u64), Trouble> {
    let sets: Vec<Set> = list.parts().iter().filter_map(Part::set).collect();
    let beginnings = match sets.is_empty() {
        true => Vec::new(),
        false => {
            reading.all(&sets.iter().map(|set| List::<L, Postgres>::beginning(set, FEW)).collect::<Vec<_>>()).await?
        }
    };
    let begun = beginnings.iter().map(|rows| numbers(rows)).collect::<Result<Vec<_>, _>>()?;
    let smallest: Option<(Set, Vec<i64>)> = sets.into_iter().zip(begun).min_by_key(|(_, beginning)| beginning.len());
    let plan = list.plan(smallest, FEW);
    let window = |window| list.window(&plan, window);
    let (rows, total) = rows_and_total(reading, plan.total.clone(), counter, list.page, window).await?;
    Ok((numbers(&rows)?, total))
}

/// The rows of the page, and how many there are in all: `total`, or if there is none, what the counter has. A far page is
/// counted from the nearer end.
async fn rows_and_total(
    reading: &mut Reading,
    total: Option<SelectStatement>,
    counter: Counter,
    page: Page,
    rows: impl Fn(Window) -> SelectStatement,
) -> Result<(Vec<Row>, u64), Trouble> {
    let total = total.unwrap_or_else(|| counters::value(counter));
    let (skip, size) = (page.offset(), page.size.into());
    if skip <= FEW {
        let mut answers = reading.all(&[rows(Window::new(skip, size)), total]).await?.into_iter();
        let (rows, total) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
        return Ok((rows, number(&total)?));
    }
    let total = number(&reading.all(&[total]).await?.concat())?;
    let window = Window::nearer_end(skip, size, total);
    let mut rows = reading.all(&[rows(window)]).await?.concat();
    if window.from_end {
        rows.reverse();
    }
    Ok((rows, total))
}

/// The number in the only row.
fn number(rows: &[Row]) -> Result<u64, Trouble> {
    let number: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(number.try_into().map_err(Error::internal)?)
}

fn numbers(rows: &[Row]) -> Result<Vec<i64>, tokio_postgres::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The things of the rows, in the order of their numbers on the page.
fn in_order<T>(
    uids: &[i64],
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T>,
    uid: impl Fn(&T) -> i64,
) -> Result<Vec<T>> {
    let things = rows.iter().map(|row| read(row).map(|thing| (uid(&thing), thing)));
    let mut things: HashMap<i64, T> = things.collect::<Result<_>>()?;
    uids.iter().map(|uid| things.remove(uid).ok_or_else(|| missing(*uid))).collect()
}

fn missing(uid: i64) -> Error {
    Error::internal(anyhow::anyhow!("what a list names is not there: {uid}"))
}
