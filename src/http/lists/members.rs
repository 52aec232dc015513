//! The lists of a group's members and of a user's groups (docs/rollbook.md, section 6): converts the parameters of a URL
//! to a query, and its result to a page.

use crate::domain::caller::{Permit, ReadGroups, ReadUsers};
use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorPage, Position, SortValue};
use crate::domain::group::{Group, GroupKey};
use crate::domain::history::{JoinedGroupsAt, JoinedGroupsAtQuery, MembersAt, MembersAtQuery};
use crate::domain::membership::{JoinedGroup, JoinedGroupKey, JoinedGroupQuery, Member, MemberKey, MemberQuery};
use crate::domain::query::{Field, Search, UserField};
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey};
use crate::http::request::cursor::Binding;
use crate::http::request::error::{Error, ListError, Result};
use crate::service::Service;

use crate::http::request::parameters::{bound, check_names, limit, value, wrong};

/// Returns one page of the group's members, the cursor of the next one, and the group. Fails with the first parameter that
/// breaks a rule, with `Forbidden` for an order by what the caller may not see of users, with `NotFound`, and with
/// `ListTooCostly` if the group is too large for the order.
pub(crate) async fn members(
    service: &Service,
    permit: &Permit<ReadGroups>,
    group: GroupKey,
    parameters: &[(String, String)],
) -> Result<(Group, CursorPage<Member>, Option<String>)> {
    check_names(parameters, &["limit", "after", "sort", "q"])?;
    let (sort, descending) = sort(parameters)?;
    let key = match sort {
        None | Some("id") => MemberKey::Own(UserField::Id),
        Some("uid") => MemberKey::Own(UserField::Uid),
        Some("since") => MemberKey::Since,
        Some(name) => {
            let field = private_field(name).ok_or_else(|| ListError::SortProperty(name.to_owned()))?;
            permit.caller().permit::<ReadUsers>()?;
            MemberKey::Own(field)
        }
    };
    let searched = match permit.caller().permit::<ReadUsers>() {
        Ok(_) => UserField::SEARCHABLE,
        Err(_) => &[UserField::Id],
    };
    let search = value(parameters, "q")?
        .map(|text| Search { term: fold(text), fields: searched.iter().copied().map(Field::Own).collect() });
    let Walk { cursors, after, limit } = Walk::read("members", parameters)?;
    let (after, of) = after.unzip();
    let query = MemberQuery { visibility: Visibility::All, group, search, key, descending, after, limit };
    let (group, page) = service.list_members(permit, query).await?;
    check_owner(of, group.uid)?;
    let next = page.next.as_ref().map(|position| cursors.encode(position, group.uid));
    Ok((group, page, next))
}

/// Returns the user, one page of their groups, and the cursor of the next one. Fails with the first parameter that breaks a
/// rule, and with `NotFound`.
pub(crate) async fn joined_groups(
    service: &Service,
    permit: &Permit<ReadGroups>,
    user: UserKey,
    parameters: &[(String, String)],
) -> Result<(User, CursorPage<JoinedGroup>, Option<String>)> {
    check_names(parameters, &["limit", "after", "sort"])?;
    let (sort, descending) = sort(parameters)?;
    let key = match sort {
        None | Some("uid") => JoinedGroupKey::Uid,
        Some("name") => JoinedGroupKey::Name,
        Some(other) => return Err(ListError::SortProperty(other.to_owned()).into()),
    };
    let Walk { cursors, after, limit } = Walk::read("joined groups", parameters)?;
    let (after, of) = after.unzip();
    let query = JoinedGroupQuery { visibility: Visibility::All, user, key, descending, after, limit };
    let (user, page) = service.list_joined_groups(permit, query).await?;
    check_owner(of, user.uid)?;
    let next = page.next.as_ref().map(|position| cursors.encode(position, user.uid));
    Ok((user, page, next))
}

/// Returns one page of the members that the group had at the moment, and the cursor of the next one. They are in the order
/// of their IDs of today. Fails with the first parameter that breaks a rule, and with `NotFound`.
pub(crate) async fn members_at(
    service: &Service,
    permit: &Permit<ReadGroups>,
    group: GroupKey,
    at: Timestamp,
    parameters: &[(String, String)],
) -> Result<(MembersAt, Option<String>)> {
    check_names(parameters, &["limit", "after", "at"])?;
    let Walk { cursors, after, limit } = Walk::read("members then", parameters)?;
    let (after, of) = after.unzip();
    let after = match after.as_ref().map(|Position(values)| &values[..]) {
        None => None,
        Some([SortValue::Text(key), SortValue::Integer(uid)]) => Some((key.clone(), *uid)),
        Some(_) => return Err(foreign_cursor()),
    };
    let (group, page) = service.members_at(permit, &group, MembersAtQuery { group: 0, at, after, limit }).await?;
    check_owner(of, group)?;
    let position = |(key, uid): &(String, i64)| Position(vec![SortValue::Text(key.clone()), SortValue::Integer(*uid)]);
    let next = page.next.as_ref().map(|last| cursors.encode(&position(last), group));
    Ok((page, next))
}

/// Returns one page of the groups that the user was in at the moment, in the order of their numbers, and the cursor of the
/// next one. Fails with the first parameter that breaks a rule, and with `NotFound`.
pub(crate) async fn joined_groups_at(
    service: &Service,
    permit: &Permit<ReadGroups>,
    user: UserKey,
    at: Timestamp,
    parameters: &[(String, String)],
) -> Result<(JoinedGroupsAt, Option<String>)> {
    check_names(parameters, &["limit", "after", "at"])?;
    let Walk { cursors, after, limit } = Walk::read("joined groups then", parameters)?;
    let (after, of) = after.unzip();
    let after = match after.as_ref().map(|Position(values)| &values[..]) {
        None => None,
        Some([SortValue::Integer(uid)]) => Some(*uid),
        Some(_) => return Err(foreign_cursor()),
    };
    let query = JoinedGroupsAtQuery { user: 0, visibility: Visibility::All, at, after, limit };
    let (user, page) = service.joined_groups_at(permit, &user, query).await?;
    check_owner(of, user)?;
    let next = page.next.map(|uid| cursors.encode(&Position(vec![SortValue::Integer(uid)]), user));
    Ok((page, next))
}

/// The property to sort by, without the `-` of a descending order, and whether the order is descending.
fn sort(parameters: &[(String, String)]) -> Result<(Option<&str>, bool)> {
    let sort = value(parameters, "sort")?;
    let descending = sort.and_then(|text| text.strip_prefix('-'));
    Ok((descending.or(sort), descending.is_some()))
}

/// The field of a user that only callers with a role that reads users may sort by.
fn private_field(name: &str) -> Option<UserField> {
    Some(match name {
        "username" => UserField::Username,
        "firstName" => UserField::FirstName,
        "lastName" => UserField::LastName,
        "email" => UserField::Email,
        "lastActive" => UserField::LastActive,
        "created" => UserField::Created,
        _ => return None,
    })
}

/// Which page a request asks for.
struct Walk {
    cursors: Cursors,
    /// The position after which the page begins, and the number of the group or user whose list it is in.
    after: Option<(Position, i64)>,
    limit: u32,
}

impl Walk {
    fn read(list: &str, parameters: &[(String, String)]) -> Result<Self> {
        let cursors = Cursors(Binding::new(list, bound(parameters)));
        let after = match value(parameters, "after")? {
            None => None,
            Some(text) => Some(cursors.decode(text).ok_or_else(foreign_cursor)?),
        };
        let limit = limit(parameters)?;
        Ok(Self { cursors, after, limit })
    }
}

/// The cursors of a list. The last value is the number of the group or user whose list
/// it is.
struct Cursors(Binding);

impl Cursors {
    fn encode(&self, Position(values): &Position, owner: i64) -> String {
        let values = values.iter().cloned().chain([SortValue::Integer(owner)]).collect();
        self.0.encode(&Position(values))
    }

    fn decode(&self, cursor: &str) -> Option<(Position, i64)> {
        let Position(mut values) = self.0.decode(cursor)?;
        match values.pop()? {
            SortValue::Integer(owner) => Some((Position(values), owner)),
            _ => None,
        }
    }
}

/// Fails if the cursor is one of another group or user.
fn check_owner(of: Option<i64>, listed: i64) -> Result<()> {
    if of.is_none_or(|of| of == listed) { Ok(()) } else { Err(foreign_cursor()) }
}

fn foreign_cursor() -> Error {
    wrong("after")
}
