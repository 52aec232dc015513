//! The sets that lists were made of lately. While the directory does not change, a set is asked for once, whatever is
//! asked of it: the next page, another order, another filter beside it.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringTreemap;

/// How much memory the sets may take, in bytes.
const BYTES: u64 = 16 << 20;
/// About how many sets that is: a large one of a directory of a million takes 128 KiB.
const SETS: usize = 128;
/// What a set takes besides its numbers and its question.
const SET_BYTES: u64 = 300;

/// The sets in memory.
pub struct Memory {
    sets: Cache<String, Held, Weight>,
}

#[derive(Clone)]
struct Held {
    set: Arc<RoaringTreemap>,
    /// The last entry of the journal when it was found.
    entry: i64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Held> for Weight {
    fn weight(&self, question: &String, held: &Held) -> u64 {
        SET_BYTES + question.len() as u64 + held.set.serialized_size() as u64
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { sets: Cache::with_weighter(SETS, BYTES, Weight) }
    }
}

impl Memory {
    /// What the question found when `entry` was the last of the journal.
    pub fn get(&self, question: &str, entry: i64) -> Option<Arc<RoaringTreemap>> {
        self.sets.get(question).filter(|held| held.entry == entry).map(|held| held.set)
    }

    /// Remembers what the question found when `entry` was the last of the journal.
    pub fn keep(&self, question: String, entry: i64, set: Arc<RoaringTreemap>) {
        self.sets.insert(question, Held { set, entry });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_forgotten_with_the_next_entry_of_the_journal() {
        let memory = Memory::default();
        memory.keep("question".into(), 7, Arc::new([1, 2].into_iter().collect()));
        assert_eq!(memory.get("question", 7).unwrap().len(), 2);
        assert!(memory.get("question", 8).is_none() && memory.get("other", 7).is_none());
    }
}
