//! The filter language: the value of a filter in a list's URL (docs/ordercloud.md, section 6). All APIs share it.
//!
//! A value consists of alternatives, separated by `|`. An alternative is an operator and an operand: any number of `!`
//! and `=`, an optional `<` or `>` with an optional `=`, then the operand, in which `*` matches any run of characters.
//! A backslash escapes the next character.

use crate::domain::decimal::Decimal;
use crate::domain::query::{Comparison, Operand, Pattern, Test};
use crate::domain::text::fold;
use crate::domain::xp::parse_instant;

/// The type of a property's values, which an operand must have too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Text, or any value inside xp.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A 64-bit integer.
    Integer,
    /// A date or a time.
    Instant,
}

/// The error for an operand or operator that does not fit the property's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

/// The tests of a filter's value; an entity passes if it passes one of them. Empty if all alternatives are empty. Fails
/// if an alternative does not fit the type.
pub(crate) fn tests(value: &str, of: Type) -> Result<Vec<Test>, WrongType> {
    let symbols = symbols(value);
    symbols.split(|symbol| symbol.is('|')).filter_map(alternative).map(|own| own.test(of)).collect()
}

/// Whether one of the alternatives of the value is empty, which [`tests`] drops.
pub(crate) fn has_empty_alternative(value: &str) -> bool {
    symbols(value).split(|symbol| symbol.is('|')).any(|own| alternative(own).is_none())
}

/// A character of a value, and whether a backslash escapes it.
#[derive(Clone, Copy)]
struct Symbol {
    character: char,
    escaped: bool,
}

impl Symbol {
    /// Whether this is the operator and not escaped.
    fn is(self, operator: char) -> bool {
        self.character == operator && !self.escaped
    }
}

/// The characters of a value with escapes resolved.
fn symbols(value: &str) -> Vec<Symbol> {
    let mut characters = value.chars();
    let mut symbols = Vec::with_capacity(value.len());
    while let Some(character) = characters.next() {
        symbols.push(match character {
            '\\' => Symbol { character: characters.next().unwrap_or('\\'), escaped: true },
            _ => Symbol { character, escaped: false },
        });
    }
    symbols
}

/// An alternative with its operators parsed. The operand is not parsed yet, and never empty.
struct Alternative<'a> {
    negated: bool,
    comparison: Option<Comparison>,
    operand: &'a [Symbol],
}

/// Parses one alternative; `None` if it has no operand.
fn alternative(symbols: &[Symbol]) -> Option<Alternative<'_>> {
    let (mut operand, mut negated, mut or_equal) = (symbols, false, false);
    while let [first, rest @ ..] = operand
        && (first.is('!') || first.is('='))
    {
        negated ^= first.is('!');
        or_equal = first.is('=');
        operand = rest;
    }
    let mut comparison = None;
    if let [first, rest @ ..] = operand
        && (first.is('<') || first.is('>'))
    {
        let equal_follows = rest.first().is_some_and(|next| next.is('='));
        comparison = Some(comparison_of(first.is('<'), or_equal || equal_follows));
        operand = &rest[usize::from(equal_follows)..];
    }
    (!operand.is_empty()).then_some(Alternative { negated, comparison, operand })
}

fn comparison_of(less: bool, or_equal: bool) -> Comparison {
    match (less, or_equal) {
        (true, false) => Comparison::Less,
        (true, true) => Comparison::LessOrEqual,
        (false, false) => Comparison::Greater,
        (false, true) => Comparison::GreaterOrEqual,
    }
}

impl Alternative<'_> {
    /// The test that the alternative means for a property of this type.
    fn test(self, of: Type) -> Result<Test, WrongType> {
        if let Some(comparison) = self.comparison {
            let comparison = if self.negated { comparison.opposite() } else { comparison };
            return match of {
                Type::Boolean => Err(WrongType),
                _ => Ok(Test::Compare(comparison, operand(self.operand, of)?)),
            };
        }
        let runs = runs(self.operand);
        let presence = runs.iter().all(String::is_empty);
        Ok(match (runs.len() > 1, self.negated) {
            (true, false) if presence => Test::Present,
            (true, true) if presence => Test::Absent,
            (true, _) if of != Type::Text => return Err(WrongType),
            (true, false) => Test::Like(Pattern(runs)),
            (true, true) => Test::NotLike(Pattern(runs)),
            (false, false) => Test::equal(operand(self.operand, of)?),
            (false, true) => Test::NotEqual(operand(self.operand, of)?),
        })
    }
}

/// The folded runs between stars; adjacent stars count as one.
fn runs(operand: &[Symbol]) -> Vec<String> {
    let mut runs: Vec<String> = operand.split(|symbol| symbol.is('*')).map(|run| fold(&text(run))).collect();
    let last = runs.len() - 1;
    let mut index = 0..=last;
    runs.retain(|run| index.next().is_some_and(|index| index == 0 || index == last) || !run.is_empty());
    runs
}

/// The characters as text.
fn text(symbols: &[Symbol]) -> String {
    symbols.iter().map(|symbol| symbol.character).collect()
}

/// Parses an operand. Fails if the type does not allow it.
fn operand(symbols: &[Symbol], of: Type) -> Result<Operand, WrongType> {
    operand_of(&text(symbols), of)
}

/// The operand that the text is, without a special meaning of any character. Fails if the type does not allow it.
pub(crate) fn operand_of(spelled: &str, of: Type) -> Result<Operand, WrongType> {
    let text = fold(spelled);
    let boolean = match text.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let operand = Operand { number: Decimal::parse(spelled), instant: parse_instant(spelled), boolean, text };
    let fits = match of {
        Type::Text => true,
        Type::Boolean => operand.boolean.is_some(),
        Type::Integer => spelled.parse::<i64>().is_ok(),
        Type::Instant => operand.instant.is_some(),
    };
    if fits { Ok(operand) } else { Err(WrongType) }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    use crate::domain::time::Timestamp;

    fn of_text(text: &str) -> Operand {
        operand(&symbols(&escaped(text)), Type::Text).unwrap()
    }

    fn equal(text: &str) -> Test {
        Test::equal(of_text(text))
    }

    fn not_equal(text: &str) -> Test {
        Test::NotEqual(of_text(text))
    }

    fn compare(comparison: Comparison, text: &str) -> Test {
        Test::Compare(comparison, of_text(text))
    }

    fn pattern(runs: &[&str]) -> Pattern {
        Pattern(runs.iter().map(|run| (*run).to_owned()).collect())
    }

    fn escaped(text: &str) -> String {
        text.chars().flat_map(|character| ['\\', character]).collect()
    }

    #[test]
    fn every_row_of_the_operator_table() {
        use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let rows = [
            ("x", equal("x")),
            ("Straße", equal("STRASSE")),
            ("!x", not_equal("x")),
            (">x", compare(Greater, "x")),
            ("<x", compare(Less, "x")),
            (">=x", compare(GreaterOrEqual, "x")),
            ("<=x", compare(LessOrEqual, "x")),
            ("=>x", compare(GreaterOrEqual, "x")),
            ("=<x", compare(LessOrEqual, "x")),
            ("!<x", compare(GreaterOrEqual, "x")),
            ("!>x", compare(LessOrEqual, "x")),
            ("!>=x", compare(Less, "x")),
            ("!<=x", compare(Greater, "x")),
            ("!!x", equal("x")),
            ("!!!x", not_equal("x")),
            ("!!>x", compare(Greater, "x")),
            ("!=x", not_equal("x")),
            ("=x", equal("x")),
            ("==x", equal("x")),
            ("=!x", not_equal("x")),
            ("X*", Test::Like(pattern(&["x", ""]))),
            ("*x", Test::Like(pattern(&["", "x"]))),
            ("*x*", Test::Like(pattern(&["", "x", ""]))),
            ("a*b", Test::Like(pattern(&["a", "b"]))),
            ("a**b***", Test::Like(pattern(&["a", "b", ""]))),
            ("!x*", Test::NotLike(pattern(&["x", ""]))),
            ("*", Test::Present),
            ("**", Test::Present),
            ("!*", Test::Absent),
            ("!!*", Test::Present),
            (r"\*", equal("*")),
            (r"\!x", equal("!x")),
            (r"a\|b", equal("a|b")),
            (r"\\", equal("\\")),
            (r"\>5", equal(">5")),
            (r"!\=x", not_equal("=x")),
            (r"a\*b*", Test::Like(pattern(&["a*b", ""]))),
            (r"a\", equal("a\\")),
            ("a!b", equal("a!b")),
            (">!x", compare(Greater, "!x")),
            (">a*", compare(Greater, "a*")),
            (" x", equal(" x")),
        ];
        for (value, test) in rows {
            assert_eq!(super::tests(value, Type::Text), Ok(vec![test]), "{value}");
        }
    }

    #[test]
    fn alternatives_have_operators_of_their_own_and_empty_ones_are_dropped() {
        assert_eq!(super::tests("!a|b", Type::Text), Ok(vec![not_equal("a"), equal("b")]));
        assert_eq!(super::tests("a||!|>|b|", Type::Text), Ok(vec![equal("a"), equal("b")]));
        for empty in ["", "|", "!", "!|=", ">=", "<"] {
            assert_eq!(super::tests(empty, Type::Text), Ok(vec![]), "{empty}");
            assert!(has_empty_alternative(empty), "{empty}");
        }
        assert!(has_empty_alternative("a||b") && has_empty_alternative("a|!"));
        assert!(!has_empty_alternative(r"a|!b|\|") && !has_empty_alternative("*"));
    }

    #[test]
    fn operands_are_read_in_every_type() {
        let number = of_text("5.0");
        assert_eq!((number.number, number.boolean), (Decimal::parse("5"), None));
        assert_eq!(of_text("TRUE").boolean, Some(true));
        let instant = Timestamp::parse_iso("2015-01-01T00:00:00+05:30");
        assert!(instant.is_some());
        assert_eq!(of_text("2015-01-01T00:00:00+05:30").instant, instant);
    }

    #[test]
    fn typed_properties_take_values_of_their_type() {
        let accepted = [
            (Type::Boolean, "True|!false|*|!*|"),
            (Type::Integer, ">0|!<-3|5|!*"),
            (Type::Instant, ">2015-01-01|<=2015-01-01T00:00:00Z|*"),
        ];
        for (of, value) in accepted {
            assert!(super::tests(value, of).is_ok(), "{of:?} {value}");
        }
        let refused = [
            (Type::Boolean, "yes"),
            (Type::Boolean, ">false"),
            (Type::Boolean, "t*"),
            (Type::Boolean, r"\*"),
            (Type::Integer, "1.5"),
            (Type::Integer, "1|x"),
            (Type::Integer, "1*"),
            (Type::Instant, "yesterday"),
            (Type::Instant, "2015*"),
            (Type::Instant, ">*"),
        ];
        for (of, value) in refused {
            assert_eq!(super::tests(value, of), Err(WrongType), "{of:?} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(value in r"([!<>=*|\\]|\PC){0,40}") {
            for of in [Type::Text, Type::Boolean, Type::Integer, Type::Instant] {
                for test in super::tests(&value, of).unwrap_or_default() {
                    if let Test::Like(Pattern(runs)) | Test::NotLike(Pattern(runs)) = test {
                        prop_assert!(runs.len() > 1);
                        prop_assert!(runs[1..runs.len() - 1].iter().all(|run| !run.is_empty()));
                        prop_assert!(runs.iter().any(|run| !run.is_empty()));
                    }
                }
            }
        }

        #[test]
        fn escaped_text_means_itself(text in r"([!<>=*|\\]|\PC){1,40}") {
            prop_assert_eq!(super::tests(&escaped(&text), Type::Text), Ok(vec![equal(&text)]));
            prop_assert_eq!(super::tests(&format!("!{}", escaped(&text)), Type::Text), Ok(vec![not_equal(&text)]));
        }
    }
}
