//! Long-lived tokens (docs/ordercloud.md, section 8): `rbk_` and 256 random bits, for programs that cannot use the token
//! endpoint. They act as their client. A new secret of the client does not end them; its disabling or deletion does, and
//! whatever ends the tokens of the user that the client acts for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::debug;

use crate::auth::digest::sha256_hex;
use crate::auth::jwt::SubjectGeneration;
use crate::auth::random::{self, BASE62_LENGTH};
use crate::domain::caller::{Caller, ManageClients, Permit, ReadClients, TokenId};
use crate::domain::client::{Client, ClientKey};
use crate::domain::error::{Error, ResourceKind, Result, SignInError, Violation};
use crate::domain::journal::{Actor, Channel};
use crate::domain::long_lived_token::{
    DAYS_MAX, LongLivedToken, LongLivedTokenFields, LongLivedTokenKey, LongLivedTokenUid, NAME_MAX, WARNING_DAYS,
};
use crate::domain::target::Target;
use crate::domain::text::broken_required_rule;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, UserKey};
use crate::service::Service;
use crate::store::{LongLivedTokenUpdate, Mutation, TokenStatus};

use super::status::{is_current, visibility};

/// The beginning of every long-lived token, by which scanners for leaked secrets recognize one.
const PREFIX: &str = "rbk_";
const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// The maximum number of tokens whose last use this node remembers.
const MAX_NOTED: usize = 10_000;

/// A new long-lived token.
#[derive(Clone, Debug)]
pub struct NewLongLivedToken {
    /// The token itself, which is shown once and not stored.
    pub secret: Secret,
    /// What the directory stores.
    pub token: LongLivedToken,
}

/// The hour of the last use of each token that this node has recorded. So it records each hour once, although many
/// requests see the older one in the store.
#[derive(Default)]
pub(super) struct NotedUses(Mutex<HashMap<LongLivedTokenUid, Timestamp>>);

impl NotedUses {
    /// Whether this is the first use of the token in the hour.
    fn is_first(&self, token: LongLivedTokenUid, hour: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= MAX_NOTED {
            noted.clear();
        }
        noted.insert(token, hour) != Some(hour)
    }
}

/// Whether the text has the form of a long-lived token. A JWT has not.
pub(super) fn is_long_lived(bearer: &str) -> bool {
    let digits = bearer.strip_prefix(PREFIX);
    digits
        .is_some_and(|digits| digits.len() == BASE62_LENGTH && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Service {
    /// Creates a long-lived token of the client, which expires after this number of days. Fails with `NotFound`, with
    /// `PublicClient`, or with `Invalid` if the name or the number of days violates a rule.
    pub async fn create_long_lived_token(
        &self,
        permit: &Permit<ManageClients>,
        client: &str,
        name: &str,
        days: i64,
    ) -> Result<NewLongLivedToken> {
        check_token(name, days)?;
        let client = self.live_client(client).await?;
        if client.secret_hash.is_none() {
            return Err(Error::PublicClient(client.fields.id));
        }
        let user_generation = match client.fields.user {
            None => 0,
            Some(uid) => {
                let user = self.store.user(&UserKey::Uid(uid)).await?.filter(|user| user.deleted.is_none());
                user.ok_or_else(|| Error::NotFound(ResourceKind::User, uid.to_string()))?.fields.generation
            }
        };
        let (now, secret) = (self.clock.now(), format!("{PREFIX}{}", random::base62_token()?));
        let update = LongLivedTokenUpdate {
            fields: LongLivedTokenFields {
                id: self.ids.uuid(now).to_string(),
                name: name.to_owned(),
                client: client.uid,
                client_generation: client.fields.long_lived_generation,
                user: client.fields.user,
                user_generation,
                expires: now.plus_seconds(days * SECONDS_PER_DAY),
            },
            hash: sha256_hex(&secret),
        };
        let update = move |_: Option<&LongLivedToken>| Ok(Mutation::Put(update.clone()));
        let token = self.write::<LongLivedToken>(permit, Target::New, Box::new(update)).await?;
        Ok(NewLongLivedToken { secret: secret.into(), token })
    }

    /// Returns the first `limit` long-lived tokens with a number above `after` that have not ended, ordered by number:
    /// all, or those of one client. Expired ones are included.
    pub async fn long_lived_tokens_after(
        &self,
        _permit: &Permit<ReadClients>,
        client: Option<&Client>,
        after: LongLivedTokenUid,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        self.store.long_lived_tokens_after(client.map(|client| client.uid), after, limit).await
    }

    /// Returns the client of a long-lived token; `None` if the client is unknown.
    pub async fn client_of_token(
        &self,
        _permit: &Permit<ReadClients>,
        token: &LongLivedToken,
    ) -> Result<Option<Client>> {
        self.store.client(&ClientKey::Uid(token.fields.client)).await
    }

    /// Returns the first `limit` long-lived tokens that expire within [`WARNING_DAYS`], the next one first.
    pub async fn expiring_long_lived_tokens(
        &self,
        _permit: &Permit<ReadClients>,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        let now = self.clock.now();
        self.store.long_lived_tokens_expiring(now, now.plus_seconds(WARNING_DAYS * SECONDS_PER_DAY), limit).await
    }

    /// Revokes the long-lived token with this ID. Fails with `NotFound`.
    pub async fn revoke_long_lived_token(&self, permit: &Permit<ManageClients>, id: &str) -> Result<LongLivedToken> {
        let (key, missing) = (LongLivedTokenKey::Id(id.to_owned()), id.to_owned());
        let update = move |current: Option<&LongLivedToken>| {
            let missing = || Error::NotFound(ResourceKind::LongLivedToken, missing.clone());
            current.map(|_| Mutation::Delete).ok_or_else(missing)
        };
        self.write::<LongLivedToken>(permit, key, Box::new(update)).await
    }

    /// Returns the caller of a long-lived token, with the present roles and communities of its client, and records the
    /// use. Fails with `Unauthenticated` if the token is unknown or expired, and with `TokenRevoked` if it has ended.
    pub(super) async fn long_lived_caller(&self, bearer: &str, channel: Channel, now: Timestamp) -> Result<Caller> {
        let found = self.store.long_lived_token(&sha256_hex(bearer)).await?;
        let (token, status) =
            found.filter(|(token, _)| now < token.fields.expires).ok_or(Error::SignIn(SignInError::Unauthenticated))?;
        let client = client_of(&token, &status).ok_or(Error::SignIn(SignInError::TokenRevoked))?;
        self.note_use(&token, now);
        Ok(Caller {
            roles: client.fields.roles,
            visibility: visibility(&status),
            actor: Actor { user: token.fields.user, client: Some(client.uid) },
            channel,
            token: Some(TokenId {
                jti: token.fields.id.clone(),
                family: None,
                expires: token.fields.expires,
                is_long_lived: true,
            }),
            operator: None,
        })
    }

    /// Records the hour of the use in the background, at most once an hour. The request does not wait for it, and a
    /// failure is only logged.
    fn note_use(&self, token: &LongLivedToken, now: Timestamp) {
        let (uid, hour) = (token.uid, Timestamp::from_micros(now.as_micros() / MICROS_PER_HOUR * MICROS_PER_HOUR));
        if token.last_used < Some(hour) && self.tokens.noted_uses.is_first(uid, hour) {
            let store = Arc::clone(&self.store);
            tokio::spawn(async move {
                if let Err(error) = store.note_token_use(uid, hour).await {
                    debug!(token = uid, %error, "the use of a long-lived token was not recorded");
                }
            });
        }
    }
}

/// Returns the client of a token that has not ended. What ends many tokens at once is in the store's `NOT_ENDED`, too.
fn client_of<'a>(token: &LongLivedToken, status: &'a TokenStatus) -> Option<&'a Client> {
    let fields = &token.fields;
    let user = fields.user.map(|uid| SubjectGeneration { uid, generation: fields.user_generation });
    let client = status.client.as_ref().filter(|client| {
        client.deleted.is_none()
            && client.fields.enabled
            && client.fields.long_lived_generation == fields.client_generation
            && client.fields.user == fields.user
    });
    client.filter(|_| token.deleted.is_none() && is_current(status, user, None))
}

fn check_token(name: &str, days: i64) -> Result<()> {
    let name_rule = broken_required_rule(name, NAME_MAX);
    let days_rule = (!(1..=DAYS_MAX).contains(&days)).then(|| format!("must be 1 to {DAYS_MAX}"));
    let violations: Vec<_> = [("name", name_rule), ("days", days_rule)]
        .into_iter()
        .filter_map(|(field, rule)| Some(Violation::new(field, rule?)))
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_lived_token_has_its_form() {
        let digits = random::base62_token().unwrap();
        assert!(is_long_lived(&format!("{PREFIX}{digits}")));
        for other in
            [&*digits, "rbk_", &format!("rbk_{digits}0"), &format!("RBK_{digits}"), &format!("rbk_-{}", &digits[1..])]
        {
            assert!(!is_long_lived(other), "{other}");
        }
    }

    #[test]
    fn an_hour_is_recorded_once() {
        let (noted, hour) = (NotedUses::default(), Timestamp::from_micros);
        assert!(noted.is_first(1, hour(1)) && noted.is_first(2, hour(1)));
        assert!(!noted.is_first(1, hour(1)));
        assert!(noted.is_first(1, hour(2)));
    }
}
