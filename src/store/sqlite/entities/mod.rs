//! Reads and writes the rows of each kind of entity, of tokens, counters and the journal.

pub(super) mod answers;
pub(super) mod batch_index;
pub(super) mod clients;
pub(super) mod counters;
pub(super) mod groups;
pub(super) mod journal;
pub(super) mod long_lived_tokens;
pub(super) mod member_changes;
pub(super) mod memberships;
pub(super) mod rows;
pub(super) mod sign_ins;
pub(super) mod tokens;
pub(super) mod users;
pub(super) mod xp;
