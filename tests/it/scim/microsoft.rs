//! The direct tests of Microsoft's validation of gallery applications, by their numbers. Number 15 is in `discovery.rs`.

use serde_json::{Value, json};

use crate::support::{Server, USER_ADMIN};

use super::{get, patch, path_of, send, user_body};

#[tokio::test]
async fn test_16_updates_of_null_empty_optional_attributes() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = user_body("nulls");
    body["phoneNumbers"] = json!([{ "type": "work", "value": "1" }]);
    let path = path_of(&send(&admin, "POST", "/Users", &body).await.is(201));
    let optional = [("phoneNumbers[type eq \"work\"].value", "/phoneNumbers/0/value")];
    for nothing in [json!(""), Value::Null] {
        for (attribute, pointer) in optional {
            patch(&admin, &path, json!([{ "op": "replace", "path": attribute, "value": "12" }])).await.is(200);
            let set = get(&admin, &path).await.is(200);
            assert_eq!(set.json().pointer(pointer), Some(&json!("12")), "{attribute}: {}", set.text);
            patch(&admin, &path, json!([{ "op": "replace", "path": attribute, "value": nothing }])).await.is(200);
            let cleared = get(&admin, &path).await.is(200);
            assert_eq!(cleared.json().pointer(pointer), None, "{attribute}: {}", cleared.text);
        }
    }
}

#[tokio::test]
async fn tests_17_and_18_create_a_user_and_patch_every_attribute() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = send(&admin, "POST", "/Users", &user_body("direct@contoso.com")).await.is(201);
    assert!(!made["id"].as_str().unwrap().is_empty());
    assert_eq!(made["userName"], "direct@contoso.com");
    let path = path_of(&made);
    for (attribute, pointer, value) in [
        ("userName", "/userName", json!("patched@contoso.com")),
        ("name.givenName", "/name/givenName", json!("Given-1")),
        ("name.familyName", "/name/familyName", json!("Family-1")),
        ("active", "/active", json!(false)),
        ("emails[type eq \"work\"].value", "/emails/0/value", json!("patched@contoso.com")),
        ("phoneNumbers[type eq \"work\"].value", "/phoneNumbers/0/value", json!("555")),
    ] {
        let operation = json!([{ "op": "replace", "path": attribute, "value": value }]);
        let status = patch(&admin, &path, operation).await.status;
        assert!([200, 204].contains(&status), "{attribute}: {status}");
        let user = get(&admin, &path).await.is(200);
        assert_eq!(user.json().pointer(pointer), Some(&value), "{attribute}: {}", user.text);
    }
}

/// Credentials of the grant `client_credentials`, whose tokens may last an hour and longer.
#[tokio::test]
async fn test_21_tokens_of_clients_last_an_hour() {
    let server = Server::start();
    let (id, secret) = server.make_client(&[USER_ADMIN], &[], &["--access-minutes", "60"]);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    let granted = server.grant(&fields).await.is(200);
    assert!((3590..=3600).contains(&granted["expires_in"].as_u64().unwrap()), "{}", granted.text);
    get(&server.bearer(granted["access_token"].as_str().unwrap()), "/Users?count=1").await.is(200);
    // A long-lived token works as well.
    let token = server.cli().run(&["token", "create", &id, "--name", "sync", "--json"]).json();
    get(&server.bearer(token["token"].as_str().unwrap()), "/Users?count=1").await.is(200);
}

#[tokio::test]
async fn test_23_pages_begin_where_the_request_says() {
    let server = Server::start();
    let admin = server.admin().await;
    for at in 0..11 {
        send(&admin, "POST", "/Users", &user_body(&format!("page{at}"))).await.is(201);
    }
    let mut seen = Vec::new();
    for start in [1, 6, 11] {
        let page = get(&admin, &format!("/Users?startIndex={start}&count=5")).await.is(200);
        assert_eq!((&page["startIndex"], &page["totalResults"]), (&json!(start), &json!(11)));
        seen.extend(page["Resources"].as_array().unwrap().iter().map(|user| user["id"].to_string()));
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (11, 11));
}
