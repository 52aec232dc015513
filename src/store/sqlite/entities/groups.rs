//! What only groups need in SQLite.

use rusqlite::{Connection, params};

use crate::domain::community::{Communities, Visibility};
use crate::domain::group::{Group, GroupSummary, GroupUid};
use crate::domain::restore::RestoredMemberships;
use crate::store::sql::columns::select;
use crate::store::sql::counters::Counter;
use crate::store::sql::entity::live_difference;

use super::{counters, memberships, rows};
use crate::store::sqlite::entity::{SqliteEntity, statements};
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::write::writer::WriteContext;

impl SqliteEntity for Group {
    statements!(Group);

    /// Invalidates the cached group and updates the counter of memberships.
    fn update_dependents(context: &mut WriteContext<'_>, before: Option<&Self>, after: &Self) -> rusqlite::Result<()> {
        let keys = before.into_iter().chain([after]).map(|group| Invalidation::Group(group.fields.id.key()));
        context.invalidations.extend(keys);
        let members = live_difference(before, after) * after.members;
        counters::add(context.connection, Counter::Memberships, members)
    }

    /// The memberships of a deleted group are kept as those of a live one are, so nothing is to be done.
    fn return_memberships(context: &mut WriteContext<'_>, restored: &Self) -> rusqlite::Result<RestoredMemberships> {
        let gone = memberships::count_hidden(context.connection, restored.uid)?;
        Ok(RestoredMemberships::new(restored.members.unsigned_abs(), gone))
    }
}

/// Returns the first `limit` live, visible groups with a number above `after`, ordered by number.
pub(crate) fn after(
    connection: &Connection,
    after: GroupUid,
    limit: u32,
    visibility: &Visibility,
) -> rusqlite::Result<Vec<GroupSummary>> {
    let sql = select::<GroupSummary>(
        "WHERE uid > ?1 AND deleted IS NULL AND (?3 IS NULL OR EXISTS (SELECT 1 FROM group_communities c \
         WHERE c.owner = groups.uid AND c.community IN (SELECT value FROM json_each(?3)))) ORDER BY uid LIMIT ?2",
    );
    let to_json = |communities: &Communities| {
        serde_json::Value::from_iter(communities.iter().map(ToString::to_string)).to_string()
    };
    let communities = visibility.limit().map(to_json);
    connection.prepare_cached(&sql)?.query_map(params![after, limit, communities], rows::record)?.collect()
}
