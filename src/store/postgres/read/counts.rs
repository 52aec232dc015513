//! The numbers of what the directory has, in one snapshot.

use crate::domain::community::{Communities, Visibility};
use crate::domain::counts::Counts;
use crate::domain::error::Error;
use crate::domain::time::Timestamp;
use crate::store::sql::counters::{COUNTED_LINKS_MAX, Counter, FIRST_CHANGE, linked_groups, sizes};

use super::engine::Postgres;
use super::lists::{number, numbers};
use super::read_transaction::ReadTransaction;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entities::counters::value;

/// Counts what a caller may see.
pub(crate) async fn of(mut transaction: ReadTransaction, visibility: &Visibility) -> Result<Counts, DatabaseError> {
    let all = [Counter::Groups, Counter::Users, Counter::Memberships, Counter::Changes].map(value);
    let counted: Vec<u64> =
        transaction.all(&all).await?.iter().map(|rows| number(rows)).collect::<Result<_, DatabaseError>>()?;
    let &[groups, users, memberships, changes] = counted.as_slice() else {
        return Err(Error::internal(anyhow::anyhow!("a counter gave no number")).into());
    };
    let (groups, memberships) = match visibility.limit() {
        None => (Some(groups), Some(memberships)),
        Some(communities) => linked(&mut transaction, communities).await?.unzip(),
    };
    let oldest = transaction.rows(FIRST_CHANGE, &[]).await?;
    let oldest: Option<i64> = oldest.first().map_or(Ok(None), |row| row.try_get(0))?;
    transaction.end().await?;
    Ok(Counts { groups, users, memberships, changes, oldest_change: oldest.map(Timestamp::from_micros) })
}

/// Counts the groups that are linked to one of the communities, and their members. `None` if that costs too much.
async fn linked(
    transaction: &mut ReadTransaction,
    communities: &Communities,
) -> Result<Option<(u64, u64)>, DatabaseError> {
    let mut groups = numbers(&transaction.all(&[linked_groups(communities)]).await?.concat())?;
    if groups.len() > COUNTED_LINKS_MAX {
        return Ok(None);
    }
    groups.sort_unstable();
    groups.dedup();
    let sizes = numbers(&transaction.all(&[sizes(&Postgres, &groups)]).await?.concat())?;
    Ok(Some((groups.len() as u64, sizes.iter().sum::<i64>().unsigned_abs())))
}
