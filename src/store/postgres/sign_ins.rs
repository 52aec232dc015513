//! What sign-ins read and leave behind.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, LOCK_SECONDS, MAX_FAILURES, UserKey, UserUid};
use crate::store::sql::rows;

use super::pipeline::parameters;
use super::points::Points;
use super::transaction::{Change, Trace, Writing};
use super::trouble::Trouble;
use super::users;

/// What a sign-in by this username is checked against.
pub async fn credentials(points: &Points, username: &str) -> Result<Option<Credentials>> {
    let Some(user) = users::find(points, &UserKey::Username(username.to_owned())).await? else { return Ok(None) };
    let sql = "SELECT password_hash, locked_until FROM users WHERE uid = $1";
    let Some(row) = points.find(sql, &[&user.uid]).await? else { return Ok(None) };
    let password_hash = rows::Columns::optional_text(&row, 0)?.map(str::to_owned);
    Ok(Some(Credentials { user, password_hash, locked_until: rows::optional_time(&row, 1)? }))
}

/// Counts a sign-in; gives whether the user may come in.
pub struct CountSignIn {
    pub user: UserUid,
    pub at: Timestamp,
    pub succeeded: bool,
}

#[async_trait]
impl Change for CountSignIn {
    type Output = bool;

    fn trace(&self) -> Trace<'_> {
        // A success can be counted twice; a failure cannot.
        if self.succeeded { Trace::Repeatable } else { Trace::None }
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<bool, Trouble> {
        let sql = "SELECT failed_attempts, locked_until FROM users \
                   WHERE uid = $1 AND deleted IS NULL AND active = 1 FOR NO KEY UPDATE";
        let Some(row) = writing.find(sql, &[&self.user]).await? else { return Ok(false) };
        let failures = rows::Columns::integer(&row, 0)?;
        let locked_until = rows::optional_time::<Row>(&row, 1)?;
        if locked_until.is_some_and(|until| self.at < until) {
            return Ok(false);
        }
        if self.succeeded {
            let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL, last_active = $2 WHERE uid = $1";
            writing.queue(sql, parameters![self.user, self.at.as_micros()]);
            return Ok(true);
        }
        // A lock that ran out is forgotten, and the count starts anew.
        let failures = if locked_until.is_some() { 1 } else { failures + 1 };
        let locked_until = (failures >= MAX_FAILURES).then(|| self.at.plus_seconds(LOCK_SECONDS).as_micros());
        let sql = "UPDATE users SET failed_attempts = $2, locked_until = $3 WHERE uid = $1";
        writing.queue(sql, parameters![self.user, failures, locked_until]);
        Ok(false)
    }
}

/// Forgets failures and lock; gives whether there is such a user.
pub struct Unlock(pub UserUid);

#[async_trait]
impl Change for Unlock {
    type Output = bool;

    fn trace(&self) -> Trace<'_> {
        Trace::Repeatable
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<bool, Trouble> {
        let sql = "SELECT 1 FROM users WHERE uid = $1 AND deleted IS NULL FOR NO KEY UPDATE";
        let is_there = writing.find(sql, &[&self.0]).await?.is_some();
        let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE uid = $1 AND deleted IS NULL";
        writing.queue(sql, parameters![self.0]);
        Ok(is_there)
    }
}
