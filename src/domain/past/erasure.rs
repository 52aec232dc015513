//! Erased users: their personal fields are emptied for good, everywhere (docs/rollbook.md, section 13).

use crate::domain::user::UserUid;

/// A user who was erased, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The number of the user, which stays.
    pub uid: UserUid,
    /// The number of journal entries whose state of the user is emptied, without those of the erasure itself.
    pub changes: u64,
}
