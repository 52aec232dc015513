//! Undone operations in Rollbook's own API (docs/rollbook.md, section 15).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{A, AUDITOR, B, CORE, Caller, FULL, GROUP_ADMIN, Reply, Server, USER_ADMIN, labels, make_user};

const GROUPS: &str = "/rollbook/v1/groups";
const USERS: &str = "/rollbook/v1/users";
const UNDO: &str = "/rollbook/v1/undo";
const CHANGES: &str = "/rollbook/v1/changes";

/// The number of groups and of users in the random test.
const NUMBERS: u64 = 8;

/// The latest change. On PostgreSQL, other transactions can hold the feed back for a while.
async fn latest(admin: &Caller) -> Value {
    let (mut count, mut after) = (0, String::new());
    loop {
        let page = admin.get(&format!("{CHANGES}?limit=1000{after}")).await.is(200);
        count += page["changes"].as_array().unwrap().len();
        after = page["next"].as_str().map_or(after, |next| format!("&after={next}"));
        if page["more"] == false && admin.get("/rollbook/v1/info").await.is(200)["changes"] == count {
            break;
        }
    }
    admin.get(&format!("{CHANGES}?order=desc&limit=1")).await.is(200)["changes"][0].clone()
}

async fn undo(admin: &Caller, operation: &Value) -> Reply {
    let operation = operation.as_str().unwrap();
    admin.post(&format!("/rollbook/v1/operations/{operation}/undo"), &Value::Null).await
}

async fn undo_latest(admin: &Caller) -> Reply {
    undo(admin, &latest(admin).await["operation"]).await
}

#[tokio::test]
async fn each_kind_of_change_is_undone() {
    let server = Server::start();
    let admin = server.admin().await;
    let group = json!({ "id": "support", "labels": { "en": "Support", "it": "Assistenza" }, "xp": { "a": 1, "b": 2 }, "communities": [A] });
    admin.post(GROUPS, &group).await.is(201);
    for name in ["ada", "bob"] {
        make_user(&admin, name).await;
    }
    let support = format!("{GROUPS}/uid:1");
    let own = |reply: &Reply| {
        ["id", "labels", "description", "xp", "communities", "memberCount", "deleted"].map(|name| reply[name].clone())
    };
    let before = own(&admin.get(&support).await.is(200));
    for (method, path, body) in [
        (
            "PATCH",
            support.clone(),
            json!({ "id": "help", "labels": { "it": null, "de": "Hilfe" }, "xp": { "a": null, "c": [1] } }),
        ),
        ("PATCH", support.clone(), json!({ "xp": null, "description": "d", "communities": [B] })),
        ("DELETE", support.clone(), Value::Null),
        ("PUT", format!("{support}/members/ada"), Value::Null),
        ("PATCH", format!("{support}/members"), json!({ "add": ["ada", "bob"] })),
    ] {
        admin.text(method, &path, &body.to_string()).await;
        assert_ne!(own(&admin.get(&support).await.is(200)), before, "{method} {path}");
        let undone = undo_latest(&admin).await.is(200);
        assert_eq!((&undone["conflicts"], &undone["nothingToDo"]), (&json!(0), &json!(0)), "{method} {path}");
        assert_eq!(own(&admin.get(&support).await.is(200)), before, "{method} {path}");
        let change = latest(&admin).await;
        assert_eq!((&change["operation"], change["undoes"].is_string()), (&undone["operation"], true));
        // The undo is undone, and that as well.
        undo_latest(&admin).await.is(200);
        assert_ne!(own(&admin.get(&support).await.is(200)), before, "{method} {path}");
        undo_latest(&admin).await.is(200);
        assert_eq!(own(&admin.get(&support).await.is(200)), before, "{method} {path}");
    }
    let ada = format!("{USERS}/uid:1");
    let own =
        |reply: &Reply| ["id", "username", "phone", "roles", "xp", "active", "deleted"].map(|name| reply[name].clone());
    let before = own(&admin.get(&ada).await.is(200));
    for body in [
        json!({ "id": "lovelace", "username": "l", "phone": "1", "roles": [AUDITOR], "xp": { "x": 1 } }),
        json!({ "active": false }),
    ] {
        admin.patch(&ada, &body).await.is(200);
        undo_latest(&admin).await.is(200);
        assert_eq!(own(&admin.get(&ada).await.is(200)), before);
    }
    admin.delete(&ada).await.is(204);
    undo_latest(&admin).await.is(200);
    let back = admin.get(&ada).await.is(200);
    assert_eq!((own(&back), &back["passwordSet"]), (before, &json!(false)));
    let client = admin.post("/rollbook/v1/clients", &json!({ "name": "Old" })).await.is(201);
    let client = format!("/rollbook/v1/clients/{}", client["id"].as_str().unwrap());
    admin.patch(&client, &json!({ "name": "New", "enabled": false })).await.is(200);
    undo_latest(&admin).await.is(200);
    let shown = admin.get(&client).await.is(200);
    assert_eq!((&shown["name"], &shown["enabled"]), (&json!("Old"), &json!(true)));
    // A client does not act for a deleted user again.
    admin.patch(&client, &json!({ "user": "bob" })).await.is(200);
    admin.patch(&client, &json!({ "user": null })).await.is(200);
    let operation = latest(&admin).await["operation"].clone();
    admin.delete(&format!("{USERS}/bob")).await.is(204);
    let refused = undo(&admin, &operation).await.fails(409, "undo_conflicts");
    assert_eq!(refused["undo"]["changes"][0]["detail"], "user");
}

#[tokio::test]
async fn what_was_changed_since_is_a_conflict_by_field() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "id": "g", "labels": { "en": "A", "it": "B" } })).await.is(201);
    let created = latest(&admin).await;
    let group = format!("{GROUPS}/g");
    admin.patch(&group, &json!({ "labels": { "en": "A2", "it": "B2" }, "description": "d" })).await.is(200);
    let operation = latest(&admin).await["operation"].as_str().unwrap().to_owned();
    admin.patch(&group, &json!({ "labels": { "it": "B3" } })).await.is(200);
    let undo = format!("/rollbook/v1/operations/{operation}/undo");
    let before = admin.get(&group).await.is(200);
    let preview = admin.post(&format!("{undo}?dryRun=true"), &Value::Null).await.is(200);
    assert_eq!(
        (&preview["operation"], &preview["dryRun"], &preview["conflicts"]),
        (&Value::Null, &json!(true), &json!(1))
    );
    let result = &preview["changes"][0];
    assert_eq!((&result["result"], &result["detail"]), (&json!("conflict"), &json!("labels.it")));
    let refused = admin.post(&undo, &Value::Null).await.fails(409, "undo_conflicts");
    assert_eq!(refused["undo"]["changes"], preview["changes"]);
    let skipped = admin.post(&format!("{undo}?onConflict=skip"), &Value::Null).await.is(200);
    assert_eq!((&skipped["operation"], &skipped["undone"]), (&Value::Null, &json!(0)));
    assert_eq!(admin.get(&group).await.is(200).json(), before.json(), "nothing was changed");
    // What came back to its former value needs nothing; the others are undone.
    admin.patch(&group, &json!({ "labels": { "it": "B" } })).await.is(200);
    admin.post(&undo, &Value::Null).await.is(200);
    let now = admin.get(&group).await.is(200);
    assert_eq!((&now["labels"], &now["description"]), (&json!({ "en": "A", "it": "B" }), &Value::Null));
    let again = admin.post(&undo, &Value::Null).await.is(200);
    assert_eq!((&again["undone"], &again["nothingToDo"], &again["operation"]), (&json!(0), &json!(1), &Value::Null));
    // A new group with members is not deleted, and one with an ID that is taken does not come back.
    make_user(&admin, "ada").await;
    admin.put(&format!("{group}/members/ada"), &Value::Null).await.is(204);
    let creation = format!("/rollbook/v1/operations/{}/undo", created["operation"].as_str().unwrap());
    let refused = admin.post(&creation, &Value::Null).await.fails(409, "undo_conflicts");
    assert_eq!(refused["undo"]["changes"][0]["detail"], "members");
    admin.delete(&group).await.is(204);
    let deletion = latest(&admin).await["operation"].as_str().unwrap().to_owned();
    admin.post(GROUPS, &json!({ "id": "G", "name": "Other" })).await.is(201);
    let refused = admin.post(&format!("/rollbook/v1/operations/{deletion}/undo"), &Value::Null).await;
    assert_eq!(refused.fails(409, "undo_conflicts")["undo"]["changes"][0]["detail"], "id");
}

#[tokio::test]
async fn what_never_comes_back_is_impossible() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    admin.put(&format!("{USERS}/ada/password"), &json!({ "password": "Another-Horse-8" })).await.is(204);
    let refused = undo_latest(&admin).await.fails(409, "undo_conflicts");
    assert_eq!(refused["undo"]["changes"][0]["result"], "impossible");
    admin.post(&format!("{USERS}/ada/revoke-tokens"), &Value::Null).await.is(204);
    undo_latest(&admin).await.fails(409, "undo_conflicts");
    let client = admin.post("/rollbook/v1/clients", &json!({ "name": "N" })).await.is(201);
    let client = format!("/rollbook/v1/clients/{}", client["id"].as_str().unwrap());
    admin.post(&format!("{client}/tokens"), &json!({ "name": "t" })).await.is(201);
    undo_latest(&admin).await.fails(409, "undo_conflicts");
    admin.post(&format!("{client}/rotate"), &Value::Null).await.is(200);
    undo_latest(&admin).await.fails(409, "undo_conflicts");
    admin.delete(&client).await.is(204);
    undo_latest(&admin).await.fails(409, "undo_conflicts");
    let unknown = "/rollbook/v1/operations/01977f2e-5a3c-7000-8000-0123456789ab/undo";
    admin.post(unknown, &Value::Null).await.fails(404, "not_found");
    for (path, body) in [
        (UNDO.to_owned(), json!({})),
        (UNDO.to_owned(), json!({ "group": "none" })),
        (UNDO.to_owned(), json!({ "since": "yesterday" })),
        (UNDO.to_owned(), json!({ "type": [] })),
        (UNDO.to_owned(), json!({ "channel": ["rollbook", 1] })),
    ] {
        admin.post(&path, &body).await.fails(400, "invalid");
    }
    for (path, body) in [(UNDO.to_owned(), json!({ "sience": "2026-01-01" })), (unknown.to_owned(), json!({ "a": 1 }))]
    {
        admin.post(&path, &body).await.fails(400, "invalid_body");
    }
    for query in ["dryrun=true", "dryRun=1", "onConflict=ignore", "onConflict="] {
        admin.post(&format!("{UNDO}?{query}"), &json!({ "channel": "cli" })).await.fails(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn exchanged_ids_are_exchanged_back() {
    let server = Server::start();
    let admin = server.admin().await;
    for id in ["a", "b"] {
        admin.post(GROUPS, &json!({ "id": id, "name": id })).await.is(201);
        make_user(&admin, id).await;
    }
    let mark = latest(&admin).await["time"].as_str().unwrap().to_owned();
    for (from, to) in [("a", "c"), ("b", "a"), ("c", "b")] {
        admin.patch(&format!("{GROUPS}/{from}"), &json!({ "id": to })).await.is(200);
        admin.patch(&format!("{USERS}/{from}"), &json!({ "id": to, "username": to })).await.is(200);
    }
    // A deleted group whose ID another one has got.
    admin.delete(&format!("{GROUPS}/a")).await.is(204);
    admin.post(GROUPS, &json!({ "id": "a", "name": "third" })).await.is(201);
    let undone =
        admin.post(UNDO, &json!({ "since": mark, "type": ["group.updated", "user.updated", "group.deleted"] })).await;
    assert_eq!(undone.fails(409, "undo_conflicts")["undo"]["conflicts"], 1, "the ID of the third group");
    let since = json!({ "channel": "rollbook", "since": mark, "type": ["group.updated", "user.updated", "group.deleted", "group.created"] });
    admin.post(UNDO, &json!({ "operation": latest(&admin).await["operation"] })).await.is(200);
    admin.post(&format!("{UNDO}?onConflict=skip"), &since).await.is(200);
    for (number, id) in [(1, "a"), (2, "b")] {
        assert_eq!(admin.get(&format!("{GROUPS}/uid:{number}")).await.is(200)["id"], id);
        let user = admin.get(&format!("{USERS}/uid:{number}")).await.is(200);
        assert_eq!((&user["id"], &user["username"]), (&json!(id), &json!(id)));
        assert_eq!(admin.get(&format!("{GROUPS}/{id}")).await.is(200)["uid"], number);
    }
}

/// The group that is not in the undo has the ID of one that lived for a while.
#[tokio::test]
async fn others_keep_their_ids() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "id": "g", "name": "first" })).await.is(201);
    make_user(&admin, "ada").await;
    admin.delete(&format!("{GROUPS}/uid:1")).await.is(204);
    let mut operations = Vec::new();
    for (method, path) in [("POST", "uid:1/restore"), ("PUT", "uid:1/members/ada"), ("DELETE", "uid:1")] {
        admin.text(method, &format!("{GROUPS}/{path}"), "").await;
        operations.push(latest(&admin).await["operation"].clone());
    }
    admin.post(GROUPS, &json!({ "id": "G", "name": "second" })).await.is(201);
    let undone = admin.post(UNDO, &json!({ "operation": operations })).await.is(200);
    assert_eq!((&undone["undone"], &undone["conflicts"]), (&json!(3), &json!(0)));
    assert_eq!(admin.get(&format!("{GROUPS}/g")).await.is(200)["uid"], 2);
    admin.post(GROUPS, &json!({ "id": "g", "name": "third" })).await.fails(409, "id_taken");
    admin.delete(&format!("{GROUPS}/uid:2")).await.is(204);
    let restored = admin.post(&format!("{GROUPS}/uid:1/restore"), &Value::Null).await.is(200);
    assert_eq!(restored["membersRestored"], 0);
}

#[tokio::test]
async fn an_undo_needs_the_rights_of_each_inverse_change() {
    let server = Server::start();
    let admin = server.admin().await;
    for (id, community) in [("mine", A), ("foreign", B)] {
        admin.post(GROUPS, &json!({ "id": id, "name": id, "communities": [community] })).await.is(201);
    }
    make_user(&admin, "ada").await;
    let mark = latest(&admin).await["time"].as_str().unwrap().to_owned();
    for id in ["mine", "foreign"] {
        admin.patch(&format!("{GROUPS}/{id}"), &json!({ "description": "secret plan" })).await.is(200);
    }
    let foreign = latest(&admin).await["operation"].as_str().unwrap().to_owned();
    let limited = server.token(&[GROUP_ADMIN], &[A]).await;
    let undo = format!("/rollbook/v1/operations/{foreign}/undo?dryRun=true");
    limited.post(&undo, &Value::Null).await.fails(404, "not_found");
    limited.post(UNDO, &json!({ "group": "foreign" })).await.fails(400, "invalid");
    let preview = limited.post(&format!("{UNDO}?dryRun=true"), &json!({ "since": mark })).await.is(200);
    assert_eq!(preview["undone"], 1, "{preview:?}");
    let group_admin = server.token(&[GROUP_ADMIN], &[]).await;
    group_admin.post(&undo, &Value::Null).await.is(200);
    let users = server.token(&[USER_ADMIN], &[]).await;
    users.post(&undo, &Value::Null).await.fails(403, "forbidden");
    admin.patch(&format!("{USERS}/ada"), &json!({ "roles": [FULL] })).await.is(200);
    let roles = latest(&admin).await["operation"].as_str().unwrap().to_owned();
    let undo = format!("/rollbook/v1/operations/{roles}/undo");
    for caller in [&group_admin, &users] {
        caller.post(&undo, &Value::Null).await.fails(403, "forbidden");
    }
    limited.post(&undo, &Value::Null).await.fails(404, "not_found");
    server.token(&[AUDITOR], &[]).await.post(&undo, &Value::Null).await.fails(403, "forbidden");
    limited.post(UNDO, &json!({ "since": mark })).await.is(200);
    assert_eq!(admin.get(&format!("{GROUPS}/mine")).await.is(200)["description"], Value::Null);
    assert_eq!(admin.get(&format!("{GROUPS}/foreign")).await.is(200)["description"], "secret plan");
}

#[tokio::test]
async fn an_operation_is_read_in_pages_and_an_import_is_undone() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "id": "old", "name": "Old" })).await.is(201);
    let old = admin.get(&format!("{GROUPS}/old")).await.is(200);
    server.cli().run_with(&["import", "-", "--reason", "Wrong file"], &import_lines(40)).printed();
    let change = latest(&admin).await;
    let operation = format!("/rollbook/v1/operations/{}", change["operation"].as_str().unwrap());
    let (mut changes, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{operation}?limit=30{after}")).await.is(200);
        assert_eq!((&page["channel"], &page["reason"]), (&json!("import"), &json!("Wrong file")));
        changes.extend(page["changes"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(changes.len(), 121, "an updated group, 40 new ones, 40 users, 40 memberships");
    admin.get("/rollbook/v1/operations/none").await.fails(404, "not_found");
    let preview = server.cli().run(&["undo", "--channel", "import", "--dry-run"]).printed();
    assert!(preview.starts_with("121 changes would be undone; 0 without"), "{preview}");
    let undone = admin.post(UNDO, &json!({ "channel": "import" })).await.is(200);
    assert_eq!((&undone["undone"], &undone["conflicts"]), (&json!(121), &json!(0)));
    assert_eq!(admin.get(GROUPS).await.is(200)["total"], 1);
    let now = admin.get(&format!("{GROUPS}/old")).await.is(200);
    assert_eq!((&now["name"], &now["memberCount"]), (&old["name"], &json!(0)));
    let operation = undone["operation"].as_str().unwrap();
    let redone = server.cli().run(&["undo", operation, "--reason", "It was right"]).printed();
    assert!(redone.starts_with("121 changes are undone by operation"), "{redone}");
    assert_eq!(admin.get(GROUPS).await.is(200)["total"], 41);
    let members = admin.get(&format!("{GROUPS}/old/members")).await.is(200);
    assert_eq!(members["total"], 40);
}

/// Lines that rename the group `old`, and create groups and users, who become members of `old`.
fn import_lines(count: usize) -> String {
    let mut lines = vec![json!({ "group": { "id": "old", "labels": { "en": "Renamed" } } })];
    lines.extend((0..count).map(|number| json!({ "group": { "id": format!("g{number}"), "labels": { "en": "N" } } })));
    lines.extend((0..count).map(|number| {
        let id = format!("u{number}");
        json!({ "user": { "id": id, "username": id, "first_name": "F", "last_name": "L", "email": "e@x.io", "active": true } })
    }));
    lines.extend((0..count).map(|number| json!({ "membership": { "group": "old", "user": format!("u{number}") } })));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A sequence of numbers that looks random and is the same in each run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Sends a request to one of the APIs, or a command, that the numbers choose. It may be refused.
async fn change(server: &Server, admin: &Caller, numbers: &mut Sequence) {
    let (one, other, kind) = (numbers.below(NUMBERS), numbers.below(NUMBERS), numbers.below(25));
    let text = format!("T{}", numbers.below(4));
    let (group, user) = (format!("{GROUPS}/g{one}"), format!("{USERS}/u{one}"));
    let number = one + 1;
    let body = |text: &str| json!({ "labels": { "en": text, "it": "I" }, "xp": { "a": text } });
    let person = |id: &str| json!({ "username": id, "firstName": text, "lastName": "L", "email": "e@x.io" });
    let pair = json!({ "UserGroupID": format!("g{one}"), "UserID": format!("u{other}") });
    let sent = match kind {
        0 | 1 => admin.put(&group, &body(&text)).await,
        2 | 3 => admin.put(&user, &person(&format!("u{one}"))).await,
        4 => admin.patch(&group, &json!({ "labels": { "it": text, "de": text }, "xp": { "b": text } })).await,
        5 => admin.patch(&group, &json!({ "labels": { "de": null }, "description": text })).await,
        6 => admin.patch(&group, &json!({ "id": format!("g{other}"), "communities": [A] })).await,
        7 => admin.patch(&user, &json!({ "id": format!("u{other}"), "username": format!("u{other}") })).await,
        8 => admin.delete(&group).await,
        9 => admin.delete(&user).await,
        10 => admin.post(&format!("{GROUPS}/uid:{number}/restore"), &Value::Null).await,
        11 => admin.post(&format!("{USERS}/uid:{number}/restore"), &Value::Null).await,
        12 => admin.put(&format!("{group}/members/u{other}"), &Value::Null).await,
        13 => admin.delete(&format!("{group}/members/u{other}")).await,
        14..=17 => {
            let add: Vec<_> = (0..4).map(|_| format!("u{}", numbers.below(NUMBERS))).collect();
            let remove: Vec<_> = (0..2).map(|_| format!("u{}", numbers.below(NUMBERS))).collect();
            let remove: Vec<_> = remove.into_iter().filter(|user| !add.contains(user)).collect();
            let change = json!({ "add": add, "remove": remove });
            admin.patch(&format!("{group}/members?unknown=ignore"), &change).await
        }
        18 => admin.post(CORE, &json!({ "ID": number, "Labels": labels(&json!({ "en": text, "fr": "F" })) })).await,
        19 => admin.delete(&format!("{CORE}/{number}")).await,
        20 => admin.post("/v1/usergroups/assignments", &pair).await,
        21 => admin.put(&format!("/v1/usergroups/g{one}"), &json!({ "Name": text, "Description": "D" })).await,
        22 => admin.patch(&format!("/v1/adminusers/u{one}"), &json!({ "Phone": text, "xp": { "p": text } })).await,
        23 => admin.delete(&format!("/v1/usergroups/g{one}/assignments/u{other}")).await,
        _ => {
            let lines = [
                json!({ "group": { "id": format!("g{one}"), "labels": { "en": text } } }),
                json!({ "membership": { "group": format!("g{one}"), "user": format!("u{other}") } }),
                json!({ "membership": { "group": format!("g{other}"), "user": format!("u{one}") } }),
            ];
            let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
            // A user who does not exist is refused.
            let _outcome = server.cli().run_with(&["import", "-"], &lines);
            return;
        }
    };
    assert!(sent.status < 500, "{sent:?}");
}

/// What callers see of all live groups and users, without what an undo moves on: versions and times.
type State = BTreeMap<String, Value>;

fn lasting(mut entity: Value) -> Value {
    for name in ["version", "updated", "created", "name", "passwordSet", "lastActive", "deleted"] {
        entity.as_object_mut().unwrap().remove(name);
    }
    entity
}

/// The numbers of the users or groups in the items of a list, in order.
fn numbers_of(list: &Reply, kind: &str) -> Value {
    let items = list["items"].as_array().unwrap().iter();
    let numbers: BTreeSet<_> = items.map(|item| item[kind]["uid"].as_i64().unwrap()).collect();
    json!(numbers)
}

async fn state(admin: &Caller) -> State {
    let mut state = State::new();
    for path in [GROUPS, USERS] {
        for item in admin.get(&format!("{path}?limit=1000")).await.is(200)["items"].as_array().unwrap() {
            let key = format!("{path}/uid:{}", item["uid"]);
            if path == GROUPS {
                let members = admin.get(&format!("{key}/members?limit=1000")).await.is(200);
                state.insert(format!("{key}/members"), numbers_of(&members, "user"));
            } else {
                let groups = admin.get(&format!("{key}/groups?limit=1000")).await.is(200);
                state.insert(format!("{key}/groups"), numbers_of(&groups, "group"));
            }
            state.insert(key, lasting(item.clone()));
        }
    }
    state
}

/// The groups, their members and the groups of users at the moment.
async fn state_at(admin: &Caller, at: &str) -> State {
    let mut state = State::new();
    for path in [GROUPS, USERS] {
        for filter in ["", "&deleted=true"] {
            for item in admin.get(&format!("{path}?limit=1000{filter}")).await.is(200)["items"].as_array().unwrap() {
                let key = format!("{path}/uid:{}", item["uid"]);
                if path == USERS {
                    let groups = admin.get(&format!("{key}/groups?limit=1000&at={at}")).await;
                    if groups.status == 200 {
                        state.insert(format!("{key}/groups"), numbers_of(&groups, "group"));
                    }
                    continue;
                }
                let group = admin.get(&format!("{key}?at={at}")).await;
                if group.status == 200 && group["deleted"].is_null() {
                    let members = admin.get(&format!("{key}/members?limit=1000&at={at}")).await.is(200);
                    state.insert(format!("{key}/members"), numbers_of(&members, "user"));
                    state.insert(key, lasting(group.json().clone()));
                }
            }
        }
    }
    state
}

/// The state that a reader of the feed rebuilds from its beginning.
async fn rebuilt(admin: &Caller) -> State {
    latest(admin).await;
    let (mut entities, mut members, mut after) = (State::new(), BTreeSet::new(), String::new());
    loop {
        let page = admin.get(&format!("{CHANGES}?limit=1000{after}")).await.is(200);
        for change in page["changes"].as_array().unwrap() {
            let (kind, verb) = change["type"].as_str().unwrap().split_once('.').unwrap();
            let (group, user) = (&change["group"]["uid"], &change["user"]["uid"]);
            let pair = || (group.as_i64().unwrap(), user.as_i64().unwrap());
            match (kind, verb) {
                ("group", _) => _ = entities.insert(format!("{GROUPS}/uid:{group}"), change["after"].clone()),
                ("user", _) => _ = entities.insert(format!("{USERS}/uid:{user}"), change["after"].clone()),
                ("membership", "added") => _ = members.insert(pair()),
                ("membership", _) => _ = members.remove(&pair()),
                _ => {}
            }
        }
        after = format!("&after={}", page["next"].as_str().unwrap());
        if page["more"] == false {
            break;
        }
    }
    entities.retain(|_, entity| entity["deleted"].is_null());
    members.retain(|(group, user)| {
        entities.contains_key(&format!("{GROUPS}/uid:{group}")) && entities.contains_key(&format!("{USERS}/uid:{user}"))
    });
    let mut state: State = entities.into_iter().map(|(key, entity)| (key, lasting(entity))).collect();
    for key in state.keys().cloned().collect::<Vec<_>>() {
        let uid: i64 = key.rsplit(':').next().unwrap().parse().unwrap();
        let (list, others): (_, BTreeSet<_>) = match key.starts_with(GROUPS) {
            true => ("members", members.iter().filter(|pair| pair.0 == uid).map(|pair| pair.1).collect()),
            false => ("groups", members.iter().filter(|pair| pair.1 == uid).map(|pair| pair.0).collect()),
        };
        state.insert(format!("{key}/{list}"), json!(others));
    }
    state
}

/// A state without what the feed does not have: counts and the data of sign-ins.
fn as_in_the_feed(mut state: State) -> State {
    for entity in state.values_mut().filter_map(Value::as_object_mut) {
        for name in ["memberCount", "groupCount", "lockedUntil", "failedSignIns"] {
            entity.remove(name);
        }
    }
    state
}

/// A thousand changes through every API and the import. Every moment is as it was; undoing everything since a moment leads
/// back to it, undoing all to the empty directory, and undoing that to where it was.
#[tokio::test]
async fn undoing_leads_back_to_every_moment() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut numbers = Sequence(7);
    let mut moments: Vec<(Value, State)> = Vec::new();
    for round in 0..20 {
        for _ in 0..50 {
            change(&server, &admin, &mut numbers).await;
        }
        let now = state(&admin).await;
        if round % 4 == 3 {
            let (mark, then) = &moments[moments.len() - 2];
            let later = changes_after(&admin, mark).await;
            let undone = admin.post(UNDO, &json!({ "operation": later })).await.is(200);
            assert_eq!(state(&admin).await, *then, "round {round}");
            undo(&admin, &undone["operation"]).await.is(200);
            assert_eq!(state(&admin).await, now, "round {round}");
        }
        moments.push((latest(&admin).await, now));
    }
    for (mark, then) in moments.iter().step_by(3) {
        let at = mark["time"].as_str().unwrap();
        let mut then = then.clone();
        // Users who were deleted then were in no groups, and there is no question about the fields of a user.
        then.retain(|key, value| !key.starts_with(USERS) || key.ends_with("/groups") && *value != json!([]));
        let mut found = state_at(&admin, at).await;
        found.retain(|key, value| !key.starts_with(USERS) || *value != json!([]));
        assert_eq!(found, then, "at {at}");
    }
    let now = state(&admin).await;
    assert!(now.len() > 20, "{now:?}");
    assert_eq!(rebuilt(&admin).await, as_in_the_feed(now.clone()));
    let all = json!({ "channel": ["rollbook", "core", "ordercloud", "import"] });
    let undone = admin.post(UNDO, &all).await.is(200);
    assert_eq!(state(&admin).await, State::new());
    undo(&admin, &undone["operation"]).await.is(200);
    assert_eq!(state(&admin).await, now);
}

/// The operations of all changes after this one.
async fn changes_after(admin: &Caller, mark: &Value) -> Vec<String> {
    latest(admin).await;
    let page = admin.get(&format!("{CHANGES}?order=desc&limit=1000")).await.is(200);
    let changes = page["changes"].as_array().unwrap().clone();
    let later = changes.iter().take_while(|change| change["operation"] != mark["operation"]);
    let mut operations: Vec<_> = later.map(|change| change["operation"].as_str().unwrap().to_owned()).collect();
    operations.dedup();
    operations
}

#[tokio::test]
async fn members_of_one_group_name_the_operation_that_gave_each() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "id": "g", "name": "N" })).await.is(201);
    let mut operations = BTreeMap::new();
    for (user, name) in ["ada", "bob"].into_iter().enumerate() {
        make_user(&admin, name).await;
        admin.put(&format!("{GROUPS}/g/members/{name}"), &Value::Null).await.is(204);
        operations.insert(user as i64 + 1, latest(&admin).await["operation"].clone());
    }
    let undone = admin.post(UNDO, &json!({ "group": "g", "type": "membership.added" })).await.is(200);
    assert_eq!(undone["undone"], 2);
    latest(&admin).await;
    let page = admin.get(&format!("{CHANGES}?order=desc&limit=2")).await.is(200);
    for change in page["changes"].as_array().unwrap() {
        assert_eq!(change["type"], "membership.removed");
        assert_eq!(change["undoes"], operations[&change["user"]["uid"].as_i64().unwrap()]);
    }
    assert_eq!(admin.get(&format!("{GROUPS}/g")).await.is(200)["memberCount"], 0);
}

#[tokio::test]
async fn a_repeated_undo_is_answered_once() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "id": "g", "name": "N" })).await.is(201);
    let operation = latest(&admin).await["operation"].as_str().unwrap().to_owned();
    let undo = format!("/rollbook/v1/operations/{operation}/undo");
    let send = async |path: &str| {
        let request = admin.request("POST", path).header("idempotency-key", "k-1").header("rollbook-reason", "Oops");
        admin.send(request).await
    };
    send(&format!("{undo}?dryRun=true")).await.is(200);
    let first = send(&undo).await.is(200);
    let second = send(&undo).await.is(200);
    assert_eq!((first.json(), second.header("idempotency-replayed")), (second.json(), "true"));
    let change = latest(&admin).await;
    assert_eq!((&change["undoes"], &change["reason"]), (&json!(operation), &json!("Oops")));
    let conditional = admin.request("POST", &undo).header("if-match", r#""rollbook-1-1""#);
    admin.send(conditional).await.fails(412, "precondition_failed");
}
