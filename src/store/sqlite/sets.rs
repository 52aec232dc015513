//! What the parts of a filter let through, put together in memory.

use std::sync::Arc;

use roaring::RoaringTreemap;
use rusqlite::{Connection, params};
use sea_query::{Expr, SelectStatement, SqliteQueryBuilder};

use crate::store::sql::lists::List;
use crate::store::sql::sets::{Part, Set, Term, scanned};
use crate::store::sql::tables::Listing;

use super::engine::Sqlite;
use super::found::{Found, numbers};
use super::memory::{Known, Memory};
use super::ranges::beyond;
use super::statements::{all, each};

/// How many things are looked at in the time in which one is looked up by its number.
const SCANNED_A_LOOKED_UP: u64 = 4;
/// How many things one statement looks up.
const LOOKED_UP_AT_ONCE: usize = 1_000;

/// Sets in one snapshot, and what is remembered of them.
pub struct Sets<'a, L: Listing> {
    pub connection: &'a Connection,
    pub list: &'a List<'a, L, Sqlite>,
    pub memory: &'a Memory,
    /// The last entry of the journal.
    pub entry: i64,
    /// How many things are live.
    pub live: u64,
    /// How many things are few: at the root of the number of all, looking them up and sorting them takes about as long as
    /// walking an index until a page of them is full.
    pub few: u64,
}

impl<'a, L: Listing> Sets<'a, L> {
    /// The list's sets in the snapshot that the connection reads, which has so many live things.
    pub fn new(
        connection: &'a Connection,
        memory: &'a Memory,
        list: &'a List<'a, L, Sqlite>,
        live: u64,
    ) -> rusqlite::Result<Self> {
        let last = "SELECT coalesce(max(seq), 0) FROM journal";
        let entry = connection.prepare_cached(last)?.query_row([], |row| row.get(0))?;
        Ok(Self { connection, list, memory, entry, live, few: live.isqrt() })
    }

    /// Whether the set is in memory, perhaps as it was a while ago.
    pub fn remembers(&self, set: &Set) -> bool {
        self.memory.has(&question(&set.statement))
    }

    /// The numbers of the set's things.
    pub fn numbers(&self, set: &Set) -> rusqlite::Result<Arc<RoaringTreemap>> {
        if let Some(text) = &set.beyond {
            return beyond(self, set, text);
        }
        let question = question(&set.statement);
        let uids = match self.memory.get(&question, self.entry) {
            Some(known) => self.renewed(&set.condition, &known)?,
            None => None,
        };
        let uids = match uids {
            Some(uids) => uids,
            None => Arc::new(self.asked(set)?),
        };
        self.keep(set, question, &uids);
        Ok(uids)
    }

    fn keep(&self, set: &Set, question: String, uids: &Arc<RoaringTreemap>) {
        if set.journaled {
            self.memory.keep(question, Known { set: Arc::clone(uids), entry: self.entry });
        }
    }

    /// The same, whatever is remembered.
    pub fn asked(&self, set: &Set) -> rusqlite::Result<RoaringTreemap> {
        let mut uids = RoaringTreemap::new();
        each(self.connection, &set.statement, |row| {
            let uid = row.get(0)?;
            // Most come in order, which takes no search.
            if uids.try_push(uid).is_err() {
                uids.insert(uid);
            }
            Ok(true)
        })?;
        Ok(uids)
    }

    /// A set as it is now, whose condition this is, if few things have changed since it was known: these alone are looked at.
    pub fn renewed(&self, condition: &Expr, known: &Known) -> rusqlite::Result<Option<Arc<RoaringTreemap>>> {
        if known.entry == self.entry {
            return Ok(Some(Arc::clone(&known.set)));
        }
        let Some(changed) = self.changed_since(known.entry)? else { return Ok(None) };
        if changed.is_empty() {
            return Ok(Some(Arc::clone(&known.set)));
        }
        let mut uids = (*known.set).clone();
        for uid in &changed {
            uids.remove(*uid as u64);
        }
        uids |= self.checked(&changed, [condition])?;
        Ok(Some(Arc::new(uids)))
    }

    /// The things that the journal tells of after the entry; `None` where they are not few, or were changed in a batch.
    fn changed_since(&self, entry: i64) -> rusqlite::Result<Option<Vec<i64>>> {
        let sql = "SELECT subject, kind = 'batch' FROM journal WHERE seq > ?1 AND kind IN ('batch', ?2) LIMIT ?3";
        let mut told = self.connection.prepare_cached(sql)?;
        let told =
            told.query_map(params![entry, L::JOURNALED_AS, self.few + 1], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let told: Vec<(i64, bool)> = told.collect::<rusqlite::Result<_>>()?;
        if told.len() as u64 > self.few || told.iter().any(|(_, in_batch)| *in_batch) {
            return Ok(None);
        }
        Ok(Some(told.into_iter().map(|(subject, _)| subject).collect()))
    }

    /// What all parts of a filter let through.
    pub fn found(&self, parts: Vec<Part>) -> rusqlite::Result<Found> {
        let is_alone = parts.len() == 1;
        let mut found = Found::all();
        let mut unsure = Vec::new();
        for part in parts {
            if let Some(terms) = &part.terms {
                found = found.and(self.union(terms)?);
            }
            if !part.terms.as_ref().is_some_and(|terms| terms.iter().all(Term::is_exact)) {
                unsure.push(part);
            }
        }
        if unsure.is_empty() {
            return Ok(found);
        }
        let scanned = scanned::<L>(&unsure);
        match found {
            Found::These(uids) if uids.len() < self.live / SCANNED_A_LOOKED_UP && !self.remembers(&scanned) => {
                let held = self.looked_up(&numbers(&uids).collect::<Vec<_>>(), &unsure)?;
                if is_alone {
                    self.keep(&scanned, question(&scanned.statement), &Arc::new(held.clone()));
                }
                Ok(Found::These(held))
            }
            found => Ok(found.and(Found::These((*self.numbers(&scanned)?).clone()))),
        }
    }

    fn union(&self, terms: &[Term]) -> rusqlite::Result<Found> {
        let each = terms.iter().map(|term| match term {
            Term::In(set) => Ok(Found::These((*self.numbers(set)?).clone())),
            Term::NotIn(set) => Ok(Found::AllBut((*self.numbers(set)?).clone())),
        });
        each.reduce(|a, b| Ok(a?.or(b?))).unwrap_or_else(|| Ok(Found::none()))
    }

    /// Those of the things that the parts let through.
    pub fn looked_up(&self, uids: &[i64], parts: &[Part]) -> rusqlite::Result<RoaringTreemap> {
        self.checked(uids, parts.iter().map(|part| &part.condition))
    }

    /// Those of the things that are live and meet the conditions.
    fn checked<'c>(
        &self,
        uids: &[i64],
        conditions: impl IntoIterator<Item = &'c Expr> + Clone,
    ) -> rusqlite::Result<RoaringTreemap> {
        let mut held = RoaringTreemap::new();
        for some in uids.chunks(LOOKED_UP_AT_ONCE) {
            let checked = self.list.checked(some, conditions.clone());
            held.extend(all(self.connection, &checked, |row| row.get::<_, u64>(0))?);
        }
        Ok(held)
    }
}

/// By what a set is known: its statement and the values in it.
fn question(statement: &SelectStatement) -> String {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    format!("{sql} {values:?}")
}
