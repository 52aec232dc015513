//! Writes that cannot get lost or doubled, in every API (docs/core.md, section 7; docs/ordercloud.md, section 12).

mod conditions;
mod idempotency;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{CORE, Caller, Reply, labels};

/// The path of a group in the OrderCloud API.
const GROUP: &str = "/v1/usergroups/g";

/// A request with a JSON body and these headers.
fn request(caller: &Caller, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> RequestBuilder {
    let request = caller.request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    if body.is_null() { request } else { request.json(body) }
}

/// Sends a request with a JSON body and these headers.
async fn send(caller: &Caller, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    caller.send(request(caller, method, path, headers, body)).await
}

/// The body of Core's "add or edit".
fn labelled(id: Option<i64>, label: &str) -> Value {
    json!({ "ID": id, "Labels": labels(&json!({ "en": label })) })
}

/// The path of a group in the Core API.
fn core_path(number: i64) -> String {
    format!("{CORE}/{number}")
}
