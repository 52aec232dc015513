//! What an undo reads from a store, and what it writes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::Result;
use crate::domain::client::{Client, ClientUid};
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{User, UserUid};

use super::{ClientUpdate, Mutation, UserUpdate};

/// What the rule of an undo depends on.
#[derive(Clone, Debug, Default)]
pub struct UndoScope {
    /// The groups, also those of the memberships.
    pub groups: BTreeSet<GroupUid>,
    /// The users, also those of the memberships.
    pub users: BTreeSet<UserUid>,
    /// The clients.
    pub clients: BTreeSet<ClientUid>,
    /// The memberships.
    pub memberships: BTreeSet<(GroupUid, UserUid)>,
    /// The groups whose members are counted, of those above.
    pub counted_groups: BTreeSet<GroupUid>,
    /// The users whose groups are counted, of those above.
    pub counted_users: BTreeSet<UserUid>,
    /// The keys of group IDs of which it matters who has them.
    pub group_ids: BTreeSet<String>,
    /// The keys of user IDs of which it matters who has them.
    pub user_ids: BTreeSet<String>,
    /// The folded usernames of which it matters who has them.
    pub usernames: BTreeSet<String>,
}

/// A stored membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredMembership {
    /// When the user was added.
    pub since: Timestamp,
    /// The number of the journal entry that gave the membership; `None` = unknown.
    pub change: Option<i64>,
}

/// The present state of what is in an [`UndoScope`]. What does not exist is missing.
#[derive(Debug, Default)]
pub struct UndoState {
    /// The groups, live or deleted, also the owners of the group IDs.
    pub groups: HashMap<GroupUid, Group>,
    /// The users, live or deleted, also the owners of the user IDs and usernames, each with the union of the roles of all live clients that act for the user.
    pub users: HashMap<UserUid, (User, Roles)>,
    /// The clients, live or deleted.
    pub clients: HashMap<ClientUid, Client>,
    /// The memberships, also those of deleted groups and users.
    pub memberships: HashMap<(GroupUid, UserUid), StoredMembership>,
    /// The number of members of each group that is counted, deleted users included if they are in the scope.
    pub members: HashMap<GroupUid, u64>,
    /// The number of groups of each user who is counted, deleted groups included if they are in the scope.
    pub joined: HashMap<UserUid, u64>,
    /// The live groups that have the group IDs.
    pub group_ids: HashMap<String, GroupUid>,
    /// The live users who have the user IDs.
    pub user_ids: HashMap<String, UserUid>,
    /// The live users who have the usernames.
    pub usernames: HashMap<String, UserUid>,
}

impl UndoState {
    /// The users of the scope, and the owners of its keys, which must be known before.
    pub(super) fn all_users(&self, scope: &UndoScope) -> BTreeSet<UserUid> {
        let owners = self.user_ids.values().chain(self.usernames.values());
        scope.users.iter().chain(owners).copied().collect()
    }

    /// As [`Self::all_users`], of groups.
    pub(super) fn all_groups(&self, scope: &UndoScope) -> BTreeSet<GroupUid> {
        scope.groups.iter().chain(self.group_ids.values()).copied().collect()
    }
}

/// The rule of an undo: it decides, from the present state, what to write. The store calls it inside the transaction, and
/// may call it again after a conflict. Nothing is written if it fails.
pub(crate) type UndoFn = Arc<dyn Fn(&UndoState) -> Result<UndoPlan> + Send + Sync>;

/// What an undo writes, and its outcome once that is written.
#[derive(Clone, Debug, Default)]
pub struct UndoPlan {
    /// The outcome.
    pub outcome: UndoOutcome,
    /// First: the groups and users whose unique keys others need before they lose them, or for a while.
    pub yielding: Yielding,
    /// Then: users who are restored for a while, because memberships of theirs change. Their unique keys are free
    /// afterwards.
    pub revived_users: Vec<UndoWrite<UserUpdate>>,
    /// Then: restored and changed users.
    pub users: Vec<UndoWrite<UserUpdate>>,
    /// Then: groups that are restored for a while, as users are.
    pub revived_groups: Vec<UndoWrite<GroupFields>>,
    /// Then: restored and changed groups. After them, those of [`Yielding`] that have no other keys have their own again.
    pub groups: Vec<UndoWrite<GroupFields>>,
    /// Then: changed and deleted clients.
    pub clients: Vec<UndoWrite<ClientUpdate>>,
    /// Then: memberships, of groups and users who are live now.
    pub members: Vec<UndoMembers>,
    /// Then: deleted groups.
    pub deleted_groups: Vec<UndoWrite<GroupFields>>,
    /// Last: deleted users.
    pub deleted_users: Vec<UndoWrite<UserUpdate>>,
}

/// Entities that lose their unique keys for a while.
#[derive(Clone, Debug, Default)]
pub struct Yielding {
    /// The groups.
    pub groups: Vec<GroupUid>,
    /// The users.
    pub users: Vec<UserUid>,
    /// Those of the groups that keep their key in the end, with the key.
    pub kept_groups: Vec<(GroupUid, String)>,
    /// Those of the users who keep their keys in the end, with the key of the ID and the folded username.
    pub kept_users: Vec<(UserUid, String, String)>,
}

impl UndoPlan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.revived_users.is_empty()
            && self.revived_groups.is_empty()
            && self.users.is_empty()
            && self.groups.is_empty()
            && self.clients.is_empty()
            && self.members.is_empty()
            && self.deleted_groups.is_empty()
            && self.deleted_users.is_empty()
    }
}

/// The write of one entity.
#[derive(Clone, Debug)]
pub struct UndoWrite<F> {
    /// The number of the entity.
    pub uid: i64,
    /// What to do with it.
    pub mutation: Mutation<F>,
    /// The operation that is undone.
    pub undoes: Arc<str>,
}

/// The write of memberships of one group.
#[derive(Clone, Debug)]
pub struct UndoMembers {
    /// The group.
    pub group: GroupUid,
    /// The users to add, in the order of their numbers.
    pub add: Vec<UserUid>,
    /// The members to remove, in the order of their numbers, each with when they were added.
    pub remove: Vec<(UserUid, Timestamp)>,
    /// The operation that is undone.
    pub undoes: Arc<str>,
}
