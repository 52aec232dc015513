//! Batches: the items of one write of many entities, and their outcomes.

use crate::domain::Result;
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::id::Id;
use crate::domain::membership::Membership;
use crate::domain::user::{UserFields, UserUid};

use super::update::CurrentUser;

/// The [`FieldsFn`] of users.
pub(crate) type UserFieldsFn = Box<dyn Fn(Option<CurrentUser<'_>>) -> Result<UserFields> + Send + Sync>;

/// The rule that gives the new fields of an entity in a batch. The store calls it inside the transaction with the live
/// entity that has the ID, with the deleted entity to restore, or with `None` if neither exists. An error refuses this
/// entity and no other of the batch. The store may call the rule again after a conflict.
pub(crate) type FieldsFn<T, F> = Box<dyn Fn(Option<&T>) -> Result<F> + Send + Sync>;

/// One entity of a batch. If no live group or user has the ID, the store creates one, with the given number if there is
/// one. If that number belongs to a deleted entity with the same ID, the store restores that entity instead, without
/// its former memberships, whose end it journals.
pub enum BatchItem {
    /// The group with the ID `id` gets these fields.
    Group {
        /// The ID, compared without case.
        id: Id,
        /// The number of a new group, or of the deleted group to restore.
        uid: Option<GroupUid>,
        /// The rule that gives the new fields.
        fields: FieldsFn<Group, GroupFields>,
    },
    /// The user with the ID `id` gets these fields. The password does not change.
    User {
        /// The ID, compared without case.
        id: Id,
        /// The number of a new user, or of the deleted user to restore.
        uid: Option<UserUid>,
        /// The rule that gives the new fields.
        fields: UserFieldsFn,
    },
    /// The user becomes a member of the group.
    Member(Membership),
}

/// The outcome of one item of a batch that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// The entity was created or restored.
    Created,
    /// The entity existed and changed.
    Updated,
    /// The entity already had these fields. Nothing was written.
    Unchanged,
}

impl ItemOutcome {
    /// The outcome of a write: `Updated` if the entity was live before it, else `Created`. A restored entity counts as
    /// created.
    pub const fn of(was_live: bool) -> Self {
        if was_live { Self::Updated } else { Self::Created }
    }
}

/// The maximum number of items in a batch.
pub(crate) const BATCH_MAX: usize = 10_000;
