//! Migration of a database to this version's schema. A database that cannot hold a directory is refused.

use anyhow::{Context as _, anyhow, bail};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, IsolationLevel, Transaction};
use uuid::Uuid;

use crate::domain::labels::Tag;
use crate::store::migrate::{DEFAULT_LANGUAGE, DIRECTORY, Migration, check_language, pending};

use super::connection::preflight;
use super::folding::store_tables;
use super::maintenance::LOCK;

const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("migrations/0001_init.sql") }];

/// Applies the missing migrations, all in one transaction, for which other nodes wait. A database that has them all is
/// only read, without a lock. `display_url` names the database in messages. If `create` is false, an empty database is
/// refused.
pub(super) async fn migrate(client: &mut Client, display_url: &str, create: bool) -> anyhow::Result<()> {
    if let Some(applied) = applied(client, display_url).await?
        && missing(&applied, display_url)?.is_empty()
    {
        return Ok(());
    }
    // READ COMMITTED: each statement must see what other nodes committed before the lock was acquired.
    let step = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    step.batch_execute(&format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
    ))
    .await?;
    if preflight::is_new(&step, display_url).await? {
        if !create {
            bail!("there is no directory in {display_url} yet: start 'rollbook serve' first");
        }
        preflight::prepare(&step, display_url).await?;
        step.batch_execute(
            r#"CREATE TABLE migrations (version BIGINT PRIMARY KEY, checksum TEXT COLLATE "C" NOT NULL)"#,
        )
        .await?;
    }
    let applied = applied(&step, display_url).await?.unwrap_or_default();
    for next in missing(&applied, display_url)? {
        apply(&step, next).await.with_context(|| format!("migration {} failed", next.version))?;
    }
    if applied.is_empty() {
        store_tables(&step).await?;
    }
    step.commit().await.context("the migration could not be committed")
}

/// Runs the migration and records it.
async fn apply(step: &Transaction<'_>, next: &Migration) -> Result<(), tokio_postgres::Error> {
    step.batch_execute(next.sql).await?;
    let applied = "INSERT INTO migrations (version, checksum) VALUES ($1, $2)";
    step.execute_typed(applied, &[(&next.version, Type::INT8), (&next.checksum(), Type::TEXT)]).await.map(drop)
}

/// The migrations to apply. Fails if the applied ones are not those of this version or an earlier one.
fn missing(applied: &[(i64, String)], display_url: &str) -> anyhow::Result<&'static [Migration]> {
    pending(MIGRATIONS, applied).map_err(|error| anyhow!("the database {display_url} {error}"))
}

/// The versions and checksums of the applied migrations, in order; `None` if the table of migrations does not exist.
async fn applied(client: &impl GenericClient, display_url: &str) -> anyhow::Result<Option<Vec<(i64, String)>>> {
    let read = client.query_typed("SELECT version, checksum FROM migrations ORDER BY version", &[]).await;
    match read {
        Ok(rows) => {
            let applied = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            applied.collect::<Result<_, tokio_postgres::Error>>().map(Some).map_err(|_| preflight::foreign(display_url))
        }
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_COLUMN) => Err(preflight::foreign(display_url)),
        Err(error) => Err(error).with_context(|| format!("the schema of {display_url} cannot be read")),
    }
}

/// Returns the default language of the directory. A new directory gets the `requested` one. Fails if an existing one
/// has another than the `requested` one.
pub(super) async fn init_language(client: &Client, requested: Option<&Tag>) -> anyhow::Result<Tag> {
    let stored = match stored_language(client).await? {
        Some(stored) => stored,
        None => {
            let new = requested.map_or(DEFAULT_LANGUAGE, Tag::as_str);
            let insert = "INSERT INTO settings (key, value) VALUES ('default_language', $1) ON CONFLICT DO NOTHING";
            client.execute_typed(insert, &[(&new, Type::TEXT)]).await?;
            // Another node may have inserted its own first.
            stored_language(client).await?.context("the database does not store its default language")?
        }
    };
    check_language(&stored, requested)
}

/// Returns the identity of the directory. A new one is given a random identity.
pub(super) async fn init_directory(client: &Client) -> anyhow::Result<Uuid> {
    let stored = match stored_directory(client).await? {
        Some(stored) => stored,
        None => {
            let insert =
                "INSERT INTO settings (key, value) VALUES ($1, gen_random_uuid()::TEXT) ON CONFLICT DO NOTHING";
            client.execute_typed(insert, &[(&DIRECTORY, Type::TEXT)]).await?;
            // Another node may have inserted its own first.
            stored_directory(client).await?.context("the database does not store its identity")?
        }
    };
    Ok(Uuid::parse_str(&stored)?)
}

async fn stored_directory(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let row = client.query_typed_opt("SELECT value FROM settings WHERE key = $1", &[(&DIRECTORY, Type::TEXT)]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn stored_language(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let row = client.query_typed_opt("SELECT value FROM settings WHERE key = 'default_language'", &[]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use rand::rngs::SmallRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::store::postgres::test_database::TestDatabase;

    async fn refusal(client: &mut Client) -> String {
        format!("{:#}", migrate(client, "THE-DATABASE", true).await.unwrap_err())
    }

    async fn number(client: &Client, sql: &str) -> i64 {
        client.query_one_scalar(sql, &[]).await.unwrap()
    }

    #[tokio::test]
    async fn nodes_that_start_at_once_create_one_directory() {
        let test_database = TestDatabase::new().await;
        let starts = (0..4).map(async |_| {
            let mut client = test_database.connect().await;
            migrate(&mut client, "it", true).await.unwrap();
            init_language(&client, None).await.unwrap();
            init_directory(&client).await.unwrap()
        });
        let identities = join_all(starts).await;
        assert!(identities.iter().all(|identity| *identity == identities[0]));
        let client = test_database.connect().await;
        assert_eq!(number(&client, "SELECT count(*) FROM migrations").await, MIGRATIONS.len() as i64);
        let settings = number(&client, "SELECT count(*) FROM settings").await;
        assert_eq!(settings, 3, "the language, the identity and the tables of Unicode");
    }

    #[tokio::test]
    async fn an_up_to_date_directory_is_only_read() {
        let test_database = TestDatabase::new().await;
        migrate(&mut test_database.connect().await, "it", true).await.unwrap();
        let other = test_database.connect().await;
        other.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.unwrap();
        let mut client = test_database.connect().await;
        client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), migrate(&mut client, "it", false)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_command_creates_no_directory() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        let refused = migrate(&mut client, "it", false).await.unwrap_err().to_string();
        assert!(refused.contains("start 'rollbook serve' first"), "{refused}");
        assert_eq!(number(&client, "SELECT count(*) FROM pg_class WHERE relname = 'migrations'").await, 0);
    }

    #[tokio::test]
    async fn the_language_stays() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        let (german, english) = (Tag::parse("de").unwrap(), Tag::parse("en").unwrap());
        assert_eq!(init_language(&client, Some(&german)).await.unwrap().as_str(), "de");
        assert_eq!(init_language(&client, None).await.unwrap().as_str(), "de");
        assert!(init_language(&client, Some(&english)).await.is_err());
    }

    #[tokio::test]
    async fn a_newer_directory_is_refused() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        client.batch_execute("INSERT INTO migrations (version, checksum) VALUES (1000, 'x')").await.unwrap();
        let refused = refusal(&mut client).await;
        assert!(refused.contains("THE-DATABASE was written by a newer version"), "{refused}");
    }

    #[tokio::test]
    async fn a_directory_of_an_earlier_development_version_is_refused() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        client.batch_execute("UPDATE migrations SET checksum = 'earlier'").await.unwrap();
        let refused = refusal(&mut client).await;
        assert!(refused.contains("export it with that version"), "{refused}");
    }

    #[tokio::test]
    async fn databases_of_other_programs_are_refused() {
        for theirs in [
            "CREATE TABLE orders (id int)",
            "CREATE TABLE migrations (id int, name text)",
            "CREATE TABLE migrations (version text, checksum text); INSERT INTO migrations VALUES ('a', 'b')",
        ] {
            let test_database = TestDatabase::new().await;
            let mut client = test_database.connect().await;
            client.batch_execute(theirs).await.unwrap();
            let refused = refusal(&mut client).await;
            assert!(refused.contains("THE-DATABASE holds tables of another program"), "{theirs}: {refused}");
        }
    }

    #[tokio::test]
    async fn databases_that_lose_letters_are_refused() {
        for (locale, word) in [
            ("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", "the ctype 'C'"),
            ("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", "the encoding LATIN1"),
            ("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", "the encoding SQL_ASCII"),
        ] {
            let test_database = TestDatabase::with_locale(locale).await;
            let mut client = test_database.connect().await;
            let refused = refusal(&mut client).await;
            assert!(refused.contains(word) && refused.contains("CREATE DATABASE"), "{refused}");
            assert_eq!(number(&client, "SELECT count(*) FROM pg_class WHERE relname = 'groups'").await, 0);
        }
    }

    /// Switches to a role that is not a superuser, because a superuser has all rights.
    const DROP_SUPERUSER: &str = "SELECT set_config('role', \
                                  CASE WHEN rolsuper THEN 'pg_monitor' ELSE rolname END, false) \
                                  FROM pg_roles WHERE rolname = current_user";

    #[tokio::test]
    async fn a_role_without_the_needed_rights_is_refused() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        client.batch_execute("SET search_path = nowhere").await.unwrap();
        assert!(refusal(&mut client).await.contains("has no schema to create tables in"));

        let closed = "CREATE SCHEMA closed; REVOKE ALL ON SCHEMA closed FROM CURRENT_USER; \
                      GRANT USAGE ON SCHEMA closed TO PUBLIC; SET search_path = closed";
        client.batch_execute(&format!("{closed}; {DROP_SUPERUSER}")).await.unwrap();
        assert!(refusal(&mut client).await.contains("run GRANT CREATE ON SCHEMA \"closed\" TO"));

        let opened = "RESET ROLE; GRANT CREATE ON SCHEMA closed TO PUBLIC; DO $$ BEGIN EXECUTE \
                      format('REVOKE CREATE ON DATABASE %I FROM CURRENT_USER', current_database()); END $$";
        client.batch_execute(&format!("{opened}; {DROP_SUPERUSER}")).await.unwrap();
        assert!(refusal(&mut client).await.contains("run CREATE EXTENSION pg_trgm in THE-DATABASE"));
    }

    /// Text of this many bytes that cannot be compressed.
    fn noise(bytes: usize) -> String {
        let mut random = SmallRng::seed_from_u64(1);
        (0..bytes / 4).map(|_| random.random_range('\u{10000}'..='\u{10ffff}')).collect()
    }

    #[tokio::test]
    async fn the_longest_values_fit_into_every_index() {
        let test_database = TestDatabase::new().await;
        let mut client = test_database.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        let (id, name, email, path, text) = (noise(100), noise(1_200), noise(2_400), noise(300), noise(800));
        let (number, rest) = (noise(200), noise(8_000));
        let group = "INSERT INTO groups (uid, id, id_key, name, name_key, labels, communities, created, updated, \
                     version, members, members_version) VALUES (1, '', $1, '', $2, '', '', 0, 0, 0, 0, 0)";
        client.execute(group, &[&id, &name]).await.unwrap();
        let user = "INSERT INTO users (uid, id, id_key, username, username_key, first_name, first_name_key, \
                    last_name, last_name_key, email, email_key, active, roles, communities, generation, \
                    failed_attempts, created, updated, version) \
                    VALUES (1, '', $1, '', $2, '', $2, '', $2, '', $3, 1, 0, '', 0, 0, 0, 0, 0)";
        client.execute(user, &[&id, &name, &email]).await.unwrap();
        let xp = "INSERT INTO group_xp (owner, path, kind, text, rest, number, number_rest, instant, least) \
                  VALUES (1, $1, 2, $2, $3, $4, $3, 0, 1)";
        client.execute(xp, &[&path, &text, &rest, &number]).await.unwrap();
        let client_id = "INSERT INTO clients (uid, id, id_key, name, roles, communities, access_minutes, \
                         refresh_minutes, refresh_rotation, enabled, strict_members, generation, \
                         long_lived_generation, created, updated, version) \
                         VALUES (1, '', $1, '', 0, '', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)";
        client.execute(client_id, &[&name]).await.unwrap();
    }
}
