//! Use cases of erasing: the personal fields of a user are emptied for good (docs/rollbook.md, section 13).

use std::sync::Arc;

use crate::domain::caller::{EraseUsers, OperateDirectory, Permit};
use crate::domain::erasure::Erased;
use crate::domain::error::{Error, Result};
use crate::domain::role::Roles;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::{CurrentUser, Mutation, UserUpdateFn};

use super::Service;
use super::users::not_found;
use super::write::conditional_by;

impl Service {
    /// Erases the user with the key, live or deleted, and returns when nothing personal of them is kept any more. Fails
    /// with `NotFound`, `AlreadyErased` or `PreconditionFailed`. After another failure the erasure may have begun: it is
    /// finished by another call, or by a server that starts.
    pub(crate) async fn erase_user(&self, permit: &Permit<EraseUsers>, key: &UserKey) -> Result<Erased> {
        let user = self.existing_user(key).await?.uid;
        let changes = self.store.entries_of_user(user).await?;
        let begun = self.store.begin_erasure(self.operation(permit), user, changes, allowed(permit, key.clone())).await;
        // Also after an error, because the user may still have been deleted.
        self.tokens.invalidate_token_cache();
        match begun {
            Ok(erased) => {
                self.finish_erasure(user).await?;
                tracing::info!(user, changes, "erased");
                Ok(erased)
            }
            Err(Error::AlreadyErased) => {
                if self.store.unfinished_erasures().await?.contains(&user) {
                    self.finish_erasure(user).await?;
                }
                Err(Error::AlreadyErased)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what [`Self::erase_user`] would, and changes nothing. Fails as it does.
    pub(crate) async fn preview_erasure(&self, permit: &Permit<EraseUsers>, key: &UserKey) -> Result<Erased> {
        let user = self.existing_user(key).await?;
        allowed(permit, key.clone())(Some(CurrentUser { user: &user, client_roles: Roles::NONE }))?;
        Ok(Erased { uid: user.uid, changes: self.store.entries_of_user(user.uid).await? })
    }

    /// Finishes the erasures that a crash has interrupted.
    pub(crate) async fn finish_erasures(&self, _permit: &Permit<OperateDirectory>) -> Result<()> {
        for user in self.store.unfinished_erasures().await? {
            self.finish_erasure(user).await?;
        }
        Ok(())
    }

    /// Takes the steps of an erasure, also if the caller goes away.
    async fn finish_erasure(&self, user: UserUid) -> Result<()> {
        let store = Arc::clone(&self.store);
        let steps = tokio::spawn(async move { store.finish_erasure(user).await });
        steps.await.map_err(Error::internal)?
    }
}

/// The rule of an erasure, under the condition of the request.
fn allowed(permit: &Permit<EraseUsers>, key: UserKey) -> UserUpdateFn {
    let update = move |current: Option<CurrentUser<'_>>| {
        let current = current.ok_or_else(|| not_found(&key))?;
        if current.user.erased.is_some() { Err(Error::AlreadyErased) } else { Ok(Mutation::Delete) }
    };
    conditional_by::<User>(permit, Box::new(update))
}
