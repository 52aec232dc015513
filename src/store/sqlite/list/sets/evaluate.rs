//! The evaluation of candidate sets to sets of `uid`s in memory, by the result cache if possible, and of a whole filter
//! to its match set.

use std::sync::Arc;

use roaring::RoaringTreemap;
use rusqlite::Connection;
use sea_query::{Expr, SelectStatement, SqliteQueryBuilder};

use crate::store::sql::list::candidate_set::{CandidateSet, Keyset, SetExpr};
use crate::store::sql::list::candidates::{Conjunct, table_scan};
use crate::store::sql::list::entities::ListQuery;
use crate::store::sql::tables::{Listing, Upkeep};

use super::cached_set::CachedSet;
use super::changes::changed_since;
use super::match_set::{MatchSet, uids_of};
use super::result_cache::ResultCache;
use crate::store::sqlite::list::engine::Sqlite;
use crate::store::sqlite::list::statements::{all, each};

/// The number of entities that a table scan checks in the time of one look-up by number.
const SCANNED_PER_LOOKED_UP: u64 = 4;
/// The number of entities that one statement looks up.
const LOOK_UP_BATCH: usize = 1_000;

/// The maximum number of entities between two positions for one keyset to be derived from the other.
const MAX_KEYSET_DIFFERENCE: u64 = 50_000;
/// If at most so many entities are between the two positions, the derived keyset replaces the other one in the cache.
/// The client has read the next page then, and does not return to the one before.
const NEXT_PAGE_DIFFERENCE: u64 = 1_000;

/// The evaluator of one list, in one snapshot.
pub(crate) struct Evaluator<'a, L: Listing> {
    /// The connection, in a read transaction.
    pub connection: &'a Connection,
    /// The list.
    pub list: &'a ListQuery<'a, L, Sqlite>,
    /// The cached sets.
    pub result_cache: &'a ResultCache,
    /// The sequence number of the journal's last entry in the snapshot.
    pub last_entry: i64,
    /// The number of live entities.
    pub live: u64,
    /// The maximum size of a candidate set that is looked up and sorted, the square root of the number of entities.
    /// That takes about as long as scanning an index until a page is full.
    pub threshold: u64,
}

impl<'a, L: Listing> Evaluator<'a, L> {
    /// Begins with the snapshot of the connection, in which `live` entities are live.
    pub(crate) fn new(
        connection: &'a Connection,
        result_cache: &'a ResultCache,
        list: &'a ListQuery<'a, L, Sqlite>,
        live: u64,
    ) -> rusqlite::Result<Self> {
        let sql = "SELECT coalesce(max(seq), 0) FROM journal";
        let last_entry = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(Self { connection, list, result_cache, last_entry, live, threshold: live.isqrt() })
    }

    /// Whether the set is cached, perhaps outdated.
    pub(crate) fn is_cached(&self, set: &CandidateSet) -> bool {
        self.result_cache.contains(&cache_key(&set.statement))
    }

    /// Returns the `uid`s of the set, from the cache if possible, and caches them.
    pub(crate) fn uids(&self, set: &CandidateSet) -> rusqlite::Result<Arc<RoaringTreemap>> {
        if let Some(keyset) = &set.keyset {
            return self.keyset_uids(set, keyset);
        }
        let key = cache_key(&set.statement);
        let cached = match self.result_cache.get(&key, self.last_entry) {
            Some(cached) => self.refreshed(&set.condition, set.upkeep, &cached)?,
            None => None,
        };
        let uids = match cached {
            Some(uids) => uids,
            None => Arc::new(self.read(set)?),
        };
        self.cache(set, key, &uids);
        Ok(uids)
    }

    fn cache(&self, set: &CandidateSet, key: String, uids: &Arc<RoaringTreemap>) {
        if set.upkeep != Upkeep::Unknown {
            self.result_cache.insert(key, CachedSet { uids: Arc::clone(uids), last_entry: self.last_entry });
        }
    }

    /// Reads the `uid`s of the set from the database.
    fn read(&self, set: &CandidateSet) -> rusqlite::Result<RoaringTreemap> {
        let mut uids = RoaringTreemap::new();
        each(self.connection, &set.statement, |row| {
            let uid = row.get(0)?;
            // Most rows come in the order of their numbers. Appending is faster than inserting.
            if uids.try_push(uid).is_err() {
                uids.insert(uid);
            }
            Ok(true)
        })?;
        Ok(uids)
    }

    /// Returns the `uid`s of the keyset, whose candidate set is `set`: derived from the nearest cached keyset if
    /// possible, and cached.
    fn keyset_uids(&self, set: &CandidateSet, keyset: &Keyset) -> rusqlite::Result<Arc<RoaringTreemap>> {
        let (keysets, column) = (&self.result_cache.keysets, (L::TABLE, keyset.column));
        let cache = |uids: &Arc<RoaringTreemap>, replaced: Option<&str>| {
            let cached = CachedSet { uids: Arc::clone(uids), last_entry: self.last_entry };
            keysets.insert(column, keyset.position.clone(), cached, replaced);
        };
        for (position, cached) in keysets.nearest(column, &keyset.position, self.last_entry) {
            let other = Keyset { column: keyset.column, position };
            let Some(other_uids) = self.refreshed(&other.condition(), Upkeep::Entity, &cached)? else { continue };
            let between = keyset.between::<L>(&other, MAX_KEYSET_DIFFERENCE + 1);
            let between = all(self.connection, &between, |row| row.get::<_, u64>(0))?;
            let between: RoaringTreemap = between.into_iter().collect();
            let difference = between.len();
            if difference > MAX_KEYSET_DIFFERENCE {
                continue;
            }
            let uids = if between.is_empty() {
                other_uids
            } else if other.position < keyset.position {
                Arc::new(&*other_uids - between)
            } else {
                Arc::new(&*other_uids | between)
            };
            let is_next_page = difference <= NEXT_PAGE_DIFFERENCE;
            cache(&uids, is_next_page.then_some(&*other.position));
            return Ok(uids);
        }
        let uids = Arc::new(self.read(set)?);
        cache(&uids, None);
        Ok(uids)
    }

    /// Returns the `uid`s of a cached set in this snapshot: the entities that changed since are checked against the
    /// set's condition. `None` if that would take too long or is impossible (see [`changed_since`]).
    fn refreshed(
        &self,
        condition: &Expr,
        upkeep: Upkeep,
        cached: &CachedSet,
    ) -> rusqlite::Result<Option<Arc<RoaringTreemap>>> {
        if cached.last_entry == self.last_entry {
            return Ok(Some(Arc::clone(&cached.uids)));
        }
        let Some(changed) = changed_since::<L>(self.connection, self.threshold, upkeep, cached.last_entry)? else {
            return Ok(None);
        };
        if changed.is_empty() {
            return Ok(Some(Arc::clone(&cached.uids)));
        }
        let mut uids = (*cached.uids).clone();
        for uid in &changed {
            uids.remove(*uid as u64);
        }
        uids |= self.matching(&changed, [condition])?;
        Ok(Some(Arc::new(uids)))
    }

    /// Returns the match set of the conjuncts. First it intersects the candidate sets. If some conjuncts need a check of
    /// each entity, it then looks up the entities that are left, or scans the table if they are many.
    pub(crate) fn match_set(&self, conjuncts: Vec<Conjunct>) -> rusqlite::Result<MatchSet> {
        let is_only_conjunct = conjuncts.len() == 1;
        let mut match_set = MatchSet::all();
        for alternatives in conjuncts.iter().filter_map(|conjunct| conjunct.alternatives.as_ref()) {
            match_set = match_set.and(self.union(alternatives)?);
        }
        let unchecked: Vec<Conjunct> = conjuncts.into_iter().filter(|conjunct| !conjunct.is_exact()).collect();
        if unchecked.is_empty() {
            return Ok(match_set);
        }
        let table_scan = table_scan::<L>(&unchecked);
        let is_looked_up_faster = |uids: &RoaringTreemap| uids.len() < self.live / SCANNED_PER_LOOKED_UP;
        match match_set {
            MatchSet::These(uids) if is_looked_up_faster(&uids) && !self.is_cached(&table_scan) => {
                let matches = self.look_up(&uids_of(&uids).collect::<Vec<_>>(), &unchecked)?;
                if is_only_conjunct {
                    // A table scan for the conjunct would have the same result.
                    self.cache(&table_scan, cache_key(&table_scan.statement), &Arc::new(matches.clone()));
                }
                Ok(MatchSet::These(matches))
            }
            match_set => Ok(match_set.and(MatchSet::These((*self.uids(&table_scan)?).clone()))),
        }
    }

    /// The union of the alternatives.
    fn union(&self, alternatives: &[SetExpr]) -> rusqlite::Result<MatchSet> {
        let sets = alternatives.iter().map(|alternative| match alternative {
            SetExpr::In(set) => Ok(MatchSet::These((*self.uids(set)?).clone())),
            SetExpr::NotIn(set) => Ok(MatchSet::AllBut((*self.uids(set)?).clone())),
        });
        sets.reduce(|a, b| Ok(a?.or(b?))).unwrap_or_else(|| Ok(MatchSet::none()))
    }

    /// Looks up the entities and returns those that are live and match all the conjuncts.
    pub(crate) fn look_up(&self, uids: &[i64], conjuncts: &[Conjunct]) -> rusqlite::Result<RoaringTreemap> {
        self.matching(uids, conjuncts.iter().map(|conjunct| &conjunct.condition))
    }

    /// Looks up the entities and returns those that are live and for which all the conditions are true.
    pub(crate) fn matching<'c>(
        &self,
        uids: &[i64],
        conditions: impl IntoIterator<Item = &'c Expr> + Clone,
    ) -> rusqlite::Result<RoaringTreemap> {
        let mut matching = RoaringTreemap::new();
        for batch in uids.chunks(LOOK_UP_BATCH) {
            let statement = self.list.matching(batch, conditions.clone());
            matching.extend(all(self.connection, &statement, |row| row.get::<_, u64>(0))?);
        }
        Ok(matching)
    }
}

/// The key of a set in the cache: its statement and parameters.
fn cache_key(statement: &SelectStatement) -> String {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    format!("{sql} {values:?}")
}
