//! The token endpoint's grants (RFC 6749, sections 4.3, 4.4 and 6) and the rights of what they give.

use tracing::info;

use crate::auth::digest::sha256_hex;
use crate::auth::jwt::{self, Claims, Holder};
use crate::auth::random;
use crate::domain::client::Client;
use crate::domain::error::{Error, Result};
use crate::domain::role::Roles;
use crate::domain::user::{Secret, User, UserKey};
use crate::service::Service;
use crate::store::RefreshToken;

use super::standing::is_live;

/// How a client names itself.
#[derive(Clone, Debug)]
pub struct ClientAuth {
    /// The `client_id`, in any case.
    pub id: String,
    /// None or empty: no secret was sent.
    pub secret: Option<Secret>,
}

/// What is asked of the token endpoint. A `scope` is a list of role names divided by spaces; absent or empty, it is
/// no wish at all.
#[derive(Clone, Debug)]
pub enum Grant {
    ClientCredentials { client: ClientAuth, scope: Option<String> },
    Password { client: ClientAuth, username: String, password: Secret, scope: Option<String> },
    RefreshToken { client: ClientAuth, token: Secret },
}

/// What the token endpoint gives.
#[derive(Clone, Debug)]
pub struct Granted {
    pub access_token: String,
    /// For how many more seconds the access token is valid for certain: one less than its lifetime, as it expires
    /// with a whole second.
    pub expires_in: i64,
    /// Only where the client has a lifetime for them.
    pub refresh_token: Option<String>,
}

/// Who a token stands and falls with.
#[derive(Clone, Copy)]
pub(super) struct Holders<'a> {
    pub(super) user: Option<&'a User>,
    pub(super) client: Option<&'a Client>,
}

impl Service {
    /// Answers a grant (docs/ordercloud.md, section 8). Fails with `InvalidClient`, `InvalidCredentials`,
    /// `CredentialsRequired`, `InvalidRefreshToken`, or `InvalidScope` where no role is left.
    pub async fn grant(&self, grant: Grant) -> Result<Granted> {
        match grant {
            Grant::ClientCredentials { client, scope } => self.grant_to_client(&client, scope.as_deref()).await,
            Grant::Password { client, username, password, scope } => {
                self.grant_to_user(&client, &username, &password, scope.as_deref()).await
            }
            Grant::RefreshToken { client, token } => self.grant_again(&client, &token).await,
        }
    }

    /// The client's own rights; its user only names who acts. No refresh token: the client can just ask again
    /// (RFC 6749, section 4.4.3).
    async fn grant_to_client(&self, auth: &ClientAuth, scope: Option<&str>) -> Result<Granted> {
        let client = self.checked_client(auth).await?;
        let refused = |reason| {
            info!(client = client.uid, reason, "sign-in refused");
            Error::InvalidClient
        };
        if client.secret_hash.is_none() {
            return Err(refused("a public client has no rights of its own"));
        }
        let user = match client.fields.user {
            None => None,
            Some(uid) => {
                let found = self.store.user(&UserKey::Uid(uid)).await?.filter(is_live);
                Some(found.ok_or_else(|| refused("its user is deleted or inactive"))?)
            }
        };
        let roles = cut_by_scope(client.fields.roles, asked_roles(scope))?;
        let access_token = self.client_token(user.as_ref(), &client, roles).await?;
        info!(client = client.uid, grant = "client_credentials", "signed in");
        Ok(Granted { access_token, expires_in: expires_in(&client), refresh_token: None })
    }

    async fn grant_to_user(
        &self,
        auth: &ClientAuth,
        username: &str,
        password: &Secret,
        scope: Option<&str>,
    ) -> Result<Granted> {
        let client = self.checked_client(auth).await?;
        let user = self.signed_in(username, password).await?;
        let scope = asked_roles(scope);
        let roles = user_roles(&user, &client, scope)?;
        let access_token = self.client_token(Some(&user), &client, roles).await?;
        let refresh_token = self.first_refresh_token(&user, &client, scope).await?;
        info!(user = user.uid, client = client.uid, grant = "password", "signed in");
        Ok(Granted { access_token, expires_in: expires_in(&client), refresh_token })
    }

    async fn first_refresh_token(&self, user: &User, client: &Client, scope: Option<Roles>) -> Result<Option<String>> {
        if client.fields.refresh_minutes == 0 {
            return Ok(None);
        }
        let (token, now) = (random::token()?, self.clock.now());
        let kept = RefreshToken {
            hash: sha256_hex(&token),
            family: self.ids.uuid(now).to_string(),
            user: user.uid,
            client: client.uid,
            user_generation: user.fields.generation,
            client_generation: client.fields.generation,
            scope: scope.map(Roles::bits),
            expires: now.plus_seconds(client.fields.refresh_minutes * 60),
        };
        self.store.keep_refresh_token(kept, now).await?;
        Ok(Some(token))
    }

    pub(super) async fn client_token(&self, user: Option<&User>, client: &Client, roles: Roles) -> Result<String> {
        self.access_token(Holders { user, client: Some(client) }, roles, client.fields.access_minutes).await
    }

    /// Signs a token with these roles that lives for so many minutes.
    pub(super) async fn access_token(&self, holders: Holders<'_>, roles: Roles, minutes: i64) -> Result<String> {
        let (now, Holders { user, client }) = (self.clock.now(), holders);
        let claims = Claims {
            usr: user.map(|user| user.fields.username.clone()),
            cid: client.map(|client| client.fields.id.clone()),
            u: user.map(|user| user.fields.id.to_string()),
            usrtype: "admin".to_owned(),
            role: roles.names().map(str::to_owned).collect(),
            iss: self.tokens.issuer.clone(),
            aud: self.tokens.issuer.clone(),
            exp: now.as_seconds() + minutes * 60,
            nbf: now.as_seconds(),
            iat: now.as_seconds(),
            jti: self.ids.uuid(now).to_string(),
            user: user.map(|user| Holder { uid: user.uid, generation: user.fields.generation }),
            client: client.map(|client| Holder { uid: client.uid, generation: client.fields.generation }),
        };
        jwt::sign(&self.tokens.keys.signer(self).await?.key, &claims)
    }
}

/// How long the client's access tokens are valid for certain, in seconds.
pub(super) fn expires_in(client: &Client) -> i64 {
    client.fields.access_minutes * 60 - 1
}

/// The user's roles, cut to the client's if it has any, and by the scope.
pub(super) fn user_roles(user: &User, client: &Client, scope: Option<Roles>) -> Result<Roles> {
    let (of_user, of_client) = (user.fields.roles, client.fields.roles);
    let held = if of_client.is_empty() { of_user } else { of_user.cut_to(of_client) };
    cut_by_scope(held, scope)
}

/// The roles that a scope asks for; `None` where it asks for nothing. Unknown names count for nothing.
fn asked_roles(scope: Option<&str>) -> Option<Roles> {
    let mut names = scope?.split(' ').filter(|name| !name.is_empty()).peekable();
    names.peek()?;
    Some(Roles::from_names(names))
}

/// The roles asked for that are held, FullAccess covering any; without a wish, all that are held. `InvalidScope`
/// where none is left.
fn cut_by_scope(held: Roles, asked: Option<Roles>) -> Result<Roles> {
    let left = match asked {
        None => held,
        Some(asked) => {
            let covered = |(role, _): &(Roles, _)| asked.contains(*role) && held.cover(*role);
            Roles::NAMES.into_iter().filter(covered).fold(Roles::NONE, |left, (role, _)| left.with(role))
        }
    };
    if left.is_empty() { Err(Error::InvalidScope) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_names_roles() {
        assert_eq!(asked_roles(None), None);
        assert_eq!(asked_roles(Some("  ")), None);
        assert_eq!(asked_roles(Some("Shopper")), Some(Roles::NONE));
        assert_eq!(
            asked_roles(Some("AdminUserGroupReader  Shopper FullAccess")),
            Some(Roles::GROUP_READER.with(Roles::FULL_ACCESS))
        );
    }

    #[test]
    fn a_scope_cuts() {
        let (full, admin, reader) = (Roles::FULL_ACCESS, Roles::GROUP_ADMIN, Roles::GROUP_READER);
        let left = |held, asked| cut_by_scope(held, asked).ok();
        assert_eq!(left(full, Some(reader)), Some(reader));
        assert_eq!(left(full.with(admin), Some(full)), Some(full));
        assert_eq!(left(admin.with(reader), Some(reader.with(Roles::USER_ADMIN))), Some(reader));
        assert_eq!(left(admin, None), Some(admin));
        assert_eq!(left(admin, Some(full)), None);
        assert_eq!(left(admin, Some(Roles::NONE)), None);
        assert_eq!(left(Roles::NONE, None), None);
    }
}
