//! The cache of the signing keys, and their rotation.

use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tracing::info;

use crate::auth::keys::{Key, generate_pem};
use crate::domain::caller::{OperateDirectory, Permit, ReadClients};
use crate::domain::error::{Error, Result};
use crate::domain::journal::Operation;
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::service::Service;
use crate::store::SigningKey;

/// The minimum interval, in microseconds, between two reads of the keys because of a token with an unknown key. It
/// limits the cost of forged tokens.
const MIN_RELOAD_INTERVAL_MICROS: u64 = 1_000_000;

/// The maximum age of the cached keys, in microseconds, when a token is signed. It bounds the delay until this node
/// signs with a key that another node created.
const MAX_SIGNER_AGE_MICROS: u64 = 5_000_000;

/// For how many seconds clients may cache the public keys: the `max-age` of the responses that contain them.
pub const PUBLIC_KEYS_MAX_AGE: u32 = 300;

/// The default number of seconds for which a new key is published before it signs. Until a node reads the keys again,
/// it returns the keys without the new one, and clients may cache them for [`PUBLIC_KEYS_MAX_AGE`]. The additional
/// minute covers the interval between two reads and differences between clocks.
pub const KEY_PUBLISHED_SECONDS: u32 = PUBLIC_KEYS_MAX_AGE + 60;

/// The numbers of seconds for which a new key can be published before it signs.
pub const PUBLISH_SECONDS: RangeInclusive<i64> = 2..=86_400;

/// A key and the time from which it signs.
pub(super) struct LoadedKey {
    /// The key pair and its ID.
    pub(super) key: Key,
    signs_from: Timestamp,
}

/// The cached keys, the newest first, and the time of the last read.
#[derive(Default)]
pub(super) struct Keys {
    loaded: RwLock<Arc<[Arc<LoadedKey>]>>,
    read_at: Mutex<Option<Timestamp>>,
}

impl Keys {
    /// Returns all cached keys.
    pub(super) fn all(&self) -> Arc<[Arc<LoadedKey>]> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the key with this key ID. Reads the store if the key is not cached.
    pub(super) async fn find(&self, service: &Service, kid: &str) -> Result<Option<Arc<LoadedKey>>> {
        let named = |loaded: &&Arc<LoadedKey>| loaded.key.kid() == kid;
        if let Some(loaded) = self.all().iter().find(named) {
            return Ok(Some(Arc::clone(loaded)));
        }
        self.refresh(service).await?;
        Ok(self.all().iter().find(named).cloned())
    }

    /// Returns the newest key that may sign now. If there is none, the clock was set back, and the oldest key signs.
    /// Fails if the directory has no key.
    pub(super) async fn signer(&self, service: &Service) -> Result<Arc<LoadedKey>> {
        self.refresh_older_than(service, MAX_SIGNER_AGE_MICROS).await?;
        let (all, now) = (self.all(), service.clock.now());
        signer_of(&all, now).ok_or_else(|| Error::internal(anyhow::anyhow!("the directory has no signing key")))
    }

    /// Reads the keys from the store, unless that happened within the last second.
    pub(super) async fn refresh(&self, service: &Service) -> Result<()> {
        self.refresh_older_than(service, MIN_RELOAD_INTERVAL_MICROS).await
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

    /// Reads the keys from the store now.
    pub(super) async fn reload(&self, service: &Service) -> Result<()> {
        let mut read_at = self.read_at.lock().await;
        self.read(service).await?;
        *read_at = Some(service.clock.now());
        Ok(())
    }

    async fn read(&self, service: &Service) -> Result<()> {
        let stored = service.store.signing_keys().await?.into_iter();
        let loaded = stored.map(|SigningKey { published: PublishedKey { kid, signs_from }, pem }| {
            Key::from_pem(kid, &pem).map(|key| Arc::new(LoadedKey { key, signs_from }))
        });
        let loaded: Arc<[Arc<LoadedKey>]> = loaded.collect::<Result<_>>()?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }
}

/// Returns the newest key that may sign at the given time, otherwise the oldest key.
fn signer_of(all: &[Arc<LoadedKey>], now: Timestamp) -> Option<Arc<LoadedKey>> {
    all.iter().find(|loaded| loaded.signs_from <= now).or(all.last()).cloned()
}

/// The status of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key ID.
    pub kid: String,
    /// The time from which the key signs.
    pub signs_from: Timestamp,
    /// The current use of the key.
    pub state: KeyState,
}

/// The use of a signing key. Every key is published, and verifies the tokens that it signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It does not sign yet.
    Upcoming,
    /// It signs new tokens.
    Signing,
    /// It does not sign any more.
    Retired,
}

impl KeyState {
    /// The name of the state for operators and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Signing => "signs",
            Self::Retired => "retired",
        }
    }
}

impl Service {
    /// Returns the status of the signing keys, the newest first.
    pub async fn signing_keys(&self, _permit: &Permit<ReadClients>) -> Result<Vec<KeyStatus>> {
        self.tokens.keys.reload(self).await?;
        let (all, now) = (self.tokens.keys.all(), self.clock.now());
        let signer = signer_of(&all, now).map(|signer| signer.key.kid().to_owned());
        let status = |loaded: &Arc<LoadedKey>| KeyStatus {
            kid: loaded.key.kid().to_owned(),
            signs_from: loaded.signs_from,
            state: match signer.as_deref() == Some(loaded.key.kid()) {
                true => KeyState::Signing,
                false if loaded.signs_from > now => KeyState::Upcoming,
                false => KeyState::Retired,
            },
        };
        Ok(all.iter().map(status).collect())
    }

    /// Creates a signing key that is published now and signs after `published` seconds, when every node knows it.
    /// Tokens signed with older keys stay valid until they expire. Fails with `Invalid` if the number of seconds is not
    /// one of [`PUBLISH_SECONDS`], with `KeyAnnounced` if the key would sign before an existing one, and with
    /// `PreconditionFailed` for a conditional request, because keys have no versions.
    pub async fn rotate_signing_key(&self, permit: &Permit<OperateDirectory>, published: i64) -> Result<PublishedKey> {
        permit.refuse_condition()?;
        if !PUBLISH_SECONDS.contains(&published) {
            let (least, most) = (PUBLISH_SECONDS.start(), PUBLISH_SECONDS.end());
            return Err(Error::invalid("publishSeconds", format!("must be {least} to {most}")));
        }
        let key = new_key(self, self.clock.now().plus_seconds(published)).await?;
        if let Some(created) = self.store.add_signing_key(self.operation(permit), key, false).await? {
            info!(kid = created.kid, "a signing key was created");
            return Ok(created);
        }
        let newest = self.store.signing_keys().await?.into_iter().next().map(|key| key.published);
        Err(newest.map_or_else(
            || Error::internal(anyhow::anyhow!("the store refused a signing key although it has none")),
            Error::KeyAnnounced,
        ))
    }
}

/// Creates and stores a key, unless another node has stored one in the meantime.
pub(super) async fn create_first(service: &Service, operation: Operation) -> Result<()> {
    let key = new_key(service, service.clock.now()).await?;
    service.store.add_signing_key(operation, key, true).await.map(drop)
}

async fn new_key(service: &Service, signs_from: Timestamp) -> Result<SigningKey> {
    let pem = spawn_blocking(generate_pem).await.map_err(Error::internal)??;
    let kid = service.ids.uuid(service.clock.now()).to_string();
    Ok(SigningKey { published: PublishedKey { kid, signs_from }, pem })
}
