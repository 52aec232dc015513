//! The parts of a filter as conditions: on a column of the entity, on its xp, and on what it is related to.

pub(crate) mod filters;
pub(crate) mod relations;
mod value_tests;
pub(crate) mod xp_entries;
