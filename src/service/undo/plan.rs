//! The rule of an undo: the inverse of each change, the newest first, applied to the present state in memory. What differs
//! in the end is written, each entity and each membership once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::caller::Caller;
use crate::domain::change_type::ChangeType;
use crate::domain::changed_fields::{client_fields, group_fields, user_fields};
use crate::domain::client::{ClientFields, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::history::{ChangeId, JournaledChange, State, Subject};
use crate::domain::role::Roles;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::undo::{UndoResult, reverted};
use crate::domain::user::{User, UserFields, UserUid};
use crate::store::{CurrentUser, UndoState};

use super::super::users::{check_covers, check_outranks};
use super::working::{Given, Owners, WorkingEntity, WorkingMembership, count};

/// Fields that no undo takes back, and that therefore do not count as changed since.
const LASTING: [&str; 3] = ["password", "secret", "tokens"];

/// Changes that cannot be undone, each with the field that stands in the way.
pub(super) type Excluded = HashMap<ChangeId, &'static str>;

/// The present state, with the changes that are undone so far.
pub(super) struct Planner<'a> {
    pub(super) present: &'a UndoState,
    roles: Roles,
    visibility: &'a Visibility,
    /// Changes that cannot be undone, each with the field that stands in the way.
    excluded: &'a Excluded,
    pub(super) groups: BTreeMap<GroupUid, WorkingEntity<GroupFields>>,
    pub(super) users: BTreeMap<UserUid, WorkingEntity<UserFields>>,
    pub(super) clients: BTreeMap<ClientUid, WorkingEntity<ClientFields>>,
    pub(super) memberships: BTreeMap<(GroupUid, UserUid), WorkingMembership>,
    pub(super) group_ids: Owners<'a>,
    pub(super) user_ids: Owners<'a>,
    pub(super) usernames: Owners<'a>,
    /// By how much the undo has changed the number of members of groups so far.
    members: HashMap<GroupUid, i64>,
    /// By how much the undo has changed the number of groups of users so far.
    joined: HashMap<UserUid, i64>,
}

impl<'a> Planner<'a> {
    /// Begins with the present state. `excluded` are changes that stay.
    pub(super) fn new(present: &'a UndoState, caller: &'a Caller, excluded: &'a Excluded) -> Self {
        let groups = present.groups.values();
        let users = present.users.values();
        let clients = present.clients.values();
        let stored = |(pair, membership): (&_, &crate::store::StoredMembership)| {
            let state = Some(Given::Stored(membership.change, membership.since));
            (*pair, WorkingMembership { state, undoes: None })
        };
        Self {
            present,
            roles: caller.roles,
            visibility: &caller.visibility,
            excluded,
            groups: groups.map(|one| (one.uid, WorkingEntity::new(one.fields.clone(), one.deleted))).collect(),
            users: users.map(|(one, _)| (one.uid, WorkingEntity::new(one.fields.clone(), one.deleted))).collect(),
            clients: clients.map(|one| (one.uid, WorkingEntity::new(one.fields.clone(), one.deleted))).collect(),
            memberships: present.memberships.iter().map(stored).collect(),
            group_ids: Owners::new(&present.group_ids),
            user_ids: Owners::new(&present.user_ids),
            usernames: Owners::new(&present.usernames),
            members: HashMap::new(),
            joined: HashMap::new(),
        }
    }

    /// Undoes the change if that is possible. Fails with `Forbidden` if the caller may not make the inverse change.
    pub(super) fn undo(&mut self, change: &JournaledChange) -> Result<UndoResult> {
        if let Some(field) = self.excluded.get(&change.id) {
            return Ok(conflict(field));
        }
        let undone = change;
        match (change.kind, &change.subject, change.before.as_ref(), change.after.as_ref()) {
            (ChangeType::GroupCreated, Subject::Group(uid), _, Some(State::Group(after))) => {
                Ok(self.delete_group(*uid, &after.fields, None, undone))
            }
            (ChangeType::GroupRestored, Subject::Group(uid), Some(State::Group(before)), Some(State::Group(after))) => {
                Ok(self.delete_group(*uid, &after.fields, Some(before), undone))
            }
            (ChangeType::GroupUpdated, Subject::Group(uid), Some(State::Group(before)), Some(State::Group(after))) => {
                Ok(self.revert_group(*uid, &before.fields, &after.fields, undone))
            }
            (ChangeType::GroupDeleted, Subject::Group(uid), ..) => Ok(self.restore_group(*uid, undone)),
            (ChangeType::UserCreated, Subject::User(uid), _, Some(State::User(after))) => {
                self.delete_user(*uid, &after.fields, None, undone)
            }
            (ChangeType::UserRestored, Subject::User(uid), Some(State::User(before)), Some(State::User(after))) => {
                self.delete_user(*uid, &after.fields, Some(before), undone)
            }
            (ChangeType::UserUpdated, Subject::User(uid), Some(State::User(before)), Some(State::User(after))) => {
                self.revert_user(*uid, &before.fields, &after.fields, undone)
            }
            (ChangeType::UserDeleted, Subject::User(uid), ..) => self.restore_user(*uid, undone),
            (ChangeType::MembershipAdded, Subject::Membership { group, user }, ..) => {
                Ok(self.remove_member((*group, *user), undone))
            }
            (ChangeType::MembershipRemoved, Subject::Membership { group, user }, ..) => {
                Ok(self.add_member((*group, *user), undone))
            }
            (ChangeType::ClientCreated, Subject::Client(uid), _, Some(State::Client(after))) => {
                Ok(self.delete_client(*uid, &after.fields, undone))
            }
            (
                ChangeType::ClientUpdated,
                Subject::Client(uid),
                Some(State::Client(before)),
                Some(State::Client(after)),
            ) => Ok(self.revert_client(*uid, &before.fields, &after.fields, undone)),
            (ChangeType::ClientDeleted, ..) => Ok(UndoResult::Impossible("the secret of a deleted client is gone")),
            _ => Ok(UndoResult::Impossible("changes of this type are not undone")),
        }
    }

    /// The undone changes that must stay, because another entity has the unique field that they would give back.
    pub(super) fn collisions(&self) -> Excluded {
        let of = |owners: &Owners<'_>, field| owners.collisions().map(|change| (change, field)).collect::<Vec<_>>();
        let ids = [of(&self.group_ids, "id"), of(&self.user_ids, "id")];
        ids.into_iter().flatten().chain(of(&self.usernames, "username")).collect()
    }

    /// Deletes a group that a change created, or restored from the state `tombstone`, unless it was changed since or, if it
    /// was created, has got members.
    fn delete_group(
        &mut self,
        uid: GroupUid,
        after: &GroupFields,
        tombstone: Option<&Group>,
        undone: &JournaledChange,
    ) -> UndoResult {
        let Some(group) = self.groups.get_mut(&uid).filter(|group| group.is_live()) else {
            return UndoResult::NothingToDo;
        };
        let mut since = changed_since(group_fields(&group.fields, after));
        let members = self.present.members.get(&uid).copied().unwrap_or_default() as i64;
        if tombstone.is_none() && members + self.members.get(&uid).copied().unwrap_or_default() > 0 {
            since.push("members".to_owned());
        }
        if !since.is_empty() {
            return UndoResult::Conflict(since);
        }
        self.group_ids.free(group.fields.id.key(), uid);
        group.deleted = Some(tombstone.and_then(|group| group.deleted).unwrap_or(NEVER));
        if let Some(tombstone) = tombstone {
            group.fields.clone_from(&tombstone.fields);
        }
        group.note(&undone.operation);
        UndoResult::Undone
    }

    fn revert_group(
        &mut self,
        uid: GroupUid,
        before: &GroupFields,
        after: &GroupFields,
        undone: &JournaledChange,
    ) -> UndoResult {
        let Some(group) = self.groups.get_mut(&uid).filter(|group| group.is_live()) else { return deleted() };
        let (fields, result) = reverted(&group.fields, before, after, self.visibility);
        let (was, is) = (group.fields.id.key(), fields.id.key());
        if result == UndoResult::Undone {
            self.group_ids.free(was, uid);
            self.group_ids.give(is, uid, undone.id);
            group.fields = fields;
            group.note(&undone.operation);
        }
        result
    }

    /// Restores a group that the change deleted, unless it was deleted again since.
    fn restore_group(&mut self, uid: GroupUid, undone: &JournaledChange) -> UndoResult {
        let Some(group) = self.groups.get_mut(&uid) else { return deleted() };
        if group.is_live() {
            return UndoResult::NothingToDo;
        }
        if group.deleted != Some(undone.time) {
            return deleted();
        }
        self.group_ids.give(group.fields.id.key(), uid, undone.id);
        group.deleted = None;
        group.has_lived = true;
        group.note(&undone.operation);
        UndoResult::Undone
    }

    /// As [`Self::delete_group`], of a user.
    fn delete_user(
        &mut self,
        uid: UserUid,
        after: &UserFields,
        tombstone: Option<&User>,
        undone: &JournaledChange,
    ) -> Result<UndoResult> {
        self.check_user(uid)?;
        let Some(user) = self.users.get_mut(&uid).filter(|user| user.is_live()) else {
            return Ok(UndoResult::NothingToDo);
        };
        let mut since = changed_since(user_fields(&user.fields, after));
        let joined = self.present.joined.get(&uid).copied().unwrap_or_default() as i64;
        if tombstone.is_none() && joined + self.joined.get(&uid).copied().unwrap_or_default() > 0 {
            since.push("groups".to_owned());
        }
        if !since.is_empty() {
            return Ok(UndoResult::Conflict(since));
        }
        self.user_ids.free(user.fields.id.key(), uid);
        self.usernames.free(fold(&user.fields.username), uid);
        user.deleted = Some(tombstone.and_then(|user| user.deleted).unwrap_or(NEVER));
        if let Some(tombstone) = tombstone {
            let UserFields { generation, password_set, .. } = user.fields;
            user.fields = UserFields { generation, password_set, ..tombstone.fields.clone() };
        }
        user.note(&undone.operation);
        Ok(UndoResult::Undone)
    }

    fn revert_user(
        &mut self,
        uid: UserUid,
        before: &UserFields,
        after: &UserFields,
        undone: &JournaledChange,
    ) -> Result<UndoResult> {
        self.check_user(uid)?;
        let Some(user) = self.users.get_mut(&uid).filter(|user| user.is_live()) else { return Ok(deleted()) };
        let (fields, result) = reverted(&user.fields, before, after, self.visibility);
        if result == UndoResult::Undone {
            check_covers(self.roles, fields.roles)?;
            self.user_ids.free(user.fields.id.key(), uid);
            self.usernames.free(fold(&user.fields.username), uid);
            self.user_ids.give(fields.id.key(), uid, undone.id);
            self.usernames.give(fold(&fields.username), uid, undone.id);
            user.fields = fields;
            user.note(&undone.operation);
        }
        Ok(result)
    }

    /// As [`Self::restore_group`], of a user.
    fn restore_user(&mut self, uid: UserUid, undone: &JournaledChange) -> Result<UndoResult> {
        self.check_user(uid)?;
        let Some(user) = self.users.get_mut(&uid) else { return Ok(deleted()) };
        if user.is_live() {
            return Ok(UndoResult::NothingToDo);
        }
        if self.present.users.get(&uid).is_some_and(|(user, _)| user.erased.is_some()) {
            return Ok(UndoResult::Impossible("an erased user does not come back"));
        }
        if user.deleted != Some(undone.time) {
            return Ok(deleted());
        }
        self.user_ids.give(user.fields.id.key(), uid, undone.id);
        self.usernames.give(fold(&user.fields.username), uid, undone.id);
        user.deleted = None;
        user.has_lived = true;
        user.note(&undone.operation);
        Ok(UndoResult::Undone)
    }

    /// Fails with `Forbidden` if the caller does not hold every role of the user.
    fn check_user(&self, uid: UserUid) -> Result<()> {
        match self.present.users.get(&uid) {
            Some((user, client_roles)) => check_outranks(self.roles, CurrentUser { user, client_roles: *client_roles }),
            None => Ok(()),
        }
    }

    /// Removes a membership that a change gave, unless it was given again since.
    fn remove_member(&mut self, pair: (GroupUid, UserUid), undone: &JournaledChange) -> UndoResult {
        let Some(WorkingMembership { state: Some(state), .. }) = self.memberships.get(&pair) else {
            return UndoResult::NothingToDo;
        };
        let is_same = match *state {
            Given::Stored(Some(entry), _) => entry == undone.id.seq,
            Given::Stored(None, since) => since == undone.since.unwrap_or(undone.time),
            Given::Back => true,
        };
        if !is_same {
            return conflict("since");
        }
        self.change_membership(pair, None, undone)
    }

    /// Gives a membership again that a change took.
    fn add_member(&mut self, pair: (GroupUid, UserUid), undone: &JournaledChange) -> UndoResult {
        match self.memberships.get(&pair) {
            Some(WorkingMembership { state: Some(_), .. }) => UndoResult::NothingToDo,
            _ => self.change_membership(pair, Some(Given::Back), undone),
        }
    }

    /// Changes a membership, if both of its ends are live now or were restored.
    fn change_membership(
        &mut self,
        pair @ (group_uid, user_uid): (GroupUid, UserUid),
        state: Option<Given>,
        undone: &JournaledChange,
    ) -> UndoResult {
        let (group, user) = (self.groups.get_mut(&group_uid), self.users.get_mut(&user_uid));
        let (Some(group), Some(user)) = (group, user) else { return deleted() };
        if !group.has_lived || !user.has_lived {
            return deleted();
        }
        (group.has_new_memberships, user.has_new_memberships) = (true, true);
        let change = if state.is_some() { 1 } else { -1 };
        count(&mut self.members, group_uid, change);
        count(&mut self.joined, user_uid, change);
        let membership = self.memberships.entry(pair).or_insert(WorkingMembership { state: None, undoes: None });
        membership.state = state;
        membership.undoes.get_or_insert_with(|| Arc::clone(&undone.operation));
        UndoResult::Undone
    }

    /// As [`Self::delete_group`], of a client.
    fn delete_client(&mut self, uid: ClientUid, after: &ClientFields, undone: &JournaledChange) -> UndoResult {
        let Some(client) = self.clients.get_mut(&uid).filter(|client| client.is_live()) else {
            return UndoResult::NothingToDo;
        };
        let since = changed_since(client_fields(&client.fields, after));
        if !since.is_empty() {
            return UndoResult::Conflict(since);
        }
        client.deleted = Some(NEVER);
        client.note(&undone.operation);
        UndoResult::Undone
    }

    fn revert_client(
        &mut self,
        uid: ClientUid,
        before: &ClientFields,
        after: &ClientFields,
        undone: &JournaledChange,
    ) -> UndoResult {
        let Some(client) = self.clients.get_mut(&uid).filter(|client| client.is_live()) else { return deleted() };
        let (fields, result) = reverted(&client.fields, before, after, self.visibility);
        if result == UndoResult::Undone {
            let lives = |user| self.users.get(&user).is_some_and(WorkingEntity::is_live);
            if fields.user != client.fields.user && fields.user.is_some_and(|user| !lives(user)) {
                return conflict("user");
            }
            client.fields = fields;
            client.note(&undone.operation);
        }
        result
    }
}

/// The time of deletion of what a change created: no earlier deletion has it.
const NEVER: Timestamp = Timestamp::from_micros(i64::MIN);

fn deleted() -> UndoResult {
    conflict("deleted")
}

fn conflict(field: &str) -> UndoResult {
    UndoResult::Conflict(vec![field.to_owned()])
}

/// The names of the fields that count as changed since.
fn changed_since(mut fields: Vec<String>) -> Vec<String> {
    fields.retain(|field| !LASTING.contains(&&**field));
    fields
}
