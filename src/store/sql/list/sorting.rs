//! Sort orders as SQL.

use sea_query::{
    CaseStatement, Expr, ExprTrait as _, JoinType, NullOrdering, Order, Query, SelectStatement, UnionType,
};

use crate::domain::query::{Comparison, Field, Sort, Test};

use super::candidate_set::CandidateSet;
use super::conditions::xp_entries::{NUMBER, SplitColumn, TEXT, XP, at, entry_test_of, is_of, xp_column};
use super::engine::Engine;
use super::expressions::{OWNER, any, constant, own};
use crate::store::sql::tables::{Listing, TABLE_ALIAS};
use crate::store::sql::xp::{KIND_NUMBER, KIND_TEXT, path_key};

/// Returns the sort keys of a total order: those of the request, then those that break ties, up to the first unique
/// column.
pub(crate) fn keys<L: Listing>(sort: &[Sort<L::Field>]) -> Vec<Sort<L::Field>> {
    completed::<L>(sort, L::TIES.iter().map(|field| Sort { field: Field::Own(*field), descending: false }))
}

/// The keys, then the ties, each field once, up to the first one without equals.
pub(crate) fn completed<L: Listing>(
    sort: &[Sort<L::Field>],
    ties: impl IntoIterator<Item = Sort<L::Field>>,
) -> Vec<Sort<L::Field>> {
    let mut keys: Vec<Sort<L::Field>> = Vec::new();
    for key in sort.iter().cloned().chain(ties) {
        if keys.iter().any(|earlier| earlier.field == key.field) {
            continue;
        }
        let is_unique = matches!(&key.field, Field::Own(field) if L::column(*field).unique);
        keys.push(key);
        if is_unique {
            break;
        }
    }
    keys
}

/// Whether an index starts with the first sort key, so that the first page needs no sort of all matches.
pub(crate) fn is_index_ordered<L: Listing>(sort: &[Sort<L::Field>]) -> bool {
    match sort.first() {
        None => true,
        Some(Sort { field: Field::Own(field), .. }) => L::column(*field).indexed,
        Some(Sort { field: Field::Xp(_), .. }) => false,
    }
}

/// Whether an index has the complete order of the keys, or its reverse: the keys are one unique column, or the keys
/// that break ties, all in one direction.
pub(crate) fn is_indexed<L: Listing>(keys: &[Sort<L::Field>]) -> bool {
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

/// Orders the statement over entities by the keys.
pub(crate) fn order<L: Listing>(statement: &mut SelectStatement, keys: &[Sort<L::Field>]) {
    for (at, key) in keys.iter().enumerate() {
        let order = direction(key.descending);
        match &key.field {
            Field::Own(field) => {
                let column = L::column(*field);
                // The position of nulls is given only for nullable columns. It would keep PostgreSQL from using the
                // index of another column.
                match column.nullable {
                    true => statement.order_by_expr_with_nulls(own(column.name), order.clone(), nulls(&order)),
                    false => statement.order_by_expr(own(column.name), order),
                };
            }
            Field::Xp(path) => order_by_xp::<L>(statement, path, at, &order),
        }
    }
}

/// The direction as SQL has it.
pub(crate) fn direction(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

/// The position of nulls, which are less than every value: first if ascending, last if descending.
pub(crate) fn nulls(order: &Order) -> NullOrdering {
    if matches!(order, Order::Desc) { NullOrdering::Last } else { NullOrdering::First }
}

/// Orders by the least value at the path: entities without a value, then numbers, then texts.
fn order_by_xp<L: Listing>(statement: &mut SelectStatement, path: &str, at: usize, order: &Order) {
    for key in join_least::<L>(statement, path, at) {
        statement.order_by_expr_with_nulls(key, order.clone(), nulls(order));
    }
}

/// Joins the least value at the path, if there is one, under an alias of this place in the order. What is returned
/// orders by it: its kind, and its value in two parts.
pub(crate) fn join_least<L: Listing>(statement: &mut SelectStatement, path: &str, at: usize) -> [Expr; 3] {
    let alias = format!("x{at}");
    let value = |name: &'static str| Expr::col((alias.clone(), name));
    let joined = value("owner")
        .equals((TABLE_ALIAS, "uid"))
        .and(value("path").eq(path_key(path)))
        .and(value("least").eq(constant(1)));
    statement.join_as(JoinType::LeftJoin, L::entries_table(path), alias.clone(), joined);
    // Numbers are compared by value: "1.0" equals "1".
    let of_kind = |number, text| {
        CaseStatement::new().case(value("kind").eq(constant(KIND_NUMBER)), value(number)).finally(value(text)).into()
    };
    [value("kind"), of_kind(NUMBER.prefix, TEXT.prefix), of_kind(NUMBER.rest, TEXT.rest)]
}

/// The names of the two columns that hold the sort value in a scan of values: its prefix and its rest.
pub(crate) const VALUE: [&str; 2] = ["value", "rest_of_value"];

/// The kinds of values at a path of xp, in the order in which they are sorted.
pub(crate) fn kinds(descending: bool) -> [i64; 2] {
    if descending { [KIND_TEXT, KIND_NUMBER] } else { [KIND_NUMBER, KIND_TEXT] }
}

/// The columns that hold the values of the kind.
pub(crate) fn columns_of(kind: i64) -> SplitColumn {
    if kind == KIND_NUMBER { NUMBER } else { TEXT }
}

/// Selects the live entities whose least value at the path is of the kind and passes one of the positive tests (if
/// given), in the order of that value. Each row has the `uid` and, in the columns [`VALUE`], the value. If `after` is
/// given, the scan starts after that value.
pub(crate) fn xp_scan<L: Listing>(
    engine: &impl Engine,
    path: &str,
    kind: i64,
    descending: bool,
    tests: Option<&[Test]>,
    after: Option<&str>,
) -> SelectStatement {
    let (direction, comparison) =
        if descending { (Order::Desc, Comparison::Less) } else { (Order::Asc, Comparison::Greater) };
    let columns = columns_of(kind);
    let (value, rest) = (xp_column(columns.prefix), xp_column(columns.rest));
    let mut scan = least_entries::<L>(engine, path, kind, tests);
    if let Some(after) = after {
        scan.and_where(columns.compares(comparison, after));
    }
    if kind == KIND_NUMBER {
        // No row of this kind is null. The condition lets the planner use the partial index of numbers.
        scan.and_where(value.clone().is_not_null());
    }
    scan.expr_as(value, VALUE[0]).expr_as(rest, VALUE[1]);
    scan.order_by(VALUE[0], direction.clone()).order_by(VALUE[1], direction).take()
}

/// The set of the entities that [`xp_scan`] returns for both kinds together.
pub(crate) fn with_xp_value<L: Listing>(engine: &impl Engine, path: &str, tests: Option<&[Test]>) -> CandidateSet {
    let [mut all, texts] = kinds(false).map(|kind| least_entries::<L>(engine, path, kind, tests));
    let condition =
        any(kinds(false).into_iter().map(|kind| owns_one_of(least_entries::<L>(engine, path, kind, tests))));
    CandidateSet::from_index(all.union(UnionType::All, texts).take(), condition)
}

/// The set of the entities whose least value at the path is this one, of this kind.
pub(crate) fn with_this_xp_value<L: Listing>(engine: &impl Engine, path: &str, kind: i64, value: &str) -> CandidateSet {
    let entries = least_entries::<L>(engine, path, kind, None).and_where(columns_of(kind).equals(value)).take();
    CandidateSet::from_index(entries.clone(), owns_one_of(entries))
}

/// The condition that the listed entity owns one of the entries.
fn owns_one_of(mut entries: SelectStatement) -> Expr {
    Expr::exists(entries.and_where(xp_column("owner").equals((TABLE_ALIAS, "uid"))).take())
}

/// Selects the owners of the entries at the path that are the least value of their owner there, are of the kind and
/// pass one of the positive tests (if given).
fn least_entries<L: Listing>(engine: &impl Engine, path: &str, kind: i64, tests: Option<&[Test]>) -> SelectStatement {
    let mut entries = Query::select();
    entries
        .expr_as(xp_column("owner"), OWNER)
        .from_as(L::entries_table(path), XP)
        .and_where(at(path))
        .and_where(is_of(kind));
    entries.and_where(xp_column("least").eq(constant(1)));
    if let Some(tests) = tests {
        entries.and_where(any(tests.iter().map(|test| entry_test_of(engine, kind, test))));
    }
    entries
}
