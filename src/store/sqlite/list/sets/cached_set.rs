//! A set of entities in a cache.

use std::sync::Arc;

use roaring::RoaringTreemap;

/// The `uid`s of a candidate set as they were at one point of the journal.
#[derive(Clone, Debug)]
pub(crate) struct CachedSet {
    /// The `uid`s.
    pub uids: Arc<RoaringTreemap>,
    /// The sequence number of the journal's last entry when the set was read.
    pub last_entry: i64,
}
