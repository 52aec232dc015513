//! Changes of many members at once: by a delta, or to exactly these users.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::memberships::pairs;
use crate::domain::change::{EntityVersion, Precondition, Versions};
use crate::domain::community::Visibility;
use crate::domain::error::Error;
use crate::domain::membership::{MEMBERS_MAX, MembersChange, MembersOptions, MembersOutcome, Membership, UnknownUsers};
use crate::store::suite::journal::batches;
use crate::store::suite::journal::entries::assert_rebuilds;
use crate::store::suite::*;

/// Returns the keys of the users with the IDs.
fn keys(ids: &[&str]) -> Vec<UserKey> {
    ids.iter().map(|text| UserKey::Id(id(text))).collect()
}

pub(crate) fn delta(add: &[&str], remove: &[&str]) -> MembersChange {
    MembersChange::Delta { add: keys(add), remove: keys(remove) }
}

/// Changes the members of the group `g` at the second.
pub(crate) async fn change(
    store: &impl TestStore,
    second: i64,
    change: MembersChange,
    options: MembersOptions,
) -> Result<MembersOutcome> {
    store.change_members(operation(second), Visibility::All, GroupKey::Id(id("G")), change, options).await
}

/// Returns the numbers of added and removed members and of unchanged users, and the keys of the unknown ones.
fn counts(outcome: Result<MembersOutcome>) -> (u64, u64, u64, Vec<UserKey>) {
    let outcome = outcome.unwrap();
    (outcome.added, outcome.removed, outcome.unchanged, outcome.unknown)
}

/// Returns the IDs of the members of the group `g`.
async fn members(store: &impl TestStore) -> String {
    pairs(store, Visibility::All, Some("g"), None).await.replace("g:", "")
}

async fn fill(store: &impl TestStore, users: &[&str]) {
    make_group(store, group("g", "n")).await;
    for name in users {
        make_user(store, user(name)).await;
    }
}

/// A sequence of numbers that looks random and is the same in each run.
pub(crate) struct Sequence(u64);

impl Sequence {
    /// The sequence that begins with the seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, which is below the limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Some of the numbers from 1 to 12, each with one of three kinds of key. User `n` has the ID and username `un`.
    fn keys(&mut self) -> (BTreeSet<i64>, Vec<UserKey>) {
        let numbers: Vec<i64> = (0..self.below(6)).map(|_| self.below(12) as i64 + 1).collect();
        let key = |number: &i64| match self.below(3) {
            0 => UserKey::Id(id(&format!("U{number}"))),
            1 => UserKey::Username(format!("U{number}")),
            _ => UserKey::Uid(*number),
        };
        let keys = numbers.iter().map(key).collect();
        (numbers.into_iter().collect(), keys)
    }
}

pub(crate) async fn follow_a_model(store: &impl TestStore) {
    make_group(store, group("other", "n")).await;
    fill(store, &["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "u10", "u11", "u12"]).await;
    let other = MembersChange::Delta { add: keys(&["u1", "u2"]), remove: vec![] };
    let to_other = GroupKey::Uid(1);
    store.change_members(operation(2), Visibility::All, to_other, other, MembersOptions::default()).await.unwrap();
    let (mut model, mut numbers) = (BTreeSet::<i64>::new(), Sequence(7));
    for second in 3..150 {
        let before = store.group(&GroupKey::Id(id("g"))).await.unwrap().unwrap();
        let entries = store.journal().len();
        let (add, add_keys) = numbers.keys();
        let (remove, remove_keys) = numbers.keys();
        let dry_run = numbers.below(4) == 0;
        let options = MembersOptions { dry_run, ..MembersOptions::default() };
        let (made, after) = match numbers.below(3) {
            0 => (MembersChange::Exactly(add_keys), add.clone()),
            _ => {
                let after = model.union(&add).copied().filter(|uid| !remove.contains(uid)).collect();
                (MembersChange::Delta { add: add_keys, remove: remove_keys }, after)
            }
        };
        let named = if made.is_exact() { add.len() } else { add.len() + remove.len() };
        let outcome = change(store, second, made.clone(), options).await;
        if !made.is_exact() && !add.is_disjoint(&remove) {
            assert!(matches!(outcome, Err(Error::Invalid(_))), "{made:?}");
            continue;
        }
        let (added, removed) = (after.difference(&model).count() as u64, model.difference(&after).count() as u64);
        let removed_by_name = if made.is_exact() { 0 } else { removed };
        let expected = (added, removed, named as u64 - added - removed_by_name, vec![]);
        assert_eq!(counts(outcome), expected, "{made:?} of {model:?}");
        let changed = i64::from(!dry_run && added + removed > 0);
        if !dry_run {
            model = after;
        }
        let now = store.group(&GroupKey::Id(id("g"))).await.unwrap().unwrap();
        assert_eq!((now.members, now.members_version), (model.len() as i64, before.members_version + changed));
        assert_eq!(now.version, before.version, "members are no change of the group");
        let ids: BTreeSet<String> = model.iter().map(|uid| format!("u{uid}")).collect();
        assert_eq!(members(store).await, ids.into_iter().collect::<Vec<_>>().join(" "));
        let journal = store.journal();
        assert_eq!(journal.len(), entries + changed as usize);
        if changed == 1 {
            let kind = if added + removed == 1 { "membership" } else { "members" };
            assert_eq!(journal[entries].kind, kind);
        }
    }
    assert_eq!(store.state().members[&1], 2);
    assert_eq!(store.state().counters, [2, 12, 2 + model.len() as u64]);
    assert_rebuilds(store).await;
}

/// Each of 50 writers adds and removes its own users, and users that all of them share.
pub(crate) async fn all_land(store: &impl TestStore) {
    fill(store, &["s0", "s1", "s2"]).await;
    let own = |writer: i64, user: i64| format!("w{writer}-{user}");
    for writer in 0..50 {
        for number in 0..3 {
            make_user(store, user(&own(writer, number))).await;
        }
    }
    let writers = (0..50).map(|writer| async move {
        for step in 0..20 {
            let (come, go) = (own(writer, step % 3), own(writer, (step + 1) % 3));
            let shared = [format!("s{}", step % 3), format!("s{}", (step + writer) % 3)];
            let (add, remove) = match (writer + step) % 2 {
                0 => (vec![&*come, &*shared[0], &*shared[1]], vec![&*go]),
                _ => (vec![&*come], vec![&*go, &*shared[0], &*shared[1]]),
            };
            let outcome = change(store, 10 + writer * 20 + step, delta(&add, &remove), MembersOptions::default()).await;
            assert!(outcome.unwrap().added <= 3);
        }
    });
    join_all(writers).await;
    // The last three steps of a writer add its users 2, 0 and 1, and remove 0, 1 and 2 in turn.
    let listed = members_of_all(store).await;
    for writer in 0..50 {
        let present = [0, 1, 2].map(|number| listed.contains(&own(writer, number)));
        assert_eq!(present, [true, true, false], "writer {writer}");
    }
    let state = store.state();
    assert_eq!(state.members[&1], listed.len() as i64);
    assert_eq!(state.counters[2], listed.len() as u64);
    assert_rebuilds(store).await;
}

async fn members_of_all(store: &impl TestStore) -> BTreeSet<String> {
    let state = store.state();
    let mut ids = BTreeSet::new();
    for (_, uid) in state.memberships.keys() {
        ids.insert(store.user(&UserKey::Uid(*uid)).await.unwrap().unwrap().fields.id.to_string());
    }
    ids
}

pub(crate) async fn are_refused_as_a_whole(store: &impl TestStore) {
    fill(store, &["a", "b", "c", "gone"]).await;
    delete_user(store, 2, UserKey::Id(id("gone"))).await;
    let none = MembersOptions::default;
    assert_eq!(counts(change(store, 3, delta(&["a", "b"], &[]), none()).await), (2, 0, 0, vec![]));
    let entries = store.journal().len();

    let unknown = vec![UserKey::Id(id("nobody")), UserKey::Uid(4), UserKey::Username("who".to_owned())];
    let add = [keys(&["c"]), unknown.clone(), unknown.clone()].concat();
    let naming = |remove: &[&str]| MembersChange::Delta { add: add.clone(), remove: keys(remove) };
    let refused = change(store, 4, naming(&["a"]), none()).await;
    assert!(matches!(&refused, Err(Error::UnknownUsers(users)) if *users == unknown), "{refused:?}");
    let ignored = MembersOptions { unknown: UnknownUsers::Ignore, dry_run: true, ..none() };
    assert_eq!(counts(change(store, 4, naming(&["a"]), ignored).await), (1, 1, 0, unknown.clone()));

    for contradiction in [
        delta(&["c", "a"], &["C"]),
        delta(&["nobody"], &["nobody"]),
        MembersChange::Delta { add: keys(&["c"]), remove: vec![UserKey::Uid(3)] },
    ] {
        let options = MembersOptions { unknown: UnknownUsers::Ignore, ..none() };
        let refused = change(store, 4, contradiction, options).await;
        assert!(matches!(&refused, Err(Error::Invalid(wrong)) if wrong[0].field == "remove"), "{refused:?}");
    }
    let many = MembersChange::Exactly((0..=MEMBERS_MAX as i64).map(UserKey::Uid).collect());
    assert!(matches!(change(store, 4, many, none()).await, Err(Error::Invalid(_))));

    let removing = |options, change_made| change(store, 4, change_made, MembersOptions { dry_run: true, ..options });
    let both = || delta(&["c"], &["a", "b"]);
    let at_most = |max_removals| MembersOptions { max_removals: Some(max_removals), ..none() };
    let percent = |percent| MembersOptions { max_removal_percent: Some(percent), ..none() };
    assert!(matches!(
        removing(at_most(1), both()).await,
        Err(Error::TooManyRemovals { removals: 2, allowed: 1, members: 2 })
    ));
    assert!(matches!(
        removing(percent(99), MembersChange::Exactly(vec![])).await,
        Err(Error::TooManyRemovals { removals: 2, allowed: 1, members: 2 })
    ));
    for options in [at_most(2), percent(100)] {
        assert_eq!(counts(removing(options, both()).await), (1, 2, 0, vec![]));
    }
    assert_eq!(counts(removing(percent(50), delta(&[], &["a", "c"])).await), (0, 1, 1, vec![]));

    let version = store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().members_version;
    let of_version = |uid, version| {
        let is = Some(Versions::These(vec![EntityVersion { uid, version }]));
        MembersOptions { precondition: Some(Precondition { is, is_not: None }), ..none() }
    };
    assert!(matches!(removing(of_version(1, version - 1), both()).await, Err(Error::PreconditionFailed)));
    assert!(matches!(removing(of_version(2, version), both()).await, Err(Error::PreconditionFailed)));
    assert_eq!(removing(of_version(1, version), both()).await.unwrap().members_version, version + 1);

    let missing = |key, visibility| store.change_members(operation(4), visibility, key, delta(&["c"], &[]), none());
    let hidden = Visibility::Within(Communities::from([community(1)]));
    assert!(matches!(missing(GroupKey::Uid(1), hidden).await, Err(Error::NotFound(..))));
    assert!(matches!(missing(GroupKey::Uid(9), Visibility::All).await, Err(Error::NotFound(..))));
    assert!(matches!(missing(GroupKey::Id(id("no")), Visibility::All).await, Err(Error::NotFound(..))));
    assert_eq!((members(store).await.as_str(), store.journal().len()), ("a b", entries));

    delete_group(store, 5, GroupKey::Uid(1)).await;
    assert!(matches!(missing(GroupKey::Uid(1), Visibility::All).await, Err(Error::AlreadyDeleted)));
    assert!(matches!(missing(GroupKey::Id(id("g")), Visibility::All).await, Err(Error::NotFound(..))));
}

/// Every change that moves the number of members raises the version of the memberships.
pub(crate) async fn raise_the_version_of_memberships(store: &impl TestStore) {
    fill(store, &["a", "b"]).await;
    let version = async || store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().members_version;
    let pair = || Membership { group: id("g"), user: id("a") };
    assert_eq!(version().await, 0);
    store.add_member(operation(2), Visibility::All, pair()).await.unwrap();
    store.add_member(operation(3), Visibility::All, pair()).await.unwrap();
    assert_eq!(version().await, 1);
    store.remove_member(operation(4), Visibility::All, pair()).await.unwrap();
    assert_eq!(version().await, 2);
    let (a, b) = (batches::member_item("g", "a"), batches::member_item("g", "b"));
    store.write_batch(operation(5), vec![a, b]).await.unwrap();
    assert_eq!(version().await, 3);
    put_group(store, 6, GroupKey::Uid(1), group("g", "renamed")).await.unwrap();
    assert_eq!(version().await, 3);
    delete_user(store, 7, UserKey::Id(id("a"))).await;
    assert_eq!(version().await, 4);
    delete_group(store, 8, GroupKey::Uid(1)).await;
    store.write_batch(operation(9), vec![batches::group_item(Some(1), group("g", "n"))]).await.unwrap();
    let restored = store.group(&GroupKey::Uid(1)).await.unwrap().unwrap();
    assert_eq!((restored.members, restored.members_version), (0, 5));
    let new = vec![batches::group_item(None, group("h", "n")), batches::member_item("h", "b")];
    store.write_batch(operation(10), new).await.unwrap();
    assert_eq!(store.group(&GroupKey::Uid(2)).await.unwrap().unwrap().members_version, 1);
}
