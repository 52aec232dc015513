//! The SCIM API (docs/scim.md).

mod clients;
mod discovery;
mod entra;
mod microsoft;
mod okta;
mod users;

use serde_json::{Value, json};

use crate::support::{Caller, Reply};

/// The path below which all resources are.
const BASE: &str = "/scim/v2";
/// The content type that identity providers send.
const SENT: &str = "application/scim+json; charset=utf-8";
/// The URN of errors.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The URN of lists.
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URN of the schema of users.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the enterprise extension of users.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URN of Rollbook's extension of users.
const ROLLBOOK: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:User";

/// Sends a body in the form of SCIM to a path below [`BASE`].
async fn send(caller: &Caller, method: &str, path: &str, body: &Value) -> Reply {
    caller.call(method, &format!("{BASE}{path}"), Some(SENT), body.to_string()).await
}

/// Sends a GET to a path below [`BASE`].
async fn get(caller: &Caller, path: &str) -> Reply {
    caller.get(&format!("{BASE}{path}")).await
}

/// Lists what is at the path below [`BASE`] and matches the filter.
async fn filtered(caller: &Caller, path: &str, filter: &str) -> Reply {
    caller.list(&format!("{BASE}{path}"), &[("filter", filter)]).await
}

/// Sends a PATCH with these operations.
async fn patch(caller: &Caller, path: &str, operations: Value) -> Reply {
    let urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    send(caller, "PATCH", path, &json!({ "schemas": [urn], "Operations": operations })).await
}

/// The body of a user with what the directory requires.
fn user_body(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": name, "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }], "active": true,
    })
}

/// Creates a user; returns the path of the resource below [`BASE`].
async fn make_user(caller: &Caller, name: &str) -> String {
    path_of(&send(caller, "POST", "/Users", &user_body(name)).await.is(201))
}

/// The path of the user that the reply shows, below [`BASE`].
fn path_of(reply: &Reply) -> String {
    format!("/Users/{}", reply["id"].as_str().unwrap_or_else(|| panic!("no id: {}", reply.text)))
}

/// How many resources the list says that match; panics if it has another number of them on its only page.
#[track_caller]
fn total(reply: &Reply) -> u64 {
    assert_eq!((reply.status, &reply["schemas"]), (200, &json!([LIST])), "{}", reply.text);
    let (total, page) = (reply["totalResults"].as_u64().unwrap(), reply["Resources"].as_array().unwrap().len() as u64);
    assert_eq!((total, reply["itemsPerPage"].as_u64()), (page, Some(page)), "{}", reply.text);
    total
}

/// The same reply; panics if it is not an error of SCIM with this status and, if it is not empty, this `scimType`.
#[track_caller]
fn refused(reply: Reply, status: u16, scim_type: &str) -> Reply {
    let reply = reply.is(status);
    assert_eq!(reply.header("content-type"), "application/scim+json", "{}", reply.text);
    assert_eq!((&reply["schemas"], &reply["status"]), (&json!([ERROR]), &json!(status.to_string())), "{}", reply.text);
    assert_eq!(reply["scimType"].as_str().unwrap_or_default(), scim_type, "{}", reply.text);
    assert!(reply["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", reply.text);
    reply
}
