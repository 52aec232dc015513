//! Everything beyond a text, in the order of a column whose values are all different: what is asked for page after page
//! where a list is walked by its last ID. Beyond each it is a large set, and almost that beyond the one before: so it is
//! made from the nearest one that is remembered.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Included, Unbounded};
use std::sync::{Arc, Mutex, PoisonError};

use roaring::RoaringTreemap;

use crate::store::sql::sets::{Beyond, Set};
use crate::store::sql::tables::Listing;

use super::memory::Known;
use super::sets::Sets;
use super::statements::all;

/// How many are remembered of a column; in a directory of a million, 4 MiB.
const RANGES: usize = 32;
/// How many things may lie between two of them for one to be made from the other.
const FAR: u64 = 50_000;
/// Up to how many lie between the pages of one who walks, who does not come back to the last one.
const NEAR: u64 = 1_000;

/// A column of a table.
type Column = (&'static str, &'static str);

/// What is remembered of each column, by the texts.
#[derive(Default)]
pub struct Ranges(Mutex<HashMap<Column, BTreeMap<String, Used>>>);

struct Used {
    known: Known,
    /// Greater than that of those that were used before.
    at: u64,
}

impl Ranges {
    /// What was known beyond the nearest texts on either side, or the text itself, when `entry` was the last of the
    /// journal, or before.
    fn near(&self, column: Column, text: &str, entry: i64) -> Vec<(String, Known)> {
        let mut columns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ranges) = columns.get_mut(&column) else { return Vec::new() };
        let now = Self::now(ranges);
        let own = |(text, used): (&String, &mut Used)| {
            used.at = now;
            (used.known.entry <= entry).then(|| (text.clone(), used.known.clone()))
        };
        let before = ranges.range_mut::<str, _>((Unbounded, Included(text))).next_back().and_then(own);
        let after = ranges.range_mut::<str, _>((Included(text), Unbounded)).next().and_then(own);
        before.into_iter().chain(after).collect()
    }

    /// Remembers what is beyond the text, perhaps instead of what is beyond another.
    fn keep(&self, column: Column, text: String, known: Known, instead_of: Option<&str>) {
        let mut columns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ranges = columns.entry(column).or_default();
        if let Some(other) = instead_of {
            ranges.remove(other);
        }
        let at = Self::now(ranges);
        ranges.insert(text, Used { known, at });
        if ranges.len() > RANGES {
            let oldest = ranges.iter().min_by_key(|(_, used)| used.at).map(|(text, _)| text.clone());
            oldest.and_then(|oldest| ranges.remove(&oldest));
        }
    }

    fn now(ranges: &BTreeMap<String, Used>) -> u64 {
        ranges.values().map(|used| used.at).max().unwrap_or_default() + 1
    }
}

/// The numbers of what is beyond the text: `set`, found another way where that is shorter.
pub fn beyond<L: Listing>(sets: &Sets<'_, L>, set: &Set, beyond: &Beyond) -> rusqlite::Result<Arc<RoaringTreemap>> {
    let column = (L::TABLE, beyond.column);
    let keep = |uids: &Arc<RoaringTreemap>, instead_of: Option<&str>| {
        let known = Known { set: Arc::clone(uids), entry: sets.entry };
        sets.memory.ranges.keep(column, beyond.text.clone(), known, instead_of);
    };
    for (text, known) in sets.memory.ranges.near(column, &beyond.text, sets.entry) {
        let other = Beyond { column: beyond.column, text };
        let Some(uids) = sets.renewed(&other.condition(), &known)? else { continue };
        let between = all(sets.connection, &beyond.between::<L>(&other, FAR + 1), |row| row.get::<_, u64>(0))?;
        let between: RoaringTreemap = between.into_iter().collect();
        if between.len() > FAR {
            continue;
        }
        let is_near = between.len() <= NEAR;
        let uids = match (between.is_empty(), other.text < beyond.text) {
            (true, _) => uids,
            (false, true) => Arc::new(&*uids - between),
            (false, false) => Arc::new(&*uids | between),
        };
        keep(&uids, is_near.then_some(&*other.text));
        return Ok(uids);
    }
    let uids = Arc::new(sets.asked(set)?);
    keep(&uids, None);
    Ok(uids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_on_either_side_are_known_and_the_least_used_is_forgotten() {
        const ID: Column = ("groups", "id_key");
        let ranges = Ranges::default();
        let keep = |text: &str, entry, instead_of| {
            ranges.keep(ID, text.to_owned(), Known { set: Arc::default(), entry }, instead_of);
        };
        let near = |text, entry| ranges.near(ID, text, entry).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        keep("b", 5, None);
        keep("d", 5, None);
        assert_eq!(
            (near("c", 5), near("a", 5), near("c", 4)),
            (vec!["b".into(), "d".into()], vec!["b".into()], vec![])
        );
        keep("c", 5, Some("b"));
        assert_eq!(near("a", 5), ["c"]);
        for number in 0..RANGES - 1 {
            keep(&format!("x{number:02}"), 5, None);
        }
        assert_eq!(
            (near("c", 5), near("d", 5)),
            (vec!["c".to_owned(), "c".to_owned()], vec!["c".into(), "x00".into()])
        );
    }
}
