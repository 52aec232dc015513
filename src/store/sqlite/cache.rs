//! Groups that were asked for by ID lately, kept in memory: most reads of a group need no database then.
//!
//! What a commit changes is forgotten before anybody is told of the commit. A read that began before it keeps nothing:
//! forgetting an ID also takes the place that a reader holds for what it is still reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};

use crate::domain::Result;
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::domain::xp::Xp;

/// How much memory the groups may take, in bytes.
const BYTES: u64 = 64 << 20;
/// About how many groups that is.
const GROUPS: usize = 80_000;
/// What a group takes besides its texts: the group, its place in the cache, its key, the allocations.
const GROUP_BYTES: usize = 400;

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
    /// Grows whenever everything is forgotten; what was held before counts for nothing.
    generation: AtomicU64,
}

#[derive(Clone)]
struct Held {
    group: Arc<Group>,
    generation: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Held> for Weight {
    fn weight(&self, key: &String, held: &Held) -> u64 {
        let (group, fields) = (&held.group, &held.group.fields);
        let labels: usize = fields.labels.iter().map(|(tag, label)| 80 + tag.len() + label.len()).sum();
        let texts = 3 * key.len() + group.name.len() + fields.description.as_ref().map_or(0, String::len);
        let xp = fields.xp.as_ref().map_or(0, |xp: &Xp| xp.as_str().len());
        (GROUP_BYTES + labels + texts + xp + 200 * fields.communities.len().div_ceil(11)) as u64
    }
}

impl Default for GroupCache {
    fn default() -> Self {
        Self { groups: Cache::with_weighter(GROUPS, BYTES, Weight), generation: AtomicU64::new(0) }
    }
}

impl GroupCache {
    /// The live group with the ID, from memory or else read now.
    pub fn get(&self, id: &Id, read: impl FnOnce() -> Result<Option<Group>>) -> Result<Option<Arc<Group>>> {
        let key = id.key();
        let generation = self.generation.load(Ordering::Acquire);
        let place = match self.groups.get_value_or_guard(key.as_str(), None) {
            GuardResult::Value(held) if held.generation == generation => return Ok(Some(held.group)),
            GuardResult::Guard(place) => Some(place),
            GuardResult::Value(_) | GuardResult::Timeout => None,
        };
        let Some(group) = read()?.map(Arc::new) else { return Ok(None) };
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
