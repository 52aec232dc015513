//! A cache of keysets ([`Keyset`](crate::store::sql::list::candidate_set::Keyset)). A client that pages by the last value
//! it has read selects another keyset with each page. A keyset can contain most of the directory, but differs little
//! from the keyset of the page before. So a keyset is derived from the cached one with the nearest position.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Included, Unbounded};
use std::sync::{Mutex, PoisonError};

use super::cached_set::CachedSet;

/// The maximum number of cached keysets of a column. In a directory of a million they take up to 4 MiB.
const MAX_KEYSETS: usize = 32;

/// The name of a table and of a column of it.
type TableColumn = (&'static str, &'static str);

/// The cached keysets of each column, by position.
#[derive(Default)]
pub(crate) struct KeysetCache(Mutex<HashMap<TableColumn, BTreeMap<String, CachedKeyset>>>);

struct CachedKeyset {
    set: CachedSet,
    /// When the keyset was last used, as a count of uses of its column.
    last_used: u64,
}

impl KeysetCache {
    /// Returns the cached keysets with the nearest positions, at most one at or below `position` and one at or above.
    /// Those from a later snapshot than `last_entry` are left out.
    pub(crate) fn nearest(&self, column: TableColumn, position: &str, last_entry: i64) -> Vec<(String, CachedSet)> {
        let mut columns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(keysets) = columns.get_mut(&column) else { return Vec::new() };
        let now = Self::next_use(keysets);
        let use_keyset = |(position, cached): (&String, &mut CachedKeyset)| {
            cached.last_used = now;
            (cached.set.last_entry <= last_entry).then(|| (position.clone(), cached.set.clone()))
        };
        let below = keysets.range_mut::<str, _>((Unbounded, Included(position))).next_back().and_then(use_keyset);
        let above = keysets.range_mut::<str, _>((Included(position), Unbounded)).next().and_then(use_keyset);
        below.into_iter().chain(above).collect()
    }

    /// Caches a keyset, and removes the one at `replaced`, if given. If the column has too many then, removes the least
    /// recently used.
    pub(crate) fn insert(&self, column: TableColumn, position: String, set: CachedSet, replaced: Option<&str>) {
        let mut columns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keysets = columns.entry(column).or_default();
        if let Some(replaced) = replaced {
            keysets.remove(replaced);
        }
        let last_used = Self::next_use(keysets);
        keysets.insert(position, CachedKeyset { set, last_used });
        if keysets.len() > MAX_KEYSETS {
            let least_used = keysets.iter().min_by_key(|(_, cached)| cached.last_used);
            let least_used = least_used.map(|(position, _)| position.clone());
            least_used.and_then(|position| keysets.remove(&position));
        }
    }

    fn next_use(keysets: &BTreeMap<String, CachedKeyset>) -> u64 {
        keysets.values().map(|cached| cached.last_used).max().unwrap_or_default() + 1
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_nearest_keysets_are_found_and_the_least_used_is_removed() {
        const ID: TableColumn = ("groups", "id_key");
        let cache = KeysetCache::default();
        let insert = |position: &str, last_entry, replaced| {
            cache.insert(ID, position.to_owned(), CachedSet { uids: Arc::default(), last_entry }, replaced);
        };
        let nearest = |position, last_entry| {
            cache.nearest(ID, position, last_entry).into_iter().map(|(position, _)| position).collect::<Vec<_>>()
        };
        insert("b", 5, None);
        insert("d", 5, None);
        assert_eq!(
            (nearest("c", 5), nearest("a", 5), nearest("c", 4)),
            (vec!["b".into(), "d".into()], vec!["b".into()], vec![])
        );
        insert("c", 5, Some("b"));
        assert_eq!(nearest("a", 5), ["c"]);
        for number in 0..MAX_KEYSETS - 1 {
            insert(&format!("x{number:02}"), 5, None);
        }
        assert_eq!(
            (nearest("c", 5), nearest("d", 5)),
            (vec!["c".to_owned(), "c".to_owned()], vec!["c".into(), "x00".into()])
        );
    }
}
