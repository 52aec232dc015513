//! The three operations on user group assignments (docs/ordercloud.md, section 7).

use axum::extract::State;
use axum::response::Response;
use axum::routing::{self, MethodRouter};

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::error::ResourceKind;
use crate::domain::membership::Membership;
use crate::domain::query::ListResult;
use crate::http::request::error::Result;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::wire::{ListPage, UserGroupAssignment};
use super::{bodies, existing_id, groups, list as lists};

/// List user group assignments
///
/// Ordered by user group ID, then user ID. The parameters take plain IDs, no operators. Any other parameter than these
/// (but `depth`, which is ignored) and one without a value are refused, so that a typo never lists more than was meant.
#[utoipa::path(
    get,
    path = "/v1/usergroups/assignments",
    operation_id = "AdminUserGroups.ListUserAssignments",
    tag = "Admin User Groups",
    params(
        ("userGroupID" = Option<String>, Query, description = "Only those of this user group, e.g. `support`"),
        ("userID" = Option<String>, Query, description = "Only those of this user, e.g. `ada`"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
    ),
    responses((status = 200, description = "One page of assignments", body = ListPage<UserGroupAssignment>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Query(parameters): Query,
) -> Result<JsonResponse<ListPage<UserGroupAssignment>>, Failure> {
    let (page, query) = lists::assignment_query(&parameters)?;
    let result = match query {
        Some(query) => api.service.list_memberships(&permit, query).await?,
        None => ListResult { items: Vec::new(), total: 0 },
    };
    Ok(JsonResponse(ListPage::new(page, result)))
}

/// Put a user into a user group
///
/// A user who is in it already stays in it, with the same answer.
#[utoipa::path(
    post,
    path = "/v1/usergroups/assignments",
    operation_id = "AdminUserGroups.SaveUserAssignment",
    tag = "Admin User Groups",
    request_body = UserGroupAssignment,
    responses((status = 204, description = "The user is in the user group"))
)]
pub(super) async fn save(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let membership = bodies::assignment(Fields::required(fields)?)?;
    let service = &api.service;
    write.respond(Answer::no_content, |permit| async move { service.add_member(&permit, membership).await }).await
}

/// Take a user out of a user group
#[utoipa::path(
    delete,
    path = "/v1/usergroups/{userGroupID}/assignments/{userID}",
    operation_id = "AdminUserGroups.DeleteUserAssignment",
    tag = "Admin User Groups",
    params(
        ("userGroupID" = String, Path, description = "ID of the user group, in any case", example = "support"),
        ("userID" = String, Path, description = "ID of the user, in any case", example = "ada"),
    ),
    responses((status = 204, description = "The user is no longer in the user group"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path((group, user)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let membership =
        Membership { group: existing_id(ResourceKind::Group, group)?, user: existing_id(ResourceKind::User, user)? };
    let service = &api.service;
    write.respond(Answer::no_content, |permit| async move { service.remove_member(&permit, membership).await }).await
}

/// PUT, PATCH and DELETE for the group with the ID `assignments`. Its path is the path of the list of assignments,
/// which itself accepts only GET and POST.
pub(super) fn group_named_assignments() -> MethodRouter<ApiState> {
    let id = || Path("assignments".to_owned());
    routing::put(move |api: State<ApiState>, write: Write<WriteGroups>, body: Body| {
        groups::save(api, write, id(), body)
    })
    .patch(move |api: State<ApiState>, write: Write<WriteGroups>, body: Body| groups::patch(api, write, id(), body))
    .delete(move |api: State<ApiState>, write: Write<WriteGroups>| groups::delete(api, write, id()))
}
