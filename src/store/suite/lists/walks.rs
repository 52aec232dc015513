//! Walks by cursor: every order, and changes between the pages.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::groups::operand;
use super::paging::{query, walked};
use crate::domain::community::Visibility;
use crate::domain::cursor::CursorQuery;
use crate::domain::query::{Comparison, Condition, Field, GroupField, Pattern, Sort, Test, UserField, label_tag};
use crate::domain::text::fold;
use crate::store::suite::*;

/// A value of the model, in order: absent, numbers, texts.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Value {
    Absent,
    Number(f64),
    Text(String),
}

fn text(text: &str) -> Value {
    Value::Text(fold(text))
}

fn number(number: i64) -> Value {
    Value::Number(number as f64)
}

/// The document and the value that it is sorted by.
fn document(at: i64) -> (Option<Xp>, Value) {
    match at % 7 {
        0 => (None, Value::Absent),
        1 => (xp(r#"{"v":{}}"#), Value::Absent),
        2 => (xp(&format!(r#"{{"v":{}}}"#, at % 4)), number(at % 4)),
        3 => (xp(&format!(r#"{{"v":"{}"}}"#, at % 4)), text(&(at % 4).to_string())),
        4 => {
            let long = format!("{}{}", "é".repeat(200), at % 3);
            (xp(&format!(r#"{{"v":"{long}"}}"#)), text(&long))
        }
        5 => (xp(&format!(r#"{{"v":["t{}",-{at}.5]}}"#, at % 3)), Value::Number(-(at as f64 + 0.5))),
        _ => (xp(&format!(r#"{{"v":"T{}"}}"#, at % 3)), text(&format!("t{}", at % 3))),
    }
}

fn compare(a: &[Value], b: &[Value], descending: &[bool]) -> Ordering {
    let each = a.iter().zip(b).zip(descending).map(|((a, b), descending)| {
        let ordering = a.partial_cmp(b).unwrap();
        if *descending { ordering.reverse() } else { ordering }
    });
    each.fold(Ordering::Equal, Ordering::then)
}

/// Sorts by the keys and then the number, in the direction of the last key.
fn sorted<T, F>(
    mut all: Vec<T>,
    sort: &[Sort<F>],
    value: impl Fn(&T, &Field<F>) -> Value,
    uid: impl Fn(&T) -> i64,
) -> Vec<i64> {
    let mut descending: Vec<bool> = sort.iter().map(|key| key.descending).collect();
    descending.push(descending.last().copied().unwrap_or_default());
    let keys =
        |of: &T| -> Vec<Value> { sort.iter().map(|key| value(of, &key.field)).chain([number(uid(of))]).collect() };
    all.sort_by(|a, b| compare(&keys(a), &keys(b), &descending));
    all.iter().map(uid).collect()
}

fn by<F>(field: Field<F>, descending: bool) -> Sort<F> {
    Sort { field, descending }
}

fn of_group(group: &Group, field: &Field<GroupField>) -> Value {
    match field {
        Field::Own(GroupField::Uid) => number(group.uid),
        Field::Own(GroupField::Id) => text(group.fields.id.as_str()),
        Field::Own(GroupField::Name) => text(&group.name),
        Field::Own(GroupField::Description) => group.fields.description.as_deref().map_or(Value::Absent, text),
        Field::Own(GroupField::Created) => number(group.created.as_micros()),
        Field::Own(GroupField::Updated) => number(group.updated.as_micros()),
        Field::Own(GroupField::Members) => number(group.members),
        Field::Xp(path) if label_tag(path).is_some() => german(group.uid).as_deref().map_or(Value::Absent, text),
        Field::Xp(_) => document(group.uid).1,
    }
}

/// The German label of the group with the number.
fn german(uid: i64) -> Option<String> {
    match uid % 6 {
        0 | 1 => None,
        2 => Some(uid.to_string()),
        // Longer after case folding than an index has it.
        3 => Some(format!("{}{}", "ﬃ".repeat(90), uid % 9)),
        _ => Some(format!("Grüße {}", uid % 4)),
    }
}

async fn fill_groups(store: &impl TestStore) {
    for at in 1..=60 {
        let mut labels = vec![(tag("en"), format!("N{}", at * 5 % 7))];
        labels.extend(german(at).map(|label| (tag(if at % 2 == 0 { "de" } else { "DE" }), label)));
        let fields = GroupFields {
            xp: document(at).0,
            labels: Labels::new(labels).unwrap(),
            description: (at % 3 > 0).then(|| format!("d{}", at % 5)),
            ..group(&format!("g{at}"), &format!("N{}", at * 5 % 7))
        };
        let made = put_group(store, at % 11, Target::New, fields).await.unwrap();
        assert_eq!(made.uid, at);
        if at % 4 == 0 {
            let renamed = GroupFields { id: id(&format!("r{at}")), ..made.fields };
            put_group(store, 20 + at % 5, GroupKey::Uid(at), renamed).await.unwrap();
        }
    }
}

/// Whether a filter lets the group through.
type Matches = fn(&Group) -> bool;

pub(crate) async fn have_every_row_once_in_every_order(store: &impl TestStore) {
    fill_groups(store).await;
    let v = || Field::Xp("v".to_owned());
    let own = [
        GroupField::Uid,
        GroupField::Id,
        GroupField::Name,
        GroupField::Description,
        GroupField::Created,
        GroupField::Updated,
    ];
    let mut orders: Vec<Vec<Sort<GroupField>>> = vec![vec![]];
    for descending in [false, true] {
        orders.extend(own.into_iter().map(Field::Own).chain([v()]).map(|field| vec![by(field, descending)]));
        orders.push(vec![by(Field::Own(GroupField::Name), descending), by(v(), false)]);
        orders.push(vec![by(v(), descending), by(Field::Own(GroupField::Description), true)]);
        orders.push(vec![by(v(), true), by(Field::Own(GroupField::Name), descending)]);
        orders
            .push(vec![by(Field::Own(GroupField::Description), descending), by(Field::Own(GroupField::Updated), true)]);
    }
    for descending in [false, true] {
        orders.push(vec![by(Field::label("De"), descending)]);
        orders.push(vec![by(Field::label("de"), descending), by(v(), true)]);
        orders.push(vec![by(Field::Own(GroupField::Name), true), by(Field::label("de"), descending)]);
    }
    let at = |field, test| Condition::Any(field, vec![test]);
    let text_filter =
        Condition::Any(Field::Own(GroupField::Name), vec![Test::NotLike(Pattern(vec!["n1".into(), String::new()]))]);
    let filters: [(_, Matches); 8] = [
        (vec![], |_| true),
        (vec![text_filter], |group| !group.name.starts_with("N1")),
        (vec![at(v(), Test::Present)], |group| !matches!(document(group.uid).1, Value::Absent) || group.uid % 7 == 1),
        (vec![at(Field::label("DE"), Test::Absent)], |group| german(group.uid).is_none()),
        (vec![at(Field::label("de"), Test::equal(operand("GRÜSSE 1")))], |group| {
            german(group.uid).is_some_and(|label| label == "Grüße 1")
        }),
        (vec![at(Field::label("de"), Test::Compare(Comparison::Greater, operand("5")))], |group| {
            german(group.uid).is_some_and(|label| fold(&label).as_str() > "5")
        }),
        (vec![at(v(), Test::Absent)], |group| group.uid % 7 == 0),
        (vec![at(Field::Own(GroupField::Id), Test::Compare(Comparison::Less, operand("g3")))], |group| {
            fold(group.fields.id.as_str()).as_str() < "g3"
        }),
    ];
    let all = walked(&query(vec![], vec![]), async |query| store.walk_groups(query).await).await;
    assert_eq!(all.iter().map(|group| group.uid).collect::<Vec<_>>(), Vec::from_iter(1..=60));
    for sort in orders {
        for (conditions, matches) in &filters {
            for limit in [1, 7, 100] {
                let query = CursorQuery { limit, ..query(conditions.clone(), sort.clone()) };
                let found = walked(&query, async |query| store.walk_groups(query).await).await;
                let found: Vec<i64> = found.iter().map(|group| group.uid).collect();
                let matching: Vec<Group> = all.iter().filter(|group| matches(group)).cloned().collect();
                assert_eq!(
                    found,
                    sorted(matching, &sort, of_group, |group| group.uid),
                    "{sort:?} {conditions:?} {limit}"
                );
            }
        }
    }
}

fn of_user(user: &User, field: &Field<UserField>) -> Value {
    let time = |time: Option<Timestamp>| time.map_or(Value::Absent, |time| number(time.as_micros()));
    match field {
        Field::Own(UserField::Uid) => number(user.uid),
        Field::Own(UserField::Id) => text(user.fields.id.as_str()),
        Field::Own(UserField::Username) => text(&user.fields.username),
        Field::Own(UserField::FirstName) => text(&user.fields.first_name),
        Field::Own(UserField::LastName) => text(&user.fields.last_name),
        Field::Own(UserField::Email) => text(&user.fields.email),
        Field::Own(UserField::Created) => time(Some(user.created)),
        Field::Own(UserField::LastActive) => time(user.last_active),
        Field::Xp(_) => document(user.uid).1,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn go_through_users_in_every_order(store: &impl TestStore) {
    for at in 1..=40 {
        let fields = UserFields {
            first_name: format!("F{}", at % 3),
            last_name: format!("L{}", at % 5),
            email: format!("m{}@example.com", at % 7),
            xp: document(at).0,
            ..user(&format!("u{}", at * 7 % 41))
        };
        let made = put_user(store, at % 6, Target::New, fields).await.unwrap();
        if at % 3 == 0 {
            assert!(count_sign_in(store, made.uid, Timestamp::from_micros(at % 4 + 7_000_000), true).await.unwrap());
        }
    }
    let own = [
        UserField::Uid,
        UserField::Id,
        UserField::Username,
        UserField::FirstName,
        UserField::LastName,
        UserField::Email,
        UserField::Created,
        UserField::LastActive,
    ];
    let all = walked(&query(vec![], vec![]), async |query| store.walk_users(query).await).await;
    assert_eq!(all.len(), 40);
    for field in own.map(Field::Own).into_iter().chain([Field::Xp("v".to_owned())]) {
        for descending in [false, true] {
            let sort = vec![by(field.clone(), descending)];
            let found = walked(&query(vec![], sort.clone()), async |query| store.walk_users(query).await).await;
            let found: Vec<i64> = found.iter().map(|user| user.uid).collect();
            assert_eq!(found, sorted(all.clone(), &sort, of_user, |user| user.uid), "{sort:?}");
        }
    }
}

/// A page that is found by the number of rows before it has the rows that a walk has there, and goes on as the walk does.
pub(crate) async fn may_begin_after_a_number_of_rows(store: &impl TestStore) {
    fill_groups(store).await;
    let v = || Field::Xp("v".to_owned());
    let orders = [vec![], vec![by(Field::Own(GroupField::Name), true)], vec![by(v(), false)], vec![by(v(), true)]];
    let some = Condition::Any(Field::Own(GroupField::Name), vec![Test::Present]);
    let few = Condition::Any(Field::Own(GroupField::Name), vec![Test::equal(operand("N3"))]);
    for sort in orders {
        for conditions in [vec![], vec![some.clone()], vec![few.clone()], vec![Condition::Never]] {
            let whole = query(conditions, sort.clone());
            let all = walked(&whole, async |query| store.walk_groups(query).await).await;
            for skip in [1, 5, 8, 9, 30, 53, 59, 60, 61, 4_000_000_000] {
                let page = store.walk_groups(CursorQuery { skip, ..whole.clone() }).await.unwrap();
                let expected: Vec<_> = all.iter().skip(skip as usize).take(7).cloned().collect();
                assert_eq!((&page.items, page.total), (&expected, Some(all.len() as u64)), "{sort:?} {skip}");
                assert_eq!(page.next.is_some(), all.len() as u64 > skip.saturating_add(7), "{sort:?} {skip}");
                if let Some(next) = page.next {
                    let page = store.walk_groups(CursorQuery { after: Some(next), ..whole.clone() }).await.unwrap();
                    let expected: Vec<_> = all.iter().skip(skip as usize + 7).take(7).cloned().collect();
                    assert_eq!(page.items, expected, "{sort:?} {skip}");
                }
            }
        }
    }
}

/// Between the pages, groups are created, renamed, moved and deleted.
pub(crate) async fn miss_and_repeat_nothing_that_keeps_its_place(store: &impl TestStore) {
    let fields = |at: i64| GroupFields { xp: document(at).0, ..group(&format!("g{at}"), &format!("n{}", at % 3)) };
    let mut live = BTreeSet::new();
    for at in 1..=80 {
        live.insert(put_group(store, at % 5, Target::New, fields(at)).await.unwrap().uid);
    }
    let orders = [
        Field::Own(GroupField::Uid),
        Field::Own(GroupField::Name),
        Field::Own(GroupField::Created),
        Field::Xp("v".to_owned()),
    ];
    for (round, sort) in orders.into_iter().flat_map(|field| [by(field.clone(), false), by(field, true)]).enumerate() {
        let (mut seen, mut after, mut step) = (Vec::new(), None, 0);
        let (mut staying, mut second) = (live.clone(), 100 * (round as i64 + 1));
        loop {
            let page = store.walk_groups(CursorQuery { after, ..query(vec![], vec![sort.clone()]) }).await.unwrap();
            seen.extend(page.items.iter().map(|group| group.uid));
            let Some(next) = page.next else { break };
            after = Some(next);
            (step, second) = (step + 1, second + 1);
            let made = put_group(store, second, Target::New, fields(1_000 * second + step)).await.unwrap();
            live.insert(made.uid);
            // The last row of the page and one further away are deleted; another is renamed, which keeps the sort key.
            let last = page.items.last().unwrap().uid;
            for gone in [last, *live.iter().nth(step as usize * 3).unwrap()] {
                if live.remove(&gone) {
                    delete_group(store, second, GroupKey::Uid(gone)).await;
                    staying.remove(&gone);
                }
            }
            let renamed = *live.iter().nth(step as usize * 5 % live.len()).unwrap();
            let current = store.group(&GroupKey::Uid(renamed)).await.unwrap().unwrap();
            let renamed_fields = GroupFields { id: id(&format!("r{second}")), ..current.fields.clone() };
            put_group(store, second, GroupKey::Uid(renamed), renamed_fields).await.unwrap();
        }
        let distinct: BTreeSet<i64> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "repeated: {sort:?}");
        let missed: Vec<_> = staying.difference(&distinct).collect();
        assert_eq!(missed, Vec::<&i64>::new(), "{sort:?}");
    }
}

pub(crate) async fn go_through_tombstones_newest_first(store: &impl TestStore) {
    let mut expected = Vec::new();
    for at in 1..=12_u8 {
        let communities = [community(at % 2)].into();
        let made =
            make_group(store, GroupFields { communities, ..group(&format!("g{at}"), &format!("n{}", at % 3)) }).await;
        make_user(store, user(&format!("u{at}"))).await;
        // Several are deleted in the same second.
        if at % 4 > 0 {
            expected.push((10 + i64::from(at * 5 % 4), made.uid));
        }
    }
    // In the order of their times, because no change is earlier than the last one.
    expected.sort_unstable();
    for (second, uid) in &expected {
        delete_group(store, *second, GroupKey::Uid(*uid)).await;
        delete_user(store, *second, UserKey::Uid(*uid)).await;
    }
    let newest_first = |matches: fn(i64) -> bool| -> Vec<i64> {
        expected.iter().rev().map(|(_, uid)| *uid).filter(|uid| matches(*uid)).collect()
    };
    let walk = async |visibility, conditions| -> Vec<i64> {
        let query = CursorQuery { visibility, limit: 2, ..query(conditions, vec![]) };
        walked(&query, async |query| store.walk_deleted_groups(query).await)
            .await
            .iter()
            .map(|group| group.uid)
            .collect()
    };
    assert_eq!(walk(Visibility::All, vec![]).await, newest_first(|_| true));
    let odd = Visibility::Within([community(1)].into());
    assert_eq!(walk(odd, vec![]).await, newest_first(|uid| uid % 2 == 1));
    let named = Condition::Any(Field::Own(GroupField::Name), vec![Test::equal(operand("N1"))]);
    assert_eq!(walk(Visibility::All, vec![named]).await, newest_first(|uid| uid % 3 == 1));
    let users = CursorQuery { limit: 5, ..query(vec![], vec![]) };
    let users = walked(&users, async |query| store.walk_deleted_users(query).await).await;
    assert_eq!(users.iter().map(|user| user.uid).collect::<Vec<_>>(), newest_first(|_| true));
    assert!(users.iter().all(|user| user.deleted.is_some()));
}
