//! Batches in SQLite: many entities in one job of the writer thread.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupUid};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::membership::Membership;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::sql::entity::{Applied, after, is_restored, number_taken};
use crate::store::sql::journal::batch_entry::{BatchEntry, Batched};
use crate::store::{BatchItem, CurrentUser, ItemOutcome, Mutation, UserUpdate};

use super::writer::WriteContext;
use crate::store::sqlite::entities::{batch_index, journal, memberships, rows, users};
use crate::store::sqlite::entity::{SqliteEntity, by_uid, find, store};
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::storage::open::{failed, number};

/// Writes the items in order and returns the outcome of each. A refused item is an `Err` in the result; any other error
/// undoes the whole batch.
pub(crate) fn write(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    items: &[BatchItem],
) -> Result<Vec<Result<ItemOutcome>>> {
    let mut batch = BatchWriter {
        at: journal::time(context.connection, operation)?,
        first_number: journal::next_number(context.connection).map_err(failed)?,
        context,
        language,
        operation,
        journal_entry: BatchEntry::default(),
        last: None,
        added: BTreeMap::new(),
        members: Vec::new(),
    };
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        match batch.write(item) {
            Err(error) if !error.is_refusal() => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    batch.finish()?;
    Ok(outcomes)
}

/// Returns the outcomes that [`write()`] would return, and undoes what it writes. The other writes of the group are not
/// affected.
pub(crate) fn preview(
    context: &mut WriteContext<'_>,
    language: &Tag,
    operation: &Operation,
    items: &[BatchItem],
) -> Result<Vec<Result<ItemOutcome>>> {
    let (texts, invalidations) = (context.texts.len(), context.invalidations.len());
    context.connection.execute_batch("SAVEPOINT preview").map_err(failed)?;
    let outcomes = write(context, language, operation, items);
    context.connection.execute_batch("ROLLBACK TO preview; RELEASE preview").map_err(failed)?;
    context.texts.truncate(texts);
    context.invalidations.truncate(invalidations);
    outcomes
}

/// A batch while it is written.
struct BatchWriter<'a, 'w> {
    context: &'a mut WriteContext<'w>,
    language: &'a Tag,
    operation: &'a Operation,
    /// The time of all changes of the batch.
    at: Timestamp,
    journal_entry: BatchEntry,
    /// ID and number of the last membership's group, because exports list the memberships of a group consecutively.
    last: Option<(Id, GroupUid)>,
    /// The number of added members by group, so that each group's counter is updated once.
    added: BTreeMap<GroupUid, i64>,
    /// The number that the first journal entry of the batch gets.
    first_number: i64,
    /// The added memberships, in the order of the items.
    members: Vec<(GroupUid, UserUid)>,
}

impl BatchWriter<'_, '_> {
    /// Writes one item. If the item is refused, this fails before anything is written.
    fn write(&mut self, item: &BatchItem) -> Result<ItemOutcome> {
        match item {
            BatchItem::Group { id, uid, fields } => {
                // The ID may refer to another group now.
                self.last = None;
                self.entity::<Group>(id, *uid, |current, ()| fields(current))
            }
            BatchItem::User { id, uid, fields } => self.entity::<User>(id, *uid, |current, client_roles| {
                let fields = fields(current.map(|user| CurrentUser { user, client_roles }))?;
                Ok(UserUpdate { fields, password_hash: None })
            }),
            BatchItem::Member(member) => self.member(member),
        }
    }

    fn entity<E: SqliteEntity + Batched>(
        &mut self,
        id: &Id,
        uid: Option<i64>,
        fields: impl FnOnce(Option<&E>, E::Context) -> Result<E::Fields>,
    ) -> Result<ItemOutcome> {
        let connection = self.context.connection;
        let live = find(connection, &E::key(id)).map_err(failed)?;
        let before: Option<E> = match (live, uid) {
            (None, Some(uid)) => deleted(connection, uid, id)?,
            (live, _) => live,
        };
        let context = E::context(connection, before.as_ref()).map_err(failed)?;
        let mutation = Mutation::Put(fields(before.as_ref(), context)?);
        let uid = number(connection, E::TABLE, before.as_ref().map(E::uid).or(uid))?;
        match after(mutation, before.as_ref(), uid, self.language, self.at)? {
            Applied::Unchanged(_) => Ok(ItemOutcome::Unchanged),
            Applied::Changed(after, _) => {
                store(self.context, before.as_ref(), &after)?;
                if is_restored(before.as_ref(), &after) {
                    self.delete_former(&after)?;
                }
                self.journal_entry.entity(before.as_ref(), &after)?;
                Ok(ItemOutcome::of(before.is_some_and(|before| before.is_live())))
            }
        }
    }

    /// Deletes the memberships that the restored entity had before its deletion.
    fn delete_former<E: Batched>(&mut self, restored: &E) -> Result<()> {
        let former = memberships::delete_former::<E>(self.context.connection, restored.uid()).map_err(failed)?;
        for (group, user, added) in former {
            self.journal_entry.former_member(group, user, added);
        }
        Ok(())
    }

    fn member(&mut self, member: &Membership) -> Result<ItemOutcome> {
        let group = self.group_of(member)?;
        let missing = || Error::NotFound(ResourceKind::User, member.user.to_string());
        let key = member.user.key();
        let user = users::live_user(self.context.connection, &key).map_err(failed)?.ok_or_else(missing)?;
        // Most batches have one entry. `finish` corrects the number if the membership is in a later one.
        let change = Some(self.first_number);
        if !memberships::store(self.context.connection, group, user, &key, self.at, change).map_err(failed)? {
            return Ok(ItemOutcome::Unchanged);
        }
        *self.added.entry(group).or_default() += 1;
        self.journal_entry.member(group, user);
        self.members.push((group, user));
        Ok(ItemOutcome::Created)
    }

    fn group_of(&mut self, member: &Membership) -> Result<GroupUid> {
        if let Some((id, uid)) = &self.last
            && *id == member.group
        {
            return Ok(*uid);
        }
        let key = member.group.key();
        let uid = live_group(self.context.connection, &key).map_err(failed)?;
        let uid = uid.ok_or_else(|| Error::NotFound(ResourceKind::Group, member.group.to_string()))?;
        self.context.invalidations.push(Invalidation::Group(key));
        self.last = Some((member.group.clone(), uid));
        Ok(uid)
    }

    /// Updates the member counters and appends the journal entries.
    fn finish(self) -> Result<()> {
        let connection = self.context.connection;
        for (group, added) in &self.added {
            memberships::count(connection, *group, *added).map_err(failed)?;
        }
        let changes = batch_index::append(connection, self.operation, self.journal_entry.pieces(self.at)?)?;
        let members = self.members.into_iter().zip(changes);
        for ((group, user), change) in members.filter(|(_, change)| *change != self.first_number) {
            memberships::set_change(connection, group, user, change).map_err(failed)?;
        }
        Ok(())
    }
}

/// Returns the deleted entity with the number; `None` if no entity has the number. Fails if a live entity has it, or a
/// deleted one with another ID.
fn deleted<E: SqliteEntity + Batched>(connection: &Connection, uid: i64, id: &Id) -> Result<Option<E>> {
    match by_uid::<E>(connection)
        .and_then(|mut found| found.query_row([uid], rows::record::<E>).optional())
        .map_err(failed)?
    {
        Some(current) if current.is_live() || !current.id().eq_ignore_ascii_case(id.as_str()) => {
            Err(number_taken::<E>())
        }
        found => Ok(found),
    }
}

fn live_group(connection: &Connection, key: &str) -> rusqlite::Result<Option<GroupUid>> {
    let sql = "SELECT uid FROM groups WHERE id_key = ?1 AND deleted IS NULL";
    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()
}
