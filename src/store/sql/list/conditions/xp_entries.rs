//! Tests of xp entries as SQL. An entity has one row (entry) for each different value at each path of its xp, in the
//! table with the alias [`XP`].

use sea_query::{BinOper, Expr, ExprTrait as _, Query, SelectStatement, UnionType};

use crate::domain::decimal::Decimal;
use crate::domain::query::{Comparison, Operand, Pattern, Test};

use crate::store::sql::list::engine::{Engine, Values};
use crate::store::sql::list::expressions::{always, any, compare, constant, like, prefix_range};
use crate::store::sql::tables::{Listing, TABLE_ALIAS};
use crate::store::sql::xp::{KIND_CONTAINER, KIND_NUMBER, KIND_TEXT, TEXT_CHARS, path_key, split};

/// The alias of the table of xp entries in every statement.
pub(crate) const XP: &str = "x";

/// Two columns of an xp entry that hold one value. The index contains the first one only, so that its entries stay
/// short.
#[derive(Clone, Copy)]
pub(crate) struct SplitColumn {
    /// The column of the first [`TEXT_CHARS`] characters.
    pub prefix: &'static str,
    /// The column of the remaining characters.
    pub rest: &'static str,
}

/// The text of an entry.
pub(crate) const TEXT: SplitColumn = SplitColumn { prefix: "text", rest: "rest" };
/// The number of an entry, as a [`Decimal`].
pub(crate) const NUMBER: SplitColumn = SplitColumn { prefix: "number", rest: "number_rest" };

impl SplitColumn {
    /// The condition that the entry has this value.
    pub(crate) fn equals(self, value: &str) -> Expr {
        let (prefix, rest) = split(value);
        xp_column(self.prefix).eq(prefix).and(xp_column(self.rest).eq(rest))
    }

    /// The condition that the entry has one of the values, as several conditions of which at most one is true. An index
    /// serves each of them.
    fn is_one_of<'a>(self, engine: &impl Engine, values: impl Iterator<Item = &'a str>) -> Vec<Expr> {
        let (short, long): (Vec<&str>, Vec<&str>) = values.partition(|value| split(value).1.is_empty());
        let long = long.into_iter().map(|value| self.equals(value));
        match short.as_slice() {
            [] => long.collect(),
            [value] => long.chain([self.equals(value)]).collect(),
            _ => {
                let has_prefix = engine.is_one_of(xp_column(self.prefix), &Values::Texts(short));
                long.chain([has_prefix.and(xp_column(self.rest).eq(""))]).collect()
            }
        }
    }

    /// The condition that the whole value compares to the operand like this. The comparison of the prefix alone gives a
    /// range of the index.
    pub(crate) fn compares(self, comparison: Comparison, operand: &str) -> Expr {
        let (operand_prefix, operand_rest) = split(operand);
        let prefix = |comparison| compare(xp_column(self.prefix), comparison, Expr::val(operand_prefix));
        // A value with a rest has a full prefix. If the operand's prefix is shorter, the two prefixes differ, so they
        // decide.
        if operand_prefix.chars().count() < TEXT_CHARS {
            return prefix(comparison);
        }
        let (strictly, or_equal) = match comparison {
            Comparison::Less | Comparison::LessOrEqual => (Comparison::Less, Comparison::LessOrEqual),
            Comparison::Greater | Comparison::GreaterOrEqual => (Comparison::Greater, Comparison::GreaterOrEqual),
        };
        let rest = compare(xp_column(self.rest), comparison, Expr::val(operand_rest));
        prefix(or_equal).and(prefix(strictly).or(rest))
    }
}

/// A column of the table of xp entries.
pub(crate) fn xp_column(name: &'static str) -> Expr {
    Expr::col((XP, name))
}

/// The condition that the entry is at the path.
pub(crate) fn at(path: &str) -> Expr {
    xp_column("path").eq(path_key(path))
}

/// The condition that the entry is of the kind.
pub(crate) fn is_of(kind: i64) -> Expr {
    xp_column("kind").eq(constant(kind))
}

/// The condition that the listed entity passes the test at the path.
pub(crate) fn xp_test<L: Listing>(engine: &impl Engine, path: &str, test: &Test) -> Expr {
    let some = |test| Expr::exists(entries_of_entity::<L>(path, test));
    let none = |test| Expr::not_exists(entries_of_entity::<L>(path, test));
    match test {
        Test::Absent => none(entry_test(engine, &Test::Present)),
        Test::NotEqual(operand) => none(entry_test(engine, &Test::equal(operand.clone()))),
        Test::NotLike(pattern) => none(entry_test(engine, &Test::Like(pattern.clone()))),
        positive => some(entry_test(engine, positive)),
    }
}

/// The condition that a value of the listed entity at the path contains the term.
pub(crate) fn xp_contains<L: Listing>(engine: &impl Engine, path: &str, term: &str) -> Expr {
    let is_value = xp_column("kind").ne(constant(KIND_CONTAINER));
    Expr::exists(entries_of_entity::<L>(path, engine.contains(whole_text(), term).and(is_value)))
}

/// Selects the entries of the listed entity at the path that pass the test.
fn entries_of_entity<L: Listing>(path: &str, test: Expr) -> SelectStatement {
    Query::select()
        .expr(constant(1))
        .from_as(L::entries_table(path), XP)
        .and_where(xp_column("owner").equals((TABLE_ALIAS, "uid")))
        .and_where(at(path))
        .and_where(test)
        .take()
}

/// Selects the owners of the entries at the path that pass the positive test. An owner comes once for each such entry.
pub(crate) fn owners<L: Listing>(engine: &impl Engine, path: &str, test: &Test) -> SelectStatement {
    let owners_with = |test| {
        let entries = L::entries_table(path);
        Query::select().column((XP, "owner")).from_as(entries, XP).and_where(at(path)).and_where(test).take()
    };
    let statements = entry_tests(engine, test).into_iter().map(owners_with);
    statements.reduce(|mut all, more| all.union(UnionType::All, more).take()).unwrap_or_default()
}

/// The condition that an entry passes the positive test (docs/ordercloud.md, section 6). An entity passes a negative
/// test if none of its entries passes the positive one.
fn entry_test(engine: &impl Engine, test: &Test) -> Expr {
    any(entry_tests(engine, test).into_iter())
}

/// A positive test of an entry as several conditions of which at most one is true. Each is a range of one index: the
/// index of kinds and texts, of numbers, or of instants.
fn entry_tests(engine: &impl Engine, test: &Test) -> Vec<Expr> {
    match test {
        Test::OneOf(operands) => entry_equals(engine, operands),
        Test::Like(pattern) => of_number_and_text(&entry_like(pattern)),
        Test::Compare(comparison, operand) => entry_compares(*comparison, operand),
        _ => vec![always()],
    }
}

/// The condition that an entry of the kind (number or text) passes the positive test. It names only columns that matter
/// for the kind, so that it is a range of an index if possible.
pub(crate) fn entry_test_of(engine: &impl Engine, kind: i64, test: &Test) -> Expr {
    match test {
        Test::Like(pattern) => entry_like(pattern),
        Test::Compare(comparison, operand) => match (&operand.number, operand.instant) {
            (Some(number), _) if kind == KIND_NUMBER => NUMBER.compares(*comparison, number.as_str()),
            (None, None) => TEXT.compares(*comparison, &operand.text),
            _ => entry_test(engine, test),
        },
        _ => entry_test(engine, test),
    }
}

/// The condition on the text of an entry, which may also be the spelling of a number: one condition for each kind.
fn of_number_and_text(condition: &Expr) -> Vec<Expr> {
    [KIND_NUMBER, KIND_TEXT].map(|kind| is_of(kind).and(condition.clone())).to_vec()
}

/// Compares JSON numbers as numbers and JSON strings as texts, also those that read as numbers.
fn entry_equals(engine: &impl Engine, operands: &[Operand]) -> Vec<Expr> {
    let numbers = operands.iter().filter_map(|operand| operand.number.as_ref()).map(Decimal::as_str);
    let texts = operands.iter().map(|operand| operand.text.as_str());
    let of = |kind, tests: Vec<Expr>| tests.into_iter().map(move |test| is_of(kind).and(test));
    of(KIND_NUMBER, NUMBER.is_one_of(engine, numbers)).chain(of(KIND_TEXT, TEXT.is_one_of(engine, texts))).collect()
}

/// Compares as numbers if both sides read as numbers, else as instants if both read as dates, else as texts.
fn entry_compares(comparison: Comparison, operand: &Operand) -> Vec<Expr> {
    let without = |column| xp_column(column).is_null();
    let as_text = TEXT.compares(comparison, &operand.text);
    match (&operand.number, operand.instant) {
        (Some(number), _) => {
            vec![NUMBER.compares(comparison, number.as_str()), is_of(KIND_TEXT).and(without("number")).and(as_text)]
        }
        (None, Some(instant)) => {
            let as_instant = compare(xp_column("instant"), comparison, Expr::val(instant.as_micros()));
            let others = of_number_and_text(&without("instant").and(as_text));
            std::iter::once(as_instant).chain(others).collect()
        }
        (None, None) => of_number_and_text(&as_text),
    }
}

fn entry_like(pattern: &Pattern) -> Expr {
    like_in_range(xp_column("text"), whole_text(), pattern)
}

/// The condition that `text` matches the pattern. `indexed` is `text` or its first [`TEXT_CHARS`] characters; the
/// condition begins with a range of it, which an index serves.
pub(crate) fn like_in_range(indexed: Expr, text: Expr, pattern: &Pattern) -> Expr {
    let prefix = pattern.0.first().map_or("", String::as_str);
    let matches = like(text, pattern);
    match prefix_range(indexed, split(prefix).0) {
        Some(in_range) => in_range.and(matches),
        None => matches,
    }
}

/// The whole text of an entry.
fn whole_text() -> Expr {
    // Both databases have this operator, and sea-query has no name for it.
    xp_column("text").binary(BinOper::Custom("||"), xp_column("rest"))
}
