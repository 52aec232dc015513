//! What a bearer token is good for. Its signature is checked once; whether it still stands (its user and client are
//! there, active and of its generation, and it was not ended) is asked of the store at least every four seconds,
//! and at once after a change on this node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::auth::jwt::{self, Claims, Holder};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result};
use crate::domain::journal::{Actor, Door};
use crate::domain::role::{Caller, Roles, TokenId};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::service::Service;
use crate::store::TokenStanding;

/// The most tokens that are remembered.
const REMEMBERED: usize = 10_000;
/// For how long a standing is believed, in microseconds: with the request it serves, under the five seconds within
/// which a revocation on another node must hold.
const BELIEVED_MICROS: i64 = 4_000_000;

/// Tokens whose signatures were found good. They are known by their text: a SHA-256 of it, at every request, would
/// cost many times what all the rest of the check does, and memory holds the keys that make tokens anyway.
pub(super) struct Known {
    tokens: Cache<Shown<Box<str>>, Standing>,
    /// Grows with every change that can end a token.
    epoch: AtomicU64,
}

impl Default for Known {
    fn default() -> Self {
        Self { tokens: Cache::new(REMEMBERED), epoch: AtomicU64::new(0) }
    }
}

impl Known {
    /// No standing found so far is believed any more.
    pub(super) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

/// A token and the door at which it was shown.
#[derive(PartialEq, Eq, Hash)]
struct Shown<T> {
    door: Door,
    token: T,
}

impl Equivalent<Shown<Box<str>>> for Shown<&str> {
    fn equivalent(&self, other: &Shown<Box<str>>) -> bool {
        self.door == other.door && self.token == &*other.token
    }
}

/// A genuine token, and what it was found to be good for.
#[derive(Clone)]
struct Standing {
    claims: Arc<Claims>,
    caller: Arc<Caller>,
    epoch: u64,
    checked: Timestamp,
}

impl Standing {
    fn is_unexpired(&self, now: Timestamp) -> bool {
        now.as_seconds() < self.claims.exp
    }

    fn is_believed(&self, epoch: u64, now: Timestamp) -> bool {
        let age = now.as_micros() - self.checked.as_micros();
        self.epoch == epoch && (0..BELIEVED_MICROS).contains(&age) && self.is_unexpired(now)
    }
}

impl Service {
    /// The caller behind a bearer token that came through `door`. Fails with `Unauthenticated` for a token that is
    /// malformed, forged or expired, and with `TokenRevoked` for a genuine one that was ended.
    pub async fn authenticate(&self, bearer: &str, door: Door) -> Result<Arc<Caller>> {
        let (known, now) = (&self.tokens.known, self.clock.now());
        // Read before the store is asked: a change in between makes the answer one of an older epoch.
        let epoch = known.epoch.load(Ordering::Acquire);
        let claims = match known.tokens.get(&Shown { door, token: bearer }) {
            Some(standing) if standing.is_believed(epoch, now) => return Ok(standing.caller),
            Some(standing) if standing.is_unexpired(now) => standing.claims,
            _ => Arc::new(self.genuine(bearer, now).await?),
        };
        let caller = Arc::new(self.standing_caller(&claims, door).await?);
        let standing = Standing { claims, caller: Arc::clone(&caller), epoch, checked: now };
        known.tokens.insert(Shown { door, token: bearer.into() }, standing);
        Ok(caller)
    }

    async fn genuine(&self, bearer: &str, now: Timestamp) -> Result<Claims> {
        let kid = jwt::kid(bearer).ok_or(Error::Unauthenticated)?;
        let held = self.tokens.keys.find(self, &kid).await?.ok_or(Error::Unauthenticated)?;
        jwt::verify(bearer, &held.key, &self.tokens.issuer, now)
    }

    /// The rights are the token's; the communities are those of its user and client as they are now.
    async fn standing_caller(&self, claims: &Claims, door: Door) -> Result<Caller> {
        let (user, client) = (claims.user, claims.client);
        let actor = Actor { user: user.map(|holder| holder.uid), client: client.map(|holder| holder.uid) };
        let found = self.store.token_standing(actor.user, actor.client, &claims.jti).await?;
        let anonymous = user.is_none() && client.is_none();
        if anonymous || found.ended || !stands(&found, user, client) {
            return Err(Error::TokenRevoked);
        }
        let expires = Timestamp::from_micros(0).plus_seconds(claims.exp);
        Ok(Caller {
            roles: Roles::from_names(claims.role.iter().map(String::as_str)),
            visibility: visibility(&found),
            actor,
            door,
            token: Some(TokenId { jti: claims.jti.clone(), expires }),
        })
    }
}

/// Whether the user and the client, each where there is one to be, are as good as when a token was made for them.
pub(super) fn stands(found: &TokenStanding, user: Option<Holder>, client: Option<Holder>) -> bool {
    let user_stands = user.is_none_or(|holder| {
        found.user.as_ref().is_some_and(|user| is_live(user) && user.fields.generation == holder.generation)
    });
    let client_stands = client.is_none_or(|holder| {
        found.client.as_ref().is_some_and(|client| {
            client.deleted.is_none() && client.fields.enabled && client.fields.generation == holder.generation
        })
    });
    user_stands && client_stands
}

/// Whether the user can act at all.
pub(super) fn is_live(user: &User) -> bool {
    user.deleted.is_none() && user.fields.active
}

/// An empty set of communities is no limit; where both are limited, what they share counts.
fn visibility(found: &TokenStanding) -> Visibility {
    let of_user = found.user.iter().map(|user| &user.fields.communities);
    let of_client = found.client.iter().map(|client| &client.fields.communities);
    of_user.chain(of_client).fold(Visibility::All, Visibility::narrowed_by)
}
