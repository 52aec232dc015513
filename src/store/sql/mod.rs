//! What the stores that speak SQL share: how the things of the directory lie in tables, the statements of their
//! lists (built once, rendered for either engine) and the texts of the journal.

pub mod codec;
pub mod journal;
pub mod lists;
pub mod memberships;
pub mod render;
pub mod sets;
pub mod tables;
pub mod xp;
