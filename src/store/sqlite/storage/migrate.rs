//! Migrates a database file to this version's schema, and refuses files of other programs.

use anyhow::{Context as _, anyhow, bail};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use uuid::{Builder, Uuid};

use crate::domain::labels::Tag;
use crate::store::migrate::{DEFAULT_LANGUAGE, DIRECTORY, Migration, check_language, pending};

use super::folding::store_tables;
use super::open::APPLICATION_ID;

const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("../migrations/0001_init.sql") }];

/// Applies the missing steps, each in a transaction of its own that locks out other processes. Fails if the database
/// has unknown or different steps.
pub(crate) fn migrate(connection: &mut Connection, path: &str) -> anyhow::Result<()> {
    loop {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(
            "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
        )?;
        let applied = applied(&step)?;
        let pending = pending(MIGRATIONS, &applied).map_err(|error| anyhow!("the database {path} {error}"))?;
        let Some(next) = pending.first() else { return Ok(()) };
        step.execute_batch(next.sql).with_context(|| format!("schema step {} failed", next.version))?;
        step.execute("INSERT INTO migrations (version, checksum) VALUES (?1, ?2)", (next.version, next.checksum()))?;
        if applied.is_empty() {
            store_tables(&step)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.commit()?;
    }
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    connection
        .prepare("SELECT version, checksum FROM migrations ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Fails if the database belongs to another program or, without `create`, if it is empty. Changes nothing.
pub(crate) fn refuse_foreign(connection: &Connection, path: &str, create: bool) -> anyhow::Result<()> {
    let read =
        |pragma: &str| connection.query_row(&format!("SELECT * FROM pragma_{pragma}"), [], |row| row.get::<_, i64>(0));
    let application_id = read("application_id")
        .with_context(|| format!("{path} is not a Rollbook database; name another file with --database"))?;
    let is_empty = read("page_count").is_ok_and(|pages| pages == 0);
    let is_new = application_id != i64::from(APPLICATION_ID);
    if is_new && !is_empty {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables > 0 {
            bail!("{path} is a SQLite database of another program; name another file with --database");
        }
    }
    if is_new && !create {
        bail!("{path} is no directory yet: start 'rollbook serve' first, or name another file with --database");
    }
    Ok(())
}

/// Returns the default language of the database. A new database stores the requested one. Fails if another language is
/// requested than the stored one.
pub(crate) fn init_language(connection: &Connection, requested: Option<&Tag>) -> anyhow::Result<Tag> {
    let new = requested.map_or(DEFAULT_LANGUAGE, Tag::as_str);
    connection
        .execute("INSERT INTO settings (key, value) VALUES ('default_language', ?1) ON CONFLICT DO NOTHING", [new])?;
    let stored: String =
        connection.query_row("SELECT value FROM settings WHERE key = 'default_language'", [], |row| row.get(0))?;
    check_language(&stored, requested)
}

/// Returns the identity of the directory. A new one is given a random identity.
pub(crate) fn init_directory(connection: &Connection) -> anyhow::Result<Uuid> {
    let select = format!("SELECT value FROM settings WHERE key = '{DIRECTORY}'");
    let stored = || connection.query_row(&select, [], |row| row.get::<_, String>(0)).optional();
    let stored = match stored()? {
        Some(stored) => stored,
        None => {
            let new = Builder::from_random_bytes(connection.query_row("SELECT randomblob(16)", [], |row| row.get(0))?);
            let insert = "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            connection.execute(insert, [DIRECTORY, &new.into_uuid().to_string()])?;
            stored()?.context("the database does not store its identity")?
        }
    };
    Ok(Uuid::parse_str(&stored)?)
}
