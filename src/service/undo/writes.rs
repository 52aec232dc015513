//! What an undo writes: the difference between the present state and the one after all changes are undone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::group::{GroupFields, GroupUid};
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{UserFields, UserUid};
use crate::store::{ClientUpdate, Mutation, UndoMembers, UndoPlan, UndoWrite, UserUpdate};

use super::super::clients::end_tokens;
use super::super::users::ends_tokens;
use super::plan::Planner;
use super::working::WorkingEntity;

/// Returns what to write, with its outcome.
pub(super) fn writes(planner: Planner<'_>, outcome: UndoOutcome) -> UndoPlan {
    let mut plan = UndoPlan {
        outcome,
        yielding_groups: planner.group_ids.yielding(),
        yielding_users: planner.user_ids.yielding(),
        members: members(&planner),
        ..UndoPlan::default()
    };
    plan.yielding_users.extend(planner.usernames.yielding());
    let present = planner.present;
    for (uid, entity) in planner.users {
        let Some((user, _)) = present.users.get(&uid) else { continue };
        let (write, deletion) = steps(uid, &user.fields, user.deleted, &entity, user_mutation);
        plan.users.extend(write);
        plan.deleted_users.extend(deletion);
    }
    for (uid, entity) in planner.groups {
        let Some(group) = present.groups.get(&uid) else { continue };
        let (write, deletion) = steps(uid, &group.fields, group.deleted, &entity, group_mutation);
        plan.groups.extend(write);
        plan.deleted_groups.extend(deletion);
    }
    for (uid, entity) in planner.clients {
        let (Some(client), Some(undoes)) = (present.clients.get(&uid), entity.undoes) else { continue };
        let mut fields = entity.fields;
        end_tokens(&client.fields, &mut fields);
        let mutation = match entity.deleted {
            Some(_) => Mutation::Delete,
            None => Mutation::Put(ClientUpdate { fields, secret_hash: None }),
        };
        plan.clients.push(UndoWrite { uid, mutation, undoes });
    }
    plan
}

/// The write of an entity before memberships change, and its deletion afterwards.
fn steps<F: PartialEq, U>(
    uid: i64,
    present: &F,
    deleted: Option<Timestamp>,
    entity: &WorkingEntity<F>,
    mutation: impl Fn(&F, &F, bool) -> Mutation<U>,
) -> (Option<UndoWrite<U>>, Option<UndoWrite<U>>) {
    let Some(undoes) = &entity.undoes else { return (None, None) };
    let (was_live, is_live) = (deleted.is_none(), entity.is_live());
    let is_restored = !was_live && (is_live || entity.has_new_memberships);
    let is_changed = was_live && is_live && *present != entity.fields;
    let write = (is_restored || is_changed).then(|| {
        let mutation = mutation(present, &entity.fields, is_restored);
        UndoWrite { uid, mutation, undoes: Arc::clone(undoes) }
    });
    let is_deleted = !is_live && (was_live || is_restored);
    let deletion = || UndoWrite { uid, mutation: Mutation::Delete, undoes: Arc::clone(undoes) };
    (write, is_deleted.then(deletion))
}

fn group_mutation(_present: &GroupFields, fields: &GroupFields, is_restored: bool) -> Mutation<GroupFields> {
    match is_restored {
        true => Mutation::Restore(fields.clone()),
        false => Mutation::Put(fields.clone()),
    }
}

/// A restored user has no password, and their former tokens stay ended.
fn user_mutation(present: &UserFields, fields: &UserFields, is_restored: bool) -> Mutation<UserUpdate> {
    let mut update = UserUpdate { fields: fields.clone(), password_hash: None };
    if is_restored {
        update.fields.password_set = None;
        update.fields.generation += 1;
        return Mutation::Restore(update);
    }
    update.fields.generation += i64::from(ends_tokens(present, &update));
    Mutation::Put(update)
}

/// The memberships that differ, by group.
fn members(planner: &Planner<'_>) -> Vec<UndoMembers> {
    let mut groups: BTreeMap<GroupUid, UndoMembers> = BTreeMap::new();
    for ((group, user), membership) in &planner.memberships {
        let Some(undoes) = &membership.undoes else { continue };
        let stored = planner.present.memberships.get(&(*group, *user));
        let mut change = |add: Option<UserUid>, remove: Option<(UserUid, Timestamp)>| {
            let own = groups.entry(*group).or_insert_with(|| UndoMembers {
                group: *group,
                add: Vec::new(),
                remove: Vec::new(),
                undoes: Arc::clone(undoes),
            });
            own.add.extend(add);
            own.remove.extend(remove);
        };
        match (stored, membership.state) {
            (Some(stored), None) => change(None, Some((*user, stored.since))),
            (None, Some(_)) => change(Some(*user), None),
            _ => {}
        }
    }
    groups.into_values().collect()
}
