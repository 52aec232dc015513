//! The bulk import of groups, users and memberships.

use crate::domain::caller::{Permit, WriteGroups, WriteUsers};
use crate::domain::error::{Error, Result};
use crate::domain::group::{GroupFields, GroupUid};
use crate::domain::id::Id;
use crate::domain::membership::Membership;
use crate::domain::user::{User, UserFields, UserKey, UserUid};
pub(crate) use crate::store::{BATCH_MAX, ItemOutcome};
use crate::store::{BatchItem, UserUpdate};

use super::Service;
use super::users::{check_outranks, ends_tokens};

/// One entity to import. A group or user is identified by its ID. If no live entity has the ID, the import creates one,
/// otherwise it replaces the fields. If the record has a number (uid), an existing entity must have the same number,
/// and a deleted entity with this number and ID is restored.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A group: its number, if the record has one, and its fields.
    Group(Option<GroupUid>, GroupFields),
    /// A user: the number, if the record has one, and the fields. The password does not change.
    User(Option<UserUid>, UserFields),
    /// A membership.
    Membership(Membership),
}

impl Service {
    /// Writes at most [`BATCH_MAX`] records in their order, in one transaction. Returns the outcome of each record: a
    /// refused record changes nothing and does not affect the others. Fails if the transaction fails.
    pub async fn import(
        &self,
        groups: &Permit<WriteGroups>,
        users: &Permit<WriteUsers>,
        records: Vec<Record>,
    ) -> Result<Vec<Result<ItemOutcome>>> {
        let operation = self.operation(groups);
        let written = self.store.write_batch(operation.clone(), items(records, users)).await;
        self.tokens.invalidate_token_cache();
        let written = written?;
        let changed = written.iter().filter(|item| !matches!(item, Ok(ItemOutcome::Unchanged) | Err(_))).count();
        let channel = operation.channel.name();
        tracing::info!(operation = operation.id, channel, kind = "batch", records = written.len(), changed, "written");
        Ok(written)
    }

    /// Returns the outcomes that [`Self::import`] would return now, and writes nothing.
    pub(crate) async fn preview_import(
        &self,
        groups: &Permit<WriteGroups>,
        users: &Permit<WriteUsers>,
        records: Vec<Record>,
    ) -> Result<Vec<Result<ItemOutcome>>> {
        self.store.preview_batch(self.operation(groups), items(records, users)).await
    }

    /// Whether a live user has the ID.
    pub(crate) async fn has_user(&self, _permit: &Permit<WriteUsers>, id: &Id) -> Result<bool> {
        Ok(self.store.user(&UserKey::Id(id.clone())).await?.is_some())
    }
}

/// The records as items of a batch, with the rules of an import.
fn items(records: Vec<Record>, users: &Permit<WriteUsers>) -> Vec<BatchItem> {
    let rights = users.caller().roles;
    let item = |record| match record {
        Record::Group(uid, fields) => BatchItem::Group {
            id: fields.id.clone(),
            uid,
            fields: Box::new(move |present| {
                let existing = present.map(|group| group.uid);
                check_uid("group", uid, existing).map(|()| fields.clone())
            }),
        },
        Record::User(uid, fields) => BatchItem::User {
            id: fields.id.clone(),
            uid,
            fields: Box::new(move |present| {
                check_uid("user", uid, present.map(|present| present.user.uid))?;
                present.map_or(Ok(()), |present| check_outranks(rights, present))?;
                Ok(with_present_state(&fields, present.map(|present| present.user)))
            }),
        },
        Record::Membership(membership) => BatchItem::Member(membership),
    };
    records.into_iter().map(item).collect()
}

/// Fails with `Invalid` if the existing entity has another number than the record.
fn check_uid(kind: &str, wanted: Option<i64>, existing: Option<i64>) -> Result<()> {
    match (wanted, existing) {
        (Some(wanted), Some(existing)) if wanted != existing => {
            Err(Error::invalid("uid", format!("is not {existing}, which the {kind} with this id has")))
        }
        _ => Ok(()),
    }
}

/// Returns the new fields of the user, with those that a record does not have taken from the present user. The tokens
/// of the user end if the change would end them elsewhere, or if the user is restored.
fn with_present_state(fields: &UserFields, present: Option<&User>) -> UserFields {
    let mut fields = fields.clone();
    if let Some(User { fields: previous, deleted, .. }) = present {
        (fields.generation, fields.password_set) = (previous.generation, previous.password_set);
        let update = UserUpdate { fields, password_hash: None };
        let ended = deleted.is_some() || ends_tokens(previous, &update);
        fields = update.fields;
        fields.generation += i64::from(ended);
    }
    fields
}
