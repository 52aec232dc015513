//! Who made the changes of journal entries, with the present names.

use crate::domain::actor::{NamedActor, NamedClient, NamedUser};
use crate::domain::journal::Operator;

use super::rows::{Columns, string};

/// Selects what [`read`] reads, of the entries `j` that meet the condition.
pub(crate) fn select(condition: &str) -> String {
    format!(
        "SELECT j.seq, u.uid, u.id, u.username, c.uid, c.id, c.name, j.operator_user, j.operator_host FROM journal j \
         LEFT JOIN users u ON u.uid = j.actor_user LEFT JOIN clients c ON c.uid = j.actor_client WHERE {condition}"
    )
}

/// Reads the number of an entry and who made its change.
pub(crate) fn read<R: Columns>(row: &R) -> Result<(i64, NamedActor), R::Error> {
    let user = match row.optional_integer(1)? {
        Some(uid) => Some(NamedUser { uid, id: string(row, 2)?, username: string(row, 3)? }),
        None => None,
    };
    let client = match row.optional_integer(4)? {
        Some(uid) => Some(NamedClient { uid, id: string(row, 5)?, name: string(row, 6)? }),
        None => None,
    };
    let operator = match (row.optional_text(7)?, row.optional_text(8)?) {
        (Some(user), Some(host)) => Some(Operator { user: user.to_owned(), host: host.to_owned() }),
        _ => None,
    };
    Ok((row.integer(0)?, NamedActor { user, client, operator }))
}
