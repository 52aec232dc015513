//! Erased users in responses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::erasure::Erased;

/// What cannot be taken back.
const NOTE: &str = "An erasure cannot be undone. Backups of the database still hold the user: they are the operator's. \
                    Reasons given with changes are kept as they are.";

/// An erased user, or one who would be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct ErasedUser {
    user: Numbered,
    /// Whether nothing was changed.
    #[schema(example = false)]
    dry_run: bool,
    /// The number of journal entries whose state of the user is emptied.
    #[schema(example = 14)]
    changes: u64,
    /// What cannot be taken back.
    #[schema(example = "An erasure cannot be undone.")]
    note: &'static str,
}

/// What stays of the user.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Numbered {
    /// The number.
    #[schema(example = 12)]
    uid: i64,
}

impl ErasedUser {
    /// The response about the user.
    pub(in crate::api::rollbook) fn new(erased: &Erased, dry_run: bool) -> Self {
        Self { user: Numbered { uid: erased.uid }, dry_run, changes: erased.changes, note: NOTE }
    }
}
