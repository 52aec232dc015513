//! What a store does for the directory. Every method is one transaction; `Ok(None)` means that there is no such
//! thing. A store keeps, finds and orders; the rules of what may be written are the caller's, and reach the
//! transaction as an [`Edit`].

pub mod copy;
pub mod migrate;
pub mod postgres;
pub mod sql;
pub mod sqlite;
#[cfg(test)]
pub mod suite;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::client::{Client, ClientFields, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::group::{Group, GroupFields, GroupKey, GroupUid, Outline};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::membership::{Membership, MembershipChange, MembershipQuery};
use crate::domain::query::{GroupQuery, Listed, UserQuery};
use crate::domain::shared::Shared;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserFields, UserKey, UserUid};

/// What an [`Edit`] makes of the thing it was shown.
#[derive(Clone, Debug)]
pub enum Write<F> {
    /// These are its fields now. The same fields as before are no change at all.
    Put(F),
    /// Leave a tombstone.
    Delete,
}

/// The rule by which a thing is written, called inside the transaction with the thing as it is, or with `None`
/// where the key finds nothing. An error rolls back. A store may call it again after a conflict.
pub type Edit<T, F> = Box<dyn Fn(Option<&T>) -> Result<Write<F>> + Send + Sync>;

/// What a thing is to be, by the rule of a batch: called inside the transaction with the live thing that has the ID, or
/// with `None` where there is none. An error refuses this one thing of the batch. A store may call it again after a
/// conflict.
pub type Put<T, F> = Box<dyn Fn(Option<&T>) -> Result<F> + Send + Sync>;

/// One thing of a batch.
pub enum Item {
    /// The group with the ID. One that is made gets the number, if one is given.
    Group { id: Id, uid: Option<GroupUid>, put: Put<Group, GroupFields> },
    /// The user with the ID.
    User { id: Id, put: Put<User, UserFields> },
    /// The user is in the group.
    Member(Membership),
}

/// What became of an item of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemChange {
    Created,
    Updated,
    Unchanged,
}

impl ItemChange {
    /// What was done to a thing that was there before or not.
    pub const fn of(was_there: bool) -> Self {
        if was_there { Self::Updated } else { Self::Created }
    }
}

/// The most items of a batch.
pub const BATCH_MAX: usize = 10_000;

/// Makes the next refresh token of a family from the one that is used up, inside the transaction.
pub type Successor = Box<dyn Fn(&RefreshToken) -> Result<RefreshToken> + Send + Sync>;

/// A user's fields and, if it is to change, the hash of the password.
#[derive(Clone, Debug)]
pub struct UserWrite {
    pub fields: UserFields,
    pub password_hash: Option<String>,
}

/// A client's fields and, if it is to change, the hash of the secret.
#[derive(Clone, Debug)]
pub struct ClientWrite {
    pub fields: ClientFields,
    pub secret_hash: Option<String>,
}

/// What a token's standing depends on, from one snapshot.
#[derive(Clone, Debug)]
pub struct TokenStanding {
    /// The user, if the token names one and it was ever there; perhaps deleted.
    pub user: Option<User>,
    /// The client, likewise.
    pub client: Option<Client>,
    /// Whether the token itself was ended by a logoff.
    pub ended: bool,
}

/// A refresh token as it is kept: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token, in lower-case hex.
    pub hash: String,
    /// All tokens that descend from one sign-in.
    pub family: String,
    pub user: UserUid,
    pub client: ClientUid,
    pub user_generation: i64,
    pub client_generation: i64,
    /// The roles asked for at sign-in, by bits; none = all.
    pub scope: Option<u8>,
    pub expires: Timestamp,
}

/// A signing key as it is kept.
#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    /// The private key, PKCS#8 PEM.
    pub pem: String,
    /// From when on it signs; it is published before.
    pub signs_from: Timestamp,
}

/// The durable directory.
#[async_trait]
pub trait Store: Send + Sync {
    /// The language whose label is a group's Name, fixed when the database was made.
    fn default_language(&self) -> &Tag;

    /// A group, by any key but `New`; with [`GroupKey::Uid`] also a deleted one.
    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<Shared<Group>>>>;
    /// One page of the groups that match.
    async fn list_groups(&self, query: GroupQuery) -> Result<Listed<Group>>;
    /// The first `limit` visible live groups with a number above `after`, in order of their numbers.
    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<Outline>>;
    /// Writes one group by the rule; gives the group as it is now.
    /// Fails with `AlreadyExists` where the new ID is another live group's.
    async fn write_group(&self, operation: Operation, key: GroupKey, edit: Edit<Group, GroupFields>) -> Result<Group>;

    /// A user, by any key but `New`; with [`UserKey::Uid`] also a deleted one.
    async fn user(&self, key: &UserKey) -> Result<Option<User>>;
    /// One page of the users that match.
    async fn list_users(&self, query: UserQuery) -> Result<Listed<User>>;
    /// Writes one user by the rule; gives the user as it is now.
    /// Fails with `AlreadyExists` or `UsernameTaken` where another live user has the ID or username.
    async fn write_user(&self, operation: Operation, key: UserKey, edit: Edit<User, UserWrite>) -> Result<User>;

    /// One page of the memberships that match.
    async fn list_memberships(&self, query: MembershipQuery) -> Result<Listed<Membership>>;
    /// Puts the user into the group.
    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange>;
    /// Takes the user out of the group.
    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange>;

    /// Writes the things, at most [`BATCH_MAX`], one after the other, with one entry in the journal that names all that
    /// changed. Gives what became of each: one that is refused (by its rule; with `AlreadyExists` or `UsernameTaken` as
    /// with the single writes; a group's number that is taken with `Invalid`; a membership with `NotFound`) leaves no
    /// trace, and the others stand. The things of one batch see those before them.
    async fn write_batch(&self, operation: Operation, items: Vec<Item>) -> Result<Vec<Result<ItemChange>>>;

    /// A client, by any key but `New`; with [`ClientKey::Uid`] also a deleted one.
    async fn client(&self, key: &ClientKey) -> Result<Option<Client>>;
    /// The first `limit` live clients with a number above `after`, in order of their numbers.
    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>>;
    /// Writes one client by the rule; gives the client as it is now.
    /// Fails with `AlreadyExists` where another live client has the `client_id`.
    async fn write_client(
        &self,
        operation: Operation,
        key: ClientKey,
        edit: Edit<Client, ClientWrite>,
    ) -> Result<Client>;

    /// What a sign-in by this username is checked against.
    async fn credentials(&self, username: &str) -> Result<Option<Credentials>>;
    /// Counts a sign-in that was tried at `at`: a success clears the failures, the tenth failure locks for ten
    /// minutes. Gives whether the user may come in: not while locked, inactive or deleted, whatever was tried.
    async fn count_sign_in(&self, user: UserUid, at: Timestamp, succeeded: bool) -> Result<bool>;
    /// Forgets the user's failures and lock; `false` if there is no live user with that number.
    async fn unlock(&self, user: UserUid) -> Result<bool>;

    /// What the standing of a token depends on.
    async fn token_standing(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        jti: &str,
    ) -> Result<TokenStanding>;
    /// Ends one token until it expires by itself; forgets those that have, as of `now`.
    async fn end_token(&self, jti: &str, expires: Timestamp, now: Timestamp) -> Result<()>;
    /// Keeps a refresh token; forgets those that have expired, as of `now`.
    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()>;
    /// Uses a refresh token up and keeps its `successor`, made from the one found. `None` for an unknown or
    /// expired one. One that was used before ends its family, and gives `None` too.
    async fn rotate_refresh_token(
        &self,
        hash: &str,
        now: Timestamp,
        successor: Successor,
    ) -> Result<Option<RefreshToken>>;

    /// The signing keys, the newest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>>;
    /// Keeps a signing key, unless there are keys already and `only_first` is set.
    async fn add_signing_key(&self, key: SigningKey, only_first: bool) -> Result<()>;

    /// Whether a client was ever made: a database without one is new.
    async fn has_clients(&self) -> Result<bool>;
    /// Fails unless the store can be read and written now.
    async fn ready(&self) -> Result<()>;
    /// Writes a consistent copy of the whole store to a new file.
    async fn backup(&self, to: &Path) -> Result<()>;
    /// Finishes what is queued and lets go of the database; later calls fail.
    async fn close(&self);
}
