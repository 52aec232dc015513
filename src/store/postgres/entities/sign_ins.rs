//! Sign-ins: credentials, failed attempts, and the lock after too many of them.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::Result;
use crate::domain::journal::Operation;
use crate::domain::lockout::{Attempt, Failures};
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserKey, UserUid};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::rows;

use super::journal::append;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{find, find_locked};
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OutcomeLookup, UnitOfWork};

/// Returns the credentials of the live user with the username, if one exists.
pub(crate) async fn credentials(point_reads: &PointReads, username: &str) -> Result<Option<Credentials>> {
    let result: Option<User> = find(point_reads, &UserKey::Username(username.to_owned())).await?;
    let Some(user) = result else { return Ok(None) };
    let sql = "SELECT password_hash FROM users WHERE uid = $1";
    let Some(row) = point_reads.find(sql, &[&user.uid]).await? else { return Ok(None) };
    let password_hash = rows::Columns::optional_text(&row, 0)?.map(str::to_owned);
    Ok(Some(Credentials { user, password_hash }))
}

/// The unit of work that records a sign-in. Its output is whether the user may sign in.
pub(crate) struct CountSignIn {
    /// The number of the user.
    pub user: UserUid,
    /// The time of the sign-in.
    pub at: Timestamp,
    /// Whether the password was right.
    pub succeeded: bool,
}

#[async_trait]
impl UnitOfWork for CountSignIn {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        // To record a success twice changes nothing; a failure would be counted twice.
        if self.succeeded { OutcomeLookup::Idempotent } else { OutcomeLookup::None }
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let sql = "SELECT failed_attempts, locked_until FROM users \
                   WHERE uid = $1 AND deleted IS NULL AND active = 1 FOR NO KEY UPDATE";
        let Some(row) = transaction.find(sql, &[&self.user]).await? else { return Ok(false) };
        let count = rows::Columns::integer(&row, 0)?;
        let failures = Failures { count, locked_until: rows::optional_time::<Row>(&row, 1)? };
        match failures.attempt(self.at, self.succeeded) {
            Attempt::LockedOut => Ok(false),
            Attempt::Succeeded => {
                let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL, \
                           last_active = greatest($2, last_active, created) WHERE uid = $1";
                transaction.queue(sql, parameters![self.user, self.at.as_micros()]);
                Ok(true)
            }
            Attempt::Failed(Failures { count, locked_until }) => {
                let sql = "UPDATE users SET failed_attempts = $2, locked_until = $3 WHERE uid = $1";
                transaction.queue(sql, parameters![self.user, count, locked_until.map(Timestamp::as_micros)]);
                Ok(false)
            }
        }
    }
}

/// The unit of work that resets the failed attempts and the lock of the user with this number, with a journal entry. Its
/// output is whether the user exists and is live.
pub(crate) struct Unlock {
    /// The operation, for the journal.
    pub operation: Operation,
    /// The number of the user.
    pub user: UserUid,
}

#[async_trait]
impl UnitOfWork for Unlock {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let user: Option<User> = find_locked(transaction, &UserKey::Uid(self.user)).await?;
        let Some(user) = user.filter(|user| user.deleted.is_none()) else { return Ok(false) };
        let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE uid = $1";
        transaction.queue(sql, parameters![self.user]);
        let entry = JournalEntry::of_unlocked(&user, transaction.time(&self.operation))?;
        append(transaction, &self.operation, entry);
        Ok(true)
    }
}
