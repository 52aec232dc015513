//! The operation that erases a user (docs/rollbook.md, section 13).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::domain::address;
use crate::domain::answer::Answer;
use crate::domain::caller::EraseUsers;
use crate::domain::erasure::Erased;
use crate::domain::journal::Channel;
use crate::http::request::extract::{Path, Query};
use crate::http::request::write::Write;
use crate::http::{ApiState, Failure};

use super::parameters;
use super::wire::ErasedUser;

/// Erase a user
///
/// Deletes the user if they are not deleted, and empties every personal field of theirs for good: in their row, in all
/// recorded changes and answers, and in the indexes. That the changes happened, and of which number, stays. This cannot be
/// undone. The answer comes when all is done.
#[utoipa::path(
    post,
    path = "/rollbook/v1/users/{user}/erase",
    operation_id = "users.erase",
    tag = "Users",
    params(
        ("user" = String, Path, description = "`uid:` and the number, ID in any case, or `username:` and the username", example = "uid:12"),
        ("dryRun" = Option<bool>, Query, description = "Tell what would happen, and change nothing", example = true),
    ),
    responses((status = 200, description = "The number that stays, and how many changes were emptied", body = ErasedUser))
)]
pub(super) async fn erase(
    State(api): State<ApiState>,
    write: Write<EraseUsers>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &["dryRun"])?;
    let (service, key) = (&api.service, address::user(&address)?);
    if parameters::flag(&query, "dryRun")? {
        let erased = service.preview_erasure(write.permit(), &key).await?;
        return Ok(Answer::json(StatusCode::OK, &ErasedUser::new(&erased, true))?.into_response());
    }
    let shown = |_: Channel, erased: &Erased| Answer::json(StatusCode::OK, &ErasedUser::new(erased, false));
    write.respond(shown, |permit| async move { service.erase_user(&permit, &key).await }).await
}
