//! Groups in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::community::{Communities, Community, Visibility};
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
use crate::store::sql::rows::{self, select_group, select_outline};

use super::counters;
use super::journal::append;
use super::pipeline::parameters;
use super::points::Points;
use super::reading::Reading;
use super::rows::all;
use super::transaction::{Change, Taken, Trace, Writing};
use super::trouble::Trouble;
use super::{grams, xp};

/// The group with the number, live or deleted.
pub async fn by_uid(points: &Points, uid: GroupUid) -> Result<Option<Group>> {
    let found = points.find(select_group!("FROM groups WHERE uid = $1"), &[&uid]).await?;
    found.as_ref().map(rows::group::<Row>).transpose()
}

/// The group with the key as it is now, which stays so until the transaction ends.
pub async fn find_locked(writing: &mut Writing<'_>, key: &GroupKey) -> Result<Option<Group>, Trouble> {
    const BY_ID: &str = select_group!("FROM groups WHERE id_key = $1 AND deleted IS NULL FOR NO KEY UPDATE");
    const BY_UID: &str = select_group!("FROM groups WHERE uid = $1 FOR NO KEY UPDATE");
    let found = match key {
        GroupKey::Id(id) => writing.find(BY_ID, &[&id.key()]).await?,
        GroupKey::Uid(uid) => writing.find(BY_UID, &[uid]).await?,
        GroupKey::New => None,
    };
    Ok(found.as_ref().map(rows::group::<Row>).transpose()?)
}

/// The first visible live groups above a number.
pub async fn after(
    mut reading: Reading,
    after: GroupUid,
    limit: u32,
    visibility: &Visibility,
) -> Result<Vec<Outline>, Trouble> {
    const ALL: &str = select_outline!("FROM groups WHERE uid > $1 AND deleted IS NULL ORDER BY uid LIMIT $2");
    const LINKED: &str = select_outline!(
        "FROM groups WHERE uid > $1 AND deleted IS NULL AND EXISTS (SELECT 1 FROM group_communities c \
         WHERE c.owner = groups.uid AND c.community = ANY($3)) ORDER BY uid LIMIT $2"
    );
    let limit = i64::from(limit);
    let found = match visibility.limit() {
        None => reading.rows(ALL, &[&after, &limit]).await?,
        Some(communities) => reading.rows(LINKED, &[&after, &limit, &names(communities.iter())]).await?,
    };
    reading.end().await?;
    Ok(all(&found, rows::outline)?)
}

/// Groups by their numbers, in no order.
pub const THESE: &str = select_group!("FROM groups WHERE uid = ANY($1)");

/// Writes a group by the rule.
pub struct WriteGroup {
    pub operation: Operation,
    pub key: GroupKey,
    pub edit: Edit<Group, GroupFields>,
    pub language: Tag,
}

#[async_trait]
impl Change for WriteGroup {
    type Output = Group;

    fn trace(&self) -> Trace<'_> {
        Trace::Operation(&self.operation.id)
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<Group, Trouble> {
        let before = find_locked(writing, &self.key).await?;
        let write = (self.edit)(before.as_ref())?;
        let uid = match &before {
            Some(group) => group.uid,
            None => writing.next("SELECT nextval('groups_uid')").await?,
        };
        let after = match group_after(write, before.as_ref(), uid, &self.language, self.operation.at)? {
            Written::Unchanged(group) => return Ok(group),
            Written::Changed(group) => group,
        };
        put(writing, before.as_ref(), &after);
        append(writing, &self.operation, Entry::of_group(before.as_ref(), &after)?);
        Ok(after)
    }

    fn taken(&self, made: &Group, index: &str) -> Taken {
        let error = Error::AlreadyExists(Kind::Group, made.fields.id.to_string());
        match self.key {
            // A batch brought that number, and turned the sequence back a little.
            _ if index == "groups_pkey" => Taken::Again(Error::Unavailable("a number was drawn twice".to_owned())),
            // It was not there, but by now somebody may have made it.
            GroupKey::Id(_) if made.version == 1 => Taken::Again(error),
            _ => Taken::Refused(error),
        }
    }
}

/// Brings the tables from `before` to `after`.
pub fn put(writing: &mut Writing<'_>, before: Option<&Group>, after: &Group) {
    put_row(writing, before.is_some(), after);
    let was = before.filter(|group| group.deleted.is_none());
    let is = Some(after).filter(|group| group.deleted.is_none());
    put_links(writing, after.uid, was, is);
    let xp_was = was.and_then(|group| group.fields.xp.as_ref());
    xp::put(writing, &xp::GROUPS, after.uid, xp_was, is.and_then(|group| group.fields.xp.as_ref()));
    grams::put(writing, &grams::GROUPS, after.uid, was.map(texts_of_group), is.map(texts_of_group));
    let live = i64::from(is.is_some()) - i64::from(was.is_some());
    counters::add(writing, Counter::Groups, live);
    counters::add(writing, Counter::Memberships, live * after.members);
}

fn put_row(writing: &mut Writing<'_>, is_there: bool, group: &Group) {
    const INSERT: &str = "INSERT INTO groups (uid, id, id_key, name, name_key, labels, description, description_key, \
        xp, communities, created, updated, deleted, version, members) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    // The time of its making does not change, but is written all the same, so that both statements take one list.
    const UPDATE: &str = "UPDATE groups SET id = $2, id_key = $3, name = $4, name_key = $5, labels = $6, \
        description = $7, description_key = $8, xp = $9, communities = $10, created = $11, updated = $12, \
        deleted = $13, version = $14, members = $15 WHERE uid = $1";
    let fields = &group.fields;
    writing.queue(
        if is_there { UPDATE } else { INSERT },
        parameters![
            group.uid,
            fields.id.to_string(),
            fields.id.key(),
            group.name.clone(),
            fold(&group.name),
            labels_to_text(&fields.labels),
            fields.description.clone(),
            fields.description.as_deref().map(fold),
            fields.xp.as_ref().map(|xp: &Xp| xp.as_str().to_owned()),
            communities_to_text(&fields.communities),
            group.created.as_micros(),
            group.updated.as_micros(),
            group.deleted.map(Timestamp::as_micros),
            group.version,
            group.members,
        ],
    );
}

fn put_links(writing: &mut Writing<'_>, uid: GroupUid, was: Option<&Group>, is: Option<&Group>) {
    let none = Communities::new();
    let was = was.map_or(&none, |group| &group.fields.communities);
    let is = is.map_or(&none, |group| &group.fields.communities);
    let (gone, new) = (names(was.difference(is)), names(is.difference(was)));
    if !gone.is_empty() {
        let sql = "DELETE FROM group_communities WHERE community = ANY($1) AND owner = $2";
        writing.queue(sql, parameters![gone, uid]);
    }
    if !new.is_empty() {
        let sql = "INSERT INTO group_communities (community, owner) SELECT unnest($1::TEXT[]), $2";
        writing.queue(sql, parameters![new, uid]);
    }
}

/// Communities as the columns keep them.
fn names<'a>(communities: impl Iterator<Item = &'a Community>) -> Vec<String> {
    communities.map(ToString::to_string).collect()
}
