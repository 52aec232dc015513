//! API clients in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::journal::Operation;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::store::sql::changes::{Written, client_after};
use crate::store::sql::codec::communities_to_text;
use crate::store::sql::journal::Entry;
use crate::store::sql::rows::{self, select_client};
use crate::store::{ClientWrite, Edit};

use super::journal::append;
use super::pipeline::parameters;
use super::points::Points;
use super::transaction::{Change, Taken, Trace, Writing};
use super::trouble::Trouble;

/// A client by number, live or deleted.
pub const BY_UID: &str = select_client!("FROM clients WHERE uid = $1");

/// The client with the key; by number also a deleted one.
pub async fn find(points: &Points, key: &ClientKey) -> Result<Option<Client>> {
    const BY_ID: &str = select_client!("FROM clients WHERE id_key = $1 AND deleted IS NULL");
    let found = match key {
        ClientKey::Id(id) => points.find(BY_ID, &[&fold(id)]).await?,
        ClientKey::Uid(uid) => points.find(BY_UID, &[uid]).await?,
        ClientKey::New => None,
    };
    found.as_ref().map(rows::client::<Row>).transpose()
}

/// The first live clients above a number.
pub async fn after(points: &Points, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
    let sql = select_client!("FROM clients WHERE uid > $1 AND deleted IS NULL ORDER BY uid LIMIT $2");
    super::rows::all(&points.rows(sql, &[&after, &i64::from(limit)]).await?, rows::client)
}

/// Whether there ever was a client.
pub async fn any(points: &Points) -> Result<bool> {
    Ok(points.find("SELECT 1 FROM clients LIMIT 1", &[]).await?.is_some())
}

/// Writes a client by the rule.
pub struct WriteClient {
    pub operation: Operation,
    pub key: ClientKey,
    pub edit: Edit<Client, ClientWrite>,
}

#[async_trait]
impl Change for WriteClient {
    type Output = Client;

    fn trace(&self) -> Trace<'_> {
        Trace::Operation(&self.operation.id)
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<Client, Trouble> {
        let before = find_locked(writing, &self.key).await?;
        let write = (self.edit)(before.as_ref())?;
        let uid = match &before {
            Some(client) => client.uid,
            None => writing.next("SELECT nextval('clients_uid')").await?,
        };
        let after = match client_after(write, before.as_ref(), uid, self.operation.at)? {
            Written::Unchanged(client) => return Ok(client),
            Written::Changed(client) => client,
        };
        put(writing, before.is_some(), &after);
        append(writing, &self.operation, Entry::of_client(before.as_ref(), &after)?);
        Ok(after)
    }

    fn taken(&self, made: &Client, _: &str) -> Taken {
        Taken::Refused(Error::AlreadyExists(Kind::Client, made.fields.id.clone()))
    }
}

async fn find_locked(writing: &mut Writing<'_>, key: &ClientKey) -> Result<Option<Client>, Trouble> {
    const BY_ID: &str = select_client!("FROM clients WHERE id_key = $1 AND deleted IS NULL FOR NO KEY UPDATE");
    const BY_UID: &str = select_client!("FROM clients WHERE uid = $1 FOR NO KEY UPDATE");
    let found = match key {
        ClientKey::Id(id) => writing.find(BY_ID, &[&fold(id)]).await?,
        ClientKey::Uid(uid) => writing.find(BY_UID, &[uid]).await?,
        ClientKey::New => None,
    };
    Ok(found.as_ref().map(rows::client::<Row>).transpose()?)
}

/// Writes the client's row.
pub fn put(writing: &mut Writing<'_>, is_there: bool, client: &Client) {
    const INSERT: &str = "INSERT INTO clients (uid, id, id_key, name, roles, communities, user_uid, access_minutes, \
        refresh_minutes, enabled, generation, secret_hash, secret_set, created, updated, deleted, version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    // The time of its making does not change, but is written all the same, so that both statements take one list.
    const UPDATE: &str = "UPDATE clients SET id = $2, id_key = $3, name = $4, roles = $5, communities = $6, \
        user_uid = $7, access_minutes = $8, refresh_minutes = $9, enabled = $10, generation = $11, \
        secret_hash = $12, secret_set = $13, created = $14, updated = $15, deleted = $16, version = $17 WHERE uid = $1";
    let fields = &client.fields;
    writing.queue(
        if is_there { UPDATE } else { INSERT },
        parameters![
            client.uid,
            fields.id.clone(),
            fold(&fields.id),
            fields.name.clone(),
            i16::from(fields.roles.bits()),
            communities_to_text(&fields.communities),
            fields.user,
            fields.access_minutes,
            fields.refresh_minutes,
            i16::from(fields.enabled),
            fields.generation,
            client.secret_hash.clone(),
            fields.secret_set.map(Timestamp::as_micros),
            client.created.as_micros(),
            client.updated.as_micros(),
            client.deleted.map(Timestamp::as_micros),
            client.version,
        ],
    );
}
