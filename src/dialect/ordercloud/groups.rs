//! The six operations on groups (docs/ordercloud.md, sections 2, 4 and 5).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;

use crate::domain::error::{Kind, Result};
use crate::domain::members::Members;
use crate::domain::role::{Permit, ReadGroups, WriteGroups};
use crate::http::answer::{Answer, Rendered, rendered};
use crate::http::extract::{Body, Path, Query};
use crate::http::{Api, Failure};

use super::wire::{ListPage, UserGroup};
use super::{bodies, known_id, list as lists, new_id};

/// List user groups
///
/// Any other parameter than those below is a filter on `ID`, `Name`, `Description` or a path inside `xp`, such as
/// `Name=Adm*|*ops` or `xp.Floor=>2`; several filters must all hold. Without `sortBy`: by Name, then ID.
#[utoipa::path(
    get,
    path = "/v1/usergroups",
    operation_id = "AdminUserGroups.List",
    tag = "Admin User Groups",
    params(
        ("search" = Option<String>, Query, description = "Text to find anywhere in the searched properties", example = "ops"),
        ("searchOn" = Option<String>, Query, description = "Properties to search, comma separated: ID, Name, \
            Description or paths inside xp. All but xp if left out", example = "Name,xp.Dept"),
        ("sortBy" = Option<String>, Query, description = "Properties to sort by, comma separated: ID, Name or paths \
            inside xp; `!` for descending", example = "!Name,ID"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter",
            style = Form, explode, example = json!({ "Name": "Adm*|*ops" })),
    ),
    responses((status = 200, description = "One page of user groups", body = ListPage<UserGroup>))
)]
pub async fn list(
    State(api): State<Api>,
    permit: Permit<ReadGroups>,
    Query(parameters): Query,
) -> Result<Answer<ListPage<UserGroup>>, Failure> {
    let query = lists::group_query(&parameters)?;
    let page = query.page;
    let listed = api.service.list_groups(&permit, query).await?;
    Ok(Answer(ListPage::new(page, listed)))
}

/// Create a user group
///
/// A group that names no ID is given one.
#[utoipa::path(
    post,
    path = "/v1/usergroups",
    operation_id = "AdminUserGroups.Create",
    tag = "Admin User Groups",
    request_body = UserGroup,
    responses((
        status = 201,
        description = "The new user group",
        body = UserGroup,
        headers(("Location" = String, description = "The path of the new user group")),
    ))
)]
pub async fn create(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Body(members): Body,
) -> Result<impl IntoResponse, Failure> {
    let draft = bodies::group(Members::required(members)?)?;
    let group = api.service.create_group(&permit, draft).await?;
    let location = [(LOCATION, format!("/v1/usergroups/{}", group.fields.id))];
    Ok((StatusCode::CREATED, location, Answer(UserGroup::from(group))))
}

/// Get a user group
#[utoipa::path(
    get,
    path = "/v1/usergroups/{userGroupID}",
    operation_id = "AdminUserGroups.Get",
    tag = "Admin User Groups",
    params(("userGroupID" = String, Path, description = "ID of the user group, in any case", example = "support")),
    responses((status = 200, description = "The user group", body = UserGroup))
)]
pub async fn get(
    State(api): State<Api>,
    permit: Permit<ReadGroups>,
    Path(id): Path<String>,
) -> Result<Rendered, Failure> {
    let group = api.service.group(&permit, &known_id(Kind::Group, id)?).await?;
    Ok(Rendered(group.answer(api.door, |group| rendered(&UserGroup::from(group)))?))
}

/// Create or replace a user group
///
/// What the body leaves out becomes null. A body with another ID than the path renames the group.
#[utoipa::path(
    put,
    path = "/v1/usergroups/{userGroupID}",
    operation_id = "AdminUserGroups.Save",
    tag = "Admin User Groups",
    params(("userGroupID" = String, Path, description = "ID of the user group, in any case", example = "support")),
    request_body = UserGroup,
    responses((status = 200, description = "The user group, new or replaced", body = UserGroup))
)]
pub async fn save(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Path(id): Path<String>,
    Body(members): Body,
) -> Result<Answer<UserGroup>, Failure> {
    let id = new_id(id)?;
    let draft = bodies::group(Members::required(members)?)?;
    let group = api.service.save_group(&permit, id, draft).await?;
    Ok(Answer(group.into()))
}

/// Change a user group
///
/// What the body leaves out stays as it is; `xp` is merged, and a null inside it is stored. A body with another ID
/// renames the group. No body at all changes nothing.
#[utoipa::path(
    patch,
    path = "/v1/usergroups/{userGroupID}",
    operation_id = "AdminUserGroups.Patch",
    tag = "Admin User Groups",
    params(("userGroupID" = String, Path, description = "ID of the user group, in any case", example = "support")),
    request_body(
        content = ref("#/components/schemas/PartialUserGroup"),
        content_type = "application/json",
        example = json!({ "Description": null, "xp": { "Floor": 4 } }),
    ),
    responses((status = 200, description = "The user group as it is now", body = UserGroup))
)]
pub async fn patch(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Path(id): Path<String>,
    Body(members): Body,
) -> Result<Answer<UserGroup>, Failure> {
    let id = known_id(Kind::Group, id)?;
    api.service.expect_group(&permit, &id).await?;
    let patch = members.map(bodies::group_patch).transpose()?.unwrap_or_default();
    let group = api.service.patch_group(&permit, id, patch).await?;
    Ok(Answer(group.into()))
}

/// Delete a user group
///
/// Its assignments go with it; its users stay.
#[utoipa::path(
    delete,
    path = "/v1/usergroups/{userGroupID}",
    operation_id = "AdminUserGroups.Delete",
    tag = "Admin User Groups",
    params(("userGroupID" = String, Path, description = "ID of the user group, in any case", example = "support")),
    responses((status = 204, description = "Deleted"))
)]
pub async fn delete(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    api.service.delete_group(&permit, known_id(Kind::Group, id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
