//! Changes of a group's members: whom a change names, and whom it adds and removes. All stores share these rules.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::change::EntityVersion;
use crate::domain::community::Visibility;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupKey};
use crate::domain::membership::{MEMBERS_MAX, MembersChange, MembersOptions, MembersOutcome, UnknownUsers};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};

use super::entity::{Lookup, StoredEntity as _};

/// Returns what the keys of the change look up, each once. Fails if there are too many, or if a key is to be added and
/// removed.
pub(crate) fn lookups(change: &MembersChange) -> Result<BTreeSet<Lookup>> {
    let (add, remove) = change.named();
    if add.len() + remove.len() > MEMBERS_MAX {
        return Err(Error::invalid("members", format!("must not name more than {MEMBERS_MAX} users")));
    }
    let mut add: BTreeSet<Lookup> = add.iter().map(User::lookup).collect();
    let mut remove: BTreeSet<Lookup> = remove.iter().map(User::lookup).collect();
    if !add.is_disjoint(&remove) {
        return Err(contradiction());
    }
    add.append(&mut remove);
    Ok(add)
}

fn contradiction() -> Error {
    Error::invalid("remove", "names a user who is to be added")
}

/// Returns the group that the key found. Fails with `NotFound` if there is none or the caller may not see it.
pub(crate) fn visible(group: Option<Group>, key: &GroupKey, visibility: &Visibility) -> Result<Group> {
    let group = group.filter(|group| visibility.sees(&group.fields.communities));
    group.ok_or_else(|| Error::NotFound(ResourceKind::Group, key.to_string()))
}

/// Returns the user that the key found. Fails with `NotFound` if there is none.
pub(crate) fn existing(user: Option<User>, key: &UserKey) -> Result<User> {
    user.ok_or_else(|| Error::NotFound(ResourceKind::User, key.to_string()))
}

/// Returns the group that the key found, which may change now. Fails with `NotFound` if there is none or the caller may
/// not see it, with `AlreadyDeleted` if it is deleted, and with `PreconditionFailed` if the condition on its members
/// does not hold.
pub(crate) fn changeable(
    group: Option<Group>,
    key: &GroupKey,
    visibility: &Visibility,
    options: &MembersOptions,
) -> Result<Group> {
    let group = visible(group, key, visibility)?;
    if group.deleted.is_some() {
        return Err(Error::AlreadyDeleted);
    }
    let present = EntityVersion { uid: group.uid, version: group.members_version };
    match &options.precondition {
        Some(condition) if !condition.holds(Some(present)) => Err(Error::PreconditionFailed),
        _ => Ok(group),
    }
}

/// The live users that a change names, each once, in the order of their numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedUsers {
    /// Those who are members afterwards.
    pub add: Vec<UserUid>,
    /// Those who are no members afterwards.
    pub remove: Vec<UserUid>,
    /// Whether nobody else is a member afterwards.
    pub is_exact: bool,
    /// The keys that no live user has.
    unknown: Vec<UserKey>,
}

impl NamedUsers {
    /// Returns whom the change names; `found` are the live users. Fails with `UnknownUsers` unless they are ignored, and
    /// if a user is to be added and removed.
    pub(crate) fn of(
        change: &MembersChange,
        found: &HashMap<Lookup, UserUid>,
        unknown_users: UnknownUsers,
    ) -> Result<Self> {
        let (mut unknown, mut seen) = (Vec::new(), HashSet::new());
        let mut numbers = |keys: &[UserKey]| -> Vec<UserUid> {
            let mut numbers = BTreeSet::new();
            for key in keys {
                let lookup = User::lookup(key);
                match found.get(&lookup) {
                    Some(uid) => _ = numbers.insert(*uid),
                    None if seen.insert(lookup) => unknown.push(key.clone()),
                    None => {}
                }
            }
            numbers.into_iter().collect()
        };
        let (add, remove) = change.named();
        let (add, remove) = (numbers(add), numbers(remove));
        if remove.iter().any(|uid| add.binary_search(uid).is_ok()) {
            return Err(contradiction());
        }
        if unknown_users == UnknownUsers::Refuse && !unknown.is_empty() {
            return Err(Error::UnknownUsers(unknown));
        }
        Ok(Self { add, remove, is_exact: change.is_exact(), unknown })
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = UserUid> {
        self.add.iter().chain(&self.remove).copied()
    }

    /// Checks that as many members may be removed as the change removes. `present` are the members among the named
    /// users. Returns how many members are removed without being named.
    pub(crate) fn check_removals(
        &self,
        group: &Group,
        present: &HashMap<UserUid, Timestamp>,
        options: &MembersOptions,
    ) -> Result<u64> {
        let members = u64::try_from(group.members).unwrap_or_default();
        let removals = match self.is_exact {
            true => members.saturating_sub(present.len() as u64),
            false => self.remove.iter().filter(|uid| present.contains_key(uid)).count() as u64,
        };
        options.check_removals(removals, members)?;
        Ok(if self.is_exact { removals } else { 0 })
    }
}

/// What a change of members writes.
#[derive(Debug)]
pub(crate) struct MembersPlan {
    /// The users to add.
    pub add: Vec<UserUid>,
    /// The members to remove, each with when they were added.
    pub remove: Vec<(UserUid, Timestamp)>,
    /// The outcome, once that is written.
    pub outcome: MembersOutcome,
}

impl MembersPlan {
    /// Returns what to write. `present` are the members among the named users, `others` those whom the change removes
    /// without naming them, each with when they were added.
    pub(crate) fn new(
        group: &Group,
        named: NamedUsers,
        present: &HashMap<UserUid, Timestamp>,
        others: Vec<(UserUid, Timestamp)>,
    ) -> Self {
        let all = (named.add.len() + named.remove.len()) as u64;
        let add: Vec<_> = named.add.into_iter().filter(|uid| !present.contains_key(uid)).collect();
        let removed = named.remove.iter().filter_map(|uid| Some((*uid, *present.get(uid)?)));
        let remove: Vec<_> = removed.chain(others.iter().copied()).collect();
        let changed = (add.len() + remove.len() - others.len()) as u64;
        let is_changed = !add.is_empty() || !remove.is_empty();
        let outcome = MembersOutcome {
            group: group.uid,
            added: add.len() as u64,
            removed: remove.len() as u64,
            unchanged: all - changed,
            unknown: named.unknown,
            members_version: group.members_version + i64::from(is_changed),
        };
        Self { add, remove, outcome }
    }

    /// Whom it adds or removes.
    pub(crate) fn changed(&self) -> BTreeSet<UserUid> {
        self.add.iter().copied().chain(self.remove.iter().map(|(uid, _)| *uid)).collect()
    }
}

/// By how much a change moves the number of members.
pub(crate) fn difference(add: &[UserUid], remove: &[(UserUid, Timestamp)]) -> i64 {
    add.len() as i64 - remove.len() as i64
}
