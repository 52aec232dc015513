//! The lists of deleted entities, newest first. A tombstone has no derived rows, so a filter is a condition on its row.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::domain::cursor::{Position, SortValue};
use crate::store::sql::columns::Record;
use crate::store::sql::tables::{Listing, TABLE_ALIAS};

use super::conditions::filters::condition;
use super::cursor::of_column;
use super::engine::Engine;
use super::entities::ListQuery;
use super::expressions::{any, own};

const DELETED: &str = "deleted";
const NUMBER: &str = "uid";

/// The numbers of the tombstones after the position that match, in order: statements whose rows come one after the
/// other.
pub(crate) fn rows<L: Listing, E: Engine>(
    list: &ListQuery<'_, L, E>,
    after: Option<&Position>,
) -> Vec<SelectStatement> {
    let mut rows = matching(list);
    rows.expr_as(own(NUMBER), NUMBER).order_by((TABLE_ALIAS, DELETED), Order::Desc);
    rows.order_by((TABLE_ALIAS, NUMBER), Order::Desc);
    let Some(position) = after else { return vec![rows] };
    let value = |at: usize| match position.0.get(at) {
        Some(SortValue::Integer(integer)) => *integer,
        _ => i64::MIN,
    };
    let deleted_then = own(DELETED).eq(value(0)).and(own(NUMBER).lt(value(1)));
    let ranges = [deleted_then, own(DELETED).lt(value(0))];
    ranges.into_iter().map(|range| rows.clone().and_where(range).take()).collect()
}

/// The number of tombstones that match.
pub(crate) fn total<L: Listing, E: Engine>(list: &ListQuery<'_, L, E>) -> SelectStatement {
    matching(list).expr(Func::count(Expr::col(Asterisk))).take()
}

/// The position of the tombstone.
pub(crate) fn position<E: Record>(tombstone: &E) -> Position {
    Position([DELETED, NUMBER].map(|column| of_column(tombstone, column)).to_vec())
}

fn matching<L: Listing, E: Engine>(list: &ListQuery<'_, L, E>) -> SelectStatement {
    let mut rows = Query::select().from_as(L::TABLE, TABLE_ALIAS).and_where(own(DELETED).is_not_null()).take();
    for one in &list.filter.conditions {
        rows.and_where(condition::<L>(list.engine, one));
    }
    if let Some(communities) = list.communities {
        // The row has them as text, in which each is spelled in the same way.
        let names = communities.iter().map(ToString::to_string);
        rows.and_where(any(names.map(|name| list.engine.contains(own("communities"), &name))));
    }
    rows
}
