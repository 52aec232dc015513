//! Long-lived tokens in Rollbook's own API.

use serde_json::{Value, json};

use super::{CLIENTS, make_client, with};
use crate::support::{Caller, FULL, GROUP_READER, Reply, Server, make_user};

const TOKENS: &str = "/rollbook/v1/tokens";

async fn make_token(admin: &Caller, client: &Reply, name: &str) -> Reply {
    let path = format!("{CLIENTS}/{}/tokens", client["id"].as_str().unwrap());
    admin.post(&path, &json!({ "name": name })).await.is(201)
}

/// The status that the token gets in each API.
async fn statuses(server: &Server, token: &Reply) -> [u16; 3] {
    let caller = server.bearer(token["secret"].as_str().unwrap());
    [
        caller.get("/rollbook/v1/groups").await.status,
        caller.get("/v1/usergroups").await.status,
        caller.get("/api/admin/v1/users-groups/list").await.status,
    ]
}

/// The lifetime of the token, rounded to days: its creation is recorded a moment after its end is fixed.
fn days(token: &Reply) -> i64 {
    let time = |name: &str| token[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    (time("expires").duration_since(time("created")).as_hours() + 12) / 24
}

fn names(page: &Reply) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_token_is_shown_once_and_opens_every_api() {
    let server = Server::start();
    let admin = server.admin().await;
    let client = make_client(&admin, json!({ "name": "app", "roles": [GROUP_READER] })).await;
    let id = client["id"].as_str().unwrap();
    let tokens = format!("{CLIENTS}/{id}/tokens");
    let made = admin.post(&tokens, &json!({ "name": "okta", "days": 2 })).await.is(201);
    assert!(made["secret"].as_str().unwrap().starts_with("rbk_") && made["secretShown"] == false);
    assert_eq!(made.header("location"), format!("{TOKENS}/{}", made["id"].as_str().unwrap()));
    assert_eq!(days(&made), 2);
    assert_eq!(statuses(&server, &made).await, [200; 3]);
    let listed = admin.get(&tokens).await.is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let mut expected = made.json().clone();
    expected.as_object_mut().unwrap().retain(|name, _| !name.starts_with("secret"));
    expected["lastUsed"] = listed["items"][0]["lastUsed"].clone();
    assert_eq!((&listed["items"][0], &expected["client"]), (&expected, &json!(id)));
    assert!(!listed.text.contains("rbk_"), "{}", listed.text);
    // It is a caller as the client is.
    let caller = server.bearer(made["secret"].as_str().unwrap());
    caller.post("/rollbook/v1/groups", &json!({ "name": "N" })).await.fails(403, "forbidden");
    let default = make_token(&admin, &client, "a year").await;
    assert_eq!(days(&default), 365);
}

#[tokio::test]
async fn tokens_are_listed_in_pages_and_revoked() {
    let server = Server::start();
    let admin = server.admin().await;
    let one = make_client(&admin, json!({ "name": "one", "roles": [FULL] })).await;
    let two = make_client(&admin, json!({ "name": "two", "roles": [FULL] })).await;
    let first = make_token(&admin, &one, "a").await;
    for (client, name) in [(&two, "b"), (&one, "c")] {
        make_token(&admin, client, name).await;
    }
    let all = admin.get(TOKENS).await.is(200);
    assert_eq!(names(&all), ["a", "b", "c"]);
    let clients: Vec<_> = all["items"].as_array().unwrap().iter().map(|token| &token["client"]).collect();
    assert_eq!(clients, [&one["id"], &two["id"], &one["id"]]);
    let of_one = format!("{CLIENTS}/{}/tokens", one["id"].as_str().unwrap());
    for (path, pages) in [(TOKENS, [&["a", "b"][..], &["c"]]), (&of_one, [&["a", "c"], &[]])] {
        let page = admin.get(&format!("{path}?limit=2")).await.is(200);
        assert_eq!(names(&page), pages[0]);
        match page["next"].as_str() {
            Some(next) => {
                assert_eq!(names(&admin.get(&format!("{path}?limit=2&after={next}")).await.is(200)), pages[1])
            }
            None => assert!(pages[1].is_empty()),
        }
    }
    let own = format!("{TOKENS}/{}", first["id"].as_str().unwrap());
    with(&admin, "DELETE", &own, ("if-match", r#""rollbook-9-9""#), &Value::Null)
        .await
        .fails(412, "precondition_failed");
    admin.delete(&own).await.is(204);
    assert_eq!(statuses(&server, &first).await, [401; 3]);
    admin.delete(&own).await.fails(404, "not_found");
    admin.delete(&format!("{TOKENS}/none")).await.fails(404, "not_found");
    assert_eq!(names(&admin.get(TOKENS).await.is(200)), ["b", "c"]);
    admin.get(&format!("{TOKENS}?client=x")).await.fails(400, "invalid_parameter");
    admin.get(&format!("{CLIENTS}/none/tokens")).await.fails(404, "not_found");
}

#[tokio::test]
async fn tokens_outlive_a_rotation_and_end_with_the_client() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "robot").await;
    let client = make_client(&admin, json!({ "name": "app", "roles": [FULL], "user": "robot" })).await;
    let own = format!("{CLIENTS}/{}", client["id"].as_str().unwrap());
    let token = make_token(&admin, &client, "sync").await;
    admin.post(&format!("{own}/rotate"), &json!({})).await.is(200);
    assert_eq!(statuses(&server, &token).await, [200; 3]);
    admin.patch(&own, &json!({ "roles": [GROUP_READER] })).await.is(200);
    assert_eq!(statuses(&server, &token).await, [200; 3]);
    let caller = server.bearer(token["secret"].as_str().unwrap());
    caller.post("/rollbook/v1/groups", &json!({ "name": "N" })).await.fails(403, "forbidden");
    // Another user ends them for good.
    admin.patch(&own, &json!({ "user": null })).await.is(200);
    assert_eq!(statuses(&server, &token).await, [401; 3]);
    admin.patch(&own, &json!({ "user": "robot" })).await.is(200);
    assert_eq!(statuses(&server, &token).await, [401; 3]);
    let token = make_token(&admin, &client, "sync").await;
    assert_eq!(statuses(&server, &token).await, [200; 3]);
    for enabled in [false, true] {
        admin.patch(&own, &json!({ "enabled": enabled })).await.is(200);
        assert_eq!(statuses(&server, &token).await, [401; 3], "{enabled}");
    }
    assert!(names(&admin.get(&format!("{own}/tokens")).await.is(200)).is_empty());
    let token = make_token(&admin, &client, "sync").await;
    admin.patch("/v1/adminusers/robot", &json!({ "Active": false })).await.is(200);
    assert_eq!(statuses(&server, &token).await, [401; 3]);
    admin.patch("/v1/adminusers/robot", &json!({ "Active": true })).await.is(200);
    let token = make_token(&admin, &client, "sync").await;
    admin.delete(&own).await.is(204);
    assert_eq!(statuses(&server, &token).await, [401; 3]);
    assert!(names(&admin.get(TOKENS).await.is(200)).is_empty());
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let server = Server::start();
    let admin = server.admin().await;
    let public = make_client(&admin, json!({ "name": "spa", "public": true })).await;
    let client = make_client(&admin, json!({ "name": "app" })).await;
    let of = |client: &Reply| format!("{CLIENTS}/{}/tokens", client["id"].as_str().unwrap());
    admin.post(&of(&public), &json!({ "name": "n" })).await.fails(409, "public_client");
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(101) }), "/name"),
        (json!({ "name": "n", "days": 0 }), "/days"),
        (json!({ "name": "n", "days": 731 }), "/days"),
        (json!({ "name": "n", "days": "1" }), "/days"),
        (json!({ "name": "n", "days": null }), "/days"),
    ] {
        let refused = admin.post(&of(&client), &body).await.fails(400, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    admin.post(&of(&client), &json!({ "name": "n", "day": 1 })).await.fails(400, "invalid_body");
    admin.post(&format!("{CLIENTS}/none/tokens"), &json!({ "name": "n" })).await.fails(404, "not_found");
    with(&admin, "POST", &of(&client), ("if-match", "*"), &json!({ "name": "n" }))
        .await
        .fails(412, "precondition_failed");
    assert!(names(&admin.get(TOKENS).await.is(200)).is_empty());
}
