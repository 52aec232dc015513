//! Filters: searches, conditions and their tests. The same filter selects the rows and counts them.

use std::cmp::Ordering;

use crate::domain::community::Visibility;
use crate::domain::decimal::Decimal;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;

use super::fields::Field;

/// A filter, which matches what the search and every condition match.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<F> {
    /// The search, if there is one.
    pub search: Option<Search<F>>,
    /// The conditions, joined by AND.
    pub conditions: Vec<Condition<F>>,
}

impl<F> Filter<F> {
    /// The filter for a caller who may see these groups and communities alone.
    pub fn limited_to(mut self, visibility: &Visibility) -> Self {
        self.conditions.iter_mut().for_each(|condition| condition.limit_to(visibility));
        self
    }
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self { search: None, conditions: Vec::new() }
    }
}

/// A search, which matches what has the term as a substring of at least one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Search<F> {
    /// The term, after case folding; not empty.
    pub term: String,
    /// The fields to search.
    pub fields: Vec<Field<F>>,
}

/// A condition: tests, of which at least one must be passed, or conditions joined to one.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<F> {
    /// Tests of one field, joined by OR; at least one.
    Any(Field<F>, Vec<Test>),
    /// Tests of the user's roles, joined by OR: the user has at least one of the roles (`true`) or none of them
    /// (`false`).
    Roles(Vec<(Roles, bool)>),
    /// Tests of the entity's communities, joined by OR; at least one. Only the communities that the caller may see
    /// count, which the service sets. A positive test passes if one community passes, a negative one if none does.
    Communities(Vec<Test>, Visibility),
    /// The group has the live user with this number as a member, or the user is a member of the live group with it.
    Membership(i64),
    /// The user is in no live group that the caller may see. The service sets which these are.
    WithoutGroups(Visibility),
    /// A condition that matches nothing.
    Never,
    /// All of the conditions match; every entity does if there are none. Made by [`Condition::all`].
    All(Vec<Self>),
    /// At least one of the conditions matches; at least two. Made by [`Condition::any_of`].
    AnyOf(Vec<Self>),
    /// The condition does not match. Made by [`Condition::negated`], for conditions without a negation of their own.
    Not(Box<Self>),
}

impl<F> Condition<F> {
    /// Joins tests of one field by OR. The tests of equality become one, so that the store looks up all their values in
    /// one index.
    pub fn any(field: Field<F>, tests: Vec<Test>) -> Self {
        Self::Any(field, Test::joined(tests))
    }

    /// The field's value is a time after the moment.
    pub fn after(field: Field<F>, moment: Timestamp) -> Self {
        let operand = Operand { text: String::new(), number: None, instant: Some(moment), boolean: None };
        Self::Any(field, vec![Test::Compare(Comparison::Greater, operand)])
    }

    /// Tests of the entity's communities, joined as those of a field are.
    pub fn communities(tests: Vec<Test>) -> Self {
        Self::Communities(Test::joined(tests), Visibility::All)
    }

    /// The maximum number of tests that the store evaluates, a measure of the cost. The values of one test count as
    /// one.
    pub fn tests(&self) -> usize {
        match self {
            Self::Any(_, tests) | Self::Communities(tests, _) => tests.len(),
            Self::Roles(alternatives) => alternatives.len(),
            Self::Membership(_) | Self::WithoutGroups(_) | Self::Never => 1,
            Self::All(conditions) | Self::AnyOf(conditions) => conditions.iter().map(Self::tests).sum(),
            Self::Not(condition) => condition.tests(),
        }
    }

    /// Sets the groups and communities that the caller may see.
    fn limit_to(&mut self, visibility: &Visibility) {
        match self {
            Self::Communities(_, seen) | Self::WithoutGroups(seen) => seen.clone_from(visibility),
            Self::All(conditions) | Self::AnyOf(conditions) => {
                conditions.iter_mut().for_each(|condition| condition.limit_to(visibility));
            }
            Self::Not(condition) => condition.limit_to(visibility),
            Self::Any(..) | Self::Roles(_) | Self::Membership(_) | Self::Never => {}
        }
    }
}

/// A test of a field's value. A null counts as absent, and an absent value passes only the negative tests. An object at
/// an xp path, or an array whose elements are all null, is present but equal to nothing: it passes `Present`,
/// `NotEqual` and `NotLike` only.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The value is present.
    Present,
    /// The value is absent.
    Absent,
    /// Equal to at least one of these operands; at least one.
    OneOf(Vec<Operand>),
    /// Not equal, or absent. At an xp path: no element is equal.
    NotEqual(Operand),
    /// The text matches the pattern.
    Like(Pattern),
    /// The text does not match the pattern, or is absent. At an xp path: no element matches.
    NotLike(Pattern),
    /// The value is in this relation to the operand.
    Compare(Comparison, Operand),
}

impl Test {
    /// The test for equality with one operand.
    pub fn equal(operand: Operand) -> Self {
        Self::OneOf(vec![operand])
    }

    /// Tests joined by OR, with those of equality as one.
    pub(super) fn joined(tests: Vec<Self>) -> Vec<Self> {
        let (mut values, mut all) = (Vec::new(), Vec::new());
        for test in tests {
            match test {
                Self::OneOf(operands) => values.extend(operands),
                other => all.push(other),
            }
        }
        if !values.is_empty() {
            all.push(Self::OneOf(values));
        }
        all
    }

    /// Whether a value must pass; if not, the test is the negation of another one.
    pub fn is_positive(&self) -> bool {
        !matches!(self, Self::Absent | Self::NotEqual(_) | Self::NotLike(_))
    }
}

/// An order relation between a value and an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The relation that holds where this one does not.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether the relation holds for a value whose order relative to the operand is `ordering`.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// The operand of a test, in every type as which it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// The text, after case folding.
    pub text: String,
    /// The text as a number.
    pub number: Option<Decimal>,
    /// The text as an instant.
    pub instant: Option<Timestamp>,
    /// The text as a boolean: `true` or `false` in any case. For boolean properties only.
    pub boolean: Option<bool>,
}

/// A pattern with wildcards: the case-folded texts between the stars, at least two. `a*b` is `["a", "b"]`, `*a*` is
/// `["", "a", ""]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<String>);

impl Pattern {
    /// Whether the whole text, which must be case-folded, matches the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else { return false };
        let inner = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(inner) = inner else { return false };
        between.iter().try_fold(inner, |rest, run| Some(rest.split_once(run.as_str())?.1)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        let matches =
            |pattern: &str, text: &str| Pattern(pattern.split('*').map(str::to_owned).collect()).matches(text);
        let matching =
            [("a*", "a"), ("a*", "ab"), ("*a", "ba"), ("a*a", "aa"), ("*b*", "abc"), ("a*b*c", "abbc"), ("*", "")];
        for (pattern, text) in matching {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*", "ba"), ("a*a", "a"), ("*b*", "ac"), ("a*b*b", "ab"), ("*ab*ba*", "aba")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
