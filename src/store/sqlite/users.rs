//! Users in SQLite, and what their sign-ins leave behind.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::domain::error::{Error, Kind, Result};
use crate::domain::journal::Operation;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, LOCK_SECONDS, MAX_FAILURES, User, UserKey, UserUid};
use crate::domain::xp::Xp;
use crate::store::sql::changes::{Written, texts_of_user, user_after};
use crate::store::sql::codec::communities_to_text;
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::Entry;
use crate::store::sql::rows::{optional_time, select_user};
use crate::store::{Edit, UserWrite};

use super::cache::Stale;
use super::connection::{failed, is_unique_violation, number};
use super::counters;
use super::journal::append;
use super::search::{Searched, TextChange};
use super::writer::Writing;
use super::{memberships, rows, xp};

/// The user with the key; by number also a deleted one.
pub fn find(connection: &Connection, key: &UserKey) -> rusqlite::Result<Option<User>> {
    const BY_ID: &str = select_user!("FROM users WHERE id_key = ?1 AND deleted IS NULL");
    const BY_USERNAME: &str = select_user!("FROM users WHERE username_key = ?1 AND deleted IS NULL");
    match key {
        UserKey::Id(id) => connection.prepare_cached(BY_ID)?.query_row([id.key()], rows::user).optional(),
        UserKey::Username(username) => {
            connection.prepare_cached(BY_USERNAME)?.query_row([fold(username)], rows::user).optional()
        }
        UserKey::Uid(uid) => by_uid(connection)?.query_row([uid], rows::user).optional(),
        UserKey::New => Ok(None),
    }
}

/// The number of the live user whose ID has the key.
pub fn live_user(connection: &Connection, key: &str) -> rusqlite::Result<Option<UserUid>> {
    let sql = "SELECT uid FROM users WHERE id_key = ?1 AND deleted IS NULL";
    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()
}

/// The statement that finds a user by its number.
pub fn by_uid(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(select_user!("FROM users WHERE uid = ?1"))
}

/// Writes a user by the rule.
pub fn write(
    writing: &mut Writing<'_>,
    operation: &Operation,
    key: &UserKey,
    edit: &Edit<User, UserWrite>,
) -> Result<User> {
    let before = find(writing.connection, key).map_err(failed)?;
    let write = edit(before.as_ref())?;
    let uid = number(writing.connection, "users", before.as_ref().map(|user| user.uid))?;
    let (written, password_hash) = user_after(write, before.as_ref(), uid, operation.at)?;
    let after = match written {
        Written::Unchanged(user) => return Ok(user),
        Written::Changed(user) => user,
    };
    put(writing, before.as_ref(), &after)?;
    if let Some(hash) = password_hash {
        let sql = "UPDATE users SET password_hash = ?2 WHERE uid = ?1";
        writing.connection.prepare_cached(sql).and_then(|mut set| set.execute((after.uid, hash))).map_err(failed)?;
    }
    append(writing.connection, operation, &Entry::of_user(before.as_ref(), &after)?)?;
    Ok(after)
}

/// Brings the tables from `before` to `after`, but for the password's hash.
pub fn put(writing: &mut Writing<'_>, before: Option<&User>, after: &User) -> Result<()> {
    if let Err(error) = upsert(writing.connection, after) {
        return Err(if is_unique_violation(&error) { conflict(writing.connection, after)? } else { failed(error) });
    }
    let was = before.filter(|user| user.deleted.is_none());
    let is = Some(after).filter(|user| user.deleted.is_none());
    let xp_was = was.and_then(|user| user.fields.xp.as_ref());
    xp::put(writing.connection, "user_xp", after.uid, xp_was, is.and_then(|user| user.fields.xp.as_ref()))
        .map_err(failed)?;
    let (texts_were, texts_are) = (was.map(texts_of_user), is.map(texts_of_user));
    writing.texts.extend(TextChange::between(Searched::Users, after.uid, texts_were, texts_are));
    let live = i64::from(is.is_some()) - i64::from(was.is_some());
    counters::add(writing.connection, Counter::Users, live).map_err(failed)?;
    match (was, is) {
        (Some(_), None) => {
            // Any number of groups has one member less.
            writing.stale.push(Stale::All);
            memberships::hide_user(writing.connection, after.uid).map_err(failed)
        }
        (Some(was), Some(is)) if was.fields.id.key() != is.fields.id.key() => {
            memberships::rename_user(writing.connection, is.uid, &is.fields.id.key()).map_err(failed)
        }
        _ => Ok(()),
    }
}

/// What the user has in common with another live one: where that is both, the ID is told.
fn conflict(connection: &Connection, user: &User) -> Result<Error> {
    let same_id = find(connection, &UserKey::Id(user.fields.id.clone())).map_err(failed)?;
    Ok(match same_id {
        Some(other) if other.uid != user.uid => Error::AlreadyExists(Kind::User, user.fields.id.to_string()),
        _ => Error::UsernameTaken,
    })
}

fn upsert(connection: &Connection, user: &User) -> rusqlite::Result<()> {
    let fields = &user.fields;
    let mut statement = connection.prepare_cached(
        "INSERT INTO users (uid, id, id_key, username, username_key, first_name, first_name_key, last_name, \
         last_name_key, email, email_key, phone, phone_key, terms_accepted, active, xp, roles, communities, \
         generation, password_set, last_active, failed_attempts, created, updated, deleted, version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24, ?25, ?26) \
         ON CONFLICT (uid) DO UPDATE SET id = ?2, id_key = ?3, username = ?4, username_key = ?5, first_name = ?6, \
         first_name_key = ?7, last_name = ?8, last_name_key = ?9, email = ?10, email_key = ?11, phone = ?12, \
         phone_key = ?13, terms_accepted = ?14, active = ?15, xp = ?16, roles = ?17, communities = ?18, \
         generation = ?19, password_set = ?20, updated = ?24, deleted = ?25, version = ?26",
    )?;
    let inserted = statement.execute(params![
        user.uid,
        fields.id.as_str(),
        fields.id.key(),
        fields.username,
        fold(&fields.username),
        fields.first_name,
        fold(&fields.first_name),
        fields.last_name,
        fold(&fields.last_name),
        fields.email,
        fold(&fields.email),
        fields.phone,
        fields.phone.as_deref().map(fold),
        fields.terms_accepted.map(Timestamp::as_micros),
        fields.active,
        fields.xp.as_ref().map(Xp::as_str),
        fields.roles.bits(),
        communities_to_text(&fields.communities),
        fields.generation,
        fields.password_set.map(Timestamp::as_micros),
        user.last_active.map(Timestamp::as_micros),
        user.failed_attempts,
        user.created.as_micros(),
        user.updated.as_micros(),
        user.deleted.map(Timestamp::as_micros),
        user.version,
    ]);
    inserted.map(drop)
}

/// What a sign-in by this username is checked against.
pub fn credentials(connection: &Connection, username: &str) -> rusqlite::Result<Option<Credentials>> {
    let Some(user) = find(connection, &UserKey::Username(username.to_owned()))? else { return Ok(None) };
    let sql = "SELECT password_hash, locked_until FROM users WHERE uid = ?1";
    let row = connection.prepare_cached(sql)?.query_row([user.uid], |row| Ok((row.get(0)?, optional_time(row, 1)?)));
    row.map(|(password_hash, locked_until)| Some(Credentials { user, password_hash, locked_until }))
}

/// Counts a sign-in; gives whether the user may come in.
pub fn count_sign_in(connection: &Connection, uid: UserUid, at: Timestamp, succeeded: bool) -> rusqlite::Result<bool> {
    let sql = "SELECT failed_attempts, locked_until FROM users WHERE uid = ?1 AND deleted IS NULL AND active = 1";
    let found = connection
        .prepare_cached(sql)?
        .query_row([uid], |row| Ok((row.get::<_, i64>(0)?, optional_time(row, 1)?)))
        .optional()?;
    let Some((failures, locked_until)) = found else { return Ok(false) };
    if locked_until.is_some_and(|until| at < until) {
        return Ok(false);
    }
    if succeeded {
        let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL, last_active = ?2 WHERE uid = ?1";
        connection.prepare_cached(sql)?.execute((uid, at.as_micros()))?;
        return Ok(true);
    }
    // A lock that ran out is forgotten, and the count starts anew.
    let failures = if locked_until.is_some() { 1 } else { failures + 1 };
    let locked_until = (failures >= MAX_FAILURES).then(|| at.plus_seconds(LOCK_SECONDS).as_micros());
    let sql = "UPDATE users SET failed_attempts = ?2, locked_until = ?3 WHERE uid = ?1";
    connection.prepare_cached(sql)?.execute((uid, failures, locked_until))?;
    Ok(false)
}

/// Forgets failures and lock.
pub fn unlock(connection: &Connection, uid: UserUid) -> rusqlite::Result<bool> {
    let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE uid = ?1 AND deleted IS NULL";
    Ok(connection.prepare_cached(sql)?.execute([uid])? == 1)
}
