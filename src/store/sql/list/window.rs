//! Windows: the rows of a sort order that are on a page.

use std::borrow::Cow;

use sea_query::{Order, SelectStatement};

use crate::domain::query::Sort;

/// A range of rows of a sort order, counted from its beginning or from its end. The rows of a large offset are found
/// faster from the end of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Whether the rows are counted from the end. Then the statement's order is reversed, and so are its rows.
    from_end: bool,
    /// The number of rows before the window.
    pub skip: u64,
    /// The maximum number of rows in the window.
    pub size: u64,
}

impl Window {
    /// At most `size` rows after the first `skip`, counted from the beginning.
    pub(crate) fn new(skip: u64, size: u64) -> Self {
        Self { from_end: false, skip, size }
    }

    /// At most `size` rows after the first `skip` of `total` rows, counted from the nearer end of the order.
    pub(crate) fn nearer_end(skip: u64, size: u64, total: u64) -> Self {
        let size = Ord::min(size, total.saturating_sub(skip));
        let behind = total.saturating_sub(skip).saturating_sub(size);
        if behind < skip { Self { from_end: true, skip: behind, size } } else { Self::new(skip, size) }
    }

    /// The direction of the statement's order by a column that the list orders ascending.
    pub(crate) fn order(self) -> Order {
        if self.from_end { Order::Desc } else { Order::Asc }
    }

    /// The sort keys of the statement, whose order is the list's or its reverse.
    pub(crate) fn keys<F: Clone>(self, keys: &[Sort<F>]) -> Cow<'_, [Sort<F>]> {
        if !self.from_end {
            return Cow::Borrowed(keys);
        }
        Cow::Owned(keys.iter().map(|key| Sort { descending: !key.descending, ..key.clone() }).collect())
    }

    /// The rows of the statement in the order of the list.
    pub(crate) fn in_list_order<T>(self, mut rows: Vec<T>) -> Vec<T> {
        if self.from_end {
            rows.reverse();
        }
        rows
    }

    /// Limits the statement to the window. The statement must be in the window's order.
    pub(crate) fn of(self, statement: &mut SelectStatement) -> SelectStatement {
        statement.limit(self.size).offset(self.skip).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_from_the_nearer_end() {
        let from_end = |skip, size| Window { from_end: true, skip, size };
        assert_eq!(Window::nearer_end(0, 20, 100), Window::new(0, 20));
        assert_eq!(Window::nearer_end(40, 20, 100), Window::new(40, 20));
        assert_eq!(Window::nearer_end(60, 20, 100), from_end(20, 20));
        assert_eq!(Window::nearer_end(90, 20, 100), from_end(0, 10));
        assert_eq!(Window::nearer_end(200, 20, 100), from_end(0, 0));
        assert_eq!(Window::nearer_end(0, 20, 7), Window::new(0, 7));
    }
}
