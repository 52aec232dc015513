//! Statements on sessions and setup codes that both stores run.

/// The maximum number of expired rows that one write deletes.
pub(crate) const EXPIRED_PER_WRITE: i64 = 100;

/// Deletes the oldest sessions of a user beyond a number. The parameters are the user and the number.
pub(crate) const END_OLDEST: &str = "DELETE FROM sessions WHERE hash IN \
     (SELECT hash FROM sessions WHERE user_uid = $1 ORDER BY created DESC, hash LIMIT 1000 OFFSET $2)";
/// Records a use of a session. The parameters are the time and the hash.
pub(crate) const NOTE_USE: &str = "UPDATE sessions SET seen = $1 WHERE seen < $1 AND hash = $2";
/// Deletes a session. The parameters are the user and the ID.
pub(crate) const END: &str = "DELETE FROM sessions WHERE user_uid = $1 AND id = $2";
/// Deletes all sessions of a user.
pub(crate) const END_ALL: &str = "DELETE FROM sessions WHERE user_uid = $1";
/// The end of the statement that reads the sessions of a user. The parameter is the user.
pub(crate) const OF_USER: &str = "WHERE user_uid = $1 ORDER BY created DESC, hash LIMIT 100";

/// Stores a setup code. The parameters are the hash and the expiry.
pub(crate) const KEEP_CODE: &str = "INSERT INTO setup_codes (hash, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING";
/// Deletes expired setup codes. The parameter is the time.
pub(crate) const CLEAR_CODES: &str = "DELETE FROM setup_codes WHERE expires <= $1";
/// Finds the expiry of a setup code. The parameters are the hash and the time.
pub(crate) const FIND_CODE: &str = "SELECT expires FROM setup_codes WHERE hash = $1 AND expires > $2";
/// Deletes all setup codes if one is good. The parameters are the hash and the time.
pub(crate) const USE_CODE: &str = "DELETE FROM setup_codes WHERE EXISTS \
     (SELECT 1 FROM setup_codes WHERE hash = $1 AND expires > $2)";
/// Finds a live user with every role, whose bit is 1. Its conditions are those of the index `users_roles`.
pub(crate) const ADMINISTRATOR: &str =
    "SELECT 1 FROM users WHERE deleted IS NULL AND roles <> 0 AND roles & 1 = 1 LIMIT 1";
