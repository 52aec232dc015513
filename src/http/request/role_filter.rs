//! Filters by the names of a user's roles.

use crate::domain::query::{Condition, Test};
use crate::domain::role::Roles;
use crate::domain::text::fold;

/// The condition of tests of role names; `None` if there are none.
pub(crate) fn roles_condition<F>(tests: &[Test]) -> Option<Condition<F>> {
    let mut alternatives = Vec::new();
    for pair in tests.iter().map(role_test) {
        // The number of roles bounds the number of distinct pairs, so this search is cheap for any number of tests.
        if !alternatives.contains(&pair) {
            alternatives.push(pair);
        }
    }
    (!alternatives.is_empty()).then_some(Condition::Roles(alternatives))
}

/// Converts a test of role names to a pair of [`Condition::Roles`]. As for an array in xp, a positive test passes if
/// any role matches, a negative one if no role matches.
fn role_test(test: &Test) -> (Roles, bool) {
    let matching = |holds: &dyn Fn(&str) -> bool| {
        let roles = Roles::NAMES.into_iter().filter(|(_, name)| holds(&fold(name)));
        roles.fold(Roles::NONE, |all, (role, _)| all.with(role))
    };
    match test {
        Test::Present => (Roles::NONE, false),
        Test::Absent => (Roles::NONE, true),
        Test::OneOf(operands) => (matching(&|name| operands.iter().any(|operand| name == operand.text)), true),
        Test::NotEqual(operand) => (matching(&|name| name == operand.text), false),
        Test::Like(pattern) => (matching(&|name| pattern.matches(name)), true),
        Test::NotLike(pattern) => (matching(&|name| pattern.matches(name)), false),
        Test::Compare(comparison, operand) => (matching(&|name| comparison.holds(name.cmp(&operand.text))), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::UserField;
    use crate::http::request::filter::{self, Type};

    #[test]
    fn role_filters_are_compared_with_the_names_of_roles() {
        let roles = |value| match roles_condition::<UserField>(&filter::tests(value, Type::Text).unwrap()) {
            Some(Condition::Roles(pairs)) => pairs,
            other => panic!("{value}: {other:?}"),
        };
        let users = Roles::USER_ADMIN.with(Roles::USER_READER);
        assert_eq!(roles("fullaccess"), [(Roles::FULL_ACCESS, true)]);
        assert_eq!(roles("!FullAccess|Nothing"), [(Roles::FULL_ACCESS, false), (Roles::NONE, true)]);
        assert_eq!(roles("AdminUser*"), [(users.with(Roles::GROUP_ADMIN).with(Roles::GROUP_READER), true)]);
        assert_eq!(roles("!*reader"), [(Roles::GROUP_READER.with(Roles::USER_READER), false)]);
        assert_eq!(roles("*|!*"), [(Roles::NONE, false), (Roles::NONE, true)]);
        assert_eq!(roles(">AdminUserReader"), [(Roles::FULL_ACCESS.with(Roles::AUDITOR), true)]);
    }
}
