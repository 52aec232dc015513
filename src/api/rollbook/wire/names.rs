//! Groups, users and clients by name, and who made a change (docs/rollbook.md, sections 6 and 11).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor;
use crate::domain::history;

/// Who made a change. All are null for a change that the server made by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Actor {
    /// The user who acted.
    user: Option<NamedUser>,
    /// The client whose token was used.
    client: Option<NamedClient>,
    /// The person at the command line.
    operator: Option<Operator>,
}

/// A group by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct NamedGroup {
    /// The number, which is never changed and never given again.
    #[schema(example = 7)]
    pub uid: i64,
    /// Unique among the groups that are not deleted, without regard to case.
    #[schema(example = "support")]
    pub id: String,
    /// The label in the default language of the directory, or else the first label.
    #[schema(example = "Support team")]
    pub name: String,
}

/// A user by name. Callers without a role that reads users get the number and the ID alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct NamedUser {
    #[schema(example = 12)]
    pub uid: i64,
    #[schema(example = "ada")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ada")]
    username: Option<String>,
}

/// A client by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct NamedClient {
    /// The `client_id`.
    #[schema(example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")]
    pub id: String,
    #[schema(example = "Console")]
    name: String,
}

/// The person at the command line.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Operator {
    /// The name of the operating system's user.
    #[schema(example = "root")]
    user: String,
    /// The name of the machine.
    #[schema(example = "dir-01")]
    host: String,
}

impl Actor {
    /// The actor as a caller sees them who does or does not read users.
    pub(in crate::api::rollbook) fn new(actor: &actor::NamedActor, reads_users: bool) -> Self {
        let operator = actor.operator.as_ref();
        Self {
            user: actor.user.as_ref().map(|user| NamedUser::new(user, reads_users)),
            client: actor.client.as_ref().map(NamedClient::new),
            operator: operator.map(|own| Operator { user: own.user.clone(), host: own.host.clone() }),
        }
    }
}

impl NamedGroup {
    /// The group of a change.
    pub(in crate::api::rollbook) fn new(group: &history::NamedGroup) -> Self {
        Self { uid: group.uid, id: group.id.clone(), name: group.name.clone() }
    }
}

impl NamedUser {
    /// The user as a caller sees them who does or does not read users.
    pub(in crate::api::rollbook) fn new(user: &actor::NamedUser, reads_users: bool) -> Self {
        Self { uid: user.uid, id: user.id.clone(), username: reads_users.then(|| user.username.clone()) }
    }
}

impl NamedClient {
    /// The client by name.
    pub(in crate::api::rollbook) fn new(client: &actor::NamedClient) -> Self {
        Self { id: client.id.clone(), name: client.name.clone() }
    }
}
