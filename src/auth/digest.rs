//! Digests of refresh tokens: the hash that a store keeps instead of a token, and the token's successor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Returns the SHA-256 of a token in lower-case hex. A token has 256 random bits, so a fast hash is as secure as a slow
/// one.
pub(crate) fn sha256_hex(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the successor of a token, derived from the token and a salt, which have 256 random bits each. Either of them
/// alone is not enough to derive it.
pub(crate) fn successor(token: &str, salt: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("successor of a refresh token\n{salt}\n{token}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_depends_on_token_and_salt() {
        let next = successor("token", "salt");
        assert_eq!((next.len(), &next), (43, &successor("token", "salt")));
        assert!(next != successor("token", "other") && next != successor("other", "salt"));
    }

    #[test]
    fn hex_is_the_known_digest() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
