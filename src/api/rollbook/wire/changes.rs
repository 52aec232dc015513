//! Changes in responses (docs/rollbook.md, section 11).

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::address;
use crate::domain::caller::{Caller, Permission as _, ReadUsers};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result};
use crate::domain::history::{self, State, Subject};
use crate::domain::visible_states::VisibleStates;
use crate::http::response::json::StoredXp;

use super::names::{Actor, NamedClient, NamedGroup, NamedUser};
use super::{date, visible};

/// One change of the directory.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467.0", "type": "group.updated", "time": "2026-06-04T20:35:36.38Z",
    "operation": "01977f2e-5a3c-7000-8000-0123456789ab", "channel": "rollbook", "reason": "New name since the move",
    "actor": {
        "user": { "uid": 1, "id": "root", "username": "root" },
        "client": { "id": "console", "name": "Console" },
        "operator": null,
    },
    "group": { "uid": 7, "id": "support", "name": "Support team" }, "user": null, "client": null, "token": null,
    "key": null, "changed": ["labels.it"], "before": null, "after": null,
    "undoes": null,
}))]
pub(in crate::api::rollbook) struct Change {
    /// The identity. Of two changes of one entity, the later one has the higher number before the dot, or the same one
    /// and the higher index behind it.
    #[schema(example = "184467.0")]
    pub id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "membership.added")]
    pub kind: &'static str,
    /// When it was done.
    #[schema(format = DateTime)]
    pub time: String,
    /// The operation, of which all changes have the same one.
    pub operation: String,
    /// The way by which the operation came: `core`, `ordercloud`, `rollbook`, `console`, `cli`, `import` or `server`.
    #[schema(example = "rollbook")]
    pub channel: &'static str,
    /// Why it was done, if the caller said so.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: Actor,
    /// The group concerned.
    pub group: Option<NamedGroup>,
    /// The user concerned.
    pub user: Option<NamedUser>,
    /// The client concerned.
    pub client: Option<NamedClient>,
    /// The long-lived token concerned.
    pub token: Option<NamedToken>,
    /// The signing key concerned.
    pub key: Option<NamedKey>,
    /// The fields that differ between `before` and `after`.
    #[schema(example = json!(["labels.it"]))]
    pub changed: Vec<String>,
    /// The entity before the change, without counts and the data of sign-ins; null for memberships and keys.
    #[schema(value_type = Option<Object>)]
    pub before: Option<EntityState>,
    /// The entity after the change.
    #[schema(value_type = Option<Object>)]
    pub after: Option<EntityState>,
    /// The operation that the change undoes.
    pub undoes: Option<String>,
}

/// A long-lived token.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct NamedToken {
    id: String,
    #[schema(example = "okta")]
    name: String,
}

/// A signing key.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct NamedKey {
    kid: String,
}

/// An entity as it was, without counts and the data of sign-ins.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::api::rollbook) enum EntityState {
    Group(GroupState),
    User(UserState),
    Client(ClientState),
    Token(TokenState),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct GroupState {
    uid: i64,
    id: String,
    name: String,
    labels: Box<RawValue>,
    description: Option<String>,
    xp: StoredXp,
    communities: Vec<String>,
    version: i64,
    created: String,
    updated: String,
    deleted: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct UserState {
    uid: i64,
    id: String,
    username: String,
    first_name: String,
    last_name: String,
    email: String,
    phone: Option<String>,
    active: bool,
    terms_accepted: Option<String>,
    password_set: bool,
    xp: StoredXp,
    roles: Vec<&'static str>,
    communities: Vec<String>,
    version: i64,
    created: String,
    updated: String,
    deleted: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct ClientState {
    id: String,
    name: String,
    roles: Vec<&'static str>,
    communities: Vec<String>,
    user: Option<String>,
    enabled: bool,
    access_minutes: i64,
    refresh_minutes: i64,
    refresh_rotation: bool,
    strict_members: bool,
    max_removal_percent: Option<i64>,
    version: i64,
    created: String,
    updated: String,
    deleted: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct TokenState {
    id: String,
    name: String,
    created: String,
    expires: String,
    deleted: Option<String>,
}

impl Change {
    /// The change as the caller sees it: only their own communities of a group, and of users numbers and IDs alone if no
    /// role of theirs reads users.
    pub(in crate::api::rollbook) fn new(change: &history::Change, caller: &Caller) -> Result<Self> {
        let reads_users = caller.roles.intersects(ReadUsers::ROLES);
        let seen = VisibleStates::new(change, caller);
        let state = |state: Option<&State>| state.map(|state| EntityState::new(state, &caller.visibility)).transpose();
        let (before, after) = (state(seen.before)?, state(seen.after)?);
        let own_token = match (&change.subject, change.after.as_ref().or(change.before.as_ref())) {
            (Subject::Token(_), Some(State::Token(token))) => {
                Some(NamedToken { id: token.fields.id.clone(), name: token.fields.name.clone() })
            }
            _ => None,
        };
        let key = match &change.subject {
            Subject::Key(kid) => Some(NamedKey { kid: kid.clone() }),
            _ => None,
        };
        Ok(Self {
            id: change.id.to_string(),
            kind: change.kind.name(),
            time: date(change.time),
            operation: change.operation.clone(),
            channel: change.channel.name(),
            reason: change.reason.clone(),
            actor: Actor::new(&change.actor, reads_users),
            group: change.group.as_ref().map(NamedGroup::new),
            user: change.user.as_ref().map(|user| NamedUser::new(user, reads_users)),
            client: change.client.as_ref().map(NamedClient::new),
            token: own_token,
            key,
            changed: seen.changed,
            before,
            after,
            undoes: change.undoes.clone(),
        })
    }
}

impl Change {
    /// What the change was done to, as a path below `/rollbook/v1`.
    pub(in crate::api::rollbook) fn subject(&self) -> String {
        let Self { group, user, client, token, key, .. } = self;
        match (token, key, group, user, client) {
            (Some(token), ..) => format!("tokens/{}", token.id),
            (_, Some(key), ..) => format!("keys/{}", key.kid),
            (_, _, Some(group), Some(user), _) => format!("groups/uid:{}/members/uid:{}", group.uid, user.uid),
            (_, _, Some(group), ..) => format!("groups/uid:{}", group.uid),
            (_, _, _, Some(user), _) => format!("users/uid:{}", user.uid),
            (.., Some(client)) => format!("clients/{}", client.id),
            _ => "directory".to_owned(),
        }
    }
}

impl EntityState {
    fn new(state: &State, visibility: &Visibility) -> Result<Self> {
        Ok(match state {
            State::Group(group) => {
                let fields = &group.fields;
                Self::Group(GroupState {
                    uid: group.uid,
                    id: fields.id.to_string(),
                    name: group.name.clone(),
                    labels: RawValue::from_string(fields.labels.to_string()).map_err(Error::internal)?,
                    description: fields.description.clone(),
                    xp: StoredXp::or_empty(fields.xp.as_ref()),
                    communities: visible(&fields.communities, visibility),
                    version: group.version,
                    created: date(group.created),
                    updated: date(group.updated),
                    deleted: group.deleted.map(date),
                })
            }
            State::User(user) => {
                let fields = &user.fields;
                Self::User(UserState {
                    uid: user.uid,
                    id: fields.id.to_string(),
                    username: fields.username.clone(),
                    first_name: fields.first_name.clone(),
                    last_name: fields.last_name.clone(),
                    email: fields.email.clone(),
                    phone: fields.phone.clone(),
                    active: fields.active,
                    terms_accepted: fields.terms_accepted.map(date),
                    password_set: fields.password_set.is_some(),
                    xp: StoredXp::or_empty(fields.xp.as_ref()),
                    roles: fields.roles.names().collect(),
                    communities: visible(&fields.communities, visibility),
                    version: user.version,
                    created: date(user.created),
                    updated: date(user.updated),
                    deleted: user.deleted.map(date),
                })
            }
            State::Client(client) => {
                let fields = &client.fields;
                Self::Client(ClientState {
                    id: fields.id.clone(),
                    name: fields.name.clone(),
                    roles: fields.roles.names().collect(),
                    communities: visible(&fields.communities, visibility),
                    user: fields.user.map(address::of_number),
                    enabled: fields.enabled,
                    access_minutes: fields.access_minutes,
                    refresh_minutes: fields.refresh_minutes,
                    refresh_rotation: fields.refresh_rotation,
                    strict_members: fields.strict_members,
                    max_removal_percent: fields.max_removal_percent,
                    version: client.version,
                    created: date(client.created),
                    updated: date(client.updated),
                    deleted: client.deleted.map(date),
                })
            }
            State::Token(token) => Self::Token(TokenState {
                id: token.fields.id.clone(),
                name: token.fields.name.clone(),
                created: date(token.created),
                expires: date(token.fields.expires),
                deleted: token.deleted.map(date),
            }),
        })
    }
}

/// A part of a history or of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Changes {
    /// The changes.
    pub changes: Vec<Change>,
    /// The value of `after` that goes on from here; null if nothing was ever there.
    #[schema(example = "AVY4pxSHAQ4")]
    pub next: Option<String>,
    /// Whether there may be more now.
    #[schema(example = false)]
    pub more: bool,
}

/// Every uninterrupted membership of a user in a group.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Spells {
    /// The spells, the latest first; at most 1,000.
    pub spells: Vec<Spell>,
}

/// One uninterrupted membership.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "start": "2026-03-01T08:00:00Z", "end": null, "added": { "id": "184467.0", "type": "membership.added" }, "ended": null,
}))]
pub(in crate::api::rollbook) struct Spell {
    /// When it began.
    #[schema(format = DateTime)]
    start: String,
    /// When it ended; null if it lasts.
    #[schema(format = DateTime)]
    end: Option<String>,
    /// The change that began it; null if it is no longer kept.
    added: Option<Change>,
    /// The change that ended it.
    ended: Option<Change>,
}

impl Spell {
    /// The spell as the caller sees it.
    pub(in crate::api::rollbook) fn new(spell: &history::Spell, caller: &Caller) -> Result<Self> {
        let change =
            |change: &Option<history::Change>| change.as_ref().map(|change| Change::new(change, caller)).transpose();
        Ok(Self {
            start: date(spell.start),
            end: spell.end.map(date),
            added: change(&spell.added)?,
            ended: change(&spell.ended)?,
        })
    }
}
