//! Sign-ins in responses (docs/rollbook.md, section 12).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::sign_in::RecordedSignIn;

use super::date;
use super::names::{Actor, NamedClient, NamedUser};

/// One sign-in, or several with unknown names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467", "type": "sign_in.failed", "time": "2026-06-04T20:35:36.38Z", "channel": "ordercloud",
    "actor": { "user": null, "client": null, "operator": null },
    "user": { "uid": 12, "id": "ada", "username": "ada" }, "client": { "id": "console", "name": "Console" },
    "source": "192.0.2.7", "count": 1, "reason": "wrong password",
}))]
pub(in crate::api::rollbook) struct SignIn {
    /// The identity.
    #[schema(example = "184467")]
    id: String,
    /// How it ended: `sign_in.succeeded`, `sign_in.failed`, or `sign_in.locked` if it was refused and the user is locked
    /// out.
    #[serde(rename = "type")]
    #[schema(example = "sign_in.failed")]
    kind: &'static str,
    /// When; of several attempts with unknown names, the first.
    #[schema(format = DateTime)]
    time: String,
    /// The way by which it came: `core` or `ordercloud`.
    #[schema(example = "ordercloud")]
    channel: &'static str,
    /// Who signed in; all are null if it was refused.
    actor: Actor,
    /// The user, by the present name; null for a client that signs in for itself, and for an unknown name.
    user: Option<NamedUser>,
    /// The client, by the present name; null for a log-on without one, and for an unknown `client_id`.
    client: Option<NamedClient>,
    /// The address of the client's connection.
    #[schema(example = "192.0.2.7")]
    source: Option<String>,
    /// The number of attempts: 1, or those with unknown names of one minute and source.
    #[schema(example = 1)]
    count: i64,
    /// Why it was refused; null if it was not.
    #[schema(example = "wrong password")]
    reason: Option<String>,
}

impl SignIn {
    /// The sign-in as a caller sees it who does or does not read users.
    pub(in crate::api::rollbook) fn new(sign_in: &RecordedSignIn, reads_users: bool) -> Self {
        Self {
            id: sign_in.seq.to_string(),
            kind: sign_in.kind.name(),
            time: date(sign_in.at),
            channel: sign_in.channel.name(),
            actor: Actor::new(&sign_in.actor(), reads_users),
            user: sign_in.user.as_ref().map(|user| NamedUser::new(user, reads_users)),
            client: sign_in.client.as_ref().map(NamedClient::new),
            source: sign_in.source.clone(),
            count: sign_in.count,
            reason: sign_in.reason.clone(),
        }
    }
}

/// A part of the sign-ins.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct SignIns {
    /// The sign-ins.
    pub changes: Vec<SignIn>,
    /// The value of `after` that goes on from here; null if nothing was ever there.
    #[schema(example = "AVY4pxSHAQ4")]
    pub next: Option<String>,
    /// Whether there may be more now.
    #[schema(example = false)]
    pub more: bool,
}
