//! Signing keys: RSA with 2048 bits, stored as PKCS#8 in PEM.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use jsonwebtoken::{DecodingKey, EncodingKey};
use pem::{EncodeConfig, LineEnding, Pem};

use super::jwks::Jwk;
use crate::domain::error::{Error, Result};

/// A signing key, ready to sign and verify.
pub(crate) struct Key {
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    jwk: Jwk,
}

impl Key {
    /// Reads the private key with the ID `kid` from PEM. Fails with `Internal` if the text is not an RSA key.
    pub(crate) fn from_pem(kid: String, pem: &str) -> Result<Self> {
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)?;
        let pair = RsaKeyPair::from_der(signing.as_bytes()).map_err(Error::internal)?;
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let verifying = DecodingKey::from_rsa_raw_components(&n, &e);
        Ok(Self { signing, verifying, jwk: Jwk::rsa(kid, &n, &e) })
    }

    /// The key ID, which the header of a token contains.
    pub(crate) fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// Generates a private key, as PEM. This takes most of a second of CPU time, so do not call it on a runtime thread.
/// Fails with `Internal` if the library cannot generate one.
pub(crate) fn generate_pem() -> Result<String> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(Error::internal)?;
    let der: Pkcs8V1Der<'static> = pair.as_der().map_err(Error::internal)?;
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Ok(pem::encode_config(&Pem::new("PRIVATE KEY", der.as_ref()), lines))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_generated_key_is_read_again() {
        let pem = generate_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= 64));
        let key = Key::from_pem("k1".to_owned(), &pem).unwrap();
        assert_eq!((key.kid(), key.jwk().e.as_str()), ("k1", "AQAB"));
        assert_eq!(URL_SAFE_NO_PAD.decode(&key.jwk().n).unwrap().len(), 256);
        assert_eq!(key.jwk(), Key::from_pem("k1".to_owned(), &pem).unwrap().jwk());
    }

    #[test]
    fn an_invalid_key_is_an_internal_error() {
        for text in ["", "k1", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(Key::from_pem("k1".to_owned(), text), Err(Error::Internal(_))));
        }
    }
}
