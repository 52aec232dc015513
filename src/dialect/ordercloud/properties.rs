//! The properties of groups and users as lists know them: what may be filtered, searched and sorted by, and how a
//! filter on each becomes a condition of the domain (docs/ordercloud.md, sections 2, 3 and 6).

use crate::domain::error::{Error, ListError, Result};
use crate::domain::query::{Condition, Field, GroupField, Test, UserField};
use crate::domain::role::Roles;
use crate::domain::text::fold;

use super::filter::{self, Type};

/// Where a property's values are.
#[derive(Clone, Copy, Debug)]
enum Values<F> {
    Stored(F, Type),
    /// Nowhere: always null.
    Null,
    /// The names of a user's roles.
    Roles,
}

/// A property of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Property<F> {
    name: &'static str,
    values: Values<F>,
    searchable: bool,
    sortable: bool,
}

impl<F: Copy> Property<F> {
    const fn new(name: &'static str, values: Values<F>) -> Self {
        Self { name, values, searchable: false, sortable: false }
    }

    const fn of(name: &'static str, field: F, of: Type) -> Self {
        Self::new(name, Values::Stored(field, of))
    }

    const fn searchable(self) -> Self {
        Self { searchable: true, ..self }
    }

    const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }
}

/// A kind of thing that lists ask for.
pub(super) trait Model: Copy + PartialEq + 'static {
    /// Its name in errors.
    const NAME: &'static str;
    /// Its properties but for xp.
    const PROPERTIES: &'static [Property<Self>];
}

impl Model for GroupField {
    const NAME: &'static str = "UserGroup";
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::of("ID", Self::Id, Type::Text).searchable().sortable(),
        Property::of("Name", Self::Name, Type::Text).searchable().sortable(),
        Property::of("Description", Self::Description, Type::Text).searchable(),
    ];
}

impl Model for UserField {
    const NAME: &'static str = "User";
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::of("ID", Self::Id, Type::Text).searchable().sortable(),
        Property::new("CompanyID", Values::Null),
        Property::of("Username", Self::Username, Type::Text).searchable().sortable(),
        Property::of("FirstName", Self::FirstName, Type::Text).searchable().sortable(),
        Property::of("LastName", Self::LastName, Type::Text).searchable().sortable(),
        Property::of("Email", Self::Email, Type::Text).searchable().sortable(),
        Property::of("Phone", Self::Phone, Type::Text),
        Property::of("TermsAccepted", Self::TermsAccepted, Type::Instant),
        Property::of("Active", Self::Active, Type::Boolean),
        Property::new("AvailableRoles", Values::Roles),
        Property::new("Locale", Values::Null),
        Property::of("DateCreated", Self::Created, Type::Instant).sortable(),
        Property::of("LastActive", Self::LastActive, Type::Instant).sortable(),
        Property::of("PasswordLastSetDate", Self::PasswordSet, Type::Instant).sortable(),
        Property::of("FailedLoginAttempts", Self::FailedAttempts, Type::Integer),
    ];
}

/// What a name in a list's parameters names.
enum Named<F: 'static> {
    Own(&'static Property<F>),
    /// What stands at this path inside xp.
    Xp(String),
    Nothing,
}

/// Names of properties match without regard to case, the path inside xp does not.
fn named<F: Model>(name: &str) -> Named<F> {
    match name.split_once('.') {
        Some((xp, path)) if xp.eq_ignore_ascii_case("xp") && !path.is_empty() => Named::Xp(path.to_owned()),
        _ => {
            let own = F::PROPERTIES.iter().find(|property| property.name.eq_ignore_ascii_case(name));
            own.map_or(Named::Nothing, Named::Own)
        }
    }
}

fn qualified<F: Model>(name: &str) -> String {
    format!("{}.{name}", F::NAME)
}

fn unknown<F: Model>(name: &str) -> Error {
    Error::List(ListError::Property(qualified::<F>(name)))
}

/// The fields searched where nothing else is asked.
pub(super) fn default_search<F: Model>() -> Vec<Field<F>> {
    let searchable = F::PROPERTIES.iter().filter(|property| property.searchable);
    searchable.filter_map(stored).collect()
}

/// The field that a name in `searchOn` asks for.
pub(super) fn searched<F: Model>(name: &str) -> Result<Field<F>> {
    let own = match named(name) {
        Named::Xp(path) => Some(Field::Xp(path)),
        Named::Own(property) if property.searchable => stored(property),
        Named::Own(_) | Named::Nothing => None,
    };
    own.ok_or_else(|| Error::List(ListError::SearchProperty(qualified::<F>(name))))
}

/// The field that a name in `sortBy` asks for.
pub(super) fn sorted<F: Model>(name: &str) -> Result<Field<F>> {
    match named(name) {
        Named::Xp(path) => Ok(Field::Xp(path)),
        Named::Own(property) => {
            let own = stored(property).filter(|_| property.sortable);
            own.ok_or_else(|| Error::List(ListError::SortProperty(qualified::<F>(property.name))))
        }
        Named::Nothing => Err(unknown::<F>(name)),
    }
}

fn stored<F: Model>(property: &Property<F>) -> Option<Field<F>> {
    match property.values {
        Values::Stored(field, _) => Some(Field::Own(field)),
        Values::Null | Values::Roles => None,
    }
}

/// The condition that the filter `name=value` asks for; `None` where it lets everything through.
pub(super) fn condition<F: Model>(name: &str, value: &str) -> Result<Option<Condition<F>>> {
    let wrong_type = |filter::WrongType| Error::List(ListError::Type(qualified::<F>(name)));
    let tests = |of| filter::tests(value, of).map_err(wrong_type);
    Ok(match named(name) {
        Named::Nothing => return Err(unknown::<F>(name)),
        Named::Xp(path) => any(Field::Xp(path), tests(Type::Text)?),
        Named::Own(property) => match property.values {
            Values::Stored(field, of) => any(Field::Own(field), tests(of)?),
            Values::Null => of_null(&tests(Type::Text)?),
            Values::Roles => of_roles(&tests(Type::Text)?),
        },
    })
}

fn any<F>(field: Field<F>, tests: Vec<Test>) -> Option<Condition<F>> {
    (!tests.is_empty()).then_some(Condition::Any(field, tests))
}

fn of_null<F>(tests: &[Test]) -> Option<Condition<F>> {
    let passes = tests.is_empty() || tests.iter().any(passes_null);
    (!passes).then_some(Condition::Never)
}

fn of_roles<F>(tests: &[Test]) -> Option<Condition<F>> {
    (!tests.is_empty()).then(|| Condition::Roles(tests.iter().map(roles).collect()))
}

fn passes_null(test: &Test) -> bool {
    matches!(test, Test::Absent | Test::NotEqual(_) | Test::NotLike(_))
}

/// A test of role names as the pair that [`Condition::Roles`] holds: like an array in xp, a positive test asks for
/// any role, a negative one for none.
fn roles(test: &Test) -> (Roles, bool) {
    let those = |holds: &dyn Fn(&str) -> bool| {
        let passing = Roles::NAMES.into_iter().filter(|(_, name)| holds(&fold(name)));
        passing.fold(Roles::NONE, |all, (role, _)| all.with(role))
    };
    match test {
        Test::Present => (Roles::NONE, false),
        Test::Absent => (Roles::NONE, true),
        Test::Equal(operand) => (those(&|name| name == operand.text), true),
        Test::NotEqual(operand) => (those(&|name| name == operand.text), false),
        Test::Like(pattern) => (those(&|name| pattern.matches(name)), true),
        Test::NotLike(pattern) => (those(&|name| pattern.matches(name)), false),
        Test::Compare(comparison, operand) => (those(&|name| comparison.holds(name.cmp(&operand.text))), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_user(name: &str, value: &str) -> Option<Condition<UserField>> {
        condition(name, value).unwrap()
    }

    fn refused<F: Model>(name: &str, value: &str) -> ListError {
        match condition::<F>(name, value) {
            Err(Error::List(error)) => error,
            _ => panic!("{name}={value} was accepted"),
        }
    }

    #[test]
    fn names_match_without_case_and_paths_with_it() {
        assert!(matches!(of_user("lastname", "x"), Some(Condition::Any(Field::Own(UserField::LastName), _))));
        let Some(Condition::Any(Field::Xp(path), _)) = of_user("XP.Items.Sku", "x") else { panic!("no path") };
        assert_eq!(path, "Items.Sku");
    }

    #[test]
    fn unknown_names_are_refused() {
        for name in ["Foo", "xp", "xp.", "", "Name|ID", "searchType", "userGroupID", "Name.x"] {
            let told = ListError::Property(format!("UserGroup.{name}"));
            assert_eq!(refused::<GroupField>(name, "x"), told, "{name}");
            assert_eq!(refused::<GroupField>(name, ""), told, "{name} without a value");
        }
        assert_eq!(refused::<UserField>("Password", "x"), ListError::Property("User.Password".to_owned()));
        assert_eq!(refused::<UserField>("Active", "yes"), ListError::Type("User.Active".to_owned()));
    }

    #[test]
    fn an_always_null_property_passes_negative_tests_alone() {
        for name in ["CompanyID", "locale"] {
            for all in ["!*", "!x", "!x*", "x|!y", ""] {
                assert_eq!(of_user(name, all), None, "{name}={all}");
            }
            for none in ["*", "x", "x*", ">x", "!<x"] {
                assert_eq!(of_user(name, none), Some(Condition::Never), "{name}={none}");
            }
        }
    }

    #[test]
    fn role_filters_are_held_against_the_known_names() {
        let roles = |value| match of_user("AvailableRoles", value) {
            Some(Condition::Roles(pairs)) => pairs,
            other => panic!("{value}: {other:?}"),
        };
        let users = Roles::USER_ADMIN.with(Roles::USER_READER);
        assert_eq!(roles("fullaccess"), [(Roles::FULL_ACCESS, true)]);
        assert_eq!(roles("!FullAccess|Nothing"), [(Roles::FULL_ACCESS, false), (Roles::NONE, true)]);
        assert_eq!(roles("AdminUser*"), [(users.with(Roles::GROUP_ADMIN).with(Roles::GROUP_READER), true)]);
        assert_eq!(roles("!*reader"), [(Roles::GROUP_READER.with(Roles::USER_READER), false)]);
        assert_eq!(roles("*|!*"), [(Roles::NONE, false), (Roles::NONE, true)]);
        assert_eq!(roles(">AdminUserReader"), [(Roles::FULL_ACCESS, true)]);
    }

    #[test]
    fn searching_and_sorting_know_their_properties() {
        assert_eq!(default_search::<GroupField>().len(), 3);
        assert_eq!(searched::<GroupField>("description").unwrap(), Field::Own(GroupField::Description));
        assert_eq!(searched::<GroupField>("xp.a").unwrap(), Field::Xp("a".to_owned()));
        for name in ["Phone", "Foo", "xp", "Locale"] {
            assert!(matches!(searched::<UserField>(name), Err(Error::List(ListError::SearchProperty(_)))), "{name}");
        }
        assert_eq!(sorted::<UserField>("datecreated").unwrap(), Field::Own(UserField::Created));
        let unsortable = sorted::<GroupField>("description").unwrap_err();
        assert!(matches!(unsortable, Error::List(ListError::SortProperty(name)) if name == "UserGroup.Description"));
        for name in ["Foo", "xp", "Password"] {
            assert!(matches!(sorted::<UserField>(name), Err(Error::List(ListError::Property(_)))), "{name}");
        }
    }
}
