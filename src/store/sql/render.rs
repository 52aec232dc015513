//! Filters as SQL. Each part of a filter becomes one condition on the row `t` of the listed thing.

use sea_query::{BinOper, Expr, ExprTrait as _, JoinType, LikeExpr, Query, SelectStatement, UnionType};

use crate::domain::community::Communities;
use crate::domain::query::{Comparison, Condition, Field, Operand, Pattern, Search, Test};

use super::tables::{Column, ColumnKind, Listing, THING};
use super::xp::{KIND_CONTAINER, KIND_NUMBER, KIND_TEXT, path_key, split};

/// The alias of the table of xp entries in every statement.
pub(super) const XP: &str = "x";

/// What the engines spell differently.
pub trait Engine: Send + Sync {
    /// Whether `text` has `term` as a substring.
    fn contains(&self, text: Expr, term: &str) -> Expr;
    /// The `uid`s of the live things that have `term` (folded, not empty) as a substring of one of `fields`, all of
    /// which are in the text index; each once.
    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement;
    /// A statement that gives all of these sooner where they are few, and perhaps others.
    fn probe_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> Option<SelectStatement> {
        let _ = (term, fields);
        None
    }
    /// The join that leaves as little choice as the engine allows of which side is walked first: the left one. All
    /// it is given as its condition is [`always`].
    fn nested(&self) -> JoinType;
    /// These `uid`s themselves, as a set.
    fn these(&self, uids: &[i64]) -> SelectStatement;
}

/// A number that belongs to the statement, not to the question: written into it rather than bound, so that an engine
/// sees which of its partial indexes serve.
pub fn constant(number: i64) -> Expr {
    Expr::Constant(number.into())
}

/// Holds always.
pub fn always() -> Expr {
    constant(1).eq(constant(1))
}

/// Never holds.
pub fn never() -> Expr {
    constant(1).eq(constant(0))
}

/// The column of the listed thing.
pub fn own(name: &'static str) -> Expr {
    Expr::col((THING, name))
}

pub(super) fn xp_column(name: &'static str) -> Expr {
    Expr::col((XP, name))
}

/// Holds for live things.
pub fn live() -> Expr {
    own("deleted").is_null()
}

/// Holds for groups linked to one of the communities.
pub fn linked(communities: &Communities) -> Expr {
    let links = links(communities).and_where(Expr::col("owner").equals((THING, "uid"))).take();
    Expr::exists(links)
}

/// The groups linked to one of the communities; a group may come twice.
pub fn links(communities: &Communities) -> SelectStatement {
    let names = communities.iter().map(ToString::to_string);
    Query::select().column("owner").from("group_communities").and_where(Expr::col("community").is_in(names)).take()
}

/// Holds for things that the search finds.
pub fn search<L: Listing>(engine: &impl Engine, search: &Search<L::Field>) -> Expr {
    any(search.fields.iter().map(|field| match field {
        Field::Own(field) => engine.contains(own(L::column(*field).name), &search.term),
        Field::Xp(path) => {
            let found = engine.contains(whole_text(), &search.term).and(no_container());
            Expr::exists(entries_of_thing::<L>(path, found))
        }
    }))
}

/// Holds for things that the condition lets through.
pub fn condition<L: Listing>(condition: &Condition<L::Field>) -> Expr {
    match condition {
        Condition::Never => never(),
        Condition::Roles(alternatives) => any(alternatives.iter().map(|(roles, held)| {
            let shared = own("roles").bit_and(i64::from(roles.bits()));
            if *held { shared.ne(constant(0)) } else { shared.eq(constant(0)) }
        })),
        Condition::Any(Field::Own(field), tests) => any(tests.iter().map(|test| column_test(L::column(*field), test))),
        Condition::Any(Field::Xp(path), tests) => any(tests.iter().map(|test| xp_test::<L>(path, test))),
    }
}

/// At least one of them holds.
pub fn any(alternatives: impl Iterator<Item = Expr>) -> Expr {
    alternatives.reduce(|a, b| a.or(b)).unwrap_or_else(never)
}

/// A test of one of the thing's own columns.
pub fn column_test(column: Column, test: &Test) -> Expr {
    let value = || own(column.name);
    match test {
        Test::Present => value().is_not_null(),
        Test::Absent => value().is_null(),
        Test::Equal(operand) => value().eq(typed(column.kind, operand)),
        Test::NotEqual(operand) => value().is_null().or(value().ne(typed(column.kind, operand))),
        Test::Like(pattern) => like_in_range(value(), value(), pattern),
        Test::NotLike(pattern) => value().is_null().or(like(value(), pattern).not()),
        Test::Compare(comparison, operand) => compare(value(), *comparison, typed(column.kind, operand)),
    }
}

/// The operand as the column's type; one that is not of it equals nothing and is below nothing. (A dialect refuses
/// such operands before.)
fn typed(kind: ColumnKind, operand: &Operand) -> Expr {
    match kind {
        ColumnKind::Text => Expr::val(operand.text.clone()),
        ColumnKind::Integer => Expr::val(operand.number.map(|number| number as i64)),
        ColumnKind::Instant => Expr::val(operand.instant.map(|instant| instant.as_micros())),
        ColumnKind::Boolean => Expr::val(operand.boolean.map(i64::from)),
    }
}

/// A test of the thing's values at the path of xp.
pub fn xp_test<L: Listing>(path: &str, test: &Test) -> Expr {
    let some = |test| Expr::exists(entries_of_thing::<L>(path, test));
    let none = |test| Expr::not_exists(entries_of_thing::<L>(path, test));
    match test {
        Test::Absent => none(entry_test(&Test::Present)),
        Test::NotEqual(operand) => none(entry_test(&Test::Equal(operand.clone()))),
        Test::NotLike(pattern) => none(entry_test(&Test::Like(pattern.clone()))),
        positive => some(entry_test(positive)),
    }
}

/// The entries of the listed thing at the path that pass the test.
fn entries_of_thing<L: Listing>(path: &str, test: Expr) -> SelectStatement {
    let own_entry = xp_column("owner").equals((THING, "uid"));
    Query::select()
        .expr(constant(1))
        .from_as(L::XP_TABLE, XP)
        .and_where(own_entry)
        .and_where(at(path))
        .and_where(test)
        .take()
}

/// The owners of the entries at the path that pass the (positive) test; an owner may come twice.
pub fn owners<L: Listing>(path: &str, test: &Test) -> SelectStatement {
    let mut all = Query::select();
    for (nth, test) in entry_tests(test).into_iter().enumerate() {
        let owners =
            Query::select().column((XP, "owner")).from_as(L::XP_TABLE, XP).and_where(at(path)).and_where(test).take();
        match nth {
            0 => all = owners,
            _ => drop(all.union(UnionType::All, owners)),
        }
    }
    all
}

pub(super) fn at(path: &str) -> Expr {
    xp_column("path").eq(path_key(path))
}

/// A positive test of one entry (docs/ordercloud.md, section 6). Negative ones ask that no entry passes it.
fn entry_test(test: &Test) -> Expr {
    any(entry_tests(test).into_iter())
}

/// A positive test of one entry as tests of which at most one holds, each a range of one index: that of the kinds
/// with their text, of numbers, or of instants.
fn entry_tests(test: &Test) -> Vec<Expr> {
    match test {
        Test::Equal(operand) => vec![entry_equals(operand)],
        Test::Like(pattern) => of_either_kind(&entry_like(pattern)),
        Test::Compare(comparison, operand) => entry_compares(*comparison, operand),
        _ => vec![always()],
    }
}

/// A positive test of an entry of the kind (number or text), so that what it says of that kind is a range of an index
/// where there is one.
pub(super) fn entry_test_of(kind: i64, test: &Test) -> Expr {
    match test {
        Test::Like(pattern) => entry_like(pattern),
        Test::Compare(comparison, operand) => match (operand.number, operand.instant) {
            (Some(number), _) if kind == KIND_NUMBER => compare(xp_column("number"), *comparison, Expr::val(number)),
            (None, None) => text_compares(*comparison, &operand.text),
            _ => entry_test(test),
        },
        _ => entry_test(test),
    }
}

/// The test of text or of a number's spelling.
fn of_either_kind(test: &Expr) -> Vec<Expr> {
    [KIND_NUMBER, KIND_TEXT].map(|kind| is_of(kind).and(test.clone())).to_vec()
}

fn entry_equals(operand: &Operand) -> Expr {
    let (text, rest) = split(&operand.text);
    let as_text = xp_column("text").eq(text).and(is_of(KIND_TEXT)).and(xp_column("rest").eq(rest));
    match operand.number {
        // Equal text reads as the same number, so that the index of numbers serves both kinds.
        Some(number) => xp_column("number").eq(number).and(is_of(KIND_NUMBER).or(as_text)),
        None => as_text,
    }
}

fn entry_like(pattern: &Pattern) -> Expr {
    like_in_range(xp_column("text"), whole_text(), pattern)
}

/// Holds for text that matches the pattern. The range of the pattern's prefix, of the text or its beginning, is what
/// an index can serve.
fn like_in_range(indexed: Expr, text: Expr, pattern: &Pattern) -> Expr {
    let prefix = pattern.0.first().map_or("", String::as_str);
    let within = prefix_range(indexed, split(prefix).0);
    let matches = like(text, pattern);
    match within {
        Some(within) => within.and(matches),
        None => matches,
    }
}

/// As numbers if both are, as instants if both are, else as text.
fn entry_compares(comparison: Comparison, operand: &Operand) -> Vec<Expr> {
    let without = |column| xp_column(column).is_null();
    let as_text = text_compares(comparison, &operand.text);
    match (operand.number, operand.instant) {
        (Some(number), _) => vec![
            compare(xp_column("number"), comparison, Expr::val(number)),
            is_of(KIND_TEXT).and(without("number")).and(as_text),
        ],
        (None, Some(instant)) => {
            let as_instant = compare(xp_column("instant"), comparison, Expr::val(instant.as_micros()));
            let others = of_either_kind(&without("instant").and(as_text));
            std::iter::once(as_instant).chain(others).collect()
        }
        (None, None) => of_either_kind(&as_text),
    }
}

/// Compares the whole text, held in two columns, with the operand split the same way. The beginning alone gives the
/// range of an index.
fn text_compares(comparison: Comparison, operand: &str) -> Expr {
    let (text, rest) = split(operand);
    let (strictly, or_equal) = match comparison {
        Comparison::Less | Comparison::LessOrEqual => (Comparison::Less, Comparison::LessOrEqual),
        Comparison::Greater | Comparison::GreaterOrEqual => (Comparison::Greater, Comparison::GreaterOrEqual),
    };
    let beginning = |comparison| compare(xp_column("text"), comparison, Expr::val(text));
    let end = compare(xp_column("rest"), comparison, Expr::val(rest));
    beginning(or_equal).and(beginning(strictly).or(end))
}

pub(super) fn is_of(kind: i64) -> Expr {
    xp_column("kind").eq(constant(kind))
}

fn no_container() -> Expr {
    xp_column("kind").ne(constant(KIND_CONTAINER))
}

fn whole_text() -> Expr {
    // What both engines call it; sea-query has no word for it.
    xp_column("text").binary(BinOper::Custom("||"), xp_column("rest"))
}

fn compare(value: Expr, comparison: Comparison, operand: Expr) -> Expr {
    match comparison {
        Comparison::Less => value.lt(operand),
        Comparison::LessOrEqual => value.lte(operand),
        Comparison::Greater => value.gt(operand),
        Comparison::GreaterOrEqual => value.gte(operand),
    }
}

/// Holds for text that matches the pattern.
pub fn like(text: Expr, pattern: &Pattern) -> Expr {
    let mut escaped = String::new();
    for (at, run) in pattern.0.iter().enumerate() {
        if at > 0 {
            escaped.push('%');
        }
        for character in run.chars() {
            if matches!(character, '%' | '_' | '!') {
                escaped.push('!');
            }
            escaped.push(character);
        }
    }
    text.like(LikeExpr::new(escaped).escape('!'))
}

/// Holds for text that may begin with the prefix: a range that an index serves. `None` for an empty prefix.
fn prefix_range(text: Expr, prefix: &str) -> Option<Expr> {
    let after = after_prefix(prefix)?;
    Some(text.clone().gte(prefix).and(text.lt(after)))
}

/// The least text above every text with the prefix, by code points.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The range steps over the surrogates, and has no step above the last code point.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_prefix_ends_after_it() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
