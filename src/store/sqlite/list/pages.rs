//! One page of a match set, in the order of the sort keys. A small match set is sorted. For a large one, an index of the
//! order is scanned from the nearer end until the page is full, but for no more rows than sorting would cost.

use std::num::NonZeroU64;

use sea_query::SelectStatement;

use crate::domain::query::{Field, Sort, Test};
use crate::store::sql::list::candidate_set::CandidateSet;
use crate::store::sql::list::candidates::table_scan;
use crate::store::sql::list::sorting::{is_indexed, kinds, with_this_xp_value, with_xp_value, xp_scan};
use crate::store::sql::list::window::Window;
use crate::store::sql::tables::Listing;

use super::engine::Sqlite;
use super::runs::{Run, Runs, SortValue};
use super::sets::evaluate::Evaluator;
use super::sets::match_set::{MatchSet, uids_of};
use super::statements::{all, each, with_rows};

/// The number of rows of an index that are scanned in the time in which one entity is looked up and sorted.
pub(crate) const STEPS_PER_SORTED_ROW: u64 = 8;
/// A set of entities with a value at a path of xp is loaded if it has at most so many entities for each entity that need
/// not be sorted then. The set is cached, so later lists do not load it again.
const LOADED_PER_SORTED_ROW: u64 = 512;
/// A value is shared by many if more entities have it than the threshold divided by this. Scanning the rows of fewer
/// entities takes no longer than looking up their set in the result cache.
const THRESHOLD_PER_SHARED_VALUE: u64 = 4;

/// Makes the pages of one list.
pub(crate) struct Pager<'s, 'a, L: Listing>(pub &'s Evaluator<'a, L>);

impl<L: Listing> Pager<'_, '_, L> {
    /// The `uid`s of at most `size` entities of the match set, after the first `offset`, in the order of all keys.
    pub(crate) fn page(
        &self,
        match_set: &MatchSet,
        keys: &[Sort<L::Field>],
        offset: u64,
        size: u64,
    ) -> rusqlite::Result<Vec<i64>> {
        let window = Window::nearer_end(offset, size, match_set.len(self.0.live));
        if window.size == 0 {
            return Ok(Vec::new());
        }
        let uids = self.forward(match_set, &window.keys(keys), window.skip, window.size)?;
        Ok(window.in_list_order(uids))
    }

    /// The `uid`s of a page as [`Self::page`] returns them, but always counted from the beginning of the order.
    fn forward(
        &self,
        match_set: &MatchSet,
        keys: &[Sort<L::Field>],
        offset: u64,
        size: u64,
    ) -> rusqlite::Result<Vec<i64>> {
        let (total, Evaluator { live, threshold, .. }) = (match_set.len(self.0.live), self.0);
        let steps = total.saturating_mul(STEPS_PER_SORTED_ROW);
        let expected_steps = (offset + size).saturating_mul(*live) / total.max(1);
        let is_sorted_faster = total <= *threshold || expected_steps > steps;
        if is_sorted_faster {
            return self.sorted(match_set, keys, offset, size);
        }
        let mut scan = IndexScan { steps, page: PageBuilder { skip: offset, remaining: size, uids: Vec::new() } };
        match &keys[0].field {
            _ if is_indexed::<L>(keys) => self.scan_index(match_set, keys, &mut scan)?,
            Field::Own(field) if L::column(*field).indexed => self.scan_column(match_set, *field, keys, &mut scan)?,
            Field::Own(_) => {}
            Field::Xp(path) => self.scan_xp(match_set, path, keys, &mut scan)?,
        }
        if scan.page.is_full() { Ok(scan.page.uids) } else { self.sorted(match_set, keys, offset, size) }
    }

    /// Fills the page by scanning an index that has the complete order of the keys.
    fn scan_index(&self, match_set: &MatchSet, keys: &[Sort<L::Field>], scan: &mut IndexScan) -> rusqlite::Result<()> {
        if match_set.is_all() {
            // The database finds the page in the index by itself.
            let PageBuilder { skip, remaining, .. } = scan.page;
            scan.page = PageBuilder { skip: 0, remaining: 0, uids: self.sorted(match_set, keys, skip, remaining)? };
            return Ok(());
        }
        each(self.0.connection, &self.0.list.index_scan(keys), |row| {
            let uid = row.get(0)?;
            if match_set.contains(uid) {
                scan.page.push(uid);
            }
            scan.steps = scan.steps.saturating_sub(1);
            Ok(scan.continues())
        })
    }

    /// Fills the page by scanning the index of the column that is the first key. The other keys order entities with
    /// equal values.
    fn scan_column(
        &self,
        match_set: &MatchSet,
        field: L::Field,
        keys: &[Sort<L::Field>],
        scan: &mut IndexScan,
    ) -> rusqlite::Result<()> {
        let values = self.0.list.column_scan(field, keys[0].descending);
        self.scan_values(match_set, &keys[1..], &values, None, scan).map(drop)
    }

    /// Fills the page by scanning the index of the values at the path of xp that is the first key. The entities without
    /// a value come first, or last if the order is descending.
    fn scan_xp(
        &self,
        match_set: &MatchSet,
        path: &str,
        keys: &[Sort<L::Field>],
        scan: &mut IndexScan,
    ) -> rusqlite::Result<()> {
        let (descending, other_keys) = (keys[0].descending, &keys[1..]);
        if let Some(tests) = self.0.list.xp_tests(path)
            && self.are_sorted_by_tested_values(match_set, path, tests)?
        {
            return self.scan_xp_values(match_set, path, keys, Some(tests), scan);
        }
        let with_value = with_xp_value::<L>(&Sqlite, path, None);
        if !descending {
            if !self.is_worth_loading(match_set, &with_value) {
                return Ok(());
            }
            self.append(&self.without(match_set, &with_value)?, other_keys, &mut scan.page)?;
        }
        self.scan_xp_values(match_set, path, keys, None, scan)?;
        if descending && scan.continues() {
            self.append(&self.without(match_set, &with_value)?, other_keys, &mut scan.page)?;
        }
        Ok(())
    }

    /// Whether the value by which each entity of the match set is sorted passes one of the tests. Then only values that
    /// pass need to be scanned. It is false if an entity passes by another value at the path alone.
    fn are_sorted_by_tested_values(&self, match_set: &MatchSet, path: &str, tests: &[Test]) -> rusqlite::Result<bool> {
        match match_set {
            MatchSet::These(uids) => {
                Ok(uids.is_subset(&*self.0.uids(&with_xp_value::<L>(&Sqlite, path, Some(tests)))?))
            }
            MatchSet::AllBut(_) => Ok(false),
        }
    }

    /// Fills the page by scanning the index of the values at the path, for the entities with a value that passes one of
    /// the tests (if given). If many entities share a value, their rows are not scanned: their set is appended.
    fn scan_xp_values(
        &self,
        match_set: &MatchSet,
        path: &str,
        keys: &[Sort<L::Field>],
        tests: Option<&[Test]>,
        scan: &mut IndexScan,
    ) -> rusqlite::Result<()> {
        let (descending, other_keys) = (keys[0].descending, &keys[1..]);
        let shared_by = NonZeroU64::new(self.0.threshold / THRESHOLD_PER_SHARED_VALUE).unwrap_or(NonZeroU64::MIN);
        for kind in kinds(descending) {
            let mut after = None;
            while scan.continues() {
                let values = xp_scan::<L>(&Sqlite, path, kind, descending, tests, after.as_deref());
                let Some(value) = self.scan_values(match_set, other_keys, &values, Some(shared_by), scan)? else {
                    break;
                };
                let value = value.whole();
                let sharing = with_this_xp_value::<L>(&Sqlite, path, kind, &value);
                if !self.is_worth_loading(match_set, &sharing) {
                    return Ok(());
                }
                let ties = match_set.clone().and(MatchSet::These((*self.0.uids(&sharing)?).clone()));
                self.append(&ties, other_keys, &mut scan.page)?;
                after = Some(value);
            }
        }
        Ok(())
    }

    /// Fills the page from the rows of a statement that is ordered by the first key. The other keys order entities with
    /// equal values. Stops before a value that at least `shared_by` rows share, and returns that value.
    fn scan_values(
        &self,
        match_set: &MatchSet,
        other_keys: &[Sort<L::Field>],
        statement: &SelectStatement,
        shared_by: Option<NonZeroU64>,
        IndexScan { steps, page }: &mut IndexScan,
    ) -> rusqlite::Result<Option<SortValue>> {
        with_rows(self.0.connection, statement, |rows| {
            let mut runs = Runs::new(rows, match_set, shared_by, steps);
            while !page.is_full()
                && let Some(run) = runs.next()?
            {
                match run {
                    Run::Ties(uids) => self.append(&MatchSet::of(&uids), other_keys, page)?,
                    Run::SharedByMany(value) => return Ok(Some(value)),
                }
            }
            Ok(None)
        })
    }

    /// Appends the entities that come next in the order to the page, ordered by the keys, as far as they are on it.
    fn append(&self, next: &MatchSet, keys: &[Sort<L::Field>], page: &mut PageBuilder) -> rusqlite::Result<()> {
        let total = next.len(self.0.live);
        let is_before_page = page.skip >= total;
        if is_before_page {
            page.skip -= total;
        } else if !page.is_full() {
            let uids = self.page(next, keys, page.skip, page.remaining)?;
            page.skip = 0;
            page.remaining -= uids.len() as u64;
            page.uids.extend(uids);
        }
        Ok(())
    }

    /// Whether the set is cached, or sorting the match set would cost enough to load the set instead.
    pub(crate) fn is_worth_loading(&self, match_set: &MatchSet, set: &CandidateSet) -> bool {
        match_set.len(self.0.live).saturating_mul(LOADED_PER_SORTED_ROW) >= self.0.live || self.0.is_cached(set)
    }

    /// The entities of the match set that are not in the candidate set.
    pub(crate) fn without(&self, match_set: &MatchSet, set: &CandidateSet) -> rusqlite::Result<MatchSet> {
        Ok(match_set.clone().and(MatchSet::AllBut((*self.0.uids(set)?).clone())))
    }

    /// The `uid`s of a page, found by sorting the whole match set.
    pub(crate) fn sorted(
        &self,
        match_set: &MatchSet,
        keys: &[Sort<L::Field>],
        offset: u64,
        size: u64,
    ) -> rusqlite::Result<Vec<i64>> {
        let uids = self.uids(match_set)?;
        all(self.0.connection, &self.0.list.sorted(uids.as_deref(), keys, offset, size), |row| row.get(0))
    }

    /// The `uid`s of the match set; `None` if it is all live entities.
    pub(crate) fn uids(&self, match_set: &MatchSet) -> rusqlite::Result<Option<Vec<i64>>> {
        Ok(match match_set {
            MatchSet::These(uids) => Some(uids_of(uids).collect()),
            _ if match_set.is_all() => None,
            MatchSet::AllBut(_) => {
                let live = all(self.0.connection, &table_scan::<L>(&[]).statement, |row| row.get(0))?;
                Some(live.into_iter().filter(|uid| match_set.contains(*uid)).collect())
            }
        })
    }
}

/// An index scan and the page that it fills.
struct IndexScan {
    /// How many more rows may be scanned. If none may and the page is not full, the match set is sorted instead.
    steps: u64,
    page: PageBuilder,
}

impl IndexScan {
    /// Whether the scan continues with the next row.
    fn continues(&self) -> bool {
        self.steps > 0 && !self.page.is_full()
    }
}

/// A page that is being filled.
struct PageBuilder {
    /// How many more entities come before the page.
    skip: u64,
    /// How many more entities the page takes.
    remaining: u64,
    /// The `uid`s of the entities on the page so far.
    uids: Vec<i64>,
}

impl PageBuilder {
    /// Adds the next entity of the order, if it is on the page.
    fn push(&mut self, uid: i64) {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.uids.push(uid);
            self.remaining -= 1;
        }
    }

    fn is_full(&self) -> bool {
        self.remaining == 0
    }
}
