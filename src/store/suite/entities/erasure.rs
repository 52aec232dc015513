//! Erasures: nothing personal of an erased user is left anywhere, and that they were there is.

use super::answers::{self, recorded};
use super::signing_in::refresh_token;
use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::erasure::Erased;
use crate::domain::error::Error;
use crate::domain::history::{
    Change, ChangeFilter, FeedQuery, HistoryOf, HistoryQuery, JoinedGroupsAtQuery, MembersAtQuery, Order, Span,
    State as Then,
};
use crate::domain::membership::{MembersChange, MembersOptions, Membership};
use crate::domain::user::UserUid;
use crate::store::RefreshToken;
use crate::store::suite::journal::batches::{group_item, letters, member_item, user_item};
use crate::store::suite::*;

/// What only the erased user has, in lower case; the last one is a part of the text index. No other text has a `q`.
const PERSONAL: [&str; 9] = [
    "qzjvora",
    "firstvora",
    "lastvora",
    "vora@home.example",
    "+49-vora",
    "vora-xp",
    "hash-of-vora",
    "qzj",
    "198.51.100.7",
];

fn person(user_id: &str) -> UserFields {
    UserFields {
        username: format!("name-of-{user_id}"),
        first_name: "FirstVora".to_owned(),
        last_name: "LastVora".to_owned(),
        email: "Vora@home.example".to_owned(),
        phone: Some("+49-vora".to_owned()),
        terms_accepted: Some(time(1)),
        xp: xp(r#"{"note":"vora-xp"}"#),
        password_set: Some(time(1)),
        ..user(user_id)
    }
}

/// Puts the fields and a password hash on the user, and records the answer, which shows the username.
async fn put(store: &impl TestStore, second: i64, key: impl Into<Target<UserKey>>, fields: UserFields) -> User {
    let update = move |_: Option<CurrentUser<'_>>| {
        Ok(Mutation::Put(UserUpdate { fields: fields.clone(), password_hash: Some("hash-of-vora".to_owned()) }))
    };
    store.write_user(recorded(second, &format!("key-{second}")), key.into(), Box::new(update)).await.unwrap()
}

/// Begins the erasure of the user.
async fn begin(store: &impl TestStore, second: i64, user: UserUid) -> Result<Erased> {
    store.begin_erasure(operation(second), user, 0, Box::new(|_| Ok(Mutation::Delete))).await
}

async fn erase(store: &impl TestStore, second: i64, user: UserUid) {
    begin(store, second, user).await.unwrap();
    store.finish_erasure(user).await.unwrap();
    assert_eq!(store.unfinished_erasures().await.unwrap(), [0; 0]);
}

/// Where the database holds something personal.
fn left(store: &impl TestStore) -> Vec<String> {
    PERSONAL.iter().flat_map(|text| store.holding(text)).collect()
}

/// A directory with user 1, who has a history in single entries and in batches, is in groups 1 and 2, and was in a third;
/// and with user 2, `ben`.
async fn directory(store: &impl TestStore) {
    for number in 1..=2 {
        make_group(store, group(&format!("g{number}"), &format!("G{number}"))).await;
    }
    put(store, 2, Target::New, person("Qzjvora")).await;
    make_user(store, user("ben")).await;
    let items = vec![
        user_item(None, user("carl")),
        user_item(None, UserFields { last_name: "LastVora2".to_owned(), ..person("Qzjvora") }),
        group_item(None, group("g3", "G3")),
        member_item("g3", "Qzjvora"),
        member_item("g1", "carl"),
    ];
    assert_eq!(letters(store, 3, items).await, "cuccc");
    let member = |group: &str| Membership { group: id(group), user: id("Qzjvora") };
    store.add_member(operation(4), Visibility::All, member("g1")).await.unwrap();
    let add = [UserKey::Uid(1), UserKey::Uid(2)].into();
    let change = MembersChange::Delta { add, remove: [].into() };
    store
        .change_members(operation(5), Visibility::All, GroupKey::Uid(2), change, MembersOptions::default())
        .await
        .unwrap();
    store.remove_member(operation(6), Visibility::All, member("g3")).await.unwrap();
    put(store, 7, UserKey::Uid(1), UserFields { email: "vora@home.example".to_owned(), ..person("Qzjvora2") }).await;
    store.keep_refresh_token(RefreshToken { user: 1, ..refresh_token("a1", "a") }, time(8)).await.unwrap();
    let origin = Origin { channel: Channel::Core, source: Some("198.51.100.7".parse().unwrap()) };
    let wrong = Some(Refusal::WrongPassword);
    let attempt = PasswordAttempt { user: 1, client: None, at: time(9), origin, wrong };
    assert_eq!(
        store.count_sign_in(attempt).await.unwrap().map(|attempt| matches!(attempt, Attempt::Failed(_))),
        Some(true)
    );
    assert!(left(store).len() >= PERSONAL.len(), "{:?}", left(store));
}

async fn history(store: &impl TestStore, of: HistoryOf) -> Vec<Change> {
    let query = HistoryQuery {
        of,
        visibility: Visibility::All,
        span: Span::default(),
        types: None,
        order: Order::Ascending,
        after: None,
        limit: 1_000,
    };
    store.history(query).await.unwrap().changes
}

pub(crate) async fn leaves_nothing_personal(store: &impl TestStore) {
    directory(store).await;
    assert_eq!(store.entries_of_user(1).await.unwrap(), 3);
    erase(store, 10, 1).await;
    assert_eq!(left(store), [""; 0]);
    let erased = store.user(&UserKey::Uid(1)).await.unwrap().unwrap();
    assert_eq!((erased.deleted, erased.erased, erased.version), (Some(time(10)), Some(time(10)), 5));
    assert_eq!(erased.fields, UserFields { generation: 1, ..person("x").emptied(1) });
    assert_eq!((erased.last_active, erased.failed_attempts, erased.locked_until), (None, 0, None));
    assert_eq!(store.refresh_token("a1", time(11)).await.unwrap(), None);
    let answer = |second| async move {
        let recording = recorded(second, &format!("key-{second}")).recording.unwrap();
        store.recorded_answer(&recording.key, time(11)).await.unwrap().unwrap().replayed().body
    };
    assert_eq!([answer(2).await, answer(7).await], ["{}", "{}"], "the requests are not repeated, but show nothing");
    // Others are as they were.
    let ben = store.user(&UserKey::Uid(2)).await.unwrap().unwrap();
    assert_eq!((ben.fields, ben.version), (user("ben"), 1));
    assert_eq!(store.group(&GroupKey::Uid(2)).await.unwrap().unwrap().members, 1);
    // ID and username are free.
    assert_eq!(put(store, 12, Target::New, person("qzjvora2")).await.uid, 4);
}

pub(crate) async fn keeps_that_it_happened(store: &impl TestStore) {
    directory(store).await;
    let types = |changes: &[Change]| changes.iter().map(|change| change.kind).collect::<Vec<_>>();
    let before = history(store, HistoryOf::User(1)).await;
    erase(store, 10, 1).await;
    let after = history(store, HistoryOf::User(1)).await;
    assert_eq!(types(&after), [types(&before), vec![ChangeType::UserDeleted, ChangeType::UserErased]].concat());
    for (now, then) in after.iter().zip(&before) {
        assert_eq!(
            (now.id, now.time, &now.operation, &now.reason),
            (then.id, then.time, &then.operation, &then.reason)
        );
    }
    for change in &after {
        let named = change.user.as_ref().unwrap();
        assert_eq!((named.uid, &*named.id, &*named.username), (1, "erased-1", ""), "{change:?}");
        for state in [&change.before, &change.after].into_iter().flatten() {
            let Then::User(state) = state else { panic!("{state:?}") };
            assert_eq!(state.fields, UserFields { generation: state.fields.generation, ..person("x").emptied(1) });
        }
    }
    let query = FeedQuery {
        visibility: Visibility::All,
        filter: ChangeFilter { users: vec![1], ..ChangeFilter::default() },
        span: Span::default(),
        order: Order::Ascending,
        after: None,
        limit: 1_000,
        is_settled: true,
    };
    let feed = store.changes(query).await.unwrap().changes;
    assert_eq!(
        feed.iter().map(|change| change.change.id).collect::<Vec<_>>(),
        Vec::from_iter(after.iter().map(|change| change.id))
    );
    // Moments before the erasure.
    let then = store.user_at(1, time(7)).await.unwrap().unwrap();
    assert_eq!((then.fields.id.as_str(), then.deleted, then.version), ("erased-1", None, 3));
    let query = MembersAtQuery { group: 2, at: time(9), after: None, limit: 10 };
    let members = store.members_at(query).await.unwrap();
    let ids: Vec<_> = members.items.iter().map(|member| member.user.fields.id.to_string()).collect();
    assert_eq!((ids, members.total), (vec!["ben".to_owned(), "erased-1".to_owned()], 2));
    let query = JoinedGroupsAtQuery { user: 1, visibility: Visibility::All, at: time(5), after: None, limit: 10 };
    let joined = store.joined_groups_at(query).await.unwrap();
    assert_eq!(joined.items.iter().map(|joined| joined.group.uid).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(store.group_at(1, time(9)).await.unwrap().unwrap().members, 2);
    assert_eq!(store.spells(1, 1).await.unwrap()[0].end, Some(time(10)));
    assert_eq!(left(store), [""; 0]);
}

pub(crate) async fn is_done_once_and_for_good(store: &impl TestStore) {
    directory(store).await;
    delete_user(store, 8, UserKey::Uid(1)).await;
    let refused: UserKey = UserKey::Uid(1);
    let refuse = Box::new(|_: Option<CurrentUser<'_>>| Err(Error::PreconditionFailed));
    let outcome = store.begin_erasure(operation(9), 1, 0, refuse).await;
    assert!(matches!(outcome, Err(Error::PreconditionFailed)), "{outcome:?}");
    assert!(matches!(begin(store, 9, 99).await, Err(Error::NotFound(..))));
    assert_eq!(store.unfinished_erasures().await.unwrap(), [0; 0]);
    erase(store, 10, 1).await;
    assert_eq!(left(store), [""; 0]);
    let types: Vec<_> = history(store, HistoryOf::User(1)).await.iter().map(|change| change.kind).collect();
    assert_eq!(types[types.len() - 2..], [ChangeType::UserDeleted, ChangeType::UserErased]);
    let entries = store.journal().len();
    assert!(matches!(begin(store, 11, 1).await, Err(Error::AlreadyErased)));
    let restore = |current: Option<CurrentUser<'_>>| {
        let fields = current.unwrap().user.fields.clone();
        Ok(Mutation::Restore(UserUpdate { fields, password_hash: None }))
    };
    let restored = store.restore_user(operation(11), refused, Box::new(restore)).await;
    assert!(matches!(restored, Err(Error::AlreadyErased)), "{restored:?}");
    assert_eq!(letters(store, 12, vec![user_item(Some(1), user("erased-1"))]).await, "!");
    assert_eq!(store.journal().len(), entries);
}

pub(crate) async fn is_finished_after_a_crash(store: &impl TestStore) {
    directory(store).await;
    begin(store, 10, 1).await.unwrap();
    let store = store.reopened("", true).await.unwrap();
    assert_eq!(store.unfinished_erasures().await.unwrap(), [1]);
    assert!(!left(&store).is_empty());
    store.finish_erasure(1).await.unwrap();
    assert_eq!((left(&store), store.unfinished_erasures().await.unwrap()), (Vec::new(), Vec::new()));
    store.finish_erasure(1).await.unwrap();
}

pub(crate) async fn empties_any_number_of_entries(store: &impl TestStore) {
    // More than those in which names are looked for.
    const CHANGES: i64 = 700;
    put(store, 1, Target::New, person("Qzjvora")).await;
    answers::put(store, 1, "other", Target::New).await.unwrap();
    for second in 2..=CHANGES {
        let fields = UserFields { first_name: format!("FirstVora{second}"), ..person("Qzjvora") };
        put_user(store, second, UserKey::Uid(1), fields).await.unwrap();
    }
    assert_eq!(store.entries_of_user(1).await.unwrap(), CHANGES as u64);
    erase(store, CHANGES + 1, 1).await;
    assert_eq!(left(store), [""; 0]);
    assert_eq!(store.journal().len() as i64, CHANGES + 3);
    let key = recorded(1, "other").recording.unwrap().key;
    let answer = store.recorded_answer(&key, time(CHANGES)).await.unwrap().unwrap();
    assert_eq!(answer.replayed().body, "{}", "any answer may show them");
}
