//! The eight operations on admin users (docs/ordercloud.md, sections 3, 4 and 5).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadUsers, WriteUsers};
use crate::domain::change::EntityVersion;
use crate::domain::error::ResourceKind;
use crate::domain::journal::Channel;
use crate::domain::time::Timestamp;
use crate::domain::user::{User as DomainUser, UserKey};
use crate::http::entity_tag::entity_tag_with;
use crate::http::request::conditions::Conditions;
use crate::http::request::error::{DirectoryError, Result};
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::Representation;
use crate::http::{ApiState, Failure};

use super::wire::{ListPage, User};
use super::{bodies, existing_id, list as lists, new_id};

/// List admin users
///
/// Any other parameter than those below is a filter on a property of the user or a path inside `xp`, such as
/// `Active=true` or `DateCreated=>2026-01-01`; several filters must all hold. Without `sortBy`: by LastName,
/// FirstName, then ID.
#[utoipa::path(
    get,
    path = "/v1/adminusers",
    operation_id = "AdminUsers.List",
    tag = "Admin Users",
    params(
        ("search" = Option<String>, Query, description = "Text to find anywhere in the searched properties, e.g. `lovelace`"),
        ("searchOn" = Option<String>, Query, description = "Properties to search, comma separated: ID, Username, \
            LastName, FirstName, Email or paths inside xp, e.g. `LastName,Email`. All but xp if left out"),
        ("sortBy" = Option<String>, Query, description = "Properties to sort by, comma separated: LastName, FirstName, \
            Username, ID, Email, DateCreated, LastActive, PasswordLastSetDate or paths inside xp; `!` for descending, e.g. `!DateCreated`"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter, \
            e.g. `{\"Active\": \"true\"}`", style = Form, explode, example = json!({})),
    ),
    responses((status = 200, description = "One page of admin users", body = ListPage<User>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Query(parameters): Query,
) -> Result<JsonResponse<ListPage<User>>, Failure> {
    let query = lists::user_query(&parameters)?;
    let page = query.page;
    let result = api.service.list_users(&permit, query).await?;
    Ok(JsonResponse(ListPage::new(page, result)))
}

/// Create an admin user
///
/// A user that names no ID is given one. A user without a password cannot sign in; a new user has no roles.
#[utoipa::path(
    post,
    path = "/v1/adminusers",
    operation_id = "AdminUsers.Create",
    tag = "Admin Users",
    request_body(content = ref("#/components/schemas/UserInput"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new admin user",
        body = User,
        headers(("Location" = String, description = "The path of the new admin user")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let draft = bodies::user(Fields::required(fields)?)?;
    let service = &api.service;
    write.respond(created, |permit| async move { service.create_user(&permit, draft).await }).await
}

/// Get an admin user
#[utoipa::path(
    get,
    path = "/v1/adminusers/{userID}",
    operation_id = "AdminUsers.Get",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    responses((status = 200, description = "The admin user", body = User))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Path(id): Path<String>,
    conditions: Conditions,
) -> Result<Response, Failure> {
    let user = api.service.user(&permit, &existing_id(ResourceKind::User, id)?).await?;
    let (version, tag) = (EntityVersion::of(&user), tag(api.channel, &user));
    conditions.answer(version, Representation::new(&User::from(user), tag)?)
}

/// Create or replace an admin user
///
/// What the body leaves out becomes null, but the password stays. A body with another ID than the path renames the
/// user. Roles stay as they are.
#[utoipa::path(
    put,
    path = "/v1/adminusers/{userID}",
    operation_id = "AdminUsers.Save",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    request_body(content = ref("#/components/schemas/UserInput"), content_type = "application/json"),
    responses((status = 200, description = "The admin user, new or replaced", body = User))
)]
pub(super) async fn save(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let id = new_id(id)?;
    let draft = bodies::user(Fields::required(fields)?)?;
    let service = &api.service;
    write.respond(shown, |permit| async move { service.save_user(&permit, id, draft).await }).await
}

/// Change an admin user
///
/// What the body leaves out stays as it is; `xp` is merged, and a null inside it is stored. A body with another ID
/// renames the user. No body at all changes nothing. A new password and `"Active": false` end the user's tokens.
#[utoipa::path(
    patch,
    path = "/v1/adminusers/{userID}",
    operation_id = "AdminUsers.Patch",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    request_body(
        content = ref("#/components/schemas/PartialUser"),
        content_type = "application/json",
        example = json!({ "Active": false }),
    ),
    responses((status = 200, description = "The admin user as it is now", body = User))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let id = existing_id(ResourceKind::User, id)?;
    api.service.expect_user(write.permit(), &id).await?;
    let patch = fields.map(bodies::user_patch).transpose()?.unwrap_or_default();
    let service = &api.service;
    write.respond(shown, |permit| async move { service.patch_user(&permit, id, patch).await }).await
}

/// Delete an admin user
///
/// The user's assignments go with it, and its tokens end.
#[utoipa::path(
    delete,
    path = "/v1/adminusers/{userID}",
    operation_id = "AdminUsers.Delete",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (service, id) = (&api.service, existing_id(ResourceKind::User, id)?);
    write.respond(Answer::no_content, |permit| async move { service.delete_user(&permit, UserKey::Id(id)).await }).await
}

/// Unlock an admin user
///
/// Forgets the failed sign-ins, ten of which lock a user for ten minutes.
#[utoipa::path(
    post,
    path = "/v1/adminusers/{userID}/unlock",
    operation_id = "AdminUsers.UnlockUserAccount",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    responses((status = 204, description = "Not locked"))
)]
pub(super) async fn unlock(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (service, id) = (&api.service, existing_id(ResourceKind::User, id)?);
    write
        .respond(Answer::no_content, |permit| async move { service.unlock_user(&permit, &UserKey::Id(id)).await })
        .await
}

/// End all tokens of an admin user
///
/// Refresh tokens included. Calls with an ended token fail with `Auth.TokenRevoked`.
#[utoipa::path(
    delete,
    path = "/v1/adminusers/{userID}/tokens",
    operation_id = "AdminUsers.RevokeUserTokens",
    tag = "Admin Users",
    params(("userID" = String, Path, description = "ID of the user, in any case", example = "ada")),
    responses((status = 204, description = "The tokens made so far are ended"))
)]
pub(super) async fn revoke_tokens(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (service, id) = (&api.service, existing_id(ResourceKind::User, id)?);
    let revoke = |permit| async move { service.revoke_user_tokens(&permit, UserKey::Id(id)).await.map(drop) };
    write.respond(Answer::no_content, revoke).await
}

/// The answer to a write that shows the user.
fn shown(channel: Channel, user: &DomainUser) -> Result<Answer, DirectoryError> {
    Ok(Answer::json(StatusCode::OK, &User::from(user.clone()))?.tagged(tag(channel, user)))
}

/// The answer to the creation of the user.
fn created(channel: Channel, user: &DomainUser) -> Result<Answer, DirectoryError> {
    let answer = Answer::json(StatusCode::CREATED, &User::from(user.clone()))?.tagged(tag(channel, user));
    Ok(answer.created_at(format!("/v1/adminusers/{}", user.fields.id)))
}

/// The entity tag of the user, whose sign-ins count for it because they are shown.
fn tag(channel: Channel, user: &DomainUser) -> String {
    let last_active = user.last_active.map_or(0, Timestamp::as_micros);
    entity_tag_with(channel, user, format_args!("{last_active}-{}", user.failed_attempts))
}
