//! Memberships: counts, order, and the effects of renames and deletions.

use crate::domain::community::Visibility;
use crate::domain::membership::{Membership, MembershipOutcome, MembershipQuery};
use crate::domain::query::Page;
use crate::store::suite::*;

fn pair(group: &str, user: &str) -> Membership {
    Membership { group: id(group), user: id(user) }
}

async fn add(store: &impl TestStore, group: &str, user: &str) -> MembershipOutcome {
    store.add_member(operation(2), Visibility::All, pair(group, user)).await.unwrap()
}

async fn remove(store: &impl TestStore, group: &str, user: &str) -> MembershipOutcome {
    store.remove_member(operation(3), Visibility::All, pair(group, user)).await.unwrap()
}

/// Returns the memberships that match, as `group:user`, and checks the total.
pub(crate) async fn pairs(
    store: &impl TestStore,
    visibility: Visibility,
    group: Option<&str>,
    user: Option<&str>,
) -> String {
    let page = Page { number: 1, size: 100 };
    let query = MembershipQuery { visibility, group: group.map(id), user: user.map(id), page };
    let listed = store.list_memberships(query.clone()).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64, "{query:?}");
    listed.items.iter().map(|pair| format!("{}:{}", pair.group, pair.user)).collect::<Vec<_>>().join(" ")
}

async fn all(store: &impl TestStore) -> String {
    pairs(store, Visibility::All, None, None).await
}

async fn members(store: &impl TestStore, group: &str) -> i64 {
    store.group(&GroupKey::Id(id(group))).await.unwrap().unwrap().members
}

async fn fill(store: &impl TestStore) {
    for name in ["B", "a"] {
        make_group(store, group(name, "n")).await;
    }
    for name in ["y", "X"] {
        make_user(store, user(name)).await;
    }
    for (group, user) in [("b", "Y"), ("a", "y"), ("A", "x")] {
        assert_eq!(add(store, group, user).await, MembershipOutcome::Done);
    }
}

pub(crate) async fn are_counted_and_ordered(store: &impl TestStore) {
    fill(store).await;
    assert_eq!(all(store).await, "a:X a:y B:y");
    assert_eq!(pairs(store, Visibility::All, Some("A"), None).await, "a:X a:y");
    assert_eq!(pairs(store, Visibility::All, None, Some("Y")).await, "a:y B:y");
    assert_eq!(pairs(store, Visibility::All, Some("b"), Some("x")).await, "");
    assert_eq!(pairs(store, Visibility::All, Some("b"), Some("Y")).await, "B:y");
    assert_eq!(pairs(store, Visibility::All, Some("none"), None).await, "");
    let entries = store.journal().len();
    assert_eq!(add(store, "a", "x").await, MembershipOutcome::Unchanged);
    assert_eq!(store.journal().len(), entries);
    assert_eq!(members(store, "a").await, 2);
    assert_eq!(remove(store, "A", "X").await, MembershipOutcome::Done);
    assert_eq!(remove(store, "A", "X").await, MembershipOutcome::Unchanged);
    assert_eq!((members(store, "a").await, all(store).await.as_str()), (1, "a:y B:y"));
    assert_eq!(add(store, "none", "none").await, MembershipOutcome::NoGroup);
    assert_eq!(add(store, "a", "none").await, MembershipOutcome::NoUser);
    let group = store.group(&GroupKey::Id(id("a"))).await.unwrap().unwrap();
    assert_eq!((group.version, group.updated), (1, group.created), "members are no change of the group");
}

pub(crate) async fn outlive_renames_and_not_deletions(store: &impl TestStore) {
    fill(store).await;
    put_group(store, 4, GroupKey::Id(id("a")), group("z", "n")).await.unwrap();
    put_user(store, 5, UserKey::Id(id("y")), user("A")).await.unwrap();
    assert_eq!(all(store).await, "B:A z:A z:X");
    delete_user(store, 6, UserKey::Id(id("a"))).await;
    assert_eq!((all(store).await.as_str(), members(store, "b").await, members(store, "z").await), ("z:X", 0, 1));
    make_user(store, user("A")).await;
    assert_eq!(all(store).await, "z:X", "a new user with an old ID is in no group");
    delete_group(store, 7, GroupKey::Id(id("z"))).await;
    assert_eq!(all(store).await, "");
    assert_eq!(pairs(store, Visibility::All, None, Some("X")).await, "");
    make_group(store, group("z", "n")).await;
    assert_eq!((all(store).await.as_str(), members(store, "z").await), ("", 0));
    delete_user(store, 8, UserKey::Id(id("x"))).await;
    assert_eq!(store.state().counters, [2, 1, 0]);
}

pub(crate) async fn are_limited(store: &impl TestStore) {
    fill(store).await;
    let linked = GroupFields { communities: Communities::from([community(1)]), ..group("B", "n") };
    put_group(store, 4, GroupKey::Id(id("b")), linked).await.unwrap();
    let limited = || Visibility::Within(Communities::from([community(1), community(2)]));
    assert_eq!(pairs(store, limited(), None, None).await, "B:y");
    assert_eq!(pairs(store, limited(), Some("a"), None).await, "");
    assert_eq!(pairs(store, limited(), None, Some("y")).await, "B:y");
    let foreign = store.add_member(operation(5), limited(), pair("a", "x")).await.unwrap();
    assert_eq!(foreign, MembershipOutcome::NoGroup);
    assert_eq!(store.remove_member(operation(5), limited(), pair("a", "x")).await.unwrap(), MembershipOutcome::NoGroup);
    assert_eq!(store.add_member(operation(5), limited(), pair("b", "x")).await.unwrap(), MembershipOutcome::Done);
}
