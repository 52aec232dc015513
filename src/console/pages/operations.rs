//! Undoing what one operation did.

use axum::extract::State;

use crate::domain::caller::UndoChanges;
use crate::domain::undo::{OnConflict, UndoOptions};
use crate::http::ApiState;
use crate::http::request::extract::Path;

use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::messages::operation as t;

/// Undoes all changes of the operation, or none if one of them cannot be undone, and leads back to the page it was asked
/// from. The undo can be undone as well.
pub(in crate::console) async fn undo(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&visit.browser.page));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<UndoChanges>(&operation, fields.reason()?)?;
    let options = UndoOptions { dry_run: false, on_conflict: OnConflict::Fail };
    let outcome = api.service.undo_operation(&permit, &id, options).await?;
    let text = t::undone(outcome.undone, outcome.nothing_to_do);
    let done = if outcome.operation.is_some() { Done::undoable(text, operation) } else { Done::new(text) };
    Ok(see(&visit.browser.page, &done))
}
