//! Authentication of clients by their secrets and of users by their passwords. Neither the error nor the response time
//! of a refusal reveals its reason. The log contains the reason.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::sleep;
use tracing::info;

use crate::domain::caller::Caller;
use crate::domain::client::{self, Client, ClientKey, ClientUid};
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::role::Roles;
use crate::domain::text::broken_rule;
use crate::domain::user::{self, Credentials, Secret, User, UserUid};
use crate::service::Service;

use super::grant::{ClientAuth, TokenSubject};

/// The lifetime of a token from [`Service::log_on`], in minutes.
const LOG_ON_TOKEN_MINUTES: i64 = 600;
/// The minimum response time of a refused sign-in. It hides the write that counts a failure, which an unknown name does
/// not need.
const MIN_REFUSAL_TIME: Duration = Duration::from_millis(100);

/// The result of a log-on.
#[derive(Clone, Debug)]
pub struct LogOnResult {
    /// The access token.
    pub token: String,
    /// The user.
    pub user: User,
    /// All the roles of the user.
    pub roles: Roles,
}

/// The reason of a refused sign-in, for the log only. It does not contain an unknown username, because users sometimes
/// type their password into that field.
struct SignInRefusal {
    user: Option<UserUid>,
    client: Option<ClientUid>,
    reason: &'static str,
}

impl Service {
    /// Signs in a user without a client (docs/core.md, section 5). Fails with `CredentialsRequired` if the name or the
    /// password is empty, with `InvalidCredentials`, and with `Forbidden` if the password is correct but the user has
    /// none of the roles `needed`.
    pub async fn log_on(&self, username: &str, password: &Secret, needed: Roles) -> Result<LogOnResult> {
        let user = self.authenticate_user(username, password).await?;
        let roles = user.fields.roles;
        if !roles.intersects(needed) {
            info!(user = user.uid, reason = "no role for this API", "sign-in refused");
            return Err(Error::Forbidden { sufficient: needed, assigned: roles });
        }
        let token = self
            .access_token(TokenSubject { user: Some(&user), client: None, family: None }, roles, LOG_ON_TOKEN_MINUTES)
            .await?;
        info!(user = user.uid, grant = "logon", "signed in");
        Ok(LogOnResult { token, user, roles })
    }

    /// Ends the caller's token and, if its sign-in included a refresh token, all tokens of that sign-in. A long-lived
    /// token, which no sign-in issued, stays valid.
    pub async fn log_off(&self, caller: &Caller) -> Result<()> {
        let Some(token) = caller.token.as_ref().filter(|token| !token.is_long_lived) else { return Ok(()) };
        let client = match caller.actor.client {
            Some(uid) => self.store.client(&ClientKey::Uid(uid)).await?,
            None => None,
        };
        let ended = match (&token.family, &client) {
            (Some(family), Some(client)) => self.end_family(client, family).await,
            _ => self.store.end_token(&token.jti, token.expires, self.clock.now()).await,
        };
        self.tokens.invalidate_token_cache();
        ended
    }

    /// Returns the user with this name, if the password is correct and the user may sign in. Fails with
    /// `CredentialsRequired` or `InvalidCredentials`.
    pub(super) async fn authenticate_user(&self, username: &str, password: &Secret) -> Result<User> {
        if username.is_empty() || password.expose_secret().is_empty() {
            return Err(Error::SignIn(SignInError::CredentialsRequired));
        }
        let minimum = sleep(MIN_REFUSAL_TIME);
        match self.check_password(username, password).await? {
            Ok(user) => Ok(user),
            Err(refusal) => {
                refusal.log();
                minimum.await;
                Err(Error::SignIn(SignInError::InvalidCredentials))
            }
        }
    }

    async fn check_password(&self, username: &str, password: &Secret) -> Result<Result<User, SignInRefusal>> {
        let stored = match broken_rule(username, user::TEXT_MAX) {
            None => self.store.credentials(username).await?,
            Some(_) => None,
        };
        let hash = stored.as_ref().and_then(|stored| stored.password_hash.as_deref());
        let matches = self.passwords.verify(password, hash).await?;
        let Some(stored) = stored else {
            return Ok(Err(SignInRefusal { user: None, client: None, reason: "unknown user" }));
        };
        let uid = stored.user.uid;
        let allowed = self.store.count_sign_in(uid, self.clock.now(), matches).await?;
        if matches && allowed {
            return Ok(Ok(stored.user));
        }
        Ok(Err(SignInRefusal { user: Some(uid), client: None, reason: user_refusal_reason(&stored, matches) }))
    }

    /// Returns the client if it is enabled and sent the correct secret. Fails with `InvalidClient`. An empty secret is
    /// the same as no secret (RFC 6749, section 2.3.1).
    pub(super) async fn authenticate_client(&self, auth: &ClientAuth) -> Result<Client> {
        self.check_secret(auth, |client| client.secret_hash.is_none()).await
    }

    /// Returns the client of a refresh grant. It may omit its secret, because the vendor's SDKs cannot send it here,
    /// unless it rotates its refresh tokens. Fails with `InvalidClient`.
    pub(super) async fn authenticate_refreshing_client(&self, auth: &ClientAuth) -> Result<Client> {
        self.check_secret(auth, |client| client.secret_hash.is_none() || !client.fields.refresh_rotation).await
    }

    /// Returns the client if it is enabled and sent the correct secret, or no secret if `may_omit` allows it.
    async fn check_secret(&self, auth: &ClientAuth, may_omit: impl Fn(&Client) -> bool) -> Result<Client> {
        let stored = match broken_rule(&auth.id, client::TEXT_MAX) {
            None => self.store.client(&ClientKey::Id(auth.id.clone())).await?,
            Some(_) => None,
        };
        let secret = auth.secret.as_ref().filter(|secret| !secret.expose_secret().is_empty());
        let hash = stored.as_ref().and_then(|client| client.secret_hash.as_deref());
        let needs_no_secret = stored.as_ref().is_some_and(|client| client.fields.enabled && may_omit(client));
        let matches = match secret {
            None if needs_no_secret => true,
            secret => self.passwords.verify(secret.unwrap_or(&Secret::from("")), hash).await?,
        };
        let refusal = match stored {
            Some(client) if matches && client.fields.enabled => return Ok(client),
            Some(client) => {
                SignInRefusal { user: None, client: Some(client.uid), reason: client_refusal_reason(&client, matches) }
            }
            None => SignInRefusal { user: None, client: None, reason: "unknown client" },
        };
        refusal.log();
        Err(Error::SignIn(SignInError::InvalidClient))
    }
}

impl SignInRefusal {
    fn log(&self) {
        info!(user = self.user, client = self.client, reason = self.reason, "sign-in refused");
    }
}

fn user_refusal_reason(stored: &Credentials, matches: bool) -> &'static str {
    match stored {
        Credentials { password_hash: None, .. } => "no password",
        _ if !matches => "wrong password",
        Credentials { user, .. } if !user.fields.active => "inactive",
        _ => "locked",
    }
}

fn client_refusal_reason(client: &Client, matches: bool) -> &'static str {
    if !client.fields.enabled {
        "disabled"
    } else if matches {
        "not allowed"
    } else {
        "wrong or missing secret"
    }
}
