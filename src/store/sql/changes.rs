//! What a thing is after a write. Every store asks here, inside its transaction, once the edit has decided.

use crate::domain::client::{Client, ClientUid};
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::labels::Tag;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::{ClientWrite, UserWrite, Write};

/// What a write makes of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<T> {
    /// Nothing: this is what it was, and stays.
    Unchanged(T),
    /// This is to be stored, and the journal told.
    Changed(T),
}

/// The group after the write. `uid` is its number: that of `before`, or a new one where there is none. Its name is
/// the label in the directory's default `language`.
pub fn group_after(
    write: Write<GroupFields>,
    before: Option<&Group>,
    uid: GroupUid,
    language: &Tag,
    at: Timestamp,
) -> Result<Written<Group>> {
    let name = |fields: &GroupFields| fields.labels.name(language).to_owned();
    Ok(Written::Changed(match (write, before.cloned()) {
        (Write::Put(fields), Some(group)) if fields == group.fields => return Ok(Written::Unchanged(group)),
        (Write::Put(fields), Some(group)) => {
            Group { name: name(&fields), fields, updated: at, version: group.version + 1, ..group }
        }
        (Write::Put(fields), None) => {
            Group { uid, name: name(&fields), fields, created: at, updated: at, deleted: None, version: 1, members: 0 }
        }
        (Write::Delete, Some(group)) => Group { updated: at, deleted: Some(at), version: group.version + 1, ..group },
        (Write::Delete, None) => return Err(deleted_nothing()),
    }))
}

/// The user after the write, and the hash of the password that is to be stored with it, if a new one was set. `uid`
/// as of [`group_after`].
pub fn user_after(
    write: Write<UserWrite>,
    before: Option<&User>,
    uid: UserUid,
    at: Timestamp,
) -> Result<(Written<User>, Option<String>)> {
    let (user, password_hash) = match (write, before.cloned()) {
        (Write::Put(UserWrite { fields, password_hash: None }), Some(user)) if fields == user.fields => {
            return Ok((Written::Unchanged(user), None));
        }
        (Write::Put(UserWrite { fields, password_hash }), Some(user)) => {
            (User { fields, updated: at, version: user.version + 1, ..user }, password_hash)
        }
        (Write::Put(UserWrite { fields, password_hash }), None) => {
            let (deleted, last_active) = (None, None);
            let user =
                User { uid, fields, created: at, updated: at, deleted, version: 1, last_active, failed_attempts: 0 };
            (user, password_hash)
        }
        (Write::Delete, Some(user)) => {
            (User { updated: at, deleted: Some(at), version: user.version + 1, ..user }, None)
        }
        (Write::Delete, None) => return Err(deleted_nothing()),
    };
    Ok((Written::Changed(user), password_hash))
}

/// The client after the write, with the hash of its secret. `uid` as of [`group_after`].
pub fn client_after(
    write: Write<ClientWrite>,
    before: Option<&Client>,
    uid: ClientUid,
    at: Timestamp,
) -> Result<Written<Client>> {
    Ok(Written::Changed(match (write, before.cloned()) {
        (Write::Put(ClientWrite { fields, secret_hash: None }), Some(client)) if fields == client.fields => {
            return Ok(Written::Unchanged(client));
        }
        (Write::Put(ClientWrite { fields, secret_hash }), Some(client)) => Client {
            fields,
            secret_hash: secret_hash.or(client.secret_hash),
            updated: at,
            version: client.version + 1,
            ..client
        },
        (Write::Put(ClientWrite { fields, secret_hash }), None) => {
            Client { uid, fields, secret_hash, created: at, updated: at, deleted: None, version: 1 }
        }
        (Write::Delete, Some(client)) => {
            Client { updated: at, deleted: Some(at), version: client.version + 1, ..client }
        }
        (Write::Delete, None) => return Err(deleted_nothing()),
    }))
}

/// The defect of an edit that deletes where there is nothing.
fn deleted_nothing() -> Error {
    Error::internal(anyhow::anyhow!("an edit deleted what is not there"))
}

/// The folded texts that a search looks through, in the order of [`Groups`](super::tables::Groups)' text fields.
pub fn texts_of_group(group: &Group) -> Vec<String> {
    let description = group.fields.description.as_deref().unwrap_or_default();
    vec![group.fields.id.key(), fold(&group.name), fold(description)]
}

/// The same, in the order of [`Users`](super::tables::Users)' text fields.
pub fn texts_of_user(user: &User) -> Vec<String> {
    let fields = &user.fields;
    let names = [&fields.username, &fields.first_name, &fields.last_name, &fields.email];
    std::iter::once(fields.id.key()).chain(names.map(|name| fold(name))).collect()
}
