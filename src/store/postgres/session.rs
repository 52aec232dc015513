//! One connection to PostgreSQL and what is known of it: its prepared statements, whether it is in a transaction,
//! and the lock by which others can tell that it has ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::{Client, Statement};

use super::address::Address;
use super::trouble::text;

/// How long it may take to connect, all hosts tried.
const CONNECT: Duration = Duration::from_secs(8);

/// How a session behaves.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are pooled.
    pub connections: usize,
    /// For how long a request waits for a connection.
    pub wait: Duration,
    /// How long a statement may take; no statement time limit spans a COMMIT.
    pub statement: Duration,
    /// How long one list may take.
    pub list: Duration,
}

/// A connection to the database.
pub struct Session {
    client: Client,
    /// Statements prepared here, by their text: constants of the program, so there are few.
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// Whether the server warned of something since this was last cleared.
    warned: Arc<AtomicBool>,
    /// Whether a transaction is open, or nobody knows: such a session is not used again.
    spent: AtomicBool,
    /// The key of the advisory lock that this session holds until it ends.
    key: i64,
    number: u16,
}

impl Limits {
    /// How long the answer to a statement is waited for, should the network have swallowed it.
    pub fn answer(&self) -> Duration {
        self.statement + Duration::from_secs(2)
    }
}

impl Session {
    /// Connects, and makes the session what the statements of this store expect. `number` tells it from others of its
    /// pool. A failure is told for the log.
    pub async fn open(address: &Address, limits: &Limits, number: u16) -> Result<Self, String> {
        let opened = timeout(CONNECT, Self::connect(address, limits, number)).await;
        opened.map_err(|_| "the database does not answer".to_owned())?
    }

    async fn connect(address: &Address, limits: &Limits, number: u16) -> Result<Self, String> {
        let warned = Arc::new(AtomicBool::new(false));
        let client = address.connect(note_warnings(Arc::clone(&warned))).await.map_err(|error| error.to_string())?;
        let key = rand::random::<i64>();
        client.batch_execute(&settings(limits, key)).await.map_err(|error| text(&error))?;
        Ok(Self { client, statements: Mutex::default(), warned, spent: AtomicBool::new(false), key, number })
    }

    /// The connection itself.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The key of the lock that this session holds until it ends.
    pub fn key(&self) -> i64 {
        self.key
    }

    /// Its number in its pool.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The statement, prepared the first time.
    pub async fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.lock_statements().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.lock_statements().insert(sql, statement.clone());
        Ok(statement)
    }

    fn lock_statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction begins: until [`Self::ends`] the session is good for nothing else.
    pub fn begins(&self) {
        self.spent.store(true, Ordering::Release);
    }

    /// The transaction has ended, and the server said so.
    pub fn ends(&self) {
        self.spent.store(false, Ordering::Release);
    }

    /// Whether it can be used for another transaction.
    pub fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.spent.load(Ordering::Acquire)
    }

    /// Forgets earlier warnings.
    pub fn clear_warnings(&self) {
        self.warned.store(false, Ordering::Release);
    }

    /// Whether the server warned since [`Self::clear_warnings`] that a commit was not waited for.
    pub fn was_warned(&self) -> bool {
        self.warned.load(Ordering::Acquire)
    }
}

/// Where the wait for a synchronous standby is cancelled, the server reports success and a warning of one of these
/// codes beside it. Its words depend on the server's language.
fn note_warnings(warned: Arc<AtomicBool>) -> impl Fn(&DbError) + Send + 'static {
    move |notice| {
        let codes = [&SqlState::WARNING, &SqlState::ADMIN_SHUTDOWN];
        if notice.parsed_severity() == Some(Severity::Warning) && codes.contains(&notice.code()) {
            warned.store(true, Ordering::Release);
        }
    }
}

/// - The advisory lock lasts as long as the session.
/// - An acknowledged write must be on the disk, so `synchronous_commit` is never off here.
/// - A set that an index gives is asked for because the index gives it. Without statistics, or with wrong ones, the
///   planner would read the whole table for it; compiling a statement takes longer than any of them may.
/// - A node that hangs in a transaction must not hold its locks for ever.
fn settings(limits: &Limits, key: i64) -> String {
    let statement = limits.statement.as_millis();
    format!(
        "SET statement_timeout = {statement}; SET lock_timeout = {statement}; \
         SET idle_in_transaction_session_timeout = {idle}; SET enable_seqscan = off; SET jit = off; \
         SET TimeZone = 'UTC'; SELECT pg_advisory_lock({key}); \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        idle = (2 * limits.statement).as_millis(),
    )
}
