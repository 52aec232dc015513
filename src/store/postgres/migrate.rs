//! Bringing a database to this version's schema, and refusing those that cannot hold a directory.

use anyhow::{Context as _, anyhow, bail};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, IsolationLevel, Transaction};

use crate::domain::labels::Tag;
use crate::store::migrate::{DEFAULT_LANGUAGE, Migration, pending, settled_language};

use super::fitness;

const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("migrations/0001_init.sql") }];

/// The advisory lock under which the schema is changed, "rollbook" in ASCII: nodes that start at once go in turn.
const LOCK: i64 = 0x726f_6c6c_626f_6f6b;

/// Applies what is missing, all of it in one transaction that other nodes wait for; a database that lacks nothing is
/// only read, and waits for nobody. `shown` names the database in messages. Without `create` an empty database is
/// refused.
pub async fn migrate(client: &mut Client, shown: &str, create: bool) -> anyhow::Result<()> {
    if let Some(applied) = applied(client, shown).await?
        && missing(&applied, shown)?.is_empty()
    {
        return Ok(());
    }
    // Each statement is to see what others committed before the lock was had.
    let step = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    step.batch_execute(&format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
    ))
    .await?;
    if fitness::is_new(&step, shown).await? {
        if !create {
            bail!("there is no directory in {shown} yet: start 'rollbook serve' first");
        }
        fitness::prepare(&step, shown).await?;
        step.batch_execute(
            r#"CREATE TABLE migrations (version BIGINT PRIMARY KEY, checksum TEXT COLLATE "C" NOT NULL)"#,
        )
        .await?;
    }
    let applied = applied(&step, shown).await?.unwrap_or_default();
    for next in missing(&applied, shown)? {
        apply(&step, next).await.with_context(|| format!("schema step {} failed", next.version))?;
    }
    step.commit().await.context("the schema could not be committed")
}

async fn apply(step: &Transaction<'_>, next: &Migration) -> Result<(), tokio_postgres::Error> {
    step.batch_execute(next.sql).await?;
    let applied = "INSERT INTO migrations (version, checksum) VALUES ($1, $2)";
    step.execute_typed(applied, &[(&next.version, Type::INT8), (&next.checksum(), Type::TEXT)]).await.map(drop)
}

fn missing(applied: &[(i64, String)], shown: &str) -> anyhow::Result<&'static [Migration]> {
    pending(MIGRATIONS, applied).map_err(|error| anyhow!("the database {shown} {error}"))
}

/// The steps that were applied, in order; `None` where there is no table of them.
async fn applied(client: &impl GenericClient, shown: &str) -> anyhow::Result<Option<Vec<(i64, String)>>> {
    let read = client.query_typed("SELECT version, checksum FROM migrations ORDER BY version", &[]).await;
    match read {
        Ok(rows) => {
            let steps = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            steps.collect::<Result<_, tokio_postgres::Error>>().map(Some).map_err(|_| fitness::foreign(shown))
        }
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_COLUMN) => Err(fitness::foreign(shown)),
        Err(error) => Err(error).with_context(|| format!("the schema of {shown} cannot be read")),
    }
}

/// The default language: what the database was made with. One asked for must be the same; a new database keeps it.
pub async fn settle_language(client: &Client, asked: Option<&Tag>) -> anyhow::Result<Tag> {
    let kept = match kept_language(client).await? {
        Some(kept) => kept,
        None => {
            let new = asked.map_or(DEFAULT_LANGUAGE, Tag::as_str);
            let keep = "INSERT INTO settings (key, value) VALUES ('default_language', $1) ON CONFLICT DO NOTHING";
            client.execute_typed(keep, &[(&new, Type::TEXT)]).await?;
            // Another node may have been first.
            kept_language(client).await?.context("the database does not keep its default language")?
        }
    };
    settled_language(&kept, asked)
}

async fn kept_language(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
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
    use crate::store::postgres::scratch::Scratch;

    async fn refusal(client: &mut Client) -> String {
        format!("{:#}", migrate(client, "THE-DATABASE", true).await.unwrap_err())
    }

    async fn number(client: &Client, sql: &str) -> i64 {
        client.query_one_scalar(sql, &[]).await.unwrap()
    }

    #[tokio::test]
    async fn nodes_that_start_at_once_make_one_directory() {
        let scratch = Scratch::new().await;
        let starts = (0..4).map(async |_| {
            let mut client = scratch.connect().await;
            migrate(&mut client, "it", true).await.unwrap();
            settle_language(&client, None).await.unwrap();
        });
        join_all(starts).await;
        let client = scratch.connect().await;
        assert_eq!(number(&client, "SELECT count(*) FROM migrations").await, MIGRATIONS.len() as i64);
        assert_eq!(number(&client, "SELECT count(*) FROM settings").await, 1);
    }

    #[tokio::test]
    async fn a_directory_that_lacks_nothing_is_only_read() {
        let scratch = Scratch::new().await;
        migrate(&mut scratch.connect().await, "it", true).await.unwrap();
        let other = scratch.connect().await;
        other.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.unwrap();
        let mut client = scratch.connect().await;
        client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), migrate(&mut client, "it", false)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_command_makes_no_directory() {
        let scratch = Scratch::new().await;
        let mut client = scratch.connect().await;
        let refused = migrate(&mut client, "it", false).await.unwrap_err().to_string();
        assert!(refused.contains("start 'rollbook serve' first"), "{refused}");
        assert_eq!(number(&client, "SELECT count(*) FROM pg_class WHERE relname = 'migrations'").await, 0);
    }

    #[tokio::test]
    async fn the_language_stays() {
        let scratch = Scratch::new().await;
        let mut client = scratch.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        let (german, english) = (Tag::parse("de").unwrap(), Tag::parse("en").unwrap());
        assert_eq!(settle_language(&client, Some(&german)).await.unwrap().as_str(), "de");
        assert_eq!(settle_language(&client, None).await.unwrap().as_str(), "de");
        assert!(settle_language(&client, Some(&english)).await.is_err());
    }

    #[tokio::test]
    async fn a_newer_directory_is_refused() {
        let scratch = Scratch::new().await;
        let mut client = scratch.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        client.batch_execute("INSERT INTO migrations (version, checksum) VALUES (1000, 'x')").await.unwrap();
        let refused = refusal(&mut client).await;
        assert!(refused.contains("THE-DATABASE was written by a newer version"), "{refused}");
    }

    #[tokio::test]
    async fn databases_of_other_programs_are_refused() {
        for theirs in [
            "CREATE TABLE things (id int)",
            "CREATE TABLE migrations (id int, name text)",
            "CREATE TABLE migrations (version text, checksum text); INSERT INTO migrations VALUES ('a', 'b')",
        ] {
            let scratch = Scratch::new().await;
            let mut client = scratch.connect().await;
            client.batch_execute(theirs).await.unwrap();
            let refused = refusal(&mut client).await;
            assert!(refused.contains("THE-DATABASE holds tables of another program"), "{theirs}: {refused}");
        }
    }

    #[tokio::test]
    async fn databases_that_lose_letters_are_refused() {
        for (locale, word) in [
            ("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", "the ctype 'C'"),
            ("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", "encoded in LATIN1"),
            ("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", "encoded in SQL_ASCII"),
        ] {
            let scratch = Scratch::of(locale).await;
            let mut client = scratch.connect().await;
            let refused = refusal(&mut client).await;
            assert!(refused.contains(word) && refused.contains("CREATE DATABASE"), "{refused}");
            assert_eq!(number(&client, "SELECT count(*) FROM pg_class WHERE relname = 'groups'").await, 0);
        }
    }

    /// Takes a role that is no superuser's, who may do everything.
    const LOWER: &str = "SELECT set_config('role', CASE WHEN rolsuper THEN 'pg_monitor' ELSE rolname END, false) \
                         FROM pg_roles WHERE rolname = current_user";

    #[tokio::test]
    async fn a_role_that_may_not_make_what_is_needed_is_refused() {
        let scratch = Scratch::new().await;
        let mut client = scratch.connect().await;
        client.batch_execute("SET search_path = nowhere").await.unwrap();
        assert!(refusal(&mut client).await.contains("has no schema to make tables in"));

        let closed = "CREATE SCHEMA closed; REVOKE ALL ON SCHEMA closed FROM CURRENT_USER; \
                      GRANT USAGE ON SCHEMA closed TO PUBLIC; SET search_path = closed";
        client.batch_execute(&format!("{closed}; {LOWER}")).await.unwrap();
        assert!(refusal(&mut client).await.contains("run GRANT CREATE ON SCHEMA \"closed\" TO"));

        let opened = "RESET ROLE; GRANT CREATE ON SCHEMA closed TO PUBLIC; DO $$ BEGIN EXECUTE \
                      format('REVOKE CREATE ON DATABASE %I FROM CURRENT_USER', current_database()); END $$";
        client.batch_execute(&format!("{opened}; {LOWER}")).await.unwrap();
        assert!(refusal(&mut client).await.contains("run CREATE EXTENSION pg_trgm in THE-DATABASE"));
    }

    /// So many bytes that no compression makes shorter.
    fn noise(bytes: usize) -> String {
        let mut random = SmallRng::seed_from_u64(1);
        (0..bytes / 4).map(|_| random.random_range('\u{10000}'..='\u{10ffff}')).collect()
    }

    #[tokio::test]
    async fn the_longest_values_fit_into_every_index() {
        let scratch = Scratch::new().await;
        let mut client = scratch.connect().await;
        migrate(&mut client, "it", true).await.unwrap();
        let (id, name, email, path, text) = (noise(100), noise(1_200), noise(2_400), noise(300), noise(800));
        let group = "INSERT INTO groups (uid, id, id_key, name, name_key, labels, communities, created, updated, \
                     version, members) VALUES (1, '', $1, '', $2, '', '', 0, 0, 0, 0)";
        client.execute(group, &[&id, &name]).await.unwrap();
        let user = "INSERT INTO users (uid, id, id_key, username, username_key, first_name, first_name_key, \
                    last_name, last_name_key, email, email_key, active, roles, communities, generation, \
                    failed_attempts, created, updated, version) \
                    VALUES (1, '', $1, '', $2, '', $2, '', $2, '', $3, 1, 0, '', 0, 0, 0, 0, 0)";
        client.execute(user, &[&id, &name, &email]).await.unwrap();
        let xp = "INSERT INTO group_xp (owner, path, kind, text, rest, number, instant, least) \
                  VALUES (1, $1, 2, $2, $3, 0, 0, 1)";
        client.execute(xp, &[&path, &text, &noise(8_000)]).await.unwrap();
        let client_id = "INSERT INTO clients (uid, id, id_key, name, roles, communities, access_minutes, \
                         refresh_minutes, enabled, generation, created, updated, version) \
                         VALUES (1, '', $1, '', 0, '', 0, 0, 1, 0, 0, 0, 0)";
        client.execute(client_id, &[&name]).await.unwrap();
    }
}
