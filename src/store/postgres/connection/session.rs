//! A session: one connection to PostgreSQL with its state: the prepared statements, whether a transaction is open, and
//! the advisory lock that shows other sessions when this one has ended.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::{Client, Statement};

use super::connector::Connector;
use super::database_error::{DatabaseError, PRIMARY_CHANGED, text};
use super::pooler::{self, first_value};

/// The time limit for connecting, all hosts together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Why a commit that the server reported as successful does not count.
pub(crate) const STANDBY_WAIT_CANCELLED: &str = "the wait for the synchronous standby was cancelled";

/// Limits on the use of the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatabaseLimits {
    /// The maximum number of connections in the pool.
    pub connections: usize,
    /// How long a request waits for a connection of the pool.
    pub wait: Duration,
    /// The time limit of a statement. It does not apply to a COMMIT, which may wait for a standby.
    pub statement: Duration,
    /// The time limit of each statement of a list.
    pub list: Duration,
}

/// A connection to the database, with its state.
pub(crate) struct Session {
    client: Client,
    connector: Arc<Connector>,
    /// The statements prepared in this session, by text. All texts are constants, so their number is bounded.
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// Whether the server has sent a warning since [`Session::clear_warnings`].
    warned: Arc<AtomicBool>,
    /// Whether a transaction may be open. Such a session is not used for another one.
    in_transaction: AtomicBool,
    /// The key of the advisory lock that this session holds until it ends.
    lock_key: i64,
    /// The number of the session in its pool.
    number: u16,
    /// The timeline of the server; `None` if the server is read-only.
    timeline: Option<u32>,
    /// The statement to run before each COMMIT.
    before_commit: String,
}

impl DatabaseLimits {
    /// The time limit for the response to a statement: a little longer than the server's own limit, for the case that
    /// the network loses the response.
    pub(crate) fn response_timeout(&self) -> Duration {
        self.statement + Duration::from_secs(2)
    }

    /// The time limit of a list in total, including its waits and a retry (docs/operations.md, section 5, states one
    /// second more).
    pub(crate) fn list_timeout(&self) -> Duration {
        self.statement + Duration::from_secs(4)
    }
}

impl Session {
    /// Connects and applies the settings that the statements of this store expect. `number` is the number of the
    /// session in its pool. Fails with the reason, for the log, also if a transaction pooler was detected.
    pub(crate) async fn open(connector: &Arc<Connector>, limits: &DatabaseLimits, number: u16) -> Result<Self, String> {
        if connector.has_transaction_pooler() {
            return Err(pooler::REFUSAL.to_owned());
        }
        let opened = timeout(CONNECT_TIMEOUT, Self::connect(connector, limits, number)).await;
        opened.map_err(|_| "the database does not respond".to_owned())?
    }

    /// As [`Self::open`], even if a transaction pooler was detected: to check whether it is still in the way. Has no
    /// time limit.
    pub(crate) async fn open_despite_pooler(
        connector: &Arc<Connector>,
        limits: &DatabaseLimits,
    ) -> Result<Self, String> {
        Self::connect(connector, limits, 0).await
    }

    async fn connect(connector: &Arc<Connector>, limits: &DatabaseLimits, number: u16) -> Result<Self, String> {
        let warned = Arc::new(AtomicBool::new(false));
        let connected = connector.connect_with_identity(note_warnings(Arc::clone(&warned))).await;
        let (client, identity) = connected.map_err(|error| error.to_string())?;
        let lock_key = rand::random::<i64>();
        let responses = client.simple_query(&settings(limits, lock_key)).await.map_err(|error| text(&error))?;
        let process = first_value(&responses).ok_or("the server did not report the process of a session")?;
        Ok(Self {
            client,
            connector: Arc::clone(connector),
            statements: Mutex::default(),
            warned,
            in_transaction: AtomicBool::new(false),
            lock_key,
            number,
            timeline: identity.timeline,
            before_commit: before_commit(&process),
        })
    }

    /// The connection.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The key of the advisory lock that this session holds until it ends.
    pub(crate) fn lock_key(&self) -> i64 {
        self.lock_key
    }

    /// The number of the session in its pool.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// The prepared statement of the text. The first call prepares it, later calls reuse it.
    pub(crate) async fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
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

    /// Marks that a transaction begins: until [`Self::end_transaction`] the session is not usable for another one.
    pub(crate) fn begin_transaction(&self) {
        self.in_transaction.store(true, Ordering::Release);
    }

    /// Marks that the transaction has ended. Call it only if the server confirmed that.
    pub(crate) fn end_transaction(&self) {
        self.in_transaction.store(false, Ordering::Release);
    }

    /// Whether the session can be used for another transaction.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_open()
            && self.is_current()
            && !self.in_transaction.load(Ordering::Acquire)
            && !self.connector.has_transaction_pooler()
    }

    /// Whether no other server is known to have become the primary since the session was opened.
    pub(crate) fn is_current(&self) -> bool {
        self.timeline.is_none_or(|timeline| timeline >= self.connector.cluster_state().highest_timeline())
    }

    /// Returns the value that was read on this session. Fails with `NotCommitted` if another server has become the
    /// primary: the value may be outdated then.
    pub(crate) fn check_current<T>(&self, value: T) -> Result<T, DatabaseError> {
        if self.is_current() { Ok(value) } else { Err(DatabaseError::NotCommitted(PRIMARY_CHANGED.to_owned())) }
    }

    /// Runs `work` on the session and returns its output; `None` if another server becomes the primary before it ends.
    pub(crate) async fn while_current<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let outdated = async {
            match self.timeline {
                Some(timeline) => self.connector.cluster_state().wait_above(timeline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            output = work => Some(output),
            () = outdated => None,
        }
    }

    /// Whether the connection is not known to be closed.
    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// The statement to run before each COMMIT. It removes the statement timeout, because the wait for a standby must
    /// not end early. It fails with a division by zero if a pooler has moved the transaction to another server process.
    pub(crate) fn before_commit(&self) -> &str {
        &self.before_commit
    }

    /// Discards earlier warnings.
    pub(crate) fn clear_warnings(&self) {
        self.warned.store(false, Ordering::Release);
    }

    /// Whether the server has warned since [`Self::clear_warnings`] that it cancelled the wait for a standby.
    pub(crate) fn was_warned(&self) -> bool {
        self.warned.load(Ordering::Acquire)
    }
}

/// Records warnings. If the wait for a synchronous standby is cancelled, the server reports success and also sends a
/// warning with one of these codes. Its text depends on the server's language, so the code must do.
fn note_warnings(warned: Arc<AtomicBool>) -> impl Fn(&DbError) + Clone + Send + 'static {
    move |notice| {
        let codes = [&SqlState::WARNING, &SqlState::ADMIN_SHUTDOWN];
        if notice.parsed_severity() == Some(Severity::Warning) && codes.contains(&notice.code()) {
            warned.store(true, Ordering::Release);
        }
    }
}

fn before_commit(process: &str) -> String {
    format!("SELECT set_config('statement_timeout', '0', true), 1 / (pg_backend_pid() = {process})::INT")
}

/// The statements that set up a session; the first one returns the process ID.
///
/// - The advisory lock is held until the session ends.
/// - An acknowledged write must be on the disk, so `synchronous_commit` is never off.
/// - Each list statement is chosen because an index serves it. Without statistics, or with wrong ones, the planner
///   would scan the whole table instead, so sequential scans are off. JIT compilation takes longer than any statement
///   may.
/// - A node that hangs in a transaction must not hold its locks for ever.
fn settings(limits: &DatabaseLimits, lock_key: i64) -> String {
    let statement = limits.statement.as_millis();
    format!(
        "SELECT pg_backend_pid(); SET statement_timeout = {statement}; SET lock_timeout = {statement}; \
         SET idle_in_transaction_session_timeout = {idle}; SET enable_seqscan = off; SET jit = off; \
         SET TimeZone = 'UTC'; SELECT pg_advisory_lock({lock_key}); \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        idle = (2 * limits.statement).as_millis(),
    )
}
