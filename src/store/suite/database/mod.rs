//! The whole database: its schema, a copy of it, and keys that are folded again.

pub(crate) mod copy;
pub(crate) mod folding;
pub(crate) mod schema;
pub(crate) mod statistics;
