//! Undoing changes: what all stores share.

use std::sync::Arc;

use crate::domain::journal::Operation;

/// Takes its unique key from the live group with the number. Until the group is written, it has a key with capital letters,
/// which no folded text has.
pub(crate) const YIELD_GROUP_KEYS: &str = "UPDATE groups SET id_key = 'UID ' || uid WHERE uid = $1";

/// Takes their unique keys from the live user with the number, as [`YIELD_GROUP_KEYS`] does.
pub(crate) const YIELD_USER_KEYS: &str =
    "UPDATE users SET id_key = 'UID ' || uid, username_key = 'UID ' || uid WHERE uid = $1";

/// Gives a live group its unique key back, unless it was written meanwhile: the key and the number. (The parameters stand in
/// the order of their numbers, because SQLite numbers them as they come.)
pub(crate) const KEEP_GROUP_KEYS: &str =
    "UPDATE groups SET id_key = $1 WHERE uid = $2 AND id_key = 'UID ' || uid AND deleted IS NULL";

/// As [`KEEP_GROUP_KEYS`], of a user: the key of the ID, the folded username and the number.
pub(crate) const KEEP_USER_KEYS: &str = "UPDATE users SET id_key = $1, username_key = $2 \
     WHERE uid = $3 AND id_key = 'UID ' || uid AND deleted IS NULL";

/// The operation, for journal entries of changes that undo another operation.
pub(crate) fn undoing(operation: &Operation, undoes: &Arc<str>) -> Operation {
    Operation { undoes: Some(Arc::clone(undoes)), recording: None, ..operation.clone() }
}
