//! Lists (docs/rollbook.md, section 5): converts the parameters of a URL to a query that is walked by cursor.

use crate::domain::caller::{Permit, ReadGroups};
use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::group::Group;
use crate::domain::labels::Tag;
use crate::domain::query::{Condition, Field, Filter, GroupField, Search, Sort, Test};
use crate::domain::text::fold;
use crate::http::request::cursor::{Binding, read_limit};
use crate::http::request::error::{ListError, Result};
use crate::http::request::filter::{self, Type, has_empty_alternative};
use crate::service::Service;

use super::address;
use super::parameters::{check_names, value};

/// The name of the list of groups in its cursors.
const GROUPS: &str = "groups";
/// The parameters that are not filters.
const RESERVED: [&str; 6] = ["limit", "after", "sort", "q", "deleted", "member"];
/// The maximum number of tests in one list, a measure of its cost. All values that are tested for equality count as one.
const TESTS_MAX: usize = 200;
/// The maximum number of sort keys of one list.
const SORTS_MAX: usize = 20;

/// A list of groups that a caller asks for.
pub(super) struct GroupList {
    query: CursorQuery<GroupField>,
    binding: Binding,
    /// Whether the deleted groups are listed.
    deleted: bool,
}

impl GroupList {
    /// Reads the parameters of the list. Fails with the first one that breaks a rule.
    pub(super) async fn read(
        service: &Service,
        permit: &Permit<ReadGroups>,
        parameters: &[(String, String)],
    ) -> Result<Self> {
        let reserved = |name: &'static str| value(parameters, name);
        let deleted = match reserved("deleted")? {
            None => false,
            Some("true") => true,
            Some(_) => return Err(ListError::Type("deleted".to_owned()).into()),
        };
        let mut filter = Filter { search: reserved("q")?.map(search), conditions: Vec::new() };
        for (name, value) in parameters.iter().filter(|(name, _)| !RESERVED.contains(&&**name)) {
            filter.conditions.push(condition(name, value)?);
        }
        if filter.conditions.iter().map(Condition::tests).sum::<usize>() > TESTS_MAX {
            return Err(ListError::TooCostly.into());
        }
        if let Some(member) = reserved("member")? {
            let number = match address::user_key(member) {
                Some(key) => service.user_number(permit, &key).await?,
                None => None,
            };
            let number = number.ok_or_else(|| ListError::Type("member".to_owned()))?;
            filter.conditions.push(Condition::Membership(number));
        }
        let sort = reserved("sort")?.map_or_else(|| Ok(Vec::new()), sort)?;
        if deleted {
            check_deleted(parameters)?;
        }
        let changing = |name: &str| ["limit", "after"].contains(&name);
        let bound = parameters.iter().filter(|(name, _)| !changing(name)).map(|(name, value)| (&**name, &**value));
        let binding = Binding::new(GROUPS, bound);
        let after = match reserved("after")? {
            None => None,
            Some(text) => Some(binding.decode(text).ok_or_else(|| ListError::Type("after".to_owned()))?),
        };
        let limit = read_limit(reserved("limit")?).ok_or(ListError::PageSize)?;
        let query = CursorQuery { visibility: Visibility::All, filter, sort, after, limit };
        Ok(Self { query, binding, deleted })
    }

    /// Returns one page of the list, and the cursor of the next one.
    pub(super) async fn walk(
        self,
        service: &Service,
        permit: &Permit<ReadGroups>,
    ) -> Result<(CursorPage<Group>, Option<String>)> {
        let page = match self.deleted {
            true => service.walk_deleted_groups(permit, self.query).await?,
            false => service.walk_groups(permit, self.query).await?,
        };
        let next = page.next.as_ref().map(|position| self.binding.encode(position));
        Ok((page, next))
    }
}

fn search(text: &str) -> Search<GroupField> {
    let fields = GroupField::SEARCHABLE.iter().copied().map(Field::Own).collect();
    Search { term: fold(text), fields }
}

/// A property to filter by.
enum Property {
    Field(Field<GroupField>, Type),
    Communities,
}

/// Returns the property with this name, and the part of the name that errors quote.
fn property(name: &str) -> Option<(&'static str, Property)> {
    let own = |name, field, of| Some((name, Property::Field(Field::Own(field), of)));
    match name {
        "id" => own("id", GroupField::Id, Type::Text),
        "name" => own("name", GroupField::Name, Type::Text),
        "description" => own("description", GroupField::Description, Type::Text),
        "memberCount" => own("memberCount", GroupField::Members, Type::Integer),
        "created" => own("created", GroupField::Created, Type::Instant),
        "updated" => own("updated", GroupField::Updated, Type::Instant),
        "communities" => Some(("communities", Property::Communities)),
        _ => path(name).map(|(name, field)| (name, Property::Field(field, Type::Text))),
    }
}

/// Returns the field of `xp.<path>` or `labels.<tag>`.
fn path(name: &str) -> Option<(&'static str, Field<GroupField>)> {
    match name.split_once('.')? {
        ("xp", path) if !path.is_empty() => Some(("xp", Field::Xp(path.to_owned()))),
        ("labels", tag) => Tag::parse(tag).map(|tag| ("labels", Field::label(tag.as_str()))),
        _ => None,
    }
}

/// The condition of the filter `name=value`.
fn condition(name: &str, value: &str) -> Result<Condition<GroupField>> {
    let (quoted, property) = property(name).ok_or_else(|| ListError::Property(name.to_owned()))?;
    if has_empty_alternative(value) {
        return Err(ListError::Empty(quoted).into());
    }
    let tests = |of| -> Result<Vec<Test>> {
        filter::tests(value, of).map_err(|filter::WrongType| ListError::Type(name.to_owned()).into())
    };
    Ok(match property {
        Property::Field(field, of) => Condition::any(field, tests(of)?),
        Property::Communities => Condition::communities(tests(Type::Text)?),
    })
}

/// The sort keys, e.g. of `name,-updated`.
fn sort(text: &str) -> Result<Vec<Sort<GroupField>>> {
    let key = |name: &str| -> Result<Sort<GroupField>> {
        let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let field = match name {
            "uid" => Field::Own(GroupField::Uid),
            "id" => Field::Own(GroupField::Id),
            "name" => Field::Own(GroupField::Name),
            "memberCount" => Field::Own(GroupField::Members),
            "updated" => Field::Own(GroupField::Updated),
            _ => path(name).ok_or_else(|| ListError::SortProperty(name.to_owned()))?.1,
        };
        Ok(Sort { field, descending })
    };
    let keys: Vec<_> = text.split(',').map(key).collect::<Result<_>>()?;
    if keys.len() > SORTS_MAX { Err(ListError::TooCostly.into()) } else { Ok(keys) }
}

/// Fails if the list of deleted groups has a parameter that needs rows which only live groups have.
fn check_deleted(parameters: &[(String, String)]) -> Result<()> {
    const ALLOWED: [&str; 8] = ["deleted", "limit", "after", "id", "name", "description", "created", "updated"];
    check_names(parameters, &ALLOWED)
}
