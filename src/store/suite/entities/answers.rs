//! Recorded answers: in the transaction of the change, for a day, and only of what succeeded.

use std::sync::Arc;

use super::long_lived_tokens::make_token;
use crate::domain::answer::Answer;
use crate::domain::client::ClientKey;
use crate::domain::community::Visibility;
use crate::domain::error::Error;
use crate::domain::idempotency::{Recording, RequestKey, Written};
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenKey};
use crate::domain::membership::{MembersChange, MembersOptions, Membership, MembershipOutcome};
use crate::domain::signing_key::PublishedKey;
use crate::store::SigningKey;
use crate::store::suite::journal::entries::put_client;
use crate::store::suite::*;

const DAY: i64 = 24 * 60 * 60;

fn key(name: &str) -> RequestKey {
    RequestKey { scope: "1/1".to_owned(), key: name.to_owned() }
}

/// An operation at the given second that records its answer: what was written, as text.
pub(crate) fn recorded(second: i64, name: &str) -> Operation {
    let render = |written: Written<'_>| {
        let body = match written {
            Written::Group(group) => group.name.clone(),
            Written::User(user) => user.fields.username.clone(),
            Written::Erased(erased) => erased.uid.to_string(),
            Written::Members(outcome) => format!("{} of {}", outcome.added, outcome.group),
            Written::Undone(outcome) => outcome.undone.to_string(),
            Written::RestoredGroup(restored) => restored.entity.fields.id.to_string(),
            Written::RestoredUser(restored) => restored.entity.fields.id.to_string(),
            Written::Client(client) => client.fields.id.clone(),
            Written::Token(token) => token.fields.id.clone(),
            Written::Key(key) => key.kid.clone(),
            Written::Unshown => String::new(),
        };
        Ok(Answer { status: 200, location: None, tag: Some("t".to_owned()), content_type: None, body })
    };
    let at = Timestamp::from_micros(second * 1_000_000);
    let fingerprint = "fingerprint".to_owned();
    let recording = Recording { key: key(name), fingerprint, at, render: Arc::new(render) };
    Operation { recording: Some(recording), ..operation(second) }
}

/// Writes a group with this name under the key.
pub(crate) async fn put(store: &impl TestStore, second: i64, name: &str, target: Target<GroupKey>) -> Result<Group> {
    let fields = group(name, "Name");
    store.write_group(recorded(second, name), target, Box::new(move |_| Ok(Mutation::Put(fields.clone())))).await
}

async fn body(store: &impl TestStore, second: i64, name: &str) -> Option<String> {
    let recorded = store.recorded_answer(&key(name), Timestamp::from_micros(second * 1_000_000)).await.unwrap();
    recorded.map(|recorded| recorded.replayed().body)
}

pub(crate) async fn are_kept_for_a_day(store: &impl TestStore) {
    let made = put(store, 10, "a", Target::New).await.unwrap();
    let answer = store.recorded_answer(&key("a"), Timestamp::from_micros(0)).await.unwrap().unwrap();
    assert_eq!((answer.fingerprint.as_str(), answer.operation.as_str()), ("fingerprint", "operation-10"));
    assert_eq!((answer.status, answer.tag.as_deref(), answer.body.as_deref()), (200, Some("t"), Some("Name")));
    for second in [11, 9 + DAY] {
        assert!(matches!(put(store, second, "a", Target::New).await, Err(Error::KeyInUse)));
        assert!(!store.clear_recorded_answers(Timestamp::from_micros(second * 1_000_000)).await.unwrap());
    }
    assert_eq!(body(store, 10 + DAY, "a").await, None);
    // An expired key is free again.
    let again = put(store, 10 + DAY, "a", GroupKey::Uid(made.uid).into()).await.unwrap();
    assert_eq!(again, made, "unchanged");
    assert_eq!(body(store, 11 + DAY, "a").await.as_deref(), Some("Name"), "recorded, though nothing changed");
    let much_later = Timestamp::from_micros(3 * DAY * 1_000_000);
    while store.clear_recorded_answers(much_later).await.unwrap() {}
    assert_eq!(store.recorded_answer(&key("a"), Timestamp::from_micros(0)).await.unwrap(), None);
}

pub(crate) async fn refused_writes_leave_the_key_free(store: &impl TestStore) {
    make_group(store, group("taken", "Name")).await;
    assert!(matches!(put(store, 2, "taken", Target::New).await, Err(Error::AlreadyExists(..))));
    let refused = store.write_group(recorded(2, "b"), Target::New, Box::new(|_| Err(Error::AlreadyDeleted))).await;
    assert!(matches!(refused, Err(Error::AlreadyDeleted)));
    let add = async |name: &str, user: &str| {
        let member = Membership { group: id("taken"), user: id(user) };
        store.add_member(recorded(2, name), Visibility::All, member).await
    };
    assert_eq!(add("c", "nobody").await.unwrap(), MembershipOutcome::NoUser);
    assert!(!store.unlock(recorded(2, "d"), 99).await.unwrap());
    for name in ["taken", "b", "c", "d"] {
        assert_eq!(body(store, 3, name).await, None, "{name}");
    }
    let change = async |name: &str, key: i64| {
        let add = MembersChange::Delta { add: vec![UserKey::Uid(key)], remove: Vec::new() };
        let (group, options) = (GroupKey::Id(id("taken")), MembersOptions::default());
        store.change_members(recorded(2, name), Visibility::All, group, add, options).await
    };
    assert!(matches!(change("f", 9).await, Err(Error::UnknownUsers(_))));
    assert_eq!(body(store, 3, "f").await, None);
    // The same keys can be used by what succeeds.
    let uid = make_user(store, user("u")).await.uid;
    for name in ["f", "g"] {
        let added = change(name, uid).await.unwrap().added;
        assert!(matches!(change(name, uid).await, Err(Error::KeyInUse)));
        assert_eq!((added, body(store, 3, name).await), (u64::from(name == "f"), Some(format!("{added} of 1"))));
    }
    store.remove_member(operation(2), Visibility::All, Membership { group: id("taken"), user: id("u") }).await.unwrap();
    assert_eq!(add("c", "u").await.unwrap(), MembershipOutcome::Done);
    assert!(matches!(add("c", "u").await, Err(Error::KeyInUse)));
    assert_eq!(add("e", "u").await.unwrap(), MembershipOutcome::Unchanged);
    assert!(store.unlock(recorded(2, "d"), uid).await.unwrap());
    for name in ["c", "d", "e"] {
        assert_eq!(body(store, 3, name).await.as_deref(), Some(""), "{name}");
    }
}

pub(crate) async fn clients_tokens_and_keys_have_them(store: &impl TestStore) {
    let client = put_client(store, 1, Target::New, true).await;
    let token = make_token(store, "t", &client, 100).await;
    let (client_key, token_key) = (ClientKey::Uid(client.uid), LongLivedTokenKey::Uid(token.uid));
    let delete_client = async || {
        store.write_client(recorded(2, "client"), client_key.clone().into(), Box::new(|_| Ok(Mutation::Delete))).await
    };
    let revoke = async || {
        let delete = Box::new(|_: Option<&LongLivedToken>| Ok(Mutation::Delete));
        store.write_long_lived_token(recorded(2, "token"), token_key.clone().into(), delete).await
    };
    let add_key = async |at: i64| {
        let published = PublishedKey { kid: "kid".to_owned(), signs_from: time(at) };
        let key = SigningKey { published, pem: "hidden pem".to_owned() };
        store.add_signing_key(recorded(2, "key"), key, false).await
    };
    revoke().await.unwrap();
    delete_client().await.unwrap();
    add_key(5).await.unwrap().unwrap();
    assert!(matches!(revoke().await, Err(Error::KeyInUse)));
    assert!(matches!(delete_client().await, Err(Error::KeyInUse)));
    assert!(matches!(add_key(6).await, Err(Error::KeyInUse)));
    for (name, shown) in [("token", "id-of-t"), ("client", "client"), ("key", "kid")] {
        assert_eq!(body(store, 3, name).await.as_deref(), Some(shown));
    }
    let published = PublishedKey { kid: "overtakes".to_owned(), signs_from: time(4) };
    let key = SigningKey { published, pem: "hidden pem".to_owned() };
    assert!(store.add_signing_key(recorded(2, "refused"), key, false).await.unwrap().is_none());
    assert_eq!(body(store, 3, "refused").await, None);
}
