//! The domain: groups, users, memberships, clients, the rights of a caller, and the queries on lists. Nothing here
//! depends on HTTP, SQL or a wire format. The only other module it imports is `json`: extended properties are JSON
//! values.

pub(crate) mod actor;
pub(crate) mod address;
pub(crate) mod answer;
pub mod caller;
pub mod change;
pub mod client;
pub(crate) mod contacts;
pub(crate) mod counts;
pub(crate) mod cursor;
pub(crate) mod entity;
pub(crate) mod env;
pub mod error;
pub(crate) mod export_item;
pub mod group;
pub(crate) mod idempotency;
pub mod journal;
pub(crate) mod lockout;
pub mod long_lived_token;
pub(crate) mod membership;
mod past;
pub(crate) mod query;
pub(crate) mod rotation;
pub mod session;
pub mod signing_key;
pub(crate) mod statistics;
pub(crate) mod target;
pub mod user;
mod values;

pub use error::{Error, Result};
pub use past::{change_type, history, sign_in};
pub(crate) use past::{changed_fields, erasure, restore, undo, visible_states};
pub use values::{community, day, decimal, id, labels, reason, role, text, time, xp};
