//! Rows as things of the directory.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::domain::client::{Client, ClientFields};
use crate::domain::group::{Group, GroupFields};
use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserFields};
use crate::domain::xp::Xp;
use crate::store::sql::codec::{communities_from_text, labels_from_text};

/// `SELECT` of the columns that [`group`] reads, in its order, and what follows them: one constant text, as a read of
/// one group is too short to put it together each time.
macro_rules! select_group {
    ($rest:literal) => {
        concat!(
            "SELECT uid, id, name, labels, description, xp, communities, created, updated, deleted, version, members ",
            $rest
        )
    };
}

/// The same of the columns that [`user`] reads.
macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT uid, id, username, first_name, last_name, email, phone, terms_accepted, active, xp, roles, \
             communities, generation, password_set, created, updated, deleted, version, last_active, failed_attempts ",
            $rest
        )
    };
}

/// The same of the columns that [`client`] reads.
macro_rules! select_client {
    ($rest:literal) => {
        concat!(
            "SELECT uid, id, name, roles, communities, user_uid, access_minutes, refresh_minutes, enabled, \
             generation, secret_set, created, updated, deleted, version, secret_hash ",
            $rest
        )
    };
}

pub(super) use {select_client, select_group, select_user};

/// A group from a row that `select_group!` selects.
pub fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        uid: row.get(0)?,
        name: row.get(2)?,
        fields: GroupFields {
            id: id(row, 1)?,
            labels: decoded(row, 3, labels_from_text)?,
            description: row.get(4)?,
            xp: row.get::<_, Option<String>>(5)?.map(Xp::from_stored),
            communities: decoded(row, 6, communities_from_text)?,
        },
        created: time(row, 7)?,
        updated: time(row, 8)?,
        deleted: optional_time(row, 9)?,
        version: row.get(10)?,
        members: row.get(11)?,
    })
}

/// A user from a row that `select_user!` selects.
pub fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        uid: row.get(0)?,
        fields: UserFields {
            id: id(row, 1)?,
            username: row.get(2)?,
            first_name: row.get(3)?,
            last_name: row.get(4)?,
            email: row.get(5)?,
            phone: row.get(6)?,
            terms_accepted: optional_time(row, 7)?,
            active: row.get(8)?,
            xp: row.get::<_, Option<String>>(9)?.map(Xp::from_stored),
            roles: Roles::from_bits(row.get(10)?),
            communities: decoded(row, 11, communities_from_text)?,
            generation: row.get(12)?,
            password_set: optional_time(row, 13)?,
        },
        created: time(row, 14)?,
        updated: time(row, 15)?,
        deleted: optional_time(row, 16)?,
        version: row.get(17)?,
        last_active: optional_time(row, 18)?,
        failed_attempts: row.get(19)?,
    })
}

/// A client from a row that `select_client!` selects.
pub fn client(row: &Row<'_>) -> rusqlite::Result<Client> {
    Ok(Client {
        uid: row.get(0)?,
        fields: ClientFields {
            id: row.get(1)?,
            name: row.get(2)?,
            roles: Roles::from_bits(row.get(3)?),
            communities: decoded(row, 4, communities_from_text)?,
            user: row.get(5)?,
            access_minutes: row.get(6)?,
            refresh_minutes: row.get(7)?,
            enabled: row.get(8)?,
            generation: row.get(9)?,
            secret_set: optional_time(row, 10)?,
        },
        created: time(row, 11)?,
        updated: time(row, 12)?,
        deleted: optional_time(row, 13)?,
        version: row.get(14)?,
        secret_hash: row.get(15)?,
    })
}

/// An ID from the column.
pub fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Id> {
    decoded(row, column, |text| Id::new(text))
}

/// A moment from the column, if it holds one.
pub fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

fn decoded<T>(row: &Row<'_>, column: usize, decode: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    decode(text).ok_or_else(|| {
        let reason = format!("cannot be read: {text:.100}");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason.into())
    })
}
