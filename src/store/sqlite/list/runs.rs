//! Runs: the rows of an index scan, grouped by equal values of the first sort key.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, Rows};

use super::sets::match_set::MatchSet;

/// Splits rows into runs of equal values, and keeps of each run the entities of the match set. The rows must be ordered
/// by value. A row has the `uid` of an entity and its value, in two columns.
pub(super) struct Runs<'r, 'rows> {
    rows: &'r mut Rows<'rows>,
    match_set: &'r MatchSet,
    /// If at least so many rows share a value, the iteration ends with that value.
    shared_by: Option<NonZeroU64>,
    /// How many more rows may be scanned.
    steps: &'r mut u64,
    rows_read: u64,
    /// The value of the last row whose number is a multiple of `shared_by`.
    mark: Option<SortValue>,
    /// The last run, to which the next row may belong.
    last: Option<Ties>,
    /// Complete runs that are to be returned.
    ready: VecDeque<Run>,
    is_over: bool,
}

/// A run, or the end of the iteration.
pub(super) enum Run {
    /// All entities of the match set with one value.
    Ties(Vec<i64>),
    /// A value that many rows share. Neither its entities are returned nor any that come after them.
    SharedByMany(SortValue),
}

impl<'r, 'rows> Runs<'r, 'rows> {
    pub(super) fn new(
        rows: &'r mut Rows<'rows>,
        match_set: &'r MatchSet,
        shared_by: Option<NonZeroU64>,
        steps: &'r mut u64,
    ) -> Self {
        let (mark, last, ready) = (None, None, VecDeque::new());
        Self { rows, match_set, shared_by, steps, rows_read: 0, mark, last, ready, is_over: false }
    }

    /// Returns the next run. `None` after the last row, or when no more rows may be scanned.
    pub(super) fn next(&mut self) -> rusqlite::Result<Option<Run>> {
        while self.ready.is_empty() && !self.is_over {
            self.step()?;
        }
        Ok(self.ready.pop_front())
    }

    /// Scans one more row.
    fn step(&mut self) -> rusqlite::Result<()> {
        if *self.steps == 0 {
            self.is_over = true;
            return Ok(());
        }
        let Some(row) = self.rows.next()? else {
            self.is_over = true;
            self.ready.extend(self.last.take().map(|ties| Run::Ties(ties.uids)));
            return Ok(());
        };
        *self.steps -= 1;
        self.rows_read += 1;
        let uid = row.get(0)?;
        if self.match_set.contains(uid) {
            match &mut self.last {
                Some(ties) if ties.value.is_of(row)? => ties.uids.push(uid),
                last => {
                    let complete = last.replace(Ties { value: SortValue::of(row)?, uids: vec![uid] });
                    self.ready.extend(complete.map(|ties| Run::Ties(ties.uids)));
                }
            }
        }
        if self.shared_by.is_some_and(|shared_by| self.rows_read.is_multiple_of(shared_by.get())) {
            let value = SortValue::of(row)?;
            // The rows are ordered by value, so all rows since the marked one have the same value.
            if self.mark.as_ref() == Some(&value) {
                self.is_over = true;
                let earlier_run = self.last.take().filter(|ties| ties.value != value);
                self.ready.extend(earlier_run.map(|ties| Run::Ties(ties.uids)));
                self.ready.push_back(Run::SharedByMany(value));
            } else {
                self.mark = Some(value);
            }
        }
        Ok(())
    }
}

/// The value by which an entity is sorted, in two columns.
#[derive(Debug, PartialEq)]
pub(super) struct SortValue([Value; 2]);

impl SortValue {
    /// The value of the row.
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self([row.get(1)?, row.get(2)?]))
    }

    /// Whether the row has this value.
    fn is_of(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let Self([value, rest]) = self;
        Ok(row.get_ref(1)? == ValueRef::from(value) && row.get_ref(2)? == ValueRef::from(rest))
    }

    /// The whole text of a value of xp, whose two columns hold its prefix and its rest.
    pub(super) fn whole(self) -> String {
        match self.0 {
            [Value::Text(prefix), Value::Text(rest)] => prefix + &rest,
            _ => String::new(),
        }
    }
}

/// Entities of the match set that share a value.
struct Ties {
    value: SortValue,
    uids: Vec<i64>,
}
