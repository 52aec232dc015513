//! Batches: many entities in one write.

use crate::domain::community::Visibility;
use crate::domain::error::{Error, ResourceKind};
use crate::domain::group::GroupUid;
use crate::domain::membership::{Membership, MembershipQuery};
use crate::domain::query::Page;
use crate::domain::target::Target;
use crate::domain::user::UserUid;
use crate::store::suite::*;
use crate::store::{BatchItem, ItemOutcome};

/// Returns an item that writes these fields to a group.
pub(crate) fn group_item(uid: Option<GroupUid>, fields: GroupFields) -> BatchItem {
    BatchItem::Group { id: fields.id.clone(), uid, fields: Box::new(move |_| Ok(fields.clone())) }
}

/// Returns an item that writes these fields to a user.
pub(crate) fn user_item(uid: Option<UserUid>, fields: UserFields) -> BatchItem {
    BatchItem::User { id: fields.id.clone(), uid, fields: Box::new(move |_| Ok(fields.clone())) }
}

/// Returns an item that adds a user to a group.
pub(crate) fn member_item(group: &str, user: &str) -> BatchItem {
    BatchItem::Member(Membership { group: id(group), user: id(user) })
}

/// Writes the items and returns each outcome as a letter: `c`reated, `u`pdated, `-` unchanged, `!` refused.
pub(crate) async fn letters(store: &impl Store, second: i64, items: Vec<BatchItem>) -> String {
    let letter = |outcome: Result<ItemOutcome>| match outcome {
        Ok(ItemOutcome::Created) => 'c',
        Ok(ItemOutcome::Updated) => 'u',
        Ok(ItemOutcome::Unchanged) => '-',
        Err(_) => '!',
    };
    store.write_batch(operation(second), items).await.unwrap().into_iter().map(letter).collect()
}

/// Returns a group with a value in every field.
pub(crate) fn rich(name: &str) -> GroupFields {
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

pub(crate) async fn leave_what_single_writes_leave(store: &impl TestStore) {
    let (other, _alive) = store.another().await;
    fill(store).await;
    fill(&other).await;
    let items = vec![
        group_item(None, rich("g")),
        group_item(None, rich("OLD")),
        user_item(None, user("v")),
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

pub(crate) async fn refuse_one_and_keep_the_others(store: &impl TestStore) {
    fill(store).await;
    delete_group(store, 2, GroupKey::Id(id("old"))).await;
    let forbidden = Box::new(|_: Option<&Group>| Err(Error::invalid("name", "is not to be")));
    let items = vec![
        group_item(Some(7), group("seven", "n")),
        group_item(Some(7), group("eight", "n")),
        group_item(Some(1), group("one", "n")),
        BatchItem::Group { id: id("no"), uid: None, fields: forbidden },
        user_item(None, UserFields { username: "U".to_owned(), ..user("w") }),
        user_item(None, user("x")),
        user_item(None, UserFields { username: "X".to_owned(), ..user("y") }),
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
    assert!(matches!(&missing[..], [Err(Error::NotFound(ResourceKind::User, name))] if name == "y"), "{missing:?}");
}

pub(crate) async fn repeated_change_nothing(store: &impl TestStore) {
    fill(store).await;
    let items = || vec![group_item(Some(9), rich("g")), user_item(None, user("v")), member_item("g", "v")];
    assert_eq!(letters(store, 2, items()).await, "ccc");
    let (state, entries) = (store.state(), store.journal().len());
    assert_eq!(letters(store, 3, items()).await, "---");
    assert_eq!((store.state(), store.journal().len()), (state, entries));
}

pub(crate) async fn previews_tell_the_outcomes_and_write_nothing(store: &impl TestStore) {
    let (group_uid, user_uid) = half_deleted(store).await;
    let items = || {
        vec![
            // The first two are deleted: they are restored without their former memberships.
            group_item(Some(group_uid), rich("g")),
            user_item(Some(user_uid), user("v")),
            member_item("g", "v"),
            member_item("g", "u"),
            member_item("h", "u"),
            member_item("h", "nobody"),
            user_item(None, user("new")),
            member_item("h", "new"),
            user_item(None, UserFields { username: "u".to_owned(), ..user("twin") }),
            user_item(Some(user_uid), user("other")),
            group_item(Some(900), group("numbered", "n")),
            user_item(None, UserFields { email: "changed".to_owned(), ..user("u") }),
        ]
    };
    let (state, entries) = (store.state(), store.journal().len());
    let outcomes = store.preview_batch(operation(20), items()).await.unwrap();
    let told: String = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(ItemOutcome::Created) => 'c',
            Ok(ItemOutcome::Updated) => 'u',
            Ok(ItemOutcome::Unchanged) => '-',
            Err(_) => '!',
        })
        .collect();
    assert_eq!((store.state(), store.journal().len()), (state, entries));
    // No number was drawn.
    let last = store.state().groups.into_keys().max().unwrap();
    assert_eq!(make_group(store, group("next", "n")).await.uid, last + 1);
    assert_eq!(letters(store, 21, items()).await, told);
    assert_eq!(told, "cccc-!cc!!cu");
}

/// Returns the live memberships, as `group:user`.
async fn pairs(store: &impl Store) -> String {
    let page = Page { number: 1, size: 100 };
    let query = MembershipQuery { visibility: Visibility::All, group: None, user: None, page };
    let listed = store.list_memberships(query).await.unwrap();
    listed.items.iter().map(|pair| format!("{}:{}", pair.group, pair.user)).collect::<Vec<_>>().join(" ")
}

/// Creates two groups with two users each, and deletes the group `g` and the user `v`.
async fn half_deleted(store: &impl Store) -> (GroupUid, UserUid) {
    let items = vec![
        group_item(None, rich("g")),
        group_item(None, group("h", "n")),
        user_item(None, user("u")),
        user_item(None, UserFields { xp: xp(r#"{"a":1}"#), ..user("v") }),
        member_item("g", "u"),
        member_item("g", "v"),
        member_item("h", "u"),
        member_item("h", "v"),
    ];
    assert_eq!(letters(store, 1, items).await, "cccccccc");
    let group = delete_group(store, 2, GroupKey::Id(id("g"))).await;
    let user = delete_user(store, 3, UserKey::Id(id("v"))).await;
    assert_eq!(pairs(store).await, "h:u");
    (group.uid, user.uid)
}

pub(crate) async fn restore_what_was_deleted(store: &impl TestStore) {
    let (group_uid, user_uid) = half_deleted(store).await;
    let items = vec![
        group_item(Some(group_uid), rich("G")),
        user_item(Some(user_uid), UserFields { xp: xp(r#"{"b":2}"#), ..user("V") }),
        member_item("g", "v"),
        group_item(Some(group_uid), rich("G")),
    ];
    assert_eq!(letters(store, 4, items).await, "ccc-");
    let group = store.group(&GroupKey::Id(id("g"))).await.unwrap().unwrap();
    assert_eq!((group.uid, group.version, group.members, group.deleted), (group_uid, 3, 1, None));
    assert_eq!((group.created, group.updated), (time(1), time(4)));
    let user = store.user(&UserKey::Id(id("v"))).await.unwrap().unwrap();
    assert_eq!((user.uid, user.version, user.created, user.deleted), (user_uid, 3, time(1), None));
    assert_eq!(pairs(store).await, "G:V h:u", "nothing comes back that was not named");
    assert_eq!(store.state().counters, [2, 2, 2]);
    assert_eq!(letters(store, 5, vec![member_item("h", "v"), member_item("g", "u")]).await, "cc");
    assert_eq!(pairs(store).await, "G:u G:V h:u h:V");
    // The derived rows are as if nothing had been deleted.
    let (other, _alive) = store.another().await;
    put_group(&other, 1, Target::New, rich("G")).await.unwrap();
    put_group(&other, 1, Target::New, crate::store::suite::group("h", "n")).await.unwrap();
    make_user(&other, crate::store::suite::user("u")).await;
    make_user(&other, UserFields { xp: xp(r#"{"b":2}"#), ..crate::store::suite::user("V") }).await;
    assert_eq!(store.state().side_rows, other.state().side_rows);
}

pub(crate) async fn restore_nothing_by_another_number_or_id(store: &impl TestStore) {
    let (group_uid, user_uid) = half_deleted(store).await;
    make_user(store, UserFields { username: "V".to_owned(), ..user("w") }).await;
    let forbidden = Box::new(|_: Option<&Group>| Err(Error::invalid("name", "is not to be")));
    let items = vec![
        group_item(Some(group_uid), group("other", "n")),
        user_item(Some(user_uid), user("other")),
        // Another user has the username now.
        user_item(Some(user_uid), user("v")),
        BatchItem::Group { id: id("g"), uid: Some(group_uid), fields: forbidden },
        member_item("g", "u"),
        user_item(Some(user_uid - 1), user("x")),
        group_item(None, group("g", "n")),
        group_item(Some(group_uid), group("G", "n")),
        user_item(None, UserFields { username: "other".to_owned(), ..user("v") }),
    ];
    assert_eq!(letters(store, 4, items).await, "!!!!!!cuc");
    assert_eq!(store.group(&GroupKey::Uid(group_uid)).await.unwrap().unwrap().deleted, Some(time(2)));
    assert_eq!(store.user(&UserKey::Uid(user_uid)).await.unwrap().unwrap().deleted, Some(time(3)));
    assert_ne!(store.user(&UserKey::Id(id("v"))).await.unwrap().unwrap().uid, user_uid);
    assert_eq!(pairs(store).await, "h:u");
}

pub(crate) async fn keep_the_numbers_of_users(store: &impl TestStore) {
    let items = vec![user_item(Some(70), user("a")), user_item(Some(70), user("b")), user_item(None, user("c"))];
    assert_eq!(letters(store, 1, items).await, "c!c");
    assert_eq!(store.user(&UserKey::Id(id("a"))).await.unwrap().unwrap().uid, 70);
    let next = store.user(&UserKey::Id(id("c"))).await.unwrap().unwrap().uid;
    assert!(next > 70 && make_user(store, user("d")).await.uid > next);
}
