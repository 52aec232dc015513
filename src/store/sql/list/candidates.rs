//! Candidate sets: for each conjunct of a filter, statements that select the `uid`s of the entities that match it. If
//! few entities match one conjunct, a list starts from its candidate set and reads no others.

use sea_query::{Expr, ExprTrait as _, Query};

use crate::domain::community::{Communities, Visibility};
use crate::domain::query::{Comparison, Condition, Field, Filter, Operand, Pattern, Search, Test};

use super::candidate_set::{CandidateSet, Keyset, SetExpr, select_uids};
use super::conditions::filters::{self, column_test};
use super::conditions::relations::{has_membership, linked_owners, links_test, memberships_of, positive};
use super::conditions::xp_entries;
use super::engine::Engine;
use super::expressions::{OWNER, always, any, never, own};
use crate::store::sql::tables::{ColumnKind, FieldColumn, Listing, TABLE_ALIAS, Upkeep};

/// The number of characters of a text that are looked up in the text index if the result need not be exact. So many
/// characters select nearly as few entities as the whole text.
const SUFFIX_CHARS: usize = 16;
/// The maximum number of texts of one test that are looked up in the text index, because each makes the statement
/// longer. More texts are compared in a table scan.
const MAX_TEXT_LOOK_UPS: usize = 100;

/// One of the conditions that an entity must pass to match a filter.
#[derive(Clone, Debug)]
pub(crate) struct Conjunct {
    /// The condition, on the entity's row.
    pub condition: Expr,
    /// Sets whose union contains every entity that matches. `None` if there are no such sets, so that each entity must
    /// be checked.
    pub alternatives: Option<Vec<SetExpr>>,
    /// Which journal entries record the changes of what matches.
    pub upkeep: Upkeep,
}

impl Conjunct {
    /// The union of the alternatives as one candidate set, if indexes select all of them.
    pub(crate) fn candidate_set(&self) -> Option<CandidateSet> {
        let sets = self.alternatives.as_ref()?.iter().map(|alternative| match alternative {
            SetExpr::In(set) if set.indexed => Some(set.clone()),
            _ => None,
        });
        sets.collect::<Option<Vec<_>>>()?.into_iter().reduce(CandidateSet::or)
    }

    /// Whether a union of candidate sets decides the conjunct, so that no entity has to be checked.
    pub(crate) fn is_exact(&self) -> bool {
        self.alternatives.as_ref().is_some_and(|alternatives| alternatives.iter().all(SetExpr::is_exact))
    }
}

/// Returns the conjuncts of the filter and of the limit to communities.
pub(crate) fn conjuncts<L: Listing>(
    engine: &impl Engine,
    filter: &Filter<L::Field>,
    communities: Option<&Communities>,
) -> Vec<Conjunct> {
    let linked = communities.map(|communities| Conjunct {
        condition: filters::linked(communities),
        alternatives: Some(vec![SetExpr::In(CandidateSet::from_index_with_duplicates(
            filters::links(communities),
            filters::linked(communities),
        ))]),
        upkeep: Upkeep::Entity,
    });
    let searched = filter.search.as_ref().map(|search| Conjunct {
        condition: filters::search::<L>(engine, search),
        alternatives: search_sets::<L>(engine, search),
        upkeep: Upkeep::Entity,
    });
    let conditions = filter.conditions.iter().map(|condition| Conjunct {
        condition: filters::condition::<L>(engine, condition),
        alternatives: condition_sets::<L>(engine, condition),
        upkeep: upkeep::<L>(condition),
    });
    linked.into_iter().chain(searched).chain(conditions).collect()
}

/// The exact set of the entities that match all the conjuncts, by a scan of the whole table.
pub(crate) fn table_scan<L: Listing>(conjuncts: &[Conjunct]) -> CandidateSet {
    let conditions = || conjuncts.iter().map(|conjunct| conjunct.condition.clone());
    let condition = conditions().reduce(Expr::and).unwrap_or_else(always);
    let upkeep = conjuncts.iter().fold(Upkeep::Entity, |upkeep, conjunct| upkeep.and(conjunct.upkeep));
    CandidateSet { indexed: false, upkeep, ..CandidateSet::from_index(select_uids::<L>(conditions()), condition) }
}

fn upkeep<L: Listing>(condition: &Condition<L::Field>) -> Upkeep {
    match condition {
        Condition::Any(Field::Own(field), _) => L::column(*field).upkeep,
        Condition::Membership(other) => Upkeep::Memberships(Some(*other)),
        Condition::WithoutGroups(Visibility::All) => Upkeep::Memberships(None),
        // Changes of groups matter, too.
        Condition::WithoutGroups(Visibility::Within(_)) => Upkeep::Unknown,
        Condition::All(parts) | Condition::AnyOf(parts) => {
            parts.iter().map(upkeep::<L>).fold(Upkeep::Entity, Upkeep::and)
        }
        Condition::Not(negated) => upkeep::<L>(negated),
        Condition::Any(Field::Xp(_), _) | Condition::Roles(_) | Condition::Communities(..) | Condition::Never => {
            Upkeep::Entity
        }
    }
}

/// The set of a search; `None` if a field of it is not in the text index.
fn search_sets<L: Listing>(engine: &impl Engine, search: &Search<L::Field>) -> Option<Vec<SetExpr>> {
    let in_index = |field: &Field<L::Field>| match field {
        Field::Own(field) if L::TEXT_FIELDS.contains(field) => Some(*field),
        _ => None,
    };
    let fields: Option<Vec<_>> = search.fields.iter().map(in_index).collect();
    Some(vec![SetExpr::In(text_set::<L>(engine, &search.term, &fields?))])
}

/// The sets of a condition, whose union contains every entity that passes it: one for each test. `None` if a test has
/// none.
fn condition_sets<L: Listing>(engine: &impl Engine, condition: &Condition<L::Field>) -> Option<Vec<SetExpr>> {
    match condition {
        Condition::Any(field, tests) => possible::<L>(field, tests)
            .into_iter()
            .map(|test| match field {
                Field::Own(field) => column_set::<L>(engine, *field, test),
                Field::Xp(path) => Some(xp_set::<L>(engine, path, test)),
            })
            .collect(),
        Condition::Never => Some(vec![SetExpr::In(nothing::<L>())]),
        Condition::Communities(tests, seen) => {
            Some(tests.iter().map(|test| links_set::<L>(engine, seen, test)).collect())
        }
        Condition::Membership(other) => {
            let set = CandidateSet::from_index(memberships_of::<L>(engine, *other), has_membership::<L>(*other));
            Some(vec![SetExpr::In(CandidateSet { upkeep: upkeep::<L>(condition), ..set })])
        }
        Condition::Roles(_) | Condition::WithoutGroups(_) => None,
        Condition::All(parts) => conjunction_sets::<L>(engine, parts),
        Condition::AnyOf(parts) => {
            let sets = parts.iter().map(|part| condition_sets::<L>(engine, part));
            Some(sets.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        Condition::Not(negated) => Some(vec![complement(condition_sets::<L>(engine, negated)?)?]),
    }
}

/// The tests of the field without that for absence, if no entity passes it and there are others.
fn possible<'t, L: Listing>(field: &Field<L::Field>, tests: &'t [Test]) -> Vec<&'t Test> {
    let has_nulls = |field: &L::Field| L::column(*field).nullable;
    let is_possible = |test: &&Test| **test != Test::Absent || !matches!(field, Field::Own(own) if !has_nulls(own));
    let possible: Vec<_> = tests.iter().filter(is_possible).collect();
    if possible.is_empty() { tests.iter().collect() } else { possible }
}

/// The empty set.
fn nothing<L: Listing>() -> CandidateSet {
    CandidateSet::from_index(select_uids::<L>([never()]), never())
}

/// The sets of conditions joined by AND inside another condition: those of one of them, if possible of one that names
/// values, because few entities have them. Each entity must be checked then.
fn conjunction_sets<L: Listing>(engine: &impl Engine, parts: &[Condition<L::Field>]) -> Option<Vec<SetExpr>> {
    if parts.is_empty() {
        return Some(vec![SetExpr::NotIn(nothing::<L>())]);
    }
    let (named, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| names_values(part));
    let mut sets = named.into_iter().chain(others).filter_map(|part| condition_sets::<L>(engine, part));
    let sets = sets.find(|sets| sets.iter().all(SetExpr::is_indexed))?;
    Some(sets.into_iter().map(SetExpr::unchecked).collect())
}

/// Whether the condition is that something equals one of some values.
fn names_values<F>(condition: &Condition<F>) -> bool {
    match condition {
        Condition::Any(_, tests) | Condition::Communities(tests, _) => {
            tests.iter().all(|test| matches!(test, Test::OneOf(_)))
        }
        Condition::Membership(_) | Condition::Never => true,
        Condition::AnyOf(parts) => parts.iter().all(names_values),
        Condition::All(parts) => parts.iter().any(names_values),
        Condition::Roles(_) | Condition::WithoutGroups(_) | Condition::Not(_) => false,
    }
}

/// The complement of the only set. `None` if the set is not exact, or there are several: no negation has several, as
/// negations are pushed to the tests.
fn complement(mut sets: Vec<SetExpr>) -> Option<SetExpr> {
    let set = sets.pop().filter(|set| sets.is_empty() && set.is_exact())?;
    Some(match set {
        SetExpr::In(set) => SetExpr::NotIn(set),
        SetExpr::NotIn(set) => SetExpr::In(set),
    })
}

/// The set of a test of a column. A negative test is the complement of the positive one, if that is exact. `None` if no
/// index selects the set.
fn column_set<L: Listing>(engine: &impl Engine, field: L::Field, test: &Test) -> Option<SetExpr> {
    let column = L::column(field);
    let complement_of = |positive: Test| match column_set::<L>(engine, field, &positive) {
        Some(SetExpr::In(set)) if set.exact => Some(SetExpr::NotIn(set)),
        _ => None,
    };
    let range_of_index = || {
        let condition = column_test(engine, column, test);
        let statement = match engine.side_table(column) {
            None => select_uids::<L>([condition.clone()]),
            Some(table) => {
                let mut side = Query::select().expr_as(own("owner"), OWNER).from_as(table, TABLE_ALIAS).take();
                side.and_where(condition.clone()).take()
            }
        };
        let set = CandidateSet::from_index(statement, condition);
        Some(SetExpr::In(CandidateSet { keyset: keyset_of(column, test), upkeep: column.upkeep, ..set }))
    };
    match test {
        Test::NotEqual(operand) => complement_of(Test::equal(operand.clone())),
        Test::NotLike(pattern) => complement_of(Test::Like(pattern.clone())),
        Test::Present | Test::Absent | Test::OneOf(_) | Test::Compare(..) if column.indexed => range_of_index(),
        Test::Like(pattern) if column.indexed && !pattern.0.first()?.is_empty() => range_of_index(),
        Test::Like(Pattern(runs)) => {
            let is_substring = matches!(runs.as_slice(), [first, _, last] if first.is_empty() && last.is_empty());
            let longest = runs.iter().max_by_key(|run| run.len())?;
            field_text_set::<L>(engine, field, longest, is_substring).map(SetExpr::In)
        }
        Test::OneOf(operands) if column.kind == ColumnKind::Text && operands.len() <= MAX_TEXT_LOOK_UPS => {
            let sets = operands.iter().map(|operand| field_text_set::<L>(engine, field, &operand.text, false));
            sets.collect::<Option<Vec<_>>>()?.into_iter().reduce(CandidateSet::or).map(SetExpr::In)
        }
        _ => None,
    }
}

/// The keyset that the test selects: the values above a text, in a column of unique texts. `None` for any other test.
fn keyset_of(column: FieldColumn, test: &Test) -> Option<Keyset> {
    match test {
        Test::Compare(Comparison::Greater, Operand { text, .. })
            if column.unique && column.kind == ColumnKind::Text =>
        {
            Some(Keyset { column: column.name, position: text.clone() })
        }
        _ => None,
    }
}

/// The set of the entities whose field contains the text. If the set need not be `exact`, the last characters of the
/// text are looked up instead, because that costs less. `None` if the text index does not have the field.
fn field_text_set<L: Listing>(engine: &impl Engine, field: L::Field, text: &str, exact: bool) -> Option<CandidateSet> {
    let suffix = text.char_indices().rev().nth(SUFFIX_CHARS - 1).map_or(text, |(at, _)| &text[at..]);
    let text = if exact { text } else { suffix };
    let is_in_index = !text.is_empty() && L::TEXT_FIELDS.contains(&field);
    is_in_index.then(|| CandidateSet { exact, ..text_set::<L>(engine, text, &[field]) })
}

/// The set of the entities of which one field contains the text.
fn text_set<L: Listing>(engine: &impl Engine, text: &str, fields: &[L::Field]) -> CandidateSet {
    let condition = any(fields.iter().map(|field| engine.contains(own(L::column(*field).name), text)));
    let probe = engine.probe_text::<L>(text, fields);
    let set = CandidateSet::from_index_with_duplicates(engine.with_text::<L>(text, fields), condition);
    // The set has no duplicates. It is marked as having some because that makes PostgreSQL use the text index: to count
    // plain rows, it may scan a B-tree of the field instead.
    CandidateSet { probe, ..set }
}

/// The set of a test of the communities that the caller may see. A negative test is the complement of the positive one.
fn links_set<L: Listing>(engine: &impl Engine, seen: &Visibility, test: &Test) -> SetExpr {
    let (positive, is_negated) = positive(test);
    let condition = links_test::<L>(engine, seen, &positive);
    let set = CandidateSet::from_index_with_duplicates(linked_owners::<L>(engine, seen, &positive), condition);
    if is_negated { SetExpr::NotIn(set) } else { SetExpr::In(set) }
}

/// The set of a test at a path of xp. A negative test is the complement of the positive one.
fn xp_set<L: Listing>(engine: &impl Engine, path: &str, test: &Test) -> SetExpr {
    let owners = |test: &Test| {
        let starts_with_wildcard =
            matches!(test, Test::Like(Pattern(runs)) if runs.first().is_none_or(String::is_empty));
        let statement = xp_entries::owners::<L>(engine, path, test);
        let condition = xp_entries::xp_test::<L>(engine, path, test);
        CandidateSet {
            indexed: !starts_with_wildcard,
            ..CandidateSet::from_index_with_duplicates(statement, condition)
        }
    };
    match test {
        Test::Absent => SetExpr::NotIn(owners(&Test::Present)),
        Test::NotEqual(operand) => SetExpr::NotIn(owners(&Test::equal(operand.clone()))),
        Test::NotLike(pattern) => SetExpr::NotIn(owners(&Test::Like(pattern.clone()))),
        positive => SetExpr::In(owners(positive)),
    }
}
