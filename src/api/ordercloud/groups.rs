//! The six operations on groups (docs/ordercloud.md, sections 2, 4 and 5).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::change::EntityVersion;
use crate::domain::error::ResourceKind;
use crate::domain::group::Group;
use crate::domain::journal::Channel;
use crate::http::entity_tag::entity_tag;
use crate::http::request::conditions::Conditions;
use crate::http::request::error::{DirectoryError, Result};
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::{Representation, shared};
use crate::http::{ApiState, Failure};

use super::wire::{ListPage, UserGroup};
use super::{bodies, existing_id, list as lists, new_id};

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
        ("search" = Option<String>, Query, description = "Text to find anywhere in the searched properties, e.g. `team`"),
        ("searchOn" = Option<String>, Query, description = "Properties to search, comma separated: ID, Name, \
            Description or paths inside xp, e.g. `Name,xp.Dept`. All but xp if left out"),
        ("sortBy" = Option<String>, Query, description = "Properties to sort by, comma separated: ID, Name or paths \
            inside xp; `!` for descending, e.g. `!Name,ID`"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter, \
            e.g. `{\"Name\": \"*team|Sales*\", \"xp.Dept\": \"IT\"}`", style = Form, explode, example = json!({})),
    ),
    responses((status = 200, description = "One page of user groups", body = ListPage<UserGroup>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Query(parameters): Query,
) -> Result<JsonResponse<ListPage<UserGroup>>, Failure> {
    let query = lists::group_query(&parameters)?;
    let page = query.page;
    let result = api.service.list_groups(&permit, query).await?;
    Ok(JsonResponse(ListPage::new(page, result)))
}

/// Create a user group
///
/// A group that names no ID is given one.
#[utoipa::path(
    post,
    path = "/v1/usergroups",
    operation_id = "AdminUserGroups.Create",
    tag = "Admin User Groups",
    request_body(content = ref("#/components/schemas/UserGroupInput"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new user group",
        body = UserGroup,
        headers(("Location" = String, description = "The path of the new user group")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let draft = bodies::group(Fields::required(fields)?)?;
    let service = &api.service;
    write.respond(created, |permit| async move { service.create_group(&permit, draft).await }).await
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
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(id): Path<String>,
    conditions: Conditions,
) -> Result<Response, Failure> {
    let group = api.service.group(&permit, &existing_id(ResourceKind::Group, id)?).await?;
    let representation = shared(&group, api.channel, |group| {
        Representation::new(&UserGroup::from(group), entity_tag(api.channel, group))
    });
    conditions.answer(EntityVersion::of(&**group), representation?)
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
    request_body(content = ref("#/components/schemas/UserGroupInput"), content_type = "application/json"),
    responses((status = 200, description = "The user group, new or replaced", body = UserGroup))
)]
pub(super) async fn save(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let id = new_id(id)?;
    let draft = bodies::group(Fields::required(fields)?)?;
    let service = &api.service;
    write.respond(shown, |permit| async move { service.save_group(&permit, id, draft).await }).await
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
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let id = existing_id(ResourceKind::Group, id)?;
    api.service.expect_group(write.permit(), &id).await?;
    let patch = fields.map(bodies::group_patch).transpose()?.unwrap_or_default();
    let service = &api.service;
    write.respond(shown, |permit| async move { service.patch_group(&permit, id, patch).await }).await
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
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (service, id) = (&api.service, existing_id(ResourceKind::Group, id)?);
    write.respond(Answer::no_content, |permit| async move { service.delete_group(&permit, id).await }).await
}

/// The answer to a write that shows the group.
fn shown(channel: Channel, group: &Group) -> Result<Answer, DirectoryError> {
    Ok(Answer::json(StatusCode::OK, &UserGroup::from(group))?.tagged(entity_tag(channel, group)))
}

/// The answer to the creation of the group.
fn created(channel: Channel, group: &Group) -> Result<Answer, DirectoryError> {
    let answer = Answer::json(StatusCode::CREATED, &UserGroup::from(group))?.tagged(entity_tag(channel, group));
    Ok(answer.created_at(format!("/v1/usergroups/{}", group.fields.id)))
}
