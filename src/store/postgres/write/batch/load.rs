//! Loads what a batch depends on. To avoid deadlocks, users are locked before groups, each in the order of their
//! numbers, as in every transaction.
//!
//! The owners of usernames and numbers are read first, before the entities themselves. If another transaction then
//! creates an entity, it is either found by its ID, or the unique index refuses the batch, which runs again. In the
//! opposite order, an entity that another batch has just created would not be found by its ID, but its username would
//! look taken.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::domain::error::Result;
use crate::domain::group::Group;
use crate::domain::text::fold;
use crate::domain::user::{User, UserUid};
use crate::store::BatchItem;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::clients;
use crate::store::postgres::write::transaction::Transaction;

use super::decide::{BatchEntity, BatchState, EntitiesOf, LiveEntity};

/// Reads and locks what the items depend on, and draws the numbers that new entities may need. For a preview, no number is
/// drawn: new entities get negative ones.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    items: &[BatchItem],
    is_preview: bool,
) -> Result<BatchState, DatabaseError> {
    let mut state = BatchState { usernames: username_owners(transaction, items).await?, ..BatchState::default() };
    let group_numbers = taken_numbers::<Group>(transaction, items, is_preview).await?;
    let user_numbers = taken_numbers::<User>(transaction, items, is_preview).await?;
    // What a restored group or user loses also changes the users or groups at the other end.
    lock_others(transaction, LOCK_MEMBERS, &deleted(&group_numbers)).await?;
    let deleted_users = deleted(&user_numbers);
    // Deleted entities before live ones: one that another batch restores in between is then found among the live ones.
    load_deleted(transaction, user_numbers, &mut state.users).await?;
    state.users.by_id = load_live(transaction, keys_of::<User>(items)).await?;
    let uids: Vec<_> = state.users.by_id.values().map(|live_entity| live_entity.now.uid).collect();
    if !uids.is_empty() {
        state.client_roles = clients::roles_acting_for(transaction, &uids).await?;
    }
    state.members = member_uids(transaction, items, &state.users.by_id).await?;
    lock_others(transaction, LOCK_GROUPS, &deleted_users).await?;
    load_deleted(transaction, group_numbers, &mut state.groups).await?;
    let groups_of_members = items.iter().filter_map(|item| match item {
        BatchItem::Member(member) => Some(member.group.key()),
        _ => None,
    });
    state.groups.by_id = load_live(transaction, keys_of::<Group>(items).chain(groups_of_members)).await?;
    draw_numbers(transaction, items, &mut state.groups, is_preview).await?;
    draw_numbers(transaction, items, &mut state.users, is_preview).await?;
    Ok(state)
}

/// The ID keys of the entities of the kind `E` that the items write.
fn keys_of<E: BatchEntity>(items: &[BatchItem]) -> impl Iterator<Item = String> {
    items.iter().filter_map(E::id_and_uid).map(|(id, _)| id.key())
}

/// Returns the numbers of the users who have the usernames that the items set, by folded username.
async fn username_owners(
    transaction: &mut Transaction<'_>,
    items: &[BatchItem],
) -> Result<HashMap<String, UserUid>, DatabaseError> {
    const BY_USERNAME_KEYS: &str =
        "SELECT username_key, uid FROM users WHERE username_key IN (SELECT unnest($1::TEXT[])) AND deleted IS NULL";
    let keys = items.iter().filter_map(|item| match item {
        // The username that a new user would get. If the rule sets another one for an existing user, the unique index
        // checks it.
        BatchItem::User { fields, .. } => fields(None).ok().map(|fields| fold(&fields.username)),
        _ => None,
    });
    find(transaction, BY_USERNAME_KEYS, keys).await?.iter().map(pair).collect()
}

/// Returns which of the numbers that the items set are taken, each with whether its entity is deleted. Advances the
/// sequence, so that the numbers that are not taken will not be drawn.
async fn taken_numbers<E: BatchEntity>(
    transaction: &mut Transaction<'_>,
    items: &[BatchItem],
    is_preview: bool,
) -> Result<HashMap<i64, bool>, DatabaseError> {
    let (statements, given) = (E::statements(), items.iter().filter_map(E::id_and_uid).filter_map(|(_, uid)| uid));
    let taken = find(transaction, &statements.taken, given.clone()).await?;
    let number = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let taken = taken.iter().map(number).collect::<Result<HashMap<i64, bool>, DatabaseError>>()?;
    if let Some(greatest) = given.filter(|uid| !taken.contains_key(uid)).max().filter(|_| !is_preview) {
        // A rollback does not undo this. If other transactions draw numbers at the same moment, the sequence may be set
        // back, and numbers may be drawn twice. The primary key refuses them then, and they are drawn again.
        transaction.read(&statements.advance_sequence, &[&greatest]).await?;
    }
    Ok(taken)
}

/// Locks the live members of the groups with these numbers.
const LOCK_MEMBERS: &str = "SELECT count(*) FROM (SELECT FROM users WHERE deleted IS NULL AND uid IN \
     (SELECT user_uid FROM memberships WHERE group_uid = ANY($1)) ORDER BY uid FOR NO KEY UPDATE) AS locked";
/// Locks the groups of the users with these numbers.
const LOCK_GROUPS: &str = "SELECT count(*) FROM (SELECT FROM groups WHERE uid IN \
     (SELECT group_uid FROM memberships WHERE user_uid = ANY($1)) ORDER BY uid FOR NO KEY UPDATE) AS locked";

/// Returns the numbers of the deleted entities among the taken numbers.
fn deleted(taken: &HashMap<i64, bool>) -> Vec<i64> {
    taken.iter().filter(|(_, is_deleted)| **is_deleted).map(|(uid, _)| *uid).collect()
}

/// Locks what is at the other end of the memberships of these deleted entities, so that the times of its changes are in
/// the order of their numbers.
async fn lock_others(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    deleted: &[i64],
) -> Result<(), DatabaseError> {
    if deleted.is_empty() { Ok(()) } else { transaction.read(sql, &[&deleted]).await.map(drop) }
}

/// Reads and locks the deleted entities among those with the taken numbers. This violates the order of locks with
/// respect to live entities: if a deadlock results, the batch runs again.
async fn load_deleted<E: BatchEntity>(
    transaction: &mut Transaction<'_>,
    taken: HashMap<i64, bool>,
    state: &mut EntitiesOf<E>,
) -> Result<(), DatabaseError> {
    let result = find(transaction, &E::statements().these_deleted, deleted(&taken).into_iter()).await?;
    let entity = |row| E::read::<Row>(row).map(|entity| (entity.uid(), entity));
    state.deleted = result.iter().map(entity).collect::<Result<_>>()?;
    state.taken = taken.into_keys().collect();
    Ok(())
}

/// Reads and locks the live entities with these ID keys, and returns them by key.
async fn load_live<E: BatchEntity>(
    transaction: &mut Transaction<'_>,
    keys: impl Iterator<Item = String>,
) -> Result<HashMap<String, LiveEntity<E>>, DatabaseError> {
    let result = find(transaction, &E::statements().these_live, keys).await?;
    let live_entity = |now: E| (now.id().to_ascii_lowercase(), LiveEntity { now, is_new: false });
    Ok(result.iter().map(|row| E::read::<Row>(row).map(live_entity)).collect::<Result<_>>()?)
}

/// Returns the numbers of the users whom the items only add to groups, by ID key. Locks the users, who then stay live
/// until the transaction ends, as the change of a single membership does. `users` are the live users that are loaded already.
async fn member_uids(
    transaction: &mut Transaction<'_>,
    items: &[BatchItem],
    users: &HashMap<String, LiveEntity<User>>,
) -> Result<HashMap<String, UserUid>, DatabaseError> {
    const BY_ID_KEYS: &str = "SELECT id_key, uid FROM users WHERE id_key IN (SELECT unnest($1::TEXT[])) \
                              AND deleted IS NULL ORDER BY uid FOR NO KEY UPDATE";
    let keys = items.iter().filter_map(|item| match item {
        BatchItem::Member(member) => Some(member.user.key()).filter(|key| !users.contains_key(key)),
        _ => None,
    });
    find(transaction, BY_ID_KEYS, keys).await?.iter().map(pair).collect()
}

/// Draws a number for each entity that the items may create without setting its number.
async fn draw_numbers<E: BatchEntity>(
    transaction: &mut Transaction<'_>,
    items: &[BatchItem],
    state: &mut EntitiesOf<E>,
    is_preview: bool,
) -> Result<(), DatabaseError> {
    let unnumbered = items.iter().filter_map(E::id_and_uid).filter(|(_, uid)| uid.is_none()).map(|(id, _)| id.key());
    let count = unnumbered.filter(|key| !state.by_id.contains_key(key)).collect::<HashSet<_>>().len() as i64;
    if is_preview {
        state.drawn = (1..=count).map(|number| -number).collect::<Vec<_>>().into_iter();
    } else if count > 0 {
        let sql = "SELECT nextval($1::TEXT::REGCLASS) FROM generate_series(1, $2::BIGINT)";
        let drawn = transaction.read(sql, &[&E::statements().sequence, &count]).await?;
        state.drawn = drawn.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?.into_iter();
    }
    Ok(())
}

/// Runs the statement with the keys, without duplicates, and returns the rows. Sends nothing if there are no keys.
async fn find<K: Ord + ToSql + Sync>(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    keys: impl Iterator<Item = K>,
) -> Result<Vec<Row>, DatabaseError> {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() { Ok(Vec::new()) } else { transaction.read(sql, &[&keys]).await }
}

/// A key and a number from the two columns of the row.
fn pair(row: &Row) -> Result<(String, UserUid), DatabaseError> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}
