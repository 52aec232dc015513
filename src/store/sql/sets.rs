//! Sets: the parts of a filter that an index answers by itself. A list that few things match starts from the
//! smallest of them instead of walking the directory.

use sea_query::{Query, SelectStatement, UnionType};

use crate::domain::community::Communities;
use crate::domain::query::{Condition, Field, Filter, Pattern, Search, Test};

use super::lists::OWNER;
use super::render::{self, Engine, column_test, live, own};
use super::tables::{ColumnKind, Listing, THING};

/// A statement that gives the `uid`s (perhaps repeated, as its one column [`OWNER`]) of all things that one part of a
/// filter lets through.
#[derive(Clone, Debug)]
pub struct Set {
    pub statement: SelectStatement,
    /// Whether it gives no others: then that part needs no second look.
    pub exact: bool,
}

/// The sets of a filter's parts, of those that have one.
pub fn sets<L: Listing>(
    engine: &impl Engine,
    filter: &Filter<L::Field>,
    communities: Option<&Communities>,
) -> Vec<Set> {
    let linked = communities.map(|communities| Set { statement: render::links(communities), exact: true });
    let searched = filter.search.as_ref().and_then(|search| of_search::<L>(engine, search));
    let conditions = filter.conditions.iter().filter_map(|condition| of_condition::<L>(engine, condition));
    linked.into_iter().chain(searched).chain(conditions).collect()
}

fn of_search<L: Listing>(engine: &impl Engine, search: &Search<L::Field>) -> Option<Set> {
    let in_index = |field: &Field<L::Field>| match field {
        Field::Own(field) if L::TEXT_FIELDS.contains(field) => Some(*field),
        _ => None,
    };
    let fields: Option<Vec<_>> = search.fields.iter().map(in_index).collect();
    Some(Set { statement: engine.with_text::<L>(&search.term, &fields?), exact: true })
}

fn of_condition<L: Listing>(engine: &impl Engine, condition: &Condition<L::Field>) -> Option<Set> {
    let Condition::Any(field, tests) = condition else { return None };
    let alternatives: Option<Vec<_>> = tests
        .iter()
        .map(|test| match field {
            Field::Own(field) => of_column_test::<L>(engine, *field, test),
            Field::Xp(path) => of_xp_test::<L>(path, test),
        })
        .collect();
    alternatives?.into_iter().reduce(|mut all, set| {
        all.statement.union(UnionType::All, set.statement);
        Set { exact: all.exact && set.exact, ..all }
    })
}

fn of_column_test<L: Listing>(engine: &impl Engine, field: L::Field, test: &Test) -> Option<Set> {
    let column = L::column(field);
    let things = |test| {
        Query::select().expr_as(own("uid"), OWNER).from_as(L::TABLE, THING).and_where(live()).and_where(test).take()
    };
    match test {
        Test::Equal(_) | Test::Compare(..) if column.indexed => {
            Some(Set { statement: things(column_test(column, test)), exact: true })
        }
        Test::Like(pattern) if column.indexed && !pattern.0.first()?.is_empty() => {
            Some(Set { statement: things(column_test(column, test)), exact: true })
        }
        Test::Like(Pattern(runs)) => of_text::<L>(engine, field, runs.iter().max_by_key(|run| run.len())?),
        Test::Equal(operand) if column.kind == ColumnKind::Text => of_text::<L>(engine, field, &operand.text),
        _ => None,
    }
}

/// The things that have the text somewhere in the field: more than a pattern or an equality lets through.
fn of_text<L: Listing>(engine: &impl Engine, field: L::Field, text: &str) -> Option<Set> {
    let usable = !text.is_empty() && L::TEXT_FIELDS.contains(&field);
    usable.then(|| Set { statement: engine.with_text::<L>(text, &[field]), exact: false })
}

fn of_xp_test<L: Listing>(path: &str, test: &Test) -> Option<Set> {
    match test {
        Test::Present | Test::Equal(_) | Test::Compare(..) => {
            Some(Set { statement: render::owners::<L>(path, test), exact: true })
        }
        Test::Like(pattern) if !pattern.0.first()?.is_empty() => {
            Some(Set { statement: render::owners::<L>(path, test), exact: true })
        }
        _ => None,
    }
}
