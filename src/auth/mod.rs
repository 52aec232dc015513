//! The cryptography of sign-ins: password hashes, signing keys, tokens, random secrets. Nothing here depends on the
//! store, HTTP or the rights of callers.

pub(crate) mod digest;
pub(crate) mod jwks;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod password;
pub(crate) mod random;
#[cfg(test)]
pub(crate) mod test_keys;
