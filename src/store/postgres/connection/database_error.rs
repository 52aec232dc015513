//! Database errors: what a failure of PostgreSQL means for the transaction and the caller.

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::domain::Error;

use super::pooler;

/// Why a statement or transaction failed.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    /// A rule refused it, the database is damaged, or the program has a defect. A retry would fail in the same way.
    Refused(Error),
    /// The unique index of this name refused a row.
    UniqueViolation(String),
    /// Nothing was committed, for this reason (a deadlock, a lost connection, a restart). It can be tried again on
    /// another session.
    NotCommitted(String),
    /// Nothing was committed, because another transaction held a lock for longer than the limit for locks, for this
    /// reason. It can be tried again.
    LockTimedOut(String),
    /// The statement exceeded its time limit, or an administrator cancelled it.
    TimedOut,
}

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db_error) => classify(db_error),
            None if error.is_closed() || is_io(&error) => Self::NotCommitted(text(&error)),
            None => Self::Refused(Error::internal(error)),
        }
    }
}

/// Classifies an error that the server reported by its SQLSTATE code.
fn classify(db_error: &DbError) -> DatabaseError {
    let code = db_error.code();
    let class = code.code().get(..2).unwrap_or_default();
    if *code == SqlState::UNIQUE_VIOLATION {
        return DatabaseError::UniqueViolation(db_error.constraint().unwrap_or_default().to_owned());
    }
    if *code == SqlState::QUERY_CANCELED {
        return DatabaseError::TimedOut;
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return DatabaseError::LockTimedOut(format!("{} ({})", db_error.message(), code.code()));
    }
    if is_session_lost(code) {
        return DatabaseError::NotCommitted(format!("{} ({}): {}", db_error.message(), code.code(), pooler::REFUSAL));
    }
    if is_damage(code) {
        return DatabaseError::Refused(Error::Damaged(format!("{} ({})", db_error.message(), code.code())));
    }
    // Classes: connection (08), conflict between transactions (40), insufficient resources (53), object not in the right
    // state (55), operator intervention such as a shutdown (57), system error (58). And a server that became a standby.
    let is_transient =
        ["08", "40", "53", "55", "57", "58"].contains(&class) || *code == SqlState::READ_ONLY_SQL_TRANSACTION;
    if is_transient || is_fatal(db_error) {
        return DatabaseError::NotCommitted(format!("{} ({})", db_error.message(), code.code()));
    }
    DatabaseError::Refused(Error::internal(anyhow::anyhow!("{db_error}")))
}

/// Why the response of a server does not count.
pub(crate) const PRIMARY_CHANGED: &str = "another server has become the primary";

/// Whether a pooler ran a statement in another session: its prepared statement does not exist there, or exists already,
/// or the server process differs (`Session::before_commit`, the only statement of this store that divides).
fn is_session_lost(code: &SqlState) -> bool {
    let codes = [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT, SqlState::DIVISION_BY_ZERO];
    codes.contains(code)
}

/// Whether a page is corrupted (its checksum is wrong, for example), or an index is.
fn is_damage(code: &SqlState) -> bool {
    [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code)
}

/// Makes the error message of a database that cannot be opened. If it is damaged, the message says what to do.
pub(crate) fn unusable(display_url: &str, error: anyhow::Error) -> anyhow::Error {
    let server_error = error.chain().find_map(|cause| cause.downcast_ref::<tokio_postgres::Error>());
    match server_error.filter(|error| error.code().is_some_and(is_damage)) {
        Some(error) => anyhow::anyhow!(
            "the database {display_url} is damaged ({}): promote a standby or restore a backup (docs/operations.md, \
             section 7)",
            text(error)
        ),
        None => error,
    }
}

/// Whether the server ended the session with this error.
pub(crate) fn is_fatal(db_error: &DbError) -> bool {
    matches!(db_error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<std::io::Error>())
}

/// The text of the error with its cause, for the log.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    if error.as_db_error().is_some() { cause.trim_start_matches(": ").to_owned() } else { format!("{error}{cause}") }
}

/// The error for a caller for whom nothing is tried again.
pub(crate) fn into_error(error: DatabaseError) -> Error {
    match error {
        DatabaseError::Refused(error) => error,
        DatabaseError::UniqueViolation(constraint) => Error::internal(anyhow::anyhow!("a read violated {constraint}")),
        DatabaseError::NotCommitted(cause) | DatabaseError::LockTimedOut(cause) => Error::Unavailable(cause),
        DatabaseError::TimedOut => {
            Error::Unavailable("a statement exceeded its time limit, or was cancelled".to_owned())
        }
    }
}
