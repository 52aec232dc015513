//! Sets of entities in memory: the match set of a filter, its evaluation, and the cache of the sets that lists have read.

mod cached_set;
mod changes;
pub(crate) mod evaluate;
mod keyset_cache;
pub(crate) mod match_set;
pub(crate) mod result_cache;
