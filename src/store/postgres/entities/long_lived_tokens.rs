//! Long-lived tokens in PostgreSQL.

use std::sync::LazyLock;

use async_trait::async_trait;

use crate::domain::client::{Client, ClientUid};
use crate::domain::error::Result;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenUid};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::TokenStatus;
use crate::store::sql::columns::{Record as _, read_columns, select};
use crate::store::sql::records::long_lived_tokens::NOT_ENDED;
use crate::store::sql::rows::Columns as _;

use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{PostgresEntity, statements};
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::read::rows::{ColumnsFrom, all};
use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OutcomeLookup, UnitOfWork};

impl PostgresEntity for LongLivedToken {
    statements!(LongLivedToken);
}

/// Returns the token with the hash, live or revoked, and the facts that decide its status. One statement reads all of
/// it, so it is consistent.
pub(crate) async fn with_status(point_reads: &PointReads, hash: &str) -> Result<Option<(LongLivedToken, TokenStatus)>> {
    static WITH_STATUS: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT t.*, u.*, c.* FROM ({}) AS t LEFT JOIN ({}) AS u ON u.uid = t.user_uid \
             LEFT JOIN ({}) AS c ON c.uid = t.client_uid",
            select::<LongLivedToken>("WHERE hash = $1"),
            select::<User>(""),
            select::<Client>("")
        )
    });
    const USER: usize = read_columns(LongLivedToken::COLUMNS);
    const CLIENT: usize = USER + read_columns(User::COLUMNS);
    let Some(row) = point_reads.find(&WITH_STATUS, &[&hash]).await? else { return Ok(None) };
    let (user, client) = (ColumnsFrom { row: &row, first: USER }, ColumnsFrom { row: &row, first: CLIENT });
    let status = TokenStatus {
        user: user.optional_integer(0)?.map(|_| User::read(&user)).transpose()?,
        client: client.optional_integer(0)?.map(|_| Client::read(&client)).transpose()?,
        ended: false,
    };
    Ok(Some((LongLivedToken::read(&row)?, status)))
}

/// Returns the first `limit` tokens with a number above `after` that have not ended, ordered by number: all, or those
/// of one client.
pub(crate) async fn after(
    point_reads: &PointReads,
    client: Option<ClientUid>,
    after: LongLivedTokenUid,
    limit: u32,
) -> Result<Vec<LongLivedToken>> {
    static ALL: LazyLock<String> =
        LazyLock::new(|| select::<LongLivedToken>(&format!("WHERE uid > $1 AND {NOT_ENDED} ORDER BY uid LIMIT $2")));
    static OF_CLIENT: LazyLock<String> = LazyLock::new(|| {
        select::<LongLivedToken>(&format!("WHERE uid > $1 AND client_uid = $3 AND {NOT_ENDED} ORDER BY uid LIMIT $2"))
    });
    let limit = i64::from(limit);
    let rows = match client {
        Some(client) => point_reads.rows(&OF_CLIENT, &[&after, &limit, &client]).await?,
        None => point_reads.rows(&ALL, &[&after, &limit]).await?,
    };
    all(&rows, LongLivedToken::read)
}

/// Returns the first `limit` tokens that have not ended and expire after `from`, and at `until` or earlier, ordered by
/// that time.
pub(crate) async fn expiring(
    point_reads: &PointReads,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<LongLivedToken>> {
    static EXPIRING: LazyLock<String> = LazyLock::new(|| {
        select::<LongLivedToken>(&format!(
            "WHERE expires > $1 AND expires <= $2 AND {NOT_ENDED} ORDER BY expires, uid LIMIT $3"
        ))
    });
    let (from, until, limit) = (from.as_micros(), until.as_micros(), i64::from(limit));
    all(&point_reads.rows(&EXPIRING, &[&from, &until, &limit]).await?, LongLivedToken::read)
}

/// The unit of work that records a use of a token, unless a later one is recorded.
pub(crate) struct NoteUse {
    /// The number of the token.
    pub token: LongLivedTokenUid,
    /// The time of the use.
    pub at: Timestamp,
}

#[async_trait]
impl UnitOfWork for NoteUse {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        let sql =
            "UPDATE long_lived_tokens SET last_used = $2 WHERE uid = $1 AND (last_used IS NULL OR last_used < $2)";
        transaction.queue(sql, parameters![self.token, self.at.as_micros()]);
        Ok(())
    }
}
