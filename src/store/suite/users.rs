//! Users: identity, lists, deletion.

use super::*;
use crate::domain::Error;
use crate::domain::query::{Comparison, Condition, Field, Filter, Page, Search, Sort, Test, UserField, UserQuery};

use super::lists::operand;

async fn ids(store: &impl TestStore, conditions: Vec<Condition<UserField>>, sort: Vec<Sort<UserField>>) -> String {
    let filter = Filter { search: None, conditions };
    let listed = store.list_users(UserQuery { filter, sort, page: Page { number: 1, size: 100 } }).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items.iter().map(|user| user.fields.id.as_str()).collect()
}

pub async fn usernames_are_unique_without_case(store: &impl TestStore) {
    make_user(store, UserFields { username: "Straße".into(), ..user("a") }).await;
    let same_name = UserFields { username: "STRASSE".into(), ..user("b") };
    assert!(matches!(put_user(store, 2, UserKey::New, same_name).await, Err(Error::UsernameTaken)));
    assert!(matches!(put_user(store, 2, UserKey::New, user("A")).await, Err(Error::AlreadyExists(..))));
    let same_in_both = UserFields { username: "straße".into(), ..user("A") };
    assert!(matches!(put_user(store, 2, UserKey::New, same_in_both).await, Err(Error::AlreadyExists(..))));
    let found = store.user(&UserKey::Username("strasse".into())).await.unwrap().unwrap();
    assert_eq!(found.fields.username, "Straße");
    make_user(store, user("b")).await;
    let renamed = UserFields { username: "strasse".into(), ..user("b") };
    assert!(matches!(put_user(store, 3, UserKey::Id(id("b")), renamed).await, Err(Error::UsernameTaken)));
    let both = UserFields { username: "strasse".into(), ..user("a") };
    assert!(matches!(put_user(store, 3, UserKey::Id(id("b")), both).await, Err(Error::AlreadyExists(..))));
}

pub async fn lists_filter_by_type(store: &impl TestStore) {
    let (admin, reader) = (Roles::GROUP_ADMIN, Roles::GROUP_READER);
    let accepted = Timestamp::parse_iso("2020-05-01");
    make_user(store, UserFields { roles: admin, terms_accepted: accepted, phone: Some("Tel 1".into()), ..user("a") })
        .await;
    make_user(store, UserFields { roles: admin.with(reader), active: false, last_name: "Z".into(), ..user("b") }).await;
    make_user(store, UserFields { first_name: "A".into(), last_name: "z".into(), xp: xp(r#"{"k":1}"#), ..user("c") })
        .await;
    assert_eq!(ids(store, vec![], vec![]).await, "acb", "last name, then first name");
    let own = |field, test| vec![Condition::Any(Field::Own(field), vec![test])];
    assert_eq!(ids(store, own(UserField::Active, Test::Equal(operand("false"))), vec![]).await, "b");
    assert_eq!(ids(store, own(UserField::Active, Test::NotEqual(operand("false"))), vec![]).await, "ac");
    let since = Test::Compare(Comparison::GreaterOrEqual, operand("2020-05-01T00:00:00Z"));
    assert_eq!(ids(store, own(UserField::TermsAccepted, since), vec![]).await, "a");
    assert_eq!(ids(store, own(UserField::TermsAccepted, Test::Absent), vec![]).await, "cb");
    assert_eq!(ids(store, own(UserField::Phone, Test::Equal(operand("TEL 1"))), vec![]).await, "a");
    assert_eq!(
        ids(store, own(UserField::FailedAttempts, Test::Compare(Comparison::Less, operand("1"))), vec![]).await,
        "acb"
    );
    assert_eq!(
        ids(store, own(UserField::Created, Test::Compare(Comparison::Greater, operand("2020-01-01"))), vec![]).await,
        ""
    );
    assert_eq!(ids(store, vec![Condition::Roles(vec![(reader, true)])], vec![]).await, "b");
    assert_eq!(ids(store, vec![Condition::Roles(vec![(admin, false), (reader, true)])], vec![]).await, "cb");
    assert_eq!(ids(store, vec![Condition::Never], vec![]).await, "");
    assert_eq!(ids(store, vec![Condition::Any(Field::Xp("k".into()), vec![Test::Present])], vec![]).await, "c");
    let by_first_name = Sort { field: Field::Own(UserField::FirstName), descending: false };
    assert_eq!(ids(store, vec![], vec![by_first_name]).await, "cab");
}

pub async fn deleting_hides(store: &impl TestStore) {
    let made = make_user(store, user("gone")).await;
    make_user(store, user("here")).await;
    delete_user(store, 2, UserKey::Id(id("gone"))).await;
    assert_eq!(store.user(&UserKey::Id(id("gone"))).await.unwrap(), None);
    assert_eq!(store.user(&UserKey::Username("gone".into())).await.unwrap(), None);
    assert!(store.credentials("gone").await.unwrap().is_none());
    assert!(store.user(&UserKey::Uid(made.uid)).await.unwrap().unwrap().deleted.is_some());
    assert_eq!(ids(store, vec![], vec![]).await, "here");
    let search = Some(Search { term: "gone".into(), fields: vec![Field::Own(UserField::Email)] });
    let query =
        UserQuery { filter: Filter { search, conditions: vec![] }, sort: vec![], page: Page { number: 1, size: 1 } };
    assert_eq!(store.list_users(query).await.unwrap().total, 0);
    assert_eq!(make_user(store, user("gone")).await.uid, 3);
}
