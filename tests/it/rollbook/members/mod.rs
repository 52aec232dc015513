//! Members of groups in Rollbook's own API.

mod bulk;
mod lists;
mod rights;
mod single;

use serde_json::{Value, json};

use crate::support::{Caller, Reply, Server, user_body};

const MEMBERS: &str = "/rollbook/v1/groups/g/members";

/// A server with the group `g`, number 1, without members, and these users.
async fn directory(users: &[&str]) -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post("/rollbook/v1/groups", &json!({ "id": "g", "name": "Group" })).await.is(201);
    for user in users {
        make_user(&admin, user).await;
    }
    (server, admin)
}

/// Creates a user without a password, which costs no hash.
async fn make_user(admin: &Caller, name: &str) {
    admin.post("/v1/adminusers", &user_body(name)).await.is(201);
}

/// The path of one member of the group `g`.
fn member(address: &str) -> String {
    format!("{MEMBERS}/{address}")
}

/// The IDs of the users of a page of members, in their order.
fn ids(reply: &Reply) -> Vec<String> {
    let items = reply["items"].as_array().unwrap_or_else(|| panic!("no list: {}", reply.text));
    items.iter().map(|item| item["user"]["id"].as_str().unwrap().to_owned()).collect()
}

/// The IDs of the members of the group `g` on one page.
async fn members(caller: &Caller) -> Vec<String> {
    ids(&caller.list(MEMBERS, &[("limit", "1000")]).await.is(200))
}

/// Sends a request with one header.
async fn with(caller: &Caller, method: &str, path: &str, header: (&str, &str), body: &Value) -> Reply {
    let request = caller.request(method, path).header(header.0, header.1);
    caller.send(if body.is_null() { request } else { request.json(body) }).await
}

/// The answer to a change of members.
fn changed(added: u64, removed: u64, unchanged: u64, unknown: &[&str]) -> Value {
    json!({ "added": added, "removed": removed, "unchanged": unchanged, "unknown": unknown })
}
