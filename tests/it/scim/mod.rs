//! The SCIM API (docs/scim.md).

mod discovery;

use serde_json::json;

use crate::support::Reply;

/// The path below which all resources are.
const BASE: &str = "/scim/v2";
/// The URN of errors.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

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
