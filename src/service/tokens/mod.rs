//! Tokens: issue, roles, validity and revocation (docs/ordercloud.md, section 8; docs/core.md, section 5). All APIs
//! share one issuer.

mod grant;
mod keys;
mod long_lived;
mod refresh;
mod sessions;
mod sign_in;
mod status;
#[cfg(test)]
mod tests;

pub use grant::{ClientAuth, Grant, IssuedTokens};
pub use keys::{KEY_PUBLISHED_SECONDS, KeyState, KeyStatus, PUBLIC_KEYS_MAX_AGE, PUBLISH_SECONDS};
pub use long_lived::NewLongLivedToken;
pub(crate) use sessions::SignedIn;
pub use sign_in::LogOnResult;

use crate::auth::jwks::Jwk;
use crate::domain::caller::{OperateDirectory, Permit};
use crate::domain::error::{Error, ResourceKind, Result};

use super::Service;
use keys::Keys;
use long_lived::NotedUses;
use status::TokenCache;

/// The issuer, and the caches of signing keys and verified tokens.
pub struct Tokens {
    issuer: String,
    keys: Keys,
    token_cache: TokenCache,
    noted_uses: NotedUses,
}

impl Tokens {
    /// Creates empty caches. Tokens have `issuer` as `iss` and `aud`.
    pub fn new(issuer: String) -> Self {
        Self { issuer, keys: Keys::default(), token_cache: TokenCache::default(), noted_uses: NotedUses::default() }
    }

    /// Invalidates the cached status of all tokens. Call it after the commit of a change that may end a user, a client
    /// or a token.
    pub fn invalidate_token_cache(&self) {
        self.token_cache.invalidate();
    }
}

impl Service {
    /// The issuer and audience of tokens.
    pub fn issuer(&self) -> &str {
        &self.tokens.issuer
    }

    /// Creates the first signing key if the directory has none.
    pub async fn ensure_signing_key(&self, permit: &Permit<OperateDirectory>) -> Result<()> {
        self.tokens.keys.reload(self).await?;
        if self.tokens.keys.all().is_empty() {
            keys::create_first(self, self.operation(permit)).await?;
            self.tokens.keys.reload(self).await?;
        }
        Ok(())
    }

    /// Returns the public keys, the newest first, including those that do not sign yet.
    pub async fn certificates(&self) -> Result<Vec<Jwk>> {
        self.tokens.keys.refresh(self).await?;
        Ok(self.tokens.keys.all().iter().map(|loaded| loaded.key.jwk().clone()).collect())
    }

    /// Returns the public key with this key ID. Fails with `NotFound`.
    pub async fn certificate(&self, kid: &str) -> Result<Jwk> {
        let key = self.tokens.keys.find(self, kid).await?;
        key.map(|loaded| loaded.key.jwk().clone())
            .ok_or_else(|| Error::NotFound(ResourceKind::Certificate, kid.to_owned()))
    }
}
