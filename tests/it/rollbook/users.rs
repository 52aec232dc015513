//! Users in Rollbook's own API.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::with;
use crate::support::{A, AUDITOR, B, Caller, FULL, GROUP_ADMIN, PASSWORD, Reply, Server, user_body};

/// The path of users.
pub(super) const USERS: &str = "/rollbook/v1/users";

/// The path of the user with this address.
pub(super) fn path(address: &str) -> String {
    format!("{USERS}/{address}")
}

/// The body of a user with all fields.
pub(super) fn ada() -> Value {
    json!({
        "id": "ada", "username": "Ada@example.org", "firstName": "Ada", "lastName": "Lindqvist",
        "email": "ada@example.org", "phone": "+46 1", "active": true, "termsAccepted": "2026-01-02T03:04:05Z",
        "xp": { "Dept": "IT", "n": 1.0 }, "roles": [AUDITOR], "communities": [A, B],
    })
}

/// The body of a user without optional fields.
pub(super) fn plain(name: &str) -> Value {
    json!({ "id": name, "username": name, "firstName": "F", "lastName": "L", "email": "e@x.io" })
}

/// Creates a user.
pub(super) async fn make(admin: &Caller, body: &Value) -> Reply {
    admin.post(USERS, body).await.is(201)
}

/// Puts the user with this ID into a new group.
pub(super) async fn join(admin: &Caller, user: &str, group: &str) {
    admin.put(&format!("/v1/usergroups/{group}"), &json!({ "Name": group })).await.is(200);
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": group, "UserID": user })).await.is(204);
}

#[tokio::test]
async fn a_user_has_all_their_fields() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = ada();
    body["password"] = json!(PASSWORD);
    let created = make(&admin, &body).await;
    assert_eq!(created.header("location"), "/rollbook/v1/users/ada");
    assert_eq!(created.header("etag"), r#""rollbook-1-1.0-0-0-0""#);
    assert!(created.text.contains(r#""xp":{"Dept":"IT","n":1.0}"#), "{}", created.text);
    let mut expected = ada();
    for (field, value) in [
        ("uid", json!(1)),
        ("passwordSet", json!(true)),
        ("groupCount", json!(0)),
        ("lockedUntil", Value::Null),
        ("failedSignIns", json!(0)),
        ("lastActive", Value::Null),
        ("version", json!(1)),
        ("created", created["created"].clone()),
        ("updated", created["created"].clone()),
        ("deleted", Value::Null),
    ] {
        expected[field] = value;
    }
    for address in ["ada", "ADA", "uid:1", "username:ada@example.org", "username:ADA%40EXAMPLE.ORG"] {
        assert_eq!(*admin.get(&path(address)).await.is(200).json(), expected, "{address}");
    }
    // Groups and sign-ins are no part of the version, but of the tag.
    join(&admin, "ada", "g").await;
    server.log_on("ada@example.org", PASSWORD).await.is(200);
    server.log_on("ada@example.org", "wrong").await.is(401);
    let shown = admin.get(&path("ada")).await.is(200);
    assert_eq!((&shown["groupCount"], &shown["failedSignIns"], &shown["version"]), (&json!(1), &json!(1), &json!(1)));
    assert!(shown["lastActive"].is_string());
    assert!(shown.header("etag").starts_with(r#""rollbook-1-1.1-"#), "{}", shown.header("etag"));
    with(&admin, "GET", &path("ada"), ("if-none-match", shown.header("etag")), &Value::Null).await.is(304);
    with(&admin, "GET", &path("ada"), ("if-none-match", created.header("etag")), &Value::Null).await.is(200);
    let old = ("if-match", created.header("etag"));
    let edited = with(&admin, "PATCH", &path("ada"), old, &json!({ "phone": null })).await.is(200);
    assert_eq!((&edited["groupCount"], &edited["version"], &edited["phone"]), (&json!(1), &json!(2), &Value::Null));
    // They are whole in the other API, and what that makes is whole here.
    let other = admin.get("/v1/adminusers/ada").await.is(200);
    assert_eq!((&other["AvailableRoles"], &other["xp"]), (&json!([AUDITOR]), &json!({ "Dept": "IT", "n": 1.0 })));
    admin.post("/v1/adminusers", &user_body("eve")).await.is(201);
    let eve = admin.get(&path("eve")).await.is(200);
    assert_eq!((&eve["xp"], &eve["passwordSet"], &eve["roles"]), (&json!({}), &json!(false), &json!([])));
}

#[tokio::test]
async fn what_get_returned_can_be_changed_and_put_back() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, &ada()).await;
    let mut body = admin.get(&path("ada")).await.is(200).json().clone();
    assert_eq!(*admin.put(&path("ada"), &body).await.is(200).json(), body, "nothing changed");
    body["lastName"] = json!("Lovelace");
    body["roles"] = json!([GROUP_ADMIN, AUDITOR]);
    let changed = admin.put(&path("username:ada@example.org"), &body).await.is(200);
    assert_eq!((&changed["version"], &changed["lastName"]), (&json!(2), &json!("Lovelace")));
    assert_eq!(changed["roles"], json!([GROUP_ADMIN, AUDITOR]));
    admin.put(&path("ada"), &body).await.fails(412, "precondition_failed");
    body["version"] = json!(2);
    body["uid"] = json!(2);
    let refused = admin.put(&path("ada"), &body).await.fails(400, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/uid");
    // What is left out is emptied, except for ID, activity, roles and communities.
    admin.patch(&path("ada"), &json!({ "active": false })).await.is(200);
    let mut least = plain("ada");
    least.as_object_mut().unwrap().remove("id");
    let emptied = admin.put(&path("uid:1"), &least).await.is(200);
    assert_eq!(
        (&emptied["phone"], &emptied["termsAccepted"], &emptied["xp"]),
        (&Value::Null, &Value::Null, &json!({}))
    );
    let kept = (&emptied["id"], &emptied["active"], &emptied["roles"], &emptied["communities"]);
    assert_eq!(kept, (&json!("ada"), &json!(false), &json!([GROUP_ADMIN, AUDITOR]), &json!([A, B])));
    // PUT creates by ID alone, and a body with another ID renames.
    admin.put(&path("new"), &least).await.fails(409, "username_taken");
    assert_eq!(admin.put(&path("new"), &plain("newer")).await.is(200)["id"], "newer");
    with(&admin, "PUT", &path("newer"), ("if-none-match", "*"), &plain("newer")).await.is(412);
    let mut taken = plain("newer");
    taken["id"] = json!("ADA");
    admin.put(&path("newer"), &taken).await.fails(409, "id_taken");
    for unknown in ["uid:99", "username:nobody"] {
        admin.put(&path(unknown), &plain("other")).await.fails(404, "not_found");
    }
    admin.get(&path("other")).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_patch_is_merged() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, &ada()).await;
    let patch =
        json!({ "xp": { "n": null, "Site": { "a": 1, "b": null } }, "communities": [B], "termsAccepted": null });
    let patched = admin.patch(&path("ada"), &patch).await.is(200);
    assert_eq!(patched["xp"], json!({ "Dept": "IT", "Site": { "a": 1 } }));
    let fields = (&patched["communities"], &patched["termsAccepted"], &patched["phone"], &patched["version"]);
    assert_eq!(fields, (&json!([B]), &Value::Null, &json!("+46 1"), &json!(2)));
    assert_eq!(admin.patch(&path("ada"), &json!({})).await.is(200)["version"], 2);
    let patch = json!({ "id": "Ada", "version": 2, "roles": [], "xp": null });
    let renamed = admin.patch(&path("ada"), &patch).await.is(200);
    assert_eq!((&renamed["id"], &renamed["roles"], &renamed["xp"]), (&json!("Ada"), &json!([]), &json!({})));
    admin.patch(&path("ada"), &json!({ "version": 2 })).await.fails(412, "precondition_failed");
    admin.patch(&path("nobody"), &json!({})).await.fails(404, "not_found");
}

#[tokio::test]
async fn deleted_users_are_found_by_number_only() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, &ada()).await;
    join(&admin, "ada", "g").await;
    with(&admin, "DELETE", &path("ada"), ("if-match", r#""rollbook-1-9""#), &Value::Null).await.is(412);
    with(&admin, "DELETE", &path("ada"), ("if-match", r#""rollbook-1-1.0""#), &Value::Null).await.is(204);
    for address in ["ada", "username:ada@example.org"] {
        admin.get(&path(address)).await.fails(404, "not_found");
    }
    let tombstone = admin.get(&path("uid:1")).await.is(200);
    assert!(tombstone["deleted"].is_string() && tombstone["groupCount"] == 0, "{}", tombstone.text);
    for reply in [
        admin.delete(&path("uid:1")).await,
        admin.patch(&path("uid:1"), &json!({})).await,
        admin.put(&path("uid:1"), &plain("ada")).await,
        admin.put(&path("uid:1/password"), &json!({ "password": PASSWORD })).await,
        admin.call("POST", &path("uid:1/unlock"), None, "").await,
        admin.call("POST", &path("uid:1/revoke-tokens"), None, "").await,
    ] {
        reply.fails(409, "deleted");
    }
    admin.delete(&path("ada")).await.fails(404, "not_found");
    assert_eq!(make(&admin, &ada()).await["uid"], 2);
}

#[tokio::test]
async fn a_typo_never_widens_what_is_done() {
    let server = Server::start();
    let admin = server.admin().await;
    let user = make(&admin, &ada()).await;
    admin.delete(&path("ada?force=true")).await.fails(400, "invalid_parameter");
    admin.get(&path("ada?at=now")).await.fails(400, "invalid_parameter");
    admin.call("POST", &path("ada/unlock?x=1"), None, "").await.fails(400, "invalid_parameter");
    let mut unknown = plain("b");
    unknown["lastname2"] = json!("x");
    admin.post(USERS, &unknown).await.fails(400, "invalid_body");
    for (field, value) in [
        ("username", Value::Null),
        ("firstName", json!(" ")),
        ("lastName", json!(1)),
        ("email", json!("x".repeat(201))),
        ("phone", json!(1)),
        ("active", Value::Null),
        ("termsAccepted", json!("yesterday")),
        ("xp", json!([])),
        ("roles", json!(FULL)),
        ("roles", json!(["fullaccess"])),
        ("roles", json!([null])),
        ("communities", json!(["x"])),
        ("id", json!("a b")),
        ("version", json!("1")),
        ("uid", json!(0)),
    ] {
        for (method, address) in [("POST", ""), ("PUT", "/ada"), ("PATCH", "/ada")] {
            let mut body = plain("b");
            body[field] = value.clone();
            let path = format!("{USERS}{address}");
            let refused = admin.call(method, &path, Some("application/json"), body.to_string()).await;
            let refused = refused.fails(400, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], format!("/{field}"), "{method} {field} {value}");
        }
    }
    for address in ["a%20b", "uid:x", "uid:0", "name:ada", "username:"] {
        admin.get(&path(address)).await.fails(404, "not_found");
    }
    admin.put(&path("a%20b"), &plain("b")).await.fails(404, "not_found");
    assert_eq!(admin.get(&path("uid:1")).await.is(200).json(), user.json());
    assert_eq!(admin.get(USERS).await.is(200)["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_writers_of_one_version_exactly_one_succeeds() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut current = make(&admin, &ada()).await.header("etag").to_owned();
    for version in 2..=5 {
        let mut writers = JoinSet::new();
        for writer in 0..20 {
            let (admin, current) = (admin.clone(), current.clone());
            writers.spawn(async move {
                let phone = format!("{version} {writer}");
                let mut body = plain("ada");
                body["phone"] = json!(phone);
                let (method, body) = if writer % 2 == 0 { ("PUT", body) } else { ("PATCH", json!({ "phone": phone })) };
                with(&admin, method, &path("ada"), ("if-match", &current), &body).await
            });
        }
        let (done, refused): (Vec<_>, Vec<_>) =
            writers.join_all().await.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1, "{version}");
        assert!(refused.iter().all(|reply| reply.code() == "precondition_failed"), "{refused:?}");
        let stored = admin.get(&path("ada")).await.is(200);
        assert_eq!((&stored["version"], &stored["phone"]), (&json!(version), &done[0]["phone"]));
        current = stored.header("etag").to_owned();
    }
}
