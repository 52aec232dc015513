//! Signing keys: RSA with 2048 bits, kept as PKCS#8 in PEM.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::jwks::Jwk;
use crate::domain::error::{Error, Result};

/// Characters of base64 on a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// A signing key, ready to sign and verify.
pub struct Key {
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    jwk: Jwk,
}

impl Key {
    /// Reads the private key `kid` from PEM; fails with `Internal` where it is no RSA key.
    pub fn from_pem(kid: String, pem: &str) -> Result<Self> {
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)?;
        let pair = RsaKeyPair::from_der(signing.as_bytes()).map_err(Error::internal)?;
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let verifying = DecodingKey::from_rsa_raw_components(&n, &e);
        Ok(Self { signing, verifying, jwk: Jwk::rsa(kid, &n, &e) })
    }

    /// The name of the key in the header of its tokens.
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The public half.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// Makes a new private key, as PEM. Takes a good part of a second of one core: not for a runtime thread.
pub fn generate_pem() -> Result<String> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(Error::internal)?;
    let der: Pkcs8V1Der<'static> = pair.as_der().map_err(Error::internal)?;
    let base64 = STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (at, character) in base64.char_indices() {
        if at > 0 && at % PEM_LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_generated_key_is_read_again() {
        let pem = generate_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= PEM_LINE));
        let key = Key::from_pem("k1".to_owned(), &pem).unwrap();
        assert_eq!((key.kid(), key.jwk().e.as_str()), ("k1", "AQAB"));
        assert_eq!(URL_SAFE_NO_PAD.decode(&key.jwk().n).unwrap().len(), 256);
        assert_eq!(key.jwk(), Key::from_pem("k1".to_owned(), &pem).unwrap().jwk());
    }

    #[test]
    fn what_is_no_key_is_a_defect() {
        for text in ["", "k1", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(Key::from_pem("k1".to_owned(), text), Err(Error::Internal(_))));
        }
    }
}
