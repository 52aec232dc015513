//! Point reads: one connection per thread, and the cache of groups.

pub(super) mod group_cache;
pub(super) mod readers;
