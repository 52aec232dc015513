//! Whether a database can hold a directory. Each refusal is a sentence that says what to do.

use anyhow::{Context as _, anyhow, bail};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Row, Transaction};

/// The oldest server that the statements of this store run on, as PostgreSQL numbers it.
const OLDEST: i32 = 140_000;

/// How a database that fits is made.
const REMAKE: &str = "make one for it with CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' \
                      LC_CTYPE 'C.UTF-8', and name that with --database";

const LOOK: &str = "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
     current_setting('server_encoding'), current_user::text, current_database()::text, current_schema()::text, \
     coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), \
     (SELECT datctype::text FROM pg_database WHERE datname = current_database()), \
     EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'), \
     EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')";

/// What is known of the server, the database and the role.
struct Found {
    number: i32,
    version: String,
    encoding: String,
    role: String,
    database: String,
    /// Where new tables go.
    schema: Option<String>,
    may_create: bool,
    ctype: String,
    has_trigrams: bool,
    can_have_trigrams: bool,
}

impl Found {
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

/// Whether nothing was made in the database yet. Fails where it holds another program's tables.
pub async fn is_new(step: &Transaction<'_>, shown: &str) -> anyhow::Result<bool> {
    // Tables that an extension brought along are nobody's data.
    let look = "SELECT to_regclass('migrations') IS NULL, EXISTS (SELECT FROM pg_class c \
                WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) \
                AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT EXISTS (SELECT FROM pg_depend d \
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";
    let row = step.query_typed_one(look, &[]).await?;
    let (is_new, has_tables): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if is_new && has_tables {
        return Err(foreign(shown));
    }
    Ok(is_new)
}

/// The refusal of a database that another program uses.
pub fn foreign(shown: &str) -> anyhow::Error {
    anyhow!("{shown} holds tables of another program: make a database for Rollbook alone, and name it with --database")
}

/// Makes sure that a new database fits, and that it has the trigrams that substring search stands on.
pub async fn prepare(step: &Transaction<'_>, shown: &str) -> anyhow::Result<()> {
    let found = Found::of(&step.query_typed_one(LOOK, &[]).await?)?;
    if found.number < OLDEST {
        bail!(
            "the server of {shown} is PostgreSQL {}, and Rollbook needs {} or later: upgrade it, or name another \
             server with --database",
            found.version,
            OLDEST / 10_000
        );
    }
    if found.encoding != "UTF8" {
        bail!("the database {shown} is encoded in {}, which cannot hold every text: {REMAKE}", found.encoding);
    }
    may_create(&found, shown)?;
    if !found.has_trigrams {
        create_trigrams(step, &found, shown).await?;
    }
    keeps_letters(step, &found, shown).await
}

fn may_create(found: &Found, shown: &str) -> anyhow::Result<()> {
    let Found { role, schema, .. } = found;
    match schema {
        None => bail!(
            "the role {role:?} has no schema to make tables in: as its owner run CREATE SCHEMA \
             AUTHORIZATION {role:?} in {shown}"
        ),
        Some(schema) if !found.may_create => bail!(
            "the role {role:?} may not make tables in {shown}: as the database's owner run GRANT CREATE ON SCHEMA \
             {schema:?} TO {role:?} there"
        ),
        Some(_) => Ok(()),
    }
}

async fn create_trigrams(step: &Transaction<'_>, found: &Found, shown: &str) -> anyhow::Result<()> {
    if !found.can_have_trigrams {
        bail!(
            "the server of {shown} lacks the extension pg_trgm, which substring search stands on: install \
             PostgreSQL's contrib modules there (the package postgresql-contrib, where it is one of its own)"
        );
    }
    match step.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => bail!(
            "the role {:?} may not make the extension pg_trgm, which substring search stands on: as a superuser run \
             CREATE EXTENSION pg_trgm in {shown}, or GRANT CREATE ON DATABASE {:?} TO {0:?}",
            found.role,
            found.database
        ),
        made => made.with_context(|| format!("the extension pg_trgm cannot be made in {shown}")),
    }
}

/// Under a ctype that knows ASCII alone, pg_trgm takes all other letters for gaps between words, and finds nothing.
async fn keeps_letters(step: &Transaction<'_>, found: &Found, shown: &str) -> anyhow::Result<()> {
    let row = match step.query_typed_one("SELECT cardinality(show_trgm('дом')) > 0", &[]).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_FUNCTION) => bail!(
            "the extension pg_trgm of {shown} is in a schema that the role {:?} does not search: run ALTER EXTENSION \
             pg_trgm SET SCHEMA {:?} there",
            found.role,
            found.schema.as_deref().unwrap_or("public")
        ),
        row => row?,
    };
    if !row.try_get::<_, bool>(0)? {
        bail!("the database {shown} has the ctype '{}', under which search finds ASCII only: {REMAKE}", found.ctype);
    }
    Ok(())
}
