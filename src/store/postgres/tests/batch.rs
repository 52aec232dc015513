//! What only batches that are written in bulk can get wrong.

use super::*;
use crate::domain::user::UserFields;
use crate::store::suite::batches::{group_item, letters, member_item};
use crate::store::suite::{batches, delete_group, id, make_user, user};

fn user_item(name: &str, username: &str) -> Item {
    batches::user_item(UserFields { username: username.to_owned(), ..user(name) })
}

#[tokio::test]
async fn batches_of_the_same_at_once_make_it_once() {
    let (store, _scratch) = open().await;
    make_user(&store, user("u")).await;
    let batch = |second: i64, order: [usize; 3]| {
        let things = order.map(|at| group_item(None, group(["a", "b", "c"][at], "n")));
        let (user, members) = (user_item("v", "v"), ["a", "b", "c"].map(|group| member_item(group, "u")));
        let items = things.into_iter().chain([user]).chain(members).collect();
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
async fn numbers_are_drawn_above_those_given() {
    let (store, _scratch) = open().await;
    let made = make_group(&store, group("first", "n")).await;
    delete_group(&store, 2, GroupKey::Uid(made.uid)).await;
    let items = [(Some(made.uid), "a"), (Some(70), "b"), (Some(70), "c"), (None, "d"), (Some(5), "e")];
    let items = items.into_iter().map(|(uid, name)| group_item(uid, group(name, "n"))).collect();
    assert_eq!(letters(&store, 3, items).await, "!c!cc");
    let next = make_group(&store, group("f", "n")).await;
    assert_eq!(store.group(&GroupKey::Id(id("d"))).await.unwrap().unwrap().uid, 71);
    assert_eq!(next.uid, 72);
}

#[tokio::test]
async fn a_username_moves_within_a_batch() {
    let (store, _scratch) = open().await;
    for name in ["a", "b"] {
        make_user(&store, user(name)).await;
    }
    let items = [("a", "x"), ("b", "a"), ("new", "b"), ("a", "b"), ("new", "y"), ("a", "B")];
    let items = items.into_iter().map(|(name, username)| user_item(name, username)).collect();
    assert_eq!(letters(&store, 2, items).await, "uuc!uu");
}
