//! Sessions and setup codes.

use crate::domain::session::{SESSIONS_MAX, Session};
use crate::store::suite::*;

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn session(name: &str, user: i64, began: i64) -> Session {
    Session {
        hash: format!("hash of {name}"),
        id: format!("id of {name}"),
        user,
        generation: 3,
        created: second(began),
        seen: second(began),
        expires: second(began + 1_000),
    }
}

async fn names(store: &impl TestStore, user: i64) -> Vec<String> {
    store.sessions_of(user).await.unwrap().into_iter().map(|own| own.id.replace("id of ", "")).collect()
}

pub(crate) async fn sessions_are_found_with_their_user(store: &impl TestStore) {
    let ada = make_user(store, user("ada")).await;
    let begun = session("one", ada.uid, 10);
    store.start_session(begun.clone()).await.unwrap();
    let (found, of) = store.session("hash of one").await.unwrap().unwrap();
    assert_eq!((&found, of.uid), (&begun, ada.uid));
    assert!(store.session("hash of two").await.unwrap().is_none());
    store.note_session_use("hash of one", second(70)).await.unwrap();
    store.note_session_use("hash of one", second(60)).await.unwrap();
    assert_eq!(store.session("hash of one").await.unwrap().unwrap().0.seen, second(70), "an earlier use is no news");
}

pub(crate) async fn sessions_end_by_name_for_their_user_alone(store: &impl TestStore) {
    let (ada, bram) = (make_user(store, user("ada")).await.uid, make_user(store, user("bram")).await.uid);
    for (name, user, began) in [("one", ada, 10), ("two", ada, 20), ("three", bram, 30)] {
        store.start_session(session(name, user, began)).await.unwrap();
    }
    assert_eq!(names(store, ada).await, ["two", "one"]);
    assert!(!store.end_session(bram, "id of one").await.unwrap());
    assert!(store.end_session(ada, "id of one").await.unwrap());
    assert!(!store.end_session(ada, "id of one").await.unwrap());
    assert_eq!(names(store, ada).await, ["two"]);
    store.end_sessions(ada).await.unwrap();
    assert_eq!((names(store, ada).await.len(), names(store, bram).await.len()), (0, 1));
}

pub(crate) async fn expired_and_surplus_sessions_go(store: &impl TestStore) {
    let ada = make_user(store, user("ada")).await.uid;
    store.start_session(session("expired", ada, 0)).await.unwrap();
    for at in 0..=i64::from(SESSIONS_MAX) {
        store.start_session(session(&format!("s{at}"), ada, 2_000 + at)).await.unwrap();
    }
    let left = names(store, ada).await;
    assert_eq!((left.len(), left.last().map(String::as_str)), (SESSIONS_MAX as usize, Some("s1")));
    assert!(store.session("hash of expired").await.unwrap().is_none());
}

pub(crate) async fn a_setup_code_is_used_once(store: &impl TestStore) {
    store.keep_setup_code("one", second(100), second(0)).await.unwrap();
    store.keep_setup_code("two", second(200), second(0)).await.unwrap();
    assert_eq!(store.setup_code("one", second(99)).await.unwrap(), Some(second(100)));
    assert_eq!(store.setup_code("one", second(100)).await.unwrap(), None);
    assert!(!store.use_setup_code("one", second(100)).await.unwrap(), "it has expired");
    assert!(!store.use_setup_code("three", second(50)).await.unwrap());
    assert!(store.use_setup_code("two", second(50)).await.unwrap());
    assert!(!store.use_setup_code("two", second(50)).await.unwrap());
    assert!(!store.use_setup_code("one", second(50)).await.unwrap(), "one code uses up all");
}

pub(crate) async fn an_administrator_is_a_live_user_with_every_role(store: &impl TestStore) {
    assert!(!store.has_administrator().await.unwrap());
    let roles = Roles::GROUP_READER.with(Roles::AUDITOR);
    make_user(store, UserFields { roles, ..user("reader") }).await;
    assert!(!store.has_administrator().await.unwrap());
    let roles = Roles::FULL_ACCESS.with(Roles::AUDITOR);
    let all = make_user(store, UserFields { roles, ..user("all") }).await;
    assert!(store.has_administrator().await.unwrap());
    delete_user(store, 9, UserKey::Uid(all.uid)).await;
    assert!(!store.has_administrator().await.unwrap());
}
