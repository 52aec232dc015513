//! Decides what a batch writes: applies its items in memory, one after the other, to the state that was loaded.

use std::collections::{HashMap, HashSet};
use std::vec::IntoIter;

use crate::domain::entity::Entity;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::id::Id;
use crate::domain::labels::Tag;
use crate::domain::membership::Membership;
use crate::domain::role::Roles;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::postgres::entity::PostgresEntity;
use crate::store::sql::entity::{Applied, after, is_restored, number_taken};
use crate::store::sql::journal::batch_entry::{BatchEntry, Batched};
use crate::store::{BatchItem, CurrentUser, FieldsFn, ItemOutcome, Mutation, UserFieldsFn, UserUpdate};

/// The state that a batch depends on: as it was loaded, with the changes of the items applied so far.
#[derive(Default)]
pub(super) struct BatchState {
    /// The groups.
    pub groups: EntitiesOf<Group>,
    /// The users.
    pub users: EntitiesOf<User>,
    /// The roles of the clients that act for each user, combined.
    pub client_roles: HashMap<UserUid, Roles>,
    /// The numbers of the users who are only added to groups, by ID key.
    pub members: HashMap<String, UserUid>,
    /// The number of the user who has a username, by folded username.
    pub usernames: HashMap<String, UserUid>,
}

/// The loaded entities of one kind.
pub(super) struct EntitiesOf<E> {
    /// The live entities, by ID key.
    pub by_id: HashMap<String, LiveEntity<E>>,
    /// Those of the numbers that the items set that a live or deleted entity has.
    pub taken: HashSet<i64>,
    /// The deleted entities with these numbers, which an item may restore.
    pub deleted: HashMap<i64, E>,
    /// Numbers for new entities, drawn from the sequence.
    pub drawn: IntoIter<i64>,
}

impl<E> Default for EntitiesOf<E> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), taken: HashSet::new(), deleted: HashMap::new(), drawn: Vec::new().into_iter() }
    }
}

impl<E: Entity> EntitiesOf<E> {
    /// The entity that an item writes: the live one with the ID key, or the deleted one with the key and the number.
    fn find(&self, key: &str, uid: Option<i64>) -> Option<&E> {
        let deleted = || self.deleted.get(&uid?).filter(|entity| entity.id().eq_ignore_ascii_case(key));
        self.by_id.get(key).map(|live_entity| &live_entity.now).or_else(deleted)
    }

    /// The number of a new entity: the one that the item sets, or a drawn one. Fails if the number is taken.
    fn number(&mut self, uid: Option<i64>) -> Result<i64> {
        match uid {
            Some(uid) if self.taken.insert(uid) => Ok(uid),
            Some(_) => Err(number_taken::<E>()),
            None => {
                let exhausted = || anyhow::anyhow!("a batch creates more entities than it drew numbers for");
                self.drawn.next().ok_or_else(|| Error::internal(exhausted()))
            }
        }
    }
}

/// A kind of entity that batches write.
pub(super) trait BatchEntity: PostgresEntity + Batched {
    /// Deletes the memberships of the entities with these numbers, and returns them.
    const DELETE_FORMER: &'static str;

    /// The ID and, if set, the number of the entity that the item writes. `None` if it is not of this kind.
    fn id_and_uid(item: &BatchItem) -> Option<(&Id, Option<i64>)>;
    /// The loaded entities of this kind.
    fn state(state: &mut BatchState) -> &mut EntitiesOf<Self>;
    /// The replacement of `before` by `after`.
    fn replacement(before: Self, after: Self) -> Replacement;
}

impl BatchEntity for Group {
    const DELETE_FORMER: &'static str =
        "DELETE FROM memberships WHERE group_uid = ANY($1) RETURNING group_uid, user_uid, added";

    fn id_and_uid(item: &BatchItem) -> Option<(&Id, Option<i64>)> {
        match item {
            BatchItem::Group { id, uid, .. } => Some((id, *uid)),
            _ => None,
        }
    }

    fn state(state: &mut BatchState) -> &mut EntitiesOf<Self> {
        &mut state.groups
    }

    fn replacement(before: Self, after: Self) -> Replacement {
        Replacement::Group(before.into(), after.into())
    }
}

impl BatchEntity for User {
    const DELETE_FORMER: &'static str =
        "DELETE FROM memberships WHERE user_uid = ANY($1) RETURNING group_uid, user_uid, added";

    fn id_and_uid(item: &BatchItem) -> Option<(&Id, Option<i64>)> {
        match item {
            BatchItem::User { id, uid, .. } => Some((id, *uid)),
            _ => None,
        }
    }

    fn state(state: &mut BatchState) -> &mut EntitiesOf<Self> {
        &mut state.users
    }

    fn replacement(before: Self, after: Self) -> Replacement {
        Replacement::User(before.into(), after.into())
    }
}

/// A live entity in the course of a batch.
pub(super) struct LiveEntity<T> {
    /// The entity, with the changes of the items applied so far.
    pub now: T,
    /// Whether the batch creates it.
    pub is_new: bool,
}

/// What the batch writes.
pub(super) struct Decisions {
    /// The journal entry, without the memberships.
    pub journal_entry: BatchEntry,
    /// The changes of existing entities, in the order of the items.
    pub replacements: Vec<Replacement>,
    /// The new users, in the order of their numbers.
    pub users: Vec<User>,
    /// The new groups, in the order of their numbers.
    pub groups: Vec<Group>,
    /// The memberships to insert, without duplicates, in the order of the items.
    pub members: Vec<NewMember>,
}

/// A change of an entity that existed before the batch, live or deleted: the entity before and after one item.
pub(super) enum Replacement {
    /// A group, before and after.
    Group(Box<Group>, Box<Group>),
    /// A user, before and after.
    User(Box<User>, Box<User>),
}

impl Replacement {
    /// The number of the group that it restores.
    pub(super) fn restored_group(&self) -> Option<GroupUid> {
        match self {
            Self::Group(before, after) if is_restored(Some(&**before), &**after) => Some(after.uid),
            _ => None,
        }
    }

    /// The number of the user that it restores.
    pub(super) fn restored_user(&self) -> Option<UserUid> {
        match self {
            Self::User(before, after) if is_restored(Some(&**before), &**after) => Some(after.uid),
            _ => None,
        }
    }
}

/// A membership to insert. It may exist already.
pub(super) struct NewMember {
    /// The index of its item in the batch.
    pub at: usize,
    /// The number of the group.
    pub group: GroupUid,
    /// The number of the user.
    pub user: UserUid,
    /// The key of the user's ID.
    pub user_key: String,
}

impl NewMember {
    /// The numbers of the group and the user.
    pub(super) fn pair(&self) -> (GroupUid, UserUid) {
        (self.group, self.user)
    }
}

/// Applies the items of a batch and collects what to write.
pub(super) struct Decider<'a> {
    state: BatchState,
    language: &'a Tag,
    at: Timestamp,
    journal_entry: BatchEntry,
    replacements: Vec<Replacement>,
    members: Vec<NewMember>,
    /// The pairs of `members`, to find duplicates.
    pairs: HashSet<(GroupUid, UserUid)>,
}

impl<'a> Decider<'a> {
    /// A decider before the first item. `language` is the default language of the directory, `at` the time of all
    /// changes.
    pub(super) fn new(state: BatchState, language: &'a Tag, at: Timestamp) -> Self {
        let (journal_entry, replacements, members, pairs) =
            (BatchEntry::default(), Vec::new(), Vec::new(), HashSet::new());
        Self { state, language, at, journal_entry, replacements, members, pairs }
    }

    /// Applies the item with the index `at` and returns its outcome. Fails if the item is refused. For a membership the
    /// outcome is `Unchanged` for now: only the insertion shows whether it is new.
    pub(super) fn decide(&mut self, at: usize, item: &BatchItem) -> Result<ItemOutcome> {
        match item {
            BatchItem::Group { id, uid, fields } => self.group(id, *uid, fields),
            BatchItem::User { id, uid, fields } => self.user(id, *uid, fields),
            BatchItem::Member(member) => self.member(at, member),
        }
    }

    /// Returns what to write, after the last item.
    pub(super) fn finish(self) -> Decisions {
        let Self { state, journal_entry, replacements, members, .. } = self;
        let (mut users, mut groups) = (new_entities(state.users.by_id), new_entities(state.groups.by_id));
        users.sort_unstable_by_key(|user| user.uid);
        groups.sort_unstable_by_key(|group| group.uid);
        Decisions { journal_entry, replacements, users, groups, members }
    }

    fn group(&mut self, id: &Id, uid: Option<GroupUid>, put: &FieldsFn<Group, GroupFields>) -> Result<ItemOutcome> {
        let fields = put(self.state.groups.find(&id.key(), uid))?;
        check_same_id(id, &fields.id)?;
        self.put::<Group>(id, uid, fields)
    }

    fn user(&mut self, id: &Id, uid: Option<UserUid>, put: &UserFieldsFn) -> Result<ItemOutcome> {
        let (key, state) = (id.key(), &self.state);
        let current = state.users.find(&key, uid);
        let client_roles = |user: &User| state.client_roles.get(&user.uid).copied().unwrap_or_default();
        let fields = put(current.map(|user| CurrentUser { user, client_roles: client_roles(user) }))?;
        check_same_id(id, &fields.id)?;
        let username = fold(&fields.username);
        if state.usernames.get(&username).is_some_and(|owner| Some(*owner) != current.map(|user| user.uid)) {
            return Err(Error::UsernameTaken);
        }
        let former = state.users.by_id.get(&key).map(|live_entity| fold(&live_entity.now.fields.username));
        let outcome = self.put::<User>(id, uid, UserUpdate { fields, password_hash: None })?;
        if let (true, Some(live_entity)) = (outcome != ItemOutcome::Unchanged, self.state.users.by_id.get(&key)) {
            let usernames = &mut self.state.usernames;
            former.map(|former| usernames.remove(&former));
            usernames.insert(username, live_entity.now.uid);
        }
        Ok(outcome)
    }

    /// Puts the fields into the entity that the item writes, or into a new one.
    fn put<E: BatchEntity>(&mut self, id: &Id, uid: Option<i64>, fields: E::Fields) -> Result<ItemOutcome> {
        let (key, state) = (id.key(), E::state(&mut self.state));
        let uid = match state.find(&key, uid) {
            Some(current) => current.uid(),
            None => state.number(uid)?,
        };
        let current = state.find(&key, Some(uid));
        let Applied::Changed(after, _) = after(Mutation::Put(fields), current, uid, self.language, self.at)? else {
            return Ok(ItemOutcome::Unchanged);
        };
        self.journal_entry.entity(current, &after)?;
        let outcome = ItemOutcome::of(current.is_some_and(E::is_live));
        let is_new = state.by_id.get(&key).map_or(current.is_none(), |live_entity| live_entity.is_new);
        if let Some(current) = current.filter(|_| !is_new) {
            self.replacements.push(E::replacement(current.clone(), after.clone()));
        }
        state.by_id.insert(key, LiveEntity { now: after, is_new });
        Ok(outcome)
    }

    fn member(&mut self, at: usize, member: &Membership) -> Result<ItemOutcome> {
        let (state, user_key) = (&self.state, member.user.key());
        let group = state.groups.by_id.get(&member.group.key()).map(|live_entity| live_entity.now.uid);
        let group = group.ok_or_else(|| Error::NotFound(ResourceKind::Group, member.group.to_string()))?;
        let user = state
            .users
            .by_id
            .get(&user_key)
            .map(|live_entity| live_entity.now.uid)
            .or(state.members.get(&user_key).copied());
        let user = user.ok_or_else(|| Error::NotFound(ResourceKind::User, member.user.to_string()))?;
        if self.pairs.insert((group, user)) {
            self.members.push(NewMember { at, group, user, user_key });
        }
        Ok(ItemOutcome::Unchanged)
    }
}

/// The entities that the batch creates.
fn new_entities<T>(all: HashMap<String, LiveEntity<T>>) -> Vec<T> {
    all.into_values().filter(|live_entity| live_entity.is_new).map(|live_entity| live_entity.now).collect()
}

/// Fails if an item would change the ID by which its entity was loaded: a defect.
fn check_same_id(id: &Id, new: &Id) -> Result<()> {
    match id.key() == new.key() {
        true => Ok(()),
        false => Err(Error::internal(anyhow::anyhow!("a batch renames {id} to {new}"))),
    }
}
