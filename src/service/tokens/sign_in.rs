//! Authentication of clients by their secrets and of users by their passwords. Neither the error nor the response time
//! of a refusal reveals its reason. The log and the record of the sign-in contain the reason.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::sleep;
use tracing::info;

use crate::domain::caller::Caller;
use crate::domain::client::{self, Client, ClientKey, ClientUid};
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::role::Roles;
use crate::domain::sign_in::{Origin, PasswordAttempt, Refusal, SignIn, SignInType};
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

impl Service {
    /// Signs in a user without a client (docs/core.md, section 5). Fails with `CredentialsRequired` if the name or the
    /// password is empty, with `InvalidCredentials`, and with `Forbidden` if the password is correct but the user has
    /// none of the roles `needed`.
    pub async fn log_on(
        &self,
        username: &str,
        password: &Secret,
        needed: Roles,
        origin: Origin,
    ) -> Result<LogOnResult> {
        let user = self.authenticate_user(username, password, None, origin).await?;
        let roles = user.fields.roles;
        if !roles.intersects(needed) {
            self.refuse(Some(user.uid), None, Refusal::NoRole, origin);
            return Err(Error::Forbidden { sufficient: needed, assigned: roles });
        }
        let token = self
            .access_token(TokenSubject { user: Some(&user), client: None, family: None }, roles, LOG_ON_TOKEN_MINUTES)
            .await?;
        self.accept(Some(user.uid), None, "logon", origin);
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
    pub(super) async fn authenticate_user(
        &self,
        username: &str,
        password: &Secret,
        client: Option<ClientUid>,
        origin: Origin,
    ) -> Result<User> {
        if username.is_empty() || password.expose_secret().is_empty() {
            return Err(Error::SignIn(SignInError::CredentialsRequired));
        }
        let minimum = sleep(MIN_REFUSAL_TIME);
        match self.check_password(username, password, client, origin).await? {
            Some(user) => Ok(user),
            None => {
                minimum.await;
                Err(Error::SignIn(SignInError::InvalidCredentials))
            }
        }
    }

    /// Returns the user; `None` = refused. The refusal is recorded and logged then.
    async fn check_password(
        &self,
        username: &str,
        password: &Secret,
        client: Option<ClientUid>,
        origin: Origin,
    ) -> Result<Option<User>> {
        let stored = match broken_rule(username, user::TEXT_MAX) {
            None => self.store.credentials(username).await?,
            Some(_) => None,
        };
        let hash = stored.as_ref().and_then(|stored| stored.password_hash.as_deref());
        let matches = self.passwords.verify(password, hash).await?;
        let Some(Credentials { user, password_hash }) = stored else {
            self.refuse(None, client, Refusal::UnknownUser, origin);
            return Ok(None);
        };
        let wrong = match (matches, password_hash) {
            (true, _) => None,
            (false, Some(_)) => Some(Refusal::WrongPassword),
            (false, None) => Some(Refusal::NoPassword),
        };
        let attempt = PasswordAttempt { user: user.uid, client, at: self.clock.now(), origin, wrong };
        match attempt.refused(self.store.count_sign_in(attempt).await?) {
            None => Ok(Some(user)),
            Some(refused) => {
                log_refusal(&refused);
                Ok(None)
            }
        }
    }

    /// Records and logs that tokens were issued for the sign-in.
    pub(super) fn accept(&self, user: Option<UserUid>, client: Option<ClientUid>, grant: &'static str, origin: Origin) {
        let (at, kind) = (self.clock.now(), SignInType::Succeeded);
        self.record_sign_in(SignIn { at, kind, origin, user, client, refusal: None });
        info!(user, client, grant, "signed in");
    }

    /// Records and logs that the sign-in is refused.
    pub(super) fn refuse(&self, user: Option<UserUid>, client: Option<ClientUid>, refusal: Refusal, origin: Origin) {
        let (at, kind) = (self.clock.now(), SignInType::Failed);
        let refused = SignIn { at, kind, origin, user, client, refusal: Some(refusal) };
        self.record_sign_in(refused);
        log_refusal(&refused);
    }

    /// Returns the client if it is enabled and sent the correct secret. Fails with `InvalidClient`. An empty secret is
    /// the same as no secret (RFC 6749, section 2.3.1).
    pub(super) async fn authenticate_client(&self, auth: &ClientAuth, origin: Origin) -> Result<Client> {
        match self.check_secret(auth, |client| client.secret_hash.is_none()).await? {
            Ok(client) => Ok(client),
            Err((client, refusal)) => {
                self.refuse(None, client, refusal, origin);
                Err(Error::SignIn(SignInError::InvalidClient))
            }
        }
    }

    /// Returns the client of a refresh grant. It may omit its secret, because the vendor's SDKs cannot send it here,
    /// unless it rotates its refresh tokens. Fails with `InvalidClient`. A renewal is no sign-in and not recorded.
    pub(super) async fn authenticate_refreshing_client(&self, auth: &ClientAuth) -> Result<Client> {
        let may_omit = |client: &Client| client.secret_hash.is_none() || !client.fields.refresh_rotation;
        self.check_secret(auth, may_omit).await?.map_err(|(client, refusal)| {
            info!(client, reason = refusal.name(), "renewal refused");
            Error::SignIn(SignInError::InvalidClient)
        })
    }

    /// Returns the client if it is enabled and sent the correct secret, or no secret if `may_omit` allows it; otherwise
    /// the client that exists, and the reason.
    async fn check_secret(
        &self,
        auth: &ClientAuth,
        may_omit: impl Fn(&Client) -> bool,
    ) -> Result<Result<Client, (Option<ClientUid>, Refusal)>> {
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
        Ok(match stored {
            None => Err((None, Refusal::UnknownClient)),
            Some(client) if !client.fields.enabled => Err((Some(client.uid), Refusal::Disabled)),
            Some(client) if !matches => Err((Some(client.uid), Refusal::WrongSecret)),
            Some(client) => Ok(client),
        })
    }
}

/// Logs the reason of a refusal, but no unknown name: users sometimes type their password into that field.
fn log_refusal(refused: &SignIn) {
    let SignIn { user, client, refusal, .. } = refused;
    info!(user, client, reason = refusal.map(Refusal::name), "sign-in refused");
}
