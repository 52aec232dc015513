//! The journal: the directory can be rebuilt from it, and it contains no secrets.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::batches::{group_item, member_item, user_item};
use super::long_lived_tokens::{make_token, revoke};
use super::*;
use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::community::Visibility;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::membership::{MembersChange, MembersOptions, Membership};
use crate::domain::target::Target;
use crate::store::ClientUpdate;
use crate::store::copy::Value;
use crate::store::sql::columns::{Column, Field};
use crate::store::sql::copy::Cells;
use crate::store::sql::entity::{StoredEntity, is_restored};
use crate::store::sql::journal::batch_entry::{BatchEntities, PIECE_BYTES};
use crate::store::sql::journal::{MembersEntry, MembershipEntry};

/// One change that the journal records.
#[derive(Clone, Debug)]
pub(crate) enum Replayed {
    /// The group before and after.
    Group(Option<Box<Group>>, Box<Group>),
    /// The user before and after.
    User(Option<Box<User>>, Box<User>),
    /// The client before and after.
    Client(Option<Box<Client>>, Box<Client>),
    /// The long-lived token before and after.
    Token(Option<Box<LongLivedToken>>, Box<LongLivedToken>),
    /// The numbers of group and user, and when the user was added; `None` = removed.
    Membership(i64, i64, Option<Timestamp>),
}

fn read<'a, T: Deserialize<'a>>(text: Option<&'a String>) -> Option<T> {
    text.map(|text| serde_json::from_str(text).unwrap())
}

fn read_entity<E: StoredEntity>(text: Option<&String>) -> Option<E> {
    read::<Box<RawValue>>(text).map(|entry| entity(&entry))
}

fn micros(time: i64) -> Timestamp {
    Timestamp::from_micros(time)
}

/// Rebuilds an entity from a journal entry. A column that the journal does not contain is NULL, 0 or empty.
fn entity<E: StoredEntity>(entry: &RawValue) -> E {
    let texts: HashMap<&str, &RawValue> = serde_json::from_str(entry.get()).unwrap();
    let value = |column: &Column<E>| {
        let json = column.journaled_as.map(|name| texts[name].get());
        match (json, &column.field) {
            (Some("null"), _) => Value::Null,
            (Some(json), Field::Labels(_) | Field::Xp(_)) => json.to_owned().into(),
            (Some(json), Field::Flag(_)) => i64::from(json == "true").into(),
            (Some(json), Field::Roles(_)) => {
                let names: Vec<String> = serde_json::from_str(json).unwrap();
                i64::from(Roles::from_names(names.iter().map(String::as_str)).bits()).into()
            }
            (Some(json), Field::Communities(_)) => serde_json::from_str::<Vec<String>>(json).unwrap().join(" ").into(),
            (Some(json), Field::Text(_) | Field::OptionalText(_)) => {
                serde_json::from_str::<String>(json).unwrap().into()
            }
            (Some(json), _) => json.parse::<i64>().unwrap().into(),
            (None, Field::Text(_)) => String::new().into(),
            (None, Field::Integer(_)) => 0.into(),
            (None, _) => Value::Null,
        }
    };
    let journaled = E::COLUMNS.iter().filter(|column| column.journaled_as.is_some());
    assert_eq!(journaled.count(), texts.len(), "{}", entry.get());
    E::read(&Cells(&E::COLUMNS.iter().map(value).collect())).unwrap()
}

/// Returns the changes that a journal records, in order. Live members are counted along the way, because no entry
/// contains the count.
fn changes(journal: &[JournalRow]) -> Vec<Replayed> {
    let mut members = Members::default();
    journal.iter().flat_map(|row| changes_of(row, &mut members)).collect()
}

fn changes_of(row: &JournalRow, members: &mut Members) -> Vec<Replayed> {
    let (before, after) = (row.before.as_ref(), row.after.as_ref());
    match row.kind.as_str() {
        "group" => vec![members.group(read_entity(before), read_entity(after).unwrap())],
        "user" => vec![members.user(read_entity(before), read_entity(after).unwrap())],
        "client" => vec![Replayed::Client(read_entity(before).map(Box::new), Box::new(read_entity(after).unwrap()))],
        "token" => vec![Replayed::Token(read_entity(before).map(Box::new), Box::new(read_entity(after).unwrap()))],
        "membership" => vec![match (read::<MembershipEntry>(before), read::<MembershipEntry>(after)) {
            (None, Some(added)) => members.member(added.group, added.user, Some(micros(added.added))),
            (Some(gone), None) => members.member(gone.group, gone.user, None),
            _ => panic!("a membership comes or goes"),
        }],
        "members" => members_entry(read(before), read(after), micros(row.at), members),
        "batch" => batch(read(before).unwrap_or_default(), read(after).unwrap(), micros(row.at), members),
        kind => panic!("unknown kind {kind}"),
    }
}

fn members_entry(
    removed: Option<MembersEntry<(i64, i64)>>,
    added: Option<MembersEntry<i64>>,
    at: Timestamp,
    members: &mut Members,
) -> Vec<Replayed> {
    let mut changes = Vec::new();
    if let Some(MembersEntry { group, users }) = removed {
        changes.extend(users.into_iter().map(|(user, _)| members.member(group, user, None)));
    }
    if let Some(MembersEntry { group, users }) = added {
        changes.extend(users.into_iter().map(|user| members.member(group, user, Some(at))));
    }
    changes
}

fn batch(before: BatchEntities, after: BatchEntities, at: Timestamp, members: &mut Members) -> Vec<Replayed> {
    let mut changes = Vec::new();
    for (was, is) in paired::<Group>(&before.groups, &after.groups) {
        changes.push(members.group(was, is));
    }
    for (was, is) in paired::<User>(&before.users, &after.users) {
        changes.push(members.user(was, is));
    }
    changes.extend(after.memberships.into_iter().map(|(group, user)| members.member(group, user, Some(at))));
    changes
}

/// Returns each state with the state before it; a created entity has none.
fn paired<E: StoredEntity>(before: &[Box<RawValue>], after: &[Box<RawValue>]) -> Vec<(Option<E>, E)> {
    let mut before = before.iter().map(|entry| entity::<E>(entry)).peekable();
    let step = |is: E| (before.next_if(|was| was.uid() == is.uid() && was.version() < is.version()), is);
    after.iter().map(|entry| entity(entry)).map(step).collect()
}

#[derive(Default)]
struct Members(std::collections::BTreeSet<(i64, i64)>);

impl Members {
    fn of_group(&self, group: i64) -> i64 {
        self.0.iter().filter(|(own, _)| *own == group).count() as i64
    }

    fn group(&mut self, before: Option<Group>, after: Group) -> Replayed {
        if is_restored(before.as_ref(), &after) {
            self.0.retain(|(group, _)| *group != after.uid);
        }
        let group = |group: Group| {
            let name = group.fields.labels.name(&Tag::parse("en").unwrap()).to_owned();
            Box::new(Group { name, members: self.of_group(group.uid), ..group })
        };
        Replayed::Group(before.map(group), group(after))
    }

    fn user(&mut self, before: Option<User>, after: User) -> Replayed {
        if after.deleted.is_some() {
            self.0.retain(|(_, user)| *user != after.uid);
        }
        Replayed::User(before.map(Box::new), Box::new(after))
    }

    fn member(&mut self, group: i64, user: i64, added: Option<Timestamp>) -> Replayed {
        match added {
            Some(_) => _ = self.0.insert((group, user)),
            None => _ = self.0.remove(&(group, user)),
        }
        Replayed::Membership(group, user, added)
    }
}

pub(super) async fn put_client(
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
    store.count_sign_in(2, micros(40), false).await.unwrap();
}

/// Rebuilds the directory from its journal and compares the two.
pub(crate) async fn assert_rebuilds(store: &impl TestStore) {
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
                Replayed::Membership(group, user, _) => vec![format!("group {group}"), format!("user {user}")],
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
    assert!(store.count_sign_in(1, micros(60_000_000), true).await.unwrap());

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
