//! The properties of groups and users in lists: which ones can be filtered, searched and sorted by, and the conversion
//! of a filter to a condition of the domain (docs/ordercloud.md, sections 2, 3 and 6).

use crate::domain::query::{Condition, Field, GroupField, Test, UserField};
use crate::http::request::error::{Error, ListError, RequestError, Result};
use crate::http::request::filter::{self, Type};
use crate::http::request::role_filter::roles_condition;

/// The source of a property's values.
#[derive(Clone, Copy, Debug)]
enum ValueSource<F> {
    /// A stored field and its type.
    Stored(F, Type),
    /// No source: always null.
    Null,
    /// The names of a user's roles.
    Roles,
}

/// A property of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Property<F> {
    name: &'static str,
    values: ValueSource<F>,
    sortable: bool,
}

impl<F: Copy> Property<F> {
    const fn new(name: &'static str, values: ValueSource<F>) -> Self {
        Self { name, values, sortable: false }
    }

    const fn stored(name: &'static str, field: F, of: Type) -> Self {
        Self::new(name, ValueSource::Stored(field, of))
    }

    const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }
}

/// A kind of entity that has a list.
pub(super) trait Model: Copy + PartialEq + 'static {
    /// The name of the model in errors.
    const NAME: &'static str;
    /// All properties except xp.
    const PROPERTIES: &'static [Property<Self>];
    /// The fields that can be searched.
    const SEARCHABLE: &'static [Self];
}

impl Model for GroupField {
    const NAME: &'static str = "UserGroup";
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::stored("ID", Self::Id, Type::Text).sortable(),
        Property::stored("Name", Self::Name, Type::Text).sortable(),
        Property::stored("Description", Self::Description, Type::Text),
    ];
    const SEARCHABLE: &'static [Self] = Self::SEARCHABLE;
}

impl Model for UserField {
    const NAME: &'static str = "User";
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::stored("ID", Self::Id, Type::Text).sortable(),
        Property::new("CompanyID", ValueSource::Null),
        Property::stored("Username", Self::Username, Type::Text).sortable(),
        Property::stored("FirstName", Self::FirstName, Type::Text).sortable(),
        Property::stored("LastName", Self::LastName, Type::Text).sortable(),
        Property::stored("Email", Self::Email, Type::Text).sortable(),
        Property::stored("Phone", Self::Phone, Type::Text),
        Property::stored("TermsAccepted", Self::TermsAccepted, Type::Instant),
        Property::stored("Active", Self::Active, Type::Boolean),
        Property::new("AvailableRoles", ValueSource::Roles),
        Property::new("Locale", ValueSource::Null),
        Property::stored("DateCreated", Self::Created, Type::Instant).sortable(),
        Property::stored("LastActive", Self::LastActive, Type::Instant).sortable(),
        Property::stored("PasswordLastSetDate", Self::PasswordSet, Type::Instant).sortable(),
        Property::stored("FailedLoginAttempts", Self::FailedAttempts, Type::Integer),
    ];
    const SEARCHABLE: &'static [Self] = Self::SEARCHABLE;
}

/// The property that a name in a list's parameters refers to.
enum PropertyRef<F: 'static> {
    /// A property of the model.
    Own(&'static Property<F>),
    /// The value at this path inside xp.
    Xp(String),
    /// No property has the name.
    Unknown,
}

/// Resolves a name. Names of properties match in any case, paths inside xp only in their own.
fn resolve<F: Model>(name: &str) -> PropertyRef<F> {
    match name.split_once('.') {
        Some((xp, path)) if xp.eq_ignore_ascii_case("xp") && !path.is_empty() => PropertyRef::Xp(path.to_owned()),
        _ => {
            let own = F::PROPERTIES.iter().find(|property| property.name.eq_ignore_ascii_case(name));
            own.map_or(PropertyRef::Unknown, PropertyRef::Own)
        }
    }
}

/// The name with its model, for errors.
fn qualified<F: Model>(name: &str) -> String {
    format!("{}.{name}", F::NAME)
}

/// The error for a name that no property has.
fn unknown<F: Model>(name: &str) -> Error {
    Error::Request(RequestError::List(ListError::Property(qualified::<F>(name))))
}

/// The fields of a search without `searchOn`.
pub(super) fn default_search<F: Model>() -> Vec<Field<F>> {
    F::SEARCHABLE.iter().copied().map(Field::Own).collect()
}

/// The field of a name in `searchOn`. Fails if the property cannot be searched.
pub(super) fn searched<F: Model>(name: &str) -> Result<Field<F>> {
    let own = match resolve(name) {
        PropertyRef::Xp(path) => Some(Field::Xp(path)),
        PropertyRef::Own(property) => stored_field(property).filter(is_searchable),
        PropertyRef::Unknown => None,
    };
    own.ok_or_else(|| Error::Request(RequestError::List(ListError::SearchProperty(qualified::<F>(name)))))
}

fn is_searchable<F: Model>(field: &Field<F>) -> bool {
    matches!(field, Field::Own(field) if F::SEARCHABLE.contains(field))
}

/// The field of a name in `sortBy`. Fails if the property is unknown or cannot be sorted by.
pub(super) fn sorted<F: Model>(name: &str) -> Result<Field<F>> {
    match resolve(name) {
        PropertyRef::Xp(path) => Ok(Field::Xp(path)),
        PropertyRef::Own(property) => {
            let own = stored_field(property).filter(|_| property.sortable);
            own.ok_or_else(|| {
                Error::Request(RequestError::List(ListError::SortProperty(qualified::<F>(property.name))))
            })
        }
        PropertyRef::Unknown => Err(unknown::<F>(name)),
    }
}

/// The stored field of a property; `None` if its values are not stored.
fn stored_field<F: Model>(property: &Property<F>) -> Option<Field<F>> {
    match property.values {
        ValueSource::Stored(field, _) => Some(Field::Own(field)),
        ValueSource::Null | ValueSource::Roles => None,
    }
}

/// The condition of the filter `name=value`; `None` if every entity passes. Fails if the property is unknown or the
/// value does not fit its type.
pub(super) fn condition<F: Model>(name: &str, value: &str) -> Result<Option<Condition<F>>> {
    let wrong_type = |filter::WrongType| Error::Request(RequestError::List(ListError::Type(qualified::<F>(name))));
    let tests = |of| filter::tests(value, of).map_err(wrong_type);
    Ok(match resolve(name) {
        PropertyRef::Unknown => return Err(unknown::<F>(name)),
        PropertyRef::Xp(path) => any(Field::Xp(path), tests(Type::Text)?),
        PropertyRef::Own(property) => match property.values {
            ValueSource::Stored(field, of) => any(Field::Own(field), tests(of)?),
            ValueSource::Null => null_condition(&tests(Type::Text)?),
            ValueSource::Roles => roles_condition(&tests(Type::Text)?),
        },
    })
}

/// The condition that a field passes one of the tests; `None` if there are none.
fn any<F>(field: Field<F>, tests: Vec<Test>) -> Option<Condition<F>> {
    (!tests.is_empty()).then(|| Condition::any(field, tests))
}

/// The condition of tests of a property that is always null.
fn null_condition<F>(tests: &[Test]) -> Option<Condition<F>> {
    let passes = tests.is_empty() || tests.iter().any(passes_null);
    (!passes).then_some(Condition::Never)
}

/// Whether null passes the test.
fn passes_null(test: &Test) -> bool {
    matches!(test, Test::Absent | Test::NotEqual(_) | Test::NotLike(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_user(name: &str, value: &str) -> Option<Condition<UserField>> {
        condition(name, value).unwrap()
    }

    fn refused<F: Model>(name: &str, value: &str) -> ListError {
        match condition::<F>(name, value) {
            Err(Error::Request(RequestError::List(error))) => error,
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
            let expected = ListError::Property(format!("UserGroup.{name}"));
            assert_eq!(refused::<GroupField>(name, "x"), expected, "{name}");
            assert_eq!(refused::<GroupField>(name, ""), expected, "{name} without a value");
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
    fn only_some_properties_are_searchable_and_sortable() {
        assert_eq!(default_search::<GroupField>().len(), 3);
        assert_eq!(searched::<GroupField>("description").unwrap(), Field::Own(GroupField::Description));
        assert_eq!(searched::<GroupField>("xp.a").unwrap(), Field::Xp("a".to_owned()));
        for name in ["Phone", "Foo", "xp", "Locale"] {
            assert!(
                matches!(
                    searched::<UserField>(name),
                    Err(Error::Request(RequestError::List(ListError::SearchProperty(_))))
                ),
                "{name}"
            );
        }
        assert_eq!(sorted::<UserField>("datecreated").unwrap(), Field::Own(UserField::Created));
        let unsortable = sorted::<GroupField>("description").unwrap_err();
        assert!(
            matches!(unsortable, Error::Request(RequestError::List(ListError::SortProperty(name))) if name == "UserGroup.Description")
        );
        for name in ["Foo", "xp", "Password"] {
            assert!(
                matches!(sorted::<UserField>(name), Err(Error::Request(RequestError::List(ListError::Property(_))))),
                "{name}"
            );
        }
    }
}
