//! The statements of a list. No single plan serves every list: where few things match, the smallest set of them is
//! looked up and sorted; where many do, the index of the order is walked until the page is full. The store counts
//! the sets up to [`FEW`], then chooses.

use sea_query::{
    Asterisk, CaseStatement, Expr, ExprTrait as _, Func, JoinType, NullOrdering, Order, Query, SelectStatement,
};

use crate::domain::community::Communities;
use crate::domain::query::{Field, Filter, Page, Sort};

use super::render::{self, Engine, always, constant, live, own};
use super::sets::{Set, sets};
use super::tables::{Listing, THING};
use super::xp::{KIND_NUMBER, KIND_TEXT, path_key};

/// Up to how many things a set is looked up and sorted rather than the order walked.
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
    /// The `uid`s of the page, in order.
    pub rows: SelectStatement,
    /// The number of all that match; `None` = all there are, which a counter has.
    pub total: Option<SelectStatement>,
}

impl<L: Listing, E: Engine> List<'_, L, E> {
    /// The sets of the list's parts.
    pub fn sets(&self) -> Vec<Set> {
        sets::<L>(self.engine, self.filter, self.communities)
    }

    /// The beginning of a set: up to one more than [`FEW`]. Repeated things come each time.
    pub fn beginning(set: &Set) -> SelectStatement {
        Query::select().column(("s", OWNER)).from_subquery(set.statement.clone(), "s").limit(FEW + 1).take()
    }

    /// The statements, given the set with the shortest beginning, and that. A small set is not asked for again: its
    /// beginning is all of it.
    pub fn plan(&self, smallest: Option<(Set, Vec<i64>)>) -> Plan {
        let smallest = smallest.map(|(set, beginning)| match beginning.len() as u64 <= FEW {
            true => (Set { statement: self.engine.these(&beginning), ..set }, true),
            false => (set, false),
        });
        let conditions = self.conditions();
        let looked_up = smallest.as_ref().filter(|(_, few)| *few || !self.is_walkable());
        let mut rows = match looked_up {
            Some((set, _)) => self.members_of(set),
            None => Self::things(),
        };
        rows.column((THING, "uid")).limit(self.page.size.into()).offset(self.page.offset());
        self.order(&mut rows);
        for condition in &conditions {
            rows.and_where(condition.clone());
        }
        Plan { rows, total: self.total(conditions, smallest.map(|(set, _)| set)) }
    }

    fn total(&self, conditions: Vec<Expr>, smallest: Option<Set>) -> Option<SelectStatement> {
        let mut total = match smallest {
            None if conditions.is_empty() => return None,
            None => Self::things(),
            Some(set) if set.exact && conditions.len() == 1 => return Some(Self::size_of(set)),
            Some(set) => self.members_of(&set),
        };
        total.expr(Func::count(Expr::col((THING, "uid"))));
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
        Query::select()
            .from_subquery(Self::different(set.statement.clone()), "m")
            .join_as(self.engine.nested(), L::TABLE, THING, always())
            .and_where(own("uid").equals(("m", OWNER)))
            .and_where(live())
            .take()
    }

    fn size_of(set: Set) -> SelectStatement {
        count_rows(Self::different(set.statement))
    }

    fn different(set: SelectStatement) -> SelectStatement {
        Query::select().distinct().column(("s", OWNER)).from_subquery(set, "s").take()
    }

    fn conditions(&self) -> Vec<Expr> {
        let linked = self.communities.map(render::linked);
        let searched = self.filter.search.as_ref().map(|search| render::search::<L>(self.engine, search));
        let conditions = self.filter.conditions.iter().map(|condition| render::condition::<L>(condition));
        linked.into_iter().chain(searched).chain(conditions).collect()
    }

    /// Whether an index gives the order, so that the first page needs no sort of all that match.
    fn is_walkable(&self) -> bool {
        match self.sort.first() {
            None => true,
            Some(Sort { field: Field::Own(field), .. }) => L::column(*field).indexed,
            Some(Sort { field: Field::Xp(_), .. }) => false,
        }
    }

    /// Orders the statement: what was asked for, then the ties, up to the first column without equals.
    fn order(&self, statement: &mut SelectStatement) {
        let ties = L::TIES.iter().map(|field| Sort { field: Field::Own(*field), descending: false });
        let mut seen = Vec::new();
        for (at, key) in self.sort.iter().cloned().chain(ties).enumerate() {
            if seen.contains(&key.field) {
                continue;
            }
            let order = if key.descending { Order::Desc } else { Order::Asc };
            match &key.field {
                Field::Own(field) => {
                    let column = L::column(*field);
                    // Said only where there are nulls: an index has no order for what cannot be.
                    match column.nullable {
                        true => statement.order_by_expr_with_nulls(own(column.name), order.clone(), nulls(&order)),
                        false => statement.order_by_expr(own(column.name), order),
                    };
                    if column.unique {
                        return;
                    }
                }
                Field::Xp(path) => order_by_xp::<L>(statement, path, at, &order),
            }
            seen.push(key.field);
        }
    }
}

/// The one column of every set.
pub const OWNER: &str = "owner";

/// Nulls are lowest: first ascending, last descending.
fn nulls(order: &Order) -> NullOrdering {
    if matches!(order, Order::Desc) { NullOrdering::Last } else { NullOrdering::First }
}

fn count_rows(statement: SelectStatement) -> SelectStatement {
    Query::select().expr(Func::count(Expr::col(Asterisk))).from_subquery(statement, "c").take()
}

/// Orders by the least value at the path: no value, then numbers, then text.
fn order_by_xp<L: Listing>(statement: &mut SelectStatement, path: &str, at: usize, order: &Order) {
    let alias = format!("x{at}");
    let value = |name: &'static str| Expr::col((alias.clone(), name));
    let joined =
        value("owner").equals((THING, "uid")).and(value("path").eq(path_key(path))).and(value("least").eq(constant(1)));
    statement.join_as(JoinType::LeftJoin, L::XP_TABLE, alias.clone(), joined);
    // Numbers that are equal but for their spelling are equal.
    let of = |kind: i64, name| CaseStatement::new().case(value("kind").eq(constant(kind)), value(name)).into();
    let keys: [Expr; 4] = [value("kind"), of(KIND_NUMBER, "number"), of(KIND_TEXT, "text"), of(KIND_TEXT, "rest")];
    for key in keys {
        statement.order_by_expr_with_nulls(key, order.clone(), nulls(order));
    }
}
