//! The list of groups.

use crate::domain::caller::{Permit, ReadGroups};
use crate::domain::group::Group;
use crate::domain::labels::Tag;
use crate::domain::query::{Condition, Field, GroupField};
use crate::http::request::error::Result;
use crate::http::request::filter::Type;
use crate::service::Service;

use super::{List, Listed, Page, Source, unknown, with_cursor, xp_path};
use crate::domain::address;
use crate::http::request::parameters::value;

impl Listed for GroupField {
    const NAME: &'static str = "groups";
    const RELATIONS: &'static [&'static str] = &["member"];
    const FILTERS: &'static [(&'static str, Source<Self>)] = &[
        ("id", Source::Stored(Self::Id, Type::Text)),
        ("name", Source::Stored(Self::Name, Type::Text)),
        ("description", Source::Stored(Self::Description, Type::Text)),
        ("memberCount", Source::Stored(Self::Members, Type::Integer)),
        ("created", Source::Stored(Self::Created, Type::Instant)),
        ("updated", Source::Stored(Self::Updated, Type::Instant)),
        ("communities", Source::Communities),
    ];
    const FILTERS_OF_DELETED: &'static [&'static str] = &["id", "name", "description", "created", "updated"];
    const SORT_KEYS: &'static [(&'static str, Self)] = &[
        ("uid", Self::Uid),
        ("id", Self::Id),
        ("name", Self::Name),
        ("memberCount", Self::Members),
        ("updated", Self::Updated),
    ];
    const SEARCHED: &'static [Self] = Self::SEARCHABLE;

    fn path(name: &str) -> Option<(&'static str, Field<Self>)> {
        match name.strip_prefix("labels.") {
            Some(tag) => Tag::parse(tag).map(|tag| ("labels", Field::label(tag.as_str()))),
            None => xp_path(name),
        }
    }
}

/// Returns the page of the list of groups that the parameters ask for. Fails with the first parameter that breaks a
/// rule, or with `ListTooCostly`.
pub(crate) async fn page(
    service: &Service,
    permit: &Permit<ReadGroups>,
    parameters: &[(String, String)],
) -> Result<Page<Group>> {
    let mut list = List::<GroupField>::read(parameters)?;
    if let Some(member) = value(parameters, "member")? {
        let number = match address::user_key(member) {
            Some(key) => service.user_number(permit, &key).await?,
            None => None,
        };
        list.require([Condition::Membership(number.ok_or_else(|| unknown("member"))?)])?;
    }
    let page = match list.deleted {
        true => service.walk_deleted_groups(permit, list.query).await?,
        false => service.walk_groups(permit, list.query).await?,
    };
    Ok(with_cursor(page, &list.binding))
}
