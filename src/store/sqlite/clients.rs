//! API clients in SQLite.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::journal::Operation;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::store::sql::changes::{Written, client_after};
use crate::store::sql::codec::communities_to_text;
use crate::store::sql::journal::Entry;
use crate::store::sql::rows::select_client;
use crate::store::{ClientWrite, Edit};

use super::connection::{failed, is_unique_violation, number};
use super::journal::append;
use super::rows;

/// The client with the key; by number also a deleted one.
pub fn find(connection: &Connection, key: &ClientKey) -> rusqlite::Result<Option<Client>> {
    const BY_ID: &str = select_client!("FROM clients WHERE id_key = ?1 AND deleted IS NULL");
    const BY_UID: &str = select_client!("FROM clients WHERE uid = ?1");
    match key {
        ClientKey::Id(id) => connection.prepare_cached(BY_ID)?.query_row([fold(id)], rows::client).optional(),
        ClientKey::Uid(uid) => connection.prepare_cached(BY_UID)?.query_row([uid], rows::client).optional(),
        ClientKey::New => Ok(None),
    }
}

/// The first live clients above a number.
pub fn after(connection: &Connection, after: ClientUid, limit: u32) -> rusqlite::Result<Vec<Client>> {
    let sql = select_client!("FROM clients WHERE uid > ?1 AND deleted IS NULL ORDER BY uid LIMIT ?2");
    connection.prepare_cached(sql)?.query_map(params![after, limit], rows::client)?.collect()
}

/// Whether there ever was a client.
pub fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM clients)")?.query_row([], |row| row.get(0))
}

/// Writes a client by the rule.
pub fn write(
    connection: &Connection,
    operation: &Operation,
    key: &ClientKey,
    edit: &Edit<Client, ClientWrite>,
) -> Result<Client> {
    let before = find(connection, key).map_err(failed)?;
    let write = edit(before.as_ref())?;
    let uid = number(connection, "clients", before.as_ref().map(|client| client.uid))?;
    let after = match client_after(write, before.as_ref(), uid, operation.at)? {
        Written::Unchanged(client) => return Ok(client),
        Written::Changed(client) => client,
    };
    put(connection, &after)?;
    append(connection, operation, &Entry::of_client(before.as_ref(), &after)?)?;
    Ok(after)
}

/// Writes the client's row.
pub fn put(connection: &Connection, client: &Client) -> Result<()> {
    upsert(connection, client).map_err(|error| match error {
        error if is_unique_violation(&error) => Error::AlreadyExists(Kind::Client, client.fields.id.clone()),
        error => failed(error),
    })
}

fn upsert(connection: &Connection, client: &Client) -> rusqlite::Result<()> {
    let fields = &client.fields;
    let mut statement = connection.prepare_cached(
        "INSERT INTO clients (uid, id, id_key, name, roles, communities, user_uid, access_minutes, refresh_minutes, \
         enabled, generation, secret_hash, secret_set, created, updated, deleted, version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
         ON CONFLICT (uid) DO UPDATE SET id = ?2, id_key = ?3, name = ?4, roles = ?5, communities = ?6, \
         user_uid = ?7, access_minutes = ?8, refresh_minutes = ?9, enabled = ?10, generation = ?11, \
         secret_hash = ?12, secret_set = ?13, updated = ?15, deleted = ?16, version = ?17",
    )?;
    let inserted = statement.execute(params![
        client.uid,
        fields.id,
        fold(&fields.id),
        fields.name,
        fields.roles.bits(),
        communities_to_text(&fields.communities),
        fields.user,
        fields.access_minutes,
        fields.refresh_minutes,
        fields.enabled,
        fields.generation,
        client.secret_hash,
        fields.secret_set.map(Timestamp::as_micros),
        client.created.as_micros(),
        client.updated.as_micros(),
        client.deleted.map(Timestamp::as_micros),
        client.version,
    ]);
    inserted.map(drop)
}
