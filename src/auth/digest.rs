//! Digests of refresh tokens: what a store keeps in place of the token.

use sha2::{Digest as _, Sha256};

/// SHA-256 of a token in lower-case hex. A token is 256 random bits, so a plain digest is as good as a slow hash.
pub fn sha256_hex(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_the_known_digest() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
