//! The description of each record: its table, its columns and what a change makes of it. A new column of an entity is
//! added here and in the migrations of each store.

mod answers;
pub(crate) mod clients;
mod groups;
pub(crate) mod long_lived_tokens;
mod sessions;
mod tokens;
mod users;
