//! JSON Web Keys: the public format of signing keys (RFC 7517; RFC 7518, section 6.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// The public half of a signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Always `RSA`.
    pub kty: &'static str,
    /// Always `sig`: the key verifies signatures.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Always `RS256`.
    pub alg: &'static str,
    /// The key ID, which the header of a token contains.
    pub kid: String,
    /// The modulus: big-endian, unpadded base64url.
    pub n: String,
    /// The public exponent: big-endian, unpadded base64url.
    pub e: String,
}

impl Jwk {
    /// Returns the key `kid` with this modulus and exponent, both big-endian without leading zeros.
    pub fn rsa(kid: String, modulus: &[u8], exponent: &[u8]) -> Self {
        let [n, e] = [modulus, exponent].map(|number| URL_SAFE_NO_PAD.encode(number));
        Self { kty: "RSA", usage: "sig", alg: "RS256", kid, n, e }
    }
}
