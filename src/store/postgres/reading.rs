//! Reads of more than one statement: one snapshot, on a session of the pool.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use sea_query::{PostgresQueryBuilder, SelectStatement};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::bind::{Typed, typed};
use super::pipeline::in_order;
use super::pool::Pooled;
use super::session::Session;
use super::trouble::Trouble;

/// A snapshot that is being read.
pub struct Reading {
    session: Pooled,
    /// Given back with the session.
    _turn: OwnedSemaphorePermit,
    limit: Duration,
    begun: bool,
}

impl Reading {
    /// A snapshot on the session, in its turn, none of whose statements may take longer than `limit`.
    pub fn new(session: Pooled, turn: OwnedSemaphorePermit, limit: Duration) -> Self {
        Self { session, _turn: turn, limit, begun: false }
    }

    /// The rows of each of the statements, which are all sent at once. The first ones begin the snapshot.
    pub async fn all(&mut self, statements: &[SelectStatement]) -> Result<Vec<Vec<Row>>, Trouble> {
        let built: Vec<(String, Vec<Typed>)> = statements.iter().map(built).collect::<Result<_, _>>()?;
        let begin = self.begin();
        let session: &Session = &self.session;
        let begin = begin.map(Asked::Whole);
        let asked = begin.into_iter().chain(built.iter().map(|(sql, values)| Asked::Rows(sql, values)));
        let answers = in_order(asked.map(|asked| ask(session, asked).boxed()).collect()).await;
        let mut rows = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(rows.split_off(rows.len() - statements.len()))
    }

    /// The rows of a constant statement.
    pub async fn rows(&mut self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let statement = self.session.prepared(sql).await?;
        let begin = self.begin();
        let asked = self.session.client().query(&statement, values);
        let Some(begin) = begin else { return Ok(asked.await?) };
        let (begun, rows) = join(self.session.client().batch_execute(&begin), asked).await;
        begun?;
        Ok(rows?)
    }

    fn begin(&mut self) -> Option<String> {
        if self.begun {
            return None;
        }
        self.begun = true;
        self.session.begins();
        let limit = self.limit.as_millis();
        Some(format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {limit}"))
    }

    /// Ends the snapshot and gives the session back. Not ended, it takes the session with it.
    pub async fn end(self) -> Result<(), Trouble> {
        if self.begun {
            self.session.client().batch_execute("COMMIT").await?;
            self.session.ends();
        }
        Ok(())
    }
}

/// One thing that is sent.
enum Asked<'a> {
    Whole(String),
    Rows(&'a str, &'a [Typed]),
}

async fn ask(session: &Session, asked: Asked<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    match asked {
        Asked::Whole(sql) => session.client().batch_execute(&sql).await.map(|()| Vec::new()),
        Asked::Rows(sql, values) => {
            let values: Vec<(&(dyn ToSql + Sync), Type)> =
                values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
            session.client().query_typed(sql, &values).await
        }
    }
}

fn built(statement: &SelectStatement) -> Result<(String, Vec<Typed>), Trouble> {
    #[cfg(test)]
    crate::store::sql::asked::note(statement);
    let (sql, values) = statement.build(PostgresQueryBuilder);
    Ok((sql, typed(values)?))
}
