//! The three operations on user group assignments (docs/ordercloud.md, section 7).

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{self, MethodRouter};

use crate::domain::error::{Kind, Result};
use crate::domain::members::Members;
use crate::domain::membership::Membership;
use crate::domain::query::Listed;
use crate::domain::role::{Permit, ReadGroups, WriteGroups};
use crate::http::answer::Answer;
use crate::http::extract::{Body, Path, Query};
use crate::http::{Api, Failure};

use super::wire::{ListPage, UserGroupAssignment};
use super::{bodies, groups, known_id, list as lists};

/// List user group assignments
///
/// Ordered by user group ID, then user ID. The parameters take plain IDs, no operators; other parameters than these
/// are ignored.
#[utoipa::path(
    get,
    path = "/v1/usergroups/assignments",
    operation_id = "AdminUserGroups.ListUserAssignments",
    tag = "Admin User Groups",
    params(
        ("userGroupID" = Option<String>, Query, description = "Only those of this user group", example = "support"),
        ("userID" = Option<String>, Query, description = "Only those of this user", example = "ada"),
        ("page" = Option<u32>, Query, description = "Which page; 1 if left out", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Items on a page; 20 if left out", minimum = 1, maximum = 100, example = 20),
    ),
    responses((status = 200, description = "One page of assignments", body = ListPage<UserGroupAssignment>))
)]
pub async fn list(
    State(api): State<Api>,
    permit: Permit<ReadGroups>,
    Query(parameters): Query,
) -> Result<Answer<ListPage<UserGroupAssignment>>, Failure> {
    let (page, query) = lists::assignment_query(&parameters)?;
    let listed = match query {
        Some(query) => api.service.list_memberships(&permit, query).await?,
        None => Listed { items: Vec::new(), total: 0 },
    };
    Ok(Answer(ListPage::new(page, listed)))
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
pub async fn save(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Body(members): Body,
) -> Result<StatusCode, Failure> {
    let member = bodies::assignment(Members::required(members)?)?;
    api.service.add_member(&permit, member).await?;
    Ok(StatusCode::NO_CONTENT)
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
pub async fn delete(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Path((group, user)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let member = Membership { group: known_id(Kind::Group, group)?, user: known_id(Kind::User, user)? };
    api.service.remove_member(&permit, member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The group whose ID is `assignments`: its path is that of the assignments, which take GET and POST alone.
pub fn of_their_namesake() -> MethodRouter<Api> {
    let id = || Path("assignments".to_owned());
    routing::put(move |api: State<Api>, permit: Permit<WriteGroups>, body: Body| groups::save(api, permit, id(), body))
        .patch(move |api: State<Api>, permit: Permit<WriteGroups>, body: Body| groups::patch(api, permit, id(), body))
        .delete(move |api: State<Api>, permit: Permit<WriteGroups>| groups::delete(api, permit, id()))
}
