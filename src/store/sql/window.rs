//! Windows: which rows of an order a page is.

use sea_query::{Order, SelectStatement};

/// Some rows of an order: so many, after so many others, from its beginning or from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from_end: bool,
    pub skip: u64,
    pub size: u64,
}

impl Window {
    /// The rows, counted from the beginning.
    pub fn new(skip: u64, size: u64) -> Self {
        Self { from_end: false, skip, size }
    }

    /// The same of so many rows, counted from the nearer end. What is counted from the end comes in reverse.
    pub fn nearer_end(skip: u64, size: u64, total: u64) -> Self {
        let size = Ord::min(size, total.saturating_sub(skip));
        let after = total.saturating_sub(skip).saturating_sub(size);
        if after < skip { Self { from_end: true, skip: after, size } } else { Self::new(skip, size) }
    }

    /// The direction of a column that is ascending from the beginning.
    pub fn order(self) -> Order {
        if self.from_end { Order::Desc } else { Order::Asc }
    }

    /// The rows of the window among those of the statement, whose order is the window's.
    pub fn of(self, statement: &mut SelectStatement) -> SelectStatement {
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
