//! API clients: the programs that ask for tokens.

use super::community::Communities;
use super::role::Roles;
use super::time::Timestamp;
use super::user::UserUid;

/// A client's number, never reused.
pub type ClientUid = i64;

/// How a client is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// The live client with this `client_id`, compared without regard to case.
    Id(String),
    /// The client with this number, live or deleted.
    Uid(ClientUid),
    /// No client yet.
    New,
}

/// What is written of a client and told in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFields {
    /// The `client_id`.
    pub id: String,
    pub name: String,
    pub roles: Roles,
    /// The communities the client is limited to; none = not limited.
    pub communities: Communities,
    /// Who acts where the client signs in for itself.
    pub user: Option<UserUid>,
    /// How long an access token lives, in minutes.
    pub access_minutes: i64,
    /// How long a refresh token lives, in minutes; 0 = none is given.
    pub refresh_minutes: i64,
    pub enabled: bool,
    /// Tokens made under an earlier generation are revoked.
    pub generation: i64,
    /// When the secret was set last; none = a public client.
    pub secret_set: Option<Timestamp>,
}

/// A client as the directory holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub uid: ClientUid,
    pub fields: ClientFields,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub deleted: Option<Timestamp>,
    pub version: i64,
    /// The hash of the secret; none = a public client.
    pub secret_hash: Option<String>,
}

/// The longest a client's name or `client_id` may be, in characters.
pub const TEXT_MAX: usize = 100;
/// The shortest a preset secret may be, in characters.
pub const SECRET_MIN: usize = 20;
/// The longest a secret may be, in characters.
pub const SECRET_MAX: usize = 128;
/// The longest a token may live, in minutes: a year.
pub const LIFETIME_MAX: i64 = 525_600;
