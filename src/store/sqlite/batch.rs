//! Batches in SQLite: many things in one write of the writing thread.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::error::{Error, Kind, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupUid};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::membership::Membership;
use crate::domain::user::{User, UserFields, UserKey};
use crate::store::sql::changes::{Written, group_after, user_after};
use crate::store::sql::journal::{Batch, Entry};
use crate::store::{Item, ItemChange, Put, UserWrite, Write};

use super::cache::Stale;
use super::connection::{failed, number};
use super::journal::append;
use super::writer::Writing;
use super::{groups, memberships, users};

/// Writes the items, one after the other. What refuses one of them is told as its outcome; another failure undoes all.
pub fn write(
    writing: &mut Writing<'_>,
    language: &Tag,
    operation: &Operation,
    items: &[Item],
) -> Result<Vec<Result<ItemChange>>> {
    let mut batch = Writer { writing, language, operation, told: Batch::default(), last: None, added: BTreeMap::new() };
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

/// A batch that is being written.
struct Writer<'a, 'w> {
    writing: &'a mut Writing<'w>,
    language: &'a Tag,
    operation: &'a Operation,
    told: Batch,
    /// The group of the last membership: those of one group come together.
    last: Option<(Id, GroupUid)>,
    /// How many members each group got: counted once a group rather than once a member.
    added: BTreeMap<GroupUid, i64>,
}

impl Writer<'_, '_> {
    /// Fails before anything is written where the item is refused.
    fn write(&mut self, item: &Item) -> Result<ItemChange> {
        match item {
            Item::Group { id, uid, put } => self.group(id, *uid, put),
            Item::User { id, put } => self.user(id, put),
            Item::Member(member) => self.member(member),
        }
    }

    fn group(&mut self, id: &Id, uid: Option<GroupUid>, put: &Put<Group, GroupFields>) -> Result<ItemChange> {
        // What it was is no longer what the ID means.
        self.last = None;
        let connection = self.writing.connection;
        let before = groups::find(connection, &GroupKey::Id(id.clone())).map_err(failed)?;
        let write = Write::Put(put(before.as_ref())?);
        let uid = match (&before, uid) {
            (Some(group), _) => group.uid,
            (None, Some(uid)) => free_number(connection, uid)?,
            (None, None) => number(connection, "groups", None)?,
        };
        match group_after(write, before.as_ref(), uid, self.language, self.operation.at)? {
            Written::Unchanged(_) => Ok(ItemChange::Unchanged),
            Written::Changed(after) => {
                groups::put(self.writing, before.as_ref(), &after)?;
                self.told.group(before.as_ref(), &after)?;
                Ok(ItemChange::of(before.is_some()))
            }
        }
    }

    fn user(&mut self, id: &Id, put: &Put<User, UserFields>) -> Result<ItemChange> {
        let before = users::find(self.writing.connection, &UserKey::Id(id.clone())).map_err(failed)?;
        let write = Write::Put(UserWrite { fields: put(before.as_ref())?, password_hash: None });
        let uid = number(self.writing.connection, "users", before.as_ref().map(|user| user.uid))?;
        match user_after(write, before.as_ref(), uid, self.operation.at)?.0 {
            Written::Unchanged(_) => Ok(ItemChange::Unchanged),
            Written::Changed(after) => {
                users::put(self.writing, before.as_ref(), &after)?;
                self.told.user(before.as_ref(), &after)?;
                Ok(ItemChange::of(before.is_some()))
            }
        }
    }

    fn member(&mut self, member: &Membership) -> Result<ItemChange> {
        let group = self.group_of(member)?;
        let missing = || Error::NotFound(Kind::User, member.user.to_string());
        let key = member.user.key();
        let user = users::live_user(self.writing.connection, &key).map_err(failed)?.ok_or_else(missing)?;
        let at = self.operation.at;
        if !memberships::store(self.writing.connection, group, user, &key, at).map_err(failed)? {
            return Ok(ItemChange::Unchanged);
        }
        *self.added.entry(group).or_default() += 1;
        self.told.member(group, user);
        Ok(ItemChange::Created)
    }

    fn group_of(&mut self, member: &Membership) -> Result<GroupUid> {
        if let Some((id, uid)) = &self.last
            && *id == member.group
        {
            return Ok(*uid);
        }
        let key = member.group.key();
        let uid = live_group(self.writing.connection, &key).map_err(failed)?;
        let uid = uid.ok_or_else(|| Error::NotFound(Kind::Group, member.group.to_string()))?;
        self.writing.stale.push(Stale::Group(key));
        self.last = Some((member.group.clone(), uid));
        Ok(uid)
    }

    /// Counts the new members, and tells the journal.
    fn finish(self) -> Result<()> {
        let connection = self.writing.connection;
        for (group, added) in &self.added {
            memberships::count(connection, *group, *added).map_err(failed)?;
        }
        match Entry::of_batch(&self.told)? {
            Some(entry) => append(connection, self.operation, &entry),
            None => Ok(()),
        }
    }
}

/// The number, if no group ever had it.
fn free_number(connection: &Connection, uid: GroupUid) -> Result<GroupUid> {
    let sql = "SELECT 1 FROM groups WHERE uid = ?1";
    let taken = connection.prepare_cached(sql).and_then(|mut look| look.exists([uid])).map_err(failed)?;
    if taken { Err(Error::invalid("uid", "is another group's, or was")) } else { Ok(uid) }
}

fn live_group(connection: &Connection, key: &str) -> rusqlite::Result<Option<GroupUid>> {
    let sql = "SELECT uid FROM groups WHERE id_key = ?1 AND deleted IS NULL";
    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()
}
