//! The eight operations on admin users (docs/ordercloud.md, sections 3, 4 and 5).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;

use crate::domain::error::{Kind, Result};
use crate::domain::members::Members;
use crate::domain::role::{Permit, ReadUsers, WriteUsers};
use crate::http::answer::Answer;
use crate::http::extract::{Body, Path, Query};
use crate::http::{Api, Failure};

use super::wire::{ListPage, User};
use super::{bodies, known_id, list as lists, new_id};

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
        ("search" = Option<String>, Query, description = "Text to find anywhere in the searched properties", example = "lovelace"),
        ("searchOn" = Option<String>, Query, description = "Properties to search, comma separated: ID, Username, \
            LastName, FirstName, Email or paths inside xp. All but xp if left out", example = "LastName,Email"),
        ("sortBy" = Option<String>, Query, description = "Properties to sort by, comma separated: LastName, FirstName, \
            Username, ID, Email, DateCreated, LastActive, PasswordLastSetDate or paths inside xp; `!` for descending",
            example = "!DateCreated"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter",
            style = Form, explode, example = json!({ "Active": "true" })),
    ),
    responses((status = 200, description = "One page of admin users", body = ListPage<User>))
)]
pub async fn list(
    State(api): State<Api>,
    permit: Permit<ReadUsers>,
    Query(parameters): Query,
) -> Result<Answer<ListPage<User>>, Failure> {
    let query = lists::user_query(&parameters)?;
    let page = query.page;
    let listed = api.service.list_users(&permit, query).await?;
    Ok(Answer(ListPage::new(page, listed)))
}

/// Create an admin user
///
/// A user that names no ID is given one. A user without a password cannot sign in; a new user has no roles.
#[utoipa::path(
    post,
    path = "/v1/adminusers",
    operation_id = "AdminUsers.Create",
    tag = "Admin Users",
    request_body = User,
    responses((
        status = 201,
        description = "The new admin user",
        body = User,
        headers(("Location" = String, description = "The path of the new admin user")),
    ))
)]
pub async fn create(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Body(members): Body,
) -> Result<impl IntoResponse, Failure> {
    let draft = bodies::user(Members::required(members)?)?;
    let user = api.service.create_user(&permit, draft).await?;
    let location = [(LOCATION, format!("/v1/adminusers/{}", user.fields.id))];
    Ok((StatusCode::CREATED, location, Answer(User::from(user))))
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
pub async fn get(
    State(api): State<Api>,
    permit: Permit<ReadUsers>,
    Path(id): Path<String>,
) -> Result<Answer<User>, Failure> {
    let user = api.service.user(&permit, &known_id(Kind::User, id)?).await?;
    Ok(Answer(user.into()))
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
    request_body = User,
    responses((status = 200, description = "The admin user, new or replaced", body = User))
)]
pub async fn save(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Path(id): Path<String>,
    Body(members): Body,
) -> Result<Answer<User>, Failure> {
    let id = new_id(id)?;
    let draft = bodies::user(Members::required(members)?)?;
    let user = api.service.save_user(&permit, id, draft).await?;
    Ok(Answer(user.into()))
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
pub async fn patch(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Path(id): Path<String>,
    Body(members): Body,
) -> Result<Answer<User>, Failure> {
    let id = known_id(Kind::User, id)?;
    api.service.expect_user(&permit, &id).await?;
    let patch = members.map(bodies::user_patch).transpose()?.unwrap_or_default();
    let user = api.service.patch_user(&permit, id, patch).await?;
    Ok(Answer(user.into()))
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
pub async fn delete(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    api.service.delete_user(&permit, known_id(Kind::User, id)?).await?;
    Ok(StatusCode::NO_CONTENT)
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
pub async fn unlock(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    api.service.unlock_user(&permit, &known_id(Kind::User, id)?).await?;
    Ok(StatusCode::NO_CONTENT)
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
pub async fn revoke_tokens(
    State(api): State<Api>,
    permit: Permit<WriteUsers>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    api.service.revoke_user_tokens(&permit, known_id(Kind::User, id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
