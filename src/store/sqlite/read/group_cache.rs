//! A cache of groups that were read by ID, with the responses derived from them. Most reads of a group then need no
//! database access.
//!
//! A commit invalidates the groups that it changes before it is acknowledged. A read that began before the commit
//! stores nothing: the invalidation of an ID also removes the slot that a running read reserved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::domain::xp::Xp;
use crate::store::CachedEntity;

/// The maximum memory of the cached groups, in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// The approximate number of groups that fit.
const EXPECTED_GROUPS: usize = 20_000;
/// The memory of a group without its texts and those of its response, in bytes: the group, its slot in the cache, the
/// allocations.
const GROUP_BYTES: usize = 600;

/// What a write invalidates.
#[derive(Clone, Debug)]
pub(crate) enum Invalidation {
    /// The cached group with this ID key.
    Group(String),
    /// All cached groups.
    All,
}

/// The cache of groups.
pub(crate) struct GroupCache {
    groups: Cache<String, CachedGroup, Weight>,
    /// Incremented whenever everything is invalidated. Groups of an earlier generation are invalid.
    generation: AtomicU64,
}

#[derive(Clone)]
struct CachedGroup {
    group: Arc<CachedEntity<Group>>,
    generation: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, CachedGroup> for Weight {
    fn weight(&self, key: &String, cached: &CachedGroup) -> u64 {
        let (group, fields) = (&cached.group, &cached.group.fields);
        let labels: usize = fields.labels.iter().map(|(tag, label)| 80 + tag.len() + label.len()).sum();
        let xp = fields.xp.as_ref().map_or(0, |xp: &Xp| xp.as_str().len());
        let response = key.len() + group.name.len() + fields.description.as_ref().map_or(0, String::len) + xp;
        (GROUP_BYTES + labels + 2 * key.len() + 2 * response + 200 * fields.communities.len().div_ceil(11)) as u64
    }
}

impl Default for GroupCache {
    fn default() -> Self {
        let groups = Cache::with_weighter(EXPECTED_GROUPS, MAX_BYTES, Weight);
        Self { groups, generation: AtomicU64::new(0) }
    }
}

impl GroupCache {
    /// Returns the live group with the ID, from the cache or else from `read`. Fails if `read` fails.
    pub(crate) fn get(
        &self,
        id: &Id,
        read: impl FnOnce() -> Result<Option<Group>>,
    ) -> Result<Option<Arc<CachedEntity<Group>>>> {
        let key = id.key();
        let generation = self.generation.load(Ordering::Acquire);
        let slot = match self.groups.get_value_or_guard(key.as_str(), None) {
            GuardResult::Value(cached) if cached.generation == generation => return Ok(Some(cached.group)),
            GuardResult::Guard(slot) => Some(slot),
            GuardResult::Value(_) | GuardResult::Timeout => None,
        };
        let Some(group) = read()?.map(|group| Arc::new(CachedEntity::from(group))) else { return Ok(None) };
        let cached = CachedGroup { group: Arc::clone(&group), generation };
        match slot {
            // The insertion is refused if the ID was invalidated meanwhile, because the group may have been read before
            // the change.
            Some(slot) => drop(slot.insert(cached)),
            None => drop(self.groups.remove(key.as_str())),
        }
        Ok(Some(group))
    }

    /// Removes the invalidated groups and the slots that running reads reserved for them.
    pub(crate) fn invalidate(&self, invalidations: &[Invalidation]) {
        for invalidation in invalidations {
            match invalidation {
                Invalidation::Group(key) => drop(self.groups.remove(key.as_str())),
                Invalidation::All => drop(self.generation.fetch_add(1, Ordering::AcqRel)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::store::suite::{group, id};

    fn a_group() -> Group {
        let at = Timestamp::from_micros(0);
        let fields = group("a", "n");
        Group {
            uid: 1,
            name: "n".into(),
            fields,
            created: at,
            updated: at,
            deleted: None,
            version: 1,
            members: 0,
            members_version: 0,
        }
    }

    #[test]
    fn a_group_is_cached_with_its_response_at_the_first_read_until_invalidated() {
        let (cache, reads) = (GroupCache::default(), Cell::new(0));
        let get = || {
            let read = || {
                reads.set(reads.get() + 1);
                Ok(Some(a_group()))
            };
            let found = cache.get(&id("A"), read).unwrap().unwrap();
            let derived: &OnceLock<String> = found.derived().unwrap();
            derived.get_or_init(|| reads.get().to_string()).clone()
        };
        assert_eq!([get(), get()], ["1", "1"]);
        cache.invalidate(&[Invalidation::Group("a".to_owned())]);
        assert_eq!([get(), get()], ["2", "2"]);
        cache.invalidate(&[Invalidation::All]);
        assert_eq!([get(), get(), get()], ["3", "4", "4"], "an outdated group is removed first");
    }

    #[test]
    fn a_group_invalidated_while_it_is_read_is_not_cached() {
        let cache = GroupCache::default();
        let read = || {
            cache.invalidate(&[Invalidation::Group("a".to_owned())]);
            Ok(Some(a_group()))
        };
        for _ in 0..3 {
            cache.get(&id("a"), read).unwrap();
        }
        assert!(cache.get(&id("a"), || Ok(None)).unwrap().is_none());
    }
}
