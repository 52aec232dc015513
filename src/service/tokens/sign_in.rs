//! Who signs in: clients by their secrets, users by their passwords. A refusal says nothing of its reason, neither
//! by its answer nor by its time; the reason is in the log.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::sleep;
use tracing::info;

use crate::domain::client::{self, Client, ClientKey, ClientUid};
use crate::domain::error::{Error, Result};
use crate::domain::role::{Caller, Roles};
use crate::domain::text::broken_rule;
use crate::domain::user::{self, Credentials, Secret, User, UserUid};
use crate::service::Service;

use super::grant::{ClientAuth, Holders};

/// How long a token from [`Service::log_on`] lives, in minutes.
const LOG_ON_MINUTES: i64 = 600;
/// A refused sign-in is answered no sooner: counting a failure takes a write that an unknown name does not need.
const REFUSAL_FLOOR: Duration = Duration::from_millis(100);

/// What a user who logged on gets.
#[derive(Clone, Debug)]
pub struct LoggedOn {
    /// The access token.
    pub token: String,
    pub user: User,
    /// All the roles of the user.
    pub roles: Roles,
}

/// Why somebody is not let in, for the log alone. What was typed for an unknown name is not in it: people type
/// passwords into the wrong field.
struct Refusal {
    user: Option<UserUid>,
    client: Option<ClientUid>,
    reason: &'static str,
}

impl Service {
    /// Lets a user in without a client (docs/core.md, section 5). Fails with `CredentialsRequired` where a part is
    /// empty, with `InvalidCredentials`, and with `Forbidden` for the right password of a user who holds none of the
    /// roles `needed`.
    pub async fn log_on(&self, username: &str, password: &Secret, needed: Roles) -> Result<LoggedOn> {
        let user = self.signed_in(username, password).await?;
        let roles = user.fields.roles;
        if !roles.intersects(needed) {
            info!(user = user.uid, reason = "no role for this API", "sign-in refused");
            return Err(Error::Forbidden { sufficient: needed, assigned: roles });
        }
        let token = self.access_token(Holders { user: Some(&user), client: None }, roles, LOG_ON_MINUTES).await?;
        info!(user = user.uid, grant = "logon", "signed in");
        Ok(LoggedOn { token, user, roles })
    }

    /// Ends the token that the caller showed; a refresh token that came with it lives on.
    pub async fn log_off(&self, caller: &Caller) -> Result<()> {
        let Some(token) = &caller.token else { return Ok(()) };
        let ended = self.store.end_token(&token.jti, token.expires, self.clock.now()).await;
        self.tokens.standing_changed();
        ended
    }

    /// The user with this name, if the password is the user's and the user may come in.
    pub(super) async fn signed_in(&self, username: &str, password: &Secret) -> Result<User> {
        if username.is_empty() || password.expose_secret().is_empty() {
            return Err(Error::CredentialsRequired);
        }
        let floor = sleep(REFUSAL_FLOOR);
        match self.checked_user(username, password).await? {
            Ok(user) => Ok(user),
            Err(refusal) => {
                refusal.log();
                floor.await;
                Err(Error::InvalidCredentials)
            }
        }
    }

    async fn checked_user(&self, username: &str, password: &Secret) -> Result<Result<User, Refusal>> {
        let found = match broken_rule(username, user::TEXT_MAX) {
            None => self.store.credentials(username).await?,
            Some(_) => None,
        };
        let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
        let matches = self.passwords.verify(password, hash).await?;
        let Some(found) = found else {
            return Ok(Err(Refusal { user: None, client: None, reason: "unknown user" }));
        };
        let uid = found.user.uid;
        let allowed = self.store.count_sign_in(uid, self.clock.now(), matches).await?;
        if matches && allowed {
            return Ok(Ok(found.user));
        }
        Ok(Err(Refusal { user: Some(uid), client: None, reason: user_refused(&found, matches) }))
    }

    /// The client that asks, if it is enabled and showed the secret that it has; else `InvalidClient`. An empty
    /// secret is none (RFC 6749, section 2.3.1).
    pub(super) async fn checked_client(&self, auth: &ClientAuth) -> Result<Client> {
        let found = match broken_rule(&auth.id, client::TEXT_MAX) {
            None => self.store.client(&ClientKey::Id(auth.id.clone())).await?,
            Some(_) => None,
        };
        let secret = auth.secret.as_ref().filter(|secret| !secret.expose_secret().is_empty());
        let hash = found.as_ref().and_then(|client| client.secret_hash.as_deref());
        let is_public = found.as_ref().is_some_and(|client| client.fields.enabled && client.secret_hash.is_none());
        let matches = match secret {
            None if is_public => true,
            secret => self.passwords.verify(secret.unwrap_or(&Secret::from("")), hash).await?,
        };
        let refusal = match found {
            Some(client) if matches && client.fields.enabled => return Ok(client),
            Some(client) => Refusal { user: None, client: Some(client.uid), reason: client_refused(&client, matches) },
            None => Refusal { user: None, client: None, reason: "unknown client" },
        };
        refusal.log();
        Err(Error::InvalidClient)
    }
}

impl Refusal {
    fn log(&self) {
        info!(user = self.user, client = self.client, reason = self.reason, "sign-in refused");
    }
}

fn user_refused(found: &Credentials, matches: bool) -> &'static str {
    match found {
        Credentials { password_hash: None, .. } => "no password",
        _ if !matches => "wrong password",
        Credentials { user, .. } if !user.fields.active => "inactive",
        _ => "locked",
    }
}

fn client_refused(client: &Client, matches: bool) -> &'static str {
    if !client.fields.enabled {
        "disabled"
    } else if matches {
        "not allowed"
    } else {
        "wrong or missing secret"
    }
}
