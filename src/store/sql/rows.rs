//! Rows as things of the directory. The columns are selected by the macros here and read in their order, by what
//! every engine's row can tell.

use crate::domain::client::{Client, ClientFields};
use crate::domain::group::{Group, GroupFields, Outline};
use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserFields};
use crate::domain::xp::Xp;

use super::codec::{communities_from_text, labels_from_text};

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

/// The same of the columns that [`outline`] reads.
macro_rules! select_outline {
    ($rest:literal) => {
        concat!("SELECT uid, created, updated, labels ", $rest)
    };
}

/// The same of the columns that [`user`] reads, [`USER_COLUMNS`] of them.
macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT uid, id, username, first_name, last_name, email, phone, terms_accepted, active, xp, roles, \
             communities, generation, password_set, created, updated, deleted, version, last_active, failed_attempts ",
            $rest
        )
    };
}

/// The same of the columns that [`client`] reads, [`CLIENT_COLUMNS`] of them.
macro_rules! select_client {
    ($rest:literal) => {
        concat!(
            "SELECT uid, id, name, roles, communities, user_uid, access_minutes, refresh_minutes, enabled, \
             generation, secret_set, created, updated, deleted, version, secret_hash ",
            $rest
        )
    };
}

/// How many columns `select_user!` selects.
pub const USER_COLUMNS: usize = 20;
/// How many columns `select_client!` selects.
pub const CLIENT_COLUMNS: usize = 16;

pub(crate) use {select_client, select_group, select_outline, select_user};

/// The columns of one row, by their place in it. Each fails where the column is of another type, or NULL and not
/// asked for as optional.
pub trait Columns {
    type Error;

    /// A number, a version, a count or microseconds.
    fn integer(&self, at: usize) -> Result<i64, Self::Error>;
    /// The same, of a column that may hold NULL.
    fn optional_integer(&self, at: usize) -> Result<Option<i64>, Self::Error>;
    /// A flag, a kind or a set of roles: what an engine with small integers keeps in one.
    fn small(&self, at: usize) -> Result<i64, Self::Error>;
    /// Text, borrowed from the row.
    fn text(&self, at: usize) -> Result<&str, Self::Error>;
    /// The same, of a column that may hold NULL.
    fn optional_text(&self, at: usize) -> Result<Option<&str>, Self::Error>;
    /// The failure of a column whose value means nothing, which `reason` tells.
    fn unreadable(at: usize, reason: String) -> Self::Error;
}

/// A group from a row that `select_group!` selects.
pub fn group<R: Columns>(row: &R) -> Result<Group, R::Error> {
    Ok(Group {
        uid: row.integer(0)?,
        name: row.text(2)?.to_owned(),
        fields: GroupFields {
            id: id(row, 1)?,
            labels: decoded(row, 3, labels_from_text)?,
            description: optional_string(row, 4)?,
            xp: optional_string(row, 5)?.map(Xp::from_stored),
            communities: decoded(row, 6, communities_from_text)?,
        },
        created: time(row, 7)?,
        updated: time(row, 8)?,
        deleted: optional_time(row, 9)?,
        version: row.integer(10)?,
        members: row.integer(11)?,
    })
}

/// What the list of all groups tells of a group, from a row that `select_outline!` selects.
pub fn outline<R: Columns>(row: &R) -> Result<Outline, R::Error> {
    Ok(Outline {
        uid: row.integer(0)?,
        created: time(row, 1)?,
        updated: time(row, 2)?,
        labels: row.text(3)?.to_owned(),
    })
}

/// A user from a row that `select_user!` selects.
pub fn user<R: Columns>(row: &R) -> Result<User, R::Error> {
    Ok(User {
        uid: row.integer(0)?,
        fields: UserFields {
            id: id(row, 1)?,
            username: row.text(2)?.to_owned(),
            first_name: row.text(3)?.to_owned(),
            last_name: row.text(4)?.to_owned(),
            email: row.text(5)?.to_owned(),
            phone: optional_string(row, 6)?,
            terms_accepted: optional_time(row, 7)?,
            active: boolean(row, 8)?,
            xp: optional_string(row, 9)?.map(Xp::from_stored),
            roles: roles(row, 10)?,
            communities: decoded(row, 11, communities_from_text)?,
            generation: row.integer(12)?,
            password_set: optional_time(row, 13)?,
        },
        created: time(row, 14)?,
        updated: time(row, 15)?,
        deleted: optional_time(row, 16)?,
        version: row.integer(17)?,
        last_active: optional_time(row, 18)?,
        failed_attempts: row.integer(19)?,
    })
}

/// A client from a row that `select_client!` selects.
pub fn client<R: Columns>(row: &R) -> Result<Client, R::Error> {
    Ok(Client {
        uid: row.integer(0)?,
        fields: ClientFields {
            id: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
            roles: roles(row, 3)?,
            communities: decoded(row, 4, communities_from_text)?,
            user: row.optional_integer(5)?,
            access_minutes: row.integer(6)?,
            refresh_minutes: row.integer(7)?,
            enabled: boolean(row, 8)?,
            generation: row.integer(9)?,
            secret_set: optional_time(row, 10)?,
        },
        created: time(row, 11)?,
        updated: time(row, 12)?,
        deleted: optional_time(row, 13)?,
        version: row.integer(14)?,
        secret_hash: optional_string(row, 15)?,
    })
}

/// An ID from the column.
pub fn id<R: Columns>(row: &R, at: usize) -> Result<Id, R::Error> {
    decoded(row, at, |text| Id::new(text))
}

/// A moment from the column, if it holds one.
pub fn optional_time<R: Columns>(row: &R, at: usize) -> Result<Option<Timestamp>, R::Error> {
    Ok(row.optional_integer(at)?.map(Timestamp::from_micros))
}

/// A flag from the column.
pub fn boolean<R: Columns>(row: &R, at: usize) -> Result<bool, R::Error> {
    Ok(row.small(at)? != 0)
}

fn time<R: Columns>(row: &R, at: usize) -> Result<Timestamp, R::Error> {
    row.integer(at).map(Timestamp::from_micros)
}

fn roles<R: Columns>(row: &R, at: usize) -> Result<Roles, R::Error> {
    let bits = row.small(at)?;
    let bits = u8::try_from(bits).map_err(|_| R::unreadable(at, format!("{bits} is no set of roles")))?;
    Ok(Roles::from_bits(bits))
}

fn optional_string<R: Columns>(row: &R, at: usize) -> Result<Option<String>, R::Error> {
    Ok(row.optional_text(at)?.map(str::to_owned))
}

fn decoded<R: Columns, T>(row: &R, at: usize, decode: impl FnOnce(&str) -> Option<T>) -> Result<T, R::Error> {
    let text = row.text(at)?;
    decode(text).ok_or_else(|| R::unreadable(at, format!("cannot be read: {text:.100}")))
}
