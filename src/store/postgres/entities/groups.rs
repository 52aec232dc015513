//! Groups: the parts that are specific to them in PostgreSQL.

use std::sync::LazyLock;

use async_trait::async_trait;

use crate::domain::community::Visibility;
use crate::domain::group::{Group, GroupSummary, GroupUid};
use crate::domain::restore::RestoredMemberships;
use crate::store::sql::columns::{Record as _, select};
use crate::store::sql::counters::Counter;
use crate::store::sql::entity::live_difference;

use super::{counters, memberships};
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{PostgresEntity, statements};
use crate::store::postgres::read::read_transaction::ReadTransaction;
use crate::store::postgres::read::rows::all;
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::sql::codec::community_names;

#[async_trait]
impl PostgresEntity for Group {
    statements!(Group);

    /// Updates the row of the member count and the counter of memberships.
    async fn update_dependents(
        transaction: &mut Transaction<'_>,
        before: Option<&Self>,
        after: &Self,
    ) -> Result<(), DatabaseError> {
        match live_difference(before, after) {
            1 => {
                let sql = "INSERT INTO group_sizes (owner, members) VALUES ($1, $2)";
                transaction.queue(sql, parameters![after.uid, after.members]);
            }
            -1 => transaction.queue("DELETE FROM group_sizes WHERE owner = $1", parameters![after.uid]),
            _ => {}
        }
        counters::add(transaction, Counter::Memberships, live_difference(before, after) * after.members);
        Ok(())
    }

    /// The memberships of a deleted group are kept as those of a live one are, so nothing is to be done.
    async fn return_memberships(
        transaction: &mut Transaction<'_>,
        restored: &Self,
    ) -> Result<RestoredMemberships, DatabaseError> {
        let gone = memberships::count_hidden(transaction, restored.uid).await?;
        Ok(RestoredMemberships::new(restored.members.unsigned_abs(), gone))
    }
}

/// Returns up to `limit` live groups that are visible, with numbers greater than `after`, in the order of their
/// numbers.
pub(crate) async fn after(
    mut transaction: ReadTransaction,
    after: GroupUid,
    limit: u32,
    visibility: &Visibility,
) -> Result<Vec<GroupSummary>, DatabaseError> {
    static ALL: LazyLock<String> =
        LazyLock::new(|| select::<GroupSummary>("WHERE uid > $1 AND deleted IS NULL ORDER BY uid LIMIT $2"));
    static LINKED: LazyLock<String> = LazyLock::new(|| {
        select::<GroupSummary>(
            "WHERE uid > $1 AND deleted IS NULL AND EXISTS (SELECT 1 FROM group_communities c \
             WHERE c.owner = groups.uid AND c.community = ANY($3)) ORDER BY uid LIMIT $2",
        )
    });
    let limit = i64::from(limit);
    let result = match visibility.limit() {
        None => transaction.rows(&ALL, &[&after, &limit]).await?,
        Some(communities) => transaction.rows(&LINKED, &[&after, &limit, &community_names(communities.iter())]).await?,
    };
    transaction.end().await?;
    Ok(all(&result, GroupSummary::read)?)
}
