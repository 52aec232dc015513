//! The journal: enough to rebuild the directory, and nothing secret in it.

use serde::Deserialize;

use super::batches::{group_item, member_item, user_item};
use super::*;
use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::community::Visibility;
use crate::domain::membership::Membership;
use crate::store::ClientWrite;
use crate::store::sql::codec::labels_from_text;
use crate::store::sql::journal::{ClientEntry, GroupEntry, MembershipEntry, Things, UserEntry};

/// One change that the journal tells of.
#[derive(Clone, Debug)]
pub enum Replayed {
    /// The group before and after.
    Group(Option<Box<Group>>, Box<Group>),
    /// The user before and after.
    User(Option<Box<User>>, Box<User>),
    Client(Box<Client>),
    /// The group and user, and when the user was added; `None` = taken out.
    Membership(i64, i64, Option<Timestamp>),
}

fn read<'a, T: Deserialize<'a>>(text: Option<&'a String>) -> Option<T> {
    text.map(|text| serde_json::from_str(text).unwrap())
}

fn micros(time: i64) -> Timestamp {
    Timestamp::from_micros(time)
}

fn communities(names: &[String]) -> Communities {
    names.iter().map(|name| Community::parse(name).unwrap()).collect()
}

fn group_of(entry: GroupEntry, members: i64) -> Group {
    let labels = labels_from_text(entry.labels.get()).unwrap();
    Group {
        uid: entry.uid,
        name: labels.name(&Tag::parse("en").unwrap()).to_owned(),
        fields: GroupFields {
            id: id(&entry.id),
            labels,
            description: entry.description,
            xp: entry.xp.map(|xp| Xp::from_stored(xp.get().to_owned())),
            communities: communities(&entry.communities),
        },
        created: micros(entry.created),
        updated: micros(entry.updated),
        deleted: entry.deleted.map(micros),
        version: entry.version,
        members,
    }
}

fn user_of(entry: UserEntry) -> User {
    User {
        uid: entry.uid,
        fields: UserFields {
            id: id(&entry.id),
            username: entry.username,
            first_name: entry.first_name,
            last_name: entry.last_name,
            email: entry.email,
            phone: entry.phone,
            terms_accepted: entry.terms_accepted.map(micros),
            active: entry.active,
            xp: entry.xp.map(|xp| Xp::from_stored(xp.get().to_owned())),
            roles: Roles::from_names(entry.roles.iter().map(String::as_str)),
            communities: communities(&entry.communities),
            generation: entry.generation,
            password_set: entry.password_set.map(micros),
        },
        created: micros(entry.created),
        updated: micros(entry.updated),
        deleted: entry.deleted.map(micros),
        version: entry.version,
        last_active: None,
        failed_attempts: 0,
    }
}

fn client_of(entry: ClientEntry) -> Client {
    Client {
        uid: entry.uid,
        fields: ClientFields {
            id: entry.id,
            name: entry.name,
            roles: Roles::from_names(entry.roles.iter().map(String::as_str)),
            communities: communities(&entry.communities),
            user: entry.user,
            access_minutes: entry.access_minutes,
            refresh_minutes: entry.refresh_minutes,
            enabled: entry.enabled,
            generation: entry.generation,
            secret_set: entry.secret_set.map(micros),
        },
        created: micros(entry.created),
        updated: micros(entry.updated),
        deleted: entry.deleted.map(micros),
        version: entry.version,
        secret_hash: None,
    }
}

/// The changes that a journal tells of, in order. Live members are counted along the way: no entry tells them.
fn changes(journal: &[JournalRow]) -> Vec<Replayed> {
    let mut members = Members::default();
    journal.iter().flat_map(|row| changes_of(row, &mut members)).collect()
}

fn changes_of(row: &JournalRow, members: &mut Members) -> Vec<Replayed> {
    let (before, after) = (row.before.as_ref(), row.after.as_ref());
    match row.kind.as_str() {
        "group" => vec![members.group(read(before), read(after).unwrap())],
        "user" => vec![members.user(read(before), read(after).unwrap())],
        "client" => vec![Replayed::Client(Box::new(client_of(read(after).unwrap())))],
        "membership" => vec![match (read::<MembershipEntry>(before), read::<MembershipEntry>(after)) {
            (None, Some(added)) => members.member(added.group, added.user, Some(micros(added.added))),
            (Some(gone), None) => members.member(gone.group, gone.user, None),
            _ => panic!("a membership comes or goes"),
        }],
        "batch" => batch(read(before).unwrap_or_default(), read(after).unwrap(), micros(row.at), members),
        kind => panic!("unknown kind {kind}"),
    }
}

/// What is written for the first time in a batch has no state before it.
fn batch(before: Things, after: Things, at: Timestamp, members: &mut Members) -> Vec<Replayed> {
    let (mut groups, mut users) = (before.groups.into_iter().peekable(), before.users.into_iter().peekable());
    let mut changes = Vec::new();
    for group in after.groups {
        let was = groups.next_if(|was| was.uid == group.uid && was.version < group.version);
        changes.push(members.group(was, group));
    }
    for user in after.users {
        let was = users.next_if(|was| was.uid == user.uid && was.version < user.version);
        changes.push(members.user(was, user));
    }
    changes.extend(after.memberships.into_iter().map(|(group, user)| members.member(group, user, Some(at))));
    changes
}

#[derive(Default)]
struct Members(std::collections::BTreeSet<(i64, i64)>);

impl Members {
    fn of_group(&self, group: i64) -> i64 {
        self.0.iter().filter(|(own, _)| *own == group).count() as i64
    }

    fn group(&self, before: Option<GroupEntry>, after: GroupEntry) -> Replayed {
        let group = |entry: GroupEntry| {
            let count = self.of_group(entry.uid);
            Box::new(group_of(entry, count))
        };
        Replayed::Group(before.map(group), group(after))
    }

    fn user(&mut self, before: Option<UserEntry>, after: UserEntry) -> Replayed {
        let after = user_of(after);
        if after.deleted.is_some() {
            self.0.retain(|(_, user)| *user != after.uid);
        }
        Replayed::User(before.map(|entry| Box::new(user_of(entry))), Box::new(after))
    }

    fn member(&mut self, group: i64, user: i64, added: Option<Timestamp>) -> Replayed {
        match added {
            Some(_) => _ = self.0.insert((group, user)),
            None => _ = self.0.remove(&(group, user)),
        }
        Replayed::Membership(group, user, added)
    }
}

async fn put_client(store: &impl TestStore, second: i64, key: ClientKey, enabled: bool) {
    let fields = ClientFields {
        id: "client".into(),
        name: "Client".into(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::from([community(1)]),
        user: None,
        access_minutes: 600,
        refresh_minutes: 0,
        enabled,
        generation: 0,
        secret_set: Some(micros(second)),
    };
    let write = ClientWrite { fields, secret_hash: Some("hidden secret hash".into()) };
    let edit = Box::new(move |_: Option<&Client>| Ok(Write::Put(write.clone())));
    store.write_client(operation(second), key, edit).await.unwrap();
}

/// Everything that can happen to everything.
pub async fn live_a_little(store: &impl TestStore) {
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
    let taken_out = Membership { group: id("g1"), user: id("u2") };
    store.remove_member(operation(20), Visibility::All, taken_out).await.unwrap();
    put_group(store, 21, GroupKey::Id(id("g1")), GroupFields { description: Some("d".into()), ..group("G9", "ñ") })
        .await
        .unwrap();
    put_user(store, 22, UserKey::Id(id("u3")), UserFields { phone: Some("1".into()), ..user("u9") }).await.unwrap();
    let hash = |_: Option<&User>| {
        let fields = UserFields { password_set: Some(micros(23)), generation: 4, ..user("u2") };
        Ok(Write::Put(UserWrite { fields, password_hash: Some("hidden password hash".into()) }))
    };
    store.write_user(operation(23), UserKey::Id(id("u2")), Box::new(hash)).await.unwrap();
    delete_group(store, 24, GroupKey::Id(id("g2"))).await;
    delete_user(store, 25, UserKey::Id(id("u1"))).await;
    delete_group(store, 26, GroupKey::Id(id("g4"))).await;
    make_group(store, group("g2", "again")).await;
    let changed = GroupFields { xp: xp(r#"{"k":2}"#), ..group("g3", "changed") };
    let items = [group_item(None, group("b1", "Batch")), group_item(None, changed), user_item(user("b2"))];
    let items = items.into_iter().chain([member_item("b1", "b2"), member_item("G3", "B2"), member_item("b1", "u9")]);
    store.write_batch(operation(27), items.collect()).await.unwrap();
    put_client(store, 30, ClientKey::New, true).await;
    put_client(store, 31, ClientKey::Id("CLIENT".into()), false).await;
    store.count_sign_in(2, micros(40), false).await.unwrap();
}

pub async fn rebuilds_the_state(store: &impl TestStore) {
    live_a_little(store).await;
    let (rebuilt, _alive) = store.another().await;
    rebuilt.replay(changes(&store.journal())).await.unwrap();
    assert_eq!(rebuilt.state(), store.state());
    let operations: std::collections::HashSet<_> = store.journal().into_iter().map(|row| row.operation).collect();
    assert!(operations.contains("operation-25"));
    assert!(store.journal().iter().all(|row| row.door == "cli"));
}

pub async fn tells_no_secret(store: &impl TestStore) {
    live_a_little(store).await;
    let told: String = store.journal().into_iter().flat_map(|row| [row.before, row.after]).flatten().collect();
    assert!(told.contains("password_set") && told.contains("secret_set"));
    for never in ["hidden", "last_active", "failed", "locked"] {
        assert!(!told.contains(never), "{never}");
    }
}
