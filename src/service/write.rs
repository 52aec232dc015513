//! The write of an entity, for groups, users, clients and long-lived tokens.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use crate::domain::caller::{Permission, Permit};
use crate::domain::change::{EntityVersion, Precondition};
use crate::domain::client::{Client, ClientKey};
use crate::domain::entity::Entity;
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupFields, GroupKey};
use crate::domain::id::Id;
use crate::domain::journal::Operation;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenKey};
use crate::domain::restore::Restored;
use crate::domain::target::Target;
use crate::domain::user::{User, UserKey};
use crate::store::{ClientUpdate, CurrentUser, LongLivedTokenUpdate, Store, UpdateFn, UserUpdateFn};

use super::Service;

/// A kind of entity that the store writes with an update function.
#[async_trait]
pub(super) trait Writable: Entity + Sized {
    /// The key that identifies the entity.
    type Key;
    /// The update function.
    type Update;
    /// Whether the status of tokens depends on the entity.
    const HAS_TOKENS: bool;

    /// Returns the update function with a precondition, which fails with `PreconditionFailed` if the current entity
    /// does not fulfil it.
    fn conditional(update: Self::Update, precondition: Precondition) -> Self::Update;

    /// Calls the method of the store that writes this kind of entity.
    async fn write(
        store: &dyn Store,
        operation: Operation,
        target: Target<Self::Key>,
        update: Self::Update,
    ) -> Result<Self>;
}

/// A kind of entity whose deletion can be undone.
#[async_trait]
pub(super) trait Restorable: Writable {
    /// Calls the method of the store that restores the entity with the key.
    async fn restore(
        store: &dyn Store,
        operation: Operation,
        key: Self::Key,
        update: Self::Update,
    ) -> Result<Restored<Self>>;
    /// Whether a live entity has the ID.
    async fn is_taken(store: &dyn Store, id: Id) -> Result<bool>;
}

#[async_trait]
impl Writable for Group {
    type Key = GroupKey;
    type Update = UpdateFn<Self, GroupFields>;
    const HAS_TOKENS: bool = false;

    fn conditional(update: Self::Update, precondition: Precondition) -> Self::Update {
        conditional(update, precondition)
    }

    async fn write(
        store: &dyn Store,
        operation: Operation,
        target: Target<GroupKey>,
        update: Self::Update,
    ) -> Result<Self> {
        store.write_group(operation, target, update).await
    }
}

#[async_trait]
impl Restorable for Group {
    async fn restore(
        store: &dyn Store,
        operation: Operation,
        key: GroupKey,
        update: Self::Update,
    ) -> Result<Restored<Self>> {
        store.restore_group(operation, key, update).await
    }

    async fn is_taken(store: &dyn Store, id: Id) -> Result<bool> {
        Ok(store.group(&GroupKey::Id(id)).await?.is_some())
    }
}

#[async_trait]
impl Writable for User {
    type Key = UserKey;
    type Update = UserUpdateFn;
    const HAS_TOKENS: bool = true;

    fn conditional(update: UserUpdateFn, precondition: Precondition) -> UserUpdateFn {
        Box::new(move |current: Option<CurrentUser<'_>>| {
            let mutation = update(current)?;
            check(&precondition, current.map(|current| current.user))?;
            Ok(mutation)
        })
    }

    async fn write(
        store: &dyn Store,
        operation: Operation,
        target: Target<UserKey>,
        update: UserUpdateFn,
    ) -> Result<Self> {
        store.write_user(operation, target, update).await
    }
}

#[async_trait]
impl Restorable for User {
    async fn restore(
        store: &dyn Store,
        operation: Operation,
        key: UserKey,
        update: Self::Update,
    ) -> Result<Restored<Self>> {
        store.restore_user(operation, key, update).await
    }

    async fn is_taken(store: &dyn Store, id: Id) -> Result<bool> {
        Ok(store.user(&UserKey::Id(id)).await?.is_some())
    }
}

#[async_trait]
impl Writable for Client {
    type Key = ClientKey;
    type Update = UpdateFn<Self, ClientUpdate>;
    const HAS_TOKENS: bool = true;

    fn conditional(update: Self::Update, precondition: Precondition) -> Self::Update {
        conditional(update, precondition)
    }

    async fn write(
        store: &dyn Store,
        operation: Operation,
        target: Target<ClientKey>,
        update: Self::Update,
    ) -> Result<Self> {
        store.write_client(operation, target, update).await
    }
}

#[async_trait]
impl Writable for LongLivedToken {
    type Key = LongLivedTokenKey;
    type Update = UpdateFn<Self, LongLivedTokenUpdate>;
    const HAS_TOKENS: bool = true;

    fn conditional(update: Self::Update, precondition: Precondition) -> Self::Update {
        conditional(update, precondition)
    }

    async fn write(
        store: &dyn Store,
        operation: Operation,
        target: Target<LongLivedTokenKey>,
        update: Self::Update,
    ) -> Result<Self> {
        store.write_long_lived_token(operation, target, update).await
    }
}

fn conditional<T: Entity + 'static, F: 'static>(update: UpdateFn<T, F>, precondition: Precondition) -> UpdateFn<T, F> {
    Box::new(move |current| {
        let mutation = update(current)?;
        check(&precondition, current)?;
        Ok(mutation)
    })
}

/// Fails with `PreconditionFailed` if the condition does not hold for the current entity. It is checked after the update
/// function: what is refused in any case gets the same error with a condition and without one (RFC 9110, section
/// 13.2.1). So a condition reveals nothing about an entity that the caller may not see.
fn check(precondition: &Precondition, current: Option<&impl Entity>) -> Result<()> {
    if precondition.holds(current.map(EntityVersion::of)) { Ok(()) } else { Err(Error::PreconditionFailed) }
}

impl Service {
    /// Writes an entity with the update function under the permit's precondition, logs the write, and returns the entity
    /// after it. If the status of tokens depends on the entity, invalidates the token cache. The journal records what
    /// changed.
    pub(super) async fn write<E: Writable>(
        &self,
        permit: &Permit<impl Permission>,
        target: impl Into<Target<E::Key>>,
        update: E::Update,
    ) -> Result<E> {
        let (operation, update) = (self.operation(permit), conditional_by::<E>(permit, update));
        let written = E::write(&*self.store, operation.clone(), target.into(), update).await;
        self.settle(&operation, written.as_ref().ok());
        written
    }

    /// As [`Service::write`], with an update function that restores the entity with the key. Fails with
    /// `RestoredIdTaken` instead of `AlreadyExists`.
    pub(super) async fn restore<E: Restorable>(
        &self,
        permit: &Permit<impl Permission>,
        key: E::Key,
        update: E::Update,
    ) -> Result<Restored<E>> {
        let (operation, update) = (self.operation(permit), conditional_by::<E>(permit, update));
        let restored = E::restore(&*self.store, operation.clone(), key, update).await;
        self.settle(&operation, restored.as_ref().ok().map(|restored| &restored.entity));
        match restored {
            Err(Error::AlreadyExists(kind, id)) => {
                let proposed = self.free_id::<E>(&id).await?.to_string();
                Err(Error::RestoredIdTaken { kind, id, proposed })
            }
            restored => restored,
        }
    }

    /// Returns an ID that no live entity has, made of one that is taken: with a number from 2 behind it, or a generated
    /// one if the first numbers are taken.
    async fn free_id<E: Restorable>(&self, taken: &str) -> Result<Id> {
        const NUMBERS: RangeInclusive<u32> = 2..=9;
        let stem = taken.get(..Id::MAX - 2).unwrap_or(taken);
        for id in NUMBERS.filter_map(|number| Id::new(format!("{stem}-{number}"))) {
            if !E::is_taken(&*self.store, id.clone()).await? {
                return Ok(id);
            }
        }
        Ok(self.new_id())
    }

    /// Follows a write: invalidates the token cache if the status of tokens depends on the entity, and logs what was
    /// written.
    fn settle<E: Writable>(&self, operation: &Operation, written: Option<&E>) {
        if E::HAS_TOKENS {
            // Also after an error, because the change may still have been committed.
            self.tokens.invalidate_token_cache();
        }
        if let Some(written) = written {
            let (channel, user, client) = (operation.channel.name(), operation.actor.user, operation.actor.client);
            let (kind, uid, version) = (E::NAME, written.uid(), written.version());
            tracing::info!(operation = operation.id, channel, user, client, kind, uid, version, "written");
        }
    }
}

/// Returns the update function under the permit's precondition.
pub(super) fn conditional_by<E: Writable>(permit: &Permit<impl Permission>, update: E::Update) -> E::Update {
    match permit.context().and_then(|context| context.precondition.clone()) {
        Some(precondition) => E::conditional(update, precondition),
        None => update,
    }
}
