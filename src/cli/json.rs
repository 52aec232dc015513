//! The JSON objects that commands print with `--json`: one for each line, with the names of properties that the APIs of
//! Rollbook use.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::domain::actor::NamedActor;
use crate::domain::changed_fields::changed_fields;
use crate::domain::client::Client;
use crate::domain::group::Group;
use crate::domain::history::Change;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::membership::{JoinedGroup, Member};
use crate::domain::sign_in::RecordedSignIn;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::service::tokens::KeyStatus;

/// Prints the object as one line on standard output.
pub(super) fn print(object: &impl Serialize) -> anyhow::Result<()> {
    let line = serde_json::to_string(object)?;
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// A user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserObject<'a> {
    uid: i64,
    id: String,
    username: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    phone: Option<&'a str>,
    active: bool,
    terms_accepted: Option<String>,
    password_set: bool,
    xp: Option<&'a RawValue>,
    roles: Vec<&'static str>,
    communities: Vec<String>,
    locked_until: Option<String>,
    failed_sign_ins: i64,
    last_active: Option<String>,
    version: i64,
    created: String,
    updated: String,
}

/// The user as an object. Fails if the stored xp is no JSON.
pub(super) fn user(user: &User) -> anyhow::Result<impl Serialize> {
    let fields = &user.fields;
    Ok(UserObject {
        uid: user.uid,
        id: fields.id.to_string(),
        username: &fields.username,
        first_name: &fields.first_name,
        last_name: &fields.last_name,
        email: &fields.email,
        phone: fields.phone.as_deref(),
        active: fields.active,
        terms_accepted: fields.terms_accepted.map(time),
        password_set: fields.password_set.is_some(),
        xp: fields.xp.as_ref().map(|xp| serde_json::from_str(xp.as_str())).transpose()?,
        roles: fields.roles.names().collect(),
        communities: fields.communities.iter().map(ToString::to_string).collect(),
        locked_until: user.locked_until.map(time),
        failed_sign_ins: user.failed_attempts,
        last_active: user.last_active.map(time),
        version: user.version,
        created: time(user.created),
        updated: time(user.updated),
    })
}

/// A group.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupObject<'a> {
    uid: i64,
    id: String,
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    description: Option<&'a str>,
    xp: Option<&'a RawValue>,
    communities: Vec<String>,
    member_count: i64,
    version: i64,
    created: String,
    updated: String,
    deleted: Option<String>,
}

/// The group as an object. Fails if the stored xp is no JSON.
pub(super) fn group(group: &Group) -> anyhow::Result<impl Serialize> {
    let fields = &group.fields;
    Ok(GroupObject {
        uid: group.uid,
        id: fields.id.to_string(),
        name: &group.name,
        labels: fields.labels.iter().collect(),
        description: fields.description.as_deref(),
        xp: fields.xp.as_ref().map(|xp| serde_json::from_str(xp.as_str())).transpose()?,
        communities: fields.communities.iter().map(ToString::to_string).collect(),
        member_count: member_count(group),
        version: group.version,
        created: time(group.created),
        updated: time(group.updated),
        deleted: group.deleted.map(time),
    })
}

/// The number of members. A deleted group has none, but remembers how many it had.
pub(super) fn member_count(group: &Group) -> i64 {
    if group.deleted.is_some() { 0 } else { group.members }
}

/// The member of a group as an object, with who added them.
pub(super) fn member(member: &Member, added_by: Option<&NamedActor>) -> Value {
    let fields = &member.user.fields;
    json!({
        "user": {
            "uid": member.user.uid,
            "id": fields.id.to_string(),
            "username": fields.username,
            "firstName": fields.first_name,
            "lastName": fields.last_name,
            "email": fields.email,
            "active": fields.active,
        },
        "since": time(member.since),
        "addedBy": added_by.map(actor),
    })
}

/// The group of a user as an object, with who added the user.
pub(super) fn joined_group(joined: &JoinedGroup, added_by: Option<&NamedActor>) -> Value {
    let group = &joined.group;
    json!({
        "group": { "uid": group.uid, "id": group.fields.id.to_string(), "name": group.name },
        "since": time(joined.since),
        "addedBy": added_by.map(actor),
    })
}

fn actor(actor: &NamedActor) -> Value {
    let (user, client, operator) = (actor.user.as_ref(), actor.client.as_ref(), actor.operator.as_ref());
    json!({
        "user": user.map(|user| json!({ "uid": user.uid, "id": user.id, "username": user.username })),
        "client": client.map(|client| json!({ "id": client.id, "name": client.name })),
        "operator": operator.map(|operator| json!({ "user": operator.user, "host": operator.host })),
    })
}

/// The change as an object, without the entity before and after.
pub(super) fn change(change: &Change) -> Value {
    let (group, user, client) = (change.group.as_ref(), change.user.as_ref(), change.client.as_ref());
    let changed =
        change.before.as_ref().zip(change.after.as_ref()).map(|(before, after)| changed_fields(before, after));
    json!({
        "id": change.id.to_string(),
        "type": change.kind.name(),
        "time": time(change.time),
        "operation": change.operation,
        "channel": change.channel.name(),
        "reason": change.reason,
        "actor": actor(&change.actor),
        "group": group.map(|group| json!({ "uid": group.uid, "id": group.id, "name": group.name })),
        "user": user.map(|user| json!({ "uid": user.uid, "id": user.id, "username": user.username })),
        "client": client.map(|client| json!({ "id": client.id, "name": client.name })),
        "changed": changed.unwrap_or_default(),
    })
}

/// The sign-in as an object.
pub(super) fn sign_in(sign_in: &RecordedSignIn) -> Value {
    let (user, client) = (sign_in.user.as_ref(), sign_in.client.as_ref());
    json!({
        "id": sign_in.seq.to_string(),
        "type": sign_in.kind.name(),
        "time": time(sign_in.at),
        "channel": sign_in.channel.name(),
        "actor": actor(&sign_in.actor()),
        "user": user.map(|user| json!({ "uid": user.uid, "id": user.id, "username": user.username })),
        "client": client.map(|client| json!({ "id": client.id, "name": client.name })),
        "source": sign_in.source,
        "count": sign_in.count,
        "reason": sign_in.reason,
    })
}

/// The client as an object, with the user that it acts for.
pub(super) fn client(client: &Client, user: Option<&User>) -> Value {
    let fields = &client.fields;
    json!({
        "id": fields.id,
        "name": fields.name,
        "roles": fields.roles.names().collect::<Vec<_>>(),
        "communities": fields.communities.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "user": user.map(|user| user.fields.id.to_string()),
        "public": client.secret_hash.is_none(),
        "enabled": fields.enabled,
        "accessMinutes": fields.access_minutes,
        "refreshMinutes": fields.refresh_minutes,
        "refreshRotation": fields.refresh_rotation,
        "strictMembers": fields.strict_members,
        "maxRemovalPercent": fields.max_removal_percent,
        "created": time(client.created),
        "updated": time(client.updated),
    })
}

/// The long-lived token as an object, with the ID of its client.
pub(super) fn token(token: &LongLivedToken, client: Option<&str>) -> Value {
    json!({
        "id": token.fields.id,
        "name": token.fields.name,
        "client": client,
        "created": time(token.created),
        "expires": time(token.fields.expires),
        "lastUsed": token.last_used.map(time),
    })
}

/// The signing key as an object.
pub(super) fn key(key: &KeyStatus) -> Value {
    json!({ "kid": key.kid, "state": key.state.name(), "signsFrom": time(key.signs_from) })
}

/// The time in UTC, with all digits of the second.
pub(super) fn time(moment: Timestamp) -> String {
    format!("{}Z", moment.to_civil())
}
