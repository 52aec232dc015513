//! The cryptography of signing in: password hashes, signing keys, tokens, random secrets. Nothing here knows the
//! store, HTTP or who may do what.

pub mod digest;
pub mod jwks;
pub mod jwt;
pub mod keys;
pub mod password;
pub mod random;
