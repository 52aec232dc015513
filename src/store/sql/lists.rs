//! The statements of a list. No single plan serves every list: where few things match, the smallest set of them is
//! looked up and sorted; where many do, the index of the order is walked until the page is full. The store counts
//! the sets up to [`FEW`], then chooses.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::query::{Condition, Field, Filter, Page, Sort, Test};

use super::orders::{VALUE, is_walkable, keys, order, reversed};
use super::render::{Engine, always, condition, constant, live, own};
use super::sets::{Part, Set, parts};
use super::tables::{Listing, THING};
use super::window::Window;

/// Up to how many things a set is looked up and sorted rather than the order walked, in a directory of a million.
pub const FEW: u64 = 1_000;

/// A list that was asked for, ready to become statements.
pub struct List<'a, L: Listing, E: Engine> {
    pub engine: &'a E,
    pub filter: &'a Filter<L::Field>,
    /// Only groups linked to one of these.
    pub communities: Option<&'a Communities>,
    pub sort: &'a [Sort<L::Field>],
    pub page: Page,
}

/// How a list is answered.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The `uid`s of all that match, in no order.
    rows: SelectStatement,
    /// The number of all that match; `None` = all there are, which a counter has.
    pub total: Option<SelectStatement>,
}

impl<L: Listing, E: Engine> List<'_, L, E> {
    /// The parts of the list's filter.
    pub fn parts(&self) -> Vec<Part> {
        parts::<L>(self.engine, self.filter, self.communities)
    }

    /// The beginning of a set: up to one more than `few`. Repeated things come each time.
    pub fn beginning(set: &Set, few: u64) -> SelectStatement {
        Query::select().column(("s", OWNER)).from_subquery(set.statement.clone(), "s").limit(few + 1).take()
    }

    /// The statements, given the set with the shortest beginning, and that. A set of at most `few` is not asked for
    /// again: its beginning is all of it.
    pub fn plan(&self, smallest: Option<(Set, Vec<i64>)>, few: u64) -> Plan {
        let smallest = smallest.map(|(set, beginning)| match beginning.len() as u64 <= few {
            true => (Set { statement: self.engine.these(&beginning), ..set }, true),
            false => (set, false),
        });
        let conditions: Vec<Expr> = self.parts().into_iter().map(|part| part.condition).collect();
        let looked_up = smallest.as_ref().filter(|(_, few)| *few || !is_walkable::<L>(self.sort));
        let mut rows = match looked_up {
            Some((set, _)) => self.members_of(set),
            None => Self::things(),
        };
        rows.column((THING, "uid"));
        for condition in &conditions {
            rows.and_where(condition.clone());
        }
        Plan { rows, total: self.total(conditions, smallest.map(|(set, _)| set)) }
    }

    /// The window of the plan's rows: the `uid`s of its things, in order.
    pub fn window(&self, plan: &Plan, window: Window) -> SelectStatement {
        let (mut rows, keys) = (plan.rows.clone(), keys::<L>(self.sort));
        order::<L>(&mut rows, &if window.from_end { reversed(&keys) } else { keys });
        window.of(&mut rows)
    }

    fn total(&self, conditions: Vec<Expr>, smallest: Option<Set>) -> Option<SelectStatement> {
        let mut total = match smallest {
            None if conditions.is_empty() => return None,
            None => Self::things(),
            Some(set) if set.exact && conditions.len() == 1 => return Some(Self::size_of(set)),
            Some(set) => self.members_of(&set),
        };
        total.expr(Func::count(Expr::col(Asterisk)));
        for condition in conditions {
            total.and_where(condition);
        }
        Some(total)
    }

    /// Every live thing.
    fn things() -> SelectStatement {
        Query::select().from_as(L::TABLE, THING).and_where(live()).take()
    }

    /// The live things of a set, which is not to be turned around into a walk of the table.
    fn members_of(&self, set: &Set) -> SelectStatement {
        self.nested(Self::different(set.statement.clone()))
    }

    /// The live things with the numbers.
    fn these(&self, uids: &[i64]) -> SelectStatement {
        self.nested(Self::different(self.engine.these(uids)))
    }

    fn nested(&self, owners: SelectStatement) -> SelectStatement {
        Query::select()
            .from_subquery(owners, "m")
            .join_as(self.engine.nested(), L::TABLE, THING, always())
            .and_where(own("uid").equals(("m", OWNER)))
            .and_where(live())
            .take()
    }

    fn size_of(set: Set) -> SelectStatement {
        count_rows(if set.repeats { Self::different(set.statement) } else { set.statement })
    }

    fn different(set: SelectStatement) -> SelectStatement {
        Query::select().distinct().column(("s", OWNER)).from_subquery(set, "s").take()
    }

    /// Those of the numbers whose things are live and meet all conditions; each comes once.
    pub fn checked<'c>(&self, among: &[i64], conditions: impl IntoIterator<Item = &'c Expr>) -> SelectStatement {
        let mut checked = self.these(among).column((THING, "uid")).take();
        for condition in conditions {
            checked.and_where(condition.clone());
        }
        checked
    }

    /// The tests of a value at the path of which one must pass, if that is known.
    pub fn tests_at(&self, path: &str) -> Option<&[Test]> {
        self.filter.conditions.iter().find_map(|condition| match condition {
            Condition::Any(Field::Xp(own), tests) if own == path && tests.iter().all(Test::is_positive) => {
                Some(&**tests)
            }
            _ => None,
        })
    }

    /// A page of the things with the numbers, or of all live things, in order.
    pub fn sorted(&self, among: Option<&[i64]>, keys: &[Sort<L::Field>], offset: u64, size: u64) -> SelectStatement {
        let mut rows = among.map_or_else(Self::things, |uids| self.these(uids));
        order::<L>(rows.column((THING, "uid")), keys);
        rows.limit(size).offset(offset).take()
    }

    /// The live things in order, without those that a condition on the first key leaves out: at least all that match.
    pub fn in_order(&self, keys: &[Sort<L::Field>]) -> SelectStatement {
        let mut rows = Self::things();
        for bound in self.filter.conditions.iter().filter(|condition| is_of(condition, keys.first())) {
            rows.and_where(condition::<L>(bound));
        }
        order::<L>(rows.column((THING, "uid")), keys);
        rows
    }

    /// The same, in the order of one column alone, with the value: in two columns behind the number.
    pub fn values(&self, field: L::Field, descending: bool) -> SelectStatement {
        let mut values = self.in_order(&[Sort { field: Field::Own(field), descending }]);
        values.expr_as(own(L::column(field).name), VALUE[0]).expr_as(constant(0), VALUE[1]).take()
    }
}

/// Whether the condition is one on the key's own column.
fn is_of<F: PartialEq>(condition: &Condition<F>, key: Option<&Sort<F>>) -> bool {
    matches!(condition, Condition::Any(field @ Field::Own(_), _) if key.is_some_and(|key| key.field == *field))
}

/// The one column of every set.
pub const OWNER: &str = "owner";

fn count_rows(statement: SelectStatement) -> SelectStatement {
    Query::select().expr(Func::count(Expr::col(Asterisk))).from_subquery(statement, "c").take()
}
