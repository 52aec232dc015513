//! Folds the keys of a database again if this version has other tables of Unicode.

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient};

use crate::domain::text::FoldingTables;
use crate::store::copy::{Row, Table, Value};
use crate::store::sql::derived::Derived;
use crate::store::sql::folding::{Refolding, SELECT_TABLES, STORE_TABLES, must_refold, refold};

use super::maintenance::{LOCK, REMOVE_TIME_LIMITS};
use super::rows::{select_rows, typed, write_derived};

/// Stores the tables of this version as those with which the keys of the database are folded.
pub(super) async fn store_tables(client: &impl GenericClient) -> Result<(), tokio_postgres::Error> {
    client.execute_typed(STORE_TABLES, &[(&FoldingTables::CURRENT.to_string(), Type::TEXT)]).await.map(drop)
}

/// Returns whether the keys must be folded again; only a node may do that. Fails as [`must_refold`] does.
pub(super) async fn check_folding(client: &Client, display_url: &str, serve: bool) -> anyhow::Result<bool> {
    let stored = client.query_typed_opt(SELECT_TABLES, &[]).await?;
    let stored: Option<String> = stored.map(|row| row.try_get(0)).transpose()?;
    must_refold(stored.as_deref(), serve).map_err(|error| anyhow!("the database {display_url} {error}"))
}

/// Folds the keys again in one transaction, for which other nodes wait, if that is necessary. Fails, and changes nothing,
/// if this process does not `serve` or if two entities would have the same unique key. After a failure the connection
/// must be closed, which ends the transaction.
pub(super) async fn refold_database(client: &Client, display_url: &str, serve: bool) -> anyhow::Result<()> {
    if !check_folding(client, display_url, serve).await? {
        return Ok(());
    }
    client.batch_execute(REMOVE_TIME_LIMITS).await?;
    // READ COMMITTED: each statement must see what another node committed before the lock was acquired. Each batch reads
    // a range of an index, whatever the statistics say.
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; SET LOCAL lock_timeout = 0; \
         SELECT pg_advisory_xact_lock({LOCK})"
    );
    client.batch_execute(&begin).await?;
    if !check_folding(client, display_url, serve).await? {
        return Ok(client.batch_execute("ROLLBACK").await?);
    }
    tracing::info!("the keys of the directory are folded with other tables of Unicode and are folded again");
    let lock = "SET LOCAL lock_timeout = '2s'; LOCK TABLE groups, users, clients IN SHARE ROW EXCLUSIVE MODE";
    let cannot = || format!("the keys of the database {display_url} cannot be folded again");
    client.batch_execute(lock).await.context("stop the nodes of the previous version first").with_context(cannot)?;
    let changed = refold(&mut Directory(client)).await.with_context(cannot)?;
    store_tables(client).await?;
    client.batch_execute("COMMIT").await.context("the folded keys could not be committed; start again")?;
    tracing::info!(changed, "the keys of the directory were folded again");
    Ok(())
}

/// The database in the transaction.
struct Directory<'a>(&'a Client);

#[async_trait]
impl Refolding for Directory<'_> {
    async fn select(&mut self, table: &'static Table, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        select_rows(self.0, table, sql, parameters).await
    }

    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<()> {
        Ok(self.0.execute_typed(sql, &typed(parameters)).await.map(drop)?)
    }

    async fn replace_derived(&mut self, _: &'static Table, owners: &[i64], derived: Derived) -> anyhow::Result<()> {
        let tables = derived.rows.iter().map(|(table, _)| table.name).chain(derived.ngrams);
        for table in tables {
            let owners: (&(dyn ToSql + Sync), Type) = (&owners, Type::INT8_ARRAY);
            self.0.execute_typed(&format!("DELETE FROM {table} WHERE owner = ANY($1)"), &[owners]).await?;
        }
        Ok(write_derived(self.0, &derived).await?)
    }
}
