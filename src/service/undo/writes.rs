//! What an undo writes: the difference between the present state and the one after all changes are undone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::group::{GroupFields, GroupUid};
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{UserFields, UserUid};
use crate::store::{ClientUpdate, Mutation, UndoMembers, UndoPlan, UndoWrite, UserUpdate, Yielding};

use super::super::clients::end_tokens;
use super::super::users::ends_tokens;
use super::plan::Planner;
use super::working::WorkingEntity;

/// Returns what to write, with its outcome.
pub(super) fn writes(planner: Planner<'_>, outcome: UndoOutcome) -> UndoPlan {
    let mut plan = UndoPlan { outcome, members: members(&planner), ..UndoPlan::default() };
    for (uid, entity) in &planner.users {
        let Some((user, _)) = planner.present.users.get(uid) else { continue };
        match step(*uid, &user.fields, user.deleted, entity, user_mutation) {
            Some(Step::Write(write)) => plan.users.push(write),
            Some(Step::Delete(deletion)) => plan.deleted_users.push(deletion),
            Some(Step::Revive(write, deletion)) => {
                plan.revived_users.push(write);
                plan.deleted_users.push(deletion);
            }
            None => {}
        }
    }
    for (uid, entity) in &planner.groups {
        let Some(group) = planner.present.groups.get(uid) else { continue };
        match step(*uid, &group.fields, group.deleted, entity, group_mutation) {
            Some(Step::Write(write)) => plan.groups.push(write),
            Some(Step::Delete(deletion)) => plan.deleted_groups.push(deletion),
            Some(Step::Revive(write, deletion)) => {
                plan.revived_groups.push(write);
                plan.deleted_groups.push(deletion);
            }
            None => {}
        }
    }
    plan.yielding = yielding(&planner, &plan);
    for (uid, entity) in planner.clients {
        let (Some(client), Some(undoes)) = (planner.present.clients.get(&uid), entity.undoes) else { continue };
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

/// The groups and users whose unique keys another one gets, also only for a while.
fn yielding(planner: &Planner<'_>, plan: &UndoPlan) -> Yielding {
    let (mut groups, mut users) = (planner.group_ids.yielding(), planner.user_ids.yielding());
    users.extend(planner.usernames.yielding());
    for revived in plan.revived_groups.iter().filter_map(|write| planner.present.groups.get(&write.uid)) {
        groups.extend(planner.present.group_ids.get(&revived.fields.id.key()));
    }
    for (revived, _) in plan.revived_users.iter().filter_map(|write| planner.present.users.get(&write.uid)) {
        users.extend(planner.present.user_ids.get(&revived.fields.id.key()));
        users.extend(planner.present.usernames.get(&fold(&revived.fields.username)));
    }
    // Whoever is live in the end and was not written has the keys of now.
    let lives = |uid| planner.groups.get(uid).is_none_or(WorkingEntity::is_live);
    let kept_group = |uid: &GroupUid| Some((*uid, planner.present.groups.get(uid)?.fields.id.key()));
    let kept_groups = groups.iter().filter(|uid| lives(uid)).filter_map(kept_group).collect();
    let lives = |uid| planner.users.get(uid).is_none_or(WorkingEntity::is_live);
    let kept_user = |uid: &UserUid| {
        let (user, _) = planner.present.users.get(uid)?;
        Some((*uid, user.fields.id.key(), fold(&user.fields.username)))
    };
    let kept_users = users.iter().filter(|uid| lives(uid)).filter_map(kept_user).collect();
    Yielding { groups: Vec::from_iter(groups), users: Vec::from_iter(users), kept_groups, kept_users }
}

/// What is written of one entity.
enum Step<U> {
    /// The entity is restored or changed before memberships change.
    Write(UndoWrite<U>),
    /// The entity is restored before memberships change, as it was, and deleted afterwards.
    Revive(UndoWrite<U>, UndoWrite<U>),
    /// The entity is deleted after memberships have changed.
    Delete(UndoWrite<U>),
}

/// Returns what is written of an entity; `None` = nothing.
fn step<F: PartialEq, U>(
    uid: i64,
    present: &F,
    deleted: Option<Timestamp>,
    entity: &WorkingEntity<F>,
    mutation: impl Fn(&F, &F, bool) -> Mutation<U>,
) -> Option<Step<U>> {
    let undoes = entity.undoes.as_ref()?;
    let write = |mutation| UndoWrite { uid, mutation, undoes: Arc::clone(undoes) };
    match (deleted.is_none(), entity.is_live()) {
        (true, true) if *present == entity.fields => None,
        (true, true) => Some(Step::Write(write(mutation(present, &entity.fields, false)))),
        (false, true) => Some(Step::Write(write(mutation(present, &entity.fields, true)))),
        (true, false) => Some(Step::Delete(write(Mutation::Delete))),
        (false, false) if entity.has_new_memberships => {
            Some(Step::Revive(write(mutation(present, present, true)), write(Mutation::Delete)))
        }
        (false, false) => None,
    }
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

/// The memberships that differ, by group and by the operation that is undone.
fn members(planner: &Planner<'_>) -> Vec<UndoMembers> {
    let mut groups: BTreeMap<(GroupUid, &Arc<str>), UndoMembers> = BTreeMap::new();
    for ((group, user), membership) in &planner.memberships {
        let Some(undoes) = &membership.undoes else { continue };
        let stored = planner.present.memberships.get(&(*group, *user));
        let mut change = |add: Option<UserUid>, remove: Option<(UserUid, Timestamp)>| {
            let own = groups.entry((*group, undoes)).or_insert_with(|| UndoMembers {
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
