//! The past: what the store returns of any moment is what it returned at that moment.

use std::collections::{BTreeMap, BTreeSet};

use super::batches::{group_item, member_item, user_item};
use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::error::Error;
use crate::domain::group::GroupUid;
use crate::domain::history::{
    Change, ChangeFilter, FeedPosition, FeedQuery, HistoryOf, HistoryQuery, JoinedGroupsAtQuery, MembersAtQuery, Order,
    Span, State as Then, Subject,
};
use crate::domain::membership::{
    JoinedGroupKey, JoinedGroupQuery, MemberKey, MemberQuery, MembersChange, MembersOptions, Membership, UnknownUsers,
};
use crate::domain::query::UserField;
use crate::domain::user::UserUid;
use crate::store::suite::*;

/// The highest number of a group and of a user in these tests.
const NUMBERS: i64 = 12;

/// A sequence of numbers that looks random and is the same in each run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit as u64) as i64
    }
}

/// What the present reads of the store tell at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
struct Present {
    groups: BTreeMap<GroupUid, Group>,
    users: BTreeMap<UserUid, User>,
    /// The members of each live group, by the order of their IDs, each with when they were added.
    members: BTreeMap<GroupUid, Vec<(UserUid, Timestamp)>>,
    /// The groups of each live user.
    joined: BTreeMap<UserUid, Vec<(GroupUid, Timestamp)>>,
}

async fn present(store: &impl TestStore) -> Present {
    let mut present = Present::default();
    for uid in 1..=NUMBERS {
        if let Some(group) = store.group(&GroupKey::Uid(uid)).await.unwrap() {
            let query = MemberQuery {
                visibility: Visibility::All,
                group: GroupKey::Uid(uid),
                search: None,
                key: MemberKey::Own(UserField::Id),
                descending: false,
                after: None,
                limit: 1_000,
            };
            let members = store.list_members(query).await.unwrap().1.items;
            present.members.insert(uid, members.iter().map(|member| (member.user.uid, member.since)).collect());
            present.groups.insert(uid, (**group).clone());
        }
        if let Some(user) = store.user(&UserKey::Uid(uid)).await.unwrap() {
            let query = JoinedGroupQuery {
                visibility: Visibility::All,
                user: UserKey::Uid(uid),
                key: JoinedGroupKey::Uid,
                descending: false,
                after: None,
                limit: 1_000,
            };
            let joined = if user.deleted.is_none() {
                store.list_joined_groups(query).await.unwrap().1.items
            } else {
                Vec::new()
            };
            present.joined.insert(uid, joined.iter().map(|joined| (joined.group.uid, joined.since)).collect());
            present.users.insert(uid, user);
        }
    }
    present
}

/// Makes one change that depends on the numbers. It may be refused.
async fn change(store: &impl TestStore, second: i64, numbers: &mut Sequence) {
    let name = |prefix: &str, number: i64| format!("{prefix}{number}");
    let (one, other) = (numbers.below(NUMBERS) + 1, numbers.below(NUMBERS) + 1);
    let named_group =
        |number, text: String| GroupFields { xp: xp(r#"{"a":1.50}"#), ..group(&name("g", number), &text) };
    let outcome = match numbers.below(12) {
        0 => {
            let fields = named_group(one, name("N", second));
            let update = Box::new(move |current: Option<&Group>| match current {
                Some(_) => Ok(Mutation::Put(fields.clone())),
                None => Err(Error::NotDeleted),
            });
            store.write_group(operation(second), GroupKey::Uid(one).into(), update).await.map(drop)
        }
        1 => {
            let fields = UserFields { email: name("e", second), ..user(&name("u", one)) };
            let update = Box::new(move |current: Option<CurrentUser<'_>>| match current {
                Some(_) => Ok(Mutation::Put(UserUpdate { fields: fields.clone(), password_hash: None })),
                None => Err(Error::NotDeleted),
            });
            store.write_user(operation(second), UserKey::Uid(one).into(), update).await.map(drop)
        }
        2 => {
            let update = Box::new(|current: Option<&Group>| match current {
                Some(group) if group.deleted.is_none() => Ok(Mutation::Delete),
                _ => Err(Error::AlreadyDeleted),
            });
            store.write_group(operation(second), GroupKey::Uid(one).into(), update).await.map(drop)
        }
        3 => {
            let update = Box::new(|current: Option<CurrentUser<'_>>| match current {
                Some(CurrentUser { user, .. }) if user.deleted.is_none() => Ok(Mutation::Delete),
                _ => Err(Error::AlreadyDeleted),
            });
            store.write_user(operation(second), UserKey::Uid(one).into(), update).await.map(drop)
        }
        4 | 5 => {
            let member = Membership { group: id(&name("g", one)), user: id(&name("u", other)) };
            store.add_member(operation(second), Visibility::All, member).await.map(drop)
        }
        6 => {
            let member = Membership { group: id(&name("g", one)), user: id(&name("u", other)) };
            store.remove_member(operation(second), Visibility::All, member).await.map(drop)
        }
        7 | 8 => {
            let mut keys = || (0..4).map(|_| numbers.below(NUMBERS) + 1).collect::<BTreeSet<_>>();
            let (add, mut remove) = (keys(), keys());
            remove.retain(|user| !add.contains(user));
            let keys = |users: BTreeSet<i64>| users.into_iter().map(UserKey::Uid).collect();
            let change = MembersChange::Delta { add: keys(add), remove: keys(remove) };
            let options = MembersOptions { unknown: UnknownUsers::Ignore, ..MembersOptions::default() };
            store
                .change_members(operation(second), Visibility::All, GroupKey::Uid(one), change, options)
                .await
                .map(drop)
        }
        9 => {
            let update = Box::new(|current: Option<&Group>| match current {
                Some(group) if group.deleted.is_some() => Ok(Mutation::Restore(group.fields.clone())),
                _ => Err(Error::NotDeleted),
            });
            store.restore_group(operation(second), GroupKey::Uid(one), update).await.map(drop)
        }
        10 => {
            let update = Box::new(|current: Option<CurrentUser<'_>>| match current {
                Some(CurrentUser { user, .. }) if user.deleted.is_some() => {
                    Ok(Mutation::Restore(UserUpdate { fields: user.fields.clone(), password_hash: None }))
                }
                _ => Err(Error::NotDeleted),
            });
            store.restore_user(operation(second), UserKey::Uid(one), update).await.map(drop)
        }
        _ => {
            // An import restores what was deleted.
            let items = vec![
                group_item(Some(one), named_group(one, name("I", second))),
                user_item(Some(other), UserFields { first_name: name("F", second), ..user(&name("u", other)) }),
                member_item(&name("g", one), &name("u", other)),
                member_item(&name("g", other), &name("u", one)),
            ];
            store.write_batch(operation(second), items).await.map(drop)
        }
    };
    // Changes of what is deleted or missing are refused, which is a part of the test.
    if let Err(error) = outcome {
        assert!(!matches!(error, Error::Internal(_)), "{error:?}");
    }
}

/// Fills the store with changes from second 1 on, and returns its state after each.
async fn moments(store: &impl TestStore, seconds: i64) -> Vec<Present> {
    let mut numbers = Sequence(11);
    let mut states = vec![present(store).await];
    let items = (1..=NUMBERS).flat_map(|number| {
        [
            group_item(Some(number), group(&format!("g{number}"), "N")),
            user_item(Some(number), user(&format!("u{number}"))),
        ]
    });
    store.write_batch(operation(1), items.take(20).collect()).await.unwrap();
    states.push(present(store).await);
    for second in 2..seconds {
        change(store, second, &mut numbers).await;
        states.push(present(store).await);
    }
    states
}

async fn members_then(store: &impl TestStore, group: GroupUid, at: Timestamp) -> (u64, Vec<(UserUid, Timestamp)>) {
    let (mut after, mut members, mut total) = (None, Vec::new(), None);
    loop {
        let page = store.members_at(MembersAtQuery { group, at, after, limit: 2 }).await.unwrap();
        assert!(page.items.len() <= 2);
        members.extend(page.items.iter().map(|member| (member.user.uid, member.since)));
        assert_eq!(*total.get_or_insert(page.total), page.total);
        after = page.next;
        if after.is_none() {
            return (total.unwrap(), members);
        }
    }
}

async fn joined_then(store: &impl TestStore, user: UserUid, at: Timestamp) -> Vec<(GroupUid, Timestamp)> {
    let (mut after, mut joined) = (None, Vec::new());
    loop {
        let query = JoinedGroupsAtQuery { user, visibility: Visibility::All, at, after, limit: 3 };
        let page = store.joined_groups_at(query).await.unwrap();
        joined.extend(page.items.iter().map(|joined| (joined.group.uid, joined.since)));
        after = page.next;
        if after.is_none() {
            return joined;
        }
    }
}

pub(crate) async fn the_past_is_as_it_was(store: &impl TestStore) {
    let states = moments(store, 100).await;
    let last = states.last().unwrap().clone();
    for (second, then) in states.iter().enumerate().step_by(7) {
        let at = time(second as i64);
        for uid in last.groups.keys() {
            let group = store.group_at(*uid, at).await.unwrap();
            let expected = then.groups.get(uid).map(|group| Group {
                members: if group.deleted.is_some() { 0 } else { group.members },
                members_version: 0,
                ..group.clone()
            });
            assert_eq!(group.map(|group| Group { members_version: 0, ..group }), expected, "group {uid} at {second}");
            let (total, mut members) = members_then(store, *uid, at).await;
            // The order is that of the IDs of today.
            let mut expected = then.members.get(uid).cloned().unwrap_or_default();
            assert_eq!(total, expected.len() as u64, "members of {uid} at {second}");
            members.sort_unstable();
            expected.sort_unstable();
            assert_eq!(members, expected, "members of {uid} at {second}");
        }
        for uid in last.users.keys() {
            let user = store.user_at(*uid, at).await.unwrap();
            assert_eq!(user, then.users.get(uid).cloned(), "user {uid} at {second}");
            let joined = joined_then(store, *uid, at).await;
            assert_eq!(joined, then.joined.get(uid).cloned().unwrap_or_default(), "groups of {uid} at {second}");
        }
    }
}

/// Waits until the feed has what was written. On PostgreSQL, transactions of other tests can hold it back.
pub(super) async fn settled(store: &impl TestStore) {
    let query = FeedQuery {
        visibility: Visibility::All,
        filter: ChangeFilter::default(),
        span: Span::default(),
        order: Order::Descending,
        after: None,
        limit: 1,
    };
    let latest = store.latest_operation().await.unwrap();
    loop {
        let page = store.changes(query.clone()).await.unwrap();
        if page.changes.first().map(|change| change.change.operation.clone()) == latest {
            return;
        }
    }
}

/// Reads the whole feed, a few changes at a time.
async fn whole_feed(store: &impl TestStore, filter: &ChangeFilter, order: Order) -> Vec<Change> {
    settled(store).await;
    let (mut after, mut changes): (Option<FeedPosition>, Vec<Change>) = (None, Vec::new());
    loop {
        let query = FeedQuery {
            visibility: Visibility::All,
            filter: filter.clone(),
            span: Span::default(),
            order,
            after: after.clone(),
            limit: 7,
        };
        let page = store.changes(query).await.unwrap();
        assert!(page.changes.len() <= 7);
        changes.extend(page.changes.into_iter().map(|change| change.change));
        assert!(page.next.is_some() || !page.more);
        after = page.next;
        if !page.more {
            return changes;
        }
    }
}

pub(crate) async fn the_feed_rebuilds_the_state(store: &impl TestStore) {
    let states = moments(store, 120).await;
    let last = states.last().unwrap();
    let changes = whole_feed(store, &ChangeFilter::default(), Order::Ascending).await;
    let (mut groups, mut users, mut members) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for change in &changes {
        assert!(change.actor.user.is_none() && change.actor.operator.is_some());
        match (&change.subject, &change.after) {
            (Subject::Group(uid), Some(Then::Group(group))) => _ = groups.insert(*uid, (**group).clone()),
            (Subject::User(uid), Some(Then::User(user))) => _ = users.insert(*uid, (**user).clone()),
            (Subject::Membership { group, user }, _) if change.kind == ChangeType::MembershipAdded => {
                members.insert((*group, *user), change.since.unwrap());
            }
            (Subject::Membership { group, user }, _) => _ = members.remove(&(*group, *user)),
            other => panic!("{other:?}"),
        }
    }
    let expected: BTreeMap<_, _> = last
        .groups
        .iter()
        .map(|(uid, group)| (*uid, Group { members: 0, members_version: 0, ..group.clone() }))
        .collect();
    assert_eq!(groups, expected);
    assert_eq!(users, last.users);
    for (uid, group) in &groups {
        let live = |user: &UserUid| group.deleted.is_none() && users[user].deleted.is_none();
        let own = members.iter().filter(|((group, user), _)| group == uid && live(user));
        let own: BTreeSet<_> = own.map(|((_, user), since)| (*user, *since)).collect();
        assert_eq!(own, last.members[uid].iter().copied().collect(), "members of {uid}");
    }
    let mut backwards = whole_feed(store, &ChangeFilter::default(), Order::Descending).await;
    backwards.reverse();
    assert_eq!(backwards, changes);
}

pub(crate) async fn a_history_is_a_part_of_the_feed(store: &impl TestStore) {
    moments(store, 120).await;
    for uid in [1, 2, 3] {
        let group = ChangeFilter { groups: vec![uid], ..ChangeFilter::default() };
        let user = ChangeFilter { users: vec![uid], ..ChangeFilter::default() };
        let both = ChangeFilter { groups: vec![uid], users: vec![2], ..ChangeFilter::default() };
        for (of, filter) in
            [(HistoryOf::Group(uid), group), (HistoryOf::User(uid), user), (HistoryOf::Membership(uid, 2), both)]
        {
            let mut expected = whole_feed(store, &filter, Order::Ascending).await;
            if matches!(of, HistoryOf::Membership(..)) {
                expected.retain(|change| matches!(change.subject, Subject::Membership { .. }));
            }
            for order in [Order::Ascending, Order::Descending] {
                assert_eq!(whole_history(store, of, order).await, expected, "{of:?} {order:?}");
                expected.reverse();
            }
        }
    }
}

async fn whole_history(store: &impl TestStore, of: HistoryOf, order: Order) -> Vec<Change> {
    let (mut after, mut changes) = (None, Vec::new());
    loop {
        let query = HistoryQuery {
            of,
            visibility: Visibility::All,
            span: Span::default(),
            types: None,
            order,
            after,
            limit: 3,
        };
        let page = store.history(query).await.unwrap();
        changes.extend(page.changes);
        after = page.next;
        if !page.more {
            return changes;
        }
    }
}

pub(crate) async fn spells_are_when_the_user_was_a_member(store: &impl TestStore) {
    let states = moments(store, 130).await;
    for group in 1..=4 {
        for user in 1..=4 {
            let spells = store.spells(group, user).await.unwrap();
            for (second, then) in states.iter().enumerate() {
                let at = time(second as i64);
                let was_member =
                    then.members.get(&group).is_some_and(|members| members.iter().any(|own| own.0 == user));
                let in_spell = spells.iter().filter(|spell| spell.start <= at && spell.end.is_none_or(|end| at < end));
                assert_eq!(in_spell.count(), usize::from(was_member), "{user} in {group} at {second}: {spells:?}");
            }
        }
    }
}

pub(crate) async fn names_are_those_of_the_moment(store: &impl TestStore) {
    make_group(store, group("g", "Old")).await;
    make_user(store, user("u")).await;
    let member = Membership { group: id("g"), user: id("u") };
    store.add_member(operation(2), Visibility::All, member.clone()).await.unwrap();
    put_group(store, 3, GroupKey::Uid(1), group("h", "New")).await.unwrap();
    put_user(store, 4, UserKey::Uid(1), user("v")).await.unwrap();
    delete_group(store, 5, GroupKey::Uid(1)).await;
    let changes = whole_history(store, HistoryOf::Group(1), Order::Ascending).await;
    let names = |change: &Change| {
        let group = change.group.as_ref().map(|group| format!("{} {}", group.id, group.name));
        let user = change.user.as_ref().map(|user| user.username.clone());
        (change.kind, group.unwrap_or_default(), user.unwrap_or_default())
    };
    let expected = [
        (ChangeType::GroupCreated, "g Old".to_owned(), String::new()),
        (ChangeType::MembershipAdded, "g Old".to_owned(), "u".to_owned()),
        (ChangeType::GroupUpdated, "h New".to_owned(), String::new()),
        (ChangeType::GroupDeleted, "h New".to_owned(), String::new()),
    ];
    assert_eq!(changes.iter().map(names).collect::<Vec<_>>(), expected);
}

pub(crate) async fn a_position_that_is_gone_is_refused(store: &impl TestStore) {
    make_group(store, group("g", "n")).await;
    let query = |after| FeedQuery {
        visibility: Visibility::All,
        filter: ChangeFilter::default(),
        span: Span::default(),
        order: Order::Ascending,
        after,
        limit: 10,
    };
    settled(store).await;
    let page = store.changes(query(None)).await.unwrap();
    let position = page.next.unwrap();
    assert_eq!(store.changes(query(Some(position.clone()))).await.unwrap().changes, []);
    let other = FeedPosition { operation: "another".to_owned(), ..position.clone() };
    let mut later = position;
    later.change.seq += 1;
    for gone in [other, later] {
        assert!(matches!(store.changes(query(Some(gone))).await, Err(Error::NoLongerKept)));
    }
}
