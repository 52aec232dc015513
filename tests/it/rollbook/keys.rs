//! Signing keys in Rollbook's own API.

use serde_json::{Value, json};

use super::{keyed, search_stored, with};
use crate::support::{FULL, Server};

const KEYS: &str = "/rollbook/v1/keys";
const ROTATE: &str = "/rollbook/v1/keys/rotate";

#[tokio::test]
async fn a_new_key_is_published_and_signs_later() {
    let server = Server::start();
    let admin = server.admin().await;
    let first = admin.get(KEYS).await.is(200);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][0]["state"]), (1, &json!("signs")));
    let created = admin.call("POST", ROTATE, None, "").await.is(201);
    assert_eq!(created["state"], "upcoming");
    let listed = admin.get(KEYS).await.is(200);
    assert_eq!(listed["items"], json!([created.json(), first["items"][0]]));
    let published = server.anonymous().get(&format!("/oauth/certs/{}", created["kid"].as_str().unwrap())).await;
    published.is(200);
    // The command line shows the same.
    let lines = server.cli().run(&["keys", "list", "--json"]).printed();
    let printed: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::Array(printed), listed["items"]);
    // The old key still signs.
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let token = server.client_token(&id, &secret).await;
    server.bearer(&token).get(KEYS).await.is(200);
}

#[tokio::test]
async fn a_new_key_signs_before_no_other() {
    let server = Server::start();
    let admin = server.admin().await;
    let created = admin.post(ROTATE, &json!({ "publishSeconds": 3600 })).await.is(201);
    let refused = keyed(&admin, "k", ROTATE, &json!({ "publishSeconds": 60 })).await.fails(409, "key_announced");
    assert!(refused["detail"].as_str().unwrap().contains(created["signsFrom"].as_str().unwrap()), "{}", refused.text);
    // What was refused leaves its key free.
    let later = json!({ "publishSeconds": 7200 });
    let made = keyed(&admin, "k", ROTATE, &later).await.is(201);
    let again = keyed(&admin, "k", ROTATE, &later).await.is(201);
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (made.text.as_str(), "true"));
    let states: Vec<_> =
        admin.get(KEYS).await.is(200)["items"].as_array().unwrap().iter().map(|key| key["state"].clone()).collect();
    assert_eq!(states, ["upcoming", "upcoming", "signs"]);
    for (body, code) in [
        (json!({ "publishSeconds": 1 }), "invalid"),
        (json!({ "publishSeconds": 86_401 }), "invalid"),
        (json!({ "publishSeconds": "60" }), "invalid"),
        (json!({ "seconds": 60 }), "invalid_body"),
    ] {
        admin.post(ROTATE, &body).await.fails(400, code);
    }
    with(&admin, "POST", ROTATE, ("if-match", "*"), &json!({})).await.fails(412, "precondition_failed");
    admin.get(&format!("{KEYS}?limit=1")).await.fails(400, "invalid_parameter");
    assert_eq!(admin.get(KEYS).await.is(200)["items"].as_array().unwrap().len(), 3);
}

/// The private key stands in its own table alone.
#[tokio::test]
async fn no_key_material_is_shown_or_logged() {
    let server = Server::start();
    let admin = server.admin().await;
    let created = keyed(&admin, "k", ROTATE, &Value::Null).await.is(201);
    let listed = admin.get(KEYS).await.is(200);
    for text in [&created.text, &listed.text, &server.log()] {
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
    search_stored(&server, created["kid"].as_str().unwrap(), &[]);
}
