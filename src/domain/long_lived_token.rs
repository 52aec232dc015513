//! Long-lived tokens: bearer tokens for programs that cannot use the grants of the token endpoint. The directory stores
//! only their hashes.

use super::client::ClientUid;
use super::time::Timestamp;
use super::user::UserUid;

/// A long-lived token's number, never reused.
pub type LongLivedTokenUid = i64;

/// A key to look up a long-lived token by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LongLivedTokenKey {
    /// The live token with this ID, compared without regard to case.
    Id(String),
    /// The token with this number, live or revoked.
    Uid(LongLivedTokenUid),
}

/// The fields of a long-lived token that the journal records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongLivedTokenFields {
    /// The ID by which the token is revoked. It is not the token itself.
    pub id: String,
    /// The name for people, at most [`NAME_MAX`] characters.
    pub name: String,
    /// The client that the token's requests come from.
    pub client: ClientUid,
    /// The client's generation of long-lived tokens at the time of creation. A later one ends the token.
    pub client_generation: i64,
    /// The user for whom the client acted at the time of creation, if any. Another one ends the token.
    pub user: Option<UserUid>,
    /// That user's token generation at the time of creation; 0 without a user. A later one ends the token.
    pub user_generation: i64,
    /// When the token expires.
    pub expires: Timestamp,
}

/// A long-lived token as the directory stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongLivedToken {
    /// The token's number.
    pub uid: LongLivedTokenUid,
    /// The fields of its creation.
    pub fields: LongLivedTokenFields,
    /// SHA-256 of the token, in lower-case hex.
    pub hash: String,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last change, which is the creation or the revocation.
    pub updated: Timestamp,
    /// The time of the revocation; `None` = the token is live. Its expiry and the end of its client are not recorded
    /// here.
    pub deleted: Option<Timestamp>,
    /// The version, which grows by one with each change.
    pub version: i64,
    /// The hour of the last use; `None` = the token was never used.
    pub last_used: Option<Timestamp>,
}

/// The maximum length of a token's name, in characters.
pub const NAME_MAX: usize = 100;
/// The maximum lifetime of a long-lived token, in days.
pub const DAYS_MAX: i64 = 730;
/// The lifetime of a long-lived token if none is given, in days.
pub const DAYS_DEFAULT: i64 = 365;
/// How many days before its end a long-lived token is reported to the operator.
pub const WARNING_DAYS: i64 = 30;
