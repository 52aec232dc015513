//! The requests of Okta's specification test for SCIM 2.0, by their numbers. Number 10 is about groups, number 11 is in
//! `discovery.rs`.

use serde_json::{Value, json};

use crate::support::Server;

use super::{filtered, get, make_user, refused, send, total};

/// What tests 1 and 2 demand of a user.
fn check_user(user: &Value) {
    for text in ["/id", "/userName", "/name/givenName", "/name/familyName", "/emails/0/value"] {
        assert!(user.pointer(text).and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{text}: {user}");
    }
    assert!(user["active"].is_boolean(), "{user}");
}

#[tokio::test]
async fn tests_1_to_5_and_12_read_users() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    let first = get(&admin, "/Users?count=1&startIndex=1").await.is(200);
    assert_eq!(first["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    for number in ["itemsPerPage", "startIndex", "totalResults"] {
        assert!(first[number].is_u64(), "{number}: {}", first.text);
    }
    check_user(&first["Resources"][0]);
    let one = get(&admin, &path).await.is(200);
    check_user(one.json());
    assert_eq!(one["id"], first["Resources"][0]["id"]);
    for unknown in ["abcdefgh@atko.com", "01b2c3d4e5"] {
        assert_eq!(total(&filtered(&admin, "/Users", &format!("userName eq \"{unknown}\"")).await), 0);
    }
    for _ in [4, 12] {
        refused(get(&admin, "/Users/010101001010101011001010101011").await, 404, "");
    }
}

#[tokio::test]
async fn tests_6_to_9_make_a_user() {
    let server = Server::start();
    let admin = server.admin().await;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "runscope300abc@atko.com",
        "name": { "givenName": "Runscope", "familyName": "Test" },
        "emails": [{ "primary": true, "value": "runscope300abc@atko.com", "type": "work" }],
        "displayName": "Runscope Test", "locale": "en-US", "groups": [], "password": "1mz050nq", "active": true,
    });
    // As `application/json`, too.
    let made = admin.post("/scim/v2/Users", &body).await.is(201);
    assert_eq!(made.header("content-type"), "application/scim+json");
    assert_eq!((&made["active"], &made["userName"]), (&json!(true), &body["userName"]));
    assert_eq!((&made["name"]["givenName"], &made["name"]["familyName"]), (&json!("Runscope"), &json!("Test")));
    let found = get(&admin, &super::path_of(&made)).await.is(200);
    assert_eq!(found.json(), made.json());
    refused(send(&admin, "POST", "/Users", &body).await, 409, "uniqueness");
    assert_eq!(total(&filtered(&admin, "/Users", "userName eq \"RUNSCOPE300ABC@ATKO.COM\"").await), 1);
}
