//! Refresh tokens (docs/ordercloud.md, section 8): 256 random bits, stored as a digest. By default, a refresh token can
//! be used until it expires, because the vendor's SDKs send the same one repeatedly. If the client rotates refresh
//! tokens, each can be used once. A second use after the grace period means that the token was stolen, and ends all
//! tokens of the sign-in (RFC 9700, section 4.14.2).

use secrecy::ExposeSecret as _;
use tracing::{info, warn};

use crate::auth::digest::{self, sha256_hex};
use crate::auth::jwt::SubjectGeneration;
use crate::auth::random;
use crate::domain::client::Client;
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User};
use crate::service::Service;
use crate::store::RefreshToken;

use super::grant::{ClientAuth, IssuedTokens, expires_in, user_roles};
use super::status::is_current;

/// For how many seconds after its last token expires an ended family stays recorded, because clocks of nodes differ and
/// a refresh may be in progress.
const MARGIN_SECONDS: i64 = 60;

/// A new refresh token and its new family.
pub(super) struct NewRefreshToken {
    /// The refresh token, for the client.
    pub(super) token: String,
    /// The ID of the family.
    pub(super) family: String,
}

impl Service {
    /// Creates and stores the refresh token of a new sign-in, if the client has a lifetime for refresh tokens.
    pub(super) async fn first_refresh_token(
        &self,
        user: &User,
        client: &Client,
        scope: Option<Roles>,
    ) -> Result<Option<NewRefreshToken>> {
        if client.fields.refresh_minutes == 0 {
            return Ok(None);
        }
        let (token, now) = (random::token()?, self.clock.now());
        let family = self.ids.uuid(now).to_string();
        let stored = RefreshToken {
            hash: sha256_hex(&token),
            family: family.clone(),
            salt: random::token()?,
            user: user.uid,
            client: client.uid,
            user_generation: user.fields.generation,
            client_generation: client.fields.generation,
            scope: scope.map(Roles::bits),
            expires: refresh_expiry(client, now),
        };
        self.store.keep_refresh_token(stored, now).await?;
        Ok(Some(NewRefreshToken { token, family }))
    }

    /// Issues tokens for a refresh token. The roles are the present ones of user and client, limited to the scope of
    /// the sign-in.
    pub(super) async fn grant_refresh(&self, auth: &ClientAuth, token: &Secret) -> Result<IssuedTokens> {
        let client = self.authenticate_refreshing_client(auth).await?;
        let refused = |reason| {
            info!(client = client.uid, reason, "refresh refused");
            Error::SignIn(SignInError::InvalidRefreshToken)
        };
        let token = token.expose_secret();
        let stored = self.store.refresh_token(&sha256_hex(token), self.clock.now()).await?;
        let stored =
            stored.filter(|stored| stored.client == client.uid).ok_or_else(|| refused("unknown or expired"))?;
        let next =
            if client.fields.refresh_rotation { self.rotate(&client, token, &stored).await? } else { token.to_owned() };
        let user = self.current_user(&stored).await?.ok_or_else(|| refused("its user, client or sign-in has ended"))?;
        let roles = user_roles(&user, &client, stored.scope.map(Roles::from_bits))?;
        let access_token = self.client_token(Some(&user), &client, Some(&stored.family), roles).await?;
        info!(user = user.uid, client = client.uid, grant = "refresh_token", "signed in");
        Ok(IssuedTokens { access_token, expires_in: expires_in(&client), refresh_token: Some(next) })
    }

    /// Marks the token as used and returns its successor. The successor is derived from the token and its stored salt,
    /// so that several uses within the grace period return the same one. Its lifetime begins now. Fails with
    /// `InvalidRefreshToken` after the grace period; then the family has ended.
    async fn rotate(&self, client: &Client, token: &str, stored: &RefreshToken) -> Result<String> {
        let (next, now) = (digest::successor(token, &stored.salt), self.clock.now());
        let successor = RefreshToken {
            hash: sha256_hex(&next),
            salt: random::token()?,
            expires: refresh_expiry(client, now),
            ..stored.clone()
        };
        let rotated = self.store.rotate_refresh_token(&stored.hash, successor, family_end(client, now), now).await;
        self.tokens.invalidate_token_cache();
        if rotated? {
            return Ok(next);
        }
        warn!(user = stored.user, client = client.uid, "a refresh token was used again: its sign-in has ended");
        Err(Error::SignIn(SignInError::InvalidRefreshToken))
    }

    /// Ends a family and all its tokens.
    pub(super) async fn end_family(&self, client: &Client, family: &str) -> Result<()> {
        let now = self.clock.now();
        self.store.end_token(family, family_end(client, now), now).await
    }

    /// Returns the user of a refresh token, if user, client and family are still valid.
    async fn current_user(&self, stored: &RefreshToken) -> Result<Option<User>> {
        let user = SubjectGeneration { uid: stored.user, generation: stored.user_generation };
        let client = SubjectGeneration { uid: stored.client, generation: stored.client_generation };
        let status = self.store.token_status(Some(user.uid), Some(client.uid), &[&stored.family]).await?;
        let is_valid = !status.ended && is_current(&status, Some(user), Some(client));
        Ok(status.user.filter(|_| is_valid))
    }
}

fn refresh_expiry(client: &Client, now: Timestamp) -> Timestamp {
    now.plus_seconds(client.fields.refresh_minutes * 60)
}

/// The time at which the last token of a family has expired, including tokens that are being issued now.
fn family_end(client: &Client, now: Timestamp) -> Timestamp {
    let minutes = client.fields.access_minutes.max(client.fields.refresh_minutes);
    now.plus_seconds(minutes * 60 + MARGIN_SECONDS)
}
