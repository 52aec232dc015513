//! Reads and writes of each kind of entity, of tokens, and of the answers under idempotency keys.

pub(crate) mod answers;
pub(crate) mod counts;
pub(crate) mod erasure;
pub(crate) mod groups;
pub(crate) mod long_lived_tokens;
pub(crate) mod member_changes;
pub(crate) mod memberships;
pub(crate) mod restore;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
pub(crate) mod signing_in;
pub(crate) mod users;
