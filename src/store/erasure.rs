//! The interface of a store to erasures: the personal fields of a user are emptied everywhere.

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::erasure::Erased;
use crate::domain::journal::Operation;
use crate::domain::user::UserUid;

use super::update::UserUpdateFn;

/// An erasure begins with one transaction, after which the user is gone. Further transactions, each of bounded work, empty
/// what the journal, recorded answers and indexes hold of the user. The store remembers until the last of them that the
/// erasure is not finished.
#[async_trait]
pub trait Erasure {
    /// Returns the number of journal entries that hold states of the user.
    async fn entries_of_user(&self, user: UserUid) -> Result<u64>;
    /// Begins the erasure of the user, live or deleted: deletes them if they live, as a deletion does, and empties their
    /// row. The journal keeps that. `update` decides whether it may be done: its mutation is not looked at. `changes` is
    /// part of the result. Fails with the error of `update`, and with `AlreadyErased`.
    async fn begin_erasure(
        &self,
        operation: Operation,
        user: UserUid,
        changes: u64,
        update: UserUpdateFn,
    ) -> Result<Erased>;
    /// Empties the rest of what is kept of a user whose erasure has begun. It may be called again after a failure.
    async fn finish_erasure(&self, user: UserUid) -> Result<()>;
    /// Returns the users whose erasure has begun and is not finished.
    async fn unfinished_erasures(&self) -> Result<Vec<UserUid>>;
}
