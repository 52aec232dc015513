//! Groups in Rollbook's own API.

use serde_json::{Value, json};

use super::with;
use crate::support::{A, B, C, CORE, Caller, FULL, GROUP_READER, Reply, Server, make_group, make_user};

const GROUPS: &str = "/rollbook/v1/groups";

fn path(address: &str) -> String {
    format!("{GROUPS}/{address}")
}

async fn support(admin: &Caller) -> Reply {
    let body = json!({
        "id": "support", "labels": { "it": "Assistenza", "en": "Support team" }, "xp": { "Dept": "IT", "n": 1.0 },
        "communities": [A, B],
    });
    admin.post(GROUPS, &body).await.is(201)
}

#[tokio::test]
async fn a_group_has_all_its_fields() {
    let server = Server::start();
    let admin = server.admin().await;
    let created = support(&admin).await;
    assert_eq!(created.header("location"), "/rollbook/v1/groups/support");
    assert_eq!(created.header("etag"), r#""rollbook-1-1.0""#);
    assert!(created.text.contains(r#""xp":{"Dept":"IT","n":1.0}"#), "{}", created.text);
    let mut expected = json!({
        "uid": 1, "id": "support", "name": "Support team", "labels": { "en": "Support team", "it": "Assistenza" },
        "description": null, "xp": { "Dept": "IT", "n": 1.0 }, "communities": [A, B], "memberCount": 0, "version": 1,
        "created": created["created"], "updated": created["created"], "deleted": null,
    });
    assert!(created["created"].as_str().unwrap().ends_with('Z'));
    for address in ["support", "SUPPORT", "uid:1"] {
        assert_eq!(*admin.get(&path(address)).await.is(200).json(), expected, "{address}");
    }
    make_user(&admin, "ada").await;
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "support", "UserID": "ada" })).await.is(204);
    expected["memberCount"] = json!(1);
    let shown = admin.get(&path("support")).await.is(200);
    assert_eq!((shown.json(), shown.header("etag")), (&expected, r#""rollbook-1-1.1""#));
    with(&admin, "GET", &path("support"), ("if-none-match", r#""rollbook-1-1.1""#), &Value::Null).await.is(304);
    // It is whole in the other APIs, and what they make is whole here.
    assert_eq!(admin.get("/v1/usergroups/support").await.is(200)["xp"], json!({ "Dept": "IT", "n": 1.0 }));
    assert!(admin.get(&format!("{CORE}/1")).await.is(200)["Labels"].as_str().unwrap().contains("Assistenza"));
    let number = make_group(&admin, "Other", &[C]).await;
    let other = admin.get(&path(&format!("uid:{number}"))).await.is(200);
    assert_eq!((&other["name"], &other["communities"]), (&json!("Other"), &json!([C])));
}

#[tokio::test]
async fn what_get_returned_can_be_changed_and_put_back() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = support(&admin).await.json().clone();
    let unchanged = admin.put(&path("support"), &body).await.is(200);
    assert_eq!(*unchanged.json(), body, "nothing changed");
    body["description"] = json!("Answers");
    body["xp"] = json!({});
    let changed = admin.put(&path("uid:1"), &body).await.is(200);
    assert_eq!((&changed["version"], &changed["description"]), (&json!(2), &json!("Answers")));
    assert_eq!(admin.put(&path("uid:1"), changed.json()).await.is(200)["version"], 2, "an empty xp stays");
    // The version in the body is the one that was read.
    admin.put(&path("support"), &body).await.fails(412, "precondition_failed");
    body["version"] = json!(2);
    body["uid"] = json!(2);
    let refused = admin.put(&path("support"), &body).await.fails(400, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/uid");
    // What is left out is emptied, except for the ID and the communities.
    let emptied = admin.put(&path("support"), &json!({ "name": "S" })).await.is(200);
    let expected = (&json!({ "en": "S" }), &Value::Null, &json!("support"), &json!([A, B]));
    assert_eq!((&emptied["labels"], &emptied["description"], &emptied["id"], &emptied["communities"]), expected);
    // PUT creates, and a body with another ID renames.
    assert_eq!(admin.put(&path("new"), &json!({ "name": "N" })).await.is(200)["id"], "new");
    with(&admin, "PUT", &path("new"), ("if-none-match", "*"), &json!({ "name": "N" })).await.is(412);
    admin.put(&path("new"), &json!({ "id": "Support", "name": "N" })).await.fails(409, "id_taken");
    assert_eq!(admin.put(&path("new"), &json!({ "id": "newer", "name": "N" })).await.is(200)["id"], "newer");
    admin.get(&path("new")).await.fails(404, "not_found");
    admin.put(&path("uid:99"), &json!({ "name": "N" })).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_patch_is_merged() {
    let server = Server::start();
    let admin = server.admin().await;
    support(&admin).await;
    let patch = json!({ "labels": { "de": "Hilfe", "it": null }, "xp": { "n": null, "Site": { "a": 1, "b": null } } });
    let patched = admin.patch(&path("support"), &patch).await.is(200);
    assert_eq!(patched["labels"], json!({ "de": "Hilfe", "en": "Support team" }));
    assert_eq!(patched["xp"], json!({ "Dept": "IT", "Site": { "a": 1 } }));
    assert_eq!((&patched["version"], &patched["communities"]), (&json!(2), &json!([A, B])));
    assert_eq!(admin.patch(&path("support"), &json!({})).await.is(200)["version"], 2);
    let named = admin.patch(&path("support"), &json!({ "name": "Help", "xp": null })).await.is(200);
    assert_eq!((&named["labels"]["en"], &named["xp"]), (&json!("Help"), &json!({})));
    admin.patch(&path("support"), &json!({ "labels": { "en": "A" }, "name": "B" })).await.fails(400, "invalid");
    admin.patch(&path("support"), &json!({ "labels": { "en": null, "de": null } })).await.fails(400, "invalid");
    assert_eq!(admin.get(&path("support")).await.is(200)["version"], 3);
}

#[tokio::test]
async fn deleted_groups_are_found_by_number_only() {
    let server = Server::start();
    let admin = server.admin().await;
    support(&admin).await;
    make_user(&admin, "ada").await;
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "support", "UserID": "ada" })).await.is(204);
    let refused = admin.delete(&path("support?onlyIfEmpty=true")).await.fails(409, "has_members");
    assert!(refused["detail"].as_str().unwrap().contains('1'));
    with(&admin, "DELETE", &path("support"), ("if-match", r#""rollbook-1-9""#), &Value::Null).await.is(412);
    with(&admin, "DELETE", &path("support"), ("if-match", r#""rollbook-1-1.0""#), &Value::Null).await.is(204);
    admin.get(&path("support")).await.fails(404, "not_found");
    let tombstone = admin.get(&path("uid:1")).await.is(200);
    assert!(tombstone["deleted"].is_string() && tombstone["memberCount"] == 0, "{}", tombstone.text);
    for reply in [
        admin.delete(&path("uid:1")).await,
        admin.patch(&path("uid:1"), &json!({})).await,
        admin.put(&path("uid:1"), &json!({ "name": "N" })).await,
    ] {
        reply.fails(409, "deleted");
    }
    admin.delete(&path("support")).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_typo_never_widens_what_is_done() {
    let server = Server::start();
    let admin = server.admin().await;
    let group = support(&admin).await;
    admin.delete(&path("support?onlyifempty=true")).await.fails(400, "invalid_parameter");
    admin.delete(&path("support?onlyIfEmpty=")).await.fails(400, "invalid_parameter");
    admin.delete(&path("support?onlyIfEmpty=yes")).await.fails(400, "invalid_parameter");
    admin.get(&path("support?at=now")).await.fails(400, "invalid_parameter");
    admin.post(GROUPS, &json!({ "name": "N", "descripton": "x" })).await.fails(400, "invalid_body");
    for (body, pointer) in [
        (json!({}), "/labels"),
        (json!({ "labels": { "en_US": "x" } }), "/labels"),
        (json!({ "labels": { "en": 1 } }), "/labels"),
        (json!({ "labels": {} }), "/labels"),
        (json!({ "labels": { "en": "A" }, "name": "B" }), "/name"),
        (json!({ "name": " " }), "/name"),
        (json!({ "name": "N", "communities": ["x"] }), "/communities"),
        (json!({ "name": "N", "communities": A }), "/communities"),
        (json!({ "name": "N", "xp": [] }), "/xp"),
        (json!({ "name": "N", "id": "a b" }), "/id"),
        (json!({ "name": "N", "version": "1" }), "/version"),
        (json!({ "name": "N", "uid": 1 }), "/uid"),
    ] {
        let refused = admin.post(GROUPS, &body).await.fails(400, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    admin.get("/rollbook/v1/nothing").await.fails(404, "no_route");
    admin.call("DELETE", GROUPS, None, "").await.fails(405, "method_not_allowed");
    assert_eq!(admin.get(&path("uid:1")).await.is(200).json(), group.json());
    assert_eq!(admin.get("/v1/usergroups").await.is(200).total(), 1);
}

#[tokio::test]
async fn a_limited_caller_sees_and_changes_only_their_own_communities() {
    let server = Server::start();
    let admin = server.admin().await;
    let in_a = server.token(&[FULL], &[A]).await;
    support(&admin).await;
    make_group(&admin, "foreign", &[B]).await;
    assert_eq!(in_a.get(&path("support")).await.is(200)["communities"], json!([A]));
    assert_eq!(
        admin.get(&path("support")).await.is(200)["communities"],
        json!([A, B]),
        "and the cache keeps them apart"
    );
    in_a.get(&path("uid:2")).await.fails(404, "not_found");
    in_a.delete(&path("uid:2")).await.fails(404, "not_found");
    let body = in_a.get(&path("support")).await.is(200).json().clone();
    assert_eq!(in_a.put(&path("support"), &body).await.is(200)["communities"], json!([A]));
    in_a.patch(&path("support"), &json!({ "communities": [] })).await.fails(400, "invalid");
    in_a.patch(&path("support"), &json!({ "communities": [A, B] })).await.fails(400, "invalid");
    assert_eq!(admin.get(&path("support")).await.is(200)["communities"], json!([A, B]), "links to others stay");
    assert_eq!(in_a.post(GROUPS, &json!({ "name": "Own" })).await.is(201)["communities"], json!([A]));
    in_a.post(GROUPS, &json!({ "name": "Own", "communities": [B] })).await.fails(400, "invalid");
    let reader = server.token(&[GROUP_READER], &[]).await;
    reader.post(GROUPS, &json!({ "name": "N" })).await.fails(403, "forbidden");
    server.anonymous().get(&path("support")).await.fails(401, "unauthenticated");
}
