//! The SQL of lists: filters, candidate sets, sort orders, pages.

pub(crate) mod candidate_set;
pub(crate) mod candidates;
pub(crate) mod conditions;
pub(crate) mod cursor;
pub(crate) mod engine;
pub(crate) mod entities;
pub(crate) mod expressions;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod ngrams;
pub(crate) mod probing;
pub(crate) mod sorting;
#[cfg(test)]
pub(crate) mod statement_log;
pub(crate) mod tombstones;
pub(crate) mod window;
