//! Groups that are asked for by ID again and again, kept in memory with the answers that were made of them: most reads
//! of a group need no database then.
//!
//! What a commit changes is forgotten before anybody is told of the commit. A read that began before it keeps nothing:
//! forgetting an ID also takes the place that a reader holds for what it is still reading.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::domain::shared::Shared;
use crate::domain::xp::Xp;

/// How much memory the groups may take, in bytes.
const BYTES: u64 = 32 << 20;
/// About how many groups that is.
const GROUPS: usize = 20_000;
/// How many groups that were asked for are remembered.
const REMEMBERED: usize = 1 << 16;
/// What a group takes besides its texts and those of its answer: the group, its place in the cache, the allocations.
const GROUP_BYTES: usize = 600;

/// What a write makes untrue.
#[derive(Clone, Debug)]
pub enum Stale {
    /// What is known of the ID, by its key.
    Group(String),
    /// Everything.
    All,
}

/// The groups in memory.
pub struct GroupCache {
    groups: Cache<String, Held, Weight>,
    asked: Asked,
    /// Grows whenever everything is forgotten; what was held before counts for nothing.
    generation: AtomicU64,
}

#[derive(Clone)]
struct Held {
    group: Arc<Shared<Group>>,
    generation: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Held> for Weight {
    fn weight(&self, key: &String, held: &Held) -> u64 {
        let (group, fields) = (&held.group, &held.group.fields);
        let labels: usize = fields.labels.iter().map(|(tag, label)| 80 + tag.len() + label.len()).sum();
        let xp = fields.xp.as_ref().map_or(0, |xp: &Xp| xp.as_str().len());
        let answer = key.len() + group.name.len() + fields.description.as_ref().map_or(0, String::len) + xp;
        (GROUP_BYTES + labels + 2 * key.len() + 2 * answer + 200 * fields.communities.len().div_ceil(11)) as u64
    }
}

/// Which groups were asked for lately and were not in memory, by a mark of their keys. Only one that is asked for again
/// gets a place: to give every one of a million groups its place, and to take another's for it, costs more than it
/// saves.
struct Asked {
    marks: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Default for Asked {
    fn default() -> Self {
        Self { marks: (0..REMEMBERED).map(|_| AtomicU32::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Asked {
    /// Whether the key was asked for lately; it is from now on.
    fn again(&self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        let mark = (hash >> 32) as u32;
        self.marks[hash as usize % REMEMBERED].swap(mark, Ordering::Relaxed) == mark
    }
}

impl Default for GroupCache {
    fn default() -> Self {
        Self {
            groups: Cache::with_weighter(GROUPS, BYTES, Weight),
            asked: Asked::default(),
            generation: AtomicU64::new(0),
        }
    }
}

impl GroupCache {
    /// The live group with the ID, from memory or else read now.
    pub fn get(&self, id: &Id, read: impl FnOnce() -> Result<Option<Group>>) -> Result<Option<Arc<Shared<Group>>>> {
        let key = id.key();
        let generation = self.generation.load(Ordering::Acquire);
        let held = self.groups.get(key.as_str()).filter(|held| held.generation == generation);
        if let Some(Held { group, .. }) = held {
            return Ok(Some(group));
        }
        let read = || Ok(read()?.map(|group| Arc::new(Shared::from(group))));
        if !self.asked.again(&key) {
            return read();
        }
        let place = match self.groups.get_value_or_guard(key.as_str(), None) {
            GuardResult::Value(held) if held.generation == generation => return Ok(Some(held.group)),
            GuardResult::Guard(place) => Some(place),
            GuardResult::Value(_) | GuardResult::Timeout => None,
        };
        let Some(group) = read()? else { return Ok(None) };
        let held = Held { group: Arc::clone(&group), generation };
        match place {
            // Refused if the ID was forgotten meanwhile: what was read may be what it was before.
            Some(place) => drop(place.insert(held)),
            None => drop(self.groups.remove(key.as_str())),
        }
        Ok(Some(group))
    }

    /// Forgets what is stale, places held for it included.
    pub fn forget(&self, stale: &[Stale]) {
        for stale in stale {
            match stale {
                Stale::Group(key) => drop(self.groups.remove(key.as_str())),
                Stale::All => drop(self.generation.fetch_add(1, Ordering::AcqRel)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bytes::Bytes;

    use super::*;
    use crate::domain::journal::Door;
    use crate::domain::time::Timestamp;
    use crate::store::suite::{group, id};

    fn a_group() -> Group {
        let at = Timestamp::from_micros(0);
        let fields = group("a", "n");
        Group { uid: 1, name: "n".into(), fields, created: at, updated: at, deleted: None, version: 1, members: 0 }
    }

    #[test]
    fn a_group_that_is_asked_for_again_is_kept_with_its_answer_until_it_is_forgotten() {
        let (cache, reads) = (GroupCache::default(), Cell::new(0));
        let get = || {
            let read = || {
                reads.set(reads.get() + 1);
                Ok(Some(a_group()))
            };
            let found = cache.get(&id("A"), read).unwrap().unwrap();
            let number = reads.get().to_string();
            found.answer(Door::OrderCloud, |_| Ok(Bytes::from(number))).unwrap()
        };
        assert_eq!([get(), get(), get(), get()], ["1", "2", "2", "2"]);
        cache.forget(&[Stale::Group("a".to_owned())]);
        assert_eq!([get(), get()], ["3", "3"], "it was asked for lately");
        cache.forget(&[Stale::All]);
        assert_eq!(get(), "4");
    }

    #[test]
    fn what_is_forgotten_while_it_is_read_is_not_kept() {
        let cache = GroupCache::default();
        let read = || {
            cache.forget(&[Stale::Group("a".to_owned())]);
            Ok(Some(a_group()))
        };
        for _ in 0..3 {
            cache.get(&id("a"), read).unwrap();
        }
        assert!(cache.get(&id("a"), || Ok(None)).unwrap().is_none());
    }
}
