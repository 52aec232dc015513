//! The directory as it would be after the changes that are undone so far.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use crate::domain::history::ChangeId;
use crate::domain::time::Timestamp;

/// An entity in the course of an undo.
#[derive(Debug)]
pub(super) struct WorkingEntity<F> {
    /// The fields.
    pub fields: F,
    /// The time of its deletion; `None` = it is live.
    pub deleted: Option<Timestamp>,
    /// Whether it was live at any time of the undo, so that its memberships could change.
    pub has_lived: bool,
    /// Whether a membership of it changes while it is live.
    pub has_new_memberships: bool,
    /// The operation of the latest change that is undone; `None` = nothing is undone.
    pub undoes: Option<Arc<str>>,
}

impl<F> WorkingEntity<F> {
    /// The entity as it is now.
    pub(super) fn new(fields: F, deleted: Option<Timestamp>) -> Self {
        Self { fields, deleted, has_lived: deleted.is_none(), has_new_memberships: false, undoes: None }
    }

    /// Whether it is live.
    pub(super) fn is_live(&self) -> bool {
        self.deleted.is_none()
    }

    /// Notes that a change of the operation is undone. The latest change comes first.
    pub(super) fn note(&mut self, operation: &Arc<str>) {
        self.undoes.get_or_insert_with(|| Arc::clone(operation));
    }
}

/// A membership in the course of an undo.
#[derive(Debug)]
pub(super) struct WorkingMembership {
    /// The membership; `None` = the user is not in the group.
    pub state: Option<Given>,
    /// The operation of the latest change that is undone; `None` = nothing is undone.
    pub undoes: Option<Arc<str>>,
}

/// How a membership was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// By the journal entry with the number, if that is known, at the time.
    Stored(Option<i64>, Timestamp),
    /// By this undo.
    Back,
}

/// The live owners of unique keys. In the course of an undo a key may have several owners: an undo that is undone exchanged
/// IDs at once, and its changes do so one after the other.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    present: &'a HashMap<String, i64>,
    /// The owners of the keys that changed hands.
    moved: HashMap<String, Vec<Owner>>,
}

/// The owner of a key.
#[derive(Clone, Copy, Debug)]
struct Owner {
    uid: i64,
    /// The undone change that gave the entity the key; `None` = the entity has the key now.
    given_by: Option<ChangeId>,
}

impl<'a> Owners<'a> {
    /// The owners now.
    pub(super) fn new(present: &'a HashMap<String, i64>) -> Self {
        Self { present, moved: HashMap::new() }
    }

    fn of(&mut self, key: String) -> &mut Vec<Owner> {
        let now = self.present.get(&key).map(|uid| Owner { uid: *uid, given_by: None });
        self.moved.entry(key).or_insert_with(|| now.into_iter().collect())
    }

    /// Gives the entity the key, because the change is undone.
    pub(super) fn give(&mut self, key: String, uid: i64, change: ChangeId) {
        let owners = self.of(key);
        if owners.iter().all(|owner| owner.uid != uid) {
            owners.push(Owner { uid, given_by: Some(change) });
        }
    }

    /// Takes the key away from the entity.
    pub(super) fn free(&mut self, key: String, uid: i64) {
        self.of(key).retain(|owner| owner.uid != uid);
    }

    /// The changes that would give a key to a second entity.
    pub(super) fn collisions(&self) -> impl Iterator<Item = ChangeId> {
        self.moved.values().filter(|owners| owners.len() > 1).flat_map(|owners| {
            // Whoever has the key now keeps it, otherwise whoever gets it by the latest change.
            let keeper = owners.iter().position(|owner| owner.given_by.is_none()).unwrap_or_default();
            owners.iter().enumerate().filter(move |(at, _)| *at != keeper).filter_map(|(_, owner)| owner.given_by)
        })
    }

    /// The entities that have a key now which another one has in the end.
    pub(super) fn yielding(&self) -> BTreeSet<i64> {
        let now = |(key, owners): (&String, &Vec<Owner>)| Some((*self.present.get(key)?, owners.first()?.uid));
        self.moved.iter().filter_map(now).filter(|(now, then)| now != then).map(|(now, _)| now).collect()
    }
}

/// Adds to the number at the key, which may become negative in between.
pub(super) fn count<K: Eq + Hash>(counts: &mut HashMap<K, i64>, key: K, change: i64) {
    *counts.entry(key).or_default() += change;
}
