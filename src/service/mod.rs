//! The use cases, one method each: it takes the caller's permit, checks the rules of the directory, and calls the
//! store. APIs and commands call these methods. No other module writes to the store.

pub mod clients;
pub(crate) mod complete_groups;
pub(crate) mod complete_users;
pub(crate) mod erasure;
mod feed;
pub mod groups;
mod idempotency;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod memberships;
pub(crate) mod past;
pub(crate) mod provisioning;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod setup;
mod sign_ins;
mod statistics;
pub mod tokens;
pub(crate) mod undo;
pub mod users;
mod write;

pub(crate) use feed::{FeedReader, ReadPart};

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::auth::password::Passwords;
use crate::domain::Result;
use crate::domain::caller::{OperateDirectory, Permit};
use crate::domain::env::{Clock, Ids};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::time::Timestamp;
pub use crate::store::CachedEntity;
use crate::store::Store;

use feed::Feed;
use sign_ins::WaitingSignIns;
use tokens::Tokens;

/// The directory's use cases over one store.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    passwords: Passwords,
    tokens: Tokens,
    waiting_sign_ins: Arc<WaitingSignIns>,
    feed: Arc<Feed>,
}

impl Service {
    /// Creates the use cases over `store`. Tokens have `issuer` as `iss` and `aud`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, issuer: String) -> Self {
        let (passwords, waiting_sign_ins) = (Passwords::default(), Arc::default());
        Self { store, clock, ids, passwords, tokens: Tokens::new(issuer), waiting_sign_ins, feed: Arc::default() }
    }

    /// Checks that the database can be read and written now. Fails with `Unavailable` or `Damaged`.
    pub async fn ready(&self) -> Result<()> {
        self.store.ready().await
    }

    /// Waits until the store permanently loses its database, and returns the reason.
    pub async fn wait_for_loss(&self) -> String {
        self.store.wait_for_loss().await
    }

    /// Writes a consistent copy of the database to the new file `to`.
    pub async fn backup(&self, _permit: &Permit<OperateDirectory>, to: &Path) -> anyhow::Result<()> {
        self.store.backup(to).await
    }

    /// Records the sign-ins that wait, and closes the database. No other method may be called after it.
    pub async fn close(&self) {
        self.write_last_sign_ins().await;
        self.store.close().await;
    }

    /// The default language of the directory. The label in this language is the Name of a group.
    pub fn default_language(&self) -> &Tag {
        self.store.default_language()
    }

    /// The random identity of the directory, which its backups and copies keep.
    pub(crate) fn directory(&self) -> Uuid {
        self.store.directory()
    }

    /// The time by which tokens are checked.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates the journal operation of a change, with what accompanies the change. The store fixes the time.
    fn operation<P>(&self, permit: &Permit<P>) -> Operation {
        let caller = permit.caller();
        Operation {
            id: permit
                .context()
                .and_then(|context| context.operation.as_deref())
                .map_or_else(|| self.new_operation(), str::to_owned),
            clock: Arc::clone(&self.clock),
            actor: caller.actor,
            channel: caller.channel,
            reason: permit.context().and_then(|context| context.reason.clone()),
            operator: caller.operator.clone(),
            undoes: None,
            recording: permit.context().and_then(|context| context.recording.clone()),
        }
    }

    /// Returns the ID of a new operation.
    pub(crate) fn new_operation(&self) -> String {
        self.ids.uuid(self.clock.now()).to_string()
    }

    fn new_id(&self) -> Id {
        Id::generated(self.ids.uuid(self.clock.now()))
    }
}
