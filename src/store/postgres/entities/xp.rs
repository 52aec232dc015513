//! Derived rows of xp, which serve filters and sorts by xp.

use crate::domain::xp::Xp;
use crate::store::copy::{Column, ColumnType, Table};
use crate::store::sql::copy::column_names;
use crate::store::sql::xp::rows;

use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;

/// The statements of one table of xp rows.
pub(crate) struct Statements {
    delete: String,
    insert: String,
}

impl Statements {
    /// Builds the statements of the table.
    pub(crate) fn of(table: &Table) -> Self {
        let array = |(at, column): (usize, &Column)| {
            let kind = match column.kind {
                ColumnType::Integer => "BIGINT",
                ColumnType::Small => "SMALLINT",
                ColumnType::Text => "TEXT",
            };
            format!("${}::{kind}[]", at + 2)
        };
        // The owner is the first column, and the same in all rows.
        let arrays: Vec<_> = table.columns.iter().skip(1).enumerate().map(array).collect();
        Self {
            delete: format!("DELETE FROM {} WHERE owner = $1", table.name),
            insert: format!(
                "INSERT INTO {} ({}) SELECT $1, * FROM unnest({})",
                table.name,
                column_names(table.columns),
                arrays.join(", ")
            ),
        }
    }
}

/// Queues the changes to the rows of one owner, when its xp changes from `was` to `is`.
pub(crate) fn update(
    transaction: &mut Transaction<'_>,
    statements: &'static Statements,
    owner: i64,
    was: Option<&Xp>,
    is: Option<&Xp>,
) {
    if was == is {
        return;
    }
    if was.is_some() {
        transaction.queue(&statements.delete, parameters![owner]);
    }
    let rows = rows(is.map(Xp::entries).unwrap_or_default());
    if rows.is_empty() {
        return;
    }
    transaction.queue(
        &statements.insert,
        parameters![
            owner,
            rows.iter().map(|row| row.path.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.kind as i16).collect::<Vec<_>>(),
            rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.rest.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.number.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.number_rest.clone()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.instant).collect::<Vec<_>>(),
            rows.iter().map(|row| i16::from(row.least)).collect::<Vec<_>>(),
        ],
    );
}
