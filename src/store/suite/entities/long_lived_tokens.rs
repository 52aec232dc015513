//! Long-lived tokens.

use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenFields, LongLivedTokenKey};
use crate::domain::user::UserUid;
use crate::store::suite::*;
use crate::store::{ClientUpdate, LongLivedTokenUpdate};

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// Creates a client, or changes the client with this ID.
async fn put_client(store: &impl TestStore, id: &str, user: Option<UserUid>, long_lived_generation: i64) -> Client {
    let fields = ClientFields {
        id: id.to_owned(),
        name: "Client".into(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::new(),
        user,
        access_minutes: 600,
        refresh_minutes: 0,
        refresh_rotation: false,
        enabled: true,
        strict_members: false,
        max_removal_percent: None,
        generation: 0,
        long_lived_generation,
        secret_set: None,
    };
    let update = move |_: Option<&Client>| {
        Ok(Mutation::Put(ClientUpdate { fields: fields.clone(), secret_hash: Some("secret".into()) }))
    };
    store.write_client(operation(1), ClientKey::Id(id.to_owned()).into(), Box::new(update)).await.unwrap()
}

/// Creates a token whose hash, name and ID follow from `name`, and which expires at second `expires`.
pub(crate) async fn make_token(store: &impl TestStore, name: &str, client: &Client, expires: i64) -> LongLivedToken {
    let update = LongLivedTokenUpdate {
        fields: LongLivedTokenFields {
            id: format!("id-of-{name}"),
            name: name.to_owned(),
            client: client.uid,
            client_generation: client.fields.long_lived_generation,
            user: client.fields.user,
            user_generation: 0,
            expires: second(expires),
        },
        hash: format!("hidden hash of {name}"),
    };
    let put = move |_: Option<&LongLivedToken>| Ok(Mutation::Put(update.clone()));
    store.write_long_lived_token(operation(2), Target::New, Box::new(put)).await.unwrap()
}

pub(crate) async fn revoke(store: &impl TestStore, token: &LongLivedToken) -> LongLivedToken {
    let key = LongLivedTokenKey::Id(token.fields.id.to_uppercase());
    store.write_long_lived_token(operation(3), key.into(), Box::new(|_| Ok(Mutation::Delete))).await.unwrap()
}

/// The names of the tokens in the list: all, or those of one client.
async fn listed(store: &impl TestStore, client: Option<&Client>) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), 0);
    loop {
        let page = store.long_lived_tokens_after(client.map(|client| client.uid), after, 2).await.unwrap();
        let Some(last) = page.last() else { return names };
        after = last.uid;
        names.extend(page.into_iter().map(|token| token.fields.name));
    }
}

pub(crate) async fn are_found_by_hash(store: &impl TestStore) {
    let user = make_user(store, user("u")).await;
    let client = put_client(store, "c", Some(user.uid), 0).await;
    let token = make_token(store, "t", &client, 100).await;
    let find = async |hash: &str| store.long_lived_token(hash).await.unwrap();
    let (found, status) = find("hidden hash of t").await.unwrap();
    assert_eq!((&found, found.last_used, found.deleted), (&token, None, None));
    assert_eq!((status.client, status.user, status.ended), (Some(client), Some(user.clone()), false));
    assert!(find("hidden hash of T").await.is_none());
    delete_user(store, 3, UserKey::Uid(user.uid)).await;
    assert!(find("hidden hash of t").await.unwrap().1.user.unwrap().deleted.is_some());
    assert_eq!(revoke(store, &token).await.deleted, Some(second(3)));
    assert_eq!(find("hidden hash of t").await.unwrap().0.deleted, Some(second(3)));
    let other = put_client(store, "d", None, 0).await;
    make_token(store, "n", &other, 100).await;
    assert!(find("hidden hash of n").await.unwrap().1.user.is_none());
}

pub(crate) async fn are_listed_until_they_end(store: &impl TestStore) {
    let user_of = make_user(store, user("u")).await;
    let (a, b) = (put_client(store, "a", None, 0).await, put_client(store, "b", Some(user_of.uid), 0).await);
    let expiring = async || {
        let tokens = store.long_lived_tokens_expiring(second(100), second(200), 3).await.unwrap();
        tokens.into_iter().map(|token| token.fields.name).collect::<Vec<_>>()
    };
    for (name, client, expires) in
        [("a1", &a, 200), ("b1", &b, 150), ("a2", &a, 100), ("b2", &b, 201), ("a3", &a, 101), ("b3", &b, 160)]
    {
        make_token(store, name, client, expires).await;
    }
    assert_eq!(listed(store, None).await, ["a1", "b1", "a2", "b2", "a3", "b3"]);
    assert_eq!(listed(store, Some(&a)).await, ["a1", "a2", "a3"]);
    assert_eq!(expiring().await, ["a3", "b1", "b3"], "the first three of four");
    let of_b = store.long_lived_tokens_after(Some(b.uid), 0, 1).await.unwrap();
    revoke(store, &of_b[0]).await;
    assert_eq!(listed(store, Some(&b)).await, ["b2", "b3"]);
    assert_eq!(expiring().await, ["a3", "b3", "a1"]);
    put_client(store, "a", None, 1).await;
    assert_eq!(listed(store, None).await, ["b2", "b3"], "the client has another generation");
    put_user(store, 4, UserKey::Uid(user_of.uid), UserFields { generation: 1, ..user("u") }).await.unwrap();
    assert!(listed(store, None).await.is_empty() && expiring().await.is_empty(), "the user has another generation");
    put_user(store, 5, UserKey::Uid(user_of.uid), user("u")).await.unwrap();
    assert_eq!(listed(store, None).await, ["b2", "b3"]);
    put_client(store, "b", None, 0).await;
    assert!(listed(store, None).await.is_empty(), "the client acts for another user");
    put_client(store, "b", Some(user_of.uid), 0).await;
    assert_eq!(listed(store, None).await, ["b2", "b3"]);
    store.write_client(operation(6), ClientKey::Uid(b.uid).into(), Box::new(|_| Ok(Mutation::Delete))).await.unwrap();
    assert!(listed(store, None).await.is_empty() && listed(store, Some(&b)).await.is_empty());
}

pub(crate) async fn uses_are_noted(store: &impl TestStore) {
    let client = put_client(store, "c", None, 0).await;
    let token = make_token(store, "t", &client, 100).await;
    for (at, last) in [(20, 20), (10, 20), (30, 30)] {
        store.note_token_use(token.uid, second(at)).await.unwrap();
        let found = store.long_lived_token(&token.hash).await.unwrap().unwrap().0;
        assert_eq!((found.last_used, found.version), (Some(second(last)), 1));
    }
    assert_eq!(revoke(store, &token).await.last_used, Some(second(30)), "a revocation keeps it");
    store.note_token_use(99, second(1)).await.unwrap();
}

pub(crate) async fn are_journaled_without_secrets(store: &impl TestStore) {
    let client = put_client(store, "c", None, 0).await;
    let token = make_token(store, "t", &client, 100).await;
    store.note_token_use(token.uid, second(50)).await.unwrap();
    revoke(store, &token).await;
    let entries: Vec<_> = store.journal().into_iter().filter(|row| row.kind == "token").collect();
    assert_eq!(entries.iter().map(|row| &*row.change).collect::<Vec<_>>(), ["created", "deleted"]);
    for text in entries.iter().flat_map(|row| row.before.iter().chain(&row.after)) {
        assert!(text.contains("id-of-t") && text.contains(r#""client":1"#), "{text}");
        assert!(!text.contains("hidden") && !text.contains("last_used"), "{text}");
    }
}
