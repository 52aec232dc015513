//! Walks page by page, each page checked.

use std::collections::BTreeSet;

use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorPage, CursorQuery, Position};
use crate::domain::error::Result;
use crate::domain::query::{Condition, Filter, Sort};

/// A walk over the entities that meet all the conditions, with seven on a page.
pub(crate) fn query<F>(conditions: Vec<Condition<F>>, sort: Vec<Sort<F>>) -> CursorQuery<F> {
    let filter = Filter { search: None, conditions };
    CursorQuery { visibility: Visibility::All, filter, sort, after: None, skip: 0, limit: 7 }
}

/// Returns all rows of a walk, and checks each page.
pub(crate) async fn walked<T, F: Clone>(
    query: &CursorQuery<F>,
    read: impl AsyncFn(CursorQuery<F>) -> Result<CursorPage<T>>,
) -> Vec<T> {
    let (all, totals) = pages(query, read).await;
    assert_eq!(totals, BTreeSet::from([Some(all.len() as u64)]));
    all
}

/// Returns all rows of a walk, and the totals of its pages.
pub(crate) async fn pages<T, F: Clone>(
    query: &CursorQuery<F>,
    read: impl AsyncFn(CursorQuery<F>) -> Result<CursorPage<T>>,
) -> (Vec<T>, BTreeSet<Option<u64>>) {
    let (mut all, mut after, mut totals) = (Vec::new(), None::<Position>, BTreeSet::new());
    loop {
        let page = read(CursorQuery { after, ..query.clone() }).await.unwrap();
        totals.insert(page.total);
        assert!(page.items.len() <= query.limit as usize);
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return (all, totals),
        }
    }
}
