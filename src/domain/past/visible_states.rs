//! What a caller may see of the states before and after a change (docs/rollbook.md, section 11).

use super::changed_fields::changed_fields;
use crate::domain::caller::{Caller, Permission as _, ReadUsers};
use crate::domain::community::{Communities, Visibility};
use crate::domain::history::{Change, State};

/// The states of a change that its reader may see, and what differs between them.
#[derive(Clone, Debug)]
pub(crate) struct VisibleStates<'a> {
    /// The entity before the change.
    pub before: Option<&'a State>,
    /// The entity after the change.
    pub after: Option<&'a State>,
    /// The names of the fields that differ; none if one of the states is missing.
    pub changed: Vec<String>,
}

impl<'a> VisibleStates<'a> {
    /// What the caller may see of the change. Whoever may not read users sees no state of one, such as that of a deletion
    /// which ended a membership.
    pub(crate) fn new(change: &'a Change, caller: &Caller) -> Self {
        let reads_users = caller.roles.intersects(ReadUsers::ROLES);
        let is_seen = |state: &&State| reads_users || !matches!(state, State::User(_));
        let (before, after) = (change.before.as_ref().filter(is_seen), change.after.as_ref().filter(is_seen));
        let changed = match (before, after) {
            (Some(before), Some(after)) => visible_changes(before, after, &caller.visibility),
            _ => Vec::new(),
        };
        Self { before, after, changed }
    }
}

/// The names of the fields that differ for a reader with this visibility: communities that the reader may not know of are
/// left out of the comparison.
pub(crate) fn visible_changes(before: &State, after: &State, visibility: &Visibility) -> Vec<String> {
    let is_same = match (communities(before), communities(after)) {
        (Some(was), Some(is)) => visibility.seen(was).eq(visibility.seen(is)),
        _ => true,
    };
    let mut changed = changed_fields(before, after);
    changed.retain(|field| field != "communities" || !is_same);
    changed
}

fn communities(state: &State) -> Option<&Communities> {
    match state {
        State::Group(group) => Some(&group.fields.communities),
        State::User(user) => Some(&user.fields.communities),
        State::Client(client) => Some(&client.fields.communities),
        State::Token(_) => None,
    }
}
