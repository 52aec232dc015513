//! Preflight check: whether a database can hold a directory. Each error message says what to do.

use anyhow::{Context as _, anyhow, bail};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Row, Transaction};

/// The oldest supported version of the server, in the format of `server_version_num`.
const MIN_VERSION: i32 = 140_000;

/// How to create a database that can hold a directory.
const CREATE_DATABASE: &str = "create one with CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' \
                      LC_CTYPE 'C.UTF-8', and name it with --database";

/// The columns of [`ServerInfo`], in order.
const SERVER_INFO: &str = "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
     current_setting('server_encoding'), current_user::text, current_database()::text, current_schema()::text, \
     coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), \
     (SELECT datctype::text FROM pg_database WHERE datname = current_database()), \
     EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'), \
     EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')";

/// Properties of the server, the database and the role.
struct ServerInfo {
    /// The version, in the format of `server_version_num`.
    number: i32,
    /// The version, as text.
    version: String,
    encoding: String,
    role: String,
    database: String,
    /// The schema of new tables; `None` if the role has none.
    schema: Option<String>,
    /// Whether the role may create tables in the schema.
    may_create: bool,
    ctype: String,
    /// Whether the extension pg_trgm exists in the database.
    has_trigrams: bool,
    /// Whether the extension pg_trgm is installed on the server.
    can_have_trigrams: bool,
}

impl ServerInfo {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            number: row.try_get(0)?,
            version: row.try_get(1)?,
            encoding: row.try_get(2)?,
            role: row.try_get(3)?,
            database: row.try_get(4)?,
            schema: row.try_get(5)?,
            may_create: row.try_get(6)?,
            ctype: row.try_get(7)?,
            has_trigrams: row.try_get(8)?,
            can_have_trigrams: row.try_get(9)?,
        })
    }
}

/// Returns whether the database has no directory yet. Fails if it holds another program's tables.
pub(crate) async fn is_new(step: &Transaction<'_>, display_url: &str) -> anyhow::Result<bool> {
    // Tables that belong to an extension do not count.
    let sql = "SELECT to_regclass('migrations') IS NULL, EXISTS (SELECT FROM pg_class c \
                WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) \
                AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT EXISTS (SELECT FROM pg_depend d \
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";
    let row = step.query_typed_one(sql, &[]).await?;
    let (is_new, has_tables): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if is_new && has_tables {
        return Err(foreign(display_url));
    }
    Ok(is_new)
}

/// The error for a database that another program uses.
pub(crate) fn foreign(display_url: &str) -> anyhow::Error {
    anyhow!(
        "{display_url} holds tables of another program: create a database for Rollbook alone, and name it with \
         --database"
    )
}

/// Checks that a new database can hold a directory, and creates the extension pg_trgm, which substring search needs.
pub(crate) async fn prepare(step: &Transaction<'_>, display_url: &str) -> anyhow::Result<()> {
    let info = ServerInfo::of(&step.query_typed_one(SERVER_INFO, &[]).await?)?;
    if info.number < MIN_VERSION {
        bail!(
            "the server of {display_url} is PostgreSQL {}, and Rollbook needs {} or later: upgrade it, or name another \
             server with --database",
            info.version,
            MIN_VERSION / 10_000
        );
    }
    if info.encoding != "UTF8" {
        bail!(
            "the database {display_url} has the encoding {}, which cannot hold every text: {CREATE_DATABASE}",
            info.encoding
        );
    }
    check_schema(&info, display_url)?;
    if !info.has_trigrams {
        create_trigrams(step, &info, display_url).await?;
    }
    check_ctype(step, &info, display_url).await
}

/// Fails unless the role can create tables.
fn check_schema(info: &ServerInfo, display_url: &str) -> anyhow::Result<()> {
    let ServerInfo { role, schema, .. } = info;
    match schema {
        None => bail!(
            "the role {role:?} has no schema to create tables in: as its owner run CREATE SCHEMA \
             AUTHORIZATION {role:?} in {display_url}"
        ),
        Some(schema) if !info.may_create => bail!(
            "the role {role:?} may not create tables in {display_url}: as the database's owner run GRANT CREATE ON \
             SCHEMA {schema:?} TO {role:?} there"
        ),
        Some(_) => Ok(()),
    }
}

/// Creates the extension pg_trgm.
async fn create_trigrams(step: &Transaction<'_>, info: &ServerInfo, display_url: &str) -> anyhow::Result<()> {
    if !info.can_have_trigrams {
        bail!(
            "the server of {display_url} lacks the extension pg_trgm, which substring search needs: install \
             PostgreSQL's contrib modules there (the package postgresql-contrib, if they are a separate package)"
        );
    }
    match step.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => bail!(
            "the role {:?} may not create the extension pg_trgm, which substring search needs: as a superuser run \
             CREATE EXTENSION pg_trgm in {display_url}, or GRANT CREATE ON DATABASE {:?} TO {0:?}",
            info.role,
            info.database
        ),
        result => result.with_context(|| format!("the extension pg_trgm cannot be created in {display_url}")),
    }
}

/// Fails if the ctype of the database covers only ASCII: pg_trgm would treat all other letters as separators and find
/// nothing.
async fn check_ctype(step: &Transaction<'_>, info: &ServerInfo, display_url: &str) -> anyhow::Result<()> {
    let row = match step.query_typed_one("SELECT cardinality(show_trgm('дом')) > 0", &[]).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_FUNCTION) => bail!(
            "the extension pg_trgm of {display_url} is in a schema that the role {:?} does not search: run ALTER \
             EXTENSION pg_trgm SET SCHEMA {:?} there",
            info.role,
            info.schema.as_deref().unwrap_or("public")
        ),
        row => row?,
    };
    if !row.try_get::<_, bool>(0)? {
        bail!(
            "the database {display_url} has the ctype '{}', under which search finds ASCII only: {CREATE_DATABASE}",
            info.ctype
        );
    }
    Ok(())
}
