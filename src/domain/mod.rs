//! What Rollbook is about: groups, users, memberships, clients, the rights of a caller and the questions
//! that may be asked of the directory. Nothing here knows HTTP, SQL or a wire format; nothing here imports
//! another layer.

pub mod client;
pub mod community;
pub mod env;
pub mod error;
pub mod group;
pub mod id;
pub mod journal;
pub mod json;
pub mod labels;
pub mod members;
pub mod membership;
pub mod query;
pub mod role;
pub mod shared;
pub mod text;
pub mod thing;
pub mod time;
pub mod user;
pub mod xp;

pub use error::{Error, Result};
