//! The statements of a list of groups or users. No single query plan is best for every list. If few entities match, the
//! smallest candidate set is looked up and sorted. If many match, the index of the sort order is scanned until the page
//! is full. To choose, PostgreSQL counts each candidate set up to [`LOOK_UP_THRESHOLD`], and SQLite reads its first rows.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::query::{Condition, Field, Filter, Sort, Test};

use super::candidate_set::CandidateSet;
use super::candidates::{Conjunct, conjuncts};
use super::conditions::filters::condition;
use super::engine::Engine;
use super::expressions::{OWNER, always, constant, live, own};
use super::sorting::{VALUE, is_index_ordered, order};
use super::window::Window;
use crate::store::sql::tables::{Listing, TABLE_ALIAS};

/// The maximum size of a candidate set that is looked up and sorted, in a directory of a million entities.
pub(crate) const LOOK_UP_THRESHOLD: u64 = 1_000;

/// A list query, from which the statements are built.
pub(crate) struct ListQuery<'a, L: Listing, E: Engine> {
    /// The database.
    pub engine: &'a E,
    /// The filter of the list.
    pub filter: &'a Filter<L::Field>,
    /// If set, the list has only the groups that are linked to one of these communities.
    pub communities: Option<&'a Communities>,
    /// The sort keys of the request.
    pub sort: &'a [Sort<L::Field>],
}

/// A candidate set with its first rows.
pub(crate) struct FirstRows {
    /// The set.
    pub set: CandidateSet,
    /// The `uid`s of its first rows, at most one more than the threshold. A `uid` that the set has twice comes twice.
    pub uids: Vec<i64>,
}

/// A query plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Selects the `uid`s of all matches, without an order.
    pub rows: SelectStatement,
    /// Whether the rows are those of a whole set that was below the threshold, to be looked up and sorted.
    pub is_whole_set: bool,
    /// Counts the matches; `None` if every live entity matches, whose number a counter has.
    pub total: Option<SelectStatement>,
}

impl<L: Listing, E: Engine> ListQuery<'_, L, E> {
    /// The conjuncts of the list's filter.
    pub(crate) fn conjuncts(&self) -> Vec<Conjunct> {
        conjuncts::<L>(self.engine, self.filter, self.communities)
    }

    /// Selects the first rows of the set, one more than `threshold`. If it returns no more than `threshold` rows, they
    /// are the whole set.
    pub(crate) fn first_rows(set: &CandidateSet, threshold: u64) -> SelectStatement {
        Query::select().column(("s", OWNER)).from_subquery(set.statement.clone(), "s").limit(threshold + 1).take()
    }

    /// Returns the query plan, given the smallest candidate set, if there is one. If its first rows are the whole set,
    /// the plan uses them and does not evaluate the set again.
    pub(crate) fn plan(&self, smallest: Option<FirstRows>, threshold: u64) -> Plan {
        let conditions: Vec<Expr> = self.conjuncts().into_iter().map(|conjunct| conjunct.condition).collect();
        let rows = |entities| Self::filtered(entities, &conditions).column((TABLE_ALIAS, "uid")).take();
        let count = |entities| Self::filtered(entities, &conditions).expr(Func::count(Expr::col(Asterisk))).take();
        let Some(FirstRows { set, uids }) = smallest else {
            let total = (!conditions.is_empty()).then(|| count(Self::live_entities()));
            return Plan { rows: rows(Self::live_entities()), is_whole_set: false, total };
        };
        let is_whole_set = uids.len() as u64 <= threshold;
        let set = if is_whole_set { CandidateSet { statement: self.engine.uids(&uids), ..set } } else { set };
        let is_looked_up = is_whole_set || !is_index_ordered::<L>(self.sort);
        let rows = rows(if is_looked_up { self.entities_of(&set) } else { Self::live_entities() });
        let is_only_conjunct = conditions.len() == 1;
        let total = if set.exact && is_only_conjunct { Self::size_of(set) } else { count(self.entities_of(&set)) };
        Plan { rows, is_whole_set, total: Some(total) }
    }

    /// Selects the `uid`s of the plan's matches in the window of the order of the keys.
    pub(crate) fn window(&self, plan: &Plan, keys: &[Sort<L::Field>], window: Window) -> SelectStatement {
        let mut rows = plan.rows.clone();
        order::<L>(&mut rows, &window.keys(keys));
        window.of(&mut rows)
    }

    /// Adds the conditions of the list to a statement over entities.
    pub(crate) fn matches(&self, entities: SelectStatement) -> SelectStatement {
        let conditions: Vec<Expr> = self.conjuncts().into_iter().map(|conjunct| conjunct.condition).collect();
        Self::filtered(entities, &conditions)
    }

    /// Adds the conditions to a statement over entities.
    fn filtered<'c>(mut entities: SelectStatement, conditions: impl IntoIterator<Item = &'c Expr>) -> SelectStatement {
        for condition in conditions {
            entities.and_where(condition.clone());
        }
        entities
    }

    /// A statement without columns over all live entities.
    fn live_entities() -> SelectStatement {
        Query::select().from_as(L::TABLE, TABLE_ALIAS).and_where(live()).take()
    }

    /// A statement without columns over the live entities of the set.
    fn entities_of(&self, set: &CandidateSet) -> SelectStatement {
        self.look_up(Self::distinct(set.statement.clone()))
    }

    /// A statement without columns over the live entities with the `uid`s.
    fn entities_with(&self, uids: &[i64]) -> SelectStatement {
        self.look_up(Self::distinct(self.engine.uids(uids)))
    }

    /// A statement without columns over the live entities whose `uid`s the statement `owners` selects. Each is looked
    /// up: a nested loop prevents a plan that scans the table instead.
    fn look_up(&self, owners: SelectStatement) -> SelectStatement {
        Query::select()
            .from_subquery(owners, "m")
            .join_as(self.engine.nested_loop(), L::TABLE, TABLE_ALIAS, always())
            .and_where(own("uid").equals(("m", OWNER)))
            .and_where(live())
            .take()
    }

    /// Counts the entities of the set.
    fn size_of(set: CandidateSet) -> SelectStatement {
        let rows = if set.has_duplicates { Self::distinct(set.statement) } else { set.statement };
        Query::select().expr(Func::count(Expr::col(Asterisk))).from_subquery(rows, "c").take()
    }

    fn distinct(set: SelectStatement) -> SelectStatement {
        Query::select().distinct().column(("s", OWNER)).from_subquery(set, "s").take()
    }

    /// Selects those of the `uids` whose entities are live and for which all conditions are true, each once.
    pub(crate) fn matching<'c>(&self, uids: &[i64], conditions: impl IntoIterator<Item = &'c Expr>) -> SelectStatement {
        Self::filtered(self.entities_with(uids), conditions).column((TABLE_ALIAS, "uid")).take()
    }

    /// The positive tests of the filter at the path of xp, of which every match passes at least one. `None` if the
    /// filter has no such condition.
    pub(crate) fn xp_tests(&self, path: &str) -> Option<&[Test]> {
        self.filter.conditions.iter().find_map(|condition| match condition {
            Condition::Any(Field::Xp(tested), tests) if tested == path && tests.iter().all(Test::is_positive) => {
                Some(&**tests)
            }
            _ => None,
        })
    }

    /// Selects a page of the entities with the `uids`, or of all live entities, in the order of the keys.
    pub(crate) fn sorted(
        &self,
        uids: Option<&[i64]>,
        keys: &[Sort<L::Field>],
        offset: u64,
        size: u64,
    ) -> SelectStatement {
        let mut rows = self.unsorted(uids);
        order::<L>(&mut rows, keys);
        rows.limit(size).offset(offset).take()
    }

    /// Selects the entities with the `uids`, or all live entities, without an order.
    pub(crate) fn unsorted(&self, uids: Option<&[i64]>) -> SelectStatement {
        let mut rows = uids.map_or_else(Self::live_entities, |uids| self.entities_with(uids));
        rows.column((TABLE_ALIAS, "uid")).take()
    }

    /// Selects the `uid`s of the live entities in the order of the keys, for an index scan. The filter's conditions on
    /// the first key bound the range of the index; the scan returns all matches, and entities that match only these.
    pub(crate) fn index_scan(&self, keys: &[Sort<L::Field>]) -> SelectStatement {
        let mut rows = Self::live_entities();
        for bound in self.bounds(keys.first()) {
            rows.and_where(bound);
        }
        order::<L>(rows.column((TABLE_ALIAS, "uid")), keys);
        rows
    }

    /// The filter's conditions on the column that the key sorts by.
    pub(crate) fn bounds(&self, key: Option<&Sort<L::Field>>) -> impl Iterator<Item = Expr> {
        let bounds = self.filter.conditions.iter().filter(move |condition| is_on_key(condition, key));
        bounds.map(|bound| condition::<L>(self.engine, bound))
    }

    /// As [`Self::index_scan`], in the order of one column, with its value in the columns [`VALUE`] after the `uid`.
    pub(crate) fn column_scan(&self, field: L::Field, descending: bool) -> SelectStatement {
        let mut values = self.index_scan(&[Sort { field: Field::Own(field), descending }]);
        values.expr_as(own(L::column(field).name), VALUE[0]).expr_as(constant(0), VALUE[1]).take()
    }
}

/// Whether the condition is on the column that the key sorts by.
fn is_on_key<F: PartialEq>(condition: &Condition<F>, key: Option<&Sort<F>>) -> bool {
    matches!(condition, Condition::Any(field @ Field::Own(_), _) if key.is_some_and(|key| key.field == *field))
}
