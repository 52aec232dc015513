//! Operations in responses (docs/rollbook.md, section 15).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::domain::history::FeedPage;

use super::Change;
use super::names::Actor;

/// What one request, command or batch of an import did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01977f2e-5a3c-7000-8000-0123456789ab", "time": "2026-06-04T20:35:36.38Z", "channel": "rollbook",
    "actor": {
        "user": { "uid": 1, "id": "root", "username": "root" },
        "client": { "id": "console", "name": "Console" },
        "operator": null,
    },
    "reason": "New name since the move", "changes": [], "next": null,
}))]
pub(in crate::api::rollbook) struct Operation {
    id: String,
    /// When it was done; null on a page without changes.
    #[schema(format = DateTime)]
    time: Option<String>,
    /// The way by which it came.
    #[schema(example = "rollbook")]
    channel: Option<&'static str>,
    /// Who did it.
    actor: Option<Actor>,
    /// Why it was done, if the caller said so.
    reason: Option<String>,
    /// The changes of the page, the oldest first.
    changes: Vec<Change>,
    /// The value of `after` for the next page; null on the last page.
    #[schema(example = "AVY4pxSH")]
    next: Option<String>,
}

impl Operation {
    /// The operation as the caller sees it. What its changes have in common is that of the first one. Fails if stored labels
    /// are not JSON.
    pub(in crate::api::rollbook) fn new(
        id: String,
        page: &FeedPage,
        next: Option<String>,
        caller: &Caller,
    ) -> Result<Self> {
        let changes = page.changes.iter().map(|change| Change::new(&change.change, caller));
        let changes: Vec<_> = changes.collect::<Result<_>>()?;
        let first = changes.first();
        Ok(Self {
            id,
            time: first.map(|change| change.time.clone()),
            channel: first.map(|change| change.channel),
            actor: first.map(|change| change.actor.clone()),
            reason: first.and_then(|change| change.reason.clone()),
            changes,
            next,
        })
    }
}
