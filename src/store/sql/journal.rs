//! The entries of the journal: what changed, and the thing before and after it as JSON. Every store writes the same,
//! and it is enough to rebuild the thing; of passwords and secrets it only says when they were set.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::client::Client;
use crate::domain::community::Communities;
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupUid};
use crate::domain::journal::Change;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::domain::xp::Xp;

use super::codec::labels_to_text;

/// One row of the journal, but for the operation it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `group`, `user`, `membership`, `client` or `batch`.
    pub kind: &'static str,
    pub change: Change,
    /// The number of the thing; of a membership, the group's; of a batch, 0: it names what it changed itself.
    pub subject: i64,
    /// The user of a membership.
    pub member: Option<UserUid>,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Entry {
    /// A group was written.
    pub fn of_group(before: Option<&Group>, after: &Group) -> Result<Self> {
        Self::of("group", after.uid, after.deleted, before.map(group_text), group_text(after))
    }

    /// A user was written.
    pub fn of_user(before: Option<&User>, after: &User) -> Result<Self> {
        Self::of("user", after.uid, after.deleted, before.map(user_text), user_text(after))
    }

    /// A client was written.
    pub fn of_client(before: Option<&Client>, after: &Client) -> Result<Self> {
        Self::of("client", after.uid, after.deleted, before.map(client_text), client_text(after))
    }

    /// A user was put into a group.
    pub fn of_new_member(group: GroupUid, user: UserUid, added: Timestamp) -> Result<Self> {
        let after = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: Change::Created,
            subject: group,
            member: Some(user),
            before: None,
            after,
        })
    }

    /// A user was taken out of a group, having been put into it at `added`.
    pub fn of_former_member(group: GroupUid, user: UserUid, added: Timestamp) -> Result<Self> {
        let before = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: Change::Deleted,
            subject: group,
            member: Some(user),
            before,
            after: None,
        })
    }

    /// A batch was written: all that it changed. `None` where that is nothing.
    pub fn of_batch(batch: &Batch) -> Result<Option<Self>> {
        let text = |things: &Things| if things.is_empty() { Ok(None) } else { to_text(things).map(Some) };
        let (before, after) = (text(&batch.before)?, text(&batch.after)?);
        let change = Change::of(before.is_some(), false);
        Ok(after.map(|after| Self { kind: "batch", change, subject: 0, member: None, before, after: Some(after) }))
    }

    fn of(
        kind: &'static str,
        subject: i64,
        deleted: Option<Timestamp>,
        before: Option<Result<String>>,
        after: Result<String>,
    ) -> Result<Self> {
        let change = Change::of(before.is_some(), deleted.is_some());
        Ok(Self { kind, change, subject, member: None, before: before.transpose()?, after: Some(after?) })
    }
}

/// What a batch changes, as far as it has come.
#[derive(Debug, Default)]
pub struct Batch {
    before: Things,
    after: Things,
}

impl Batch {
    /// A group was written.
    pub fn group(&mut self, before: Option<&Group>, after: &Group) -> Result<()> {
        self.before.groups.extend(before.map(group_entry).transpose()?);
        self.after.groups.push(group_entry(after)?);
        Ok(())
    }

    /// A user was written.
    pub fn user(&mut self, before: Option<&User>, after: &User) -> Result<()> {
        self.before.users.extend(before.map(user_entry).transpose()?);
        self.after.users.push(user_entry(after)?);
        Ok(())
    }

    /// A user was put into a group, at the time of the entry.
    pub fn member(&mut self, group: GroupUid, user: UserUid) {
        self.after.memberships.push((group, user));
    }
}

/// Things that a batch changed, in the journal: those with a state before it are updated, the others created.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Things {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserEntry>,
    /// The numbers of group and user, added at the time of the entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<(GroupUid, UserUid)>,
}

impl Things {
    fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.users.is_empty() && self.memberships.is_empty()
    }
}

/// A group in the journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct GroupEntry {
    pub uid: i64,
    pub id: String,
    pub labels: Box<RawValue>,
    pub description: Option<String>,
    pub xp: Option<Box<RawValue>>,
    pub communities: Vec<String>,
    pub created: i64,
    pub updated: i64,
    pub deleted: Option<i64>,
    pub version: i64,
}

/// A user in the journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct UserEntry {
    pub uid: i64,
    pub id: String,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: Option<String>,
    pub terms_accepted: Option<i64>,
    pub active: bool,
    pub xp: Option<Box<RawValue>>,
    pub roles: Vec<String>,
    pub communities: Vec<String>,
    pub generation: i64,
    pub password_set: Option<i64>,
    pub created: i64,
    pub updated: i64,
    pub deleted: Option<i64>,
    pub version: i64,
}

/// A client in the journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct ClientEntry {
    pub uid: i64,
    pub id: String,
    pub name: String,
    pub roles: Vec<String>,
    pub communities: Vec<String>,
    pub user: Option<i64>,
    pub access_minutes: i64,
    pub refresh_minutes: i64,
    pub enabled: bool,
    pub generation: i64,
    pub secret_set: Option<i64>,
    pub created: i64,
    pub updated: i64,
    pub deleted: Option<i64>,
    pub version: i64,
}

/// A membership in the journal.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct MembershipEntry {
    pub group: i64,
    pub user: i64,
    pub added: i64,
}

/// A group as the journal keeps it.
pub fn group_text(group: &Group) -> Result<String> {
    to_text(&group_entry(group)?)
}

fn group_entry(group: &Group) -> Result<GroupEntry> {
    let fields = &group.fields;
    Ok(GroupEntry {
        uid: group.uid,
        id: fields.id.to_string(),
        labels: RawValue::from_string(labels_to_text(&fields.labels)).map_err(Error::internal)?,
        description: fields.description.clone(),
        xp: raw_xp(fields.xp.as_ref())?,
        communities: names(&fields.communities),
        created: group.created.as_micros(),
        updated: group.updated.as_micros(),
        deleted: micros(group.deleted),
        version: group.version,
    })
}

/// A user as the journal keeps it.
pub fn user_text(user: &User) -> Result<String> {
    to_text(&user_entry(user)?)
}

fn user_entry(user: &User) -> Result<UserEntry> {
    let fields = &user.fields;
    Ok(UserEntry {
        uid: user.uid,
        id: fields.id.to_string(),
        username: fields.username.clone(),
        first_name: fields.first_name.clone(),
        last_name: fields.last_name.clone(),
        email: fields.email.clone(),
        phone: fields.phone.clone(),
        terms_accepted: micros(fields.terms_accepted),
        active: fields.active,
        xp: raw_xp(fields.xp.as_ref())?,
        roles: role_names(fields.roles),
        communities: names(&fields.communities),
        generation: fields.generation,
        password_set: micros(fields.password_set),
        created: user.created.as_micros(),
        updated: user.updated.as_micros(),
        deleted: micros(user.deleted),
        version: user.version,
    })
}

/// A client as the journal keeps it.
pub fn client_text(client: &Client) -> Result<String> {
    let fields = &client.fields;
    to_text(&ClientEntry {
        uid: client.uid,
        id: fields.id.clone(),
        name: fields.name.clone(),
        roles: role_names(fields.roles),
        communities: names(&fields.communities),
        user: fields.user,
        access_minutes: fields.access_minutes,
        refresh_minutes: fields.refresh_minutes,
        enabled: fields.enabled,
        generation: fields.generation,
        secret_set: micros(fields.secret_set),
        created: client.created.as_micros(),
        updated: client.updated.as_micros(),
        deleted: micros(client.deleted),
        version: client.version,
    })
}

/// A membership as the journal keeps it.
pub fn membership_text(group: i64, user: i64, added: Timestamp) -> Result<String> {
    to_text(&MembershipEntry { group, user, added: added.as_micros() })
}

fn to_text(entry: &impl Serialize) -> Result<String> {
    serde_json::to_string(entry).map_err(Error::internal)
}

fn raw_xp(xp: Option<&Xp>) -> Result<Option<Box<RawValue>>> {
    xp.map(|xp| RawValue::from_string(xp.as_str().to_owned())).transpose().map_err(Error::internal)
}

fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

fn names(communities: &Communities) -> Vec<String> {
    communities.iter().map(ToString::to_string).collect()
}

fn role_names(roles: Roles) -> Vec<String> {
    roles.names().map(str::to_owned).collect()
}
