//! Retention: dropped changes are missed by no answer that is still given.

use super::batches::{group_item, letters, member_item, user_item};
use super::past::{NUMBERS, joined_then, members_then, moments, whole_feed};
use crate::domain::community::Visibility;
use crate::domain::error::Error;
use crate::domain::history::{
    Change, ChangeFilter, ChangeId, FeedPosition, FeedQuery, HistoryOf, HistoryQuery, JoinedGroupsAtQuery,
    MembersAtQuery, Order, Span,
};
use crate::store::suite::*;

/// Drops all changes before the second, in as many steps as it takes.
async fn drop_before(store: &impl TestStore, second: i64) {
    while store.drop_changes(time(second)).await.unwrap() {}
}

fn query(of: HistoryOf, order: Order, after: Option<ChangeId>) -> HistoryQuery {
    HistoryQuery { of, visibility: Visibility::All, span: Span::default(), types: None, order, after, limit: 1_000 }
}

async fn history(store: &impl TestStore, of: HistoryOf) -> Vec<Change> {
    store.history(query(of, Order::Ascending, None)).await.unwrap().changes
}

/// The number of the first entry that is kept.
fn first(store: &impl TestStore) -> i64 {
    store.journal()[0].seq
}

fn is_gone<T: std::fmt::Debug>(outcome: Result<T>, horizon: Timestamp) -> bool {
    matches!(outcome, Err(Error::BeforeHorizon(at)) if at == horizon)
}

pub(crate) async fn answers_are_the_same_or_refused(store: &impl TestStore) {
    const SECONDS: i64 = 120;
    let states = moments(store, SECONDS).await;
    let feed = whole_feed(store, &ChangeFilter::default(), Order::Ascending).await;
    let of = |uid| [HistoryOf::Group(uid), HistoryOf::User(uid)];
    let mut histories = Vec::new();
    for of in (1..=NUMBERS).flat_map(of) {
        histories.push((of, history(store, of).await));
    }
    let oldest = feed[0].clone();
    drop_before(store, 60).await;
    let first = first(store);
    let horizon = feed.iter().filter(|change| change.id.seq < first).map(|change| change.time).max().unwrap();
    assert!(horizon < time(60) && horizon > time(50), "{horizon:?}");

    let kept = |changes: &[Change]| changes.iter().filter(|change| change.id.seq >= first).cloned().collect::<Vec<_>>();
    assert_eq!(whole_feed(store, &ChangeFilter::default(), Order::Ascending).await, kept(&feed));
    for (of, before) in &histories {
        assert_eq!(history(store, *of).await, kept(before), "{of:?}");
    }
    assert_eq!(store.counts(&Visibility::All).await.unwrap().oldest_change, Some(kept(&feed)[0].time));

    for (second, then) in states.iter().enumerate().step_by(3) {
        let at = time(second as i64);
        for uid in 1..=NUMBERS {
            let Some(created) = states.last().unwrap().groups.get(&uid).map(|group| group.created) else { continue };
            let members = MembersAtQuery { group: uid, at, after: None, limit: 2 };
            if at < horizon {
                if created <= at {
                    assert!(is_gone(store.group_at(uid, at).await, horizon), "group {uid} at {second}");
                    assert!(is_gone(store.members_at(members).await, horizon));
                }
                let Some(user) = states.last().unwrap().users.get(&uid).filter(|user| user.created <= at) else {
                    continue;
                };
                assert!(is_gone(store.user_at(user.uid, at).await, horizon));
                let joined = JoinedGroupsAtQuery { user: uid, visibility: Visibility::All, at, after: None, limit: 3 };
                assert!(is_gone(store.joined_groups_at(joined).await, horizon));
                continue;
            }
            let group = store.group_at(uid, at).await.unwrap().map(|group| group.fields);
            assert_eq!(group, then.groups.get(&uid).map(|group| group.fields.clone()), "group {uid} at {second}");
            let (_, mut now) = members_then(store, uid, at).await;
            let mut expected = then.members.get(&uid).cloned().unwrap_or_default();
            now.sort_unstable();
            expected.sort_unstable();
            assert_eq!(now, expected, "members of {uid} at {second}");
            assert_eq!(store.user_at(uid, at).await.unwrap(), then.users.get(&uid).cloned());
            assert_eq!(joined_then(store, uid, at).await, then.joined.get(&uid).cloned().unwrap_or_default());
        }
    }

    let position = FeedPosition { transaction: 0, change: oldest.id, operation: oldest.operation.clone() };
    let query_from = FeedQuery {
        visibility: Visibility::All,
        filter: ChangeFilter::default(),
        span: Span::default(),
        order: Order::Ascending,
        after: Some(position),
        limit: 10,
        is_settled: true,
    };
    assert!(matches!(store.changes(query_from).await, Err(Error::NoLongerKept)));
    let after = |order| query(HistoryOf::Group(1), order, Some(oldest.id));
    assert!(matches!(store.history(after(Order::Ascending)).await, Err(Error::NoLongerKept)));
    let page = store.history(after(Order::Descending)).await.unwrap();
    assert_eq!((page.changes, page.more), (Vec::new(), false));
}

pub(crate) async fn spells_and_names_need_no_earlier_changes(store: &impl TestStore) {
    let states = moments(store, 160).await;
    let last = states.last().unwrap();
    let mut before = Vec::new();
    for (group, user) in (1..=NUMBERS).flat_map(|group| last.users.keys().map(move |user| (group, *user))) {
        before.push((group, user, store.spells(group, user).await.unwrap()));
    }
    drop_before(store, 100).await;
    let first = first(store);
    for (group, user, former) in before {
        let now = store.spells(group, user).await.unwrap();
        // Those that ended before are gone, and the others tell what is kept of them.
        let former: Vec<_> =
            former.into_iter().filter(|spell| spell.ended.as_ref().is_none_or(|ended| ended.id.seq >= first)).collect();
        assert_eq!(now.len(), former.len(), "{group} {user}: {now:?} {former:?}");
        for (now, former) in now.iter().zip(&former) {
            assert_eq!((now.end, &now.ended), (former.end, &former.ended));
            match former.added.as_ref().filter(|added| added.id.seq >= first) {
                Some(added) => assert_eq!((now.start, now.added.as_ref()), (former.start, Some(added))),
                None => assert!(now.added.is_none() && now.start <= former.start, "{now:?} {former:?}"),
            }
        }
    }
}

pub(crate) async fn old_entries_leave_nothing_behind(store: &impl TestStore) {
    make_group(store, group("g", "G")).await;
    // Enough batches for merged nodes of the index, before and behind the horizon.
    for second in 2..=41 {
        let name = format!("u{second}");
        let items = vec![user_item(None, user(&name)), group_item(None, group(&name, "N")), member_item("g", &name)];
        assert_eq!(letters(store, second, items).await, "ccc");
    }
    drop_before(store, 30).await;
    let last = first(store) - 1;
    assert!(last >= 28, "{last}");
    assert!(store.batch_index(&format!("last_seq <= {last}")).is_empty());
    assert!(store.journal_users().iter().all(|user| user.seq > last));
    for second in 42..=80 {
        let name = format!("u{second}");
        assert_eq!(letters(store, second, vec![user_item(None, user(&name)), member_item("g", &name)]).await, "cc");
    }
    assert_eq!(members_then(store, 1, time(40)).await.0, 39);
    assert_eq!(members_then(store, 1, time(80)).await.0, 79);
    // The last change stays, however old it is.
    drop_before(store, 1_000).await;
    assert_eq!(store.journal().len(), 1);
    let (operation, kept) = (store.latest_operation().await.unwrap(), store.journal()[0].operation.clone());
    assert_eq!(operation, Some(kept));
    let nodes = store.batch_index("last_seq > 0");
    assert!(nodes.iter().all(|node| node.last == store.journal()[0].seq), "{nodes:?}");
    assert_eq!(store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().members, 79);
    assert!(!store.drop_changes(time(1_000)).await.unwrap());
}
