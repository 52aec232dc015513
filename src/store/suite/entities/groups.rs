//! Groups: identity, tombstones, changes.

use crate::domain::Error;
use crate::domain::community::Visibility;
use crate::domain::error::ResourceKind;
use crate::domain::query::{Filter, GroupQuery, Page};
use crate::domain::target::Target;
use crate::store::suite::*;

pub(crate) async fn ids_are_unique_without_case(store: &impl TestStore) {
    let first = make_group(store, group("Ab-1", "one")).await;
    assert_eq!((first.uid, first.version, first.name.as_str()), (1, 1, "one"));
    let taken = put_group(store, 2, Target::New, group("aB-1", "two")).await.unwrap_err();
    assert!(matches!(taken, Error::AlreadyExists(ResourceKind::Group, id) if id == "aB-1"));
    let found = store.group(&GroupKey::Id(id("AB-1"))).await.unwrap().unwrap();
    assert_eq!(**found, first);
    assert_eq!(found.fields.id.as_str(), "Ab-1");
    assert_eq!(store.group(&GroupKey::Id(id("Ab-2"))).await.unwrap(), None);
    assert_eq!(store.group(&GroupKey::Uid(2)).await.unwrap(), None);
}

pub(crate) async fn renaming_moves_and_frees(store: &impl TestStore) {
    make_group(store, group("old", "n")).await;
    make_group(store, group("other", "n")).await;
    let recased = put_group(store, 2, GroupKey::Id(id("old")), group("OLD", "n")).await.unwrap();
    assert_eq!((recased.uid, recased.fields.id.as_str(), recased.version), (1, "OLD", 2));
    assert!(put_group(store, 3, GroupKey::Id(id("old")), group("Other", "n")).await.is_err());
    let moved = put_group(store, 4, GroupKey::Id(id("old")), group("new", "n")).await.unwrap();
    assert_eq!(moved.created, recased.created);
    assert_eq!(store.group(&GroupKey::Id(id("old"))).await.unwrap(), None);
    assert_eq!(make_group(store, group("old", "n")).await.uid, 3);
}

pub(crate) async fn tombstones_are_found_by_number(store: &impl TestStore) {
    let linked = GroupFields { communities: Communities::from([community(1)]), ..group("a", "n") };
    let made = make_group(store, linked).await;
    let gone = delete_group(store, 5, GroupKey::Id(id("A"))).await;
    assert_eq!(gone.deleted, Some(Timestamp::from_micros(5_000_000)));
    assert_eq!(store.group(&GroupKey::Id(id("a"))).await.unwrap(), None);
    let tombstone = store.group(&GroupKey::Uid(made.uid)).await.unwrap().unwrap();
    assert_eq!(**tombstone, gone);
    assert_eq!(tombstone.fields.communities, made.fields.communities);
    assert_eq!(make_group(store, group("a", "n")).await.uid, 2, "the number is never reused, the ID is free");
    assert_eq!(store.groups_after(0, 10, &Visibility::All).await.unwrap().len(), 1);
}

pub(crate) async fn equal_fields_change_nothing(store: &impl TestStore) {
    let made = make_group(store, group("a", "n")).await;
    let entries = store.journal().len();
    let again = put_group(store, 9, GroupKey::Id(id("a")), group("a", "n")).await.unwrap();
    assert_eq!(again, made);
    assert_eq!(store.journal().len(), entries);
}

pub(crate) async fn refused_writes_change_nothing(store: &impl TestStore) {
    make_group(store, group("a", "n")).await;
    let before = store.state();
    // The writes run concurrently, so that those that fail share a commit with those that succeed.
    let write = |number: usize| {
        let fields = group(["a", "b"][number % 2], "n");
        put_group(store, 2, Target::New, GroupFields { xp: xp(r#"{"k":1}"#), ..fields })
    };
    let refused = futures_util::future::join_all((0..8).map(|number| write(number * 2))).await;
    assert!(refused.iter().all(Result::is_err));
    assert_eq!(store.state(), before);
    let raced = futures_util::future::join_all((0..20).map(write)).await;
    assert_eq!(raced.iter().filter(|result| result.is_ok()).count(), 1, "one b, and not one more a");
    assert_eq!(store.state().counters[0], 2);
    let rule: crate::store::UpdateFn<Group, GroupFields> = Box::new(|_| Err(Error::invalid("Name", "is wrong")));
    assert!(store.write_group(operation(3), Target::New, rule).await.is_err());
    assert_eq!(store.state().counters[0], 2);
}

pub(crate) async fn communities_limit(store: &impl TestStore) {
    for (name, communities) in [("a", vec![1]), ("b", vec![1, 2]), ("c", vec![2]), ("d", vec![])] {
        let communities = communities.into_iter().map(community).collect();
        make_group(store, GroupFields { communities, ..group(name, name) }).await;
    }
    let seen = async |numbers: &[u8]| {
        let visibility = Visibility::Within(numbers.iter().copied().map(community).collect());
        let by_uid = store.groups_after(0, 10, &visibility).await.unwrap();
        let page = Page { number: 1, size: 1 };
        let query = GroupQuery { visibility, filter: Filter::default(), sort: Vec::new(), page };
        let listed = store.list_groups(query).await.unwrap();
        assert_eq!(listed.total, by_uid.len() as u64);
        by_uid.iter().map(|group| group.uid).collect::<Vec<_>>()
    };
    assert_eq!(seen(&[1]).await, [1, 2]);
    assert_eq!(seen(&[1, 2]).await, [1, 2, 3]);
    assert!(seen(&[3]).await.is_empty());
    assert!(seen(&[]).await.is_empty());
    let moved = GroupFields { communities: Communities::from([community(3)]), ..group("a", "a") };
    put_group(store, 2, GroupKey::Id(id("a")), moved).await.unwrap();
    assert_eq!((seen(&[1]).await, seen(&[3]).await), (vec![2], vec![1]));
    delete_group(store, 3, GroupKey::Id(id("b"))).await;
    assert_eq!(seen(&[1, 2]).await, [3]);
}

pub(crate) async fn xp_is_kept_as_spelled(store: &impl TestStore) {
    let spelled = r#"{"b":1.0,"a":{"z":[1e2,null],"é":"2019-01-01T00:00:00Z"}}"#;
    make_group(store, GroupFields { xp: xp(spelled), ..group("a", "n") }).await;
    let found = store.group(&GroupKey::Id(id("a"))).await.unwrap().unwrap();
    assert_eq!(found.fields.xp.as_ref().unwrap().as_str(), spelled);
}

/// Reads run throughout, so that the store's caches are filled at every moment of a write.
pub(crate) async fn acknowledged_writes_are_read_at_once(store: &impl TestStore) {
    const WRITES: u32 = 300;
    make_group(store, group("a", "0")).await;
    let read = async || {
        let found = store.group(&GroupKey::Id(id("a"))).await.unwrap().unwrap();
        found.name.parse::<u32>().unwrap()
    };
    let writes = async {
        for number in 1..=WRITES {
            put_group(store, 2, GroupKey::Id(id("a")), group("a", &number.to_string())).await.unwrap();
            assert_eq!(read().await, number);
        }
    };
    let reads = async {
        let mut last = 0;
        while last < WRITES {
            let number = read().await;
            assert!(number >= last, "{number} after {last}");
            last = number;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writes, reads);
    put_group(store, 3, GroupKey::Id(id("a")), group("b", "0")).await.unwrap();
    assert_eq!(store.group(&GroupKey::Id(id("a"))).await.unwrap(), None);
    assert_eq!(read_members(store).await, 0);
    make_user(store, user("u")).await;
    let pair = || crate::domain::membership::Membership { group: id("b"), user: id("u") };
    store.add_member(operation(4), Visibility::All, pair()).await.unwrap();
    assert_eq!(read_members(store).await, 1);
    delete_user(store, 5, UserKey::Id(id("u"))).await;
    assert_eq!(read_members(store).await, 0);
}

async fn read_members(store: &impl TestStore) -> i64 {
    store.group(&GroupKey::Id(id("b"))).await.unwrap().unwrap().members
}
