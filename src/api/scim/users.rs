//! The operations on users (RFC 7644, section 3; docs/scim.md, section 4).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, ReadUsers, WriteUsers};
use crate::domain::change::EntityVersion;
use crate::domain::community::Visibility;
use crate::domain::cursor::MAX_LIMIT;
use crate::domain::error::Result;
use crate::domain::group::Group;
use crate::domain::journal::Channel;
use crate::domain::membership::{JoinedGroupKey, JoinedGroupQuery};
use crate::domain::user::{User, UserKey, UserUid};
use crate::http::request::conditions::Conditions;
use crate::http::request::error::ListError;
use crate::http::request::extract::{LooseQuery, Path};
use crate::http::request::write::Write;
use crate::http::response::representation::Representation;
use crate::http::{ApiState, Failure};

use super::bodies::{self, Body, UserEdits};
use super::ids::expect_user_uid;
use super::page::Page;
use super::projection::Projection;
use super::schemas::USERS;
use super::wire::{ListResponse, SCIM, SCIM_JSON, ScimResponse, users as wire};
use super::{etag, query as filters};

/// What answers show of users.
#[derive(Clone, Debug)]
struct Shown {
    base_url: Option<Arc<str>>,
    projection: Projection,
}

/// List users
///
/// In the order of their creation. `filter` has comparisons by `eq`, joined by `and`, on `userName`, `id`, `emails`,
/// `emails.value`, `emails[type eq "work"].value`, `phoneNumbers`, `name.givenName`, `name.familyName`, `active` and the `key` of
/// Rollbook's extension.
#[utoipa::path(
    get,
    path = "/scim/v2/Users",
    operation_id = "Users.List",
    tag = "Users",
    params(
        ("filter" = Option<String>, Query, description = "Which users, e.g. `userName eq \"ada\"`"),
        ("startIndex" = Option<i64>, Query, description = "The number of the first user on the page, from 1; 1 if left out, e.g. `1`"),
        ("count" = Option<i64>, Query, description = "Users on a page, at most 1,000; 100 if left out, e.g. `100`"),
        ("attributes" = Option<String>, Query, description = "The attributes to return, comma separated, e.g. `userName,emails.value`"),
        ("excludedAttributes" = Option<String>, Query, description = "The attributes to leave out, comma separated, e.g. `emails`"),
    ),
    responses((status = 200, description = "One page of users", body = ref("#/components/schemas/ListResponse_User"),
        content_type = "application/scim+json"))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<ListResponse<Map<String, Value>>>, Failure> {
    let (page, conditions, shown) = (Page::read(&query)?, filters::users(&query)?, Shown::new(&api, &query));
    let found = api.service.walk_users(&permit, page.query(conditions)).await?;
    let total = found.total.ok_or(ListError::TooCostly)?;
    let asked = usize::try_from(page.count).unwrap_or(usize::MAX);
    let resources = found.items.iter().take(asked).map(|user| shown.resource(user, None)).collect();
    Ok(ScimResponse(ListResponse::page(resources, total, page.start)))
}

/// Create a user
///
/// What is null, unknown or not kept by the directory is ignored, and so is a password. A user without a `key` of Rollbook's
/// extension is given one. The user gets no roles.
#[utoipa::path(
    post,
    path = "/scim/v2/Users",
    operation_id = "Users.Create",
    tag = "Users",
    request_body(content = ref("#/components/schemas/User"), content_type = "application/scim+json"),
    responses((
        status = 201,
        description = "The new user",
        body = ref("#/components/schemas/User"),
        content_type = "application/scim+json",
        headers(("Location" = String, description = "The URL of the new user")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    LooseQuery(query): LooseQuery,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let (edits, shown) = (bodies::new_user(fields)?, Shown::new(&api, &query));
    let created = move |_: Channel, user: &User| {
        let location = wire::url(shown.base_url.as_deref(), user);
        Ok(shown.answer(StatusCode::CREATED, user)?.created_at(location))
    };
    let service = &api.service;
    let create = |permit| async move { service.provision_user(&permit, None, move |user| edits.apply(user)).await };
    write.respond(created, create).await
}

/// Get a user
///
/// With `attributes=groups` also the first 1,000 groups that the user is in, which needs a role that reads groups; an answer
/// with groups is never 304.
#[utoipa::path(
    get,
    path = "/scim/v2/Users/{id}",
    operation_id = "Users.Get",
    tag = "Users",
    params(
        ("id" = String, Path, description = "The `id` of the user", example = "u12"),
        ("attributes" = Option<String>, Query, description = "The attributes to return, comma separated, e.g. `userName,groups`"),
        ("excludedAttributes" = Option<String>, Query, description = "The attributes to leave out, comma separated, e.g. `emails`"),
    ),
    responses((status = 200, description = "The user", body = ref("#/components/schemas/User"),
        content_type = "application/scim+json"))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Path(id): Path<String>,
    LooseQuery(query): LooseQuery,
    conditions: Conditions,
) -> Result<Response, Failure> {
    let (uid, shown) = (expect_user_uid(&id)?, Shown::new(&api, &query));
    let user = api.service.live_user(&permit, &UserKey::Uid(uid)).await?;
    if shown.projection.asks_for("groups") {
        let groups = joined_groups(&api, &permit, uid).await?;
        return Ok(ScimResponse(shown.resource(&user, Some(&groups))).into_response());
    }
    let representation = Representation::new(&shown.resource(&user, None), etag::of_user(user.version))?;
    conditions.answer_resource(EntityVersion::of(&user), representation.of_type(SCIM_JSON))
}

/// Replace a user
///
/// Optional attributes of the standard schemas that the body leaves out are emptied; `active`, `externalId` and the
/// attributes of Rollbook's extension stay. Read-only attributes are ignored, so what GET returned can be sent back.
#[utoipa::path(
    put,
    path = "/scim/v2/Users/{id}",
    operation_id = "Users.Replace",
    tag = "Users",
    params(("id" = String, Path, description = "The `id` of the user", example = "u12")),
    request_body(content = ref("#/components/schemas/User"), content_type = "application/scim+json"),
    responses((status = 200, description = "The user as they are now", body = ref("#/components/schemas/User"),
        content_type = "application/scim+json"))
)]
pub(super) async fn replace(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
    LooseQuery(query): LooseQuery,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let uid = expect_user_uid(&id)?;
    change(&api, write, uid, &query, bodies::complete_user(fields)?).await
}

/// Change a user
///
/// The operations are made in one transaction, all or none. `op` and the names of attributes are read in any case; booleans
/// may be sent as text.
#[utoipa::path(
    patch,
    path = "/scim/v2/Users/{id}",
    operation_id = "Users.Patch",
    tag = "Users",
    params(("id" = String, Path, description = "The `id` of the user", example = "u12")),
    request_body(content = ref("#/components/schemas/PatchOp"), content_type = "application/scim+json"),
    responses((status = 200, description = "The user as they are now", body = ref("#/components/schemas/User"),
        content_type = "application/scim+json"))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
    LooseQuery(query): LooseQuery,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let uid = expect_user_uid(&id)?;
    change(&api, write, uid, &query, bodies::user_changes(fields)?).await
}

/// Delete a user
///
/// Their memberships and tokens end.
#[utoipa::path(
    delete,
    path = "/scim/v2/Users/{id}",
    operation_id = "Users.Delete",
    tag = "Users",
    params(("id" = String, Path, description = "The `id` of the user", example = "u12")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let uid = expect_user_uid(&id)?;
    let service = &api.service;
    let delete = |permit| async move { service.delete_user(&permit, UserKey::Uid(uid)).await };
    write.of_resource(uid).respond(Answer::no_content, delete).await
}

/// Makes the changes of the user and answers with what they are then.
async fn change(
    api: &ApiState,
    write: Write<WriteUsers>,
    uid: UserUid,
    query: &[(String, String)],
    edits: UserEdits,
) -> Result<Response, Failure> {
    let (service, shown) = (&api.service, Shown::new(api, query));
    let changed = move |_: Channel, user: &User| shown.answer(StatusCode::OK, user);
    let change =
        |permit| async move { service.provision_user(&permit, Some(uid), move |user| edits.apply(user)).await };
    write.of_resource(uid).respond(changed, change).await
}

/// The first groups that the user is in and the caller may see, in the order of their creation. Fails with `Forbidden` if the
/// caller may not read groups.
async fn joined_groups(api: &ApiState, permit: &Permit<ReadUsers>, user: UserUid) -> Result<Vec<Group>> {
    let permit: Permit<ReadGroups> = permit.caller().permit()?;
    let (user, visibility) = (UserKey::Uid(user), Visibility::All);
    let query = JoinedGroupQuery {
        visibility,
        user,
        key: JoinedGroupKey::Uid,
        descending: false,
        after: None,
        limit: MAX_LIMIT,
    };
    let (_, page) = api.service.list_joined_groups(&permit, query).await?;
    Ok(page.items.into_iter().map(|joined| joined.group).collect())
}

impl Shown {
    fn new(api: &ApiState, query: &[(String, String)]) -> Self {
        Self { base_url: api.base_url.clone(), projection: Projection::read(query, &USERS) }
    }

    /// The user with the attributes that the request asks for.
    fn resource(&self, user: &User, groups: Option<&[Group]>) -> Map<String, Value> {
        let mut resource = wire::user(self.base_url.as_deref(), user, groups);
        self.projection.apply(&mut resource);
        resource
    }

    /// The answer to a write that shows the user.
    fn answer(&self, status: StatusCode, user: &User) -> Result<Answer> {
        let answer = Answer::json(status, &self.resource(user, None))?;
        Ok(answer.of_type(SCIM).tagged(etag::of_user(user.version)))
    }
}
