//! Walks of lists: pages that continue after a position in the order instead of being numbered. What keeps its sort
//! keys comes exactly once in a walk, whatever changes meanwhile.

use super::community::Visibility;
use super::query::{Filter, Sort};

/// A query for a page of a walk.
#[derive(Clone, Debug)]
pub struct CursorQuery<F> {
    /// The groups and communities that the caller may see. The service sets it.
    pub visibility: Visibility,
    /// The filter.
    pub filter: Filter<F>,
    /// The sort keys, the most significant first. The number breaks ties, in the direction of the last key.
    pub sort: Vec<Sort<F>>,
    /// The position after which the page begins; `None` = at the beginning.
    pub after: Option<Position>,
    /// How many rows come before the page, counted from the beginning. Without a position only, and in walks through what
    /// is live.
    pub skip: u64,
    /// The maximum number of rows, from 1 to [`MAX_LIMIT`].
    pub limit: u32,
}

impl<F> CursorQuery<F> {
    /// The query for a caller who may see these groups and communities alone.
    pub fn limited_to(self, visibility: &Visibility) -> Self {
        Self { visibility: visibility.clone(), filter: self.filter.limited_to(visibility), ..self }
    }
}

/// The number of rows of a page of a walk if the request does not state one.
pub(crate) const DEFAULT_LIMIT: u32 = 50;
/// The maximum number of rows of a page of a walk.
pub(crate) const MAX_LIMIT: u32 = 1_000;

/// A page of a walk, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorPage<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// The number of rows that match, before and after the page too; `None` if to count them would cost too much.
    pub total: Option<u64>,
    /// The position after which the next page begins; `None` = this is the last page.
    pub next: Option<Position>,
}

/// A place in an order: the values of all sort keys of a row, the last of which no other row has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(pub Vec<SortValue>);

/// The value of one sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// No value.
    Absent,
    /// An integer, a time in microseconds, or a boolean.
    Integer(i64),
    /// A number inside xp, in the encoding of [`Decimal::as_str`](super::decimal::Decimal::as_str).
    Number(String),
    /// A text, after case folding.
    Text(String),
}
