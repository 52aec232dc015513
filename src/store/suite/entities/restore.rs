//! Restored groups and users: what comes back, whatever was deleted and restored meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::member_changes::{Sequence, delta};
use super::memberships::pairs;
use crate::domain::community::Visibility;
use crate::domain::error::{Error, ResourceKind};
use crate::domain::membership::{Member, MembersChange, MembersOptions, Membership};
use crate::domain::restore::{Restored, RestoredMemberships};
use crate::store::BatchItem;
use crate::store::suite::journal::batches::{self, group_item, letters, user_item};
use crate::store::suite::journal::entries::assert_rebuilds;
use crate::store::suite::*;

/// Restores the group with the number, at the given second. `new_id` replaces its ID.
pub(crate) async fn restore_group(
    store: &impl Store,
    second: i64,
    uid: i64,
    new_id: Option<&'static str>,
) -> Result<Restored<Group>> {
    let update = move |current: Option<&Group>| {
        let fields = current.unwrap().fields.clone();
        Ok(Mutation::Restore(GroupFields { id: new_id.map_or(fields.id, id), ..fields }))
    };
    store.restore_group(operation(second), GroupKey::Uid(uid), Box::new(update)).await
}

/// Restores the user with the number, at the given second. `new_id` replaces ID and username.
pub(crate) async fn restore_user(
    store: &impl Store,
    second: i64,
    uid: i64,
    new_id: Option<&'static str>,
) -> Result<Restored<User>> {
    let update = move |current: Option<CurrentUser<'_>>| {
        let fields = current.unwrap().user.fields.clone();
        let username = new_id.map_or(fields.username, str::to_owned);
        let fields = UserFields { id: new_id.map_or(fields.id, id), username, password_set: None, ..fields };
        Ok(Mutation::Restore(UserUpdate { fields, password_hash: None }))
    };
    store.restore_user(operation(second), UserKey::Uid(uid), Box::new(update)).await
}

fn counted(returned: u64, gone: u64) -> RestoredMemberships {
    RestoredMemberships::new(returned, gone)
}

async fn add(store: &impl TestStore, second: i64, group: &str, user: &str) {
    let pair = Membership { group: id(group), user: id(user) };
    store.add_member(operation(second), Visibility::All, pair).await.unwrap();
}

async fn member(store: &impl TestStore, group: i64, user: i64) -> Member {
    store.member(&Visibility::All, &GroupKey::Uid(group), &UserKey::Uid(user)).await.unwrap()
}

async fn all(store: &impl TestStore) -> String {
    pairs(store, Visibility::All, None, None).await
}

/// Checks all counts against the rows.
fn assert_counts(state: &State) {
    #[derive(Deserialize)]
    struct Tombstone {
        deleted: Option<i64>,
    }
    let is_live = |text: &String| serde_json::from_str::<Tombstone>(text).unwrap().deleted.is_none();
    let shown: Vec<_> =
        state.memberships.iter().filter(|(_, row)| row.split(' ').nth(1) == Some("1")).map(|(pair, _)| *pair).collect();
    for ((group, user), row) in &state.memberships {
        assert_eq!(shown.contains(&(*group, *user)), is_live(&state.users[user]), "{row}");
    }
    for (group, members) in &state.members {
        assert_eq!(*members, shown.iter().filter(|(own, _)| own == group).count() as i64, "group {group}");
    }
    let live = |entities: &BTreeMap<i64, String>| entities.values().filter(|text| is_live(text)).count() as u64;
    let memberships = shown.iter().filter(|(group, _)| is_live(&state.groups[group])).count() as u64;
    assert_eq!(state.counters, [live(&state.groups), live(&state.users), memberships]);
}

/// Returns the kind and change of the last entries of the journal.
fn last_entries(store: &impl TestStore, count: usize) -> Vec<String> {
    let journal = store.journal();
    journal[journal.len() - count..].iter().map(|row| format!("{} {}", row.kind, row.change)).collect()
}

pub(crate) async fn brings_a_group_back(store: &impl TestStore) {
    let made = make_group(store, batches::rich("g")).await;
    for name in ["a", "b", "c"] {
        make_user(store, user(name)).await;
        add(store, 2, "g", name).await;
    }
    let before = (store.state(), member(store, 1, 1).await);
    delete_group(store, 3, GroupKey::Uid(1)).await;
    delete_user(store, 4, UserKey::Id(id("b"))).await;
    let restored = restore_group(store, 5, made.uid, None).await.unwrap();
    assert_eq!(restored.memberships, counted(2, 1));
    let Group { uid, created, updated, deleted, version, members, .. } = restored.entity;
    assert_eq!((uid, created, updated, deleted, version, members), (1, time(1), time(5), None, 3, 2));
    assert_eq!((all(store).await.as_str(), last_entries(store, 1)), ("g:a g:c", vec!["group restored".to_owned()]));
    assert_eq!(member(store, 1, 1).await, before.1, "since and change survive");
    let returned = restore_user(store, 6, 2, None).await.unwrap();
    assert_eq!((returned.memberships, last_entries(store, 1)), (counted(1, 0), vec!["user restored".to_owned()]));
    let state = store.state();
    assert_eq!(
        (state.memberships, state.members, state.counters, state.side_rows),
        (before.0.memberships, before.0.members, before.0.counters, before.0.side_rows)
    );
    assert_rebuilds(store).await;
}

pub(crate) async fn brings_a_user_back(store: &impl TestStore) {
    for name in ["g", "h", "i"] {
        make_group(store, group(name, "n")).await;
    }
    let hash = |_: Option<CurrentUser<'_>>| {
        let fields = UserFields { password_set: Some(time(1)), ..user("u") };
        Ok(Mutation::Put(UserUpdate { fields, password_hash: Some("hash".to_owned()) }))
    };
    let uid = store.write_user(operation(1), Target::New, Box::new(hash)).await.unwrap().uid;
    for name in ["g", "h", "i"] {
        add(store, 2, name, "u").await;
    }
    let before = member(store, 1, uid).await;
    delete_user(store, 3, UserKey::Uid(uid)).await;
    delete_group(store, 4, GroupKey::Id(id("h"))).await;
    make_user(store, user("u")).await;
    let taken = restore_user(store, 5, uid, None).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(ResourceKind::User, name)) if name == "u"));
    let restored = restore_user(store, 6, uid, Some("v")).await.unwrap();
    assert_eq!(restored.memberships, counted(2, 1));
    assert_eq!((restored.entity.uid, restored.entity.version, restored.entity.created), (uid, 3, time(1)));
    assert_eq!(all(store).await, "g:v i:v");
    let after = member(store, 1, uid).await;
    assert_eq!((after.since, after.change), (before.since, before.change));
    let credentials = store.credentials("v").await.unwrap().unwrap();
    assert_eq!((credentials.password_hash, credentials.user.fields.password_set), (None, None));
    assert_eq!(restore_group(store, 7, 2, None).await.unwrap().memberships, counted(1, 0));
    assert_eq!(all(store).await, "g:v h:v i:v");
    assert_counts(&store.state());
    assert_rebuilds(store).await;
}

pub(crate) async fn is_refused_and_changes_nothing(store: &impl TestStore) {
    make_group(store, group("g", "n")).await;
    make_user(store, user("u")).await;
    assert!(matches!(restore_group(store, 2, 1, None).await, Err(Error::NotDeleted)));
    assert!(matches!(restore_user(store, 2, 1, None).await, Err(Error::NotDeleted)));
    delete_group(store, 3, GroupKey::Uid(1)).await;
    delete_user(store, 3, UserKey::Uid(1)).await;
    assert!(matches!(put_group(store, 4, GroupKey::Uid(1), group("g", "n")).await, Err(Error::AlreadyDeleted)));
    assert!(matches!(put_user(store, 4, UserKey::Uid(1), user("u")).await, Err(Error::AlreadyDeleted)));
    make_group(store, group("G", "n")).await;
    make_user(store, UserFields { username: "U".to_owned(), ..user("other") }).await;
    let before = (store.state(), store.journal().len());
    let taken = restore_group(store, 5, 1, None).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(ResourceKind::Group, name)) if name == "g"));
    assert!(matches!(restore_user(store, 5, 1, None).await, Err(Error::UsernameTaken)));
    assert_eq!((store.state(), store.journal().len()), before);
    assert_eq!(restore_group(store, 6, 1, Some("free")).await.unwrap().entity.fields.id, id("free"));
}

/// What the directory should hold.
#[derive(Default)]
struct Model {
    deleted_groups: BTreeSet<i64>,
    deleted_users: BTreeSet<i64>,
    /// By group and user: the second in which the user was added.
    pairs: BTreeMap<(i64, i64), i64>,
}

impl Model {
    fn is_shown(&self, (group, user): (i64, i64)) -> bool {
        !self.deleted_groups.contains(&group) && !self.deleted_users.contains(&user)
    }

    /// The members of a group that are live, and those that are not.
    fn of_group(&self, group: i64) -> RestoredMemberships {
        let users = self.pairs.keys().filter(|(own, _)| *own == group).map(|(_, user)| *user);
        let (gone, returned): (Vec<i64>, Vec<i64>) = users.partition(|user| self.deleted_users.contains(user));
        counted(returned.len() as u64, gone.len() as u64)
    }

    fn of_user(&self, user: i64) -> RestoredMemberships {
        let groups = self.pairs.keys().filter(|(_, own)| *own == user).map(|(group, _)| *group);
        let (gone, returned): (Vec<i64>, Vec<i64>) = groups.partition(|group| self.deleted_groups.contains(group));
        counted(returned.len() as u64, gone.len() as u64)
    }

    async fn assert_holds(&self, store: &impl TestStore) {
        assert_counts(&store.state());
        let shown: Vec<_> = self.pairs.iter().filter(|(pair, _)| self.is_shown(**pair)).collect();
        let names: Vec<_> = shown.iter().map(|((group, user), _)| format!("g{group}:u{user}")).collect();
        assert_eq!(all(store).await, names.join(" "));
        for ((group, user), second) in shown {
            assert_eq!(member(store, *group, *user).await.since, time(*second));
        }
        let stored: Vec<_> = store.state().memberships.into_keys().collect();
        assert_eq!(stored, self.pairs.keys().copied().collect::<Vec<_>>());
    }
}

pub(crate) async fn follows_a_model(store: &impl TestStore) {
    const GROUPS: u64 = 4;
    const USERS: u64 = 5;
    for number in 1..=GROUPS {
        make_group(store, group(&format!("g{number}"), "n")).await;
    }
    for number in 1..=USERS {
        make_user(store, user(&format!("u{number}"))).await;
    }
    let (mut model, mut numbers) = (Model::default(), Sequence::new(11));
    for second in 2..300 {
        let (group_uid, user_uid) = (numbers.below(GROUPS) as i64 + 1, numbers.below(USERS) as i64 + 1);
        let other = user_uid % USERS as i64 + 1;
        let (group_id, user_id) = (format!("g{group_uid}"), format!("u{user_uid}"));
        let are_live = model.is_shown((group_uid, user_uid)) && model.is_shown((group_uid, other));
        match numbers.below(9) {
            0 | 1 if are_live => {
                let change = delta(&[&user_id, &format!("u{other}")], &[]);
                change_of(store, second, group_uid, change).await;
                for user in [user_uid, other] {
                    model.pairs.entry((group_uid, user)).or_insert(second);
                }
            }
            2 if are_live => {
                change_of(store, second, group_uid, delta(&[], &[&user_id])).await;
                model.pairs.remove(&(group_uid, user_uid));
            }
            3 if model.deleted_groups.insert(group_uid) => {
                _ = delete_group(store, second, GroupKey::Uid(group_uid)).await
            }
            4 if model.deleted_users.insert(user_uid) => _ = delete_user(store, second, UserKey::Uid(user_uid)).await,
            5 if model.deleted_groups.remove(&group_uid) => {
                let restored = restore_group(store, second, group_uid, None).await.unwrap();
                assert_eq!(restored.memberships, model.of_group(group_uid));
            }
            6 if model.deleted_users.remove(&user_uid) => {
                let restored = restore_user(store, second, user_uid, None).await.unwrap();
                assert_eq!(restored.memberships, model.of_user(user_uid));
            }
            // A batch restores without the former memberships.
            7 if model.deleted_groups.remove(&group_uid) => {
                let items = vec![group_item(Some(group_uid), group(&group_id, "n"))];
                assert_eq!(letters(store, second, items).await, "c");
                model.pairs.retain(|(own, _), _| *own != group_uid);
            }
            8 if model.deleted_users.remove(&user_uid) => {
                assert_eq!(letters(store, second, vec![user_item(Some(user_uid), user(&user_id))]).await, "c");
                model.pairs.retain(|(_, own), _| *own != user_uid);
            }
            _ => continue,
        }
        if second % 5 == 0 {
            model.assert_holds(store).await;
        }
    }
    model.assert_holds(store).await;
    assert_rebuilds(store).await;
    let changes: BTreeSet<_> = store.journal().iter().map(|row| format!("{} {}", row.kind, row.change)).collect();
    for change in ["members deleted", "membership deleted", "group restored", "user restored", "members created"] {
        assert!(changes.contains(change), "{change}");
    }
}

async fn change_of(store: &impl TestStore, second: i64, group: i64, change: MembersChange) {
    let options = MembersOptions::default();
    store.change_members(operation(second), Visibility::All, GroupKey::Uid(group), change, options).await.unwrap();
}

/// Groups and users are deleted and restored at once.
pub(crate) async fn keeps_counts_when_all_happens_at_once(store: &impl TestStore) {
    let names = ["a", "b", "c"];
    for name in names {
        make_group(store, group(name, "n")).await;
        make_user(store, user(name)).await;
    }
    for (group, user) in names.iter().flat_map(|group| names.map(|user| (*group, user))) {
        add(store, 2, group, user).await;
    }
    let write = async |number: i64| {
        let uid = number / 4 % 3 + 1;
        let delete_user = |_: Option<CurrentUser<'_>>| Ok(Mutation::Delete);
        let delete_group = |current: Option<&Group>| match current.unwrap().deleted {
            None => Ok(Mutation::Delete),
            Some(_) => Err(Error::AlreadyDeleted),
        };
        let second = number + 3;
        match number % 4 {
            0 => restore_group(store, second, uid, None).await.map(drop),
            1 => restore_user(store, second, uid, None).await.map(drop),
            2 => {
                store.write_group(operation(second), GroupKey::Uid(uid).into(), Box::new(delete_group)).await.map(drop)
            }
            _ => {
                let key = UserKey::Id(id(names[uid as usize - 1]));
                let update = Box::new(move |current: Option<CurrentUser<'_>>| match current {
                    Some(_) => delete_user(current),
                    None => Err(Error::AlreadyDeleted),
                });
                store.write_user(operation(second), key.into(), update).await.map(drop)
            }
        }
    };
    for written in futures_util::future::join_all((0..120).map(write)).await {
        assert!(matches!(written, Ok(()) | Err(Error::AlreadyDeleted | Error::NotDeleted)), "{written:?}");
    }
    assert_counts(&store.state());
}

/// What a batch drops is journaled, so that the moments before the deletion can be rebuilt.
pub(crate) async fn a_batch_journals_what_it_drops(store: &impl TestStore) {
    for name in ["g", "h"] {
        make_group(store, group(name, "n")).await;
    }
    for name in ["a", "b", "c"] {
        make_user(store, user(name)).await;
        add(store, 2, "g", name).await;
    }
    add(store, 3, "h", "a").await;
    add(store, 4, "h", "b").await;
    delete_user(store, 5, UserKey::Id(id("a"))).await;
    delete_group(store, 6, GroupKey::Id(id("g"))).await;
    let before = store.journal().len();
    let items: Vec<BatchItem> = vec![
        user_item(Some(1), user("a")),
        group_item(Some(1), group("g", "n")),
        group_item(None, group("new", "n")),
        batches::member_item("g", "a"),
    ];
    assert_eq!(letters(store, 7, items).await, "cccc");
    let entries: Vec<_> = store.journal().split_off(before);
    let recorded: Vec<_> = entries.iter().map(|row| format!("{} {} {}", row.kind, row.change, row.subject)).collect();
    // Those that ended come first: they end while their group or user is deleted.
    let expected = [
        "members deleted 1",
        "membership deleted 2",
        "group restored 1",
        "batch created 0",
        "user restored 1",
        "batch created 0",
    ];
    assert_eq!(recorded, expected);
    assert_eq!(entries[0].before.as_deref(), Some(r#"{"group":1,"users":[[1,2000000],[2,2000000],[3,2000000]]}"#));
    assert_eq!(entries[1].before.as_deref(), Some(r#"{"group":2,"user":1,"added":3000000}"#));
    let users: Vec<_> = store.journal_users().into_iter().filter(|row| row.seq == entries[0].seq).collect();
    assert_eq!(
        users.iter().map(|row| (row.user, row.position, row.is_added)).collect::<Vec<_>>(),
        [(1, 0, false), (2, 1, false), (3, 2, false)]
    );
    assert!(entries.iter().all(|row| row.at == 7_000_000));
    assert_counts(&store.state());
    assert_rebuilds(store).await;
}
