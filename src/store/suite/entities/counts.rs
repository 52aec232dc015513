//! The numbers of what the directory has.

use crate::domain::community::Visibility;
use crate::domain::counts::Counts;
use crate::domain::membership::{MembersChange, MembersOptions, Membership};
use crate::store::sql::counters::COUNTED_LINKS_MAX;
use crate::store::suite::journal::batches::{group_item, letters, member_item, user_item};
use crate::store::suite::*;

async fn counts(store: &impl Store, visibility: &Visibility) -> Counts {
    store.counts(visibility).await.unwrap()
}

async fn changes(store: &impl Store) -> u64 {
    counts(store, &Visibility::All).await.changes
}

pub(crate) async fn tell_each_change_once(store: &impl TestStore) {
    let empty = Counts { groups: Some(0), users: 0, memberships: Some(0), changes: 0, oldest_change: None };
    assert_eq!(counts(store, &Visibility::All).await, empty);
    make_group(store, group("g", "G")).await;
    for name in ["a", "b", "c"] {
        make_user(store, user(name)).await;
    }
    assert_eq!(changes(store).await, 4);
    put_group(store, 2, GroupKey::Id(id("g")), group("g", "G")).await.unwrap();
    put_user(store, 2, Target::New, user("a")).await.unwrap_err();
    assert_eq!(changes(store).await, 4, "nothing was changed");
    let pair = Membership { group: id("g"), user: id("a") };
    store.add_member(operation(3), Visibility::All, pair).await.unwrap();
    let exactly = MembersChange::Exactly(["b", "c"].map(|name| UserKey::Id(id(name))).to_vec());
    let group_key = GroupKey::Id(id("g"));
    let options = MembersOptions::default();
    store.change_members(operation(4), Visibility::All, group_key, exactly, options).await.unwrap();
    assert_eq!(changes(store).await, 8, "one was removed and two were added");
    let batch = vec![
        group_item(None, group("h", "H")),
        user_item(None, user("d")),
        user_item(None, user("a")),
        member_item("h", "d"),
        member_item("none", "d"),
    ];
    assert_eq!(letters(store, 5, batch).await, "cc-c!");
    let expected =
        Counts { groups: Some(2), users: 4, memberships: Some(3), changes: 11, oldest_change: Some(time(1)) };
    assert_eq!(counts(store, &Visibility::All).await, expected);
    delete_group(store, 6, GroupKey::Id(id("g"))).await;
    let after = Counts { groups: Some(1), memberships: Some(1), changes: 12, ..expected };
    assert_eq!(counts(store, &Visibility::All).await, after);
}

pub(crate) async fn are_those_of_visible_groups(store: &impl TestStore) {
    let linked = |name: &str, communities: &[u8]| GroupFields {
        communities: communities.iter().map(|number| community(*number)).collect(),
        ..group(name, name)
    };
    for (name, communities) in [("both", &[1, 2][..]), ("one", &[1]), ("other", &[3]), ("none", &[])] {
        make_group(store, linked(name, communities)).await;
    }
    make_user(store, user("a")).await;
    for name in ["both", "other", "none"] {
        let pair = Membership { group: id(name), user: id("a") };
        store.add_member(operation(2), Visibility::All, pair).await.unwrap();
    }
    let within = |communities: &[u8]| Visibility::Within(communities.iter().map(|own| community(*own)).collect());
    for (communities, groups, memberships) in
        [(&[1, 2][..], 2, 1), (&[1], 2, 1), (&[2], 1, 1), (&[3, 4], 1, 1), (&[4], 0, 0), (&[], 0, 0)]
    {
        let own = counts(store, &within(communities)).await;
        assert_eq!((own.groups, own.memberships), (Some(groups), Some(memberships)), "{communities:?}");
    }
    assert_eq!(COUNTED_LINKS_MAX, 3);
    let too_many = counts(store, &within(&[1, 2, 3])).await;
    assert_eq!((too_many.groups, too_many.memberships, too_many.users), (None, None, 1));
}
