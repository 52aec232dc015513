//! Folds the keys of a database file again if this version has other tables of Unicode.

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use tokio::runtime::Handle;

use crate::domain::text::FoldingTables;
use crate::store::copy::{Row, Table, Value};
use crate::store::sql::derived::Derived;
use crate::store::sql::folding::{Refolding, SELECT_TABLES, STORE_TABLES, must_refold, refold};
use crate::store::sqlite::list::text_index::{TextChange, TextIndex, apply};

use super::rows::{select_rows, write_rows};

/// Stores the tables of this version as those with which the keys of the database are folded.
pub(crate) fn store_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(STORE_TABLES, [FoldingTables::CURRENT.to_string()]).map(drop)
}

/// Returns whether the keys must be folded again; only a server may do that. Fails as [`must_refold`] does.
pub(crate) fn check_folding(connection: &Connection, path: &str, serve: bool) -> anyhow::Result<bool> {
    let stored: Option<String> = connection.query_row(SELECT_TABLES, [], |row| row.get(0)).optional()?;
    must_refold(stored.as_deref(), serve).map_err(|error| anyhow!("the database {path} {error}"))
}

/// Folds the keys again in one transaction, if that is necessary. Blocks; call it on a blocking thread of the runtime.
/// Fails, and changes nothing, if this process does not `serve` or if two entities would have the same unique key.
pub(crate) fn refold_file(connection: &mut Connection, path: &str, serve: bool) -> anyhow::Result<()> {
    if !check_folding(connection, path, serve)? {
        return Ok(());
    }
    tracing::info!("the keys of the directory are folded with other tables of Unicode and are folded again");
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let changed = Handle::current().block_on(refold(&mut Directory(connection)));
    let changed = changed.with_context(|| format!("the keys of the database {path} cannot be folded again"))?;
    store_tables(connection)?;
    connection.execute_batch("COMMIT")?;
    tracing::info!(changed, "the keys of the directory were folded again");
    Ok(())
}

/// The database in the transaction, which ends without effect if the connection is dropped.
struct Directory<'a>(&'a mut Connection);

#[async_trait]
impl Refolding for Directory<'_> {
    async fn select(&mut self, table: &'static Table, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        Ok(select_rows(self.0, table, sql, parameters)?)
    }

    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<()> {
        self.0.prepare_cached(sql)?.execute(params_from_iter(parameters))?;
        Ok(())
    }

    async fn replace_derived(&mut self, table: &'static Table, owners: &[i64], derived: Derived) -> anyhow::Result<()> {
        for (table, rows) in &derived.rows {
            let mut delete = self.0.prepare_cached(&format!("DELETE FROM {} WHERE owner = ?1", table.name))?;
            owners.iter().try_for_each(|owner| delete.execute([owner]).map(drop))?;
            write_rows(self.0, table, rows)?;
        }
        if let Some(of) = TextIndex::in_table(table.name) {
            let texts = derived.texts.into_iter();
            let changes = texts.map(|(uid, fields)| TextChange { of, uid, was_indexed: true, fields: Some(fields) });
            apply(self.0, &changes.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}
