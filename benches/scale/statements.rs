//! The time that PostgreSQL itself spends, as pg_stat_statements counts it.

use tokio_postgres::Client;

use super::data::database_url::{self, DatabaseUrl};

/// The database's own clock, if it has one.
pub(crate) struct Statements(Option<Client>);

impl Statements {
    /// The clock of the directory's database; none for SQLite, or if the extension is not loaded.
    pub(crate) async fn of(database_url: &DatabaseUrl) -> anyhow::Result<Self> {
        let DatabaseUrl::Server(url) = database_url else { return Ok(Self(None)) };
        let client = database_url::connect(&url.parse()?).await?;
        let extension = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT FROM pg_stat_statements LIMIT 1";
        let is_there = client.batch_execute(extension).await.is_ok();
        if !is_there {
            eprintln!("pg_stat_statements is not loaded: the database's own time is not measured");
        }
        Ok(Self(is_there.then_some(client)))
    }

    /// The milliseconds that were spent in this database so far, on planning if it is counted, and on everything else.
    pub(crate) async fn total(&self) -> anyhow::Result<Option<f64>> {
        let Self(Some(client)) = self else { return Ok(None) };
        let query = "SELECT coalesce(sum(total_exec_time + total_plan_time), 0)::float8 FROM pg_stat_statements \
                     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
        Ok(Some(client.query_one(query, &[]).await?.get(0)))
    }
}
