//! Users without groups. No index has them, so a page of them walks the order and looks up the memberships of each user.
//! Where that costs too much, the page ends early, and the next one goes on from there.

use crate::domain::query::{Condition, Filter};

/// How many entities one page may look at. (The tests have small directories.)
pub(crate) const MOST_PROBED: usize = if cfg!(test) { 20 } else { 100_000 };

/// The filter without the conditions that are looked up entity by entity, and these; `None` if it has none of these.
pub(crate) fn without_probes<F: Clone>(filter: &Filter<F>) -> Option<(Filter<F>, Vec<Condition<F>>)> {
    let is_probe = |condition: &&Condition<F>| matches!(condition, Condition::WithoutGroups(_));
    let (probes, conditions): (Vec<_>, Vec<_>) = filter.conditions.iter().partition(is_probe);
    let cloned = |conditions: Vec<&Condition<F>>| conditions.into_iter().cloned().collect::<Vec<_>>();
    let others = Filter { search: filter.search.clone(), conditions: cloned(conditions) };
    (!probes.is_empty()).then(|| (others, cloned(probes)))
}

/// Collects what passes the probes from the rows of a walk, so many at a time.
#[derive(Debug)]
pub(crate) struct Probing {
    /// The numbers that passed, in order.
    pub uids: Vec<i64>,
    /// The last number that was looked at.
    pub last: Option<i64>,
    size: usize,
    probed: usize,
    is_exhausted: bool,
}

impl Probing {
    /// Nothing looked at yet, for a page of `size` rows.
    pub(crate) fn new(size: usize) -> Self {
        Self { uids: Vec::new(), last: None, size, probed: 0, is_exhausted: false }
    }

    /// How many rows to look at next; `None` if the page is full or ends.
    pub(crate) fn next(&self) -> Option<usize> {
        let is_over = self.uids.len() == self.size || self.probed >= MOST_PROBED || self.is_exhausted;
        // More from time to time: the first rows often suffice.
        let wanted = Ord::max(self.probed * 3, 4 * self.size).min(MOST_PROBED / 10 + 1);
        (!is_over).then_some(wanted.min(MOST_PROBED - self.probed))
    }

    /// Takes the next rows of the walk, as many as were asked for or the last, of which these passed.
    pub(crate) fn take(&mut self, rows: &[i64], asked: usize, has_passed: impl Fn(i64) -> bool) {
        self.probed += rows.len();
        self.is_exhausted = rows.len() < asked;
        for uid in rows {
            if self.uids.len() == self.size {
                self.is_exhausted = false;
                return;
            }
            self.last = Some(*uid);
            self.uids.extend(has_passed(*uid).then_some(*uid));
        }
    }

    /// Whether rows may follow that were not looked at.
    pub(crate) fn has_next(&self) -> bool {
        !self.is_exhausted
    }
}
