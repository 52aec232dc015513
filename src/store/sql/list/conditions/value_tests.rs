//! The tests of a filter as conditions on one value: a column of the entity, or of a row related to it.

use sea_query::{Expr, ExprTrait as _};

use crate::domain::query::{Operand, Test};
use crate::domain::time::Timestamp;
use crate::store::sql::tables::ColumnKind;

use super::xp_entries::like_in_range;
use crate::store::sql::list::engine::{Engine, Values};
use crate::store::sql::list::expressions::{compare, like};

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
