//! The rules of writes, and the values that they give an entity.

use crate::domain::Result;
use crate::domain::client::ClientFields;
use crate::domain::long_lived_token::LongLivedTokenFields;
use crate::domain::role::Roles;
use crate::domain::user::{User, UserFields};

/// The change that an [`UpdateFn`] returns.
#[derive(Clone, Debug)]
pub enum Mutation<F> {
    /// Store these fields. If they equal the stored fields, the store writes nothing. Fails with `AlreadyDeleted` on a
    /// deleted entity.
    Put(F),
    /// Undo the deletion of the entity, with these fields: its memberships come back as they were, and its secret is
    /// removed. Fails with `NotDeleted` on a live entity.
    Restore(F),
    /// Delete the entity. The store keeps a tombstone.
    Delete,
}

/// The rule that decides a write. The store calls it inside the transaction with the current entity, or with `None` if
/// the key finds no entity. An error rolls the write back. The store may call the rule again after a conflict.
pub(crate) type UpdateFn<T, F> = Box<dyn Fn(Option<&T>) -> Result<Mutation<F>> + Send + Sync>;

/// The current state of a user, as a [`UserUpdateFn`] receives it.
#[derive(Clone, Copy, Debug)]
pub struct CurrentUser<'a> {
    /// The user.
    pub user: &'a User,
    /// The union of the roles of all live clients that act for the user.
    pub client_roles: Roles,
}

/// The [`UpdateFn`] of users.
pub(crate) type UserUpdateFn = Box<dyn Fn(Option<CurrentUser<'_>>) -> Result<Mutation<UserUpdate>> + Send + Sync>;

/// The new values of a user.
#[derive(Clone, Debug)]
pub struct UserUpdate {
    /// The new fields.
    pub fields: UserFields,
    /// The new password hash; `None` keeps the current one.
    pub password_hash: Option<String>,
}

/// The new values of a client.
#[derive(Clone, Debug)]
pub struct ClientUpdate {
    /// The new fields.
    pub fields: ClientFields,
    /// The new hash of the secret; `None` keeps the current one.
    pub secret_hash: Option<String>,
}

/// The new values of a long-lived token.
#[derive(Clone, Debug)]
pub struct LongLivedTokenUpdate {
    /// The new fields.
    pub fields: LongLivedTokenFields,
    /// SHA-256 of the token, in lower-case hex.
    pub hash: String,
}
