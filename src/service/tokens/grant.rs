//! The grants of the token endpoint (RFC 6749, sections 4.3, 4.4 and 6) and the roles of the tokens they issue.

use crate::auth::jwt::{self, Claims, SubjectGeneration};
use crate::domain::client::Client;
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::role::Roles;
use crate::domain::sign_in::{Origin, Refusal};
use crate::domain::user::{Secret, User, UserKey};
use crate::service::Service;

use super::status::is_active;

/// The credentials of a client.
#[derive(Clone, Debug)]
pub struct ClientAuth {
    /// The `client_id`, case-insensitive.
    pub id: String,
    /// The secret. `None` or empty: the client sent none.
    pub secret: Option<Secret>,
}

/// A request to the token endpoint. A scope is a list of role names separated by spaces. An absent or empty scope
/// requests all roles.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A token for the client itself.
    ClientCredentials {
        /// The credentials of the client.
        client: ClientAuth,
        /// The requested roles.
        scope: Option<String>,
    },
    /// A token for a user.
    Password {
        /// The credentials of the client.
        client: ClientAuth,
        /// The name of the user.
        username: String,
        /// The password of the user.
        password: Secret,
        /// The requested roles.
        scope: Option<String>,
    },
    /// A new token for the user of a refresh token.
    RefreshToken {
        /// The credentials of the client.
        client: ClientAuth,
        /// The refresh token.
        token: Secret,
    },
}

/// The response of the token endpoint.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    /// The access token, a JWT.
    pub access_token: String,
    /// For how many seconds the access token is at least valid: one less than its lifetime, because it expires at a
    /// whole second.
    pub expires_in: i64,
    /// The refresh token, if the client has a lifetime for them.
    pub refresh_token: Option<String>,
}

/// The user, the client and the token family whose end also ends a token.
#[derive(Clone, Copy)]
pub(super) struct TokenSubject<'a> {
    /// The user, if the token is for one.
    pub(super) user: Option<&'a User>,
    /// The client, unless the user logged on without one.
    pub(super) client: Option<&'a Client>,
    /// The family of the refresh token issued with it.
    pub(super) family: Option<&'a str>,
}

impl Service {
    /// Issues tokens for a grant (docs/ordercloud.md, section 8). Fails with `InvalidClient`, `InvalidCredentials`,
    /// `CredentialsRequired`, `InvalidRefreshToken`, or `InvalidScope` if the token would have no role.
    pub async fn grant(&self, grant: Grant, origin: Origin) -> Result<IssuedTokens> {
        match grant {
            Grant::ClientCredentials { client, scope } => self.grant_to_client(&client, scope.as_deref(), origin).await,
            Grant::Password { client, username, password, scope } => {
                let client = self.authenticate_client(&client, origin).await?;
                let user = self.authenticate_user(&username, &password, Some(client.uid), origin).await?;
                self.grant_to_user(&user, &client, scope.as_deref(), origin).await
            }
            Grant::RefreshToken { client, token } => self.grant_refresh(&client, &token).await,
        }
    }

    /// Issues a token with the roles of the client. Its user is only the actor in the journal. There is no refresh
    /// token, because the client can repeat the grant (RFC 6749, section 4.4.3).
    async fn grant_to_client(&self, auth: &ClientAuth, scope: Option<&str>, origin: Origin) -> Result<IssuedTokens> {
        let client = self.authenticate_client(auth, origin).await?;
        let refused = |refusal| {
            self.refuse(None, Some(client.uid), refusal, origin);
            Error::SignIn(SignInError::InvalidClient)
        };
        if client.secret_hash.is_none() {
            return Err(refused(Refusal::PublicClient));
        }
        let user = match client.fields.user {
            None => None,
            Some(uid) => {
                let user = self.store.user(&UserKey::Uid(uid)).await?.filter(is_active);
                Some(user.ok_or_else(|| refused(Refusal::UserOfClient))?)
            }
        };
        let roles = limit_to_scope(client.fields.roles, requested_roles(scope))
            .inspect_err(|_| self.refuse(None, Some(client.uid), Refusal::NoRoleInScope, origin))?;
        let access_token = self.client_token(user.as_ref(), &client, None, roles).await?;
        self.accept(None, Some(client.uid), "client_credentials", origin);
        Ok(IssuedTokens { access_token, expires_in: expires_in(&client), refresh_token: None })
    }

    async fn grant_to_user(
        &self,
        user: &User,
        client: &Client,
        scope: Option<&str>,
        origin: Origin,
    ) -> Result<IssuedTokens> {
        let scope = requested_roles(scope);
        let roles = user_roles(user, client, scope)
            .inspect_err(|_| self.refuse(Some(user.uid), Some(client.uid), Refusal::NoRoleInScope, origin))?;
        let refresh = self.first_refresh_token(user, client, scope).await?;
        let family = refresh.as_ref().map(|refresh| &*refresh.family);
        let access_token = self.client_token(Some(user), client, family, roles).await?;
        self.accept(Some(user.uid), Some(client.uid), "password", origin);
        let refresh_token = refresh.map(|refresh| refresh.token);
        Ok(IssuedTokens { access_token, expires_in: expires_in(client), refresh_token })
    }

    /// Signs a token with these roles and the lifetime of the client.
    pub(super) async fn client_token(
        &self,
        user: Option<&User>,
        client: &Client,
        family: Option<&str>,
        roles: Roles,
    ) -> Result<String> {
        let subject = TokenSubject { user, client: Some(client), family };
        self.access_token(subject, roles, client.fields.access_minutes).await
    }

    /// Signs a token with these roles and a lifetime in minutes.
    pub(super) async fn access_token(&self, subject: TokenSubject<'_>, roles: Roles, minutes: i64) -> Result<String> {
        let (now, TokenSubject { user, client, family }) = (self.clock.now(), subject);
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
            family: family.map(str::to_owned),
            user: user.map(|user| SubjectGeneration { uid: user.uid, generation: user.fields.generation }),
            client: client.map(|client| SubjectGeneration { uid: client.uid, generation: client.fields.generation }),
        };
        jwt::sign(&self.tokens.keys.signer(self).await?.key, &claims)
    }
}

/// For how many seconds the client's access tokens are at least valid.
pub(super) fn expires_in(client: &Client) -> i64 {
    client.fields.access_minutes * 60 - 1
}

/// Returns the roles of the user, limited to those of the client unless the client has none, and to the scope. Fails
/// with `InvalidScope` if no role remains.
pub(super) fn user_roles(user: &User, client: &Client, scope: Option<Roles>) -> Result<Roles> {
    let (of_user, of_client) = (user.fields.roles, client.fields.roles);
    let assigned = if of_client.is_empty() { of_user } else { of_user.restricted_to(of_client) };
    limit_to_scope(assigned, scope)
}

/// The roles that a scope requests, or `None` if there is no scope. Unknown names are ignored. A scope of spaces only
/// requests no role, and not all roles (RFC 6749, section 3.3).
fn requested_roles(scope: Option<&str>) -> Option<Roles> {
    scope.filter(|scope| !scope.is_empty()).map(|scope| Roles::from_names(scope.split(' ')))
}

/// Returns the requested roles that are assigned, or all assigned roles if there is no scope. FullAccess covers every
/// role. Fails with `InvalidScope` if no role remains.
fn limit_to_scope(assigned: Roles, requested: Option<Roles>) -> Result<Roles> {
    let granted = match requested {
        None => assigned,
        Some(requested) => {
            let covered = |(role, _): &(Roles, _)| requested.contains(*role) && assigned.covers(*role);
            Roles::NAMES.into_iter().filter(covered).fold(Roles::NONE, |granted, (role, _)| granted.with(role))
        }
    };
    if granted.is_empty() { Err(Error::SignIn(SignInError::InvalidScope)) } else { Ok(granted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_names_roles() {
        assert_eq!(requested_roles(None), None);
        assert_eq!(requested_roles(Some("")), None);
        assert_eq!(requested_roles(Some("  ")), Some(Roles::NONE));
        assert_eq!(requested_roles(Some("Shopper")), Some(Roles::NONE));
        assert_eq!(
            requested_roles(Some("AdminUserGroupReader  Shopper FullAccess")),
            Some(Roles::GROUP_READER.with(Roles::FULL_ACCESS))
        );
    }

    #[test]
    fn a_scope_limits_roles() {
        let (full, admin, reader) = (Roles::FULL_ACCESS, Roles::GROUP_ADMIN, Roles::GROUP_READER);
        let limited = |assigned, requested| limit_to_scope(assigned, requested).ok();
        assert_eq!(limited(full, Some(reader)), Some(reader));
        assert_eq!(limited(full.with(admin), Some(full)), Some(full));
        assert_eq!(limited(admin.with(reader), Some(reader.with(Roles::USER_ADMIN))), Some(reader));
        assert_eq!(limited(admin, None), Some(admin));
        assert_eq!(limited(admin, Some(full)), None);
        assert_eq!(limited(admin, Some(Roles::NONE)), None);
        assert_eq!(limited(Roles::NONE, None), None);
    }
}
