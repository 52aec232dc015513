//! Long-lived tokens in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::client::ClientUid;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenUid};
use crate::domain::time::Timestamp;
use crate::store::TokenStatus;
use crate::store::sql::columns::select;
use crate::store::sql::records::long_lived_tokens::NOT_ENDED;

use super::{rows, tokens};
use crate::store::sqlite::entity::{SqliteEntity, statements};

impl SqliteEntity for LongLivedToken {
    statements!(LongLivedToken);
}

/// Returns the token with the hash, live or revoked, and the facts that decide its status. The connection must be in a
/// snapshot, so that all facts are consistent.
pub(crate) fn with_status(
    connection: &Connection,
    hash: &str,
) -> rusqlite::Result<Option<(LongLivedToken, TokenStatus)>> {
    let sql = select::<LongLivedToken>("WHERE hash = ?1");
    let token = connection.prepare_cached(&sql)?.query_row([hash], rows::record::<LongLivedToken>).optional()?;
    let Some(token) = token else { return Ok(None) };
    let status = tokens::status(connection, token.fields.user, Some(token.fields.client), &[])?;
    Ok(Some((token, status)))
}

/// Returns the first `limit` tokens with a number above `after` that have not ended, ordered by number: all, or those
/// of one client.
pub(crate) fn after(
    connection: &Connection,
    client: Option<ClientUid>,
    after: LongLivedTokenUid,
    limit: u32,
) -> rusqlite::Result<Vec<LongLivedToken>> {
    let of_client = if client.is_some() { "client_uid = ?3" } else { "?3 IS NULL" };
    let sql =
        select::<LongLivedToken>(&format!("WHERE uid > ?1 AND {of_client} AND {NOT_ENDED} ORDER BY uid LIMIT ?2"));
    connection.prepare_cached(&sql)?.query_map(params![after, limit, client], rows::record)?.collect()
}

/// Returns the first `limit` tokens that have not ended and expire after `from`, and at `until` or earlier, ordered by
/// that time.
pub(crate) fn expiring(
    connection: &Connection,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<LongLivedToken>> {
    let sql = select::<LongLivedToken>(&format!(
        "WHERE expires > ?1 AND expires <= ?2 AND {NOT_ENDED} ORDER BY expires, uid LIMIT ?3"
    ));
    let parameters = params![from.as_micros(), until.as_micros(), limit];
    connection.prepare_cached(&sql)?.query_map(parameters, rows::record)?.collect()
}

/// Records a use of the token, unless a later one is recorded.
pub(crate) fn note_use(connection: &Connection, token: LongLivedTokenUid, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE long_lived_tokens SET last_used = ?2 WHERE uid = ?1 AND (last_used IS NULL OR last_used < ?2)";
    connection.prepare_cached(sql)?.execute(params![token, at.as_micros()]).map(drop)
}
