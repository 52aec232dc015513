//! Undoing changes in SQLite: in one job of the writer thread.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::client::{Client, ClientKey};
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::restore::GONE_MAX;
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::undo::{KEEP_GROUP_KEYS, KEEP_USER_KEYS, YIELD_GROUP_KEYS, YIELD_USER_KEYS, undoing};
use crate::store::{StoredMembership, UndoFn, UndoMembers, UndoScope, UndoState, UndoWrite, Yielding};

use super::writer::WriteContext;
use crate::store::sqlite::entities::journal::{append, time};
use crate::store::sqlite::entities::{clients, member_changes};
use crate::store::sqlite::entity::{SqliteEntity, find, mutate};
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::storage::open::failed;

/// Decides by the rule what to write, and writes it.
pub(crate) fn undo(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    scope: &UndoScope,
    rule: &UndoFn,
) -> Result<UndoOutcome> {
    let present = load(context.connection, scope).map_err(failed)?;
    let plan = rule(&present)?;
    if plan.is_empty() {
        return Ok(plan.outcome);
    }
    context.invalidations.push(Invalidation::All);
    yield_keys(context.connection, &plan.yielding).map_err(failed)?;
    revive::<User>(context, language, operation, plan.revived_users, UserKey::Uid, YIELD_USER_KEYS)?;
    write::<User>(context, language, operation, plan.users, UserKey::Uid)?;
    revive::<Group>(context, language, operation, plan.revived_groups, GroupKey::Uid, YIELD_GROUP_KEYS)?;
    write::<Group>(context, language, operation, plan.groups, GroupKey::Uid)?;
    keep_keys(context.connection, &plan.yielding).map_err(failed)?;
    write::<Client>(context, language, operation, plan.clients, ClientKey::Uid)?;
    for members in &plan.members {
        change_members(context.connection, operation, members)?;
    }
    write::<Group>(context, language, operation, plan.deleted_groups, GroupKey::Uid)?;
    write::<User>(context, language, operation, plan.deleted_users, UserKey::Uid)?;
    Ok(UndoOutcome { operation: Some(operation.id.clone()), ..plan.outcome })
}

/// Writes entities of one kind, each read again, because what was written before may have changed its counts.
fn write<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    writes: Vec<UndoWrite<E::Fields>>,
    key: impl Fn(i64) -> E::Key,
) -> Result<()> {
    for UndoWrite { uid, mutation, undoes } in writes {
        let before: Option<E> = find(context.connection, &key(uid)).map_err(failed)?;
        E::check_references(context.connection, before.as_ref(), &mutation)?;
        mutate(context, language, &undoing(operation, &undoes), before.as_ref(), mutation)?;
    }
    Ok(())
}

fn change_members(connection: &Connection, operation: &Operation, members: &UndoMembers) -> Result<()> {
    let UndoMembers { group, add, remove, undoes } = members;
    let Some(entry) = JournalEntry::of_members(*group, add, remove, time(connection, operation)?)? else {
        return Ok(());
    };
    member_changes::write(connection, *group, add, remove, entry.at).map_err(failed)?;
    append(connection, &undoing(operation, undoes), entry)
}

/// As [`write()`], of entities that are restored for a while: each loses its unique keys at once.
fn revive<E: SqliteEntity>(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    writes: Vec<UndoWrite<E::Fields>>,
    key: impl Fn(i64) -> E::Key + Copy,
    yield_keys: &str,
) -> Result<()> {
    for revived in writes {
        let uid = revived.uid;
        write::<E>(context, language, operation, vec![revived], key)?;
        context.connection.prepare_cached(yield_keys).and_then(|mut own| own.execute([uid])).map_err(failed)?;
    }
    Ok(())
}

/// Takes their unique keys from the entities.
fn yield_keys(connection: &Connection, yielding: &Yielding) -> rusqlite::Result<()> {
    let mut of_group = connection.prepare_cached(YIELD_GROUP_KEYS)?;
    yielding.groups.iter().try_for_each(|uid| of_group.execute([uid]).map(drop))?;
    let mut of_user = connection.prepare_cached(YIELD_USER_KEYS)?;
    yielding.users.iter().try_for_each(|uid| of_user.execute([uid]).map(drop))
}

/// Gives the entities that were not written meanwhile their unique keys back.
fn keep_keys(connection: &Connection, yielding: &Yielding) -> rusqlite::Result<()> {
    let mut of_group = connection.prepare_cached(KEEP_GROUP_KEYS)?;
    yielding.kept_groups.iter().try_for_each(|(uid, key)| of_group.execute(params![key, uid]).map(drop))?;
    let mut of_user = connection.prepare_cached(KEEP_USER_KEYS)?;
    yielding.kept_users.iter().try_for_each(|(uid, id, username)| of_user.execute(params![id, username, uid]).map(drop))
}

fn load(connection: &Connection, scope: &UndoScope) -> rusqlite::Result<UndoState> {
    let of_groups = "SELECT uid FROM groups WHERE id_key = ?1 AND deleted IS NULL";
    let of_users = "SELECT uid FROM users WHERE id_key = ?1 AND deleted IS NULL";
    let of_usernames = "SELECT uid FROM users WHERE username_key = ?1 AND deleted IS NULL";
    let mut state = UndoState {
        group_ids: owners(connection, of_groups, &scope.group_ids)?,
        user_ids: owners(connection, of_users, &scope.user_ids)?,
        usernames: owners(connection, of_usernames, &scope.usernames)?,
        ..UndoState::default()
    };
    for uid in state.all_users(scope) {
        if let Some(user) = find::<User>(connection, &UserKey::Uid(uid))? {
            state.users.insert(uid, (user, clients::roles_acting_for(connection, uid)?));
        }
    }
    for uid in state.all_groups(scope) {
        state.groups.extend(find::<Group>(connection, &GroupKey::Uid(uid))?.map(|group| (uid, group)));
    }
    for uid in &scope.clients {
        state.clients.extend(find(connection, &ClientKey::Uid(*uid))?.map(|client| (*uid, client)));
    }
    let mut membership =
        connection.prepare_cached("SELECT added, change FROM memberships WHERE group_uid = ?1 AND user_uid = ?2")?;
    for (group, user) in &scope.memberships {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(StoredMembership { since: Timestamp::from_micros(row.get(0)?), change: row.get(1)? })
        };
        let found = membership.query_row([group, user], read).optional()?;
        state.memberships.extend(found.map(|membership| ((*group, *user), membership)));
    }
    for uid in &scope.counted_groups {
        let live = state.groups.get(uid).map_or(0, |group| group.members.unsigned_abs());
        state.members.insert(*uid, live + hidden_members(connection, *uid, &scope.users)?);
    }
    for uid in &scope.counted_users {
        state.joined.insert(*uid, joined_groups(connection, *uid, &scope.groups)?);
    }
    Ok(state)
}

/// Counts the deleted members of a group among the users, of its first [`GONE_MAX`] deleted members.
fn hidden_members(connection: &Connection, group: GroupUid, users: &BTreeSet<UserUid>) -> rusqlite::Result<u64> {
    let sql =
        "SELECT user_uid FROM memberships INDEXED BY memberships_hidden WHERE group_uid = ?1 AND live = 0 LIMIT ?2";
    let mut hidden = connection.prepare_cached(sql)?;
    let mut count = 0;
    for uid in hidden.query_map([group, GONE_MAX as i64], |row| row.get::<_, UserUid>(0))? {
        count += u64::from(users.contains(&uid?));
    }
    Ok(count)
}

/// Counts the groups of a user that are live, or are among the groups.
fn joined_groups(connection: &Connection, user: UserUid, groups: &BTreeSet<GroupUid>) -> rusqlite::Result<u64> {
    let sql = "SELECT g.uid, g.deleted IS NULL FROM memberships m JOIN groups g ON g.uid = m.group_uid \
               WHERE m.user_uid = ?1";
    let mut joined = connection.prepare_cached(sql)?;
    let mut count = 0;
    for row in joined.query_map([user], |row| Ok((row.get::<_, GroupUid>(0)?, row.get::<_, bool>(1)?)))? {
        let (group, is_live) = row?;
        count += u64::from(is_live || groups.contains(&group));
    }
    Ok(count)
}

/// Returns the live entities that have the keys.
fn owners(connection: &Connection, sql: &str, keys: &BTreeSet<String>) -> rusqlite::Result<HashMap<String, i64>> {
    let mut owner = connection.prepare_cached(sql)?;
    let mut owners = HashMap::new();
    for key in keys {
        owners.extend(owner.query_row([key], |row| row.get(0)).optional()?.map(|uid| (key.clone(), uid)));
    }
    Ok(owners)
}
