//! What a failure of PostgreSQL means.

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::domain::Error;
use crate::domain::error::ListError;

/// What came of a statement or transaction that failed.
#[derive(Debug)]
pub enum Trouble {
    /// The rules refused it, or it is a defect: asking again would give the same.
    Refused(Error),
    /// A unique index refused it; its name.
    Taken(String),
    /// It was not made, and may be tried again on another session: a deadlock, a lost connection, a restart.
    NotMade(String),
    /// It took longer than a statement may.
    TimedOut,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) => of_server(told),
            None if error.is_closed() || is_io(&error) => Self::NotMade(text(&error)),
            None => Self::Refused(Error::internal(error)),
        }
    }
}

fn of_server(told: &DbError) -> Trouble {
    let code = told.code();
    let class = code.code().get(..2).unwrap_or_default();
    if *code == SqlState::UNIQUE_VIOLATION {
        return Trouble::Taken(told.constraint().unwrap_or_default().to_owned());
    }
    if *code == SqlState::QUERY_CANCELED {
        return Trouble::TimedOut;
    }
    // Connections (08), conflicts between transactions (40), too few resources (53), locks not got (55), operators
    // who stop the server (57), the system's errors (58), and a server that became a standby.
    let passing = ["08", "40", "53", "55", "57", "58"].contains(&class) || *code == SqlState::READ_ONLY_SQL_TRANSACTION;
    if passing || is_fatal(told) {
        return Trouble::NotMade(format!("{} ({})", told.message(), code.code()));
    }
    Trouble::Refused(Error::internal(anyhow::anyhow!("{told}")))
}

/// Whether the server ended the session with this.
pub fn is_fatal(told: &DbError) -> bool {
    matches!(told.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<std::io::Error>())
}

/// The error with its causes, for the log.
pub fn text(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    if error.as_db_error().is_some() { cause.trim_start_matches(": ").to_owned() } else { format!("{error}{cause}") }
}

/// What it means to a caller for whom it is not tried again.
pub fn of_reading(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Refused(error) => error,
        Trouble::Taken(constraint) => Error::internal(anyhow::anyhow!("a read violated {constraint}")),
        Trouble::NotMade(cause) => Error::Unavailable(cause),
        Trouble::TimedOut => Error::Unavailable("a statement took too long".to_owned()),
    }
}

/// The same of a list, which is given up when it takes too long.
pub fn of_list(trouble: Trouble) -> Error {
    match trouble {
        Trouble::TimedOut => Error::List(ListError::TooCostly),
        other => of_reading(other),
    }
}
