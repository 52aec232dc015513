//! Use cases of restoring: the deletion of a group or user is undone (docs/rollbook.md, section 10).

use crate::domain::caller::{Permit, WriteGroups, WriteUsers};
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey};
use crate::domain::id::Id;
use crate::domain::restore::Restored;
use crate::domain::user::{User, UserKey};
use crate::store::{CurrentUser, Mutation, UserUpdate};

use super::Service;
use super::complete_groups::visible;
use super::users::{check_outranks, not_found};

/// What a restored user gets instead of what the user had.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewIdentity {
    /// The new ID.
    pub id: Option<Id>,
    /// The new username.
    pub username: Option<String>,
}

impl Service {
    /// Undoes the deletion of the group with the key, which is its number: its fields come back, and the memberships of
    /// all users who are live. `new_id` replaces its ID. Fails with `NotFound` if there is no such group or the caller may not see it,
    /// `NotDeleted`, `RestoredIdTaken` or `PreconditionFailed`.
    pub(crate) async fn restore_group(
        &self,
        permit: &Permit<WriteGroups>,
        key: GroupKey,
        new_id: Option<Id>,
    ) -> Result<Restored<Group>> {
        let (visibility, own) = (permit.caller().visibility.clone(), key.clone());
        let update = move |current: Option<&Group>| {
            let mut fields = visible(current, &visibility, &own)?.fields.clone();
            if let Some(id) = &new_id {
                fields.id = id.clone();
            }
            Ok(Mutation::Restore(fields))
        };
        self.restore::<Group>(permit, key, Box::new(update)).await
    }

    /// Undoes the deletion of the user with the key, which is the number: the fields come back, and the memberships in
    /// all groups that are live. `new` replaces ID and username. The user has no password and no tokens. Fails with `NotFound`, `Forbidden`,
    /// `NotDeleted`, `RestoredIdTaken`, `UsernameTaken` or `PreconditionFailed`.
    pub(crate) async fn restore_user(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        new: NewIdentity,
    ) -> Result<Restored<User>> {
        let (rights, own) = (permit.caller().roles, key.clone());
        let update = move |current: Option<CurrentUser<'_>>| {
            let current = current.ok_or_else(|| not_found(&own))?;
            check_outranks(rights, current)?;
            let mut fields = current.user.fields.clone();
            if let Some(id) = &new.id {
                fields.id = id.clone();
            }
            if let Some(username) = &new.username {
                fields.username.clone_from(username);
            }
            fields.password_set = None;
            fields.generation += 1;
            Ok(Mutation::Restore(UserUpdate { fields, password_hash: None }))
        };
        self.restore::<User>(permit, key, Box::new(update)).await
    }
}
