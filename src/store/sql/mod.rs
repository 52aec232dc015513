//! What the SQL stores share: the description of the tables, what a change makes of an entity and of the rows derived
//! from it, the statements of lists (built once, rendered for either engine), the n-grams of texts and the entries of
//! the journal.

pub(crate) mod actors;
pub(crate) mod codec;
pub(crate) mod columns;
pub(crate) mod copy;
pub(crate) mod counters;
pub(crate) mod derived;
pub(crate) mod entity;
pub(crate) mod erasure;
pub(crate) mod export;
pub(crate) mod folding;
pub(crate) mod journal;
pub(crate) mod labels;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod past;
pub(crate) mod records;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
pub(crate) mod statistics;
pub(crate) mod tables;
pub(crate) mod undo;
pub(crate) mod xp;
