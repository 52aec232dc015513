//! The entries of the journal: what changed, and the entity before and after the change as JSON. All stores write the
//! same entries. An entity can be rebuilt from them; of passwords and secrets they contain only when they were set.

pub(crate) mod batch_entry;
pub(crate) mod batch_index;

use std::sync::LazyLock;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::error::{Error, Result};
use crate::domain::group::GroupUid;
use crate::domain::journal::{ChangeKind, Operation};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::copy::{Table, Value};

use super::columns::{columns, names, parameters};
use super::entity::{StoredEntity, not_before};

/// The table of the journal. The store assigns its key.
pub(crate) const JOURNAL: Table = Table {
    name: "journal",
    columns: columns! {
        Integer: "seq";
        Text: "operation";
        Integer: "at" "actor_user" "actor_client";
        Text: "channel" "reason" "operator_user" "operator_host" "kind" "change";
        Integer: "subject" "member";
        Text: "before" "after";
    },
    key: 1,
};

/// An `INSERT` of one row, with the parameters of [`values`].
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = &JOURNAL.columns[JOURNAL.key..];
    let (names, parameters) = (names(columns.iter().map(|column| column.name)), parameters(columns.len()));
    format!("INSERT INTO {} ({names}) VALUES ({parameters})", JOURNAL.name)
});

/// Selects the time of the latest change; NULL if there is none.
pub(crate) const LAST_CHANGE: &str = "SELECT max(at) FROM journal";

/// Returns the entry as the parameters of [`INSERT`].
pub(crate) fn values(operation: &Operation, entry: JournalEntry) -> [Value; JOURNAL.columns.len() - JOURNAL.key] {
    [
        operation.id.clone().into(),
        entry.at.as_micros().into(),
        operation.actor.user.into(),
        operation.actor.client.into(),
        operation.channel.name().to_owned().into(),
        operation.reason.as_ref().map(|reason| reason.as_str().to_owned()).into(),
        operation.operator.as_ref().map(|operator| operator.user.clone()).into(),
        operation.operator.as_ref().map(|operator| operator.host.clone()).into(),
        entry.kind.to_owned().into(),
        entry.change.name().to_owned().into(),
        entry.subject.into(),
        entry.member.into(),
        entry.before.into(),
        entry.after.into(),
    ]
}

/// One row of the journal, without the operation that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalEntry {
    /// `group`, `user`, `membership`, `members`, `client`, `token` or `batch`.
    pub kind: &'static str,
    /// Whether the entity was created, updated or deleted.
    pub change: ChangeKind,
    /// The time of the change, never before the entity's last change.
    pub at: Timestamp,
    /// The number of the entity. For memberships, the number of the group; for a batch, 0, because its entry lists the
    /// entities.
    pub subject: i64,
    /// For a single membership, the number of the user.
    pub member: Option<UserUid>,
    /// The entity before the change, as JSON; `None` if it did not exist.
    pub before: Option<String>,
    /// The entity after the change, as JSON; `None` for a removed membership.
    pub after: Option<String>,
}

impl JournalEntry {
    /// Returns the entry for an entity that was written.
    pub(crate) fn of<E: StoredEntity>(before: Option<&E>, after: &E) -> Result<Self> {
        Ok(Self {
            kind: E::NAME,
            change: ChangeKind::new(before.is_some(), !after.is_live()),
            at: after.updated(),
            subject: after.uid(),
            member: None,
            before: before.map(text).transpose()?,
            after: Some(text(after)?),
        })
    }

    /// Returns the entry for a user who was added to a group at `added`.
    pub(crate) fn of_new_member(group: GroupUid, user: UserUid, added: Timestamp) -> Result<Self> {
        let after = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: ChangeKind::Created,
            at: added,
            subject: group,
            member: Some(user),
            before: None,
            after,
        })
    }

    /// Returns the entry for a user who was removed from a group at `at`. The user was added at `added`.
    pub(crate) fn of_former_member(group: GroupUid, user: UserUid, added: Timestamp, at: Timestamp) -> Result<Self> {
        let before = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: ChangeKind::Deleted,
            at: not_before(Some(added), at),
            subject: group,
            member: Some(user),
            before,
            after: None,
        })
    }

    /// Returns the entry for a change of a group's members at `at`; `None` if nobody was added or removed. The added
    /// users have the time of the entry.
    pub(crate) fn of_members(
        group: GroupUid,
        added: &[UserUid],
        removed: &[(UserUid, Timestamp)],
        at: Timestamp,
    ) -> Result<Option<Self>> {
        match (added, removed) {
            ([], []) => return Ok(None),
            ([user], []) => return Self::of_new_member(group, *user, at).map(Some),
            ([], [(user, added)]) => return Self::of_former_member(group, *user, *added, at).map(Some),
            _ => {}
        }
        let last_added = removed.iter().map(|(_, added)| *added).max();
        let removed: Vec<_> = removed.iter().map(|(user, added)| (*user, added.as_micros())).collect();
        let before = (!removed.is_empty()).then(|| to_text(&MembersEntry { group, users: removed })).transpose()?;
        let after = (!added.is_empty()).then(|| to_text(&MembersEntry { group, users: added.to_vec() })).transpose()?;
        Ok(Some(Self {
            kind: "members",
            change: match (&before, &after) {
                (None, _) => ChangeKind::Created,
                (_, None) => ChangeKind::Deleted,
                _ => ChangeKind::Updated,
            },
            at: not_before(last_added, at),
            subject: group,
            member: None,
            before,
            after,
        }))
    }
}

/// An entity as journal entries contain it: its journaled columns, in order.
struct Journaled<'a, E>(&'a E);

impl<E: StoredEntity> Serialize for Journaled<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for column in E::COLUMNS {
            if let Some(name) = column.journaled_as {
                column.field.serialize(self.0, name, &mut object)?;
            }
        }
        object.end()
    }
}

/// A membership as journal entries contain it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct MembershipEntry {
    /// The number of the group.
    pub group: i64,
    /// The number of the user.
    pub user: i64,
    /// When the user was added, in microseconds.
    pub added: i64,
}

/// Several memberships of one group as journal entries contain them. After a change, `users` are the numbers of the
/// added users; before it, those of the removed users, each with when the user was added, in microseconds.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct MembersEntry<T> {
    /// The number of the group.
    pub group: GroupUid,
    /// The users, in the order of their numbers.
    pub users: Vec<T>,
}

/// Returns the JSON text of an entity in journal entries.
pub(crate) fn text<E: StoredEntity>(entity: &E) -> Result<String> {
    to_text(&Journaled(entity))
}

/// As [`text`], as a part of another JSON text.
pub(crate) fn raw<E: StoredEntity>(entity: &E) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(&Journaled(entity)).map_err(Error::internal)
}

/// Returns the JSON text of a membership in journal entries.
pub(crate) fn membership_text(group: i64, user: i64, added: Timestamp) -> Result<String> {
    to_text(&MembershipEntry { group, user, added: added.as_micros() })
}

/// Returns the JSON text of a part of a journal entry.
pub(crate) fn to_text(entry: &impl Serialize) -> Result<String> {
    serde_json::to_string(entry).map_err(Error::internal)
}
