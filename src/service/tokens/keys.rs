//! The signing keys, kept in memory as the store has them.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tracing::info;

use crate::auth::keys::{Key, generate_pem};
use crate::domain::error::{Error, Result};
use crate::domain::role::{ManageClients, Permit};
use crate::domain::time::Timestamp;
use crate::service::Service;
use crate::store::SigningKey;

/// At most so often, in microseconds, does a token with an unknown key make the store read its keys: forged ones
/// cost nothing more.
const RELOAD_MICROS: u64 = 1_000_000;

/// How old what is known of the keys may be, in microseconds, where a token is signed: then a key that another node
/// made begins to sign here, too.
const SIGNER_AGE_MICROS: u64 = 5_000_000;

/// A key and the moment from which on it signs.
pub(super) struct Held {
    pub(super) key: Key,
    signs_from: Timestamp,
}

/// The keys, the newest first, and when they were read.
#[derive(Default)]
pub(super) struct Keys {
    held: RwLock<Arc<[Arc<Held>]>>,
    read_at: Mutex<Option<Timestamp>>,
}

impl Keys {
    /// All keys as they were read last.
    pub(super) fn all(&self) -> Arc<[Arc<Held>]> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key with this name, after a look into the store where it is not in memory.
    pub(super) async fn find(&self, service: &Service, kid: &str) -> Result<Option<Arc<Held>>> {
        let named = |held: &&Arc<Held>| held.key.kid() == kid;
        if let Some(held) = self.all().iter().find(named) {
            return Ok(Some(Arc::clone(held)));
        }
        self.refresh(service).await?;
        Ok(self.all().iter().find(named).cloned())
    }

    /// The newest key that signs now. Where none does, the clock was set back: the oldest goes on signing then.
    pub(super) async fn signer(&self, service: &Service) -> Result<Arc<Held>> {
        self.refresh_older_than(service, SIGNER_AGE_MICROS).await?;
        let (all, now) = (self.all(), service.clock.now());
        signer_of(&all, now).ok_or_else(|| Error::internal(anyhow::anyhow!("the directory has no signing key")))
    }

    /// Reads the keys, unless they were read within the last second.
    pub(super) async fn refresh(&self, service: &Service) -> Result<()> {
        self.refresh_older_than(service, RELOAD_MICROS).await
    }

    async fn refresh_older_than(&self, service: &Service, micros: u64) -> Result<()> {
        let mut read_at = self.read_at.lock().await;
        let now = service.clock.now();
        let age = read_at.map(|read_at| now.as_micros().abs_diff(read_at.as_micros()));
        if age.is_none_or(|age| age >= micros) {
            self.read(service).await?;
            *read_at = Some(now);
        }
        Ok(())
    }

    /// Reads the keys now.
    pub(super) async fn reload(&self, service: &Service) -> Result<()> {
        let mut read_at = self.read_at.lock().await;
        self.read(service).await?;
        *read_at = Some(service.clock.now());
        Ok(())
    }

    async fn read(&self, service: &Service) -> Result<()> {
        let stored = service.store.signing_keys().await?.into_iter();
        let held = stored.map(|SigningKey { kid, pem, signs_from }| {
            Key::from_pem(kid, &pem).map(|key| Arc::new(Held { key, signs_from }))
        });
        let held: Arc<[Arc<Held>]> = held.collect::<Result<_>>()?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }
}

/// The newest of the keys that signs at the moment, else the oldest of all.
fn signer_of(all: &[Arc<Held>], now: Timestamp) -> Option<Arc<Held>> {
    all.iter().find(|held| held.signs_from <= now).or(all.last()).cloned()
}

/// A signing key as the operator is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    pub kid: String,
    pub signs_from: Timestamp,
    /// Whether new tokens are signed with it.
    pub signs: bool,
}

impl Service {
    /// The signing keys, the newest first.
    pub async fn signing_keys(&self, _permit: &Permit<ManageClients>) -> Result<Vec<KeyStanding>> {
        self.tokens.keys.reload(self).await?;
        let all = self.tokens.keys.all();
        let signer = signer_of(&all, self.clock.now());
        let standing = |held: &Arc<Held>| KeyStanding {
            kid: held.key.kid().to_owned(),
            signs_from: held.signs_from,
            signs: signer.as_ref().is_some_and(|signer| Arc::ptr_eq(signer, held)),
        };
        Ok(all.iter().map(standing).collect())
    }

    /// Makes a signing key that is published now and signs in so many seconds, when every node knows it. Tokens signed
    /// with older keys stay good until they expire.
    pub async fn rotate_signing_key(&self, _permit: &Permit<ManageClients>, published: i64) -> Result<KeyStanding> {
        let key = new_key(self, self.clock.now().plus_seconds(published)).await?;
        let standing = KeyStanding { kid: key.kid.clone(), signs_from: key.signs_from, signs: false };
        self.store.add_signing_key(key, false).await?;
        info!(kid = standing.kid, "a signing key was made");
        Ok(standing)
    }
}

/// Makes and keeps a key, unless another node was quicker.
pub(super) async fn make_first(service: &Service) -> Result<()> {
    let key = new_key(service, service.clock.now()).await?;
    service.store.add_signing_key(key, true).await
}

async fn new_key(service: &Service, signs_from: Timestamp) -> Result<SigningKey> {
    let pem = spawn_blocking(generate_pem).await.map_err(Error::internal)??;
    let kid = service.ids.uuid(service.clock.now()).to_string();
    Ok(SigningKey { kid, pem, signs_from })
}
