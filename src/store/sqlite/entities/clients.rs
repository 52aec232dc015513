//! What only API clients need in SQLite.

use rusqlite::{Connection, params};

use crate::domain::client::{Client, ClientUid};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::role::Roles;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sql::columns::select;
use crate::store::sql::records::clients::new_user;
use crate::store::{ClientUpdate, Mutation};

use super::rows;
use crate::store::sqlite::entity::{SqliteEntity, find, statements};
use crate::store::sqlite::storage::open::failed;

impl SqliteEntity for Client {
    statements!(Client);

    /// The user for whom the client begins to act must be live.
    fn check_references(
        connection: &Connection,
        current: Option<&Self>,
        mutation: &Mutation<ClientUpdate>,
    ) -> Result<()> {
        new_user(current, mutation).map_or(Ok(()), |user| expect_user(connection, user))
    }
}

fn expect_user(connection: &Connection, user: UserUid) -> Result<()> {
    let result: Option<User> = find(connection, &UserKey::Uid(user)).map_err(failed)?;
    let live = result.filter(|user| user.deleted.is_none());
    live.map(drop).ok_or_else(|| Error::NotFound(ResourceKind::User, user.to_string()))
}

/// Returns the first `limit` live clients with a number above `after`, ordered by number.
pub(crate) fn after(connection: &Connection, after: ClientUid, limit: u32) -> rusqlite::Result<Vec<Client>> {
    let sql = select::<Client>("WHERE uid > ?1 AND deleted IS NULL ORDER BY uid LIMIT ?2");
    connection.prepare_cached(&sql)?.query_map(params![after, limit], rows::record)?.collect()
}

/// Returns the union of the roles of all live clients that act for the user.
pub(crate) fn roles_acting_for(connection: &Connection, user: UserUid) -> rusqlite::Result<Roles> {
    let sql = "SELECT roles FROM clients WHERE user_uid = ?1 AND deleted IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let roles = statement.query_map([user], |row| row.get(0).map(Roles::from_bits))?;
    roles.into_iter().try_fold(Roles::NONE, |all, roles| Ok(all.with(roles?)))
}

/// Returns whether a client, live or deleted, exists.
pub(crate) fn exist(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM clients)")?.query_row([], |row| row.get(0))
}
