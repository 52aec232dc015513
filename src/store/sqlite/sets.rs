//! What the parts of a filter let through, put together in memory.

use std::sync::Arc;

use roaring::RoaringTreemap;
use rusqlite::Connection;
use sea_query::SqliteQueryBuilder;

use crate::store::sql::lists::List;
use crate::store::sql::sets::{Part, Set, Term, scanned};
use crate::store::sql::tables::Listing;

use super::engine::Sqlite;
use super::found::{Found, numbers};
use super::memory::Memory;
use super::statements::{all, each};

/// How many things are looked at in the time in which one is looked up by its number.
const SCANNED_A_LOOKED_UP: u64 = 4;
/// How many things one statement looks up.
const LOOKED_UP_AT_ONCE: usize = 1_000;

/// Sets in one snapshot, and what is remembered of them.
pub struct Sets<'a> {
    pub connection: &'a Connection,
    memory: &'a Memory,
    /// The last entry of the journal.
    entry: i64,
}

impl<'a> Sets<'a> {
    /// The sets of the snapshot that the connection reads.
    pub fn new(connection: &'a Connection, memory: &'a Memory) -> rusqlite::Result<Self> {
        let last = "SELECT coalesce(max(seq), 0) FROM journal";
        let entry = connection.prepare_cached(last)?.query_row([], |row| row.get(0))?;
        Ok(Self { connection, memory, entry })
    }

    /// The set, if it is in memory.
    pub fn remembered(&self, set: &Set) -> Option<Arc<RoaringTreemap>> {
        self.memory.get(&question(set), self.entry)
    }

    /// The numbers of the set's things.
    pub fn numbers(&self, set: &Set) -> rusqlite::Result<Arc<RoaringTreemap>> {
        if let Some(known) = self.remembered(set) {
            return Ok(known);
        }
        let mut uids = RoaringTreemap::new();
        each(self.connection, &set.statement, |row| {
            uids.insert(row.get::<_, u64>(0)?);
            Ok(true)
        })?;
        let uids = Arc::new(uids);
        if set.journaled {
            self.memory.keep(question(set), self.entry, Arc::clone(&uids));
        }
        Ok(uids)
    }

    /// What all parts of the list's filter let through, of so many live things.
    pub fn found<L: Listing>(
        &self,
        list: &List<'_, L, Sqlite>,
        parts: Vec<Part>,
        live: u64,
    ) -> rusqlite::Result<Found> {
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
        match found {
            found if unsure.is_empty() => Ok(found),
            Found::These(uids) if uids.len() < live / SCANNED_A_LOOKED_UP => self.looked_up(list, &uids, &unsure),
            found => {
                let scanned = self.numbers(&scanned::<L>(&unsure))?;
                Ok(found.and(Found::These((*scanned).clone())))
            }
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
    fn looked_up<L: Listing>(
        &self,
        list: &List<'_, L, Sqlite>,
        uids: &RoaringTreemap,
        parts: &[Part],
    ) -> rusqlite::Result<Found> {
        let mut held = RoaringTreemap::new();
        let uids: Vec<i64> = numbers(uids).collect();
        for some in uids.chunks(LOOKED_UP_AT_ONCE) {
            held.extend(all(self.connection, &list.checked(some, parts), |row| row.get::<_, u64>(0))?);
        }
        Ok(Found::These(held))
    }
}

/// By what a set is known: its statement and the values in it.
fn question(set: &Set) -> String {
    let (sql, values) = set.statement.build(SqliteQueryBuilder);
    format!("{sql} {values:?}")
}
