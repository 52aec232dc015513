//! The use cases, one method each: the caller's permit, the rules of the directory, one call of the store.
//! Dialects and commands come here; nothing else writes.

pub mod clients;
pub mod groups;
pub mod import;
pub mod memberships;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use crate::auth::password::Passwords;
use crate::domain::env::{Clock, Ids};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::role::Caller;
use crate::store::Store;

use tokens::Tokens;

/// The directory's use cases over one store.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    passwords: Passwords,
    tokens: Tokens,
}

impl Service {
    /// The use cases over `store`; tokens carry `issuer` as `iss` and `aud`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, issuer: String) -> Self {
        Self { store, clock, ids, passwords: Passwords::default(), tokens: Tokens::new(issuer) }
    }

    /// The store, for readiness and shutdown.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The language whose label is a group's Name.
    pub fn default_language(&self) -> &Tag {
        self.store.default_language()
    }

    /// What the journal says of a change that this caller makes now.
    fn operation(&self, caller: &Caller) -> Operation {
        let at = self.clock.now();
        Operation { id: self.ids.uuid(at).to_string(), at, actor: caller.actor, door: caller.door }
    }

    fn new_id(&self) -> Id {
        Id::generated(self.ids.uuid(self.clock.now()))
    }
}

/// Says in the log that a thing was written; what changed stands in the journal.
fn log_change(operation: &Operation, kind: &str, uid: i64, version: i64) {
    let (door, user, client) = (operation.door.name(), operation.actor.user, operation.actor.client);
    tracing::info!(operation = operation.id, door, user, client, kind, uid, version, "written");
}
