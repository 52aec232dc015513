//! The end of the feed, and waiting for what comes behind it.

use crate::domain::community::Visibility;
use crate::domain::history::{ChangeFilter, FeedPage, FeedPosition, FeedQuery, Order, Span};
use crate::store::suite::*;

use super::past::settled;

async fn behind(store: &impl TestStore, after: Option<FeedPosition>, filter: ChangeFilter) -> FeedPage {
    let (visibility, span, order) = (Visibility::All, Span::default(), Order::Ascending);
    store.changes(FeedQuery { visibility, filter, span, order, after, limit: 10, is_settled: true }).await.unwrap()
}

pub(crate) async fn nothing_is_behind_the_end(store: &impl TestStore) {
    assert_eq!(store.feed_end().await.unwrap(), None);
    make_group(store, group("g", "n")).await;
    settled(store).await;
    let end = store.feed_end().await.unwrap();
    assert_eq!(end, behind(store, None, ChangeFilter::default()).await.next);
    let page = behind(store, end.clone(), ChangeFilter::default()).await;
    assert_eq!((page.changes, &page.next, page.more), (vec![], &end, false));
    put_group(store, 2, Target::New, group("h", "n")).await.unwrap();
    settled(store).await;
    let page = behind(store, end.clone(), ChangeFilter::default()).await;
    assert_eq!(page.changes.len(), 1);
    assert!(page.next > end && page.next == store.feed_end().await.unwrap());
}

pub(crate) async fn a_filter_moves_past_other_operations(store: &impl TestStore) {
    make_group(store, group("g", "n")).await;
    settled(store).await;
    let end = store.feed_end().await.unwrap();
    let filter = ChangeFilter { operations: vec!["nobody's".to_owned()], ..ChangeFilter::default() };
    let page = behind(store, None, filter).await;
    assert_eq!((page.changes, page.next, page.more), (vec![], end, false));
}

pub(crate) async fn a_wait_ends_after_a_change(store: &impl TestStore) {
    let mut seen = 0;
    let mut position = None;
    for name in ["a", "b"] {
        let (_, found) = tokio::join!(make_group(store, group(name, "n")), async {
            loop {
                let page = behind(store, position.clone(), ChangeFilter::default()).await;
                if !page.changes.is_empty() {
                    return page.next;
                }
                store.wait_for_feed(&mut seen).await;
            }
        });
        position = found;
    }
    assert_eq!(position, store.feed_end().await.unwrap());
}

pub(crate) async fn a_directory_keeps_its_identity(store: &impl TestStore) {
    let (other, _alive) = store.another().await;
    assert_ne!(store.directory(), other.directory());
    let identity = store.directory();
    assert_eq!(store.reopened("", false).await.unwrap().directory(), identity);
}
