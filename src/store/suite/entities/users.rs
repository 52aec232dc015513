//! Users: identity, lists, deletion.

use crate::domain::Error;
use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::error::ResourceKind;
use crate::domain::query::{Comparison, Condition, Field, Filter, Page, Search, Sort, Test, UserField, UserQuery};
use crate::domain::target::Target;
use crate::domain::user::UserUid;
use crate::store::suite::*;
use crate::store::{BatchItem, ClientUpdate, ItemOutcome};

use crate::store::suite::lists::groups::operand;

async fn ids(store: &impl TestStore, conditions: Vec<Condition<UserField>>, sort: Vec<Sort<UserField>>) -> String {
    let filter = Filter { search: None, conditions };
    let listed = store.list_users(UserQuery { filter, sort, page: Page { number: 1, size: 100 } }).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items.iter().map(|user| user.fields.id.as_str()).collect()
}

pub(crate) async fn usernames_are_unique_without_case(store: &impl TestStore) {
    make_user(store, UserFields { username: "Straße".into(), ..user("a") }).await;
    let same_name = UserFields { username: "STRASSE".into(), ..user("b") };
    assert!(matches!(put_user(store, 2, Target::New, same_name).await, Err(Error::UsernameTaken)));
    assert!(matches!(put_user(store, 2, Target::New, user("A")).await, Err(Error::AlreadyExists(..))));
    let same_in_both = UserFields { username: "straße".into(), ..user("A") };
    assert!(matches!(put_user(store, 2, Target::New, same_in_both).await, Err(Error::AlreadyExists(..))));
    let found = store.user(&UserKey::Username("strasse".into())).await.unwrap().unwrap();
    assert_eq!(found.fields.username, "Straße");
    make_user(store, user("b")).await;
    let renamed = UserFields { username: "strasse".into(), ..user("b") };
    assert!(matches!(put_user(store, 3, UserKey::Id(id("b")), renamed).await, Err(Error::UsernameTaken)));
    let both = UserFields { username: "strasse".into(), ..user("a") };
    assert!(matches!(put_user(store, 3, UserKey::Id(id("b")), both).await, Err(Error::AlreadyExists(..))));
}

pub(crate) async fn lists_filter_by_type(store: &impl TestStore) {
    let (admin, reader) = (Roles::GROUP_ADMIN, Roles::GROUP_READER);
    let accepted = Timestamp::parse_iso("2020-05-01");
    make_user(store, UserFields { roles: admin, terms_accepted: accepted, phone: Some("Tel 1".into()), ..user("a") })
        .await;
    make_user(store, UserFields { roles: admin.with(reader), active: false, last_name: "Z".into(), ..user("b") }).await;
    make_user(store, UserFields { first_name: "A".into(), last_name: "z".into(), xp: xp(r#"{"k":1}"#), ..user("c") })
        .await;
    assert_eq!(ids(store, vec![], vec![]).await, "acb", "last name, then first name");
    let own = |field, test| vec![Condition::Any(Field::Own(field), vec![test])];
    assert_eq!(ids(store, own(UserField::Active, Test::equal(operand("false"))), vec![]).await, "b");
    assert_eq!(ids(store, own(UserField::Active, Test::NotEqual(operand("false"))), vec![]).await, "ac");
    let since = Test::Compare(Comparison::GreaterOrEqual, operand("2020-05-01T00:00:00Z"));
    assert_eq!(ids(store, own(UserField::TermsAccepted, since), vec![]).await, "a");
    assert_eq!(ids(store, own(UserField::TermsAccepted, Test::Absent), vec![]).await, "cb");
    assert_eq!(ids(store, own(UserField::Phone, Test::equal(operand("TEL 1"))), vec![]).await, "a");
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

pub(crate) async fn deleting_hides(store: &impl TestStore) {
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

/// Creates a client with these roles that acts for the user.
async fn acting(store: &impl TestStore, id: &str, user: UserUid, roles: Roles) -> Result<Client> {
    let fields = ClientFields {
        id: id.to_owned(),
        name: id.to_owned(),
        roles,
        communities: Communities::new(),
        user: Some(user),
        access_minutes: 1,
        refresh_minutes: 0,
        refresh_rotation: false,
        enabled: true,
        strict_members: false,
        max_removal_percent: None,
        generation: 0,
        long_lived_generation: 0,
        secret_set: None,
    };
    let values = ClientUpdate { fields, secret_hash: None };
    store.write_client(operation(2), Target::New, Box::new(move |_| Ok(Mutation::Put(values.clone())))).await
}

/// Deletes the user unless a client acts for it.
async fn delete_unless_acted_for(store: &impl TestStore, user: UserUid) -> Result<User> {
    let update = |current: Option<CurrentUser<'_>>| match current.unwrap().client_roles {
        Roles::NONE => Ok(Mutation::Delete),
        assigned => Err(Error::Forbidden { sufficient: Roles::NONE, assigned }),
    };
    store.write_user(operation(3), UserKey::Uid(user).into(), Box::new(update)).await
}

pub(crate) async fn rules_see_the_roles_of_acting_clients(store: &impl TestStore) {
    let uid = make_user(store, user("u")).await.uid;
    let other = make_user(store, user("v")).await.uid;
    acting(store, "a", uid, Roles::GROUP_READER).await.unwrap();
    acting(store, "b", uid, Roles::USER_ADMIN).await.unwrap();
    let both = Roles::GROUP_READER.with(Roles::USER_ADMIN);
    let refused = delete_unless_acted_for(store, uid).await;
    assert!(matches!(refused, Err(Error::Forbidden { assigned, .. }) if assigned == both));
    let fields = move |current: Option<CurrentUser<'_>>| {
        // A store may also call the rule without a user.
        assert!(current.is_none_or(|current| current.client_roles == both));
        Ok(UserFields { phone: Some("1".to_owned()), ..user("u") })
    };
    let written = store
        .write_batch(operation(4), vec![BatchItem::User { id: id("u"), uid: None, fields: Box::new(fields) }])
        .await;
    assert!(matches!(written.unwrap()[..], [Ok(ItemOutcome::Updated)]));
    for client in ["a", "b"] {
        let key = ClientKey::Id(client.to_owned());
        store.write_client(operation(5), key.into(), Box::new(|_| Ok(Mutation::Delete))).await.unwrap();
    }
    delete_unless_acted_for(store, uid).await.unwrap();
    let late = acting(store, "c", uid, Roles::GROUP_READER).await;
    assert!(matches!(late, Err(Error::NotFound(ResourceKind::User, _))));
    delete_unless_acted_for(store, other).await.unwrap();
}

/// If a client is created and its user deleted concurrently, one of the two fails: no client acts for a deleted user.
pub(crate) async fn a_new_client_keeps_its_user(store: &impl TestStore) {
    for round in 0..10 {
        let name = format!("u{round}");
        let uid = make_user(store, user(&name)).await.uid;
        let (made, deleted) = futures_util::future::join(
            acting(store, &name, uid, Roles::FULL_ACCESS),
            delete_unless_acted_for(store, uid),
        )
        .await;
        assert_ne!(made.is_ok(), deleted.is_ok(), "{made:?} {deleted:?}");
    }
}
