//! Sign-ins, tokens and signing keys.

use crate::domain::lockout::{LOCK_SECONDS, MAX_FAILURES};
use crate::domain::signing_key::PublishedKey;
use crate::store::suite::*;
use crate::store::{RefreshToken, SigningKey};

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub(crate) async fn ten_failures_lock(store: &impl TestStore) {
    let uid = make_user(store, user("u")).await.uid;
    let count = async |at, succeeded| count_sign_in(store, uid, second(at), succeeded).await.unwrap();
    assert!(count(10, true).await);
    for at in 0..MAX_FAILURES - 1 {
        assert!(!count(20 + at, false).await);
    }
    assert!(count(30, true).await, "a success before the tenth failure clears the count");
    for _ in 0..MAX_FAILURES {
        assert!(!count(40, false).await);
    }
    assert!(!count(41, true).await && !count(40 + LOCK_SECONDS - 1, true).await);
    let kept = store.credentials("u").await.unwrap().unwrap();
    assert_eq!((kept.user.failed_attempts, kept.user.locked_until), (MAX_FAILURES, Some(second(40 + LOCK_SECONDS))));
    assert!(!count(40 + LOCK_SECONDS, false).await, "after the lock the count starts anew");
    assert!(count(41 + LOCK_SECONDS, true).await);
    let kept = store.credentials("u").await.unwrap().unwrap();
    assert_eq!((kept.user.failed_attempts, kept.user.last_active), (0, Some(second(41 + LOCK_SECONDS))));
    for _ in 0..MAX_FAILURES {
        count(5_000, false).await;
    }
    assert!(store.unlock(operation(3), uid).await.unwrap());
    let journaled = store.journal().pop().unwrap();
    assert_eq!((&*journaled.kind, &*journaled.change, journaled.subject), ("user", "updated", uid));
    assert_eq!((journaled.reason.as_deref(), &journaled.before), (Some("reason-3"), &journaled.after));
    assert!(count(5_001, true).await);
    put_user(store, 6_000, UserKey::Id(id("u")), UserFields { active: false, ..user("u") }).await.unwrap();
    assert!(!count(6_001, true).await, "inactive users cannot sign in");
    assert!(!store.unlock(operation(3), 99).await.unwrap());
}

/// Returns a refresh token that expires at second 1,000.
pub(crate) fn refresh_token(hash: &str, family: &str) -> RefreshToken {
    RefreshToken {
        hash: hash.to_owned(),
        family: family.to_owned(),
        salt: format!("salt of {hash}"),
        user: 1,
        client: 1,
        user_generation: 0,
        client_generation: 0,
        scope: Some(3),
        expires: second(1_000),
    }
}

pub(crate) async fn refresh_tokens_are_kept_until_they_expire(store: &impl TestStore) {
    let token = refresh_token("a1", "a");
    store.keep_refresh_token(token.clone(), second(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(store.refresh_token("a1", second(999)).await.unwrap().as_ref(), Some(&token));
    }
    assert_eq!(store.refresh_token("a1", second(1_000)).await.unwrap(), None);
    assert_eq!(store.refresh_token("unknown", second(2)).await.unwrap(), None);
}

pub(crate) async fn rotated_refresh_tokens_are_used_once(store: &impl TestStore) {
    store.keep_refresh_token(refresh_token("a1", "a"), second(1)).await.unwrap();
    let rotate = async |hash: &str, next: &str, at| {
        store.rotate_refresh_token(hash, refresh_token(next, "a"), second(2_000), second(at)).await.unwrap()
    };
    let is_ended = async || store.token_status(None, None, &["t", "a"]).await.unwrap().ended;
    assert!(!rotate("unknown", "x", 2).await && !rotate("a1", "a2", 1_000).await, "unknown; expired");
    assert_eq!(store.refresh_token("a2", second(2)).await.unwrap(), None);
    assert!(rotate("a1", "a2", 100).await && rotate("a2", "a3", 110).await);
    assert!(rotate("a1", "a2", 129).await && rotate("a1", "a2", 99).await, "the grace, and a clock that is behind");
    assert!(store.refresh_token("a3", second(130)).await.unwrap().is_some());
    assert!(!is_ended().await);
    assert!(!rotate("a1", "a2", 130).await, "a replay");
    assert!(is_ended().await);
}

/// Of several concurrent uses, one stores the successor and all succeed.
pub(crate) async fn refresh_tokens_rotate_together(store: &impl TestStore) {
    store.keep_refresh_token(refresh_token("a1", "a"), second(1)).await.unwrap();
    let rotate = || store.rotate_refresh_token("a1", refresh_token("a2", "a"), second(2_000), second(2));
    let rotated = futures_util::future::join_all((0..8).map(|_| rotate())).await;
    assert!(rotated.into_iter().all(|rotated| matches!(rotated, Ok(true))));
}

pub(crate) async fn ended_tokens_are_known(store: &impl TestStore) {
    let uid = make_user(store, user("u")).await.uid;
    store.end_token("t1", second(100), second(1)).await.unwrap();
    store.end_token("t1", second(99), second(1)).await.unwrap();
    let is_ended = async |names: &[&str]| store.token_status(None, None, names).await.unwrap().ended;
    assert!(is_ended(&["t1"]).await && is_ended(&["t2", "t1"]).await && !is_ended(&[]).await);
    let other = store.token_status(Some(uid), Some(7), &["t2", "T1"]).await.unwrap();
    assert!(!other.ended && other.client.is_none() && other.user.is_some());
    store.end_token("t2", second(300), second(99)).await.unwrap();
    assert!(is_ended(&["t1"]).await, "the later end counts");
    store.end_token("t2", second(300), second(100)).await.unwrap();
    assert!(!is_ended(&["t1"]).await, "it expired by itself");
    delete_user(store, 2, UserKey::Uid(uid)).await;
    assert!(store.token_status(Some(uid), None, &["t"]).await.unwrap().user.unwrap().deleted.is_some());
}

pub(crate) async fn keys_are_kept(store: &impl TestStore) {
    let add = async |kid: &str, at: i64, only_first: bool| {
        let published = PublishedKey { kid: kid.to_owned(), signs_from: second(at) };
        let key = SigningKey { published: published.clone(), pem: format!("hidden pem of {kid}") };
        let added = store.add_signing_key(operation(at), key, only_first).await.unwrap();
        assert!(added.is_none() || added == Some(published));
        added.is_some()
    };
    assert!(store.signing_keys().await.unwrap().is_empty());
    assert!(add("one", 1, true).await);
    assert!(!add("lost the race", 2, true).await);
    assert!(add("two", 3, false).await);
    for earlier in [2, 3] {
        assert!(!add("overtakes", earlier, false).await);
    }
    let kept: Vec<_> =
        store.signing_keys().await.unwrap().into_iter().map(|key| (key.published.kid, key.pem)).collect();
    let expected = [("two", "hidden pem of two"), ("one", "hidden pem of one")];
    assert_eq!(kept, expected.map(|(kid, pem)| (kid.to_owned(), pem.to_owned())));
    assert!(!store.has_clients().await.unwrap());
    store.ready().await.unwrap();
}

pub(crate) async fn keys_are_journaled_without_their_material(store: &impl TestStore) {
    for (kid, at) in [("one", 1), ("two", 3), ("overtakes", 2)] {
        let published = PublishedKey { kid: kid.to_owned(), signs_from: second(at) };
        let key = SigningKey { published, pem: format!("hidden pem of {kid}") };
        store.add_signing_key(operation(at), key, false).await.unwrap();
    }
    let entries = store.journal();
    let who: Vec<_> = entries.iter().map(|row| (&*row.kind, &*row.change, row.reason.as_deref(), row.at)).collect();
    let created =
        |at: i64| ("key", "created", if at == 1 { Some("reason-1") } else { Some("reason-3") }, at * 1_000_000);
    assert_eq!(who, [created(1), created(3)]);
    assert_eq!(entries[1].after.as_deref(), Some(r#"{"kid":"two","signs_from":3000000}"#));
    assert_eq!((entries[1].operator_user.as_deref(), entries[1].before.as_deref()), (Some("user-3"), None));
}
