//! API clients: the parts that are specific to them in PostgreSQL.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::client::{Client, ClientUid};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::role::Roles;
use crate::domain::user::UserUid;
use crate::store::sql::columns::{Record as _, select};
use crate::store::sql::records::clients::new_user;
use crate::store::{ClientUpdate, Mutation};

use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{PostgresEntity, statements};
use crate::store::postgres::read::point_reads::PointReads;
use crate::store::postgres::read::rows::all;
use crate::store::postgres::write::transaction::Transaction;

#[async_trait]
impl PostgresEntity for Client {
    statements!(Client);

    /// The user for whom the client begins to act must be live.
    async fn check_references(
        transaction: &mut Transaction<'_>,
        current: Option<&Self>,
        mutation: &Mutation<ClientUpdate>,
    ) -> Result<(), DatabaseError> {
        match new_user(current, mutation) {
            Some(user) => check_user(transaction, user).await,
            None => Ok(()),
        }
    }
}

/// Fails unless the user is live. Locks the user, who then stays live until the transaction ends.
async fn check_user(transaction: &mut Transaction<'_>, user: UserUid) -> Result<(), DatabaseError> {
    let sql = "SELECT 1 FROM users WHERE uid = $1 AND deleted IS NULL FOR SHARE";
    let result = transaction.find(sql, &[&user]).await?;
    result.map(drop).ok_or_else(|| Error::NotFound(ResourceKind::User, user.to_string()).into())
}

/// Returns up to `limit` live clients with numbers greater than `after`, in the order of their numbers.
pub(crate) async fn after(point_reads: &PointReads, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
    static NEXT: LazyLock<String> =
        LazyLock::new(|| select::<Client>("WHERE uid > $1 AND deleted IS NULL ORDER BY uid LIMIT $2"));
    all(&point_reads.rows(&NEXT, &[&after, &i64::from(limit)]).await?, Client::read)
}

/// Returns the roles of the live clients that act for the users, combined per user. A user without such clients is
/// missing from the map.
pub(crate) async fn roles_acting_for(
    transaction: &mut Transaction<'_>,
    users: &[UserUid],
) -> Result<HashMap<UserUid, Roles>, DatabaseError> {
    let sql =
        "SELECT user_uid, bit_or(roles) FROM clients WHERE user_uid = ANY($1) AND deleted IS NULL GROUP BY user_uid";
    let roles = |row: &Row| Ok((row.try_get(0)?, Roles::from_bits(row.try_get::<_, i16>(1)? as u8)));
    transaction.read(sql, &[&users]).await?.iter().map(roles).collect()
}

/// Whether a client exists or ever existed.
pub(crate) async fn any(point_reads: &PointReads) -> Result<bool> {
    Ok(point_reads.find("SELECT 1 FROM clients LIMIT 1", &[]).await?.is_some())
}
