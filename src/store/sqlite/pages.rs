//! Pages: what was found, in order, from the page's first row to its last. Few things are sorted. Of many, an index is
//! walked from the nearer end until the page is full; but never for longer than sorting would take.

use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};
use sea_query::SelectStatement;

use crate::domain::query::{Field, Operand, Sort, Test};
use crate::store::sql::orders::{is_indexed, kinds, reversed, with_this_xp_value, with_xp_value, xp_values};
use crate::store::sql::sets::{Set, scanned};
use crate::store::sql::tables::Listing;

use super::found::{Found, numbers};
use super::sets::Sets;
use super::statements::{all, each};

/// How many steps along an index take as long as it does to look one thing up and sort it.
const STEPS_A_SORTED: u64 = 8;
/// To how many things a value at a path of xp may be found, for the first time, rather than one thing sorted. It is done
/// once for many lists.
const WITH_VALUE_A_SORTED: u64 = 512;

/// What part of a few things must share a value for the set of them to be asked for: to find that in memory takes about as
/// long as to walk through them.
const FEW_A_SHARED: u64 = 4;

/// What pages are made from.
pub struct Pages<'s, 'a, L: Listing>(pub &'s Sets<'a, L>);

impl<L: Listing> Pages<'_, '_, L> {
    /// The numbers of at most `size` of the things found, after the first `offset`, in the whole order of the keys.
    pub fn page(&self, found: &Found, keys: &[Sort<L::Field>], offset: u64, size: u64) -> rusqlite::Result<Vec<i64>> {
        let total = found.len(self.0.live);
        let size = size.min(total.saturating_sub(offset));
        let after = total.saturating_sub(offset).saturating_sub(size);
        if size == 0 {
            return Ok(Vec::new());
        }
        if after >= offset {
            return self.forward(found, keys, offset, size);
        }
        let mut page = self.forward(found, &reversed(keys), after, size)?;
        page.reverse();
        Ok(page)
    }

    fn forward(&self, found: &Found, keys: &[Sort<L::Field>], offset: u64, size: u64) -> rusqlite::Result<Vec<i64>> {
        let (total, Sets { live, few, .. }) = (found.len(self.0.live), self.0);
        let most_steps = total.saturating_mul(STEPS_A_SORTED);
        // As many as it takes where what was found lies evenly in the order.
        let steps = (offset + size).saturating_mul(*live) / total.max(1);
        if total <= *few || steps > most_steps {
            return self.sorted(found, keys, offset, size);
        }
        let mut walk = Walk { steps: most_steps, skip: offset, want: size, page: Vec::new() };
        match &keys[0].field {
            _ if is_indexed::<L>(keys) => self.along_index(found, keys, &mut walk)?,
            Field::Own(field) if L::column(*field).indexed => {
                let values = self.0.list.values(*field, keys[0].descending);
                self.along_values(found, &keys[1..], &values, u64::MAX, &mut walk)?;
            }
            Field::Own(_) => {}
            Field::Xp(path) => self.along_xp(found, path, keys, &mut walk)?,
        }
        if walk.want == 0 { Ok(walk.page) } else { self.sorted(found, keys, offset, size) }
    }

    /// Walks along the index of the order.
    fn along_index(&self, found: &Found, keys: &[Sort<L::Field>], walk: &mut Walk) -> rusqlite::Result<()> {
        if matches!(found, Found::AllBut(uids) if uids.is_empty()) {
            walk.page = self.sorted(found, keys, walk.skip, walk.want)?;
            walk.want = 0;
            return Ok(());
        }
        each(self.0.connection, &self.0.list.in_order(keys), |row| {
            let uid = row.get(0)?;
            if found.has(uid) {
                walk.take(uid);
            }
            Ok(walk.goes_on())
        })
    }

    /// The same along a statement that gives values: what shares one is put in order by the other keys. Gives the value of
    /// which there are at least so many, if that is what ended the walk: it did not come past these.
    fn along_values(
        &self,
        found: &Found,
        others: &[Sort<L::Field>],
        statement: &SelectStatement,
        most: u64,
        walk: &mut Walk,
    ) -> rusqlite::Result<Option<Shared>> {
        let (mut equals, mut walked, mut mark) = (Equals::default(), 0, None::<Shared>);
        let mut is_shared = false;
        each(self.0.connection, statement, |row| {
            let uid = row.get(0)?;
            if found.has(uid) {
                if !is_of(equals.value.as_ref(), row)? {
                    self.past(&Found::these(&equals.uids), others, walk)?;
                    equals = Equals { value: Some(Shared::by(row)?), uids: Vec::new() };
                }
                equals.uids.push(uid);
            }
            walked += 1;
            // What comes in order has one value if its first and its last have.
            if walked % most == 0 {
                is_shared = is_of(mark.as_ref(), row)?;
                mark = Some(Shared::by(row)?);
            }
            Ok(walk.goes_on() && !is_shared)
        })?;
        if walk.steps == 0 {
            return Ok(None);
        }
        let shared = mark.filter(|_| is_shared);
        if shared.is_none() || equals.value != shared {
            self.past(&Found::these(&equals.uids), others, walk)?;
        }
        Ok(shared)
    }

    /// The same along the values at a path of xp, before which (or descending, after which) comes what has none.
    fn along_xp(&self, found: &Found, path: &str, keys: &[Sort<L::Field>], walk: &mut Walk) -> rusqlite::Result<()> {
        let (descending, others) = (keys[0].descending, &keys[1..]);
        if let (Found::These(uids), Some(tests)) = (found, self.0.list.tests_at(path)) {
            // Unless one of them passes by another value than that by which it is sorted.
            if uids.is_subset(&*self.0.numbers(&with_xp_value::<L>(path, Some(tests)))?) {
                return self.along_xp_values(found, path, keys, Some(tests), walk);
            }
        }
        let with_value = with_xp_value::<L>(path, None);
        if !descending {
            if !self.is_worth(found, &with_value) {
                return Ok(());
            }
            self.past(&self.without(found, &with_value)?, others, walk)?;
        }
        self.along_xp_values(found, path, keys, None, walk)?;
        if descending && walk.is_on() {
            self.past(&self.without(found, &with_value)?, others, walk)?;
        }
        Ok(())
    }

    /// The same along the values alone. What many things share is not walked through, but looked at as a set.
    fn along_xp_values(
        &self,
        found: &Found,
        path: &str,
        keys: &[Sort<L::Field>],
        tests: Option<&[Test]>,
        walk: &mut Walk,
    ) -> rusqlite::Result<()> {
        let (descending, others) = (keys[0].descending, &keys[1..]);
        let many = (self.0.few / FEW_A_SHARED).max(1);
        for kind in kinds(descending) {
            let mut shared = None;
            while walk.is_on() {
                let values = xp_values::<L>(path, kind, descending, tests, shared.as_ref());
                let Some(value) = self.along_values(found, others, &values, many, walk)? else { break };
                let value = value.operand();
                let sharing = with_this_xp_value::<L>(path, kind, &value);
                if !self.is_worth(found, &sharing) {
                    return Ok(());
                }
                let equals = found.clone().and(Found::These((*self.0.numbers(&sharing)?).clone()));
                self.past(&equals, others, walk)?;
                shared = Some(value);
            }
        }
        Ok(())
    }

    /// Whether the set is there already, or so much was found that sorting that would take longer than finding the set.
    fn is_worth(&self, found: &Found, set: &Set) -> bool {
        found.len(self.0.live).saturating_mul(WITH_VALUE_A_SORTED) >= self.0.live || self.0.remembers(set)
    }

    fn without(&self, found: &Found, set: &Set) -> rusqlite::Result<Found> {
        Ok(found.clone().and(Found::AllBut((*self.0.numbers(set)?).clone())))
    }

    /// Walks past what is equal so far: over it, or into it where the page begins or ends in it.
    fn past(&self, equals: &Found, others: &[Sort<L::Field>], walk: &mut Walk) -> rusqlite::Result<()> {
        let total = equals.len(self.0.live);
        if walk.skip >= total || walk.want == 0 {
            walk.skip = walk.skip.saturating_sub(total);
            return Ok(());
        }
        let page = self.page(equals, others, walk.skip, walk.want)?;
        walk.skip = 0;
        walk.want -= page.len() as u64;
        walk.page.extend(page);
        Ok(())
    }

    /// The same, by sorting all that was found: where an order is at odds with it.
    pub fn sorted(&self, found: &Found, keys: &[Sort<L::Field>], offset: u64, size: u64) -> rusqlite::Result<Vec<i64>> {
        let among: Option<Vec<i64>> = match found {
            Found::These(uids) => Some(numbers(uids).collect()),
            Found::AllBut(uids) if uids.is_empty() => None,
            but => {
                let live = all(self.0.connection, &scanned::<L>(&[]).statement, |row| row.get(0))?;
                Some(live.into_iter().filter(|uid| but.has(*uid)).collect())
            }
        };
        all(self.0.connection, &self.0.list.sorted(among.as_deref(), keys, offset, size), |row| row.get(0))
    }
}

/// How far a walk has come.
struct Walk {
    /// How many steps it may still take.
    steps: u64,
    /// How many things come before the page.
    skip: u64,
    /// How many are still to come on the page.
    want: u64,
    page: Vec<i64>,
}

impl Walk {
    /// One more thing that was found.
    fn take(&mut self, uid: i64) {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.page.push(uid);
            self.want -= 1;
        }
    }

    /// Takes a step; whether another is to be taken.
    fn goes_on(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.is_on()
    }

    /// Whether another step is to be taken.
    fn is_on(&self) -> bool {
        self.steps > 0 && self.want > 0
    }
}

/// A value, in two columns behind the number of the thing.
#[derive(Debug, PartialEq)]
struct Shared([Value; 2]);

impl Shared {
    /// That of the row.
    fn by(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self([row.get(1)?, row.get(2)?]))
    }

    /// To compare values at a path of xp with.
    fn operand(self) -> Operand {
        let (text, number) = match self.0 {
            [Value::Text(text), Value::Text(rest)] => (text + &rest, None),
            [Value::Real(number), _] => (String::new(), Some(number)),
            _ => (String::new(), None),
        };
        Operand { text, number, instant: None, boolean: None }
    }
}

/// Whether the value is there, and that of the row.
fn is_of(value: Option<&Shared>, row: &Row<'_>) -> rusqlite::Result<bool> {
    let Some(Shared([value, rest])) = value else { return Ok(false) };
    Ok(row.get_ref(1)? == ValueRef::from(value) && row.get_ref(2)? == ValueRef::from(rest))
}

/// Things that were found, which share a value.
#[derive(Default)]
struct Equals {
    value: Option<Shared>,
    uids: Vec<i64>,
}
