//! The operations that undo a deletion (docs/rollbook.md, section 10).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::address;
use crate::domain::answer::Answer;
use crate::domain::caller::{WriteGroups, WriteUsers};
use crate::domain::group;
use crate::domain::journal::Channel;
use crate::domain::restore::Restored;
use crate::domain::user;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::write::Write;
use crate::http::{ApiState, Failure};

use super::bodies::{GroupRestore, UserRestore};
use super::wire::{RestoredGroup, RestoredUser};
use super::{groups, parameters, users};

/// Restore a group
///
/// Undoes a deletion: the group has its number, ID, labels, `xp` and communities again, and every member who is not
/// deleted. If another group has its ID by now, the error proposes one that is free.
#[utoipa::path(
    post,
    path = "/rollbook/v1/groups/{group}/restore",
    operation_id = "groups.restore",
    tag = "Groups",
    params(("group" = String, Path, description = "`uid:` and the number of a deleted group", example = "uid:7")),
    request_body(
        content = Option<GroupRestore>,
        content_type = "application/json",
        example = json!({ "id": "support-2" }),
    ),
    responses((status = 200, description = "The group, and what became of its members", body = RestoredGroup))
)]
pub(super) async fn group(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::group(&address)?;
    let GroupRestore { id } = GroupRestore::read(fields)?;
    let (service, visibility) = (&api.service, write.permit().caller().visibility.clone());
    let shown = move |channel: Channel, restored: &Restored<group::Group>| {
        let answer = Answer::json(StatusCode::OK, &RestoredGroup::new(restored, &visibility)?)?;
        Ok(answer.tagged(groups::tag(channel, &restored.entity)))
    };
    write.respond(shown, |permit| async move { service.restore_group(&permit, key, id).await }).await
}

/// Restore a user
///
/// Undoes a deletion: the user has their number, ID, username, fields, roles and communities again, and is in every group
/// that is not deleted. They have no password, and their former tokens stay ended. If another user has the ID by now, the
/// error proposes one that is free.
#[utoipa::path(
    post,
    path = "/rollbook/v1/users/{user}/restore",
    operation_id = "users.restore",
    tag = "Users",
    params(("user" = String, Path, description = "`uid:` and the number of a deleted user", example = "uid:12")),
    request_body(
        content = Option<UserRestore>,
        content_type = "application/json",
        example = json!({ "username": "ada.lovelace" }),
    ),
    responses((status = 200, description = "The user, and what became of their groups", body = RestoredUser))
)]
pub(super) async fn user(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::user(&address)?;
    let new = UserRestore::read(fields)?;
    let (service, visibility) = (&api.service, write.permit().caller().visibility.clone());
    let shown = move |channel: Channel, restored: &Restored<user::User>| {
        let answer = Answer::json(StatusCode::OK, &RestoredUser::new(restored, &visibility))?;
        Ok(answer.tagged(users::tag(channel, &restored.entity, Some(restored.memberships.returned))))
    };
    write.respond(shown, |permit| async move { service.restore_user(&permit, key, new).await }).await
}
