//! The journal: the directory can be rebuilt from it, and it contains no secrets.

use std::collections::HashMap;

use super::batches::{group_item, member_item, user_item};
use super::replay::{Members, changes, changes_of, read};
use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::community::Visibility;
use crate::domain::membership::{MembersChange, MembersOptions, Membership};
use crate::domain::target::Target;
use crate::store::ClientUpdate;
use crate::store::sql::journal::MembersEntry;
use crate::store::sql::journal::batch_entry::{BatchEntities, PIECE_BYTES};
use crate::store::suite::entities::long_lived_tokens::{make_token, revoke};
use crate::store::suite::*;

fn micros(time: i64) -> Timestamp {
    Timestamp::from_micros(time)
}

pub(crate) async fn put_client(
    store: &impl TestStore,
    second: i64,
    key: impl Into<Target<ClientKey>>,
    enabled: bool,
) -> Client {
    let fields = ClientFields {
        id: "client".into(),
        name: "Client".into(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::from([community(1)]),
        user: None,
        access_minutes: 600,
        refresh_minutes: 0,
        refresh_rotation: true,
        enabled,
        strict_members: true,
        max_removal_percent: Some(17),
        generation: 0,
        long_lived_generation: 0,
        secret_set: Some(micros(second)),
    };
    let values = ClientUpdate { fields, secret_hash: Some("hidden secret hash".into()) };
    let update = Box::new(move |_: Option<&Client>| Ok(Mutation::Put(values.clone())));
    store.write_client(operation(second), key.into(), update).await.unwrap()
}

/// Performs every kind of write on every kind of entity.
pub(crate) async fn write_every_kind(store: &impl TestStore) {
    for name in ["g1", "g2", "g3", "g4"] {
        let fields = GroupFields { xp: xp(r#"{"k":[1,"Two",{"x":null}]}"#), ..group(name, name) };
        make_group(store, GroupFields { communities: Communities::from([community(1)]), ..fields }).await;
    }
    for name in ["u1", "u2", "u3"] {
        make_user(store, UserFields { xp: xp(r#"{"u":true}"#), roles: Roles::USER_ADMIN, ..user(name) }).await;
    }
    let add = async |second, group, user| {
        let pair = Membership { group: id(group), user: id(user) };
        store.add_member(operation(second), Visibility::All, pair).await.unwrap()
    };
    for (second, group, user) in
        [(10, "g1", "u1"), (11, "g1", "u2"), (12, "g2", "u1"), (13, "g3", "u3"), (14, "g4", "u1")]
    {
        add(second, group, user).await;
    }
    for (second, add, remove) in [(15, ["u1", "u2"], "u3"), (16, ["u3", "u3"], "u2")] {
        let [add, remove] = [&add[..], &[remove]].map(|ids| ids.iter().map(|own| UserKey::Id(id(own))).collect());
        let (change, options) = (MembersChange::Delta { add, remove }, MembersOptions::default());
        store
            .change_members(operation(second), Visibility::All, GroupKey::Id(id("g3")), change, options)
            .await
            .unwrap();
    }
    let taken_out = Membership { group: id("g1"), user: id("u2") };
    store.remove_member(operation(20), Visibility::All, taken_out).await.unwrap();
    put_group(store, 21, GroupKey::Id(id("g1")), GroupFields { description: Some("d".into()), ..group("G9", "ñ") })
        .await
        .unwrap();
    put_user(store, 22, UserKey::Id(id("u3")), UserFields { phone: Some("1".into()), ..user("u9") }).await.unwrap();
    let hash = |_: Option<CurrentUser<'_>>| {
        let fields = UserFields { password_set: Some(micros(23)), generation: 4, ..user("u2") };
        Ok(Mutation::Put(UserUpdate { fields, password_hash: Some("hidden password hash".into()) }))
    };
    store.write_user(operation(23), UserKey::Id(id("u2")).into(), Box::new(hash)).await.unwrap();
    delete_group(store, 24, GroupKey::Id(id("g2"))).await;
    delete_user(store, 25, UserKey::Id(id("u1"))).await;
    delete_group(store, 26, GroupKey::Id(id("g4"))).await;
    make_group(store, group("g2", "again")).await;
    let changed = GroupFields { xp: xp(r#"{"k":2}"#), ..group("g3", "changed") };
    let items = [group_item(None, group("b1", "Batch")), group_item(None, changed), user_item(None, user("b2"))];
    let items = items.into_iter().chain([member_item("b1", "b2"), member_item("G3", "B2"), member_item("b1", "u9")]);
    store.write_batch(operation(27), items.collect()).await.unwrap();
    let restored =
        [group_item(Some(4), group("G4", "Restored")), user_item(Some(1), user("U1")), member_item("g4", "u9")];
    store.write_batch(operation(28), restored.into_iter().collect()).await.unwrap();
    put_client(store, 30, Target::New, true).await;
    let client = put_client(store, 31, ClientKey::Id("CLIENT".into()), false).await;
    let token = make_token(store, "t", &client, 100).await;
    store.note_token_use(token.uid, micros(36)).await.unwrap();
    revoke(store, &token).await;
    count_sign_in(store, 2, micros(40), false).await.unwrap();
}

/// Returns the users of the entries of many members, as the entries themselves name them.
fn users_in_entries(journal: &[JournalRow]) -> Vec<JournalUser> {
    let mut users = Vec::new();
    for row in journal.iter().filter(|row| row.kind == "members") {
        let removed = read::<MembersEntry<(i64, i64)>>(row.before.as_ref()).map_or(Vec::new(), |entry| entry.users);
        let added = read::<MembersEntry<i64>>(row.after.as_ref()).map_or(Vec::new(), |entry| entry.users);
        let removed = removed.into_iter().map(|(user, _)| (user, false));
        let all = removed.chain(added.into_iter().map(|user| (user, true))).zip(0..);
        users.extend(all.map(|((user, is_added), position)| JournalUser { user, seq: row.seq, position, is_added }));
    }
    users.sort();
    users
}

pub(crate) async fn users_find_entries_of_many_members(store: &impl TestStore) {
    write_every_kind(store).await;
    let users = store.journal_users();
    assert_eq!(users, users_in_entries(&store.journal()));
    assert!(users.iter().any(|user| user.is_added) && users.iter().any(|user| !user.is_added));
}

/// Rebuilds the directory from its journal and compares the two.
pub(crate) async fn assert_rebuilds(store: &impl TestStore) {
    assert_eq!(store.journal_users(), users_in_entries(&store.journal()));
    let (rebuilt, _alive) = store.another().await;
    rebuilt.replay(changes(&store.journal())).await.unwrap();
    assert_eq!(rebuilt.state(), store.state());
}

pub(crate) async fn rebuilds_the_state(store: &impl TestStore) {
    write_every_kind(store).await;
    assert_rebuilds(store).await;
    let operations: std::collections::HashSet<_> = store.journal().into_iter().map(|row| row.operation).collect();
    assert!(operations.contains("operation-25"));
    assert!(store.journal().iter().all(|row| row.channel == "cli"));
}

pub(crate) async fn keeps_who_and_why(store: &impl TestStore) {
    write_every_kind(store).await;
    for row in store.journal() {
        let second = row.operation.strip_prefix("operation-").unwrap();
        let given = |what: &str| Some(format!("{what}-{second}"));
        assert_eq!((row.reason, row.operator_user, row.operator_host), (given("reason"), given("user"), given("host")));
    }
    let bare = Operation { reason: None, operator: None, channel: Channel::Import, ..operation(50) };
    store.write_batch(bare, vec![group_item(None, group("bare", "n"))]).await.unwrap();
    let row = store.journal().pop().unwrap();
    assert_eq!((row.channel.as_str(), row.reason, row.operator_user, row.operator_host), ("import", None, None, None));
}

/// Returns the entities that an entry touches, as texts.
fn touched(row: &JournalRow) -> Vec<String> {
    match row.kind.as_str() {
        "membership" => vec![format!("group {}", row.subject), format!("user {}", row.member.unwrap())],
        "batch" | "members" => {
            let mut members = Members::default();
            let change = |change| match change {
                Replayed::Group(_, group) => vec![format!("group {}", group.uid)],
                Replayed::User(_, user) => vec![format!("user {}", user.uid)],
                Replayed::Client(..) | Replayed::Token(..) => Vec::new(),
                Replayed::Membership(group, user, _) | Replayed::FormerMembership(group, user) => {
                    vec![format!("group {group}"), format!("user {user}")]
                }
            };
            changes_of(row, &mut members).into_iter().flat_map(change).collect()
        }
        kind => vec![format!("{kind} {}", row.subject)],
    }
}

/// A clock that each look sets back by a second.
#[derive(Debug)]
struct GoesBack(std::sync::atomic::AtomicI64);

impl Clock for GoesBack {
    fn now(&self) -> Timestamp {
        time(self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed))
    }
}

/// Many writers change the same few groups and users, alone and in batches, while the clock goes back.
pub(crate) async fn times_follow_the_order_of_changes(store: &impl TestStore) {
    let clock: Arc<dyn Clock> = Arc::new(GoesBack(10_000.into()));
    let operation = |number: usize| Operation { clock: Arc::clone(&clock), ..operation(number as i64) };
    for name in ["a", "b", "c"] {
        make_group(store, group(name, "n")).await;
        make_user(store, user(name)).await;
    }
    let write = async |number: usize| {
        let [first, second] = [number, number / 3].map(|number| ["a", "b", "c"][number % 3]);
        let pair = || Membership { group: id(first), user: id(second) };
        let label = format!("{number}");
        match number % 7 {
            0 => store.add_member(operation(number), Visibility::All, pair()).await.map(drop),
            1 => store.remove_member(operation(number), Visibility::All, pair()).await.map(drop),
            2 => {
                let put = Box::new(move |_: Option<&Group>| Ok(Mutation::Put(group(first, &label))));
                store.write_group(operation(number), GroupKey::Id(id(first)).into(), put).await.map(drop)
            }
            3 => {
                let put = Box::new(move |_: Option<CurrentUser<'_>>| {
                    let fields = UserFields { last_name: label.clone(), ..user(second) };
                    Ok(Mutation::Put(UserUpdate { fields, password_hash: None }))
                });
                store.write_user(operation(number), UserKey::Id(id(second)).into(), put).await.map(drop)
            }
            4 | 5 => {
                let users = ["a", "b", "c"].iter().map(|user| UserKey::Id(id(user)));
                let (two, rest): (Vec<_>, Vec<_>) = users.partition(|user| *user != UserKey::Id(id(second)));
                let change = match number % 2 {
                    0 => MembersChange::Exactly(two),
                    _ => MembersChange::Delta { add: rest, remove: two },
                };
                let (of, options) = (GroupKey::Id(id(first)), MembersOptions::default());
                store.change_members(operation(number), Visibility::All, of, change, options).await.map(drop)
            }
            _ => {
                let items = vec![group_item(None, group(second, &label)), member_item(first, second)];
                store.write_batch(operation(number), items).await.map(drop)
            }
        }
    };
    for written in futures_util::future::join_all((0..120).map(write)).await {
        written.unwrap();
    }
    let mut last = HashMap::new();
    for row in store.journal() {
        for entity in touched(&row) {
            let before = last.insert(entity.clone(), row.at).unwrap_or(row.at);
            assert!(before <= row.at, "{entity} goes back from {before} to {} in {row:?}", row.at);
        }
    }
    assert_eq!(last.len(), 6);
}

pub(crate) async fn batches_are_split_into_short_entries(store: &impl TestStore) {
    let large = |name: &str| GroupFields { xp: xp(&format!(r#"{{"k":"{}"}}"#, "x".repeat(5_000))), ..group(name, "n") };
    let names: Vec<String> = (0..40).map(|number| format!("g{number}")).collect();
    let users = (0..300).map(|number| user_item(None, user(&format!("u{number}"))));
    let items = || names.iter().map(|name| group_item(None, large(name)));
    store.write_batch(operation(1), items().chain(users).collect()).await.unwrap();
    let members = (0..12_000).map(|number| member_item(&names[number / 300], &format!("u{}", number % 300)));
    let renamed =
        names.iter().map(|name| group_item(None, GroupFields { description: Some(name.clone()), ..large(name) }));
    store.write_batch(operation(2), renamed.chain(members.take(9_900)).collect()).await.unwrap();
    let journal = store.journal();
    let length = |row: &JournalRow| [&row.before, &row.after].into_iter().flatten().map(String::len).sum::<usize>();
    assert!(journal.iter().all(|row| length(row) <= PIECE_BYTES));
    assert!((10..40).contains(&journal.len()), "{}", journal.len());
    let memberships = |row: &JournalRow| (row.seq, read::<BatchEntities>(row.after.as_ref()).unwrap().memberships);
    let given: Vec<_> = journal.iter().map(memberships).filter(|(_, pairs)| !pairs.is_empty()).collect();
    assert!(given.len() > 1, "{}", given.len());
    for (seq, pairs) in given {
        for (group, user) in pairs.into_iter().step_by(100) {
            let member = store.member(&Visibility::All, &GroupKey::Uid(group), &UserKey::Uid(user)).await.unwrap();
            assert_eq!(member.change, Some(seq), "{group}, {user}");
        }
    }
    let (rebuilt, _alive) = store.another().await;
    rebuilt.replay(changes(&journal)).await.unwrap();
    assert_eq!(rebuilt.state(), store.state());
}

/// Entities are created at second 100 and changed when the clock shows less.
pub(crate) async fn times_never_go_back(store: &impl TestStore) {
    let (made, member) = (micros(100_000_000), |group: &str| Membership { group: id(group), user: id("u") });
    put_group(store, 100, Target::New, group("g", "n")).await.unwrap();
    put_user(store, 100, Target::New, user("u")).await.unwrap();
    put_client(store, 100, Target::New, true).await;
    store.add_member(operation(100), Visibility::All, member("g")).await.unwrap();
    assert!(count_sign_in(store, 1, micros(60_000_000), true).await.unwrap());

    let changed = put_group(store, 50, GroupKey::Uid(1), group("g", "m")).await.unwrap();
    assert_eq!((changed.created, changed.updated, changed.version), (made, made, 2));
    let changed = put_user(store, 51, UserKey::Uid(1), UserFields { active: false, ..user("u") }).await.unwrap();
    assert_eq!((changed.created, changed.updated, changed.last_active), (made, made, Some(made)));
    put_client(store, 52, ClientKey::Uid(1), false).await;
    let client = store.client(&ClientKey::Uid(1)).await.unwrap().unwrap();
    assert_eq!((client.created, client.updated, client.version), (made, made, 2));
    store.remove_member(operation(53), Visibility::All, member("g")).await.unwrap();
    let items = vec![group_item(None, group("g", "k")), group_item(None, group("h", "n")), member_item("h", "u")];
    store.write_batch(operation(54), items).await.unwrap();
    assert_eq!(store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().updated, made);
    assert_eq!(store.group(&GroupKey::Uid(2)).await.unwrap().unwrap().updated, made);
    let gone = delete_group(store, 55, GroupKey::Uid(1)).await;
    assert_eq!((gone.deleted, gone.updated), (Some(made), made));

    let journal = store.journal();
    assert_eq!(journal.iter().map(|row| micros(row.at)).collect::<Vec<_>>(), vec![made; journal.len()]);
    let (rebuilt, _alive) = store.another().await;
    rebuilt.replay(changes(&journal)).await.unwrap();
    assert_eq!(rebuilt.state(), store.state());
    assert_eq!(store.latest_operation().await.unwrap().as_deref(), Some("operation-55"));
    put_group(store, 200, GroupKey::Uid(2), group("h", "later")).await.unwrap();
    assert_eq!(store.group(&GroupKey::Uid(2)).await.unwrap().unwrap().updated, micros(200_000_000));
    assert_eq!(rebuilt.latest_operation().await.unwrap(), None);
}

pub(crate) async fn contains_no_secret(store: &impl TestStore) {
    write_every_kind(store).await;
    let texts: String = store.journal().into_iter().flat_map(|row| [row.before, row.after]).flatten().collect();
    assert!(texts.contains("password_set") && texts.contains("secret_set"));
    for never in ["hidden", "last_active", "last_used", "failed", "locked"] {
        assert!(!texts.contains(never), "{never}");
    }
}
