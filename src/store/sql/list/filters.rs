//! Filters as SQL: each conjunct of a filter as a condition on the row of the listed entity, which has the alias
//! [`TABLE_ALIAS`].

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::query::{Condition, Field, Operand, Search, Test};
use crate::domain::time::Timestamp;

use super::engine::{Engine, Values};
use super::expressions::{any, compare, constant, like, never, own};
use super::relations::{has_membership, is_without_groups, links_test};
use super::xp_entries::{like_in_range, xp_contains, xp_test};
use crate::store::sql::tables::{ColumnKind, FieldColumn, Listing, TABLE_ALIAS};

/// The condition that the group is linked to one of the communities.
pub(crate) fn linked(communities: &Communities) -> Expr {
    let links = links(communities).and_where(Expr::col("owner").equals((TABLE_ALIAS, "uid"))).take();
    Expr::exists(links)
}

/// Selects the groups that are linked to one of the communities. A group comes once for each link.
pub(crate) fn links(communities: &Communities) -> SelectStatement {
    let names = communities.iter().map(ToString::to_string);
    Query::select().column("owner").from("group_communities").and_where(Expr::col("community").is_in(names)).take()
}

/// The condition that the entity matches the search.
pub(crate) fn search<L: Listing>(engine: &impl Engine, search: &Search<L::Field>) -> Expr {
    any(search.fields.iter().map(|field| match field {
        Field::Own(field) => engine.contains(own(L::column(*field).name), &search.term),
        Field::Xp(path) => xp_contains::<L>(engine, path, &search.term),
    }))
}

/// The condition that the entity passes the condition of the filter.
pub(crate) fn condition<L: Listing>(engine: &impl Engine, condition: &Condition<L::Field>) -> Expr {
    match condition {
        Condition::Never => never(),
        Condition::Roles(alternatives) => any(alternatives.iter().map(|(roles, includes)| {
            let shared = own("roles").bit_and(i64::from(roles.bits()));
            if *includes { shared.ne(constant(0)) } else { shared.eq(constant(0)) }
        })),
        Condition::Communities(tests, seen) => any(tests.iter().map(|test| links_test::<L>(engine, seen, test))),
        Condition::Membership(other) => has_membership::<L>(*other),
        Condition::WithoutGroups(seen) => is_without_groups(seen),
        Condition::Any(Field::Own(field), tests) => {
            any(tests.iter().map(|test| column_test(engine, L::column(*field), test)))
        }
        Condition::Any(Field::Xp(path), tests) => any(tests.iter().map(|test| xp_test::<L>(engine, path, test))),
    }
}

/// The condition that the entity passes the test of one of its columns.
pub(crate) fn column_test(engine: &impl Engine, column: FieldColumn, test: &Test) -> Expr {
    value_test(engine, &own(column.name), column.kind, test)
}

/// The condition that the value, which is of the kind, passes the test.
pub(crate) fn value_test(engine: &impl Engine, value: &Expr, kind: ColumnKind, test: &Test) -> Expr {
    let value = || value.clone();
    match test {
        Test::Present => value().is_not_null(),
        Test::Absent => value().is_null(),
        Test::OneOf(operands) => match operands.as_slice() {
            [operand] => value().eq(typed(kind, operand)),
            _ => engine.is_one_of(value(), &all_typed(kind, operands)),
        },
        Test::NotEqual(operand) => value().is_null().or(value().ne(typed(kind, operand))),
        Test::Like(pattern) => like_in_range(value(), value(), pattern),
        Test::NotLike(pattern) => value().is_null().or(like(value(), pattern).not()),
        Test::Compare(comparison, operand) => compare(value(), *comparison, typed(kind, operand)),
    }
}

/// The operand as a value of the column's type, or NULL if it cannot be converted: every comparison with NULL fails.
/// (An API refuses such an operand earlier.)
fn typed(kind: ColumnKind, operand: &Operand) -> Expr {
    match kind {
        ColumnKind::Text => Expr::val(operand.text.clone()),
        _ => Expr::val(integer(kind, operand)),
    }
}

/// The operands as values of the column's type, without those that cannot be converted.
fn all_typed(kind: ColumnKind, operands: &[Operand]) -> Values<'_> {
    match kind {
        ColumnKind::Text => Values::Texts(operands.iter().map(|operand| operand.text.as_str()).collect()),
        _ => Values::Integers(operands.iter().filter_map(|operand| integer(kind, operand)).collect()),
    }
}

/// The operand as a column of this kind stores it, if that is an integer.
fn integer(kind: ColumnKind, operand: &Operand) -> Option<i64> {
    match kind {
        ColumnKind::Text => None,
        ColumnKind::Integer => operand.text.parse().ok(),
        ColumnKind::Instant => operand.instant.map(Timestamp::as_micros),
        ColumnKind::Boolean => operand.boolean.map(i64::from),
    }
}
