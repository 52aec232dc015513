//! Read transactions: several statements in one snapshot, on a session of the pool.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join;
use sea_query::{PostgresQueryBuilder, SelectStatement};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use crate::domain::Error;

use super::bind::{Typed, typed};
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::connection::pool::Pooled;
use crate::store::postgres::connection::session::Session;
use crate::store::postgres::write::pipeline::pipelined;

/// How much later than its time limit a statement's cancellation may arrive and still count as "too costly". If it
/// arrives later, the server was stopped or overloaded, and the statement may have been cheap.
const MAX_CANCEL_DELAY: Duration = Duration::from_millis(500);

/// An open read transaction.
pub(crate) struct ReadTransaction {
    session: Pooled,
    /// The permit for a list, released together with the session.
    _permit: OwnedSemaphorePermit,
    /// The time limit of each statement.
    limit: Duration,
    /// Whether the BEGIN was sent. It is sent with the first statement.
    begun: bool,
}

impl ReadTransaction {
    /// A read transaction on the session. `permit` is the permit for a list, `limit` the time limit of each statement.
    pub(crate) fn new(session: Pooled, permit: OwnedSemaphorePermit, limit: Duration) -> Self {
        Self { session, _permit: permit, limit, begun: false }
    }

    /// Runs the statements in one pipeline and returns the rows of each. The first call takes the snapshot. Fails with
    /// `ListTooCostly` if a statement exceeds the time limit.
    pub(crate) async fn all(&mut self, statements: &[SelectStatement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let built: Vec<(String, Vec<Typed>)> = statements.iter().map(built).collect::<Result<_, _>>()?;
        self.pipeline(&built).await
    }

    /// As [`Self::all`], for statements given as text and parameters.
    pub(crate) async fn pipeline(
        &mut self,
        statements: &[(String, Vec<Typed>)],
    ) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let begin = self.begin();
        let session: &Session = &self.session;
        let begin = begin.map(PendingStatement::Simple);
        let pending =
            begin.into_iter().chain(statements.iter().map(|(sql, values)| PendingStatement::Rows(sql, values)));
        // A statement starts when the one before it ends.
        let mut started = Instant::now();
        let outputs = pipelined(pending.map(|pending| timed(send(session, pending)).boxed()).collect()).await;
        let mut rows = Vec::with_capacity(outputs.len());
        for output in outputs {
            let (result, ended) =
                output.map_err(|(error, ended)| self.classify(error, ended.duration_since(started)))?;
            rows.push(result);
            started = ended;
        }
        Ok(rows.split_off(rows.len() - statements.len()))
    }

    /// Runs a constant statement, which is prepared, and returns its rows. Fails as [`Self::all`] does.
    pub(crate) async fn rows(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let statement = self.session.prepared(sql).await?;
        let begin = self.begin();
        let started = Instant::now();
        let pending = self.session.client().query(&statement, values);
        let rows = match begin {
            None => pending.await,
            Some(begin) => {
                let (begun, rows) = join(self.session.client().batch_execute(&begin), pending).await;
                begun.and(rows)
            }
        };
        rows.map_err(|error| self.classify(error, started.elapsed()))
    }

    /// The statement that begins the transaction, if it has not begun yet. The lock timeout is shorter than the
    /// statement timeout, because a wait for a lock does not make a list too costly.
    fn begin(&mut self) -> Option<String> {
        if self.begun {
            return None;
        }
        self.begun = true;
        self.session.begin_transaction();
        let (statement, lock) = (self.limit.as_millis(), (self.limit / 2).as_millis());
        Some(format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {statement}; \
             SET LOCAL lock_timeout = {lock}"
        ))
    }

    /// Classifies the error of a statement that failed after this time. The server uses the same code for a statement
    /// that exceeded its time limit and for one that an administrator cancelled, and its message depends on its
    /// language. So the elapsed time decides.
    fn classify(&self, error: tokio_postgres::Error, elapsed: Duration) -> DatabaseError {
        let timed_out = self.limit.mul_f64(0.9)..self.limit + MAX_CANCEL_DELAY;
        if error.code() == Some(&SqlState::QUERY_CANCELED) && timed_out.contains(&elapsed) {
            return DatabaseError::Refused(Error::ListTooCostly);
        }
        error.into()
    }

    /// Ends the transaction and returns the session to the pool. If a transaction is dropped without this, its session
    /// is closed. Fails with `NotCommitted` if another server has become the primary: the rows may be outdated then.
    pub(crate) async fn end(self) -> Result<(), DatabaseError> {
        if self.begun {
            self.session.client().batch_execute("COMMIT").await?;
            self.session.end_transaction();
        }
        self.session.check_current(())
    }
}

/// A statement to send.
enum PendingStatement<'a> {
    /// A statement without parameters that returns no rows.
    Simple(String),
    /// A statement with its parameters.
    Rows(&'a str, &'a [Typed]),
}

/// Sends the statement and waits for its rows.
async fn send(session: &Session, pending: PendingStatement<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    match pending {
        PendingStatement::Simple(sql) => session.client().batch_execute(&sql).await.map(|()| Vec::new()),
        PendingStatement::Rows(sql, values) => {
            let values: Vec<(&(dyn ToSql + Sync), Type)> =
                values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
            session.client().query_typed(sql, &values).await
        }
    }
}

/// The output of the future, with the time at which it was ready.
async fn timed<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<(T, Instant), (E, Instant)> {
    let output = future.await;
    let ready = Instant::now();
    output.map(|output| (output, ready)).map_err(|error| (error, ready))
}

/// Builds the text and the parameters of the statement.
fn built(statement: &SelectStatement) -> Result<(String, Vec<Typed>), DatabaseError> {
    #[cfg(test)]
    crate::store::sql::list::statement_log::note(statement);
    let (sql, values) = statement.build(PostgresQueryBuilder);
    Ok((sql, typed(values)?))
}
