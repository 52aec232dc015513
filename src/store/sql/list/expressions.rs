//! The expressions that all statements of lists are made of.

use sea_query::{Expr, ExprTrait as _, LikeExpr};

use crate::domain::query::{Comparison, Pattern};
use crate::store::sql::tables::TABLE_ALIAS;

/// The name of the only column of every candidate set: the `uid` of an entity. It is also the name of that column in
/// the tables of derived rows.
pub(crate) const OWNER: &str = "owner";

/// A number that is part of the statement's text, not a parameter. The planner can use a partial index only if it
/// knows the numbers in the index's condition.
pub(crate) fn constant(number: i64) -> Expr {
    Expr::Constant(number.into())
}

/// The condition that is always true.
pub(crate) fn always() -> Expr {
    constant(1).eq(constant(1))
}

/// The condition that is never true.
pub(crate) fn never() -> Expr {
    constant(1).eq(constant(0))
}

/// The condition that at least one of the conditions is true.
pub(crate) fn any(conditions: impl Iterator<Item = Expr>) -> Expr {
    conditions.reduce(|a, b| a.or(b)).unwrap_or_else(never)
}

/// A column of the listed entity.
pub(crate) fn own(name: &'static str) -> Expr {
    Expr::col((TABLE_ALIAS, name))
}

/// The condition that the listed entity is live.
pub(crate) fn live() -> Expr {
    own("deleted").is_null()
}

/// The condition that the value compares to the operand like this.
pub(crate) fn compare(value: Expr, comparison: Comparison, operand: Expr) -> Expr {
    match comparison {
        Comparison::Less => value.lt(operand),
        Comparison::LessOrEqual => value.lte(operand),
        Comparison::Greater => value.gt(operand),
        Comparison::GreaterOrEqual => value.gte(operand),
    }
}

/// The condition that the text matches the pattern.
pub(crate) fn like(text: Expr, pattern: &Pattern) -> Expr {
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

/// The condition that the text starts with the prefix, as a range that an index serves. `None` for an empty prefix.
pub(crate) fn prefix_range(text: Expr, prefix: &str) -> Option<Expr> {
    let end = prefix_successor(prefix)?;
    Some(text.clone().gte(prefix).and(text.lt(end)))
}

/// The least text that is greater than every text with the prefix, in the order of code points. `None` if there is none.
fn prefix_successor(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // A range of characters skips the surrogates. The highest code point has no successor.
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
        assert_eq!(prefix_successor("ab").as_deref(), Some("ac"));
        assert_eq!(prefix_successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(prefix_successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(prefix_successor("\u{10ffff}"), None);
        assert_eq!(prefix_successor(""), None);
    }
}
