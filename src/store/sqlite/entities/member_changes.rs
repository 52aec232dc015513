//! Changes of many members of one group in SQLite. Each row is found by its key, so the cost depends on the users that a
//! change names and not on the size of the group.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::journal::Operation;
use crate::domain::membership::{MembersChange, MembersOptions, MembersOutcome};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::entity::Lookup;
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::members::{MembersPlan, NamedUsers, changeable, difference, lookups};

use super::journal::{append, next_number, time};
use super::memberships;
use crate::store::sqlite::entity::find;
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::storage::open::failed;
use crate::store::sqlite::write::writer::WriteContext;

/// Changes the members of the group, with one journal entry.
pub(crate) fn change(
    context: &mut WriteContext<'_>,
    operation: &Operation,
    visibility: &Visibility,
    key: &GroupKey,
    change: &MembersChange,
    options: &MembersOptions,
) -> Result<MembersOutcome> {
    let connection = context.connection;
    let lookups = lookups(change)?;
    let group = changeable(find(connection, key).map_err(failed)?, key, visibility, options)?;
    let found = live_users(connection, lookups).map_err(failed)?;
    let named = NamedUsers::of(change, &found, options.unknown)?;
    let present = present(connection, group.uid, &named).map_err(failed)?;
    let unnamed = named.check_removals(&group, &present, options)?;
    let others = others(connection, group.uid, &named.add, unnamed).map_err(failed)?;
    let plan = MembersPlan::new(&group, named, &present, others);
    let entry = JournalEntry::of_members(group.uid, &plan.add, &plan.remove, time(connection, operation)?)?;
    let Some(entry) = entry.filter(|_| !options.dry_run) else { return Ok(plan.outcome) };
    write(connection, group.uid, &plan.add, &plan.remove, entry.at).map_err(failed)?;
    context.invalidations.push(Invalidation::Group(group.fields.id.key()));
    append(connection, operation, entry)?;
    Ok(plan.outcome)
}

/// Returns the numbers of the live users.
fn live_users(connection: &Connection, lookups: BTreeSet<Lookup>) -> rusqlite::Result<HashMap<Lookup, UserUid>> {
    let mut by_uid = connection.prepare_cached("SELECT uid FROM users WHERE uid = ?1 AND deleted IS NULL")?;
    let mut found = HashMap::with_capacity(lookups.len());
    for lookup in lookups {
        let uid = match &lookup {
            Lookup::Uid(uid) => by_uid.query_row([uid], |row| row.get(0)),
            Lookup::Unique(column, value) => {
                let sql = format!("SELECT uid FROM users WHERE {column} = ?1 AND deleted IS NULL");
                connection.prepare_cached(&sql)?.query_row([value], |row| row.get(0))
            }
        };
        if let Some(uid) = uid.optional()? {
            found.insert(lookup, uid);
        }
    }
    Ok(found)
}

/// Returns the members among the named users, each with when they were added.
fn present(
    connection: &Connection,
    group: GroupUid,
    named: &NamedUsers,
) -> rusqlite::Result<HashMap<UserUid, Timestamp>> {
    let mut added =
        connection.prepare_cached("SELECT added FROM memberships WHERE group_uid = ?1 AND user_uid = ?2")?;
    let mut present = HashMap::new();
    for user in named.all() {
        if let Some(added) = added.query_row([group, user], |row| row.get(0)).optional()? {
            present.insert(user, Timestamp::from_micros(added));
        }
    }
    Ok(present)
}

/// Returns the first `count` members who are not in `named`, which is sorted, each with when they were added.
fn others(
    connection: &Connection,
    group: GroupUid,
    named: &[UserUid],
    count: u64,
) -> rusqlite::Result<Vec<(UserUid, Timestamp)>> {
    let mut others = Vec::new();
    if count == 0 {
        return Ok(others);
    }
    // The plus sign keeps SQLite from an index in another order.
    let sql = "SELECT user_uid, added FROM memberships WHERE group_uid = ?1 AND +live = 1 ORDER BY user_uid";
    let mut members = connection.prepare_cached(sql)?;
    let mut rows = members.query([group])?;
    while (others.len() as u64) < count
        && let Some(row) = rows.next()?
    {
        let user = row.get(0)?;
        if named.binary_search(&user).is_err() {
            others.push((user, Timestamp::from_micros(row.get(1)?)));
        }
    }
    Ok(others)
}

/// Adds and removes members of a live group at `at`, and counts them. The next journal entry is that of the change.
pub(crate) fn write(
    connection: &Connection,
    group: GroupUid,
    add: &[UserUid],
    remove: &[(UserUid, Timestamp)],
    at: Timestamp,
) -> rusqlite::Result<()> {
    for (user, _) in remove {
        memberships::remove(connection, group, *user)?;
    }
    let change = next_number(connection)?;
    let insert = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added, change) \
                  SELECT ?1, uid, id_key, 1, ?3, ?4 FROM users WHERE uid = ?2";
    let mut insert = connection.prepare_cached(insert)?;
    for user in add {
        insert.execute(params![group, user, at.as_micros(), change])?;
    }
    memberships::count(connection, group, difference(add, remove))
}
