//! Undone changes in responses (docs/rollbook.md, section 15).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::undo::{UndoOutcome, UndoneChange};

/// What became of the changes of an undo.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "operation": "01977f2e-5a3c-7000-8000-0123456789ab", "dryRun": false, "undone": 2, "nothingToDo": 0, "conflicts": 0,
    "changes": [
        { "id": "184468.0", "result": "undone", "detail": null },
        { "id": "184467.0", "result": "undone", "detail": null },
    ],
}))]
pub(in crate::api::rollbook) struct Undone {
    /// The operation of the undo, which can be undone as well; null if nothing was written.
    operation: Option<String>,
    /// Whether nothing was to be changed.
    dry_run: bool,
    /// How many changes were undone, or would be.
    undone: u64,
    /// How many have no effect any more.
    nothing_to_do: u64,
    /// How many could not be undone.
    conflicts: u64,
    /// The first thousand changes: those that could not be undone before the others, each the newest first.
    changes: Vec<UndoneResult>,
}

/// What became of one change.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct UndoneResult {
    /// The change.
    id: String,
    /// `undone`, `nothing_to_do`, `conflict` or `impossible`.
    #[schema(example = "conflict")]
    result: &'static str,
    /// With `conflict`, the fields that were changed since; with `impossible`, the reason.
    #[schema(example = "labels.it")]
    detail: Option<String>,
}

impl Undone {
    /// The outcome.
    pub(in crate::api::rollbook) fn new(outcome: &UndoOutcome) -> Self {
        Self {
            operation: outcome.operation.clone(),
            dry_run: outcome.dry_run,
            undone: outcome.undone,
            nothing_to_do: outcome.nothing_to_do,
            conflicts: outcome.conflicts,
            changes: outcome.changes.iter().map(UndoneResult::new).collect(),
        }
    }
}

impl UndoneResult {
    fn new(UndoneChange { id, result }: &UndoneChange) -> Self {
        Self { id: id.to_string(), result: result.name(), detail: result.detail() }
    }
}
