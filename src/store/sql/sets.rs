//! Sets: what the parts of a filter let through, as statements that give numbers. A list that few things match starts
//! from the smallest of them instead of walking the directory.

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement, UnionType};

use crate::domain::community::Communities;
use crate::domain::query::{Comparison, Condition, Field, Filter, Operand, Pattern, Search, Test};

use super::lists::OWNER;
use super::render::{self, Engine, always, any, column_test, live, never, own};
use super::tables::{ColumnKind, Listing, THING};

/// How many characters of a text find nearly as few things as all of it.
const ENOUGH: usize = 16;

/// A statement that gives the `uid`s (as its one column [`OWNER`]) of all live things that one part
/// of a filter lets through.
#[derive(Clone, Debug)]
pub struct Set {
    pub statement: SelectStatement,
    /// Holds for a row of the things that it gives.
    pub condition: Expr,
    /// A statement that gives all of them sooner, and perhaps others, where they are few.
    pub probe: Option<SelectStatement>,
    /// What it is beyond, if it is all there is beyond a text.
    pub beyond: Option<Beyond>,
    /// Whether it may give a thing more than once.
    pub repeats: bool,
    /// Whether it gives no others: then that part needs no second look.
    pub exact: bool,
    /// Whether an index leads to its things alone, so that the first few come at once. Otherwise it is found by going
    /// through all there is at a path of xp, or the whole table.
    pub indexed: bool,
    /// Whether it is the same for as long as the journal is.
    pub journaled: bool,
}

impl Set {
    /// Just the things for which the condition holds, each once; an index leads to them.
    pub fn found_by_index(statement: SelectStatement, condition: Expr) -> Self {
        Self {
            statement,
            condition,
            probe: None,
            beyond: None,
            repeats: false,
            exact: true,
            indexed: true,
            journaled: true,
        }
    }

    /// The same, perhaps more than once.
    pub fn found_repeatedly(statement: SelectStatement, condition: Expr) -> Self {
        Self { repeats: true, ..Self::found_by_index(statement, condition) }
    }

    /// By its probe, if it has one.
    pub fn probed(self) -> Self {
        match self.probe {
            Some(statement) => Self { statement, probe: None, exact: false, ..self },
            None => self,
        }
    }
}

/// A text in the order of a column in which no two live things have the same.
#[derive(Clone, Debug)]
pub struct Beyond {
    pub column: &'static str,
    pub text: String,
}

impl Beyond {
    /// Holds for a row of what lies beyond.
    pub fn condition(&self) -> Expr {
        own(self.column).gt(self.text.clone())
    }

    /// At most `limit` things between the two: what lies beyond one of them alone.
    pub fn between<L: Listing>(&self, other: &Self, limit: u64) -> SelectStatement {
        let (from, to) = if self.text < other.text { (self, other) } else { (other, self) };
        things::<L>([from.condition(), own(to.column).lte(to.text.clone())]).limit(limit).take()
    }
}

/// A set, or all live things but its own.
#[derive(Clone, Debug)]
pub enum Term {
    In(Set),
    NotIn(Set),
}

impl Term {
    /// Whether it gives just the things that it should.
    pub fn is_exact(&self) -> bool {
        let (Self::In(set) | Self::NotIn(set)) = self;
        set.exact
    }
}

/// One part of a filter: all of them must let a thing through.
#[derive(Clone, Debug)]
pub struct Part {
    /// Holds for a row of the things that it lets through.
    pub condition: Expr,
    /// What it lets through, and perhaps more, is in at least one of these; `None` where each thing must be looked at.
    pub terms: Option<Vec<Term>>,
    /// Whether what it lets through is the same for as long as the journal is.
    pub journaled: bool,
}

impl Part {
    /// All that it lets through as one set that indexes lead to, if there is one.
    pub fn set(&self) -> Option<Set> {
        let sets = self.terms.as_ref()?.iter().map(|term| match term {
            Term::In(set) if set.indexed => Some(set.clone()),
            _ => None,
        });
        sets.collect::<Option<Vec<_>>>()?.into_iter().reduce(|mut all, set| {
            all.statement.union(UnionType::All, set.statement);
            let (condition, exact) = (all.condition.or(set.condition), all.exact && set.exact);
            Set {
                condition,
                probe: None,
                beyond: None,
                repeats: true,
                exact,
                journaled: all.journaled && set.journaled,
                ..all
            }
        })
    }
}

/// The parts of a filter, the limit to communities among them.
pub fn parts<L: Listing>(
    engine: &impl Engine,
    filter: &Filter<L::Field>,
    communities: Option<&Communities>,
) -> Vec<Part> {
    let linked = communities.map(|communities| Part {
        condition: render::linked(communities),
        terms: Some(vec![Term::In(Set::found_repeatedly(render::links(communities), render::linked(communities)))]),
        journaled: true,
    });
    let searched = filter.search.as_ref().map(|search| Part {
        condition: render::search::<L>(engine, search),
        terms: of_search::<L>(engine, search),
        journaled: true,
    });
    let conditions = filter.conditions.iter().map(|condition| Part {
        condition: render::condition::<L>(condition),
        terms: of_condition::<L>(engine, condition),
        journaled: is_journaled::<L>(condition),
    });
    linked.into_iter().chain(searched).chain(conditions).collect()
}

/// What the parts let through, found by looking at each thing of the table.
pub fn scanned<L: Listing>(parts: &[Part]) -> Set {
    let conditions = || parts.iter().map(|part| part.condition.clone());
    let condition = conditions().reduce(Expr::and).unwrap_or_else(always);
    let journaled = parts.iter().all(|part| part.journaled);
    Set { indexed: false, journaled, ..Set::found_by_index(things::<L>(conditions()), condition) }
}

fn is_journaled<L: Listing>(condition: &Condition<L::Field>) -> bool {
    match condition {
        Condition::Any(Field::Own(field), _) => L::column(*field).journaled,
        _ => true,
    }
}

/// The numbers of the live things of the table for which the conditions hold.
fn things<L: Listing>(conditions: impl IntoIterator<Item = Expr>) -> SelectStatement {
    let mut things = Query::select().expr_as(own("uid"), OWNER).from_as(L::TABLE, THING).and_where(live()).take();
    for condition in conditions {
        things.and_where(condition);
    }
    things
}

fn of_search<L: Listing>(engine: &impl Engine, search: &Search<L::Field>) -> Option<Vec<Term>> {
    let in_index = |field: &Field<L::Field>| match field {
        Field::Own(field) if L::TEXT_FIELDS.contains(field) => Some(*field),
        _ => None,
    };
    let fields: Option<Vec<_>> = search.fields.iter().map(in_index).collect();
    Some(vec![Term::In(with_text::<L>(engine, &search.term, &fields?))])
}

fn of_condition<L: Listing>(engine: &impl Engine, condition: &Condition<L::Field>) -> Option<Vec<Term>> {
    match condition {
        Condition::Any(field, tests) => tests
            .iter()
            .map(|test| match field {
                Field::Own(field) => of_column_test::<L>(engine, *field, test),
                Field::Xp(path) => Some(of_xp_test::<L>(path, test)),
            })
            .collect(),
        Condition::Never => Some(vec![Term::In(Set::found_by_index(things::<L>([never()]), never()))]),
        Condition::Roles(_) => None,
    }
}

fn of_column_test<L: Listing>(engine: &impl Engine, field: L::Field, test: &Test) -> Option<Term> {
    let column = L::column(field);
    let without = |positive: Test| match of_column_test::<L>(engine, field, &positive) {
        Some(Term::In(set)) if set.exact => Some(Term::NotIn(set)),
        _ => None,
    };
    let found = || {
        let condition = column_test(column, test);
        let beyond = match test {
            Test::Compare(Comparison::Greater, Operand { text, .. })
                if column.unique && column.kind == ColumnKind::Text =>
            {
                Some(Beyond { column: column.name, text: text.clone() })
            }
            _ => None,
        };
        let set = Set::found_by_index(things::<L>([condition.clone()]), condition);
        Some(Term::In(Set { beyond, journaled: column.journaled, ..set }))
    };
    match test {
        Test::NotEqual(operand) => without(Test::Equal(operand.clone())),
        Test::NotLike(pattern) => without(Test::Like(pattern.clone())),
        Test::Present | Test::Absent | Test::Equal(_) | Test::Compare(..) if column.indexed => found(),
        Test::Like(pattern) if column.indexed && !pattern.0.first()?.is_empty() => found(),
        Test::Like(Pattern(runs)) => {
            let exact = matches!(runs.as_slice(), [first, _, last] if first.is_empty() && last.is_empty());
            of_text::<L>(engine, field, runs.iter().max_by_key(|run| run.len())?, exact)
        }
        Test::Equal(operand) if column.kind == ColumnKind::Text => of_text::<L>(engine, field, &operand.text, false),
        _ => None,
    }
}

/// The things that have the text somewhere in the field: perhaps more than a pattern or an equality lets through, in which
/// case its end is enough.
fn of_text<L: Listing>(engine: &impl Engine, field: L::Field, text: &str, exact: bool) -> Option<Term> {
    let end = text.char_indices().rev().nth(ENOUGH - 1).map_or(text, |(at, _)| &text[at..]);
    let text = if exact { text } else { end };
    let usable = !text.is_empty() && L::TEXT_FIELDS.contains(&field);
    usable.then(|| Term::In(Set { exact, ..with_text::<L>(engine, text, &[field]) }))
}

/// The things that have the text somewhere in one of the fields.
fn with_text<L: Listing>(engine: &impl Engine, text: &str, fields: &[L::Field]) -> Set {
    let has = any(fields.iter().map(|field| engine.contains(own(L::column(*field).name), text)));
    let probe = engine.probe_text::<L>(text, fields);
    // Each comes once. But to count rows alone, PostgreSQL may walk through an index of the field that holds no texts' parts.
    Set { probe, ..Set::found_repeatedly(engine.with_text::<L>(text, fields), has) }
}

fn of_xp_test<L: Listing>(path: &str, test: &Test) -> Term {
    let owners = |test: &Test| {
        let indexed = !matches!(test, Test::Like(Pattern(runs)) if runs.first().is_none_or(String::is_empty));
        Set { indexed, ..Set::found_repeatedly(render::owners::<L>(path, test), render::xp_test::<L>(path, test)) }
    };
    match test {
        Test::Absent => Term::NotIn(owners(&Test::Present)),
        Test::NotEqual(operand) => Term::NotIn(owners(&Test::Equal(operand.clone()))),
        Test::NotLike(pattern) => Term::NotIn(owners(&Test::Like(pattern.clone()))),
        positive => Term::In(owners(positive)),
    }
}
