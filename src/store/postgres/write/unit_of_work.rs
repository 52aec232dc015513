//! A unit of work: what one transaction reads and writes, and what its failures mean.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::Error;
use crate::domain::idempotency::RequestKey;

use super::transaction::Transaction;
use crate::store::postgres::connection::database_error::DatabaseError;

/// The reads and writes of one transaction. [`transact`](super::attempts::transact) may run it several times.
#[async_trait]
pub(crate) trait UnitOfWork: Send + Sync + 'static {
    /// The result for the caller.
    type Output: Clone + Send + 'static;

    /// How to find out whether the transaction was committed if the server did not confirm its COMMIT.
    fn outcome_lookup(&self) -> OutcomeLookup<'_>;

    /// The time limit of each statement, and of all attempts together up to the last COMMIT. `None` = the limit of the
    /// store.
    fn limit(&self) -> Option<Duration> {
        None
    }

    /// The time limit of the wait for each lock. `None` = the time limit of the statement.
    fn lock_limit(&self) -> Option<Duration> {
        None
    }

    /// Reads and locks what the rule depends on, and queues the writes. Returns the result for the caller, which is
    /// valid if the transaction is committed.
    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Self::Output, DatabaseError>;

    /// Decides what the violation of the unique `index` means; `output` is the result that [`Self::run`] returned.
    /// By default a violation is a defect of the program.
    fn on_unique_violation(&self, _output: &Self::Output, index: &str) -> OnUniqueViolation {
        OnUniqueViolation::unexpected(index)
    }
}

/// How to find out whether a transaction was committed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutcomeLookup<'a> {
    /// The journal has an entry of this operation if the transaction was committed.
    Operation(&'a str),
    /// The answer of this operation is recorded under the key if the transaction was committed.
    Recorded {
        /// The key.
        key: &'a RequestKey,
        /// The ID of the operation.
        operation: &'a str,
    },
    /// No look-up is needed: the unit of work has the same effect if it is committed twice.
    Idempotent,
    /// There is no way to find out.
    None,
}

/// What the violation of a unique index means.
#[derive(Debug)]
pub(crate) enum OnUniqueViolation {
    /// Another transaction may have inserted the row after [`UnitOfWork::run`] looked for it: run again. If the second
    /// run violates a unique index too, fail with the error.
    Retry(Error),
    /// Fail with the error.
    Refused(Error),
}

impl OnUniqueViolation {
    /// No rule expects a violation of the `index`: an internal error.
    pub(crate) fn unexpected(index: &str) -> Self {
        Self::Refused(Error::internal(anyhow::anyhow!("the unique index {index} refused a row")))
    }
}
