//! What a batch depends on. Users are locked before groups, each in the order of their numbers, as everywhere.
//!
//! Whose a username or number is, is read first: somebody who gets it later is found by the ID or not at all, in which
//! case the unique index refuses the batch. The other way round, what another batch has just made would look like a
//! conflict with itself.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::domain::error::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::text::fold;
use crate::domain::user::{User, UserUid};
use crate::store::Item;
use crate::store::postgres::transaction::Writing;
use crate::store::postgres::trouble::Trouble;
use crate::store::sql::rows::{self, select_group, select_user};

use super::deciding::{Held, Known};

/// Reads and locks what the items depend on, and draws the numbers that new things may need.
pub async fn read(writing: &mut Writing<'_>, items: &[Item]) -> Result<Known, Trouble> {
    let mut known = Known { usernames: usernames(writing, items).await?, ..Known::default() };
    known.taken = take_numbers(writing, items).await?;
    known.users = users(writing, items).await?;
    known.members = members(writing, items, &known.users).await?;
    known.groups = groups(writing, items).await?;
    let unnumbered = items.iter().filter_map(|item| match item {
        Item::Group { id, uid: None, .. } => Some(id.key()).filter(|key| !known.groups.contains_key(key)),
        _ => None,
    });
    known.new_groups = draw(writing, "groups_uid", unnumbered).await?;
    let new = items.iter().filter_map(|item| match item {
        Item::User { id, .. } => Some(id.key()).filter(|key| !known.users.contains_key(key)),
        _ => None,
    });
    known.new_users = draw(writing, "users_uid", new).await?;
    Ok(known)
}

/// Whose are the usernames that the items give to users.
async fn usernames(writing: &mut Writing<'_>, items: &[Item]) -> Result<HashMap<String, UserUid>, Trouble> {
    const THESE: &str =
        "SELECT username_key, uid FROM users WHERE username_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    let keys = items.iter().filter_map(|item| match item {
        // As a new user would get it. Of a rule that gives another one to a user who is there, the index is asked.
        Item::User { put, .. } => put(None).ok().map(|fields| fold(&fields.username)),
        _ => None,
    });
    find(writing, THESE, keys).await?.iter().map(pair).collect()
}

/// Which of the numbers that the items bring are some group's, live or deleted. From here on no greater number is drawn
/// than the others'.
async fn take_numbers(writing: &mut Writing<'_>, items: &[Item]) -> Result<HashSet<GroupUid>, Trouble> {
    let given = items.iter().filter_map(|item| match item {
        Item::Group { uid, .. } => *uid,
        _ => None,
    });
    let taken = find(writing, "SELECT uid FROM groups WHERE uid = ANY($1)", given.clone()).await?;
    let taken = taken.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<GroupUid>, _>>()?;
    if let Some(greatest) = given.filter(|uid| !taken.contains(uid)).max() {
        // Not undone with the transaction. Numbers that others draw at this very moment may be drawn once more: the
        // primary key refuses them, and they are drawn anew.
        let sql = "SELECT setval('groups_uid', $1) FROM groups_uid WHERE last_value <= $1";
        writing.read(sql, &[&greatest]).await?;
    }
    Ok(taken)
}

/// The users that the items are about, by the keys of their IDs.
async fn users(writing: &mut Writing<'_>, items: &[Item]) -> Result<HashMap<String, Held<User>>, Trouble> {
    const THESE: &str = select_user!(
        "FROM users WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL ORDER BY uid FOR NO KEY UPDATE"
    );
    let keys = items.iter().filter_map(|item| match item {
        Item::User { id, .. } => Some(id.key()),
        _ => None,
    });
    let found = find(writing, THESE, keys).await?;
    let user = |row| rows::user::<Row>(row).map(|user| (user.fields.id.key(), Held { now: user, is_new: false }));
    Ok(found.iter().map(user).collect::<Result<_>>()?)
}

/// The numbers of the other users whom the items put into groups; they stay live until the transaction ends.
async fn members(
    writing: &mut Writing<'_>,
    items: &[Item],
    users: &HashMap<String, Held<User>>,
) -> Result<HashMap<String, UserUid>, Trouble> {
    const THESE: &str = "SELECT id_key, uid FROM users WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL ORDER BY uid FOR SHARE";
    let keys = items.iter().filter_map(|item| match item {
        Item::Member(member) => Some(member.user.key()).filter(|key| !users.contains_key(key)),
        _ => None,
    });
    find(writing, THESE, keys).await?.iter().map(pair).collect()
}

/// The groups that the items are about or put users into, by the keys of their IDs.
async fn groups(writing: &mut Writing<'_>, items: &[Item]) -> Result<HashMap<String, Held<Group>>, Trouble> {
    const THESE: &str = select_group!(
        "FROM groups WHERE id_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL ORDER BY uid FOR NO KEY UPDATE"
    );
    let keys = items.iter().filter_map(|item| match item {
        Item::Group { id, .. } => Some(id.key()),
        Item::Member(member) => Some(member.group.key()),
        Item::User { .. } => None,
    });
    let found = find(writing, THESE, keys).await?;
    let group = |row| rows::group::<Row>(row).map(|group| (group.fields.id.key(), Held { now: group, is_new: false }));
    Ok(found.iter().map(group).collect::<Result<_>>()?)
}

/// As many numbers of the sequence as there are different keys.
async fn draw(
    writing: &mut Writing<'_>,
    sequence: &'static str,
    keys: impl Iterator<Item = String>,
) -> Result<std::vec::IntoIter<i64>, Trouble> {
    let count = keys.collect::<HashSet<_>>().len() as i64;
    if count == 0 {
        return Ok(Vec::new().into_iter());
    }
    let sql = "SELECT nextval($1::TEXT::REGCLASS) FROM generate_series(1, $2::BIGINT)";
    let drawn = writing.read(sql, &[&sequence, &count]).await?;
    let drawn = drawn.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    Ok(drawn.into_iter())
}

/// The rows with these keys, each of which is asked for once; none are asked for if there are none.
async fn find<K: Ord + ToSql + Sync>(
    writing: &mut Writing<'_>,
    sql: &'static str,
    keys: impl Iterator<Item = K>,
) -> Result<Vec<Row>, Trouble> {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() { Ok(Vec::new()) } else { writing.read(sql, &[&keys]).await }
}

fn pair(row: &Row) -> Result<(String, UserUid), Trouble> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}
