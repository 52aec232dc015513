//! Lists of one group's members and of one user's groups, page by page behind a position.

use crate::domain::actor::{NamedActor, NamedUser};
use crate::domain::community::Visibility;
use crate::domain::cursor::{Position, SortValue};
use crate::domain::error::Error;
use crate::domain::membership::{JoinedGroupKey, JoinedGroupQuery, MemberKey, MemberQuery, MembersOptions, Membership};
use crate::domain::query::{Field, Search, UserField};
use crate::store::suite::entities::member_changes::{change, delta};
use crate::store::suite::journal::batches;
use crate::store::suite::*;

fn query(key: MemberKey) -> MemberQuery {
    MemberQuery {
        visibility: Visibility::All,
        group: GroupKey::Id(id("g")),
        search: None,
        key,
        descending: false,
        after: None,
        limit: 1_000,
    }
}

/// Returns the IDs of the members on all pages, and checks that every page tells the same total.
async fn walk(store: &impl TestStore, mut query: MemberQuery) -> Vec<String> {
    let (mut ids, mut totals) = (Vec::new(), Vec::new());
    loop {
        let (_, page) = store.list_members(query.clone()).await.unwrap();
        assert!(page.items.len() <= query.limit as usize);
        ids.extend(page.items.into_iter().map(|member| member.user.fields.id.to_string()));
        totals.extend(page.total);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert!(totals.iter().all(|total| *total == ids.len() as u64), "{totals:?}, {ids:?}");
    ids
}

fn search(term: &str, fields: &[UserField]) -> Option<Search<UserField>> {
    Some(Search { term: term.to_owned(), fields: fields.iter().copied().map(Field::Own).collect() })
}

/// User `n` is `un`. The last names repeat; the odd users have signed in and have a phone. The users were neither created
/// nor added in the order of their numbers.
async fn fill(store: &impl TestStore) {
    for name in ["g", "other"] {
        make_group(store, group(name, "n")).await;
    }
    let made = |number: i64| {
        let phone = (number % 2 == 1).then(|| format!("0{}", number % 3));
        let fields = UserFields { last_name: format!("L{}", number % 4), phone, ..user(&format!("u{number}")) };
        batches::user_item(Some(number), fields)
    };
    for second in 26..=30 {
        let users = (1..=20).filter(|number| 30 - number % 5 == second).map(made);
        store.write_batch(operation(second), users.collect()).await.unwrap();
    }
    for number in (1..20).step_by(2) {
        count_sign_in(store, number, Timestamp::from_micros(1_000_000 * (200 - number)), true).await.unwrap();
    }
    for (second, first) in [(39, 8), (40, 1), (41, 14)] {
        let ids: Vec<_> = (first..first + 7).map(|number| format!("u{number}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        change(store, second, delta(&ids, &[]), MembersOptions::default()).await.unwrap();
    }
    store
        .change_members(
            operation(50),
            Visibility::All,
            GroupKey::Uid(2),
            delta(&["u3"], &[]),
            MembersOptions::default(),
        )
        .await
        .unwrap();
    delete_user(store, 60, UserKey::Uid(20)).await;
}

pub(crate) async fn every_order_is_walked(store: &impl TestStore) {
    fill(store).await;
    let since = |number: i64| match number {
        8..=14 => 39,
        ..8 => 40,
        _ => 41,
    };
    let text = |number: i64| format!("u{number}");
    let odd = |number: i64, value: i64| if number % 2 == 1 { value } else { i64::MIN };
    let key = |field, number: i64| match field {
        MemberKey::Since => (since(number), String::new()),
        MemberKey::Own(UserField::LastName) => (0, format!("l{}", number % 4)),
        MemberKey::Own(UserField::Created) => (30 - number % 5, String::new()),
        MemberKey::Own(UserField::LastActive) => (odd(number, 200 - number), String::new()),
        MemberKey::Own(UserField::Phone) => {
            (0, if number % 2 == 1 { format!("0{}", number % 3) } else { String::new() })
        }
        MemberKey::Own(_) => (0, text(number)),
    };
    let fields = [
        MemberKey::Since,
        MemberKey::Own(UserField::Id),
        MemberKey::Own(UserField::Username),
        MemberKey::Own(UserField::LastName),
        MemberKey::Own(UserField::Created),
        MemberKey::Own(UserField::LastActive),
        MemberKey::Own(UserField::Phone),
    ];
    for field in fields {
        let mut numbers: Vec<i64> = (1..20).collect();
        numbers.sort_by_key(|number| (key(field, *number), *number));
        for descending in [false, true] {
            for limit in [1, 7, 19, 100] {
                let walked = walk(store, MemberQuery { descending, limit, ..query(field) }).await;
                let expected: Vec<_> = numbers.iter().map(|number| text(*number)).collect();
                assert_eq!(walked, expected, "{field:?}, descending {descending}, {limit}");
            }
            numbers.reverse();
        }
    }
    for foreign in [vec![SortValue::Text("u1".to_owned()), SortValue::Integer(1)], vec![SortValue::Integer(1)], vec![]]
    {
        let after = Some(Position(foreign));
        let refused = store.list_members(MemberQuery { after, ..query(MemberKey::Since) }).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
}

pub(crate) async fn tell_who_is_found_and_since_when(store: &impl TestStore) {
    fill(store).await;
    let found = |term: &str, fields: &[UserField]| {
        walk(store, MemberQuery { search: search(term, fields), limit: 2, ..query(MemberKey::Own(UserField::Id)) })
    };
    assert_eq!(found("l3", &[UserField::LastName]).await, ["u11", "u15", "u19", "u3", "u7"]);
    assert_eq!(found("l3", &[UserField::Id]).await, [""; 0]);
    assert_eq!(found("9@ex", &[UserField::Id, UserField::Email]).await, ["u19", "u9"]);

    let journal = store.journal();
    let number_of = |operation: &str| journal.iter().find(|row| row.operation == operation).unwrap().seq;
    let (listed, page) = store.list_members(query(MemberKey::Since)).await.unwrap();
    assert_eq!((listed.members, listed.members_version, page.total), (19, 4, Some(19)));
    for member in &page.items {
        let second = member.since.as_micros() / 1_000_000;
        assert_eq!(member.change, Some(number_of(&format!("operation-{second}"))));
    }
    let numbers: Vec<_> = page.items.iter().filter_map(|member| member.change).chain([i64::MAX]).collect();
    let actors = store.actors(&numbers).await.unwrap();
    for member in &page.items {
        let second = member.since.as_micros() / 1_000_000;
        let operator = Some(Operator { user: format!("user-{second}"), host: format!("host-{second}") });
        let actor = NamedActor { operator, ..NamedActor::default() };
        assert_eq!(actors.get(&member.change.unwrap()), Some(&actor));
    }
    assert_eq!(actors.len(), 3);
    let (other, own) = (GroupKey::Id(id("OTHER")), UserKey::Username("U3".to_owned()));
    let member = store.member(&Visibility::All, &other, &own).await.unwrap();
    assert_eq!((member.user.uid, member.change), (3, Some(number_of("operation-50"))));

    let one = Membership { group: id("other"), user: id("u4") };
    let by_a_user = Operation { actor: Actor { user: Some(1), client: Some(9) }, ..operation(70) };
    store.add_member(by_a_user, Visibility::All, one).await.unwrap();
    let item = batches::member_item("other", "u5");
    store.write_batch(operation(71), vec![batches::group_item(None, group("h", "n")), item]).await.unwrap();
    let journal = store.journal();
    let given = journal.iter().find(|row| row.operation == "operation-70").unwrap().seq;
    let known = store.actors(&[given]).await.unwrap();
    let ada = NamedUser { uid: 1, id: "u1".to_owned(), username: "u1".to_owned() };
    assert_eq!(known.into_values().next().unwrap().user, Some(ada));
    for (user, name) in [(4, "operation-70"), (5, "operation-71")] {
        let member = store.member(&Visibility::All, &other, &UserKey::Uid(user)).await.unwrap();
        assert_eq!(member.change, Some(journal.iter().find(|row| row.operation == name).unwrap().seq));
    }

    let limited = Visibility::Within(Communities::from([community(1)]));
    let missing = async |visibility: &Visibility, group: &str, user: i64| {
        store.member(visibility, &GroupKey::Id(id(group)), &UserKey::Uid(user)).await.unwrap_err().to_string()
    };
    assert_eq!(missing(&limited, "g", 3).await, "Group g was not found");
    assert_eq!(missing(&Visibility::All, "g", 99).await, "User 99 was not found");
    assert_eq!(missing(&Visibility::All, "g", 20).await, "Membership 20 was not found");
    assert_eq!(missing(&Visibility::All, "other", 1).await, "Membership 1 was not found");
    let hidden = store.list_members(MemberQuery { visibility: limited, ..query(MemberKey::Since) }).await;
    assert!(matches!(hidden, Err(Error::NotFound(..))));
    delete_group(store, 80, GroupKey::Uid(1)).await;
    let deleted = MemberQuery { group: GroupKey::Uid(1), ..query(MemberKey::Since) };
    let (deleted, page) = store.list_members(deleted).await.unwrap();
    assert_eq!((deleted.deleted.is_some(), page.items.len(), page.total), (true, 0, Some(0)));
}

/// In a large group, a search either looks up the few users that it finds or reads the members in order.
pub(crate) async fn large_groups_are_searched(store: &impl TestStore) {
    make_group(store, group("g", "n")).await;
    let names: Vec<_> = (0..1_100).map(|number| format!("p{number:04}")).collect();
    let users = names.iter().map(|name| batches::user_item(None, user(name)));
    let members = names.iter().skip(1).map(|name| batches::member_item("g", name));
    store.write_batch(operation(2), users.chain(members).collect()).await.unwrap();
    let found = |term: &str, limit| {
        let search = search(term, &[UserField::Id, UserField::Email]);
        walk(store, MemberQuery { search, limit, ..query(MemberKey::Own(UserField::Id)) })
    };
    assert_eq!(found("p000", 4).await, names[1..10]);
    assert_eq!(found("p", 500).await, names[1..]);
    assert_eq!(found("p1", 30).await, names[1_000..]);
}

pub(crate) async fn groups_of_a_user_are_walked(store: &impl TestStore) {
    make_user(store, user("u")).await;
    let names = ["b", "a", "B", "c", "a", "d"];
    for (at, name) in names.iter().enumerate() {
        let communities = Communities::from([community((at % 2) as u8)]);
        make_group(store, GroupFields { communities, ..group(&format!("g{at}"), name) }).await;
        let added = Membership { group: id(&format!("g{at}")), user: id("u") };
        store.add_member(operation(10 + at as i64), Visibility::All, added).await.unwrap();
    }
    delete_group(store, 30, GroupKey::Id(id("g3"))).await;
    let walk = async |visibility: Visibility, key, descending| {
        let (user, after) = (UserKey::Id(id("U")), None);
        let mut query = JoinedGroupQuery { visibility, user, key, descending, after, limit: 2 };
        let mut groups = String::new();
        loop {
            let (user, page) = store.list_joined_groups(query.clone()).await.unwrap();
            assert_eq!(user.uid, 1);
            for joined in &page.items {
                assert_eq!(joined.since, Timestamp::from_micros((joined.group.uid + 9) * 1_000_000));
                assert!(joined.change.is_some());
            }
            groups.extend(page.items.iter().map(|joined| joined.group.uid.to_string()));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return (groups, page.total),
            }
        }
    };
    let (all, limited) = (|| Visibility::All, || Visibility::Within(Communities::from([community(0)])));
    assert_eq!(walk(all(), JoinedGroupKey::Uid, false).await, ("12356".to_owned(), Some(5)));
    assert_eq!(walk(all(), JoinedGroupKey::Uid, true).await, ("65321".to_owned(), Some(5)));
    assert_eq!(walk(all(), JoinedGroupKey::Name, false).await, ("25136".to_owned(), Some(5)));
    assert_eq!(walk(all(), JoinedGroupKey::Name, true).await, ("63152".to_owned(), Some(5)));
    assert_eq!(walk(limited(), JoinedGroupKey::Name, false).await, ("513".to_owned(), Some(3)));
    delete_user(store, 40, UserKey::Uid(1)).await;
    let of_deleted = |user| JoinedGroupQuery {
        visibility: all(),
        user,
        key: JoinedGroupKey::Uid,
        descending: false,
        after: None,
        limit: 2,
    };
    let (deleted, page) = store.list_joined_groups(of_deleted(UserKey::Uid(1))).await.unwrap();
    assert_eq!((deleted.deleted.is_some(), page.items.len(), page.total), (true, 0, Some(0)));
    let missing = store.list_joined_groups(of_deleted(UserKey::Id(id("u")))).await;
    assert!(matches!(missing, Err(Error::NotFound(..))));
}
