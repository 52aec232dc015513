//! The orders of lists as SQL.

use sea_query::{
    CaseStatement, Expr, ExprTrait as _, JoinType, NullOrdering, Order, Query, SelectStatement, UnionType,
};

use crate::domain::query::{Field, Operand, Sort, Test};

use super::lists::OWNER;
use super::render::{XP, any, at, constant, entry_test_of, is_of, own, xp_column};
use super::sets::Set;
use super::tables::{Listing, THING};
use super::xp::{KIND_NUMBER, KIND_TEXT, TEXT_CHARS, path_key, split};

/// A whole order: what was asked for, then the ties, up to the first column without equals.
pub fn keys<L: Listing>(sort: &[Sort<L::Field>]) -> Vec<Sort<L::Field>> {
    let ties = L::TIES.iter().map(|field| Sort { field: Field::Own(*field), descending: false });
    let mut keys: Vec<Sort<L::Field>> = Vec::new();
    for key in sort.iter().cloned().chain(ties) {
        if keys.iter().any(|before| before.field == key.field) {
            continue;
        }
        let last = matches!(&key.field, Field::Own(field) if L::column(*field).unique);
        keys.push(key);
        if last {
            break;
        }
    }
    keys
}

/// The same order from the other end.
pub fn reversed<F: Clone>(keys: &[Sort<F>]) -> Vec<Sort<F>> {
    keys.iter().map(|key| Sort { descending: !key.descending, ..key.clone() }).collect()
}

/// Whether an index gives the order, or most of it, so that the first page needs no sort of all that match.
pub fn is_walkable<L: Listing>(sort: &[Sort<L::Field>]) -> bool {
    match sort.first() {
        None => true,
        Some(Sort { field: Field::Own(field), .. }) => L::column(*field).indexed,
        Some(Sort { field: Field::Xp(_), .. }) => false,
    }
}

/// Whether an index gives all of the order, and in the other direction its reverse.
pub fn is_indexed<L: Listing>(keys: &[Sort<L::Field>]) -> bool {
    match keys {
        [Sort { field: Field::Own(field), .. }] => L::column(*field).unique,
        [first, rest @ ..] => {
            let ties = || L::TIES.iter().map(|field| Field::Own(*field));
            rest.iter().all(|key| key.descending == first.descending)
                && ties().eq(keys.iter().map(|key| key.field.clone()))
        }
        [] => false,
    }
}

/// Orders the statement over things by the keys.
pub fn order<L: Listing>(statement: &mut SelectStatement, keys: &[Sort<L::Field>]) {
    for (at, key) in keys.iter().enumerate() {
        let order = direction(key);
        match &key.field {
            Field::Own(field) => {
                let column = L::column(*field);
                // Said only where there are nulls: an index has no order for what cannot be.
                match column.nullable {
                    true => statement.order_by_expr_with_nulls(own(column.name), order.clone(), nulls(&order)),
                    false => statement.order_by_expr(own(column.name), order),
                };
            }
            Field::Xp(path) => order_by_xp::<L>(statement, path, at, &order),
        }
    }
}

fn direction<F>(key: &Sort<F>) -> Order {
    if key.descending { Order::Desc } else { Order::Asc }
}

/// Nulls are lowest: first ascending, last descending.
fn nulls(order: &Order) -> NullOrdering {
    if matches!(order, Order::Desc) { NullOrdering::Last } else { NullOrdering::First }
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

/// The names of the two columns that hold a value in statements of values.
pub(super) const VALUE: [&str; 2] = ["value", "rest_of_value"];

/// The kinds of values at a path of xp, in order.
pub fn kinds(descending: bool) -> [i64; 2] {
    if descending { [KIND_TEXT, KIND_NUMBER] } else { [KIND_NUMBER, KIND_TEXT] }
}

/// Every live thing whose least value at the path is of the kind and passes one of the (positive) tests, by that: the
/// number, and the value in two columns. Of those beyond a value alone, if there is one.
pub fn xp_values<L: Listing>(
    path: &str,
    kind: i64,
    descending: bool,
    tests: Option<&[Test]>,
    beyond: Option<&Operand>,
) -> SelectStatement {
    let direction = if descending { Order::Desc } else { Order::Asc };
    let (value, rest) = match kind {
        KIND_NUMBER => (xp_column("number"), constant(0)),
        _ => (xp_column("text"), xp_column("rest")),
    };
    let mut values = least::<L>(path, kind, tests);
    if let Some(beyond) = beyond {
        let (here, there) = match beyond.number {
            Some(number) => (value.clone(), Expr::val(number)),
            None => match split(&beyond.text) {
                // One column goes over all of its entries in the index; of two, SQLite looks at each.
                (text, _) if text.chars().count() < TEXT_CHARS => (value.clone(), Expr::val(text)),
                (text, others) => {
                    (Expr::tuple([value.clone(), rest.clone()]), Expr::tuple([Expr::val(text), Expr::val(others)]))
                }
            },
        };
        values.and_where(if descending { here.lt(there) } else { here.gt(there) });
    }
    values.expr_as(value.clone(), VALUE[0]).expr_as(rest, VALUE[1]).order_by(VALUE[0], direction.clone());
    match kind {
        // Every number has one; said so that its index serves.
        KIND_NUMBER => values.and_where(value.is_not_null()).take(),
        _ => values.order_by(VALUE[1], direction).take(),
    }
}

/// The things of [`xp_values`] of both kinds.
pub fn with_xp_value<L: Listing>(path: &str, tests: Option<&[Test]>) -> Set {
    let [mut all, texts] = kinds(false).map(|kind| least::<L>(path, kind, tests));
    let has = any(kinds(false).into_iter().map(|kind| is_owned(least::<L>(path, kind, tests))));
    Set::found_by_index(all.union(UnionType::All, texts).take(), has)
}

/// The things whose least value at the path is this one, of the kind.
pub fn with_this_xp_value<L: Listing>(path: &str, kind: i64, value: &Operand) -> Set {
    let entries = least::<L>(path, kind, Some(&[Test::Equal(value.clone())]));
    Set::found_by_index(entries.clone(), is_owned(entries))
}

/// Holds for things that own one of the entries.
fn is_owned(mut entries: SelectStatement) -> Expr {
    Expr::exists(entries.and_where(xp_column("owner").equals((THING, "uid"))).take())
}

fn least<L: Listing>(path: &str, kind: i64, tests: Option<&[Test]>) -> SelectStatement {
    let mut least = Query::select();
    least.expr_as(xp_column("owner"), OWNER).from_as(L::XP_TABLE, XP).and_where(at(path)).and_where(is_of(kind));
    least.and_where(xp_column("least").eq(constant(1)));
    if let Some(tests) = tests {
        least.and_where(any(tests.iter().map(|test| entry_test_of(kind, test))));
    }
    least
}
