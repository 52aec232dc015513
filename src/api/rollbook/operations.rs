//! Operations, and undoing them (docs/rollbook.md, section 15).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadChanges, UndoChanges};
use crate::domain::journal::Channel;
use crate::domain::undo::{OnConflict, UndoOptions, UndoOutcome};
use crate::http::request::error::{ListError, Result};
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure, lists};
use crate::service::undo::UndoSelection;

use super::bodies::{UndoFilter, nothing};
use super::parameters;
use super::wire::{Operation, Undone};

/// Get an operation
///
/// What one request, command or batch of an import did: its changes, the oldest first. `next` is null on the last page.
/// Callers limited to communities get the changes of groups that they may see now.
#[utoipa::path(
    get,
    path = "/rollbook/v1/operations/{operation}",
    operation_id = "operations.get",
    tag = "Changes",
    params(
        ("operation" = String, Path, description = "ID of the operation, as changes have it", example = "01977f2e-5a3c-7000-8000-0123456789ab"),
        ("limit" = Option<u32>, Query, description = "Changes on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
    ),
    responses((status = 200, description = "The operation", body = Operation))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadChanges>,
    Path(id): Path<String>,
    Query(query): Query,
) -> Result<JsonResponse<Operation>, Failure> {
    parameters::check_names(&query, &["limit", "after"])?;
    let cursors = FeedCursors::of(api.service.directory());
    let (after, limit) = (parameters::position(&query, &cursors)?, parameters::limit(&query)?);
    let page = api.service.changes_of_operation(&permit, &id, after, limit).await?;
    let next = page.next.as_ref().filter(|_| page.more).map(|position| cursors.encode(position));
    Ok(JsonResponse(Operation::new(id, &page, next, permit.caller())?))
}

/// Undo an operation
///
/// Undoes every change of the operation, the newest first, in one transaction. With `dryRun=true`, tells what would become
/// of each change, and changes nothing. If a change cannot be undone, because the same field was changed since, nothing is
/// undone, unless `onConflict=skip`. The undo is an operation as well and can be undone.
#[utoipa::path(
    post,
    path = "/rollbook/v1/operations/{operation}/undo",
    operation_id = "operations.undo",
    tag = "Changes",
    params(
        ("operation" = String, Path, description = "ID of the operation, as changes have it", example = "01977f2e-5a3c-7000-8000-0123456789ab"),
        ("dryRun" = Option<bool>, Query, description = "Whether to only tell what would happen", example = true),
        ("onConflict" = Option<String>, Query, description = "`fail` (also without it) or `skip`", example = "fail"),
    ),
    responses((status = 200, description = "What became of the changes", body = Undone))
)]
pub(super) async fn undo(
    State(api): State<ApiState>,
    write: Write<UndoChanges>,
    Path(id): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let options = options(&query)?;
    nothing(fields)?;
    let service = &api.service;
    write.respond(answer, |permit| async move { service.undo_operation(&permit, &id, options).await }).await
}

/// Undo what a filter finds
///
/// Undoes all changes that the body selects, as `operations.undo` does: for example all that one client did since ten
/// o'clock. At most 100,000 changes are undone at once. Each batch of an import is an operation of its own, so an import is
/// undone by its channel and time.
#[utoipa::path(
    post,
    path = "/rollbook/v1/undo",
    operation_id = "operations.undoSelected",
    tag = "Changes",
    params(
        ("dryRun" = Option<bool>, Query, description = "Whether to only tell what would happen", example = true),
        ("onConflict" = Option<String>, Query, description = "`fail` (also without it) or `skip`", example = "fail"),
    ),
    request_body(
        content = UndoFilter,
        content_type = "application/json",
        example = json!({ "channel": "import", "since": "2026-03-01T10:00:00Z" }),
    ),
    responses((status = 200, description = "What became of the changes", body = Undone))
)]
pub(super) async fn undo_selected(
    State(api): State<ApiState>,
    write: Write<UndoChanges>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    let options = options(&query)?;
    let pairs = UndoFilter::read(fields)?;
    let filter = lists::selected_changes(&api.service, write.permit(), &pairs).await;
    let filter = filter.map_err(UndoFilter::violation)?;
    let span = parameters::span(&pairs).map_err(UndoFilter::violation)?;
    let service = &api.service;
    let undo = |permit| async move { service.undo(&permit, UndoSelection { filter, span }, options).await };
    write.respond(answer, undo).await
}

fn options(query: &[(String, String)]) -> Result<UndoOptions> {
    parameters::check_names(query, &["dryRun", "onConflict"])?;
    let on_conflict = match parameters::value(query, "onConflict")? {
        None | Some("fail") => OnConflict::Fail,
        Some("skip") => OnConflict::Skip,
        Some(_) => return Err(ListError::Type("onConflict".to_owned()).into()),
    };
    Ok(UndoOptions { dry_run: parameters::flag(query, "dryRun")?, on_conflict })
}

fn answer(_channel: Channel, outcome: &UndoOutcome) -> crate::domain::Result<Answer> {
    Answer::json(StatusCode::OK, &Undone::new(outcome))
}
