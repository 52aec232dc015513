//! Members of groups and groups of users in responses (docs/rollbook.md, section 6).

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor::NamedActor;
use crate::domain::address;
use crate::domain::caller::{Caller, ReadUsers};
use crate::domain::membership;
use crate::domain::user::User;

use super::date;
use super::names::{Actor, NamedGroup};

/// Who reads memberships: what they see of users, and who gave the memberships.
pub(in crate::api::rollbook) struct Reader<'a> {
    /// Whether the reader has a role that reads users.
    sees_users: bool,
    /// Who gave the memberships, by the number of the journal entry.
    actors: &'a HashMap<i64, NamedActor>,
}

impl<'a> Reader<'a> {
    /// The caller as the reader of memberships that these actors gave.
    pub(in crate::api::rollbook) fn new(caller: &Arc<Caller>, actors: &'a HashMap<i64, NamedActor>) -> Self {
        Self { sees_users: caller.permit::<ReadUsers>().is_ok(), actors }
    }

    fn actor(&self, change: Option<i64>) -> Option<Actor> {
        self.actors.get(&change?).map(|actor| Actor::new(actor, self.sees_users))
    }
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "user": {
        "uid": 12, "id": "ada", "username": "ada", "firstName": "Ada", "lastName": "Lindqvist",
        "email": "ada@example.org", "active": true,
    },
    "since": "2026-06-04T20:35:36.38Z",
    "addedBy": {
        "user": { "uid": 1, "id": "root", "username": "root" },
        "client": { "id": "01m803t4txf41vj7470n0wg2jh", "name": "Entra" }, "operator": null,
    },
}))]
pub(in crate::api::rollbook) struct Member {
    user: MemberUser,
    /// When the user was added.
    #[schema(format = DateTime)]
    since: String,
    /// Who added the user, by their present names; null if that is not known.
    added_by: Option<Actor>,
}

impl Member {
    /// The member as the reader sees them.
    pub(in crate::api::rollbook) fn new(member: &membership::Member, reader: &Reader<'_>) -> Self {
        Self {
            user: MemberUser::new(&member.user, reader.sees_users),
            since: date(member.since),
            added_by: reader.actor(member.change),
        }
    }
}

/// A user in a list of members. Callers without a role that reads users get the number and the ID alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MemberUser {
    /// The number, which is never changed and never given again.
    uid: i64,
    /// Unique among the users that are not deleted, without regard to case.
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// Whether the user may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

impl MemberUser {
    fn new(user: &User, sees_users: bool) -> Self {
        let fields = &user.fields;
        let seen = |text: &String| sees_users.then(|| text.clone());
        Self {
            uid: user.uid,
            id: fields.id.to_string(),
            username: seen(&fields.username),
            first_name: seen(&fields.first_name),
            last_name: seen(&fields.last_name),
            email: seen(&fields.email),
            active: sees_users.then_some(fields.active),
        }
    }
}

/// A group that a user is in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "group": { "uid": 7, "id": "support", "name": "Support team" },
    "since": "2026-06-04T20:35:36.38Z",
    "addedBy": { "user": null, "client": null, "operator": { "user": "root", "host": "dir-01" } },
}))]
pub(in crate::api::rollbook) struct JoinedGroup {
    group: NamedGroup,
    /// When the user was added.
    #[schema(format = DateTime)]
    since: String,
    /// Who added the user, by their present names; null if that is not known.
    added_by: Option<Actor>,
}

impl JoinedGroup {
    /// The group as the reader sees it.
    pub(in crate::api::rollbook) fn new(joined: &membership::JoinedGroup, reader: &Reader<'_>) -> Self {
        let group = &joined.group;
        Self {
            group: NamedGroup { uid: group.uid, id: group.fields.id.to_string(), name: group.name.clone() },
            since: date(joined.since),
            added_by: reader.actor(joined.change),
        }
    }
}

/// What a change of members did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "added": 2, "removed": 1, "unchanged": 0, "unknown": [] }))]
pub(in crate::api::rollbook) struct MembersChange {
    /// The number of users who were added.
    added: u64,
    /// The number of members who were removed.
    removed: u64,
    /// The number of named users who already were what the change makes them.
    unchanged: u64,
    /// The addresses that no user has, with `unknown=ignore`.
    unknown: Vec<String>,
}

impl From<&membership::MembersOutcome> for MembersChange {
    fn from(outcome: &membership::MembersOutcome) -> Self {
        Self {
            added: outcome.added,
            removed: outcome.removed,
            unchanged: outcome.unchanged,
            unknown: outcome.unknown.iter().map(address::of_user).collect(),
        }
    }
}
