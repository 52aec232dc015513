//! What a transaction on the whole directory needs: a migration, a copy, keys that are folded again.

/// The key of the advisory lock for changes of the schema and of all keys, "rollbook" in ASCII. Nodes that start at once
/// migrate in turn.
pub(super) const LOCK: i64 = 0x726f_6c6c_626f_6f6b;

/// Removes the time limits that the role or the database may set: a copy takes as long as the data requires. Only the
/// wait for locks is limited.
pub(super) const REMOVE_TIME_LIMITS: &str = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN \
     ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout'); SET lock_timeout = '5s'";
