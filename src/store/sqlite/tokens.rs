//! What tokens leave in SQLite: ended ones, refresh tokens, signing keys.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::Result;
use crate::domain::client::{ClientKey, ClientUid};
use crate::domain::time::Timestamp;
use crate::domain::user::{UserKey, UserUid};
use crate::store::{RefreshToken, SigningKey, TokenStanding};

use super::connection::failed;
use super::{clients, users};

/// How many expired rows a write clears away at most.
const CLEARED: u32 = 100;

/// What the standing of a token depends on; the connection is to be in a snapshot, so that all is of one moment.
pub fn standing(
    connection: &Connection,
    user: Option<UserUid>,
    client: Option<ClientUid>,
    jti: &str,
) -> rusqlite::Result<TokenStanding> {
    let user = user.map(|uid| users::find(connection, &UserKey::Uid(uid))).transpose()?.flatten();
    let client = client.map(|uid| clients::find(connection, &ClientKey::Uid(uid))).transpose()?.flatten();
    let ended = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM ended_tokens WHERE jti = ?1)")?
        .query_row([jti], |row| row.get(0))?;
    Ok(TokenStanding { user, client, ended })
}

/// Ends a token.
pub fn end(connection: &Connection, jti: &str, expires: Timestamp, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO ended_tokens (jti, expires) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![jti, expires.as_micros()])?;
    let clear = "DELETE FROM ended_tokens WHERE jti IN (SELECT jti FROM ended_tokens WHERE expires <= ?1 LIMIT ?2)";
    connection.prepare_cached(clear)?.execute(params![now.as_micros(), CLEARED]).map(drop)
}

/// Keeps a refresh token.
pub fn keep(connection: &Connection, token: &RefreshToken, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO refresh_tokens (hash, family, user_uid, client_uid, user_generation, client_generation, \
               scope, expires, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)";
    connection.prepare_cached(sql)?.execute(params![
        token.hash,
        token.family,
        token.user,
        token.client,
        token.user_generation,
        token.client_generation,
        token.scope,
        token.expires.as_micros(),
    ])?;
    let clear =
        "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires <= ?1 LIMIT ?2)";
    connection.prepare_cached(clear)?.execute(params![now.as_micros(), CLEARED]).map(drop)
}

/// Uses a refresh token up and keeps its successor; ends the family of one that was used before.
pub fn rotate(
    connection: &Connection,
    hash: &str,
    now: Timestamp,
    successor: &dyn Fn(&RefreshToken) -> Result<RefreshToken>,
) -> Result<Option<RefreshToken>> {
    let sql = "SELECT hash, family, user_uid, client_uid, user_generation, client_generation, scope, expires, used \
               FROM refresh_tokens WHERE hash = ?1 AND expires > ?2";
    let found = connection
        .prepare_cached(sql)
        .and_then(|mut find| find.query_row(params![hash, now.as_micros()], refresh_token).optional())
        .map_err(failed)?;
    let Some((token, used)) = found else { return Ok(None) };
    if used {
        let end = "DELETE FROM refresh_tokens WHERE family = ?1";
        connection.prepare_cached(end).and_then(|mut end| end.execute([&token.family])).map_err(failed)?;
        return Ok(None);
    }
    let next = successor(&token)?;
    let use_up = "UPDATE refresh_tokens SET used = 1 WHERE hash = ?1";
    connection.prepare_cached(use_up).and_then(|mut use_up| use_up.execute([hash])).map_err(failed)?;
    keep(connection, &next, now).map_err(failed)?;
    Ok(Some(next))
}

fn refresh_token(row: &Row<'_>) -> rusqlite::Result<(RefreshToken, bool)> {
    let token = RefreshToken {
        hash: row.get(0)?,
        family: row.get(1)?,
        user: row.get(2)?,
        client: row.get(3)?,
        user_generation: row.get(4)?,
        client_generation: row.get(5)?,
        scope: row.get(6)?,
        expires: row.get(7).map(Timestamp::from_micros)?,
    };
    Ok((token, row.get(8)?))
}

/// The signing keys, the newest first.
pub fn keys(connection: &Connection) -> rusqlite::Result<Vec<SigningKey>> {
    let sql = "SELECT kid, pem, signs_from FROM signing_keys ORDER BY signs_from DESC, kid DESC";
    let key = |row: &Row<'_>| {
        Ok(SigningKey { kid: row.get(0)?, pem: row.get(1)?, signs_from: row.get(2).map(Timestamp::from_micros)? })
    };
    connection.prepare_cached(sql)?.query_map([], key)?.collect()
}

/// Keeps a signing key.
pub fn add_key(connection: &Connection, key: &SigningKey, only_first: bool) -> rusqlite::Result<()> {
    let sql = "INSERT INTO signing_keys (kid, pem, signs_from) SELECT ?1, ?2, ?3 \
               WHERE NOT (?4 AND EXISTS (SELECT 1 FROM signing_keys))";
    connection.prepare_cached(sql)?.execute(params![key.kid, key.pem, key.signs_from.as_micros(), only_first]).map(drop)
}
