//! A PostgreSQL database as the source or the destination of a copy between stores. Each is one transaction.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use secrecy::SecretString;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::domain::history::FeedPosition;
use crate::store::copy::{Destination, DirectorySnapshot, LiveCounts, Row, Source, Table};
use crate::store::sql::copy::{LIVE, TABLES, count, derived, select};
use crate::store::sql::past::feed::{end_position, end_statement};

use super::connection::connector::Connector;
use super::connection::database_error::{into_error, text, unusable};
use super::connection::host_monitor::HostMonitor;
use super::connection::pooler::{REFUSAL, pools_transactions};
use super::folding::check_folding;
use super::maintenance::REMOVE_TIME_LIMITS;
use super::migrate::migrate;
use super::past::{self, FEED_COLUMNS};
use super::rows::{select_rows, write_derived, write_rows};

/// The sequences, each with the column and table that it numbers.
const SEQUENCES: [(&str, &str, &str); 6] = [
    ("groups_uid", "uid", "groups"),
    ("users_uid", "uid", "users"),
    ("clients_uid", "uid", "clients"),
    ("long_lived_tokens_uid", "uid", "long_lived_tokens"),
    ("journal_seq", "seq", "journal"),
    ("sign_ins_seq", "seq", "sign_ins"),
];

/// A snapshot of a database that may be in use.
pub(crate) struct Snapshot(Client);

impl Snapshot {
    /// Takes the snapshot, which lasts as long as the value. Fails with a message that says what to do.
    pub(crate) async fn of(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let (client, display_url) = connect(url, password, false).await?;
        check_folding(&client, &display_url, false).await?;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(Self(client))
    }
}

/// A new directory in an empty database. It is one transaction, which `keep` commits.
pub(crate) struct NewDirectory {
    client: Client,
    display_url: String,
    /// The statements that create the indexes, which are created after all rows were written.
    indexes: Vec<String>,
}

impl NewDirectory {
    /// Begins a directory in the database, which must have none. Fails with a message that says what to do.
    pub(crate) async fn begin(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let (client, display_url) = connect(url, password, true).await?;
        client.batch_execute("BEGIN").await?;
        let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
        let locked = client.batch_execute(&format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")).await;
        locked.with_context(|| {
            format!("{display_url} is in use: stop the programs that use it, or name another database with --to")
        })?;
        for table in TABLES.iter().filter(|table| table.name != "settings") {
            if read_count(&client, table).await? > 0 {
                bail!("{display_url} holds a directory already: name an empty database with --to");
            }
        }
        client.batch_execute("DELETE FROM settings").await?;
        let indexes = drop_indexes(&client, "indexdef NOT LIKE 'CREATE UNIQUE %'").await?;
        Ok(Self { client, display_url, indexes })
    }
}

/// Returns a connection without time limits to a database with this version's schema, and its display URL.
async fn connect(url: &str, password: Option<&SecretString>, create: bool) -> anyhow::Result<(Client, String)> {
    let connector = Arc::new(Connector::parse(url, password)?);
    HostMonitor::new(Arc::clone(&connector)).compare().await;
    let display_url = connector.display_url();
    let cannot = || format!("the database {display_url} cannot be reached");
    let mut client = connector.connect(|_| {}).await.with_context(cannot)?;
    let other = connector.connect(|_| {}).await.with_context(cannot)?;
    if pools_transactions(&client, &other).await? {
        bail!("{display_url} cannot be used: {REFUSAL}");
    }
    drop(other);
    client.batch_execute(REMOVE_TIME_LIMITS).await?;
    migrate(&mut client, display_url, create).await.map_err(|error| unusable(display_url, error))?;
    Ok((client, display_url.to_owned()))
}

/// Drops the indexes that meet the SQL `condition` on `pg_indexes`, and returns the statements that create them again.
/// To create an index after all rows were written is many times cheaper than to update it row by row. The condition
/// must not select a unique index.
pub(super) async fn drop_indexes(client: &Client, condition: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!(
        "SELECT format('DROP INDEX %I', indexname), indexdef FROM pg_indexes \
         WHERE schemaname = current_schema() AND {condition} ORDER BY indexname"
    );
    let mut definitions = Vec::new();
    for row in client.query_typed(&sql, &[]).await? {
        client.batch_execute(row.try_get(0)?).await?;
        definitions.push(row.try_get(1)?);
    }
    Ok(definitions)
}

#[async_trait]
impl Source for Snapshot {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.0, table).await
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.0, table, last, limit).await
    }

    async fn live(&mut self) -> anyhow::Result<LiveCounts> {
        read_live(&self.0, LIVE).await
    }
}

#[async_trait]
impl DirectorySnapshot for Snapshot {
    async fn feed_end(&mut self) -> anyhow::Result<Option<FeedPosition>> {
        let last = self.0.query_typed_opt(&end_statement(FEED_COLUMNS), &[]).await?;
        let last = last.map(|last| past::row(&last)).transpose().map_err(into_error)?;
        Ok(last.map(|last| end_position(&last)).transpose()?)
    }
}

#[async_trait]
impl Source for NewDirectory {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.client, table).await
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.client, table, last, limit).await
    }

    async fn live(&mut self) -> anyhow::Result<LiveCounts> {
        read_live(&self.client, LIVE).await
    }
}

#[async_trait]
impl Destination for NewDirectory {
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
        write_rows(&self.client, table, rows).await?;
        Ok(write_derived(&self.client, &derived(table, rows)?).await?)
    }

    async fn finish(&mut self, changes: i64) -> anyhow::Result<()> {
        let LiveCounts { groups, users, memberships, changes: _ } = self.live().await?;
        let counters = [("groups", groups), ("users", users), ("memberships", memberships), ("changes", changes)];
        for (name, value) in counters {
            let set = "UPDATE counters SET value = $2 WHERE name = $1 AND slot = 0";
            self.client.execute_typed(set, &[(&name, Type::TEXT), (&value, Type::INT8)]).await?;
        }
        for (sequence, column, table) in SEQUENCES {
            let next = format!("SELECT coalesce(max({column}), 0) + 1 FROM {table}");
            let next: i64 = self.client.query_typed_one(&next, &[]).await?.try_get(0)?;
            // Unlike setval, a rollback undoes this.
            self.client.batch_execute(&format!("ALTER SEQUENCE {sequence} RESTART WITH {next}")).await?;
        }
        let sizes = "INSERT INTO group_sizes (owner, members) SELECT uid, members FROM groups WHERE deleted IS NULL";
        self.client.batch_execute(sizes).await?;
        for index in &self.indexes {
            self.client.batch_execute(index).await?;
        }
        Ok(self.client.batch_execute("ANALYZE").await?)
    }

    async fn counters(&mut self) -> anyhow::Result<LiveCounts> {
        let sql = "SELECT (SELECT sum(value)::BIGINT FROM counters WHERE name = 'groups'), \
                    (SELECT sum(value)::BIGINT FROM counters WHERE name = 'users'), \
                    (SELECT sum(value)::BIGINT FROM counters WHERE name = 'memberships'), \
                    (SELECT sum(value)::BIGINT FROM counters WHERE name = 'changes')";
        read_live(&self.client, sql).await
    }

    async fn keep(self: Box<Self>) -> anyhow::Result<()> {
        self.client.batch_execute("COMMIT").await.map_err(|error| {
            anyhow::anyhow!(
                "the connection to {} was lost while the copy was committed ({}): run the copy again; if it reports \
                 that the database holds a directory already, the copy was committed",
                self.display_url,
                text(&error)
            )
        })
    }
}

async fn read_count(client: &Client, table: &Table) -> anyhow::Result<u64> {
    let count: i64 = client.query_typed_one(&count(table), &[]).await?.try_get(0)?;
    Ok(u64::try_from(count)?)
}

async fn read_rows(client: &Client, table: &Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
    let key = last.map_or(&[][..], |last| &last[..table.key]);
    select_rows(client, table, &select(table, key.is_empty(), limit), key).await
}

async fn read_live(client: &Client, sql: &str) -> anyhow::Result<LiveCounts> {
    let row = client.query_typed_one(sql, &[]).await?;
    Ok(LiveCounts {
        groups: row.try_get(0)?,
        users: row.try_get(1)?,
        memberships: row.try_get(2)?,
        changes: row.try_get(3)?,
    })
}
