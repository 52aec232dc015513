//! An open transaction, and how its COMMIT ended.

use futures_util::future::join;
use futures_util::{FutureExt as _, TryStreamExt as _};
use tokio::sync::oneshot::Sender;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::domain::journal::Operation;
use crate::domain::time::Timestamp;
use crate::domain::{Error, Result};

use super::pipeline::{Parameter, pipelined};
use crate::store::postgres::connection::database_error::{DatabaseError, PRIMARY_CHANGED, is_fatal, text};
use crate::store::postgres::connection::session::{STANDBY_WAIT_CANCELLED, Session};
use crate::store::sql::entity::not_before;
use crate::store::sql::journal::LAST_CHANGE;

/// The maximum number of statements that [`Transaction::write`] sends before it waits for their responses.
const PIPELINE_DEPTH: usize = 256;

/// An open transaction: reads run at once, writes are queued and sent together with the COMMIT.
pub(crate) struct Transaction<'a> {
    session: &'a Session,
    /// The statement that begins the transaction.
    begin_sql: &'a str,
    /// Whether `begin_sql` was sent. It is sent with the first statement.
    begun: bool,
    /// The time of the latest change of the directory, as of the last lock; `None` before the first lock, and in a new
    /// directory.
    last_change: Option<Timestamp>,
    /// The statements to send with the COMMIT, with their parameters.
    queued: Vec<(&'static str, Vec<Parameter>)>,
    /// The number of changes that the queued journal entries tell. The last statement adds it to its counter, because
    /// that is the last counter that a transaction changes.
    pub(crate) changes: i64,
}

/// Why an attempt did not end in a confirmed commit. `T` is the output of the unit of work.
pub(super) enum AttemptError<T> {
    /// The transaction was not committed.
    Database(DatabaseError),
    /// The transaction was not committed, because a unique index refused a row.
    UniqueViolation {
        /// The output.
        output: T,
        /// The name of the index.
        index: String,
    },
    /// The transaction may or may not have been committed.
    OutcomeUnknown {
        /// The output.
        output: T,
        /// Why it is unknown.
        cause: String,
    },
}

impl<'a> Transaction<'a> {
    /// A transaction on the session, which `begin_sql` begins with the first statement.
    pub(super) fn new(session: &'a Session, begin_sql: &'a str) -> Self {
        Self { session, begin_sql, begun: false, last_change: None, queued: Vec::new(), changes: 0 }
    }

    /// Runs the statement now and returns its rows. Begins the transaction if this is its first statement.
    pub(crate) async fn read(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let statement = self.session.prepared(sql).await?;
        self.run(&statement, values).await
    }

    /// As [`Transaction::read`], for many rows: converts each as it arrives. Not for the first statement of a transaction.
    pub(crate) async fn read_each<T>(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
        convert: impl Fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let statement = self.session.prepared(sql).await?;
        let rows = self.session.client().query_raw(&statement, values.iter().copied()).await?;
        let mut rows = std::pin::pin!(rows);
        let mut converted = Vec::new();
        while let Some(row) = rows.try_next().await? {
            converted.push(convert(&row)?);
        }
        Ok(converted)
    }

    /// Runs the statement and returns its rows. Sends it, behind the statement that begins the transaction if that was
    /// not sent yet, when it is first polled.
    async fn run(&mut self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseError> {
        let query = self.session.client().query(statement, values);
        if self.begun {
            return Ok(query.await?);
        }
        self.begun = true;
        self.session.begin_transaction();
        let (begun, rows) = join(self.session.client().batch_execute(self.begin_sql), query).await;
        begun?;
        Ok(rows?)
    }

    /// Runs the statement now and returns its first row, if any.
    pub(crate) async fn find(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, DatabaseError> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    /// As [`Transaction::find`], for a statement that locks the row. Reads the time of the latest change as well, in the
    /// same round trip, for [`Transaction::time`].
    pub(crate) async fn lock(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, DatabaseError> {
        let session = self.session;
        let (statement, last_change) = (session.prepared(sql).await?, session.prepared(LAST_CHANGE).await?);
        let last_change = session.client().query_one(&last_change, &[]);
        let (rows, last_change) = join(self.run(&statement, values), last_change).await;
        let rows = rows?;
        self.last_change = last_change?.try_get::<_, Option<i64>>(0)?.map(Timestamp::from_micros);
        Ok(rows.into_iter().next())
    }

    /// Reads the time of the latest change, for [`Transaction::time`]. To be called once all locks are held.
    pub(crate) async fn read_last_change(&mut self) -> Result<(), DatabaseError> {
        if let Some(row) = self.find(LAST_CHANGE, &[]).await? {
            self.last_change = row.try_get::<_, Option<i64>>(0)?.map(Timestamp::from_micros);
        }
        Ok(())
    }

    /// Returns the time of a change that this transaction makes: the operation's clock shows it, but it is not before
    /// the last change of any entity that the transaction has locked.
    ///
    /// The bound is the latest change of the whole directory. One look at the end of one index gives it, whatever the
    /// entity is: the last change of a group or user may also be a membership, alone or in a batch, which several
    /// indexes would have to find. It holds under concurrency, because it is read after the locks are acquired, by a
    /// statement of its own: whoever changed the same entities before has committed, and the statement sees it. A
    /// transaction that locks nothing creates an entity, which has no earlier change.
    pub(crate) fn time(&self, operation: &Operation) -> Timestamp {
        not_before(self.last_change, operation.clock.now())
    }

    /// Runs the statement now, which draws a number from a sequence, and returns the number.
    pub(crate) async fn next(&mut self, sql: &'static str) -> Result<i64, DatabaseError> {
        match self.find(sql, &[]).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Err(Error::internal(anyhow::anyhow!("a sequence gave no number")).into()),
        }
    }

    /// A number from 0 to `count - 1` that spreads the sessions of a pool evenly: no two of up to `count` sessions that
    /// were opened one after the other share it.
    pub(crate) fn slot(&self, count: u16) -> i16 {
        (self.session.number() % count) as i16
    }

    /// Queues a write, to be sent after those queued before it.
    pub(crate) fn queue(&mut self, sql: &'static str, values: Vec<Parameter>) {
        self.queued.push((sql, values));
    }

    /// Sends the queued writes now, waits for them, and returns the connection, so that the caller can write in bulk in
    /// the same transaction. The transaction is rolled back unless the caller queues another write afterwards.
    pub(crate) async fn write(&mut self) -> Result<&Client, DatabaseError> {
        let client = self.session.client();
        if !self.begun {
            self.begun = true;
            self.session.begin_transaction();
            client.batch_execute(self.begin_sql).await?;
        }
        let mut queued = std::mem::take(&mut self.queued).into_iter();
        while queued.len() > 0 {
            let mut sends = Vec::with_capacity(PIPELINE_DEPTH);
            for (sql, values) in queued.by_ref().take(PIPELINE_DEPTH) {
                let statement = self.session.prepared(sql).await?;
                sends.push(async move { client.execute_raw(&statement, values).await }.boxed());
            }
            for response in pipelined(sends).await {
                response?;
            }
        }
        Ok(client)
    }

    /// Ends a transaction that wrote nothing.
    pub(super) async fn roll_back(&self) -> Result<(), DatabaseError> {
        if self.begun {
            self.session.client().batch_execute("ROLLBACK").await?;
            self.session.end_transaction();
        }
        Ok(())
    }

    /// Sends the queued writes and the COMMIT in one pipeline and returns the `output` if the server confirms the
    /// COMMIT. Sends the `output` to `commit_started` first. If the receiver is closed, the caller has given up, and
    /// nothing is committed.
    pub(super) async fn commit<T: Clone>(self, output: T, commit_started: Sender<T>) -> Result<T, AttemptError<T>> {
        if self.queued.is_empty() {
            // Nothing was written, so the output is valid even if the session fails from here on.
            return self.roll_back().await.map(|()| output).map_err(AttemptError::Database);
        }
        let (session, mut sends) = (self.session, Vec::with_capacity(self.queued.len() + 3));
        let simple = |sql| session.client().batch_execute(sql).map(|done| done.map(|()| 0)).boxed();
        if !self.begun {
            session.begin_transaction();
            sends.push(simple(self.begin_sql));
        }
        for (sql, values) in self.queued {
            let statement = session.prepared(sql).await.map_err(|error| AttemptError::Database(error.into()))?;
            sends.push(async move { session.client().execute_raw(&statement, values).await }.boxed());
        }
        sends.push(simple(session.before_commit()));
        sends.push(simple("COMMIT"));
        if commit_started.send(output.clone()).is_err() {
            return Err(AttemptError::Database(DatabaseError::TimedOut));
        }
        session.clear_warnings();
        let statements = sends.len();
        match session.while_current(pipelined(sends)).await {
            Some(responses) => commit_result(session, responses, statements, output),
            None => Err(AttemptError::OutcomeUnknown { output, cause: PRIMARY_CHANGED.to_owned() }),
        }
    }
}

/// Derives the result of an attempt from the `responses` to the pipeline of [`Transaction::commit`], which has this
/// number of `statements`; the last one is the COMMIT. There are fewer responses if sending stopped at an error.
fn commit_result<T>(
    session: &Session,
    responses: Vec<Result<u64, tokio_postgres::Error>>,
    statements: usize,
    output: T,
) -> Result<T, AttemptError<T>> {
    let commit_was_sent = responses.len() == statements;
    let commit_succeeded = commit_was_sent && responses.last().is_some_and(Result::is_ok);
    let first_error = responses.into_iter().enumerate().find_map(|(at, response)| Some((at, response.err()?)));
    let Some((at, error)) = first_error else {
        return confirmed_commit(session, output);
    };
    let commit_failed = commit_was_sent && at + 1 == statements;
    // The server rolls back if it refuses a statement before the COMMIT, or the COMMIT itself without ending the
    // session. Any other error after the COMMIT was sent leaves the outcome open.
    let refused_by_server = error.as_db_error().is_some_and(|db_error| !commit_failed || !is_fatal(db_error));
    if commit_was_sent && !refused_by_server {
        return Err(AttemptError::OutcomeUnknown { output, cause: text(&error) });
    }
    // Either way the transaction has ended. (The COMMIT of a failed transaction succeeds, as a rollback.)
    if commit_succeeded || commit_failed {
        session.end_transaction();
    }
    match error.into() {
        DatabaseError::UniqueViolation(index) => Err(AttemptError::UniqueViolation { output, index }),
        error => Err(AttemptError::Database(error)),
    }
}

/// The result of an attempt whose COMMIT the server reported as successful. It does not count if a server that may
/// become the primary could lack the commit.
fn confirmed_commit<T>(session: &Session, output: T) -> Result<T, AttemptError<T>> {
    if session.was_warned() {
        return Err(AttemptError::OutcomeUnknown { output, cause: STANDBY_WAIT_CANCELLED.to_owned() });
    }
    if !session.is_current() {
        return Err(AttemptError::OutcomeUnknown { output, cause: PRIMARY_CHANGED.to_owned() });
    }
    session.end_transaction();
    Ok(output)
}
