//! Queries on lists: a filter, an order and a page. An API creates a query from its own parameters, and a store
//! evaluates it.

mod combining;
mod fields;
mod filter;

use super::community::Visibility;

pub(crate) use fields::{Field, GroupField, UserField, label_tag};
pub(crate) use filter::{Comparison, Condition, Filter, Operand, Pattern, Search, Test};

/// A page of a list, at most [`Page::MAX_SIZE`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page number, from 1 to [`Page::MAX_NUMBER`].
    pub number: u32,
    /// The number of rows on a page, from 1 to [`Page::MAX_SIZE`].
    pub size: u32,
}

impl Page {
    /// The page size if the request does not state one.
    pub const DEFAULT_SIZE: u32 = 20;
    /// The maximum page size.
    pub const MAX_SIZE: u32 = 100;
    /// The maximum page number.
    pub const MAX_NUMBER: u32 = i32::MAX as u32;

    /// The number of rows before the page.
    pub fn offset(self) -> u64 {
        u64::from(self.number - 1) * u64::from(self.size)
    }

    /// The number of pages for `total` rows.
    pub fn count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

/// The rows of one page and the number of rows on all pages, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResult<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// The number of rows on all pages.
    pub total: u64,
}

/// A query on the list of groups.
#[derive(Clone, Debug)]
pub struct GroupQuery {
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The filter.
    pub filter: Filter<GroupField>,
    /// The sort keys, the most significant first. Name, then ID, break ties.
    pub sort: Vec<Sort<GroupField>>,
    /// The page to return.
    pub page: Page,
}

/// A query on the list of users.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// The filter.
    pub filter: Filter<UserField>,
    /// The sort keys, the most significant first. LastName, FirstName, then ID, break ties.
    pub sort: Vec<Sort<UserField>>,
    /// The page to return.
    pub page: Page,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort<F> {
    /// The field to sort by.
    pub field: Field<F>,
    /// Whether the highest value comes first.
    pub descending: bool,
}
