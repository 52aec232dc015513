//! What a store keeps of tokens: the facts that decide their status, refresh tokens and signing keys.

use crate::domain::client::{Client, ClientUid};
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};

/// The stored facts that decide whether a token is valid, read in one snapshot.
#[derive(Clone, Debug)]
pub struct TokenStatus {
    /// The user that the token names, live or deleted; `None` if the token names no user or an unknown one.
    pub user: Option<User>,
    /// The client that the token names, live or deleted; `None` if the token names no client or an unknown one.
    pub client: Option<Client>,
    /// Whether the token itself or its family was ended.
    pub ended: bool,
}

/// A refresh token as the store keeps it. The store never sees the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token, in lower-case hex.
    pub hash: String,
    /// The ID of the token family: all access and refresh tokens that one sign-in led to.
    pub family: String,
    /// 256 random bits. The service derives the successor from the token and this salt.
    pub salt: String,
    /// The user who signed in.
    pub user: UserUid,
    /// The client through which the user signed in.
    pub client: ClientUid,
    /// The user's token generation at sign-in. A later generation invalidates the token.
    pub user_generation: i64,
    /// The client's token generation at sign-in. A later generation invalidates the token.
    pub client_generation: i64,
    /// The roles requested at sign-in, as bits; `None` = all roles.
    pub scope: Option<u8>,
    /// When the token expires.
    pub expires: Timestamp,
}

/// A key that signs access tokens, as the store keeps it.
#[derive(Clone)]
pub struct SigningKey {
    /// What everybody may know of the key.
    pub published: PublishedKey,
    /// The private key, PKCS#8 PEM.
    pub pem: String,
}
