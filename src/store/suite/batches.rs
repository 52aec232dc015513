//! Batches: many things in one write.

use super::*;
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Kind};
use crate::domain::group::GroupUid;
use crate::domain::membership::Membership;
use crate::store::{Item, ItemChange};

/// A group to be as these fields say.
pub fn group_item(uid: Option<GroupUid>, fields: GroupFields) -> Item {
    Item::Group { id: fields.id.clone(), uid, put: Box::new(move |_| Ok(fields.clone())) }
}

/// A user to be as these fields say.
pub fn user_item(fields: UserFields) -> Item {
    Item::User { id: fields.id.clone(), put: Box::new(move |_| Ok(fields.clone())) }
}

/// A user to be in a group.
pub fn member_item(group: &str, user: &str) -> Item {
    Item::Member(Membership { group: id(group), user: id(user) })
}

/// What became of each, in one letter; `!` for a refusal.
pub async fn letters(store: &impl Store, second: i64, items: Vec<Item>) -> String {
    let letter = |outcome: Result<ItemChange>| match outcome {
        Ok(ItemChange::Created) => 'c',
        Ok(ItemChange::Updated) => 'u',
        Ok(ItemChange::Unchanged) => '-',
        Err(_) => '!',
    };
    store.write_batch(operation(second), items).await.unwrap().into_iter().map(letter).collect()
}

/// A group with something in every field.
pub fn rich(name: &str) -> GroupFields {
    GroupFields {
        description: Some("Ünï".to_owned()),
        xp: xp(r#"{"a":[1,"b"],"c":null}"#),
        communities: Communities::from([community(1), community(2)]),
        ..group(name, "N")
    }
}

async fn fill(store: &impl Store) {
    make_group(store, group("old", "n")).await;
    make_user(store, user("u")).await;
}

pub async fn leave_what_single_writes_leave(store: &impl TestStore) {
    let (other, _alive) = store.another().await;
    fill(store).await;
    fill(&other).await;
    let items = vec![
        group_item(None, rich("g")),
        group_item(None, rich("OLD")),
        user_item(user("v")),
        member_item("g", "u"),
        member_item("old", "v"),
        member_item("OLD", "V"),
        group_item(None, rich("g")),
    ];
    assert_eq!(letters(store, 2, items).await, "cuccc--");
    put_group(&other, 2, GroupKey::Id(id("g")), rich("g")).await.unwrap();
    put_group(&other, 2, GroupKey::Id(id("old")), rich("OLD")).await.unwrap();
    put_user(&other, 2, UserKey::Id(id("v")), user("v")).await.unwrap();
    for (group, user) in [("g", "u"), ("old", "v")] {
        let member = Membership { group: id(group), user: id(user) };
        other.add_member(operation(2), Visibility::All, member).await.unwrap();
    }
    assert_eq!(store.state(), other.state());
    let entries = store.journal();
    let entry = entries.last().unwrap();
    assert_eq!((entries.len(), entry.kind.as_str(), entry.change.as_str()), (3, "batch", "updated"));
}

pub async fn refuse_one_and_keep_the_others(store: &impl TestStore) {
    fill(store).await;
    delete_group(store, 2, GroupKey::Id(id("old"))).await;
    let forbidden = Box::new(|_: Option<&Group>| Err(Error::invalid("name", "is not to be")));
    let items = vec![
        group_item(Some(7), group("seven", "n")),
        group_item(Some(7), group("eight", "n")),
        group_item(Some(1), group("one", "n")),
        Item::Group { id: id("no"), uid: None, put: forbidden },
        user_item(UserFields { username: "U".to_owned(), ..user("w") }),
        user_item(user("x")),
        user_item(UserFields { username: "X".to_owned(), ..user("y") }),
        member_item("no", "u"),
        member_item("seven", "y"),
        member_item("seven", "u"),
        group_item(None, group("next", "n")),
    ];
    assert_eq!(letters(store, 3, items).await, "c!!!!c!!!cc");
    let numbers = ["seven", "next"].map(|name| GroupKey::Id(id(name)));
    let [seven, next] = [store.group(&numbers[0]).await.unwrap(), store.group(&numbers[1]).await.unwrap()];
    assert_eq!((seven.as_ref().unwrap().uid, seven.unwrap().members), (7, 1));
    assert!(next.unwrap().uid > 7, "a number that was given is not drawn again");
    assert_eq!(store.state().counters, [2, 2, 1]);
    let missing = store.write_batch(operation(4), vec![member_item("seven", "y")]).await.unwrap();
    assert!(matches!(&missing[..], [Err(Error::NotFound(Kind::User, name))] if name == "y"), "{missing:?}");
}

pub async fn repeated_change_nothing(store: &impl TestStore) {
    fill(store).await;
    let items = || vec![group_item(Some(9), rich("g")), user_item(user("v")), member_item("g", "v")];
    assert_eq!(letters(store, 2, items()).await, "ccc");
    let (state, entries) = (store.state(), store.journal().len());
    assert_eq!(letters(store, 3, items()).await, "---");
    assert_eq!((store.state(), store.journal().len()), (state, entries));
}
