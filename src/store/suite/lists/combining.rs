//! Conditions joined by AND, OR and NOT match the intersections, unions and complements of what they match alone, in
//! whatever way they are joined, and after every change.

use std::collections::BTreeSet;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::groups::operand;
use super::paging::pages;
use crate::domain::community::Visibility;
use crate::domain::cursor::CursorQuery;
use crate::domain::membership::Membership;
use crate::domain::query::{Comparison, Condition, Field, Filter, GroupField, Pattern, Sort, Test, UserField};
use crate::store::suite::*;

/// How many groups there are, and users.
const EACH: i64 = 40;
/// How many combinations are tried after each change.
const COMBINATIONS: usize = 40;

/// How conditions are joined. A condition is its place in a list.
#[derive(Clone, Debug)]
enum Joined {
    One(usize),
    All(Vec<Joined>),
    AnyOf(Vec<Joined>),
    Not(Box<Joined>),
}

fn joined(conditions: usize) -> impl Strategy<Value = Joined> {
    (0..conditions).prop_map(Joined::One).prop_recursive(4, 12, 3, |inner| {
        proptest::prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Joined::All),
            vec(inner.clone(), 0..4).prop_map(Joined::AnyOf),
            inner.prop_map(|negated| Joined::Not(Box::new(negated))),
        ]
    })
}

impl Joined {
    /// The condition as the constructors of conditions make it.
    fn made<F: Clone + PartialEq>(&self, conditions: &[Condition<F>]) -> Condition<F> {
        let made = |parts: &[Self]| parts.iter().map(|part| part.made(conditions)).collect::<Vec<_>>();
        match self {
            Self::One(at) => conditions[*at].clone(),
            Self::All(parts) => Condition::all(made(parts)),
            Self::AnyOf(parts) => Condition::any_of(made(parts)),
            Self::Not(part) => part.made(conditions).negated(),
        }
    }

    /// The condition as it is joined, which no constructor makes.
    fn plain<F: Clone>(&self, conditions: &[Condition<F>]) -> Condition<F> {
        let plain = |parts: &[Self]| parts.iter().map(|part| part.plain(conditions)).collect();
        match self {
            Self::One(at) => conditions[*at].clone(),
            Self::All(parts) => Condition::All(plain(parts)),
            Self::AnyOf(parts) => Condition::AnyOf(plain(parts)),
            Self::Not(part) => Condition::Not(Box::new(part.plain(conditions))),
        }
    }

    /// What matches, if these sets match the conditions alone, of all that there is.
    fn matches(&self, alone: &[BTreeSet<i64>], all: &BTreeSet<i64>) -> BTreeSet<i64> {
        let of = |part: &Self| part.matches(alone, all);
        match self {
            Self::One(at) => alone[*at].clone(),
            Self::All(parts) => parts.iter().map(of).fold(all.clone(), |all, part| &all & &part),
            Self::AnyOf(parts) => parts.iter().map(of).fold(BTreeSet::new(), |any, part| &any | &part),
            Self::Not(part) => all - &of(part),
        }
    }
}

/// Reads what the filter matches.
async fn check<F: Clone + PartialEq + Debug>(
    conditions: &[Condition<F>],
    runner: &mut TestRunner,
    read: impl AsyncFn(Filter<F>) -> BTreeSet<i64>,
) {
    let all = read(Filter::default()).await;
    let mut alone = Vec::new();
    for condition in conditions {
        let found = read(Filter::matching(condition.clone())).await;
        assert_eq!(read(Filter::matching(condition.clone().negated())).await, &all - &found, "not {condition:?}");
        alone.push(found);
    }
    for _ in 0..COMBINATIONS {
        let joined = joined(conditions.len()).new_tree(runner).unwrap().current();
        let expected = joined.matches(&alone, &all);
        let made = joined.made(conditions);
        assert_eq!(read(Filter::matching(made.clone())).await, expected, "{made:?}");
        let plain = Filter { search: None, conditions: vec![joined.plain(conditions)] };
        assert_eq!(read(plain.clone()).await, expected, "{plain:?}");
    }
}

fn like(runs: &[&str]) -> Test {
    Test::Like(Pattern(runs.iter().map(|run| (*run).to_owned()).collect()))
}

fn not_like(runs: &[&str]) -> Test {
    Test::NotLike(Pattern(runs.iter().map(|run| (*run).to_owned()).collect()))
}

fn above(text: &str) -> Test {
    Test::Compare(Comparison::Greater, operand(text))
}

fn equal(text: &str) -> Test {
    Test::equal(operand(text))
}

fn one_of(texts: &[&str]) -> Test {
    Test::OneOf(texts.iter().map(|text| operand(text)).collect())
}

fn tests_of<F>(field: Field<F>, tests: impl IntoIterator<Item = Test>) -> Vec<Condition<F>>
where
    F: Clone,
{
    tests.into_iter().map(|test| Condition::Any(field.clone(), vec![test])).collect()
}

/// The conditions that both kinds have.
fn of_both<F: Clone>() -> Vec<Condition<F>> {
    let xp = || Field::Xp("v".to_owned());
    let of_xp = [
        equal("1"),
        Test::NotEqual(operand("t2")),
        one_of(&["t1", "2", "3"]),
        like(&["t", ""]),
        like(&["", "2", ""]),
        not_like(&["t", ""]),
        above("1"),
        Test::Present,
        Test::Absent,
    ];
    let communities = [equal(&community(1).to_string()), Test::NotEqual(operand(&community(2).to_string()))];
    let communities = communities.into_iter().chain([Test::Present, Test::Absent]);
    let relations = [Condition::Membership(3), Condition::Membership(4), Condition::Membership(99), Condition::Never];
    let several = Condition::Any(xp(), vec![above("2"), Test::Absent, like(&["t1", ""])]);
    let communities = communities.map(|test| Condition::communities(vec![test]));
    tests_of(xp(), of_xp).into_iter().chain(communities).chain(relations).chain([several]).collect()
}

fn of_groups() -> Vec<Condition<GroupField>> {
    let ids = [equal("g5"), one_of(&["g1", "g2", "g30", "g40"]), above("g3"), like(&["g1", ""]), Test::Present];
    let names = [equal("n1"), Test::NotEqual(operand("n2")), like(&["", "3", ""]), not_like(&["n", "1"])];
    let described = [equal("text 1"), one_of(&["text 1", "text 2"]), above("text 1"), like(&["", "xt 2", ""])];
    let described = described.into_iter().chain([not_like(&["", "xt 1", ""]), Test::Present, Test::Absent]);
    let mut conditions = of_both();
    conditions.extend(tests_of(Field::Own(GroupField::Id), ids));
    conditions.extend(tests_of(Field::Own(GroupField::Name), names));
    conditions.extend(tests_of(Field::Own(GroupField::Description), described));
    conditions.extend(tests_of(Field::Own(GroupField::Members), [above("2"), equal("1")]));
    conditions.extend(tests_of(Field::Own(GroupField::Updated), [above("1970-01-01T00:00:05Z")]));
    conditions.extend(tests_of(Field::label("de"), [equal("d1"), Test::Absent]));
    conditions
}

fn of_users() -> Vec<Condition<UserField>> {
    let names = [equal("u5"), one_of(&["u1", "u2", "u30", "u40"]), above("u3"), like(&["u1", ""])];
    let first_names = [equal("f1"), Test::NotEqual(operand("f2")), not_like(&["f", "1"])];
    let phones = [equal("+1"), above("+1"), not_like(&["+", "2"]), Test::Present, Test::Absent];
    let roles = [(Roles::USER_READER, true), (Roles::USER_READER, false)];
    let both_roles = Condition::Roles(vec![(Roles::USER_READER, false), (Roles::USER_ADMIN, true)]);
    let mut conditions = of_both();
    conditions.extend(tests_of(Field::Own(UserField::Username), names));
    conditions.extend(tests_of(Field::Own(UserField::Email), [equal("u7@example.com"), like(&["", "u2", ""])]));
    conditions.extend(tests_of(Field::Own(UserField::FirstName), first_names));
    conditions.extend(tests_of(Field::Own(UserField::Phone), phones));
    conditions.extend(tests_of(Field::Own(UserField::Active), [equal("true")]));
    let sign_ins = [above("1970-01-01T00:00:12Z"), Test::Absent];
    conditions.extend(tests_of(Field::Own(UserField::LastActive), sign_ins));
    conditions.extend(roles.map(|role| Condition::Roles(vec![role])));
    conditions.extend([both_roles, Condition::WithoutGroups(Visibility::All)]);
    conditions
}

/// A document, or none.
fn document(at: i64) -> Option<Xp> {
    match at % 5 {
        0 => None,
        1 => xp(r#"{"v":{}}"#),
        2 => xp(&format!(r#"{{"v":{}}}"#, at % 4)),
        3 => xp(&format!(r#"{{"v":["t{}",{at}]}}"#, at % 3)),
        _ => xp(&format!(r#"{{"v":"t{}"}}"#, at % 3)),
    }
}

fn communities(at: i64) -> Communities {
    (1..=2).filter(|number| at % (i64::from(*number) + 1) == 0).map(community).collect()
}

fn group_fields(uid: i64, at: i64) -> GroupFields {
    let german = (at % 3 > 0).then(|| (tag("de"), format!("d{}", at % 3)));
    let labels = std::iter::once((tag("en"), format!("n{}", at % 4))).chain(german).collect();
    GroupFields {
        labels: Labels::new(labels).unwrap(),
        description: (at % 4 > 0).then(|| format!("text {}", at % 4)),
        xp: document(at),
        communities: communities(at),
        ..group(&format!("g{uid}"), "n")
    }
}

fn user_fields(uid: i64, at: i64) -> UserFields {
    UserFields {
        first_name: format!("f{}", at % 4),
        phone: (at % 4 > 0).then(|| format!("+{}", at % 4)),
        active: at % 3 > 0,
        xp: document(at),
        roles: if at % 2 == 0 { Roles::USER_READER } else { Roles::USER_ADMIN },
        communities: communities(at),
        ..user(&format!("u{uid}"))
    }
}

async fn fill(store: &impl TestStore) {
    for uid in 1..=EACH {
        assert_eq!(put_group(store, uid % 9, Target::New, group_fields(uid, uid)).await.unwrap().uid, uid);
        let made = put_user(store, uid % 9, Target::New, user_fields(uid, uid)).await.unwrap();
        assert_eq!(made.uid, uid);
        if uid % 3 == 0 {
            count_sign_in(store, made.uid, time(uid), true).await.unwrap();
        }
    }
    for number in 0..3 * EACH {
        join(store, number, number * number % EACH + 1, number * 7 % (EACH - 8) + 1).await;
    }
}

async fn join(store: &impl TestStore, second: i64, group: i64, user: i64) {
    let member = Membership { group: id(&format!("g{group}")), user: id(&format!("u{user}")) };
    store.add_member(operation(second), Visibility::All, member).await.unwrap();
}

/// Makes the change with the number.
async fn change(store: &impl TestStore, step: i64) {
    let second = 100 + step;
    put_group(store, second, GroupKey::Uid(step), group_fields(step, step + 1)).await.unwrap();
    put_user(store, second, UserKey::Uid(step), user_fields(step, step + 1)).await.unwrap();
    delete_group(store, second, GroupKey::Uid(20 + step)).await;
    delete_user(store, second, UserKey::Uid(20 + step)).await;
    count_sign_in(store, step, time(second), true).await.unwrap();
    join(store, second, 3, 38 - step).await;
    join(store, second, 39 - step, 4).await;
}

pub(crate) async fn matches_the_sets_of_its_parts(store: &impl TestStore) {
    fill(store).await;
    let mut runner = TestRunner::deterministic();
    let sorted = [vec![], vec![Sort { field: Field::Own(GroupField::Name), descending: true }]];
    for step in 0..4 {
        if step > 0 {
            change(store, step).await;
        }
        for seen in [Visibility::All, Visibility::Within([community(1)].into())] {
            let sort = &sorted[step as usize % 2];
            let read = async |filter: Filter<GroupField>| {
                let query = CursorQuery {
                    visibility: Visibility::All,
                    filter,
                    sort: sort.clone(),
                    after: None,
                    skip: 0,
                    limit: 25,
                };
                let read = async |query| store.walk_groups(query).await;
                let (found, totals) = pages(&query.limited_to(&seen), read).await;
                assert_eq!(totals, [Some(found.len() as u64)].into());
                found.iter().map(|group| group.uid).collect()
            };
            check(&of_groups(), &mut runner, read).await;
            let read = async |filter: Filter<UserField>| {
                let visibility = Visibility::All;
                let query = CursorQuery { visibility, filter, sort: vec![], after: None, skip: 0, limit: 25 };
                let read = async |query| store.walk_users(query).await;
                let (found, totals) = pages(&query.limited_to(&seen), read).await;
                // Users without groups are not always counted.
                assert!(totals == [Some(found.len() as u64)].into() || totals == [None].into());
                found.iter().map(|user| user.uid).collect()
            };
            check(&of_users(), &mut runner, read).await;
        }
    }
}
