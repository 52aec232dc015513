//! The rows behind filters and orders by xp.

use crate::domain::xp::Xp;
use crate::store::sql::xp::rows;

use super::pipeline::parameters;
use super::transaction::Writing;

/// The statements of one table of xp rows.
pub struct XpTable {
    delete: &'static str,
    insert: &'static str,
}

macro_rules! xp_table {
    ($table:literal) => {
        XpTable {
            delete: concat!("DELETE FROM ", $table, " WHERE owner = $1"),
            insert: concat!(
                "INSERT INTO ",
                $table,
                " (owner, path, kind, text, rest, number, instant, least) SELECT $1, * FROM unnest($2::TEXT[], \
                 $3::SMALLINT[], $4::TEXT[], $5::TEXT[], $6::DOUBLE PRECISION[], $7::BIGINT[], $8::SMALLINT[])"
            ),
        }
    };
}

/// The rows of groups.
pub const GROUPS: XpTable = xp_table!("group_xp");
/// The rows of users.
pub const USERS: XpTable = xp_table!("user_xp");

/// Brings the rows of one owner from those of `was` to those of `is`.
pub fn put(writing: &mut Writing<'_>, table: &XpTable, owner: i64, was: Option<&Xp>, is: Option<&Xp>) {
    if was == is {
        return;
    }
    if was.is_some() {
        writing.queue(table.delete, parameters![owner]);
    }
    let rows = rows(is.map(Xp::entries).unwrap_or_default());
    if rows.is_empty() {
        return;
    }
    writing.queue(
        table.insert,
        parameters![
            owner,
            rows.iter().map(|row| row.path.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.kind as i16).collect::<Vec<_>>(),
            rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.rest.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.number).collect::<Vec<_>>(),
            rows.iter().map(|row| row.instant).collect::<Vec<_>>(),
            rows.iter().map(|row| i16::from(row.least)).collect::<Vec<_>>(),
        ],
    );
}
