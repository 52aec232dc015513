//! The keys that sign access tokens, without their key material.

use super::time::Timestamp;

/// What everybody may know of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// The key ID, as token headers name it.
    pub kid: String,
    /// When the key starts to sign. It is published before that.
    pub signs_from: Timestamp,
}
