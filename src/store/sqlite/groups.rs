//! Groups in SQLite.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::domain::community::{Communities, Visibility};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupUid, Outline};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::xp::Xp;
use crate::store::Edit;
use crate::store::sql::changes::{Written, group_after, texts_of_group};
use crate::store::sql::codec::{communities_to_text, labels_to_text};
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::Entry;
use crate::store::sql::rows::{select_group, select_outline};

use super::cache::Stale;
use super::connection::{failed, is_unique_violation, number};
use super::counters;
use super::journal::append;
use super::search::{Searched, TextChange};
use super::writer::Writing;
use super::{rows, xp};

/// The group with the key; by number also a deleted one.
pub fn find(connection: &Connection, key: &GroupKey) -> rusqlite::Result<Option<Group>> {
    const BY_ID: &str = select_group!("FROM groups WHERE id_key = ?1 AND deleted IS NULL");
    match key {
        GroupKey::Id(id) => connection.prepare_cached(BY_ID)?.query_row([id.key()], rows::group).optional(),
        GroupKey::Uid(uid) => by_uid(connection)?.query_row([uid], rows::group).optional(),
        GroupKey::New => Ok(None),
    }
}

/// The statement that finds a group by its number.
pub fn by_uid(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(select_group!("FROM groups WHERE uid = ?1"))
}

/// The first visible live groups above a number.
pub fn after(
    connection: &Connection,
    after: GroupUid,
    limit: u32,
    visibility: &Visibility,
) -> rusqlite::Result<Vec<Outline>> {
    let sql = select_outline!(
        "FROM groups WHERE uid > ?1 AND deleted IS NULL AND (?3 IS NULL OR EXISTS (SELECT 1 FROM group_communities c \
         WHERE c.owner = groups.uid AND c.community IN (SELECT value FROM json_each(?3)))) ORDER BY uid LIMIT ?2"
    );
    let names = |own: &Communities| serde_json::Value::from_iter(own.iter().map(ToString::to_string)).to_string();
    let communities = visibility.limit().map(names);
    connection.prepare_cached(sql)?.query_map(params![after, limit, communities], rows::outline)?.collect()
}

/// Writes a group by the rule.
pub fn write(
    writing: &mut Writing<'_>,
    language: &Tag,
    operation: &Operation,
    key: &GroupKey,
    edit: &Edit<Group, GroupFields>,
) -> Result<Group> {
    let before = find(writing.connection, key).map_err(failed)?;
    let write = edit(before.as_ref())?;
    let uid = number(writing.connection, "groups", before.as_ref().map(|group| group.uid))?;
    let after = match group_after(write, before.as_ref(), uid, language, operation.at)? {
        Written::Unchanged(group) => return Ok(group),
        Written::Changed(group) => group,
    };
    put(writing, before.as_ref(), &after)?;
    append(writing.connection, operation, &Entry::of_group(before.as_ref(), &after)?)?;
    Ok(after)
}

/// Brings the tables from `before` to `after`.
pub fn put(writing: &mut Writing<'_>, before: Option<&Group>, after: &Group) -> Result<()> {
    upsert(writing.connection, after).map_err(|error| match error {
        error if is_unique_violation(&error) => Error::AlreadyExists(Kind::Group, after.fields.id.to_string()),
        error => failed(error),
    })?;
    let keys = before.into_iter().chain([after]).map(|group| Stale::Group(group.fields.id.key()));
    writing.stale.extend(keys);
    let was = before.filter(|group| group.deleted.is_none());
    let is = Some(after).filter(|group| group.deleted.is_none());
    put_links(writing.connection, after.uid, was, is).map_err(failed)?;
    let xp_was = was.and_then(|group| group.fields.xp.as_ref());
    xp::put(writing.connection, "group_xp", after.uid, xp_was, is.and_then(|group| group.fields.xp.as_ref()))
        .map_err(failed)?;
    let (texts_were, texts_are) = (was.map(texts_of_group), is.map(texts_of_group));
    writing.texts.extend(TextChange::between(Searched::Groups, after.uid, texts_were, texts_are));
    let live = i64::from(is.is_some()) - i64::from(was.is_some());
    counters::add(writing.connection, Counter::Groups, live).map_err(failed)?;
    counters::add(writing.connection, Counter::Memberships, live * after.members).map_err(failed)
}

fn upsert(connection: &Connection, group: &Group) -> rusqlite::Result<()> {
    let fields = &group.fields;
    let mut statement = connection.prepare_cached(
        "INSERT INTO groups (uid, id, id_key, name, name_key, labels, description, description_key, xp, communities, \
         created, updated, deleted, version, members) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
         ON CONFLICT (uid) DO UPDATE SET id = ?2, id_key = ?3, name = ?4, name_key = ?5, labels = ?6, \
         description = ?7, description_key = ?8, xp = ?9, communities = ?10, updated = ?12, deleted = ?13, \
         version = ?14, members = ?15",
    )?;
    let inserted = statement.execute(params![
        group.uid,
        fields.id.as_str(),
        fields.id.key(),
        group.name,
        fold(&group.name),
        labels_to_text(&fields.labels),
        fields.description,
        fields.description.as_deref().map(fold),
        fields.xp.as_ref().map(Xp::as_str),
        communities_to_text(&fields.communities),
        group.created.as_micros(),
        group.updated.as_micros(),
        group.deleted.map(Timestamp::as_micros),
        group.version,
        group.members,
    ]);
    inserted.map(drop)
}

fn put_links(connection: &Connection, uid: GroupUid, was: Option<&Group>, is: Option<&Group>) -> rusqlite::Result<()> {
    let none = Communities::new();
    let was = was.map_or(&none, |group| &group.fields.communities);
    let is = is.map_or(&none, |group| &group.fields.communities);
    for gone in was.difference(is) {
        let sql = "DELETE FROM group_communities WHERE community = ?1 AND owner = ?2";
        connection.prepare_cached(sql)?.execute(params![gone.to_string(), uid])?;
    }
    for new in is.difference(was) {
        let sql = "INSERT INTO group_communities (community, owner) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![new.to_string(), uid])?;
    }
    Ok(())
}
