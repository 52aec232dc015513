//! The sets that lists were made of lately. A set is asked for once, whatever is asked of it: the next page, another order,
//! another filter beside it. Later changes of the directory are made to it, too ([`super::sets`]).

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringTreemap;

use super::ranges::Ranges;

/// How much memory the sets may take, in bytes.
const BYTES: u64 = 16 << 20;
/// About how many sets that is: a large one of a directory of a million takes 128 KiB.
const SETS: usize = 128;
/// What a set takes besides its numbers and its question.
const SET_BYTES: u64 = 300;

/// The sets in memory, and beside them those that lie [beyond a text](super::ranges).
pub struct Memory {
    pub ranges: Ranges,
    sets: Cache<String, Held, Weight>,
}

/// A set as it was at some time.
#[derive(Clone, Debug)]
pub struct Known {
    pub set: Arc<RoaringTreemap>,
    /// The last entry of the journal then.
    pub entry: i64,
}

#[derive(Clone)]
struct Held {
    now: Known,
    /// What it was before, for lists that began before the last change.
    before: Option<Known>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Held> for Weight {
    fn weight(&self, question: &String, held: &Held) -> u64 {
        let sets = std::iter::once(&held.now).chain(&held.before);
        SET_BYTES + question.len() as u64 + sets.map(|known| known.set.serialized_size() as u64).sum::<u64>()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { ranges: Ranges::default(), sets: Cache::with_weighter(SETS, BYTES, Weight) }
    }
}

impl Memory {
    /// Whether something is known of what the question finds.
    pub fn has(&self, question: &str) -> bool {
        self.sets.peek(question).is_some()
    }

    /// The last that is known of what the question found when `entry` was the last of the journal, or before.
    pub fn get(&self, question: &str, entry: i64) -> Option<Known> {
        let Held { now, before } = self.sets.get(question)?;
        std::iter::once(now).chain(before).find(|known| known.entry <= entry)
    }

    /// Remembers what the question found, if that is the latest.
    pub fn keep(&self, question: String, latest: Known) {
        let before = self.sets.peek(&question).map(|held| held.now);
        if before.as_ref().is_none_or(|before| before.entry < latest.entry) {
            self.sets.insert(question, Held { now: latest, before });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_known_as_of_an_entry_of_the_journal() {
        let memory = Memory::default();
        let keep = |entry, uids: &[u64]| {
            memory.keep("question".into(), Known { set: Arc::new(uids.iter().copied().collect()), entry });
        };
        keep(7, &[1, 2]);
        keep(9, &[1, 2, 3]);
        keep(8, &[]);
        let known = |entry| memory.get("question", entry).map(|known| (known.entry, known.set.len()));
        assert_eq!([6, 7, 8, 9, 10].map(known), [None, Some((7, 2)), Some((7, 2)), Some((9, 3)), Some((9, 3))]);
        assert!(memory.has("question") && !memory.has("other"));
    }
}
