//! The list of users.

use crate::domain::caller::{Permit, ReadGroups, ReadUsers};
use crate::domain::community::Visibility;
use crate::domain::query::{Condition, Field, UserField};
use crate::domain::user::User;
use crate::http::request::error::{ListError, Result};
use crate::http::request::filter::Type;
use crate::service::Service;

use super::{List, Listed, Page, Source, TESTS_MAX, unknown, with_cursor, xp_path};
use crate::domain::address;
use crate::http::request::parameters::is_set;

/// The parameter that names a group of the users; it may be repeated.
const MEMBER_OF: &str = "memberOf";
const WITHOUT_GROUPS: &str = "withoutGroups";
const LOCKED: &str = "locked";

impl Listed for UserField {
    const NAME: &'static str = "users";
    const RELATIONS: &'static [&'static str] = &[MEMBER_OF, WITHOUT_GROUPS, LOCKED];
    const FILTERS: &'static [(&'static str, Source<Self>)] = &[
        ("id", Source::Stored(Self::Id, Type::Text)),
        ("username", Source::Stored(Self::Username, Type::Text)),
        ("firstName", Source::Stored(Self::FirstName, Type::Text)),
        ("lastName", Source::Stored(Self::LastName, Type::Text)),
        ("email", Source::Stored(Self::Email, Type::Text)),
        ("phone", Source::Stored(Self::Phone, Type::Text)),
        ("active", Source::Stored(Self::Active, Type::Boolean)),
        ("termsAccepted", Source::Stored(Self::TermsAccepted, Type::Instant)),
        ("passwordSet", Source::Presence(Self::PasswordSet)),
        ("roles", Source::Roles),
        ("communities", Source::Communities),
        ("lockedUntil", Source::Stored(Self::LockedUntil, Type::Instant)),
        ("failedSignIns", Source::Stored(Self::FailedAttempts, Type::Integer)),
        ("lastActive", Source::Stored(Self::LastActive, Type::Instant)),
        ("created", Source::Stored(Self::Created, Type::Instant)),
    ];
    const FILTERS_OF_DELETED: &'static [&'static str] =
        &["id", "username", "firstName", "lastName", "email", "phone", "active", "created"];
    const SORT_KEYS: &'static [(&'static str, Self)] = &[
        ("uid", Self::Uid),
        ("id", Self::Id),
        ("username", Self::Username),
        ("firstName", Self::FirstName),
        ("lastName", Self::LastName),
        ("email", Self::Email),
        ("lastActive", Self::LastActive),
        ("created", Self::Created),
    ];
    const SEARCHED: &'static [Self] = Self::SEARCHABLE;

    fn path(name: &str) -> Option<(&'static str, Field<Self>)> {
        xp_path(name)
    }
}

/// Returns the page of the list of users that the parameters ask for. Fails with `Forbidden` if they name groups and
/// the caller may not read groups, with the first parameter that breaks a rule, or with `ListTooCostly`.
pub(crate) async fn page(
    service: &Service,
    permit: &Permit<ReadUsers>,
    parameters: &[(String, String)],
) -> Result<Page<User>> {
    let groups: Vec<&str> =
        parameters.iter().filter(|(name, _)| name == MEMBER_OF).map(|(_, value)| &**value).collect();
    let groups = match groups.is_empty() {
        true => None,
        false => Some((permit.caller().permit::<ReadGroups>()?, groups)),
    };
    let mut list = List::<UserField>::read(parameters)?;
    // The service sets the groups and communities that count.
    let without = is_set(parameters, WITHOUT_GROUPS)?.then_some(Condition::WithoutGroups(Visibility::All));
    list.require(without)?;
    list.require(is_set(parameters, LOCKED)?.then(|| service.locked_now()))?;
    if let Some((permit, groups)) = groups {
        list.require(memberships(service, &permit, &groups).await?)?;
    }
    let page = match list.deleted {
        true => service.walk_deleted_users(permit, list.query).await?,
        false => service.walk_users(permit, list.query).await?,
    };
    Ok(with_cursor(page, &list.binding))
}

/// The conditions that a user is in every one of the groups with these addresses.
async fn memberships(
    service: &Service,
    permit: &Permit<ReadGroups>,
    groups: &[&str],
) -> Result<Vec<Condition<UserField>>> {
    if groups.len() > TESTS_MAX {
        return Err(ListError::TooCostly.into());
    }
    let mut conditions = Vec::with_capacity(groups.len());
    for group in groups {
        let number = match (*group, address::group_key(group)) {
            ("", _) => return Err(ListError::Empty(MEMBER_OF).into()),
            (_, Some(key)) => service.group_number(permit, &key).await?,
            (_, None) => None,
        };
        conditions.push(Condition::Membership(number.ok_or_else(|| unknown(MEMBER_OF))?));
    }
    Ok(conditions)
}
