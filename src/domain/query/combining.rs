//! Conditions joined by AND and OR, and their negations.
//!
//! A negation matches exactly what the condition does not match, so an absent value passes it: no negation of a test
//! differs from [`Test::NotEqual`] and [`Test::NotLike`]. At an xp path, the negation of a test says that no element
//! passes it.

use super::{Condition, Field, Filter, Test};

impl<F: Clone + PartialEq> Filter<F> {
    /// The filter that matches what the condition matches.
    pub fn matching(condition: Condition<F>) -> Self {
        Self { search: None, conditions: parts(condition) }
    }
}

impl<F: Clone + PartialEq> Condition<F> {
    /// Joins conditions by AND. None of them match everything.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = conditions.into_iter().flat_map(parts).collect();
        if all.contains(&Self::Never) {
            return Self::Never;
        }
        if all.len() == 1 { all.remove(0) } else { Self::All(all) }
    }

    /// Joins conditions by OR. None of them match nothing. The tests of one field become one condition, so that the
    /// store looks up all its values in one index.
    pub fn any_of(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut any: Vec<Self> = Vec::new();
        for condition in conditions.into_iter().flat_map(alternatives) {
            match condition {
                Self::All(none) if none.is_empty() => return Self::All(none),
                Self::Any(field, tests) => join(&mut any, field, tests),
                Self::Never => {}
                other => any.push(other),
            }
        }
        match any.len() {
            0 => Self::Never,
            1 => any.remove(0),
            _ => Self::AnyOf(any),
        }
    }

    /// The negation. It is pushed down to the tests, because an index serves most tests and few negations.
    pub fn negated(self) -> Self {
        match self {
            Self::Never => Self::All(Vec::new()),
            Self::Not(condition) => *condition,
            Self::All(conditions) => Self::any_of(conditions.into_iter().map(Self::negated)),
            Self::AnyOf(conditions) => Self::all(conditions.into_iter().map(Self::negated)),
            Self::Any(field, tests) => Self::all(tests.into_iter().map(|test| negated_test(&field, test))),
            Self::Roles(alternatives) => {
                Self::all(alternatives.into_iter().map(|(roles, includes)| Self::Roles(vec![(roles, !includes)])))
            }
            other => Self::Not(Box::new(other)),
        }
    }
}

/// The conditions whose conjunction the condition is.
fn parts<F>(condition: Condition<F>) -> Vec<Condition<F>> {
    match condition {
        Condition::All(conditions) => conditions,
        other => vec![other],
    }
}

/// The conditions whose disjunction the condition is.
fn alternatives<F>(condition: Condition<F>) -> Vec<Condition<F>> {
    match condition {
        Condition::AnyOf(conditions) => conditions,
        other => vec![other],
    }
}

/// Adds tests of a field to a disjunction.
fn join<F: PartialEq>(any: &mut Vec<Condition<F>>, field: Field<F>, tests: Vec<Test>) {
    let of_field = any.iter_mut().find(|condition| matches!(condition, Condition::Any(other, _) if *other == field));
    match of_field {
        Some(Condition::Any(_, others)) => {
            let all = others.drain(..).chain(tests).collect();
            *others = Test::joined(all);
        }
        _ => any.push(Condition::any(field, tests)),
    }
}

/// The negation of a test of the field.
fn negated_test<F: Clone>(field: &Field<F>, test: Test) -> Condition<F> {
    let tests = match (test, field) {
        (Test::Present, _) => vec![Test::Absent],
        (Test::Absent, _) => vec![Test::Present],
        (Test::NotEqual(operand), _) => vec![Test::equal(operand)],
        (Test::NotLike(pattern), _) => vec![Test::Like(pattern)],
        (Test::Like(pattern), _) => vec![Test::NotLike(pattern)],
        (Test::OneOf(mut operands), _) if operands.len() == 1 => operands.drain(..).map(Test::NotEqual).collect(),
        (Test::Compare(comparison, operand), Field::Own(_)) => {
            vec![Test::Absent, Test::Compare(comparison.opposite(), operand)]
        }
        // At an xp path, an element that fails a comparison need not pass the opposite one, and others may.
        (test, _) => return Condition::Not(Box::new(Condition::Any(field.clone(), vec![test]))),
    };
    Condition::Any(field.clone(), tests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::{Comparison, Operand, Pattern, UserField};
    use crate::domain::role::Roles;

    fn operand(text: &str) -> Operand {
        Operand { text: text.to_owned(), number: None, instant: None, boolean: None }
    }

    fn equal(field: UserField, text: &str) -> Condition<UserField> {
        Condition::Any(Field::Own(field), vec![Test::equal(operand(text))])
    }

    fn email(tests: Vec<Test>) -> Condition<UserField> {
        Condition::Any(Field::Own(UserField::Email), tests)
    }

    #[test]
    fn conditions_of_one_kind_are_flat() {
        let [a, b] = ["a", "b"].map(|text| equal(UserField::Email, text));
        let c = equal(UserField::Username, "c");
        let nested = Condition::all([Condition::all([a.clone(), b.clone()]), c.clone()]);
        assert_eq!(nested, Condition::All(vec![a.clone(), b.clone(), c.clone()]));
        assert_eq!(Filter::matching(nested).conditions, [a.clone(), b.clone(), c.clone()]);
        assert_eq!(Filter::matching(a.clone()).conditions, vec![a.clone()]);
        let both = email(vec![Test::OneOf(vec![operand("a"), operand("b")])]);
        assert_eq!(Condition::any_of([Condition::any_of([a.clone(), c.clone()]), b]), Condition::AnyOf(vec![both, c]));
        assert_eq!(Condition::all([a.clone()]), a);
        assert_eq!(Condition::any_of([a.clone()]), a);
    }

    #[test]
    fn constants_vanish() {
        let (a, never) = (equal(UserField::Email, "a"), Condition::Never);
        let always = || Condition::<UserField>::all([]);
        assert_eq!(Condition::<UserField>::any_of([]), never);
        assert_eq!(never.clone().negated(), always());
        assert_eq!(always().negated(), never);
        assert_eq!(Condition::all([a.clone(), always()]), a);
        assert_eq!(Condition::all([a.clone(), Condition::Never]), never);
        assert_eq!(Condition::any_of([a.clone(), Condition::Never]), a);
        assert_eq!(Condition::any_of([a, always()]), always());
        assert_eq!(Filter::matching(always()), Filter::default());
    }

    #[test]
    fn negations_are_pushed_to_the_tests() {
        let pattern = Pattern(vec!["a".to_owned(), String::new()]);
        let pairs = [
            (Test::Present, Test::Absent),
            (Test::equal(operand("a")), Test::NotEqual(operand("a"))),
            (Test::Like(pattern.clone()), Test::NotLike(pattern)),
        ];
        for (test, negation) in pairs {
            assert_eq!(email(vec![test.clone()]).negated(), email(vec![negation.clone()]));
            assert_eq!(email(vec![negation]).negated(), email(vec![test]));
        }
        let below = Test::Compare(Comparison::Less, operand("a"));
        let not_below = vec![Test::Absent, Test::Compare(Comparison::GreaterOrEqual, operand("a"))];
        assert_eq!(email(vec![below.clone()]).negated(), email(not_below));
        let either = Condition::AnyOf(vec![equal(UserField::Email, "a"), Condition::Membership(7)]);
        let not = |condition| Condition::Not(Box::new(condition));
        let neither =
            Condition::All(vec![email(vec![Test::NotEqual(operand("a"))]), not(Condition::<UserField>::Membership(7))]);
        assert_eq!(either.clone().negated(), neither);
        assert_eq!(neither.negated(), either);
        let of_xp = Condition::<UserField>::Any(Field::Xp("a".to_owned()), vec![below]);
        assert_eq!(of_xp.clone().negated(), not(of_xp));
        let roles = |includes| Condition::<UserField>::Roles(vec![(Roles::USER_READER, includes)]);
        assert_eq!(roles(true).negated(), roles(false));
    }
}
