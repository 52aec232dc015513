//! The entries of the journal: what changed, and the entity before and after the change as JSON. All stores write the
//! same entries. An entity can be rebuilt from them; of passwords and secrets they contain only when they were set.

pub(crate) mod batch_entry;
pub(crate) mod batch_index;

use std::sync::LazyLock;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::error::{Error, Result};
use crate::domain::group::GroupUid;
use crate::domain::journal::{ChangeKind, Operation};
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
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
        Text: "channel" "reason" "operator_user" "operator_host" "undoes" "kind" "change";
        Integer: "subject" "member";
        Text: "before" "after";
    },
    key: 1,
};

/// The table of the users of entries of the kind `members`: one row for each, so that the history of a user finds the
/// entry by key.
pub(crate) const JOURNAL_MEMBERS: Table = Table {
    name: "journal_members",
    columns: columns! { Integer: "user_uid" "seq" "position"; Small: "added"; },
    key: 2,
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
        operation.undoes.as_deref().map(str::to_owned).into(),
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
    /// `group`, `user`, `membership`, `members`, `client`, `token`, `key` or `batch`.
    pub kind: &'static str,
    /// Whether the entity was created, updated, deleted or restored.
    pub change: ChangeKind,
    /// The number of single changes that the entry tells, for the counter of changes.
    pub count: i64,
    /// The time of the change, never before the entity's last change.
    pub at: Timestamp,
    /// The number of the entity. For memberships, the number of the group; for a batch, 0, because its entry lists the
    /// entities; for a key, 0, because keys have no numbers.
    pub subject: i64,
    /// For a single membership, the number of the user.
    pub member: Option<UserUid>,
    /// The entity before the change, as JSON; `None` if it did not exist.
    pub before: Option<String>,
    /// The entity after the change, as JSON; `None` for a removed membership.
    pub after: Option<String>,
    /// For an entry of the kind `members`, its users in the order in which it lists them, each with whether they were
    /// added: the rows of [`JOURNAL_MEMBERS`]. Empty for other kinds.
    pub users: Vec<(UserUid, bool)>,
}

impl JournalEntry {
    /// Returns the entry for an entity that was written.
    pub(crate) fn of<E: StoredEntity>(before: Option<&E>, after: &E) -> Result<Self> {
        Ok(Self {
            kind: E::NAME,
            change: ChangeKind::new(before.map(E::is_live), after.is_live()),
            count: 1,
            at: after.updated(),
            subject: after.uid(),
            member: None,
            before: before.map(text).transpose()?,
            after: Some(text(after)?),
            users: Vec::new(),
        })
    }

    /// Returns the entry for a user who was unlocked at `at`. Locks are no part of the journal, so no field changes.
    pub(crate) fn of_unlocked(user: &User, at: Timestamp) -> Result<Self> {
        Ok(Self { at, ..Self::of(Some(user), user)? })
    }

    /// Returns the entry for a signing key that was created at `at`.
    pub(crate) fn of_new_key(key: &PublishedKey, at: Timestamp) -> Result<Self> {
        let after = to_text(&KeyEntry { kid: &key.kid, signs_from: key.signs_from.as_micros() })?;
        Ok(Self {
            kind: "key",
            change: ChangeKind::Created,
            count: 1,
            users: Vec::new(),
            at,
            subject: 0,
            member: None,
            before: None,
            after: Some(after),
        })
    }

    /// Returns the entry for a user who was added to a group at `added`.
    pub(crate) fn of_new_member(group: GroupUid, user: UserUid, added: Timestamp) -> Result<Self> {
        let after = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: ChangeKind::Created,
            count: 1,
            at: added,
            subject: group,
            member: Some(user),
            before: None,
            after,
            users: Vec::new(),
        })
    }

    /// Returns the entry for a user who was removed from a group at `at`. The user was added at `added`.
    pub(crate) fn of_former_member(group: GroupUid, user: UserUid, added: Timestamp, at: Timestamp) -> Result<Self> {
        let before = Some(membership_text(group, user, added)?);
        Ok(Self {
            kind: "membership",
            change: ChangeKind::Deleted,
            count: 1,
            at: not_before(Some(added), at),
            subject: group,
            member: Some(user),
            before,
            after: None,
            users: Vec::new(),
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
        let users =
            removed.iter().map(|(user, _)| (*user, false)).chain(added.iter().map(|user| (*user, true))).collect();
        let last_added = removed.iter().map(|(_, added)| *added).max();
        let count = (added.len() + removed.len()) as i64;
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
            count,
            at: not_before(last_added, at),
            subject: group,
            member: None,
            before,
            after,
            users,
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

/// A signing key as journal entries contain it, without its key material.
#[derive(Debug, Serialize)]
struct KeyEntry<'a> {
    kid: &'a str,
    /// When the key starts to sign, in microseconds.
    signs_from: i64,
}

/// A membership as journal entries contain it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MembershipEntry {
    /// The number of the group.
    pub group: i64,
    /// The number of the user.
    pub user: i64,
    /// When the user was added, in microseconds.
    pub added: i64,
}

/// Several memberships of one group as journal entries contain them. The changes of an entry are counted from 0: first
/// the removed users, then the added ones. After a change, `users` are the numbers of the
/// added users; before it, those of the removed users, each with when the user was added, in microseconds.
#[derive(Debug, Serialize, Deserialize)]
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
