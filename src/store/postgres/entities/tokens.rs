//! Tokens in PostgreSQL: ended tokens, refresh tokens, signing keys.

use std::sync::LazyLock;

use async_trait::async_trait;

use crate::domain::client::{Client, ClientUid};
use crate::domain::error::{Error, Result};
use crate::domain::journal::Operation;
use crate::domain::rotation::Rotation;
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::sql::columns::{Record as _, insert, inserted, read_columns, select};
use crate::store::sql::journal::JournalEntry;
use crate::store::sql::rows::{Columns as _, optional_time};
use crate::store::{RefreshToken, SigningKey, TokenStatus};

use super::journal::append;
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::read::rows::{ColumnsFrom, all};
use crate::store::postgres::write::pipeline::{owned, parameters};
use crate::store::postgres::write::transaction::Transaction;
use crate::store::postgres::write::unit_of_work::{OutcomeLookup, UnitOfWork};

/// The maximum number of expired rows that a write deletes.
const MAX_EXPIRED_PER_WRITE: i64 = 100;

/// Returns what the status of a token depends on: its user and client, if given, and whether one of the `names` has
/// ended. One statement reads all of it, so it is consistent.
pub(crate) async fn status(
    point_reads: &PointReads,
    user: Option<UserUid>,
    client: Option<ClientUid>,
    names: &[&str],
) -> Result<TokenStatus> {
    static STATUS: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT u.*, c.*, EXISTS (SELECT 1 FROM ended_tokens WHERE name = ANY($3)) FROM (SELECT 1) AS one \
             LEFT JOIN ({}) AS u ON TRUE LEFT JOIN ({}) AS c ON TRUE",
            select::<User>("WHERE uid = $1"),
            select::<Client>("WHERE uid = $2")
        )
    });
    const USER_COLUMNS: usize = read_columns(User::COLUMNS);
    const ALL_COLUMNS: usize = USER_COLUMNS + read_columns(Client::COLUMNS);
    let row = point_reads.find(&STATUS, &[&user, &client, &names]).await?;
    let row =
        row.ok_or_else(|| Error::internal(anyhow::anyhow!("a statement that always returns a row returned none")))?;
    let client = ColumnsFrom { row: &row, first: USER_COLUMNS };
    Ok(TokenStatus {
        user: row.optional_integer(0)?.map(|_| User::read(&row)).transpose()?,
        client: client.optional_integer(0)?.map(|_| Client::read(&client)).transpose()?,
        ended: row.try_get(ALL_COLUMNS).map_err(Error::internal)?,
    })
}

/// The unit of work that ends a token, or a family of tokens.
pub(crate) struct EndToken {
    /// The name of the token or family.
    pub name: String,
    /// When the last of the tokens expires. Until then the end is stored.
    pub expires: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

#[async_trait]
impl UnitOfWork for EndToken {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        end(transaction, &self.name, self.expires, self.now);
        Ok(())
    }
}

/// Queues the end of the token or family, and deletes some expired rows.
fn end(transaction: &mut Transaction<'_>, name: &str, expires: Timestamp, now: Timestamp) {
    let sql = "INSERT INTO ended_tokens (name, expires) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET expires = greatest(ended_tokens.expires, excluded.expires)";
    transaction.queue(sql, parameters![name.to_owned(), expires.as_micros()]);
    // SKIP LOCKED: rows that another node is deleting are left to it.
    let clear = "DELETE FROM ended_tokens WHERE name IN \
                 (SELECT name FROM ended_tokens WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    transaction.queue(clear, parameters![now.as_micros(), MAX_EXPIRED_PER_WRITE]);
}

/// The unit of work that stores a refresh token.
pub(crate) struct KeepRefreshToken {
    /// The refresh token.
    pub token: RefreshToken,
    /// The current time.
    pub now: Timestamp,
}

#[async_trait]
impl UnitOfWork for KeepRefreshToken {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        keep(transaction, &self.token, self.now);
        Ok(())
    }
}

/// Queues the insertion of the refresh token, and deletes some expired rows.
fn keep(transaction: &mut Transaction<'_>, token: &RefreshToken, now: Timestamp) {
    static INSERT: LazyLock<String> = LazyLock::new(|| format!("{} ON CONFLICT DO NOTHING", insert::<RefreshToken>()));
    transaction.queue(&INSERT, owned(inserted(token)));
    let clear = "DELETE FROM refresh_tokens WHERE hash IN \
                 (SELECT hash FROM refresh_tokens WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    transaction.queue(clear, parameters![now.as_micros(), MAX_EXPIRED_PER_WRITE]);
}

/// Returns the refresh token with the hash, used or not, if it exists and has not expired.
pub(crate) async fn refresh_token(
    point_reads: &PointReads,
    hash: &str,
    now: Timestamp,
) -> Result<Option<RefreshToken>> {
    static LIVE: LazyLock<String> = LazyLock::new(|| select::<RefreshToken>("WHERE hash = $1 AND expires > $2"));
    let row = point_reads.find(&LIVE, &[&hash, &now.as_micros()]).await?;
    row.as_ref().map(RefreshToken::read).transpose()
}

/// The unit of work that uses a refresh token, as [`Rotation`] says. Its output is whether the successor is valid.
pub(crate) struct RotateRefreshToken {
    /// The hash of the refresh token.
    pub hash: String,
    /// The refresh token that replaces it.
    pub successor: RefreshToken,
    /// When the last token of the family expires.
    pub family_ends: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

#[async_trait]
impl UnitOfWork for RotateRefreshToken {
    type Output = bool;

    /// If it is committed twice, the second time is a further use within the grace period.
    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let sql = "SELECT used FROM refresh_tokens WHERE hash = $1 AND expires > $2 FOR UPDATE";
        let Some(row) = transaction.find(sql, &[&self.hash, &self.now.as_micros()]).await? else { return Ok(false) };
        match Rotation::of(optional_time(&row, 0)?, self.now) {
            Rotation::First => {
                let mark_used = "UPDATE refresh_tokens SET used = $2 WHERE hash = $1";
                transaction.queue(mark_used, parameters![self.hash.clone(), self.now.as_micros()]);
                keep(transaction, &self.successor, self.now);
                Ok(true)
            }
            Rotation::Repeated => Ok(true),
            Rotation::Replayed => {
                end(transaction, &self.successor.family, self.family_ends, self.now);
                Ok(false)
            }
        }
    }
}

/// Returns the signing keys, the newest first.
pub(crate) async fn keys(point_reads: &PointReads) -> Result<Vec<SigningKey>> {
    static ALL: LazyLock<String> = LazyLock::new(|| select::<SigningKey>("ORDER BY signs_from DESC, kid DESC"));
    all(&point_reads.rows(&ALL, &[]).await?, SigningKey::read)
}

/// The unit of work that stores a signing key with its journal entry. It does nothing if another key signs from the same
/// time or later, or, with `only_first`, if another key exists. Its output is what was stored.
pub(crate) struct AddSigningKey {
    /// The operation, for the journal.
    pub operation: Operation,
    /// The signing key.
    pub key: SigningKey,
    /// Whether to store the key only if it is the first one.
    pub only_first: bool,
}

#[async_trait]
impl UnitOfWork for AddSigningKey {
    type Output = Option<PublishedKey>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Option<PublishedKey>, DatabaseError> {
        static INSERT: LazyLock<String> = LazyLock::new(insert::<SigningKey>);
        let published = &self.key.published;
        // If two nodes start on a new directory, one stores its key and the other one finds that key.
        transaction.read("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
        let others = "SELECT 1 FROM signing_keys WHERE $1 OR signs_from >= $2 LIMIT 1";
        if transaction.find(others, &[&self.only_first, &published.signs_from.as_micros()]).await?.is_some() {
            return Ok(None);
        }
        transaction.read_last_change().await?;
        transaction.queue(&INSERT, owned(inserted(&self.key)));
        let entry = JournalEntry::of_new_key(published, transaction.time(&self.operation))?;
        append(transaction, &self.operation, entry);
        Ok(Some(published.clone()))
    }
}
