//! Recorded sign-ins.

use std::net::IpAddr;

use crate::domain::error::Error;
use crate::domain::history::{Order, Span};
use crate::domain::lockout::{LOCK_SECONDS, MAX_FAILURES};
use crate::domain::sign_in::{RecordedSignIn, SignIn, SignInFilter, SignInPosition, SignInQuery, SignInType};
use crate::store::suite::*;

fn from(host: u8) -> Origin {
    Origin { channel: Channel::OrderCloud, source: Some(IpAddr::from([192, 0, 2, host])) }
}

/// A success of the user through the client, from a source with the number of the user.
fn success(second: i64, user: UserUid, client: i64) -> SignIn {
    let origin = from(u8::try_from(user).unwrap());
    let (user, client) = (Some(user), Some(client));
    SignIn { at: time(second), kind: SignInType::Succeeded, origin, user, client, refusal: None }
}

/// An attempt with an unknown name.
fn unknown(second: i64, refusal: Refusal, origin: Origin) -> SignIn {
    SignIn { at: time(second), kind: SignInType::Failed, origin, user: None, client: None, refusal: Some(refusal) }
}

fn query(filter: SignInFilter, order: Order, limit: u32) -> SignInQuery {
    SignInQuery { filter, span: Span::default(), order, after: None, limit }
}

/// Waits until readers have so many records. On PostgreSQL, transactions of other tests can hold them back.
async fn settled(store: &impl TestStore, count: usize) {
    while walk(store, query(SignInFilter::default(), Order::Descending, 1_000)).await.len() < count {}
}

/// Reads to the end, page by page.
async fn walk(store: &impl TestStore, mut query: SignInQuery) -> Vec<RecordedSignIn> {
    let mut all = Vec::new();
    loop {
        let page = store.sign_ins(query.clone()).await.unwrap();
        assert!(page.sign_ins.len() <= query.limit as usize);
        all.extend(page.sign_ins);
        if !page.more {
            return all;
        }
        query.after = page.next;
    }
}

/// The number of the second of each record.
fn seconds(sign_ins: &[RecordedSignIn]) -> Vec<i64> {
    sign_ins.iter().map(|sign_in| sign_in.at.as_micros() / 1_000_000).collect()
}

pub(crate) async fn are_read_in_order_by_any_filter(store: &impl TestStore) {
    for name in ["ada", "bob", "eve"] {
        make_user(store, user(name)).await;
    }
    let recorded: Vec<_> = (1..=700).map(|second| success(second, 1 + second % 3, second % 2)).collect();
    for part in recorded.chunks(300) {
        store.record_sign_ins(part.to_vec()).await.unwrap();
    }
    settled(store, recorded.len()).await;
    let expected = |is_wanted: &dyn Fn(&SignIn) -> bool| -> Vec<i64> {
        let wanted = recorded.iter().filter(|sign_in| is_wanted(sign_in));
        wanted.map(|sign_in| sign_in.at.as_micros() / 1_000_000).collect()
    };
    let (all, users) =
        (SignInFilter::default(), |users: &[i64]| SignInFilter { users: users.to_vec(), ..Default::default() });
    let sources = |hosts: &[u8]| SignInFilter {
        sources: hosts.iter().map(|host| from(*host).source.unwrap()).collect(),
        ..SignInFilter::default()
    };
    let is_of = |users: &'static [i64]| move |sign_in: &SignIn| users.contains(&sign_in.user.unwrap());
    for (filter, expected) in [
        (all.clone(), expected(&|_| true)),
        (users(&[2]), expected(&is_of(&[2]))),
        (users(&[3, 1]), expected(&is_of(&[1, 3]))),
        (SignInFilter { clients: vec![1], ..all.clone() }, expected(&|sign_in| sign_in.client == Some(1))),
        (
            SignInFilter { clients: vec![1], ..users(&[1, 2]) },
            expected(&|own| own.client == Some(1) && is_of(&[1, 2])(own)),
        ),
        (sources(&[1, 2]), expected(&is_of(&[1, 2]))),
        (SignInFilter { users: vec![2], ..sources(&[1]) }, Vec::new()),
        (SignInFilter { types: vec![SignInType::Failed], ..all.clone() }, Vec::new()),
        (SignInFilter { channels: vec![Channel::Core], ..all.clone() }, Vec::new()),
        (SignInFilter { channels: vec![Channel::Core, Channel::OrderCloud], ..users(&[3]) }, expected(&is_of(&[3]))),
    ] {
        for limit in [7, 1_000] {
            let found = walk(store, query(filter.clone(), Order::Ascending, limit)).await;
            assert_eq!(seconds(&found), expected, "{filter:?}");
            let mut backwards = walk(store, query(filter.clone(), Order::Descending, limit)).await;
            backwards.reverse();
            assert_eq!(backwards, found, "{filter:?}");
        }
    }
    for order in [Order::Ascending, Order::Descending] {
        let span = Span { since: Some(time(300)), until: Some(time(420)) };
        let mut found = seconds(&walk(store, SignInQuery { span, ..query(users(&[2]), order, 5) }).await);
        if order == Order::Descending {
            found.reverse();
        }
        assert_eq!(found, expected(&|own| own.user == Some(2) && span.contains(own.at)));
    }
    let first = &store.sign_ins(query(all, Order::Ascending, 1)).await.unwrap().sign_ins[0];
    assert_eq!((first.kind, first.channel, first.count), (SignInType::Succeeded, Channel::OrderCloud, 1));
    assert_eq!((first.user.as_ref().unwrap().username.as_str(), first.reason.as_deref()), ("bob", None));
    assert_eq!((first.source.as_deref(), first.client.as_ref()), (Some("192.0.2.2"), None), "there is no such client");
    assert_eq!(store.latest_operation().await.unwrap().as_deref(), Some("operation-1"), "the journal has none");
}

pub(crate) async fn unknown_names_of_a_minute_are_one_record(store: &impl TestStore) {
    let attempts = [
        unknown(60, Refusal::UnknownUser, from(1)),
        unknown(61, Refusal::UnknownUser, from(1)),
        unknown(62, Refusal::UnknownUser, from(2)),
        unknown(63, Refusal::UnknownClient, from(1)),
        unknown(120, Refusal::UnknownUser, from(1)),
    ];
    store.record_sign_ins(attempts.to_vec()).await.unwrap();
    store.record_sign_ins(vec![unknown(119, Refusal::UnknownUser, from(1))]).await.unwrap();
    settled(store, 4).await;
    let found = walk(store, query(SignInFilter::default(), Order::Ascending, 10)).await;
    let counts = found.iter().map(|own| (own.at, own.count, own.source.clone().unwrap(), own.reason.clone().unwrap()));
    let expected = [
        (60, 3, 1, "unknown user"),
        (62, 1, 2, "unknown user"),
        (63, 1, 1, "unknown client"),
        (120, 1, 1, "unknown user"),
    ];
    let expected = expected
        .map(|(second, count, host, reason)| (time(second), count, format!("192.0.2.{host}"), reason.to_owned()));
    assert_eq!(counts.collect::<Vec<_>>(), expected);
}

pub(crate) async fn refused_passwords_are_recorded_as_they_are_counted(store: &impl TestStore) {
    let uid = make_user(store, user("ada")).await.uid;
    let attempt = async |second, wrong| {
        let attempt = PasswordAttempt { user: uid, client: Some(7), at: time(second), origin: from(1), wrong };
        store.count_sign_in(attempt).await.unwrap()
    };
    let wrong = Some(Refusal::WrongPassword);
    assert_eq!(attempt(1, None).await, Some(Attempt::Succeeded), "a success is recorded by who issues the token");
    for _ in 0..MAX_FAILURES {
        attempt(2, wrong).await;
    }
    assert_eq!(attempt(3, None).await, Some(Attempt::LockedOut));
    attempt(3 + LOCK_SECONDS, Some(Refusal::NoPassword)).await;
    put_user(store, 4, UserKey::Uid(uid), UserFields { active: false, ..user("ada") }).await.unwrap();
    assert_eq!(attempt(5 + LOCK_SECONDS, None).await, None);
    let failures = usize::try_from(MAX_FAILURES).unwrap();
    settled(store, failures + 3).await;
    let found = walk(store, query(SignInFilter::default(), Order::Ascending, 10)).await;
    let told: Vec<_> = found.iter().map(|own| (own.kind.name(), own.reason.as_deref().unwrap())).collect();
    assert_eq!(told[..failures - 1], vec![("sign_in.failed", "wrong password"); failures - 1]);
    let rest = [
        ("sign_in.locked", "wrong password"),
        ("sign_in.locked", "locked"),
        ("sign_in.failed", "no password"),
        ("sign_in.failed", "inactive"),
    ];
    assert_eq!(told[failures - 1..], rest);
    assert!(found.iter().all(|own| own.user.as_ref().is_some_and(|user| user.uid == uid) && own.count == 1));
}

pub(crate) async fn old_ones_are_deleted_and_their_positions_end(store: &impl TestStore) {
    let recorded: Vec<_> = (1..=1_200).map(|second| success(second, 1, 1)).collect();
    store.record_sign_ins(recorded).await.unwrap();
    settled(store, 1_200).await;
    let all = |after| SignInQuery { after, ..query(SignInFilter::default(), Order::Ascending, 10) };
    let first = store.sign_ins(all(None)).await.unwrap().next.unwrap();
    store.sign_ins(all(Some(first))).await.unwrap();
    for other in [SignInPosition { seq: 9_999, ..first }, SignInPosition { at: time(9), ..first }] {
        assert!(matches!(store.sign_ins(all(Some(other))).await, Err(Error::NoLongerKept)));
    }
    assert!(store.clear_sign_ins(time(1_101)).await.unwrap(), "one step does not delete all");
    while store.clear_sign_ins(time(1_101)).await.unwrap() {}
    assert!(matches!(store.sign_ins(all(Some(first))).await, Err(Error::NoLongerKept)));
    let kept = walk(store, all(None)).await;
    assert_eq!(seconds(&kept), (1_101..=1_200).collect::<Vec<_>>());
    let last = store.sign_ins(SignInQuery { limit: 1_000, ..all(None) }).await.unwrap().next;
    let nothing = store.sign_ins(all(last)).await.unwrap();
    assert_eq!((nothing.sign_ins.len(), nothing.next, nothing.more), (0, last, false));
}
