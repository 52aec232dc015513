//! Tokens: who gets one, what it is good for, and when it ends (docs/ordercloud.md, section 8; docs/core.md,
//! section 5). One issuer for every API.

mod grant;
mod keys;
mod refresh;
mod sign_in;
mod standing;
#[cfg(test)]
mod tests;

pub use grant::{ClientAuth, Grant, Granted};
pub use keys::KeyStanding;
pub use sign_in::LoggedOn;

use crate::auth::jwks::Jwk;
use crate::domain::error::{Error, Kind, Result};

use super::Service;
use keys::Keys;
use standing::Known;

/// What the service remembers of tokens between requests.
pub struct Tokens {
    issuer: String,
    keys: Keys,
    known: Known,
}

impl Tokens {
    /// Nothing remembered yet; tokens carry `issuer` as `iss` and `aud`.
    pub fn new(issuer: String) -> Self {
        Self { issuer, keys: Keys::default(), known: Known::default() }
    }

    /// A user, a client or a token may have ended: every token's standing is asked anew. To be called after the
    /// change was committed.
    pub fn standing_changed(&self) {
        self.known.forget();
    }
}

impl Service {
    /// Makes the first signing key where the directory has none.
    pub async fn ensure_signing_key(&self) -> Result<()> {
        self.tokens.keys.reload(self).await?;
        if self.tokens.keys.all().is_empty() {
            keys::make_first(self).await?;
            self.tokens.keys.reload(self).await?;
        }
        Ok(())
    }

    /// The public signing keys, the newest first; those that sign only later are among them.
    pub async fn certificates(&self) -> Result<Vec<Jwk>> {
        self.tokens.keys.refresh(self).await?;
        Ok(self.tokens.keys.all().iter().map(|held| held.key.jwk().clone()).collect())
    }

    /// The public signing key with this name, or `NotFound`.
    pub async fn certificate(&self, kid: &str) -> Result<Jwk> {
        let found = self.tokens.keys.find(self, kid).await?;
        found.map(|held| held.key.jwk().clone()).ok_or_else(|| Error::NotFound(Kind::Certificate, kid.to_owned()))
    }
}
