//! Sign-ins: credentials, failed attempts, the lock after too many of them, and the records of sign-ins.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::Result;
use crate::domain::journal::Operation;
use crate::domain::lockout::{Attempt, Failures};
use crate::domain::sign_in::{PasswordAttempt, SignIn};
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserKey, UserUid};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::rows;
use crate::store::sql::sign_ins::{INSERT, MAX_CLEARED, values};

use super::journal::append;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{find, find_locked};
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::write::pipeline::{owned, parameters};
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

/// The unit of work that counts an attempt to sign in, and records it if it is refused. Its output is the outcome; `None` =
/// the user is inactive or deleted.
pub(crate) struct CountSignIn(pub PasswordAttempt);

#[async_trait]
impl UnitOfWork for CountSignIn {
    type Output = Option<Attempt>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        // To count a success twice changes nothing; a failure would be counted twice. A right password that is refused may
        // be recorded twice.
        if self.0.wrong.is_none() { OutcomeLookup::Idempotent } else { OutcomeLookup::None }
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Option<Attempt>, DatabaseError> {
        let PasswordAttempt { user, at, .. } = self.0;
        let sql = "SELECT failed_attempts, locked_until FROM users \
                   WHERE uid = $1 AND deleted IS NULL AND active = 1 FOR NO KEY UPDATE";
        let outcome = match transaction.find(sql, &[&user]).await? {
            None => None,
            Some(row) => {
                let count = rows::Columns::integer(&row, 0)?;
                let failures = Failures { count, locked_until: rows::optional_time::<Row>(&row, 1)? };
                Some(failures.attempt(at, self.0.wrong.is_none()))
            }
        };
        match outcome {
            None | Some(Attempt::LockedOut) => {}
            Some(Attempt::Succeeded) => {
                let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL, \
                           last_active = greatest($2, last_active, created) WHERE uid = $1";
                transaction.queue(sql, parameters![user, at.as_micros()]);
            }
            Some(Attempt::Failed(Failures { count, locked_until })) => {
                let sql = "UPDATE users SET failed_attempts = $2, locked_until = $3 WHERE uid = $1";
                transaction.queue(sql, parameters![user, count, locked_until.map(Timestamp::as_micros)]);
            }
        }
        if let Some(refused) = self.0.refused(outcome) {
            record(transaction, &refused);
        }
        Ok(outcome)
    }
}

/// Queues the record of the sign-in.
fn record(transaction: &mut Transaction<'_>, sign_in: &SignIn) {
    transaction.queue(&INSERT, owned(values(sign_in).into_iter()));
}

/// The unit of work that records sign-ins.
pub(crate) struct RecordSignIns(pub Vec<SignIn>);

#[async_trait]
impl UnitOfWork for RecordSignIns {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::None
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        self.0.iter().for_each(|sign_in| record(transaction, sign_in));
        Ok(())
    }
}

/// The unit of work that deletes some sign-ins from before this time. Its output is whether there were any.
pub(crate) struct ClearSignIns(pub Timestamp);

#[async_trait]
impl UnitOfWork for ClearSignIns {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        // SKIP LOCKED: rows that another node is deleting are left to it.
        const CLEAR: &str = "DELETE FROM sign_ins WHERE seq = ANY(ARRAY(SELECT seq FROM sign_ins WHERE at < $1 ORDER BY at \
                             LIMIT $2 FOR UPDATE SKIP LOCKED))";
        let before = self.0.as_micros();
        if transaction.find("SELECT 1 FROM sign_ins WHERE at < $1 LIMIT 1", &[&before]).await?.is_none() {
            return Ok(false);
        }
        transaction.queue(CLEAR, parameters![before, MAX_CLEARED as i64]);
        Ok(true)
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
