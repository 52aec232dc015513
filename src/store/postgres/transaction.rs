//! One write as one transaction: tried again where it was not made, looked up where nobody said whether it was.
//!
//! The transaction runs at READ COMMITTED and locks the rows that its rule depends on when it reads them. What it
//! writes is sent together with its COMMIT, so that a change costs two round trips.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::Object;
use futures_util::FutureExt as _;
use futures_util::future::join;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::domain::{Error, Result};

use super::outcome::was_made;
use super::pipeline::{Parameter, in_order};
use super::pool::{Pool, Pooled};
use super::session::{Limits, Session};
use super::trouble::{Trouble, is_fatal, of_reading, text};

/// How often a transaction that was not made is tried.
const ATTEMPTS: u32 = 6;
/// How long a COMMIT is waited for: it may wait for a standby, and the server sets no limit to that.
const COMMIT: Duration = Duration::from_secs(10);

/// One write.
#[async_trait]
pub trait Change: Send + Sync + 'static {
    /// What the caller is told.
    type Output: Clone + Send + 'static;

    /// How it can be told afterwards whether the change was made.
    fn trace(&self) -> Trace<'_>;

    /// How long one of its statements may take, and all that it does up to its COMMIT, where that is longer than usual.
    fn limit(&self) -> Option<Duration> {
        None
    }

    /// Reads and locks what the rule depends on, and queues what is to be written.
    async fn make(&self, writing: &mut Writing<'_>) -> Result<Self::Output, Trouble>;

    /// What it means that the unique index has refused what would have been `made`. As a rule none does: a defect.
    fn taken(&self, _made: &Self::Output, index: &str) -> Taken {
        Taken::Refused(Error::internal(anyhow::anyhow!("the unique index {index} refused a row")))
    }
}

/// How it can be told whether a change was made.
#[derive(Clone, Copy, Debug)]
pub enum Trace<'a> {
    /// The journal has it under this operation.
    Operation(&'a str),
    /// It need not be told: to make it twice is to make it once.
    Repeatable,
    /// It cannot.
    None,
}

/// What the refusal of a unique index means.
#[derive(Debug)]
pub enum Taken {
    /// What was not there when the rule was applied may be there now: it is applied again. Refused once more, this is
    /// the answer.
    Again(Error),
    /// The answer.
    Refused(Error),
}

/// A transaction that is being made.
pub struct Writing<'a> {
    session: &'a Session,
    /// The statement that begins it.
    begin: &'a str,
    begun: bool,
    queued: Vec<(&'static str, Vec<Parameter>)>,
}

/// How an attempt ended other than well.
enum Ended<T> {
    Trouble(Trouble),
    /// The unique index refused what would have been made.
    Taken(T, String),
    /// Nobody said whether the COMMIT was done: what was made if it was, and what happened.
    Unknown(T, String),
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// How many statements are sent before the first of them is answered.
const SENT_AT_ONCE: usize = 256;

impl Writing<'_> {
    /// Asks now, inside the transaction.
    pub async fn read(&mut self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let statement = self.session.prepared(sql).await?;
        let asked = self.session.client().query(&statement, values);
        if self.begun {
            return Ok(asked.await?);
        }
        self.begun = true;
        self.session.begins();
        let (begun, rows) = join(self.session.client().batch_execute(self.begin), asked).await;
        begun?;
        Ok(rows?)
    }

    /// The one row that the statement gives, if it gives one.
    pub async fn find(&mut self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Trouble> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    /// The next number of a sequence.
    pub async fn next(&mut self, sql: &'static str) -> Result<i64, Trouble> {
        match self.find(sql, &[]).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Err(Error::internal(anyhow::anyhow!("a sequence gave no number")).into()),
        }
    }

    /// A number below `of` that the other sessions of the pool do not have, as long as there are so many.
    pub fn slot(&self, of: u16) -> i16 {
        (self.session.number() % of) as i16
    }

    /// Writes at the end of the transaction, behind what was queued before.
    pub fn queue(&mut self, sql: &'static str, values: Vec<Parameter>) {
        self.queued.push((sql, values));
    }

    /// Writes now what is queued, and gives the connection, on which more is written at once in the same transaction.
    /// All of it is undone unless something is queued once more.
    pub async fn write(&mut self) -> Result<&Client, Trouble> {
        let client = self.session.client();
        if !self.begun {
            self.begun = true;
            self.session.begins();
            client.batch_execute(self.begin).await?;
        }
        let mut queued = std::mem::take(&mut self.queued).into_iter();
        while queued.len() > 0 {
            let mut sends = Vec::with_capacity(SENT_AT_ONCE);
            for (sql, values) in queued.by_ref().take(SENT_AT_ONCE) {
                let statement = self.session.prepared(sql).await?;
                sends.push(async move { client.execute_raw(&statement, values).await }.boxed());
            }
            for answer in in_order(sends).await {
                answer?;
            }
        }
        Ok(client)
    }

    /// Ends a transaction that wrote nothing.
    async fn give_up(&self) -> Result<(), Trouble> {
        if self.begun {
            self.session.client().batch_execute("ROLLBACK").await?;
            self.session.ends();
        }
        Ok(())
    }

    /// Sends all that is queued, and the COMMIT behind it. What is made is told to `committing` before; if nobody is
    /// there any more, nothing is made.
    async fn commit<T: Clone>(self, made: T, committing: Sender<T>) -> Result<T, Ended<T>> {
        if self.queued.is_empty() {
            // What was read stands, whatever becomes of the session.
            return self.give_up().await.map(|()| made).map_err(Ended::Trouble);
        }
        let (session, mut sends) = (self.session, Vec::with_capacity(self.queued.len() + 3));
        let whole = |sql| session.client().batch_execute(sql).map(|done| done.map(|()| 0)).boxed();
        if !self.begun {
            session.begins();
            sends.push(whole(self.begin));
        }
        for (sql, values) in self.queued {
            let statement = session.prepared(sql).await.map_err(|error| Ended::Trouble(error.into()))?;
            sends.push(async move { session.client().execute_raw(&statement, values).await }.boxed());
        }
        sends.push(whole("SET LOCAL statement_timeout = 0"));
        sends.push(whole("COMMIT"));
        if committing.send(made.clone()).is_err() {
            return Err(Ended::Trouble(Trouble::TimedOut));
        }
        session.clear_warnings();
        let sent = sends.len();
        of_answers(session, in_order(sends).await, sent, made)
    }
}

/// What the answers to a whole transaction mean, the last of which is its COMMIT's.
fn of_answers<T>(
    session: &Session,
    answers: Vec<Result<u64, tokio_postgres::Error>>,
    sent: usize,
    made: T,
) -> Result<T, Ended<T>> {
    let whole = answers.len() == sent;
    let committed = whole && answers.last().is_some_and(Result::is_ok);
    let failed = answers.into_iter().enumerate().find_map(|(at, answer)| Some((at, answer.err()?)));
    match failed {
        None if session.was_warned() => {
            Err(Ended::Unknown(made, "the wait for the synchronous standby was cancelled".to_owned()))
        }
        None => {
            session.ends();
            Ok(made)
        }
        Some((at, error)) => {
            // A COMMIT that was not sent, or stands behind a failed statement, commits nothing. One that failed itself
            // did so for certain if the session lives to tell.
            let told = error.as_db_error();
            if whole && !told.is_some_and(|told| at + 1 < sent || !is_fatal(told)) {
                return Err(Ended::Unknown(made, text(&error)));
            }
            if committed || (whole && at + 1 == sent) {
                session.ends();
            }
            match error.into() {
                Trouble::Taken(index) => Err(Ended::Taken(made, index)),
                trouble => Err(Ended::Trouble(trouble)),
            }
        }
    }
}

/// Makes the change, on as many sessions as it takes.
pub async fn transact<C: Change>(pool: &Pool, limits: &Limits, change: C) -> Result<C::Output> {
    let limits = &Limits { statement: change.limit().unwrap_or(limits.statement), ..*limits };
    let change = Arc::new(change);
    let deadline = Instant::now() + limits.statement;
    let (mut attempt, mut refused) = (0, false);
    loop {
        attempt += 1;
        let last = attempt == ATTEMPTS || Instant::now() >= deadline;
        let session = pool.get().await?;
        let key = session.key();
        let cause = match attempted(session, limits, &change).await {
            Ok(made) => return Ok(made),
            Err(Ended::Taken(made, index)) => match change.taken(&made, &index) {
                Taken::Again(_) if !refused => {
                    refused = true;
                    format!("the unique index {index} refused it")
                }
                Taken::Again(error) | Taken::Refused(error) => return Err(error),
            },
            Err(Ended::Unknown(made, cause)) => match settled(pool, key, change.trace(), cause).await? {
                None => return Ok(made),
                Some(cause) => cause,
            },
            Err(Ended::Trouble(Trouble::NotMade(cause))) => cause,
            Err(Ended::Trouble(trouble)) => return Err(of_reading(trouble)),
        };
        if last {
            return Err(Error::Unavailable(cause));
        }
        metrics::counter!("rollbook_database_retries_total").increment(1);
        tracing::debug!(cause, attempt, "a transaction is tried again");
        // Those that got into each other's way shall not meet again.
        sleep(Duration::from_millis(rand::random_range(1..=10 * u64::from(attempt)))).await;
    }
}

/// Makes the change on this session, in a task of its own: one that has begun is ended even where its caller goes away,
/// and a COMMIT that hangs (as one does whose standby is lost) keeps its place in the pool, so that those behind it do
/// not take up one connection of the server after the other.
async fn attempted<C: Change>(
    session: Pooled,
    limits: &Limits,
    change: &Arc<C>,
) -> Result<C::Output, Ended<C::Output>> {
    let (committing, mut made) = oneshot::channel();
    let task = tokio::spawn(attempt(session, Arc::clone(change), committing));
    let made = match timeout(limits.answer(), &mut made).await {
        Ok(made) => made.ok(),
        Err(_) => {
            // From here on it cannot begin to commit any more.
            made.close();
            made.try_recv().ok()
        }
    };
    match (timeout(COMMIT, task).await, made) {
        (Ok(ended), _) => ended.unwrap_or_else(|panic| Err(Ended::Trouble(Error::internal(panic).into()))),
        (Err(_), Some(made)) => Err(Ended::Unknown(made, "the database did not answer a COMMIT".to_owned())),
        (Err(_), None) => Err(Ended::Trouble(Trouble::TimedOut)),
    }
}

async fn attempt<C: Change>(
    session: Pooled,
    change: Arc<C>,
    committing: Sender<C::Output>,
) -> Result<C::Output, Ended<C::Output>> {
    let begin = match change.limit() {
        Some(limit) => &format!("{BEGIN}; SET LOCAL statement_timeout = {}", limit.as_millis()),
        None => BEGIN,
    };
    let mut writing = Writing { session: &session, begin, begun: false, queued: Vec::new() };
    let ended = match change.make(&mut writing).await {
        Ok(made) => writing.commit(made, committing).await,
        Err(trouble) => {
            // Nothing was written: a session that cannot even say so is closed, and that is all.
            let _rolled_back = writing.give_up().await;
            Err(Ended::Trouble(trouble))
        }
    };
    // One that is left in doubt is closed at once, so that its lock goes, and so is one whose server turned read-only;
    // of the others that failed there are few.
    let lost = matches!(ended, Err(Ended::Trouble(Trouble::NotMade(_))));
    if lost || !session.is_usable() {
        drop(Object::take(session));
    }
    ended
}

/// Whether a change whose COMMIT nobody answered was made: `None`, or why it is to be tried again.
/// Fails with `OutcomeUnknown` where it cannot be told.
async fn settled(pool: &Pool, key: i64, trace: Trace<'_>, cause: String) -> Result<Option<String>> {
    tracing::warn!(cause, "whether a transaction was committed is looked up");
    let made = match trace {
        Trace::Operation(operation) => was_made(pool, key, operation).await,
        Trace::Repeatable => Some(false),
        Trace::None => None,
    };
    match made {
        Some(true) => Ok(None),
        Some(false) => Ok(Some(cause)),
        None => {
            metrics::counter!("rollbook_database_unknown_outcomes_total").increment(1);
            Err(Error::OutcomeUnknown(cause))
        }
    }
}
