//! Refresh tokens: 256 random bits, kept as a digest, used once. One that is used a second time was stolen from
//! somebody, so it ends all that descend from the same sign-in (RFC 6749, section 10.4).

use secrecy::ExposeSecret as _;
use tracing::info;

use crate::auth::digest::sha256_hex;
use crate::auth::jwt::Holder;
use crate::auth::random;
use crate::domain::client::Client;
use crate::domain::error::{Error, Result};
use crate::domain::role::Roles;
use crate::domain::user::{Secret, User};
use crate::service::Service;
use crate::store::RefreshToken;

use super::grant::{ClientAuth, Granted, expires_in, user_roles};
use super::standing::stands;

impl Service {
    /// Gives new tokens for a refresh token. The new refresh token lives its whole time from now on; the roles are
    /// the user's and the client's as they are now, cut by the scope of the sign-in.
    pub(super) async fn grant_again(&self, auth: &ClientAuth, token: &Secret) -> Result<Granted> {
        let client = self.checked_client(auth).await?;
        let refused = |reason| {
            info!(client = client.uid, reason, "refresh refused");
            Error::InvalidRefreshToken
        };
        if client.fields.refresh_minutes == 0 {
            return Err(refused("the client has no refresh tokens"));
        }
        let next = random::token()?;
        let kept = self.rotated(&client, token, &next).await?.ok_or_else(|| refused("unknown, expired or used"))?;
        let user = self.refreshed_user(&kept).await?.ok_or_else(|| refused("its user or client has changed"))?;
        let roles = user_roles(&user, &client, kept.scope.map(Roles::from_bits))?;
        let access_token = self.client_token(Some(&user), &client, roles).await?;
        info!(user = user.uid, client = client.uid, grant = "refresh_token", "signed in");
        Ok(Granted { access_token, expires_in: expires_in(&client), refresh_token: Some(next) })
    }

    /// Puts `next` in the place of the token, if it is this client's.
    async fn rotated(&self, client: &Client, token: &Secret, next: &str) -> Result<Option<RefreshToken>> {
        let (now, uid) = (self.clock.now(), client.uid);
        let expires = now.plus_seconds(client.fields.refresh_minutes * 60);
        let hash = sha256_hex(next);
        let successor = move |found: &RefreshToken| {
            if found.client != uid {
                return Err(Error::InvalidRefreshToken);
            }
            Ok(RefreshToken { hash: hash.clone(), expires, ..found.clone() })
        };
        self.store.rotate_refresh_token(&sha256_hex(token.expose_secret()), now, Box::new(successor)).await
    }

    /// The user of a refresh token, if it and the client are as good as at the sign-in.
    async fn refreshed_user(&self, kept: &RefreshToken) -> Result<Option<User>> {
        let user = Holder { uid: kept.user, generation: kept.user_generation };
        let client = Holder { uid: kept.client, generation: kept.client_generation };
        let found = self.store.token_standing(Some(user.uid), Some(client.uid), "").await?;
        let stand = stands(&found, Some(user), Some(client));
        Ok(found.user.filter(|_| stand))
    }
}
