//! Undoing changes: what all stores share.

use std::sync::Arc;

use crate::domain::journal::Operation;

/// Takes its unique key from the live group with the number. Until the group is written, it has a key with capital letters,
/// which no folded text has.
pub(crate) const YIELD_GROUP_KEYS: &str = "UPDATE groups SET id_key = 'UID ' || uid WHERE uid = $1";

/// Takes their unique keys from the live user with the number, as [`YIELD_GROUP_KEYS`] does.
pub(crate) const YIELD_USER_KEYS: &str =
    "UPDATE users SET id_key = 'UID ' || uid, username_key = 'UID ' || uid WHERE uid = $1";

/// Gives a live group its unique key back, unless it was written meanwhile.
pub(crate) const KEEP_GROUP_KEYS: &str =
    "UPDATE groups SET id_key = $2 WHERE uid = $1 AND id_key = 'UID ' || uid AND deleted IS NULL";

/// As [`KEEP_GROUP_KEYS`], of a user.
pub(crate) const KEEP_USER_KEYS: &str = "UPDATE users SET id_key = $2, username_key = $3 \
     WHERE uid = $1 AND id_key = 'UID ' || uid AND deleted IS NULL";

/// The operation, for journal entries of changes that undo another operation.
pub(crate) fn undoing(operation: &Operation, undoes: &Arc<str>) -> Operation {
    Operation { undoes: Some(Arc::clone(undoes)), recording: None, ..operation.clone() }
}
