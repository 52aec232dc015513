//! The result cache: the candidate sets that lists evaluated recently, by statement. The next page, or a list with
//! another order or with one more filter, uses the cached set. A cached set is brought up to date by the entities that
//! changed since (see [`super::evaluate`]).

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::cached_set::CachedSet;
use super::keyset_cache::KeysetCache;

/// The maximum memory of the cached sets, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// The approximate number of sets that fit. A large set in a directory of a million takes 128 KiB.
const EXPECTED_SETS: usize = 128;
/// The memory of a cached set without its `uid`s and its key, in bytes.
const SET_BYTES: u64 = 300;

/// The cached candidate sets.
pub(crate) struct ResultCache {
    /// The cached keysets, which are not in the cache by statement.
    pub keysets: KeysetCache,
    /// The other sets. The key is the text of the statement with its parameters.
    sets: Cache<String, CachedSet, Weight>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, CachedSet> for Weight {
    fn weight(&self, key: &String, cached: &CachedSet) -> u64 {
        SET_BYTES + key.len() as u64 + cached.uids.serialized_size() as u64
    }
}

impl Default for ResultCache {
    fn default() -> Self {
        Self { keysets: KeysetCache::default(), sets: Cache::with_weighter(EXPECTED_SETS, MAX_BYTES, Weight) }
    }
}

impl ResultCache {
    /// Whether a set with the key is cached, perhaps outdated.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.sets.peek(key).is_some()
    }

    /// Returns the set with the key as of `last_entry` or earlier. A set from a later snapshot than the caller's is of
    /// no use.
    pub(crate) fn get(&self, key: &str, last_entry: i64) -> Option<CachedSet> {
        self.sets.get(key).filter(|cached| cached.last_entry <= last_entry)
    }

    /// Caches the set, unless the cached one is as recent.
    pub(crate) fn insert(&self, key: String, set: CachedSet) {
        if self.sets.peek(&key).is_none_or(|cached| cached.last_entry < set.last_entry) {
            self.sets.insert(key, set);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_latest_set_is_cached_and_returned_to_snapshots_that_are_not_older() {
        let cache = ResultCache::default();
        let insert = |last_entry, uids: &[u64]| {
            let uids = Arc::new(uids.iter().copied().collect());
            cache.insert("statement".into(), CachedSet { uids, last_entry });
        };
        insert(7, &[1, 2]);
        insert(9, &[1, 2, 3]);
        insert(8, &[]);
        let get = |entry| cache.get("statement", entry).map(|cached| (cached.last_entry, cached.uids.len()));
        assert_eq!([6, 7, 8, 9, 10].map(get), [None, None, None, Some((9, 3)), Some((9, 3))]);
        assert!(cache.contains("statement") && !cache.contains("other"));
    }
}
