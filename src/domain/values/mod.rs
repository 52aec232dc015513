//! The values that entities consist of: each type checks its own rules and limits. `domain` re-exports every module.

pub mod community;
pub mod day;
pub mod decimal;
pub mod id;
pub mod labels;
pub mod reason;
pub mod role;
pub mod text;
pub mod time;
pub mod xp;
