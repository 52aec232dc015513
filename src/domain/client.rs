//! API clients: the programs that request tokens.

use secrecy::ExposeSecret as _;

use super::community::Communities;
use super::role::Roles;
use super::time::Timestamp;
use super::user::{UserUid, normalize_secret};

/// A client's number, never reused.
pub type ClientUid = i64;

/// A key to look up a client by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// The live client with this `client_id`, compared without regard to case.
    Id(String),
    /// The client with this number, live or deleted.
    Uid(ClientUid),
}

/// The fields of a client that the operator sets and the journal records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFields {
    /// The `client_id`, at most [`TEXT_MAX`] characters.
    pub id: String,
    /// The name for people, at most [`TEXT_MAX`] characters.
    pub name: String,
    /// The roles that the client may use.
    pub roles: Roles,
    /// The communities that the client is limited to; empty = not limited.
    pub communities: Communities,
    /// The user for whom the client acts if it signs in by itself; `None` = it acts for no user.
    pub user: Option<UserUid>,
    /// The lifetime of an access token, in minutes; at most [`LIFETIME_MAX`].
    pub access_minutes: i64,
    /// The lifetime of a refresh token, in minutes from its issue; at most [`LIFETIME_MAX`]; 0 = the client gets none.
    pub refresh_minutes: i64,
    /// Whether each use of a refresh token replaces it with a new one.
    pub refresh_rotation: bool,
    /// Whether the client may get tokens; the tokens of a disabled client are refused.
    pub enabled: bool,
    /// Whether SCIM refuses a change of members that names unknown users, rather than ignoring these.
    pub strict_members: bool,
    /// The maximum share of a group's members that one SCIM request may remove, in percent; `None` = no limit.
    pub max_removal_percent: Option<i64>,
    /// The generation of the client's tokens: tokens of an earlier one are revoked.
    pub generation: i64,
    /// The generation of the client's long-lived tokens: those of an earlier one have ended. It grows when the client is
    /// disabled, and not with a new secret.
    pub long_lived_generation: i64,
    /// The time of the last change of the secret; `None` = a public client.
    pub secret_set: Option<Timestamp>,
}

/// A client as the directory stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's number.
    pub uid: ClientUid,
    /// The fields that the operator sets.
    pub fields: ClientFields,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last change.
    pub updated: Timestamp,
    /// The time of deletion; `None` = the client is live.
    pub deleted: Option<Timestamp>,
    /// The version, which grows by one with each change.
    pub version: i64,
    /// The hash of the secret, as a PHC string; `None` = a public client.
    pub secret_hash: Option<String>,
}

/// The maximum length of a client's name and `client_id`, in characters.
pub const TEXT_MAX: usize = 100;
/// The minimum length of a secret that the operator chooses, in characters.
pub const SECRET_MIN: usize = 20;
/// The maximum length of a secret, in characters.
pub const SECRET_MAX: usize = 128;

/// Whether the text may be the secret of a client: after normalization [`SECRET_MIN`] to [`SECRET_MAX`] characters, no
/// NUL.
pub fn is_valid_secret(secret: &str) -> bool {
    let secret = normalize_secret(secret);
    let secret = secret.expose_secret();
    (SECRET_MIN..=SECRET_MAX).contains(&secret.chars().count()) && !secret.contains('\0')
}

/// The maximum lifetime of a token, in minutes: 365 days.
pub const LIFETIME_MAX: i64 = 525_600;
/// The lifetime of access tokens if none is given, in minutes: ten hours.
pub const ACCESS_MINUTES_DEFAULT: i64 = 600;
/// The maximum share of members that may be removed, in percent.
pub const PERCENT_MAX: i64 = 100;
