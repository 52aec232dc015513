//! Ended tokens, refresh tokens and signing keys in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::domain::client::{ClientKey, ClientUid};
use crate::domain::error::Result;
use crate::domain::journal::Operation;
use crate::domain::rotation::Rotation;
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::domain::user::{UserKey, UserUid};
use crate::store::sql::columns::{insert, inserted, select};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::rows::optional_time;
use crate::store::{RefreshToken, SigningKey, TokenStatus};

use super::journal::{append, time};
use super::rows;
use crate::store::sqlite::entity::find;
use crate::store::sqlite::storage::open::failed;

/// The maximum number of expired rows that one write deletes.
const MAX_CLEARED: u32 = 100;

/// Returns the facts that decide the status of a token. The connection must be in a snapshot, so that all facts are
/// consistent.
pub(crate) fn status(
    connection: &Connection,
    user: Option<UserUid>,
    client: Option<ClientUid>,
    names: &[&str],
) -> rusqlite::Result<TokenStatus> {
    let user = user.map(|uid| find(connection, &UserKey::Uid(uid))).transpose()?.flatten();
    let client = client.map(|uid| find(connection, &ClientKey::Uid(uid))).transpose()?.flatten();
    let mut is_ended = connection.prepare_cached("SELECT 1 FROM ended_tokens WHERE name = ?1")?;
    let mut ended = false;
    for name in names {
        ended |= is_ended.exists([name])?;
    }
    Ok(TokenStatus { user, client, ended })
}

/// Records that a token, or a family of tokens, has ended, until `expires`. Deletes rows that have expired by `now`.
pub(crate) fn end(connection: &Connection, name: &str, expires: Timestamp, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO ended_tokens (name, expires) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET expires = max(expires, excluded.expires)";
    connection.prepare_cached(sql)?.execute(params![name, expires.as_micros()])?;
    let clear = "DELETE FROM ended_tokens WHERE name IN (SELECT name FROM ended_tokens WHERE expires <= ?1 LIMIT ?2)";
    connection.prepare_cached(clear)?.execute(params![now.as_micros(), MAX_CLEARED]).map(drop)
}

/// Stores a refresh token. Deletes tokens that have expired by `now`.
pub(crate) fn keep(connection: &Connection, token: &RefreshToken, now: Timestamp) -> rusqlite::Result<()> {
    connection.prepare_cached(&insert::<RefreshToken>())?.execute(params_from_iter(inserted(token)))?;
    let clear =
        "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires <= ?1 LIMIT ?2)";
    connection.prepare_cached(clear)?.execute(params![now.as_micros(), MAX_CLEARED]).map(drop)
}

/// Returns the refresh token with the hash, used or not, unless it has expired by `now`.
pub(crate) fn refresh_token(
    connection: &Connection,
    hash: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<RefreshToken>> {
    let sql = select::<RefreshToken>("WHERE hash = ?1 AND expires > ?2");
    connection.prepare_cached(&sql)?.query_row(params![hash, now.as_micros()], rows::record).optional()
}

/// Uses a refresh token, as [`Rotation`] says. Returns whether the successor is valid.
pub(crate) fn rotate(
    connection: &Connection,
    hash: &str,
    successor: &RefreshToken,
    family_ends: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "SELECT used FROM refresh_tokens WHERE hash = ?1 AND expires > ?2";
    let result = connection
        .prepare_cached(sql)?
        .query_row(params![hash, now.as_micros()], |row| optional_time(row, 0))
        .optional()?;
    let Some(used) = result else { return Ok(false) };
    match Rotation::of(used, now) {
        Rotation::First => {
            let mark_used = "UPDATE refresh_tokens SET used = ?2 WHERE hash = ?1";
            connection.prepare_cached(mark_used)?.execute(params![hash, now.as_micros()])?;
            keep(connection, successor, now)?;
            Ok(true)
        }
        Rotation::Repeated => Ok(true),
        Rotation::Replayed => {
            end(connection, &successor.family, family_ends, now)?;
            Ok(false)
        }
    }
}

/// Returns the signing keys, the newest first.
pub(crate) fn keys(connection: &Connection) -> rusqlite::Result<Vec<SigningKey>> {
    let sql = select::<SigningKey>("ORDER BY signs_from DESC, kid DESC");
    connection.prepare_cached(&sql)?.query_map([], rows::record)?.collect()
}

/// Stores a signing key with its journal entry, unless another key starts to sign at the same time or later, or
/// `only_first` is set and a key exists. Returns what was stored.
pub(crate) fn add_key(
    connection: &Connection,
    operation: &Operation,
    key: &SigningKey,
    only_first: bool,
) -> Result<Option<PublishedKey>> {
    let sql = "INSERT INTO signing_keys (kid, pem, signs_from) SELECT ?1, ?2, ?3 \
               WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE ?4 OR signs_from >= ?3)";
    let SigningKey { published, pem } = key;
    let values = params![published.kid, pem, published.signs_from.as_micros(), only_first];
    if connection.prepare_cached(sql).and_then(|mut insert| insert.execute(values)).map_err(failed)? == 0 {
        return Ok(None);
    }
    append(connection, operation, JournalEntry::of_new_key(published, time(connection, operation)?)?)?;
    Ok(Some(published.clone()))
}
