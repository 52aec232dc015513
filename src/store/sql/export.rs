//! The live things of a directory, read from a snapshot of any SQL store.

use anyhow::Context as _;

use crate::domain::id::Id;
use crate::domain::membership::Membership;
use crate::domain::thing::Thing;
use crate::store::copy::{Batches, Column, Kind, Row, Source, Table};

use super::copy::{Cells, GROUPS, USERS, columns};
use super::rows::{self, Columns as _};

/// The memberships of live users in live groups, by the IDs they have now. The numbers come first, as they are what a
/// snapshot is read by.
static MEMBERSHIPS: Table = Table {
    name: "(SELECT m.group_uid, m.user_uid, g.id AS group_id, u.id AS user_id FROM memberships m \
           JOIN groups g ON g.uid = m.group_uid AND g.deleted IS NULL JOIN users u ON u.uid = m.user_uid \
           WHERE m.live = 1) AS live_memberships",
    columns: columns! { Integer: "group_uid" "user_uid"; Text: "group_id" "user_id"; },
    key: 2,
};

/// Gives every live group, then every live user, then every membership of both, to `each`, one after the other.
pub async fn export(
    source: &mut dyn Source,
    each: &mut (dyn FnMut(Thing) -> anyhow::Result<()> + Send),
) -> anyhow::Result<()> {
    for (table, thing) in
        [(GROUPS, group as fn(&Row) -> anyhow::Result<Option<Thing>>), (USERS, user), (&MEMBERSHIPS, membership)]
    {
        let mut batches = Batches::of(table);
        while let Some(rows) = batches.next(source).await? {
            rows.iter().filter_map(|row| thing(row).transpose()).try_for_each(|thing| each(thing?))?;
            batches.had(rows);
        }
    }
    Ok(())
}

fn group(row: &Row) -> anyhow::Result<Option<Thing>> {
    let group = rows::group(&Cells(row)).context("a group cannot be read")?;
    Ok(group.deleted.is_none().then_some(Thing::Group(group)))
}

fn user(row: &Row) -> anyhow::Result<Option<Thing>> {
    let user = rows::user(&Cells(row)).context("a user cannot be read")?;
    Ok(user.deleted.is_none().then_some(Thing::User(user)))
}

fn membership(row: &Row) -> anyhow::Result<Option<Thing>> {
    let cells = Cells(row);
    let id = |at| Id::new(cells.text(at)?).context("a membership cannot be read");
    Ok(Some(Thing::Membership(Membership { group: id(2)?, user: id(3)? })))
}
