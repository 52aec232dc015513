//! The directory as it would be after the changes that are undone so far.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

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

/// The live owners of unique keys.
#[derive(Debug, Default)]
pub(super) struct Owners<'a> {
    present: Option<&'a HashMap<String, i64>>,
    /// What is different by now; `None` = the key is free.
    moved: HashMap<String, Option<i64>>,
}

impl<'a> Owners<'a> {
    /// The owners now.
    pub(super) fn new(present: &'a HashMap<String, i64>) -> Self {
        Self { present: Some(present), moved: HashMap::new() }
    }

    /// Whether another entity than this one has the key.
    pub(super) fn is_taken(&self, key: &str, uid: i64) -> bool {
        let present = || self.present.and_then(|present| present.get(key).copied());
        self.moved.get(key).copied().unwrap_or_else(present).is_some_and(|owner| owner != uid)
    }

    /// Takes the key away from its owner, and gives it to the entity.
    pub(super) fn give(&mut self, key: String, uid: i64) {
        self.moved.insert(key, Some(uid));
    }

    /// Takes the key away from its owner.
    pub(super) fn free(&mut self, key: String) {
        self.moved.insert(key, None);
    }

    /// The entities that have a key now which another one has in the end.
    pub(super) fn yielding(&self) -> Vec<i64> {
        let now = |key: &String| self.present.and_then(|present| present.get(key).copied());
        let mut yielding: Vec<_> = self
            .moved
            .iter()
            .filter_map(|(key, then)| Some((now(key)?, (*then)?)))
            .filter(|(now, then)| now != then)
            .map(|(now, _)| now)
            .collect();
        yielding.sort_unstable();
        yielding.dedup();
        yielding
    }
}

/// Adds to the number at the key, which may become negative in between.
pub(super) fn count<K: Eq + Hash>(counts: &mut HashMap<K, i64>, key: K, change: i64) {
    *counts.entry(key).or_default() += change;
}
