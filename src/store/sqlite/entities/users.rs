//! What only users need in SQLite, and the state of their sign-ins.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::error::Result;
use crate::domain::journal::Operation;
use crate::domain::lockout::{Attempt, Failures};
use crate::domain::restore::RestoredMemberships;
use crate::domain::role::Roles;
use crate::domain::sign_in::PasswordAttempt;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserKey, UserUid};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::rows::optional_time;

use super::journal::{append, time};
use super::{clients, memberships, sign_ins};
use crate::store::sqlite::entity::{SqliteEntity, find, statements};
use crate::store::sqlite::read::group_cache::Invalidation;
use crate::store::sqlite::storage::open::failed;
use crate::store::sqlite::write::writer::WriteContext;

impl SqliteEntity for User {
    statements!(User);

    fn context(connection: &Connection, current: Option<&Self>) -> rusqlite::Result<Roles> {
        current.map_or(Ok(Roles::NONE), |user| clients::roles_acting_for(connection, user.uid))
    }

    /// Updates the user's memberships after a deletion or a new ID.
    fn update_dependents(context: &mut WriteContext<'_>, before: Option<&Self>, after: &Self) -> rusqlite::Result<()> {
        let (connection, key) = (context.connection, after.fields.id.key());
        let live_before = before.filter(|user| user.deleted.is_none());
        match (live_before, after.deleted) {
            (Some(_), Some(_)) => {
                // The member counts of many groups may change.
                context.invalidations.push(Invalidation::All);
                memberships::show_or_hide(connection, after).map(drop)
            }
            (Some(before), None) if before.fields.id.key() != key => {
                memberships::rename_user(connection, after.uid, &key)
            }
            _ => Ok(()),
        }
    }

    fn return_memberships(context: &mut WriteContext<'_>, restored: &Self) -> rusqlite::Result<RestoredMemberships> {
        context.invalidations.push(Invalidation::All);
        let (returned, gone) = memberships::show_or_hide(context.connection, restored)?;
        Ok(RestoredMemberships::new(returned, gone))
    }
}

/// Returns the number of the live user whose ID has the key.
pub(crate) fn live_user(connection: &Connection, key: &str) -> rusqlite::Result<Option<UserUid>> {
    let sql = "SELECT uid FROM users WHERE id_key = ?1 AND deleted IS NULL";
    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()
}

/// Returns the live user with this username and the password hash.
pub(crate) fn credentials(connection: &Connection, username: &str) -> rusqlite::Result<Option<Credentials>> {
    let Some(user) = find::<User>(connection, &UserKey::Username(username.to_owned()))? else { return Ok(None) };
    let sql = "SELECT password_hash FROM users WHERE uid = ?1";
    let password_hash = connection.prepare_cached(sql)?.query_row([user.uid], |row| row.get(0))?;
    Ok(Some(Credentials { user, password_hash }))
}

/// Counts an attempt to sign in, records it if it is refused, and returns its outcome; `None` = the user is inactive or
/// deleted.
pub(crate) fn count_sign_in(connection: &Connection, attempt: PasswordAttempt) -> rusqlite::Result<Option<Attempt>> {
    let PasswordAttempt { user, at, .. } = attempt;
    let sql = "SELECT failed_attempts, locked_until FROM users WHERE uid = ?1 AND deleted IS NULL AND active = 1";
    let failures = connection
        .prepare_cached(sql)?
        .query_row([user], |row| Ok(Failures { count: row.get(0)?, locked_until: optional_time(row, 1)? }))
        .optional()?;
    let outcome = failures.map(|failures| failures.attempt(at, attempt.wrong.is_none()));
    match outcome {
        None | Some(Attempt::LockedOut) => {}
        Some(Attempt::Succeeded) => {
            let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL, \
                       last_active = max(?2, coalesce(last_active, created)) WHERE uid = ?1";
            connection.prepare_cached(sql)?.execute((user, at.as_micros()))?;
        }
        Some(Attempt::Failed(Failures { count, locked_until })) => {
            let sql = "UPDATE users SET failed_attempts = ?2, locked_until = ?3 WHERE uid = ?1";
            connection.prepare_cached(sql)?.execute((user, count, locked_until.map(Timestamp::as_micros)))?;
        }
    }
    if let Some(refused) = attempt.refused(outcome) {
        sign_ins::record(connection, &refused)?;
    }
    Ok(outcome)
}

/// Clears the user's failures and lock, with a journal entry. Returns false if no live user has the number.
pub(crate) fn unlock(connection: &Connection, operation: &Operation, uid: UserUid) -> Result<bool> {
    let user: Option<User> = find(connection, &UserKey::Uid(uid)).map_err(failed)?;
    let Some(user) = user.filter(|user| user.deleted.is_none()) else { return Ok(false) };
    let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE uid = ?1";
    connection.prepare_cached(sql).and_then(|mut clear| clear.execute([uid])).map_err(failed)?;
    append(connection, operation, JournalEntry::of_unlocked(&user, time(connection, operation)?)?)?;
    Ok(true)
}
