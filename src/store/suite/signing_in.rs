//! What signing in and tokens leave in a store.

use super::*;
use crate::domain::user::{LOCK_SECONDS, MAX_FAILURES};
use crate::store::{RefreshToken, SigningKey};

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub async fn ten_failures_lock(store: &impl TestStore) {
    let uid = make_user(store, user("u")).await.uid;
    let count = async |at, succeeded| store.count_sign_in(uid, second(at), succeeded).await.unwrap();
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
    assert_eq!((kept.user.failed_attempts, kept.locked_until), (MAX_FAILURES, Some(second(40 + LOCK_SECONDS))));
    assert!(!count(40 + LOCK_SECONDS, false).await, "after the lock the count starts anew");
    assert!(count(41 + LOCK_SECONDS, true).await);
    let kept = store.credentials("u").await.unwrap().unwrap();
    assert_eq!((kept.user.failed_attempts, kept.user.last_active), (0, Some(second(41 + LOCK_SECONDS))));
    for _ in 0..MAX_FAILURES {
        count(5_000, false).await;
    }
    assert!(store.unlock(uid).await.unwrap());
    assert!(count(5_001, true).await);
    put_user(store, 6_000, UserKey::Id(id("u")), UserFields { active: false, ..user("u") }).await.unwrap();
    assert!(!count(6_001, true).await, "inactive users do not come in");
    assert!(!store.unlock(99).await.unwrap());
}

/// A refresh token that expires at second 1,000.
pub fn refresh_token(hash: &str, family: &str) -> RefreshToken {
    RefreshToken {
        hash: hash.to_owned(),
        family: family.to_owned(),
        user: 1,
        client: 1,
        user_generation: 0,
        client_generation: 0,
        scope: Some(3),
        expires: second(1_000),
    }
}

pub async fn refresh_tokens_are_used_once(store: &impl TestStore) {
    for (hash, family) in [("a1", "a"), ("b1", "b")] {
        store.keep_refresh_token(refresh_token(hash, family), second(1)).await.unwrap();
    }
    let rotate = async |hash: &str, next: &'static str, at| {
        let successor = move |token: &RefreshToken| Ok(RefreshToken { hash: next.to_owned(), ..token.clone() });
        store.rotate_refresh_token(hash, second(at), Box::new(successor)).await.unwrap()
    };
    assert_eq!(rotate("a1", "a2", 2).await, Some(refresh_token("a2", "a")));
    assert_eq!(rotate("unknown", "x", 2).await, None);
    assert_eq!(rotate("a1", "a3", 3).await, None, "used before");
    assert_eq!(rotate("a2", "a4", 4).await, None, "its family has ended");
    assert_eq!(rotate("b1", "b2", 1_000).await, None, "expired");
    assert_eq!(rotate("b1", "b2", 999).await.map(|token| token.hash), Some("b2".to_owned()));
    let refused = Box::new(|_: &RefreshToken| Err(crate::domain::Error::InvalidRefreshToken));
    assert!(store.rotate_refresh_token("b2", second(5), refused).await.is_err());
    assert!(rotate("b2", "b3", 6).await.is_some(), "a refusal uses nothing up");
}

pub async fn ended_tokens_are_known(store: &impl TestStore) {
    let uid = make_user(store, user("u")).await.uid;
    store.end_token("t1", second(100), second(1)).await.unwrap();
    store.end_token("t1", second(100), second(1)).await.unwrap();
    assert!(store.token_standing(None, None, "t1").await.unwrap().ended);
    let other = store.token_standing(Some(uid), Some(7), "t2").await.unwrap();
    assert!(!other.ended && other.client.is_none() && other.user.is_some());
    store.end_token("t2", second(300), second(100)).await.unwrap();
    assert!(!store.token_standing(None, None, "t1").await.unwrap().ended, "it expired by itself");
    delete_user(store, 2, UserKey::Uid(uid)).await;
    assert!(store.token_standing(Some(uid), None, "t").await.unwrap().user.unwrap().deleted.is_some());
}

pub async fn keys_are_kept(store: &impl TestStore) {
    let key = |kid: &str, at| SigningKey { kid: kid.to_owned(), pem: format!("pem {kid}"), signs_from: second(at) };
    assert!(store.signing_keys().await.unwrap().is_empty());
    store.add_signing_key(key("one", 1), true).await.unwrap();
    store.add_signing_key(key("lost the race", 2), true).await.unwrap();
    store.add_signing_key(key("two", 3), false).await.unwrap();
    let kids: Vec<_> = store.signing_keys().await.unwrap().into_iter().map(|key| (key.kid, key.pem)).collect();
    assert_eq!(kids, [("two".to_owned(), "pem two".to_owned()), ("one".to_owned(), "pem one".to_owned())]);
    assert!(!store.has_clients().await.unwrap());
    store.ready().await.unwrap();
}
