//! What tokens leave in PostgreSQL: ended ones, refresh tokens, signing keys.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::client::ClientUid;
use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::rows::{self, CLIENT_COLUMNS, Columns, USER_COLUMNS, select_client, select_user};
use crate::store::{RefreshToken, SigningKey, Successor, TokenStanding};

use super::pipeline::parameters;
use super::points::Points;
use super::rows::Behind;
use super::transaction::{Change, Trace, Writing};
use super::trouble::Trouble;

/// How many expired rows a write clears away at most.
const CLEARED: i64 = 100;

/// What the standing of a token depends on: one statement, and so of one moment.
pub async fn standing(
    points: &Points,
    user: Option<UserUid>,
    client: Option<ClientUid>,
    jti: &str,
) -> Result<TokenStanding> {
    const STANDING: &str = concat!(
        "SELECT u.*, c.*, EXISTS (SELECT 1 FROM ended_tokens WHERE jti = $3) FROM (SELECT 1) AS one LEFT JOIN (",
        select_user!("FROM users WHERE uid = $1"),
        ") AS u ON TRUE LEFT JOIN (",
        select_client!("FROM clients WHERE uid = $2"),
        ") AS c ON TRUE"
    );
    let row = points.find(STANDING, &[&user, &client, &jti]).await?;
    let row = row.ok_or_else(|| Error::internal(anyhow::anyhow!("a statement that always gives a row gave none")))?;
    let client = Behind { row: &row, from: USER_COLUMNS };
    Ok(TokenStanding {
        user: row.optional_integer(0)?.map(|_| rows::user(&row)).transpose()?,
        client: client.optional_integer(0)?.map(|_| rows::client(&client)).transpose()?,
        ended: row.try_get(USER_COLUMNS + CLIENT_COLUMNS).map_err(Error::internal)?,
    })
}

/// Ends a token.
pub struct EndToken {
    pub jti: String,
    pub expires: Timestamp,
    pub now: Timestamp,
}

#[async_trait]
impl Change for EndToken {
    type Output = ();

    fn trace(&self) -> Trace<'_> {
        Trace::Repeatable
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<(), Trouble> {
        let sql = "INSERT INTO ended_tokens (jti, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        writing.queue(sql, parameters![self.jti.clone(), self.expires.as_micros()]);
        // Rows that another node clears away are left to it.
        let clear = "DELETE FROM ended_tokens WHERE jti IN \
                     (SELECT jti FROM ended_tokens WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
        writing.queue(clear, parameters![self.now.as_micros(), CLEARED]);
        Ok(())
    }
}

/// Keeps a refresh token.
pub struct KeepRefreshToken {
    pub token: RefreshToken,
    pub now: Timestamp,
}

#[async_trait]
impl Change for KeepRefreshToken {
    type Output = ();

    fn trace(&self) -> Trace<'_> {
        Trace::Repeatable
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<(), Trouble> {
        keep(writing, &self.token, self.now);
        Ok(())
    }
}

fn keep(writing: &mut Writing<'_>, token: &RefreshToken, now: Timestamp) {
    let sql = "INSERT INTO refresh_tokens (hash, family, user_uid, client_uid, user_generation, client_generation, \
               scope, expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING";
    writing.queue(
        sql,
        parameters![
            token.hash.clone(),
            token.family.clone(),
            token.user,
            token.client,
            token.user_generation,
            token.client_generation,
            token.scope.map(i16::from),
            token.expires.as_micros(),
        ],
    );
    let clear = "DELETE FROM refresh_tokens WHERE hash IN \
                 (SELECT hash FROM refresh_tokens WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    writing.queue(clear, parameters![now.as_micros(), CLEARED]);
}

/// Uses a refresh token up and keeps its successor; ends the family of one that was used before.
pub struct RotateRefreshToken {
    pub hash: String,
    pub now: Timestamp,
    pub successor: Successor,
}

#[async_trait]
impl Change for RotateRefreshToken {
    type Output = Option<RefreshToken>;

    fn trace(&self) -> Trace<'_> {
        Trace::None
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<Option<RefreshToken>, Trouble> {
        let sql = "SELECT hash, family, user_uid, client_uid, user_generation, client_generation, scope, expires, used \
                   FROM refresh_tokens WHERE hash = $1 AND expires > $2 FOR UPDATE";
        let Some(row) = writing.find(sql, &[&self.hash, &self.now.as_micros()]).await? else { return Ok(None) };
        let token = refresh_token(&row)?;
        if rows::boolean(&row, 8)? {
            writing.queue("DELETE FROM refresh_tokens WHERE family = $1", parameters![token.family]);
            return Ok(None);
        }
        let next = (self.successor)(&token)?;
        writing.queue("UPDATE refresh_tokens SET used = 1 WHERE hash = $1", parameters![self.hash.clone()]);
        keep(writing, &next, self.now);
        Ok(Some(next))
    }
}

fn refresh_token(row: &Row) -> Result<RefreshToken, Trouble> {
    Ok(RefreshToken {
        hash: row.text(0)?.to_owned(),
        family: row.text(1)?.to_owned(),
        user: row.integer(2)?,
        client: row.integer(3)?,
        user_generation: row.integer(4)?,
        client_generation: row.integer(5)?,
        scope: row.try_get::<_, Option<i16>>(6)?.map(|bits| bits as u8),
        expires: Timestamp::from_micros(row.integer(7)?),
    })
}

/// The signing keys, the newest first.
pub async fn keys(points: &Points) -> Result<Vec<SigningKey>> {
    let sql = "SELECT kid, pem, signs_from FROM signing_keys ORDER BY signs_from DESC, kid DESC";
    super::rows::all(&points.rows(sql, &[]).await?, |row| {
        Ok(SigningKey {
            kid: row.text(0)?.to_owned(),
            pem: row.text(1)?.to_owned(),
            signs_from: Timestamp::from_micros(row.integer(2)?),
        })
    })
}

/// Keeps a signing key.
pub struct AddSigningKey {
    pub key: SigningKey,
    pub only_first: bool,
}

#[async_trait]
impl Change for AddSigningKey {
    type Output = ();

    fn trace(&self) -> Trace<'_> {
        Trace::Repeatable
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<(), Trouble> {
        // Of two nodes that start on a new directory, one makes the key and the other one finds it.
        writing.read("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
        if self.only_first && writing.find("SELECT 1 FROM signing_keys LIMIT 1", &[]).await?.is_some() {
            return Ok(());
        }
        let sql = "INSERT INTO signing_keys (kid, pem, signs_from) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let SigningKey { kid, pem, signs_from } = self.key.clone();
        writing.queue(sql, parameters![kid, pem, signs_from.as_micros()]);
        Ok(())
    }
}
