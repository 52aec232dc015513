//! Undoing changes: what becomes of each of them (docs/rollbook.md, section 15).

mod fields;

use crate::domain::history::ChangeId;

pub(crate) use fields::reverted;

/// The maximum number of changes that one undo takes back.
pub(crate) const UNDO_MAX: usize = 100_000;
/// The maximum number of changes that the outcome of an undo lists.
pub(crate) const LISTED_MAX: usize = 1_000;

/// What happens if changes cannot be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// Nothing is undone.
    #[default]
    Fail,
    /// The others are undone.
    Skip,
}

/// How changes are undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UndoOptions {
    /// Whether only the outcome is computed, and nothing is changed.
    pub dry_run: bool,
    /// What happens if changes cannot be undone.
    pub on_conflict: OnConflict,
}

/// What becomes of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoResult {
    /// It is undone.
    Undone,
    /// Its effect is not there any more.
    NothingToDo,
    /// These fields were changed again since, or stand in the way.
    Conflict(Vec<String>),
    /// Changes of this kind cannot be undone, for this reason.
    Impossible(&'static str),
}

impl UndoResult {
    /// The name of the result in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::NothingToDo => "nothing_to_do",
            Self::Conflict(_) => "conflict",
            Self::Impossible(_) => "impossible",
        }
    }

    /// What a person should know about it; `None` if the name says all.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Undone | Self::NothingToDo => None,
            Self::Conflict(fields) => Some(fields.join(", ")),
            Self::Impossible(reason) => Some((*reason).to_owned()),
        }
    }

    /// Whether the change stays although it should be undone.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Impossible(_))
    }
}

/// A change, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneChange {
    /// The change.
    pub id: ChangeId,
    /// What becomes of it.
    pub result: UndoResult,
}

/// What became of the changes of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoOutcome {
    /// The operation of the undo; `None` if nothing was written.
    pub operation: Option<String>,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// How many changes were undone, or would be.
    pub undone: u64,
    /// How many have no effect any more.
    pub nothing_to_do: u64,
    /// How many could not be undone.
    pub conflicts: u64,
    /// The first [`LISTED_MAX`] changes: those that could not be undone before the others, each the newest first.
    pub changes: Vec<UndoneChange>,
}

impl UndoOutcome {
    /// The outcome of changes, which are in the order of the undo: the newest first.
    pub(crate) fn new(changes: Vec<UndoneChange>, dry_run: bool) -> Self {
        let count = |is: fn(&UndoResult) -> bool| changes.iter().filter(|change| is(&change.result)).count() as u64;
        let (undone, nothing_to_do, conflicts) = (
            count(|result| *result == UndoResult::Undone),
            count(|result| *result == UndoResult::NothingToDo),
            count(UndoResult::is_conflict),
        );
        let (mut listed, others): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.result.is_conflict());
        listed.extend(others);
        listed.truncate(LISTED_MAX);
        Self { operation: None, dry_run, undone, nothing_to_do, conflicts, changes: listed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_listed_first() {
        let change = |seq, result| UndoneChange { id: ChangeId { seq, index: 0 }, result };
        let changes = vec![
            change(4, UndoResult::Undone),
            change(3, UndoResult::Conflict(vec!["labels.it".to_owned()])),
            change(2, UndoResult::NothingToDo),
            change(1, UndoResult::Impossible("a reason")),
        ];
        let outcome = UndoOutcome::new(changes, true);
        assert_eq!((outcome.undone, outcome.nothing_to_do, outcome.conflicts), (1, 1, 2));
        let numbers: Vec<_> = outcome.changes.iter().map(|change| change.id.seq).collect();
        assert_eq!(numbers, [3, 1, 4, 2]);
    }

    #[test]
    fn an_outcome_lists_a_thousand_changes() {
        let change = |seq| UndoneChange { id: ChangeId { seq, index: 0 }, result: UndoResult::Undone };
        let outcome = UndoOutcome::new((0..1_500).map(change).collect(), false);
        assert_eq!((outcome.undone, outcome.changes.len()), (1_500, 1_000));
    }
}
