//! The signing keys, kept in memory as the store has them.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::auth::keys::{Key, generate_pem};
use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;
use crate::service::Service;
use crate::store::SigningKey;

/// At most so often, in microseconds, does a token with an unknown key make the store read its keys: forged ones
/// cost nothing more.
const RELOAD_MICROS: u64 = 1_000_000;

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
        if self.all().is_empty() {
            self.refresh(service).await?;
        }
        let (all, now) = (self.all(), service.clock.now());
        let signer = all.iter().find(|held| held.signs_from <= now).or(all.last());
        signer.cloned().ok_or_else(|| Error::internal(anyhow::anyhow!("the directory has no signing key")))
    }

    /// Reads the keys, unless they were read within the last second.
    pub(super) async fn refresh(&self, service: &Service) -> Result<()> {
        let mut read_at = self.read_at.lock().await;
        let now = service.clock.now();
        let age = read_at.map(|read_at| now.as_micros().abs_diff(read_at.as_micros()));
        if age.is_none_or(|age| age >= RELOAD_MICROS) {
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

/// Makes and keeps a key, unless another node was quicker.
pub(super) async fn make_first(service: &Service) -> Result<()> {
    let pem = spawn_blocking(generate_pem).await.map_err(Error::internal)??;
    let signs_from = service.clock.now();
    let kid = service.ids.uuid(signs_from).to_string();
    service.store.add_signing_key(SigningKey { kid, pem, signs_from }, true).await
}
