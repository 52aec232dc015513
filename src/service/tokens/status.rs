//! The check of bearer tokens. The signature of a JWT is verified once. The status of a token (user and client exist, are
//! active and have the generation of the token, and the token was not revoked) is read from the store at least every four
//! seconds, and immediately after a change on this node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::auth::jwt::{self, Claims, SubjectGeneration};
use crate::domain::caller::{Caller, TokenId};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::journal::{Actor, Channel};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::service::Service;
use crate::store::TokenStatus;

use super::long_lived::is_long_lived;

/// The maximum number of cached tokens.
const CAPACITY: usize = 10_000;
/// For how long a token status is cached, in microseconds. Together with the duration of a request, it is below the
/// five seconds within which a revocation on another node must take effect.
const STATUS_TTL_MICROS: i64 = 4_000_000;

/// The cache of verified tokens. The key is the text of the token, because a SHA-256 digest per request
/// would cost many times more than the rest of the check. The memory also contains the signing keys, so a digest would
/// not protect more.
pub(super) struct TokenCache {
    tokens: Cache<TokenKey<Box<str>>, VerifiedToken>,
    /// Incremented by every change that can end a token.
    epoch: AtomicU64,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { tokens: Cache::new(CAPACITY), epoch: AtomicU64::new(0) }
    }
}

impl TokenCache {
    /// Invalidates the status of all cached tokens.
    pub(super) fn invalidate(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

/// A token and the channel of the request.
#[derive(PartialEq, Eq, Hash)]
struct TokenKey<T> {
    channel: Channel,
    token: T,
}

impl Equivalent<TokenKey<Box<str>>> for TokenKey<&str> {
    fn equivalent(&self, other: &TokenKey<Box<str>>) -> bool {
        self.channel == other.channel && self.token == &*other.token
    }
}

/// A token that was verified, and its last status.
#[derive(Clone)]
struct VerifiedToken {
    /// The claims of a JWT; `None` for a long-lived token.
    claims: Option<Arc<Claims>>,
    expires: Timestamp,
    caller: Arc<Caller>,
    epoch: u64,
    checked: Timestamp,
}

impl VerifiedToken {
    fn is_unexpired(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    fn is_fresh(&self, epoch: u64, now: Timestamp) -> bool {
        let age = now.as_micros() - self.checked.as_micros();
        self.epoch == epoch && (0..STATUS_TTL_MICROS).contains(&age) && self.is_unexpired(now)
    }
}

impl Service {
    /// Returns the caller of a bearer token for a request through `channel`. Fails with `Unauthenticated` if the token
    /// is malformed, forged or expired, and with `TokenRevoked` if it is genuine but was revoked.
    pub async fn authenticate(&self, bearer: &str, channel: Channel) -> Result<Arc<Caller>> {
        self.authenticate_since(bearer, channel, Timestamp::from_micros(i64::MIN)).await
    }

    /// As [`Self::authenticate`], with a status that was read at `since` or later.
    pub(crate) async fn authenticate_since(
        &self,
        bearer: &str,
        channel: Channel,
        since: Timestamp,
    ) -> Result<Arc<Caller>> {
        let (token_cache, now) = (&self.tokens.token_cache, self.clock.now());
        // The epoch is read before the store: after a change in between, the status has an older epoch and is not used
        // again.
        let epoch = token_cache.epoch.load(Ordering::Acquire);
        let cached = token_cache.tokens.get(&TokenKey { channel, token: bearer });
        let (claims, caller) = match cached {
            Some(verified) if verified.is_fresh(epoch, now) && verified.checked >= since => return Ok(verified.caller),
            _ if is_long_lived(bearer) => (None, self.long_lived_caller(bearer, channel, now).await?),
            cached => {
                let claims = match cached.filter(|verified| verified.is_unexpired(now)).and_then(|own| own.claims) {
                    Some(claims) => claims,
                    None => Arc::new(self.verify_signature(bearer, now).await?),
                };
                let caller = self.current_caller(&claims, channel).await?;
                (Some(claims), caller)
            }
        };
        let (expires, caller) = (caller.token.as_ref().map_or(now, |token| token.expires), Arc::new(caller));
        let verified = VerifiedToken { claims, expires, caller: Arc::clone(&caller), epoch, checked: now };
        token_cache.tokens.insert(TokenKey { channel, token: bearer.into() }, verified);
        Ok(caller)
    }

    async fn verify_signature(&self, bearer: &str, now: Timestamp) -> Result<Claims> {
        let kid = jwt::kid(bearer).ok_or(Error::SignIn(SignInError::Unauthenticated))?;
        let signing_key =
            self.tokens.keys.find(self, &kid).await?.ok_or(Error::SignIn(SignInError::Unauthenticated))?;
        jwt::verify(bearer, &signing_key.key, &self.tokens.issuer, now)
    }

    /// Returns the caller with the roles of the token and the present communities of its user and client. Fails with
    /// `TokenRevoked`.
    async fn current_caller(&self, claims: &Claims, channel: Channel) -> Result<Caller> {
        let (user, client) = (claims.user, claims.client);
        let actor = Actor { user: user.map(|subject| subject.uid), client: client.map(|subject| subject.uid) };
        let names: Vec<_> = [Some(&*claims.jti), claims.family.as_deref()].into_iter().flatten().collect();
        let status = self.store.token_status(actor.user, actor.client, &names).await?;
        let anonymous = user.is_none() && client.is_none();
        if anonymous || status.ended || !is_current(&status, user, client) {
            return Err(Error::SignIn(SignInError::TokenRevoked));
        }
        let expires = Timestamp::from_micros(0).plus_seconds(claims.exp);
        Ok(Caller {
            roles: Roles::from_names(claims.role.iter().map(String::as_str)),
            visibility: visibility(&status),
            actor,
            channel,
            token: Some(TokenId {
                jti: claims.jti.clone(),
                family: claims.family.clone(),
                expires,
                is_long_lived: false,
            }),
            operator: None,
        })
    }
}

/// Whether the user and the client of a token, if it has them, are active and still have the generation in the token.
pub(super) fn is_current(
    status: &TokenStatus,
    user: Option<SubjectGeneration>,
    client: Option<SubjectGeneration>,
) -> bool {
    let user_is_current = user.is_none_or(|subject| {
        status.user.as_ref().is_some_and(|user| is_active(user) && user.fields.generation == subject.generation)
    });
    let client_is_current = client.is_none_or(|subject| {
        status.client.as_ref().is_some_and(|client| {
            client.deleted.is_none() && client.fields.enabled && client.fields.generation == subject.generation
        })
    });
    user_is_current && client_is_current
}

/// Whether the user is live and may sign in.
pub(super) fn is_active(user: &User) -> bool {
    user.deleted.is_none() && user.fields.active
}

/// The visibility of the caller. An empty set of communities is no limit. If user and client are both limited, the
/// caller sees the intersection.
pub(super) fn visibility(status: &TokenStatus) -> Visibility {
    let of_user = status.user.iter().map(|user| &user.fields.communities);
    let of_client = status.client.iter().map(|client| &client.fields.communities);
    of_user.chain(of_client).fold(Visibility::All, Visibility::narrowed_by)
}
