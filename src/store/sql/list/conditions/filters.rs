//! Filters as SQL: each conjunct of a filter as a condition on the row of the listed entity, which has the alias
//! [`TABLE_ALIAS`].

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::query::{Condition, Field, Search, Test};

use super::relations::{has_membership, is_without_groups, links_test};
use super::value_tests::value_test;
use super::xp_entries::{xp_contains, xp_test};
use crate::store::sql::list::engine::Engine;
use crate::store::sql::list::expressions::{always, any, constant, never, own};
use crate::store::sql::tables::{FieldColumn, Listing, TABLE_ALIAS};

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
        Condition::All(parts) => {
            let parts = parts.iter().map(|part| self::condition::<L>(engine, part));
            parts.reduce(Expr::and).unwrap_or_else(always)
        }
        Condition::AnyOf(parts) => any(parts.iter().map(|part| self::condition::<L>(engine, part))),
        Condition::Not(negated) => complement(negated, self::condition::<L>(engine, negated)),
    }
}

/// The condition that the entity does not pass the condition of the filter, which is `expr`.
fn complement<F>(condition: &Condition<F>, expr: Expr) -> Expr {
    match condition {
        Condition::Any(Field::Own(_), _) | Condition::All(_) | Condition::AnyOf(_) | Condition::Not(_) => {
            // A comparison with NULL is neither true nor false, and the negation holds then.
            expr.is_not(Expr::Constant(true.into()))
        }
        // These are never NULL, and the planner of PostgreSQL knows NOT EXISTS better.
        _ => expr.not(),
    }
}

/// The condition that the entity passes the test of one of its columns.
pub(crate) fn column_test(engine: &impl Engine, column: FieldColumn, test: &Test) -> Expr {
    value_test(engine, &own(column.name), column.kind, test)
}
