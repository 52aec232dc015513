//! A PostgreSQL database as the source and as the destination of a copy. Either is one transaction.

use std::error::Error as StdError;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use bytes::BytesMut;
use secrecy::SecretString;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row as Found};

use crate::store::copy::{Column, Destination, Kind, Live, Row, Source, Table, Value};
use crate::store::sql::copy::{LIVE, TABLES, beside, count, names, select};
use crate::store::sql::grams::{Gram, grams};
use crate::store::sql::layout::Beside;
use crate::store::sql::tables::{Groups, Listing as _, Users};

use super::address::Address;
use super::migrate::migrate;
use super::trouble::text;

/// No time limit of the role or the database may end a transaction that takes as long as it takes; only locks are
/// not waited for much.
const UNLIMITED: &str = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN \
     ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout'); SET lock_timeout = '5s'";

/// The sequences and what they number.
const SEQUENCES: [(&str, &str, &str); 4] = [
    ("groups_uid", "uid", "groups"),
    ("users_uid", "uid", "users"),
    ("clients_uid", "uid", "clients"),
    ("journal_seq", "seq", "journal"),
];

/// A snapshot of a database that may be in use.
pub struct Snapshot(Client);

impl Snapshot {
    /// Takes the snapshot; it lasts as long as the value. Fails with a sentence that says what to do.
    pub async fn of(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let (client, _) = connect(url, password, false).await?;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(Self(client))
    }
}

/// A database without a directory, which has one once it is kept. Until then it is one transaction.
pub struct NewDirectory {
    client: Client,
    shown: String,
    /// How the indexes are made that are put off until all rows are there.
    indexes: Vec<String>,
}

impl NewDirectory {
    /// Begins a directory in the database, which must have none. Fails with a sentence that says what to do.
    pub async fn begin(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let (client, shown) = connect(url, password, true).await?;
        client.batch_execute("BEGIN").await?;
        let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
        let locked = client.batch_execute(&format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")).await;
        locked.with_context(|| format!("{shown} is in use: stop what works on it, or name another with --to"))?;
        for table in TABLES.iter().filter(|table| table.name != "settings") {
            if read_count(&client, table).await? > 0 {
                bail!("{shown} holds a directory already: name an empty database with --to");
            }
        }
        client.batch_execute("DELETE FROM settings").await?;
        let indexes = drop_indexes(&client, "indexdef NOT LIKE 'CREATE UNIQUE %'").await?;
        Ok(Self { client, shown, indexes })
    }
}

/// A connection without time limits to a database of this version's schema, and how that database is shown.
async fn connect(url: &str, password: Option<&SecretString>, create: bool) -> anyhow::Result<(Client, String)> {
    let address = Address::parse(url, password)?;
    let shown = address.shown();
    let connected = address.connect(|_| {}).await;
    let mut client = connected.with_context(|| format!("the database {shown} cannot be reached"))?;
    client.batch_execute(UNLIMITED).await?;
    migrate(&mut client, shown, create).await?;
    Ok((client, shown.to_owned()))
}

/// Drops the indexes for which the condition holds, none of which may refuse a row; gives the statements that make
/// them again, which is many times cheaper with all rows there than row by row.
pub(super) async fn drop_indexes(client: &Client, which: &str) -> anyhow::Result<Vec<String>> {
    let look = format!(
        "SELECT format('DROP INDEX %I', indexname), indexdef FROM pg_indexes \
         WHERE schemaname = current_schema() AND {which} ORDER BY indexname"
    );
    let mut made = Vec::new();
    for row in client.query_typed(&look, &[]).await? {
        client.batch_execute(row.try_get(0)?).await?;
        made.push(row.try_get(1)?);
    }
    Ok(made)
}

#[async_trait]
impl Source for Snapshot {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.0, table).await
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.0, table, last, limit).await
    }

    async fn live(&mut self) -> anyhow::Result<Live> {
        read_live(&self.0, LIVE).await
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

    async fn live(&mut self) -> anyhow::Result<Live> {
        read_live(&self.client, LIVE).await
    }
}

#[async_trait]
impl Destination for NewDirectory {
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
        write_rows(&self.client, table, rows).await?;
        Ok(write_beside(&self.client, table, &beside(table, rows)?).await?)
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        let Live { groups, users, memberships } = self.live().await?;
        for (name, value) in [("groups", groups), ("users", users), ("memberships", memberships)] {
            let set = "UPDATE counters SET value = $2 WHERE name = $1 AND slot = 0";
            self.client.execute_typed(set, &[(&name, Type::TEXT), (&value, Type::INT8)]).await?;
        }
        for (sequence, column, table) in SEQUENCES {
            let next = format!("SELECT coalesce(max({column}), 0) + 1 FROM {table}");
            let next: i64 = self.client.query_typed_one(&next, &[]).await?.try_get(0)?;
            // Unlike setval, this is undone with the transaction.
            self.client.batch_execute(&format!("ALTER SEQUENCE {sequence} RESTART WITH {next}")).await?;
        }
        for index in &self.indexes {
            self.client.batch_execute(index).await?;
        }
        Ok(self.client.batch_execute("ANALYZE").await?)
    }

    async fn counters(&mut self) -> anyhow::Result<Live> {
        let kept = "SELECT (SELECT sum(value)::BIGINT FROM counters WHERE name = 'groups'), \
                    (SELECT sum(value)::BIGINT FROM counters WHERE name = 'users'), \
                    (SELECT sum(value)::BIGINT FROM counters WHERE name = 'memberships')";
        read_live(&self.client, kept).await
    }

    async fn keep(self: Box<Self>) -> anyhow::Result<()> {
        self.client.batch_execute("COMMIT").await.map_err(|error| {
            anyhow::anyhow!(
                "{} was lost while it kept the copy ({}): run the copy again, and if it is told that there is a \
                 directory already, the copy was kept whole",
                self.shown,
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
    let key = last.into_iter().flatten().zip(table.columns).take(table.key);
    let key: Vec<(&(dyn ToSql + Sync), Type)> = key.map(|(value, column)| (value as _, type_of(column))).collect();
    let found = client.query_typed(&select(table, key.is_empty(), limit), &key).await?;
    found.iter().map(|row| row_of(row, table)).collect()
}

async fn read_live(client: &Client, sql: &str) -> anyhow::Result<Live> {
    let row = client.query_typed_one(sql, &[]).await?;
    Ok(Live { groups: row.try_get(0)?, users: row.try_get(1)?, memberships: row.try_get(2)? })
}

/// Puts new rows into the table.
pub async fn write_rows(client: &Client, table: &Table, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let copy = format!("COPY {} ({}) FROM STDIN BINARY", table.name, names(table.columns));
    let types: Vec<_> = table.columns.iter().map(type_of).collect();
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(client.copy_in(&copy).await?, &types));
    for row in rows {
        writer.as_mut().write_raw(row).await?;
    }
    writer.finish().await.map(drop)
}

/// Puts what stands beside new rows of the table into its own tables.
pub async fn write_beside(client: &Client, table: &Table, beside: &Beside) -> Result<(), tokio_postgres::Error> {
    for (table, rows) in &beside.rows {
        write_rows(client, table, rows).await?;
    }
    match table.name {
        Groups::TABLE => write_grams(client, Groups::GRAMS_TABLE, &beside.texts).await,
        Users::TABLE => write_grams(client, Users::GRAMS_TABLE, &beside.texts).await,
        _ => Ok(()),
    }
}

async fn write_grams(client: &Client, table: &str, texts: &[(i64, Vec<String>)]) -> Result<(), tokio_postgres::Error> {
    let copy = format!("COPY {table} (owner, grams) FROM STDIN BINARY");
    let sink = client.copy_in(&copy).await?;
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::INT8, Type::INT8_ARRAY]));
    for (owner, texts) in texts {
        let numbers: Vec<i64> = grams(texts).iter().map(Gram::number).collect();
        writer.as_mut().write(&[owner, &numbers]).await?;
    }
    writer.finish().await.map(drop)
}

fn row_of(found: &Found, table: &Table) -> anyhow::Result<Row> {
    let value = |(at, column): (usize, &Column)| {
        let value = match column.kind {
            Kind::Integer => found.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
            Kind::Small => found.try_get::<_, Option<i16>>(at)?.map(|small| Value::Integer(small.into())),
            Kind::Real => found.try_get::<_, Option<f64>>(at)?.map(Value::Real),
            Kind::Text => found.try_get::<_, Option<String>>(at)?.map(Value::Text),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    table.columns.iter().enumerate().map(value).collect()
}

const fn type_of(column: &Column) -> Type {
    match column.kind {
        Kind::Integer => Type::INT8,
        Kind::Small => Type::INT2,
        Kind::Real => Type::FLOAT8,
        Kind::Text => Type::TEXT,
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *kind == Type::INT2 => i16::try_from(*integer)?.to_sql(kind, out),
            Self::Integer(integer) => integer.to_sql(kind, out),
            Self::Real(real) => real.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT2, Type::FLOAT8, Type::TEXT].contains(kind)
    }

    to_sql_checked!();
}
