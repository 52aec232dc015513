//! The sets of entities that statements select, and what is known of each.

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement, UnionType};

use super::expressions::{OWNER, live, own};
use crate::store::sql::tables::{Listing, TABLE_ALIAS, Upkeep};

/// A statement that selects the live entities that match one conjunct of a filter, or a superset of them.
#[derive(Clone, Debug)]
pub(crate) struct CandidateSet {
    /// Selects the `uid`s, in its only column [`OWNER`].
    pub statement: SelectStatement,
    /// The condition that an entity is in the set, on the entity's row.
    pub condition: Expr,
    /// A statement that selects a superset, faster than `statement` if the superset is small.
    pub probe: Option<SelectStatement>,
    /// The keyset that the set is, if it is one.
    pub keyset: Option<Keyset>,
    /// Whether `statement` may return a `uid` more than once.
    pub has_duplicates: bool,
    /// Whether every entity of the set matches the conjunct. Otherwise each one must be checked.
    pub exact: bool,
    /// Whether an index selects the set, so that its first rows are read at once. Otherwise the statement scans the
    /// whole table, or all values at a path of xp.
    pub indexed: bool,
    /// Which journal entries record the changes of the set. Only if that is known can a cached set be refreshed.
    pub upkeep: Upkeep,
}

impl CandidateSet {
    /// The exact set of the entities for which the condition is true. An index selects them, each once.
    pub(crate) fn from_index(statement: SelectStatement, condition: Expr) -> Self {
        Self {
            statement,
            condition,
            probe: None,
            keyset: None,
            has_duplicates: false,
            exact: true,
            indexed: true,
            upkeep: Upkeep::Entity,
        }
    }

    /// As [`CandidateSet::from_index`], for a statement that may return an entity more than once.
    pub(crate) fn from_index_with_duplicates(statement: SelectStatement, condition: Expr) -> Self {
        Self { has_duplicates: true, ..Self::from_index(statement, condition) }
    }

    /// The union of two sets that indexes select.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.statement.union(UnionType::All, other.statement);
        Self {
            condition: self.condition.or(other.condition),
            probe: None,
            keyset: None,
            has_duplicates: true,
            exact: self.exact && other.exact,
            upkeep: self.upkeep.and(other.upkeep),
            ..self
        }
    }

    /// The superset that the probe selects, or the set itself if it has no probe.
    pub(crate) fn probed(self) -> Self {
        match self.probe {
            Some(statement) => Self { statement, probe: None, exact: false, ..self },
            None => self,
        }
    }
}

/// The entities above a position in the order of a column whose values are unique, as a client selects them that pages
/// by the last value it has read.
#[derive(Clone, Debug)]
pub(crate) struct Keyset {
    /// The column.
    pub column: &'static str,
    /// The position: the entities with a greater value are in the keyset.
    pub position: String,
}

impl Keyset {
    /// The condition that an entity is in the keyset.
    pub(crate) fn condition(&self) -> Expr {
        own(self.column).gt(self.position.clone())
    }

    /// Selects at most `limit` of the entities that are in only one of the two keysets of the column.
    pub(crate) fn between<L: Listing>(&self, other: &Self, limit: u64) -> SelectStatement {
        let (lower, upper) = if self.position < other.position { (self, other) } else { (other, self) };
        let up_to_upper = own(upper.column).lte(upper.position.clone());
        select_uids::<L>([lower.condition(), up_to_upper]).limit(limit).take()
    }
}

/// A candidate set or its complement among the live entities.
#[derive(Clone, Debug)]
pub(crate) enum SetExpr {
    /// The set.
    In(CandidateSet),
    /// All live entities that are not in the set.
    NotIn(CandidateSet),
}

impl SetExpr {
    /// Whether the set is exact.
    pub(crate) fn is_exact(&self) -> bool {
        let (Self::In(set) | Self::NotIn(set)) = self;
        set.exact
    }

    /// Whether an index selects the set, without reading the others.
    pub(super) fn is_indexed(&self) -> bool {
        matches!(self, Self::In(set) if set.indexed)
    }

    /// The same set, of which each entity must be checked.
    pub(super) fn unchecked(self) -> Self {
        match self {
            Self::In(set) => Self::In(CandidateSet { exact: false, ..set }),
            Self::NotIn(set) => Self::NotIn(CandidateSet { exact: false, ..set }),
        }
    }
}

/// Selects the live entities for which the conditions are true.
pub(super) fn select_uids<L: Listing>(conditions: impl IntoIterator<Item = Expr>) -> SelectStatement {
    let mut uids = Query::select().expr_as(own("uid"), OWNER).from_as(L::TABLE, TABLE_ALIAS).and_where(live()).take();
    for condition in conditions {
        uids.and_where(condition);
    }
    uids
}
