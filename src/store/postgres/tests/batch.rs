//! Tests of batches that are specific to PostgreSQL, which writes them in bulk.

use super::*;
use crate::domain::user::UserFields;
use crate::domain::user::UserKey;
use crate::store::BatchItem;
use crate::store::suite::journal::batches;
use crate::store::suite::journal::batches::{group_item, letters, member_item};
use crate::store::suite::{delete_group, delete_user, id, make_user, user};

fn user_item(name: &str, username: &str) -> BatchItem {
    batches::user_item(None, UserFields { username: username.to_owned(), ..user(name) })
}

#[tokio::test]
async fn concurrent_batches_of_the_same_entities_create_them_once() {
    let (store, _test_database) = open().await;
    make_user(&store, user("u")).await;
    let batch = |second: i64, order: [usize; 3]| {
        let entities = order.map(|at| group_item(None, group(["a", "b", "c"][at], "n")));
        let (user, members) = (user_item("v", "v"), ["a", "b", "c"].map(|group| member_item(group, "u")));
        let items = entities.into_iter().chain([user]).chain(members).collect();
        letters(&store, second, items)
    };
    let (one, other, third) = tokio::join!(batch(2, [0, 1, 2]), batch(3, [2, 1, 0]), batch(4, [1, 0, 2]));
    let mut all = [one, other, third];
    all.sort();
    assert_eq!(all, ["-------", "-------", "ccccccc"]);
    let state = store.state();
    assert_eq!((state.counters, state.members.into_values().collect::<Vec<_>>()), ([3, 2, 3], vec![1, 1, 1]));
}

#[tokio::test]
async fn concurrent_batches_that_restore_the_same_entities_restore_them_once() {
    let (store, _test_database) = open().await;
    for name in ["a", "b", "c"] {
        let (made, member) = (make_group(&store, group(name, "n")).await, make_user(&store, user(name)).await);
        assert_eq!((made.uid, member.uid), (i64::from(name.as_bytes()[0] - b'a') + 1, made.uid));
    }
    let all = || [0, 1, 2].map(|at| member_item(["a", "b", "c"][at], "b")).into_iter().collect();
    assert_eq!(letters(&store, 2, all()).await, "ccc");
    for name in ["a", "b", "c"] {
        delete_group(&store, 3, GroupKey::Id(id(name))).await;
        delete_user(&store, 3, UserKey::Id(id(name))).await;
    }
    let batch = |second: i64, order: [usize; 3]| {
        let named = |at: usize| (Some(at as i64 + 1), ["a", "b", "c"][at]);
        let groups = order.map(named).map(|(uid, name)| group_item(uid, group(name, "n")));
        let users = order.map(named).map(|(uid, name)| batches::user_item(uid, user(name)));
        let items = groups.into_iter().chain(users).chain([member_item("a", "c")]).collect();
        letters(&store, second, items)
    };
    let (one, other, third) = tokio::join!(batch(4, [0, 1, 2]), batch(5, [2, 1, 0]), batch(6, [1, 0, 2]));
    let mut outcomes = [one, other, third];
    outcomes.sort();
    assert_eq!(outcomes, ["-------", "-------", "ccccccc"]);
    let state = store.state();
    assert_eq!((state.counters, state.members.into_values().collect::<Vec<_>>()), ([3, 3, 1], vec![1, 0, 0]));
    assert_eq!(state.memberships.into_keys().collect::<Vec<_>>(), [(1, 3)]);
}

#[tokio::test]
async fn a_user_deleted_while_a_group_is_restored_is_subtracted_once() {
    let (store, test_database) = open().await;
    let (made, member) = (make_group(&store, group("g", "n")).await, make_user(&store, user("u")).await);
    assert_eq!(letters(&store, 2, vec![member_item("g", "u")]).await, "c");
    delete_group(&store, 3, GroupKey::Uid(made.uid)).await;
    let restoring = test_database.connect().await;
    let restore = "BEGIN; UPDATE groups SET deleted = NULL, members = 0; DELETE FROM memberships; \
                   INSERT INTO group_sizes SELECT uid, members FROM groups";
    restoring.batch_execute(restore).await.unwrap();
    let restored = async {
        let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while restoring.query(waits, &[]).await.unwrap().is_empty() {}
        restoring.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(delete_user(&store, 4, UserKey::Uid(member.uid)), restored);
    let state = store.state();
    assert_eq!((state.members[&made.uid], state.counters[2]), (0, 0));
}

#[tokio::test]
async fn numbers_are_drawn_above_those_that_items_set() {
    let (store, _test_database) = open().await;
    let made = make_group(&store, group("first", "n")).await;
    delete_group(&store, 2, GroupKey::Uid(made.uid)).await;
    let items = [(Some(made.uid), "a"), (Some(70), "b"), (Some(70), "c"), (None, "d"), (Some(5), "e")];
    let items = items.into_iter().map(|(uid, name)| group_item(uid, group(name, "n"))).collect();
    assert_eq!(letters(&store, 3, items).await, "!c!cc");
    let next = make_group(&store, group("f", "n")).await;
    assert_eq!(store.group(&GroupKey::Id(id("d"))).await.unwrap().unwrap().uid, 71);
    assert_eq!(next.uid, 72);
    // The same for users. A number that was drawn before the batch and is used after it is drawn again.
    assert_eq!(letters(&store, 4, vec![batches::user_item(Some(70), user("a"))]).await, "c");
    read(&store, "SELECT setval('users_uid', 69)", |_| ());
    assert_eq!(make_user(&store, user("b")).await.uid, 71);
}

#[tokio::test]
async fn a_username_moves_within_a_batch() {
    let (store, _test_database) = open().await;
    for name in ["a", "b"] {
        make_user(&store, user(name)).await;
    }
    let items = [("a", "x"), ("b", "a"), ("new", "b"), ("a", "b"), ("new", "y"), ("a", "B")];
    let items = items.into_iter().map(|(name, username)| user_item(name, username)).collect();
    assert_eq!(letters(&store, 2, items).await, "uuc!uu");
}
