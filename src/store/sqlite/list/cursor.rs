//! Pages of walks by cursor. What matches is known as for other lists. A small match set is sorted; for a large one the
//! index of the order is scanned from the position on until the page is full, but for no more rows than sorting would
//! cost.

use rusqlite::Connection;
use sea_query::Expr;

use crate::domain::Result;
use crate::domain::cursor::{CursorPage, CursorQuery, Position};
use crate::domain::group::Group;
use crate::domain::query::{Condition, Field, GroupField, Sort, UserField};
use crate::domain::user::User;
use crate::store::sql::counters::Counter;
use crate::store::sql::list::conditions::filters::condition;
use crate::store::sql::list::cursor::{Class, cursor_keys, position, sorted_after};
use crate::store::sql::list::entities::ListQuery;
use crate::store::sql::list::probing::{MOST_PROBED, Probing, without_probes};
use crate::store::sql::list::sorting::with_xp_value;
use crate::store::sql::tables::{Groups, Listing, Users};

use super::engine::Sqlite;
use super::entities::smallest_set;
use super::pages::{Pager, STEPS_PER_SORTED_ROW};
use super::sets::evaluate::Evaluator;
use super::sets::match_set::MatchSet;
use super::sets::result_cache::ResultCache;
use super::statements::{all, each, one};
use crate::store::sqlite::entities::{counters, rows};
use crate::store::sqlite::entity::{SqliteEntity, by_uid};
use crate::store::sqlite::storage::open::failed;

/// A page of a walk through groups.
pub(crate) fn of_groups(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &CursorQuery<GroupField>,
) -> Result<CursorPage<Group>> {
    answer::<Groups, Group>(connection, result_cache, query, Counter::Groups).map_err(failed)
}

/// A page of a walk through users.
pub(crate) fn of_users(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &CursorQuery<UserField>,
) -> Result<CursorPage<User>> {
    answer::<Users, User>(connection, result_cache, query, Counter::Users).map_err(failed)
}

fn answer<L: Listing, E: SqliteEntity>(
    connection: &Connection,
    result_cache: &ResultCache,
    query: &CursorQuery<L::Field>,
    counter: Counter,
) -> rusqlite::Result<CursorPage<E>> {
    let keys = cursor_keys::<L>(&query.sort);
    let list = list_of::<L>(query);
    let live = counters::get(connection, counter)?;
    let evaluator = Evaluator::new(connection, result_cache, &list, live)?;
    let (limit, after) = (query.limit as usize, query.after.as_ref());
    let skip = if after.is_none() { query.skip } else { 0 };
    // One more than the page has, to know whether another one follows.
    let size = limit + 1;
    let (mut uids, total) = match smallest_set(&evaluator)? {
        Some(smallest) => {
            let plan = list.plan(Some(smallest), evaluator.threshold);
            let total = plan.total.as_ref().map_or(Ok(0), |total| one(connection, total, |row| row.get(0)))?;
            let rows = sorted_after::<L>(plan.rows, &keys, after).limit(size as u64).offset(skip).take();
            (all(connection, &rows, |row| row.get(0))?, total)
        }
        None => {
            if let Some((others, probes)) = without_probes(&query.filter) {
                let unprobed = ListQuery { filter: &others, ..list_of::<L>(query) };
                let unprobed = Evaluator::new(connection, result_cache, &unprobed, live)?;
                let match_set = unprobed.match_set(unprobed.list.conjuncts())?;
                if match_set.len(live) > MOST_PROBED as u64 {
                    return probed(&unprobed, &match_set, &keys, query, &probes);
                }
            }
            let match_set = evaluator.match_set(list.conjuncts())?;
            let uids = match skip {
                0 => Walk(&evaluator).page(&match_set, &keys, after, size)?,
                skip => Pager(&evaluator).page(&match_set, &keys, skip, size as u64)?,
            };
            (uids, match_set.len(live))
        }
    };
    let has_next = uids.len() > limit;
    uids.truncate(limit);
    let items: Vec<E> = entities(connection, &uids)?;
    let next = items.last().filter(|_| has_next).map(|last| position::<L, E>(last, &keys));
    Ok(CursorPage { items, total: Some(total), next })
}

/// The list of the walk.
pub(super) fn list_of<L: Listing>(query: &CursorQuery<L::Field>) -> ListQuery<'_, L, Sqlite> {
    let communities = query.visibility.limit().filter(|_| L::IS_LIMITED);
    ListQuery { engine: &Sqlite, filter: &query.filter, communities, sort: &query.sort }
}

/// The entities with the numbers, in their order.
pub(super) fn entities<E: SqliteEntity>(connection: &Connection, uids: &[i64]) -> rusqlite::Result<Vec<E>> {
    let mut entity = by_uid::<E>(connection)?;
    uids.iter().map(|uid| entity.query_row([uid], rows::record)).collect()
}

/// A page of those of the match set that pass the probes. It may end before it is full, and nothing is counted.
fn probed<L: Listing, E: SqliteEntity>(
    evaluator: &Evaluator<'_, L>,
    match_set: &MatchSet,
    keys: &[Sort<L::Field>],
    query: &CursorQuery<L::Field>,
    probes: &[Condition<L::Field>],
) -> rusqlite::Result<CursorPage<E>> {
    let conditions: Vec<Expr> = probes.iter().map(|probe| condition::<L>(&Sqlite, probe)).collect();
    let mut after = query.after.clone();
    let mut probing = Probing::new(query.limit as usize);
    while let Some(asked) = probing.next() {
        let rows = Walk(evaluator).page(match_set, keys, after.as_ref(), asked)?;
        let passed = evaluator.matching(&rows, &conditions)?;
        probing.take(&rows, asked, |uid| passed.contains(uid as u64));
        let last: Vec<E> = entities(evaluator.connection, probing.last.as_slice())?;
        after = last.first().map(|last| position::<L, E>(last, keys)).or(after);
    }
    let items = entities(evaluator.connection, &probing.uids)?;
    Ok(CursorPage { items, total: None, next: after.filter(|_| probing.has_next()) })
}

/// Makes the pages of one walk.
struct Walk<'s, 'a, L: Listing>(&'s Evaluator<'a, L>);

impl<L: Listing> Walk<'_, '_, L> {
    /// The first `size` entities of the match set after the position, in order.
    fn page(
        &self,
        match_set: &MatchSet,
        keys: &[Sort<L::Field>],
        after: Option<&Position>,
        size: usize,
    ) -> rusqlite::Result<Vec<i64>> {
        let (total, Evaluator { live, threshold, .. }) = (match_set.len(self.0.live), self.0);
        if total == 0 {
            return Ok(Vec::new());
        }
        let steps = total.saturating_mul(STEPS_PER_SORTED_ROW);
        let expected_steps = (size as u64).saturating_mul(*live) / total;
        if total > *threshold
            && expected_steps <= steps
            && let Some(uids) = self.scanned(match_set, keys, after, size, steps)?
        {
            return Ok(uids);
        }
        let uids = Pager(self.0).uids(match_set)?;
        let rows = sorted_after::<L>(self.0.list.unsorted(uids.as_deref()), keys, after).limit(size as u64).take();
        all(self.0.connection, &rows, |row| row.get(0))
    }

    /// The same, by scanning the index of the first key; `None` if there is none, or if that would take more steps.
    fn scanned(
        &self,
        match_set: &MatchSet,
        keys: &[Sort<L::Field>],
        after: Option<&Position>,
        size: usize,
        mut steps: u64,
    ) -> rusqlite::Result<Option<Vec<i64>>> {
        if matches!(&keys[0].field, Field::Own(field) if !L::column(*field).indexed) {
            return Ok(None);
        }
        let mut uids = Vec::new();
        for (class, after) in Class::after(keys, after) {
            match (class, &keys[0].field) {
                (Class::Absent, Field::Xp(path)) => {
                    let with_value = with_xp_value::<L>(&Sqlite, path, None);
                    if !Pager(self.0).is_worth_loading(match_set, &with_value) {
                        return Ok(None);
                    }
                    let without = Pager(self.0).without(match_set, &with_value)?;
                    let after = after.map(|Position(values)| Position(values[1..].to_vec()));
                    uids.extend(self.page(&without, &keys[1..], after.as_ref(), size - uids.len())?);
                }
                _ => {
                    for mut stretch in class.stretches::<L>(&Sqlite, keys, after, false) {
                        for bound in self.0.list.bounds(keys.first()) {
                            stretch.and_where(bound);
                        }
                        each(self.0.connection, &stretch, |row| {
                            let uid = row.get(0)?;
                            if match_set.contains(uid) {
                                uids.push(uid);
                            }
                            steps = steps.saturating_sub(1);
                            Ok(steps > 0 && uids.len() < size)
                        })?;
                        if steps == 0 || uids.len() == size {
                            break;
                        }
                    }
                }
            }
            if uids.len() == size {
                break;
            }
            if steps == 0 {
                return Ok(None);
            }
        }
        Ok(Some(uids))
    }
}
