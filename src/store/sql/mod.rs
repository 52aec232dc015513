//! What the stores that speak SQL share: how the things of the directory lie in tables and are read from rows, what
//! a write makes of them, the statements of their lists (built once, rendered for either engine), the grams of their
//! texts and the entries of the journal.

#[cfg(test)]
pub mod asked;
pub mod changes;
pub mod codec;
pub mod copy;
pub mod counters;
pub mod export;
pub mod grams;
pub mod journal;
pub mod layout;
pub mod lists;
pub mod memberships;
pub mod orders;
pub mod render;
pub mod rows;
pub mod sets;
pub mod tables;
pub mod window;
pub mod xp;
