//! Reads the live entities of a directory from a snapshot of any SQL store.

use anyhow::Context as _;
use uuid::Uuid;

use crate::domain::export_item::ExportItem;
use crate::domain::group::Group;
use crate::domain::history::FeedPosition;
use crate::domain::membership::Membership;
use crate::domain::user::User;
use crate::store::copy::{DirectorySnapshot, Row, RowBatches, Table, Value};
use crate::store::migrate::DIRECTORY;

use super::columns::{Record as _, columns};
use super::copy::{Cells, GROUPS, SETTINGS, USERS};
use super::rows;

/// More than the number of settings.
const SETTINGS_MAX: usize = 100;

/// The memberships of live users in live groups, by their current IDs. The numbers come first because they are the key
/// that orders the rows.
static MEMBERSHIPS: Table = Table {
    name: "(SELECT m.group_uid, m.user_uid, g.id AS group_id, u.id AS user_id FROM memberships m \
           JOIN groups g ON g.uid = m.group_uid AND g.deleted IS NULL JOIN users u ON u.uid = m.user_uid \
           WHERE m.live = 1) AS live_memberships",
    columns: columns! { Integer: "group_uid" "user_uid"; Text: "group_id" "user_id"; },
    key: 2,
};

/// Where a reader of the feed goes on after an export.
#[derive(Clone, Debug)]
pub struct ExportEnd {
    /// The identity of the directory.
    pub directory: Uuid,
    /// The position up to which the export has every change; `None` if the feed is empty.
    pub position: Option<FeedPosition>,
}

/// Calls `each` with every live group, then every live user, then every membership of both. Returns where the feed goes
/// on. Fails if `each` fails or a row cannot be read.
pub(crate) async fn export(
    source: &mut dyn DirectorySnapshot,
    each: &mut (dyn FnMut(ExportItem) -> anyhow::Result<()> + Send),
) -> anyhow::Result<ExportEnd> {
    let end = ExportEnd { directory: directory(source).await?, position: source.feed_end().await? };
    for (table, entity) in
        [(GROUPS, group as fn(&Row) -> anyhow::Result<Option<ExportItem>>), (USERS, user), (&MEMBERSHIPS, membership)]
    {
        let mut batches = RowBatches::of(table);
        while let Some(rows) = batches.next(source).await? {
            rows.iter().filter_map(|row| entity(row).transpose()).try_for_each(|entity| each(entity?))?;
            batches.advance(rows);
        }
    }
    Ok(end)
}

/// Reads the identity of the directory.
async fn directory(source: &mut dyn DirectorySnapshot) -> anyhow::Result<Uuid> {
    let settings = source.rows(SETTINGS, None, SETTINGS_MAX).await?;
    let value = settings.iter().find_map(|row| match &row[..] {
        [Value::Text(key), Value::Text(value)] if key == DIRECTORY => Some(value),
        _ => None,
    });
    Ok(Uuid::parse_str(value.context("the directory has no identity yet: start 'rollbook serve' first")?)?)
}

fn group(row: &Row) -> anyhow::Result<Option<ExportItem>> {
    let group = Group::read(&Cells(row)).context("a group cannot be read")?;
    Ok(group.deleted.is_none().then_some(ExportItem::Group(group)))
}

fn user(row: &Row) -> anyhow::Result<Option<ExportItem>> {
    let user = User::read(&Cells(row)).context("a user cannot be read")?;
    Ok(user.deleted.is_none().then_some(ExportItem::User(user)))
}

fn membership(row: &Row) -> anyhow::Result<Option<ExportItem>> {
    let id = |at| rows::id(&Cells(row), at).context("a membership cannot be read");
    Ok(Some(ExportItem::Membership(Membership { group: id(2)?, user: id(3)? })))
}
