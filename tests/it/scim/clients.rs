//! What Okta, OneLogin, Google Workspace and SailPoint send about users.

use serde_json::{Value, json};

use crate::support::Server;

use super::{get, make_user, patch, path_of, send, total, user_body};

#[tokio::test]
async fn okta_tests_creates_updates_and_deactivates() {
    let server = Server::start();
    let admin = server.admin().await;
    assert_eq!(total(&get(&admin, "/Users?startIndex=1&count=2").await), 0);
    let exists = "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100";
    assert_eq!(total(&get(&admin, exists).await), 0);
    let mut body = user_body("test.user@okta.local");
    for (name, value) in [
        ("displayName", json!("Test User")),
        ("locale", json!("en-US")),
        ("externalId", json!("00ujl29u0le5T6Aj10h7")),
        ("groups", json!([])),
        ("password", json!("1mz050nq")),
    ] {
        body[name] = value;
    }
    let made = send(&admin, "POST", "/Users", &body).await.is(201);
    let path = path_of(&made);
    // An application of the wizard reads the whole user and sends it back.
    let mut whole = get(&admin, &path).await.is(200).json().clone();
    whole["name"]["givenName"] = json!("Another");
    whole["groups"] = json!([]);
    whole["meta"] = json!({ "resourceType": "User" });
    let put = send(&admin, "PUT", &path, &whole).await.is(200);
    assert_eq!(put["name"]["givenName"], "Another");
    assert!(!put.text.is_empty());
    for active in [false, true] {
        let changed = patch(&admin, &path, json!([{ "op": "replace", "value": { "active": active } }])).await.is(200);
        assert_eq!(changed["active"], active);
    }
    whole["active"] = json!(false);
    assert_eq!(send(&admin, "PUT", &path, &whole).await.is(200)["active"], false);
}

#[tokio::test]
async fn onelogin_ends_urls_and_uses_an_old_urn() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = user_body("one");
    body["schemas"] = json!(["urn:scim:schemas:core:2.0"]);
    let made = admin.post("/scim/v2/Users", &body).await.is(201);
    assert_eq!(total(&get(&admin, "/Users?filter=userName+eq+%22one%22&").await), 1);
    body["name"]["givenName"] = json!("Two");
    let put = admin.put(&format!("/scim/v2{}?", path_of(&made)), &body).await.is(200);
    assert_eq!(put["name"]["givenName"], "Two");
}

#[tokio::test]
async fn google_probes_and_suspends() {
    let server = Server::start();
    let admin = server.admin().await;
    get(&admin, "/Users?count=1").await.is(200);
    let path = make_user(&admin, "gina").await;
    let mut body = user_body("gina");
    body["active"] = json!(false);
    assert_eq!(send(&admin, "PUT", &path, &body).await.is(200)["active"], false);
    send(&admin, "DELETE", &path, &Value::Null).await.is(204);
}

#[tokio::test]
async fn sailpoint_adds_single_values_without_a_path() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "sam").await;
    let changed = patch(&admin, &path, json!([{ "op": "add", "value": { "active": false } }])).await.is(200);
    assert_eq!(changed["active"], false);
}
