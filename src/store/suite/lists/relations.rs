//! Filters by memberships, member counts and communities, and orders by the count: against a model, after every change.

use std::collections::BTreeSet;

use super::groups::operand;
use super::paging::{pages, walked};
use crate::domain::community::Visibility;
use crate::domain::cursor::CursorQuery;
use crate::domain::membership::{Membership, MembershipOutcome};
use crate::domain::query::{Comparison, Condition, Field, Filter, GroupField, Pattern, Sort, Test, UserField};
use crate::store::BatchItem;
use crate::store::sql::list::probing::MOST_PROBED;
use crate::store::suite::*;

const ENDS: i64 = 30;

/// The directory as it should be.
#[derive(Default)]
struct Model {
    groups: BTreeMap<i64, BTreeSet<u8>>,
    users: BTreeMap<i64, BTreeSet<u8>>,
    memberships: BTreeSet<(i64, i64)>,
    second: i64,
}

fn group_fields(uid: i64, communities: &BTreeSet<u8>) -> GroupFields {
    let communities = communities.iter().copied().map(community).collect();
    GroupFields { communities, ..group(&format!("g{uid}"), "n") }
}

fn user_fields(uid: i64, communities: &BTreeSet<u8>) -> UserFields {
    let communities = communities.iter().copied().map(community).collect();
    UserFields { communities, ..user(&format!("u{uid}")) }
}

fn communities_of(number: i64) -> BTreeSet<u8> {
    (1..=3).filter(|community| number % (i64::from(*community) + 1) == 0).collect()
}

impl Model {
    async fn filled(store: &impl TestStore) -> Self {
        let mut model = Self::default();
        for uid in 1..=ENDS {
            let communities = communities_of(uid);
            assert_eq!(make_group(store, group_fields(uid, &communities)).await.uid, uid);
            assert_eq!(make_user(store, user_fields(uid, &communities)).await.uid, uid);
            model.groups.insert(uid, communities.clone());
            model.users.insert(uid, communities);
        }
        for number in 0..8 * ENDS {
            model.change_member(store, number * number % ENDS + 1, number * 7 % (ENDS - 5) + 1, true).await;
        }
        model
    }

    async fn change_member(&mut self, store: &impl TestStore, group: i64, user: i64, is_in: bool) {
        self.second += 1;
        let member = Membership { group: id(&format!("g{group}")), user: id(&format!("u{user}")) };
        let outcome = match is_in {
            true => store.add_member(operation(self.second), Visibility::All, member).await.unwrap(),
            false => store.remove_member(operation(self.second), Visibility::All, member).await.unwrap(),
        };
        if self.groups.contains_key(&group) && self.users.contains_key(&user) {
            let pair = (group, user);
            let changed = if is_in { self.memberships.insert(pair) } else { self.memberships.remove(&pair) };
            assert_eq!(outcome == MembershipOutcome::Done, changed);
        }
    }

    /// Makes the change with the number.
    async fn change(&mut self, store: &impl TestStore, step: i64) {
        let (group, user) = (step * 11 % ENDS + 1, step * 13 % ENDS + 1);
        self.second += 1;
        match step % 8 {
            0..=2 => self.change_member(store, group, user, step % 3 > 0).await,
            3 if self.groups.remove(&group).is_some() => {
                delete_group(store, self.second, GroupKey::Uid(group)).await;
                self.memberships.retain(|(of, _)| *of != group);
            }
            4 if self.users.remove(&user).is_some() => {
                delete_user(store, self.second, UserKey::Uid(user)).await;
                self.memberships.retain(|(_, of)| *of != user);
            }
            5 if self.groups.contains_key(&group) => {
                let communities = communities_of(step);
                put_group(store, self.second, GroupKey::Uid(group), group_fields(group, &communities)).await.unwrap();
                self.groups.insert(group, communities);
            }
            6 if self.users.contains_key(&user) => {
                let communities = communities_of(step);
                put_user(store, self.second, UserKey::Uid(user), user_fields(user, &communities)).await.unwrap();
                self.users.insert(user, communities);
            }
            7 => self.import(store, group, user).await,
            _ => {}
        }
    }

    /// Restores what was deleted, and adds one membership.
    async fn import(&mut self, store: &impl TestStore, group: i64, user: i64) {
        let (of_group, of_user) = (communities_of(group), communities_of(user));
        let (restored_group, restored_user) = (group_fields(group, &of_group), user_fields(user, &of_user));
        let member = Membership { group: restored_group.id.clone(), user: restored_user.id.clone() };
        let items = vec![
            BatchItem::Group {
                id: restored_group.id.clone(),
                uid: Some(group),
                fields: Box::new(move |_| Ok(restored_group.clone())),
            },
            BatchItem::User {
                id: restored_user.id.clone(),
                uid: Some(user),
                fields: Box::new(move |_| Ok(restored_user.clone())),
            },
            BatchItem::Member(member),
        ];
        for outcome in store.write_batch(operation(self.second), items).await.unwrap() {
            outcome.unwrap();
        }
        self.groups.insert(group, of_group);
        self.users.insert(user, of_user);
        self.memberships.insert((group, user));
    }

    fn members(&self, group: i64) -> i64 {
        self.memberships.iter().filter(|(of, _)| *of == group).count() as i64
    }

    fn groups(&self, matches: impl Fn(i64, &BTreeSet<u8>) -> bool) -> Vec<i64> {
        self.groups.iter().filter(|(uid, communities)| matches(**uid, communities)).map(|(uid, _)| *uid).collect()
    }

    fn users(&self, matches: impl Fn(i64, &BTreeSet<u8>) -> bool) -> Vec<i64> {
        self.users.iter().filter(|(uid, communities)| matches(**uid, communities)).map(|(uid, _)| *uid).collect()
    }
}

async fn groups(store: &impl TestStore, seen: &Visibility, conditions: Vec<Condition<GroupField>>) -> Vec<i64> {
    let filter = Filter { search: None, conditions }.limited_to(seen);
    let query = CursorQuery { visibility: seen.clone(), filter, sort: vec![], after: None, skip: 0, limit: 9 };
    walked(&query, async |query| store.walk_groups(query).await).await.iter().map(|group| group.uid).collect()
}

async fn users(store: &impl TestStore, seen: &Visibility, conditions: Vec<Condition<UserField>>) -> Vec<i64> {
    let filter = Filter { search: None, conditions }.limited_to(seen);
    let query = CursorQuery { visibility: seen.clone(), filter, sort: vec![], after: None, skip: 0, limit: 9 };
    walked(&query, async |query| store.walk_users(query).await).await.iter().map(|user| user.uid).collect()
}

/// Whether a set of communities passes tests.
type Passes = fn(&BTreeSet<u8>) -> bool;

/// Tests of communities.
fn community_tests() -> Vec<(Vec<Test>, Passes)> {
    let one = |number| operand(&community(number).to_string());
    let ends_in_2 = Pattern(vec![String::new(), "2".to_owned()]);
    vec![
        (vec![Test::Present], |own| !own.is_empty()),
        (vec![Test::Absent], BTreeSet::is_empty),
        (vec![Test::equal(one(1))], |own| own.contains(&1)),
        (vec![Test::NotEqual(one(1))], |own| !own.contains(&1)),
        (vec![Test::OneOf(vec![one(2), one(3), one(9)])], |own| own.contains(&2) || own.contains(&3)),
        (vec![Test::Like(ends_in_2.clone())], |own| own.contains(&2)),
        (vec![Test::NotLike(ends_in_2)], |own| !own.contains(&2)),
        (vec![Test::NotEqual(one(1)), Test::equal(one(2))], |own| !own.contains(&1) || own.contains(&2)),
    ]
}

/// Where many users are to be looked at, pages end early, and nothing is counted.
async fn check_without_groups(store: &impl TestStore, model: &Model, seen: &Visibility, expected: &[i64]) {
    let conditions = vec![Condition::WithoutGroups(Visibility::All)];
    let filter = Filter { search: None, conditions }.limited_to(seen);
    for limit in [1, 9] {
        for descending in [false, true] {
            let sort = vec![Sort { field: Field::Own(UserField::Id), descending }];
            let query =
                CursorQuery { visibility: seen.clone(), filter: filter.clone(), sort, after: None, skip: 0, limit };
            let (found, totals) = pages(&query, async |query| store.walk_users(query).await).await;
            let mut ids: Vec<String> = expected.iter().map(|uid| format!("u{uid}")).collect();
            ids.sort_unstable();
            if descending {
                ids.reverse();
            }
            assert_eq!(found.iter().map(|user| user.fields.id.to_string()).collect::<Vec<_>>(), ids);
            let counts = model.users.len() <= MOST_PROBED;
            assert_eq!(totals, [counts.then_some(expected.len() as u64)].into());
        }
    }
}

async fn check(store: &impl TestStore, model: &Model, step: i64) {
    let seen_set = |number: u8| BTreeSet::from([number]);
    let limits =
        [(Visibility::All, BTreeSet::from([1, 2, 3])), (Visibility::Within([community(2)].into()), seen_set(2))];
    for (seen, own) in &limits {
        let is_seen = |communities: &BTreeSet<u8>| own.len() > 1 || !own.is_disjoint(communities);
        for (tests, passes) in community_tests() {
            let passes = |communities: &BTreeSet<u8>| passes(&(communities & own));
            let condition = || Condition::communities(tests.clone());
            let expected = model.groups(|_, communities| is_seen(communities) && passes(communities));
            assert_eq!(groups(store, seen, vec![condition()]).await, expected, "{step} {tests:?} {own:?}");
            let found = users(store, seen, vec![Condition::communities(tests.clone())]).await;
            assert_eq!(found, model.users(|_, communities| passes(communities)), "{step} users {tests:?} {own:?}");
        }
        let without = |user| {
            let of = |(group, member): &(i64, i64)| *member == user && is_seen(&model.groups[group]);
            !model.memberships.iter().any(of)
        };
        check_without_groups(store, model, seen, &model.users(|user, _| without(user))).await;
        for user in [1, 8, step % ENDS + 1] {
            let has = |group| model.memberships.contains(&(group, user));
            let expected = model.groups(|group, communities| has(group) && is_seen(communities));
            assert_eq!(groups(store, seen, vec![Condition::Membership(user)]).await, expected, "{step} member {user}");
        }
    }
    let all = &Visibility::All;
    for group in [1, 2, step % ENDS + 1] {
        let found = users(store, all, vec![Condition::Membership(group)]).await;
        let has = |group, user| model.memberships.contains(&(group, user));
        assert_eq!(found, model.users(|user, _| has(group, user)), "{step} member of {group}");
        let found = users(store, all, vec![Condition::Membership(group), Condition::Membership(5)]).await;
        assert_eq!(found, model.users(|user, _| has(group, user) && has(5, user)), "{step} member of {group} and 5");
    }
    for least in [0, 3, 7] {
        let test = Test::Compare(Comparison::Greater, operand(&least.to_string()));
        let found = groups(store, all, vec![Condition::Any(Field::Own(GroupField::Members), vec![test])]).await;
        assert_eq!(found, model.groups(|group, _| model.members(group) > least), "{step} more than {least} members");
    }
    for descending in [false, true] {
        let sort = vec![Sort { field: Field::Own(GroupField::Members), descending }];
        let query = CursorQuery {
            visibility: Visibility::All,
            filter: Filter::default(),
            sort,
            after: None,
            skip: 0,
            limit: 7,
        };
        let found = walked(&query, async |query| store.walk_groups(query).await).await;
        let mut expected: Vec<_> = model.groups(|_, _| true).iter().map(|uid| (model.members(*uid), *uid)).collect();
        expected.sort_unstable();
        if descending {
            expected.reverse();
        }
        assert_eq!(found.iter().map(|group| (group.members, group.uid)).collect::<Vec<_>>(), expected, "{step}");
    }
}

pub(crate) async fn filter_and_sort_as_a_model_does_after_every_change(store: &impl TestStore) {
    let mut model = Model::filled(store).await;
    check(store, &model, 0).await;
    for step in 1..=40 {
        model.change(store, step).await;
        check(store, &model, step).await;
    }
}

pub(crate) async fn locked_users_and_times_are_found(store: &impl TestStore) {
    for at in 1..=20 {
        let made = put_user(store, at, Target::New, user(&format!("u{at}"))).await.unwrap();
        put_group(store, at, Target::New, group(&format!("g{at}"), "n")).await.unwrap();
        let failures = if at % 3 == 0 { 10 } else { 1 };
        for _ in 0..failures {
            count_sign_in(store, made.uid, Timestamp::from_micros(1_000_000 * at), false).await.unwrap();
        }
    }
    put_group(store, 100, GroupKey::Uid(3), group("g3", "renamed")).await.unwrap();
    let later = |text| Test::Compare(Comparison::Greater, operand(text));
    let locked = |until| vec![Condition::Any(Field::Own(UserField::LockedUntil), vec![later(until)])];
    assert_eq!(users(store, &Visibility::All, locked("1970-01-01T00:00:00Z")).await, [3, 6, 9, 12, 15, 18]);
    assert_eq!(users(store, &Visibility::All, locked("1970-01-01T00:10:09Z")).await, [12, 15, 18]);
    let time = |field, text| vec![Condition::Any(Field::Own(field), vec![later(text)])];
    let created = time(GroupField::Created, "1970-01-01T00:00:17Z");
    assert_eq!(groups(store, &Visibility::All, created).await, [18, 19, 20]);
    let updated = time(GroupField::Updated, "1970-01-01T00:00:17Z");
    assert_eq!(groups(store, &Visibility::All, updated).await, [3, 18, 19, 20]);
}
