//! Following the feed of changes in Rollbook's own API: requests that wait, streams of events, CloudEvents, cursors.

mod cursors;
mod streams;
mod waiting;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Caller, Reply, Server, eventually};

const CHANGES: &str = "/rollbook/v1/changes";
const GROUPS: &str = "/rollbook/v1/groups";
/// A time limit for what takes a few seconds at most.
const LONG: Duration = Duration::from_secs(60);

async fn make(admin: &Caller, group: &str) {
    admin.post(GROUPS, &json!({ "id": group, "name": group })).await.is(201);
}

/// The cursor behind everything that the feed has, once it has the creations of so many groups.
async fn end(admin: &Caller, groups: usize) -> String {
    let mut cursor = String::new();
    eventually("the feed has the groups", LONG, async || {
        let page = admin.get(&format!("{CHANGES}?type=group.created&limit=1000")).await.is(200);
        cursor = page["next"].as_str().unwrap_or_default().to_owned();
        page["changes"].as_array().unwrap().len() >= groups
    })
    .await;
    cursor
}

/// Waits until so many requests and streams follow the feed of the server.
async fn followers(server: &Server, count: usize) {
    let line = format!("rollbook_followers {count}\n");
    eventually(&line, LONG, async || server.anonymous().get("/metrics").await.is(200).text.contains(&line)).await;
}

/// The IDs of the groups of the changes.
fn groups(reply: &Reply) -> Vec<&str> {
    let changes = reply["changes"].as_array().unwrap();
    changes.iter().map(|change| change["group"]["id"].as_str().unwrap()).collect()
}

/// A client with every right and a token of its own: the ID of the client, the ID of the token, and a caller with it.
async fn long_lived(server: &Server, admin: &Caller) -> (String, String, Caller) {
    let client = admin.post("/rollbook/v1/clients", &json!({ "name": "follower", "roles": ["Auditor"] })).await.is(201);
    let client = client["id"].as_str().unwrap().to_owned();
    let path = format!("/rollbook/v1/clients/{client}/tokens");
    let token = admin.post(&path, &json!({ "name": "follower", "days": 1 })).await.is(201);
    let caller = server.bearer(token["secret"].as_str().unwrap());
    (client, token["id"].as_str().unwrap().to_owned(), caller)
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
