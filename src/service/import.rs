//! Importing: whole groups, users and memberships, many at a time.

use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::membership::Membership;
use crate::domain::role::{Permit, WriteGroups, WriteUsers};
use crate::domain::user::{User, UserFields};
pub use crate::store::{BATCH_MAX, ItemChange};
use crate::store::{Item, UserWrite};

use super::Service;
use super::users::{ends_tokens, outranks};

/// One thing to be in the directory as it says. A group or user is known by its ID: made if it is not there, else put
/// in the place of what is.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A group, and the number it is to have. One that is there already must have it.
    Group(Option<GroupUid>, GroupFields),
    /// A user. Password and generation of tokens stay as they are.
    User(UserFields),
    /// A user in a group.
    Membership(Membership),
}

impl Service {
    /// Writes at most [`BATCH_MAX`] records in their order, in one transaction. Gives what became of each: one that is
    /// refused changes nothing, and the others stand.
    pub async fn import(
        &self,
        groups: &Permit<WriteGroups>,
        users: &Permit<WriteUsers>,
        records: Vec<Record>,
    ) -> Result<Vec<Result<ItemChange>>> {
        let (operation, rights) = (self.operation(groups.caller()), users.caller().roles);
        let item = |record| match record {
            Record::Group(uid, fields) => Item::Group {
                id: fields.id.clone(),
                uid,
                put: Box::new(move |present| numbered(uid, present).map(|()| fields.clone())),
            },
            Record::User(fields) => Item::User {
                id: fields.id.clone(),
                put: Box::new(move |present| {
                    present.map_or(Ok(()), |present| outranks(rights, present))?;
                    Ok(carried_over(&fields, present))
                }),
            },
            Record::Membership(membership) => Item::Member(membership),
        };
        let written = self.store.write_batch(operation.clone(), records.into_iter().map(item).collect()).await;
        self.tokens.standing_changed();
        let written = written?;
        let changed = written.iter().filter(|item| !matches!(item, Ok(ItemChange::Unchanged) | Err(_))).count();
        let door = operation.door.name();
        tracing::info!(operation = operation.id, door, kind = "batch", records = written.len(), changed, "written");
        Ok(written)
    }
}

/// Fails where the group that is there has another number.
fn numbered(uid: Option<GroupUid>, present: Option<&Group>) -> Result<()> {
    match present {
        Some(group) if uid.is_some_and(|uid| uid != group.uid) => {
            Err(Error::invalid("uid", format!("is not {}, which the group with this id has", group.uid)))
        }
        _ => Ok(()),
    }
}

/// The user's new fields, with what no record tells as it was; what ends tokens otherwise ends them here.
fn carried_over(fields: &UserFields, present: Option<&User>) -> UserFields {
    let mut fields = fields.clone();
    if let Some(User { fields: own, .. }) = present {
        (fields.generation, fields.password_set) = (own.generation, own.password_set);
        let write = UserWrite { fields, password_hash: None };
        let ended = ends_tokens(own, &write);
        fields = write.fields;
        fields.generation += i64::from(ended);
    }
    fields
}
