//! What the server tells of itself, and its errors.

use serde_json::{Value, json};

use crate::support::{Launch, Server};

use super::{BASE, refused};

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[tokio::test]
async fn the_documents_need_no_token_and_name_what_the_server_can_do() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let config = anonymous.get(&format!("{BASE}/ServiceProviderConfig")).await.is(200);
    assert_eq!(config.header("content-type"), "application/scim+json");
    let supported = |name: &str| config[name]["supported"].as_bool().unwrap();
    assert!(supported("patch") && supported("filter") && supported("etag"));
    assert!(!supported("bulk") && !supported("sort") && !supported("changePassword"));
    assert_eq!((&config["pagination"]["index"], &config["pagination"]["cursor"]), (&json!(true), &json!(false)));
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], "/scim/v2/ServiceProviderConfig");
    let types = anonymous.get(&format!("{BASE}/ResourceTypes")).await.is(200);
    assert_eq!((&types["totalResults"], &types["Resources"][0]["endpoint"]), (&json!(1), &json!("/Users")));
    for one in types["Resources"].as_array().unwrap() {
        let name = one["id"].as_str().unwrap();
        assert_eq!(anonymous.get(&format!("{BASE}/ResourceTypes/{name}")).await.is(200).json(), one);
    }
    let schemas = anonymous.get(&format!("{BASE}/Schemas")).await.is(200);
    assert_eq!(
        (&schemas["totalResults"], &schemas["itemsPerPage"], &schemas["startIndex"]),
        (&json!(2), &json!(2), &json!(1))
    );
    for one in schemas["Resources"].as_array().unwrap() {
        let urn = one["id"].as_str().unwrap();
        assert_eq!(anonymous.get(&format!("{BASE}/Schemas/{}", urn.to_uppercase())).await.is(200).json(), one);
        assert_eq!(one["meta"]["location"], format!("/scim/v2/Schemas/{urn}"));
    }
    assert!(!schemas.text.contains("null"), "{}", schemas.text);
    refused(anonymous.get(&format!("{BASE}/ResourceTypes/Device")).await, 404, "");
    refused(anonymous.get(&format!("{BASE}/Schemas/urn:none")).await, 404, "");
}

#[tokio::test]
async fn locations_begin_with_the_public_url() {
    let server = Launch::default().env("ROLLBOOK_PUBLIC_URL", "https://groups.example.org").start();
    let reply = server.anonymous().get(&format!("{BASE}/ResourceTypes/User")).await.is(200);
    assert_eq!(reply["meta"]["location"], "https://groups.example.org/scim/v2/ResourceTypes/User");
}

/// OneLogin ends URLs with `?` and `&`. Other parameters of the documents do not count (RFC 7644, section 4).
#[tokio::test]
async fn unfinished_queries_and_unknown_parameters_are_tolerated() {
    let server = Server::start();
    let anonymous = server.anonymous();
    for path in ["Schemas?", "Schemas?&", "ResourceTypes?count=1&", "ServiceProviderConfig?attributes=patch"] {
        anonymous.get(&format!("{BASE}/{path}")).await.is(200);
    }
    refused(anonymous.get(&format!("{BASE}/Schemas?filter=id%20pr")).await, 403, "");
}

/// Okta's test 11, and what is wrong with a request before any operation looks at it.
#[tokio::test]
async fn every_error_below_the_prefix_is_one_of_scim() {
    let server = Server::start();
    let (anonymous, admin) = (server.anonymous(), server.admin().await);
    for path in ["", "/", "/Nothing", "//Users", "/Users/u1/emails"] {
        refused(admin.get(&format!("{BASE}{path}")).await, 404, "");
    }
    refused(admin.get("/scim/v1/Users").await, 404, "");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        refused(admin.call(method, &format!("{BASE}/Schemas"), Some("application/scim+json"), "{}").await, 405, "");
    }
    refused(anonymous.get(&format!("{BASE}/Schemas?{}", "x".repeat(17_000))).await, 414, "");
}

/// The names by which Entra's validation finds the attributes of a schema: `emails[type eq "work"].value`, `name.givenName`.
fn flattened(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in schema["attributes"].as_array().unwrap() {
        let name = attribute["name"].as_str().unwrap();
        let parts: &[Value] = attribute["subAttributes"].as_array().map_or(&[], Vec::as_slice);
        let types =
            parts.iter().find(|part| part["name"] == "type").and_then(|part| part["canonicalValues"].as_array());
        match (attribute["type"].as_str().unwrap(), attribute["multiValued"].as_bool().unwrap(), types) {
            _ if ["members", "manager"].contains(&name) => names.push(name.to_owned()),
            ("complex", true, Some(types)) => {
                for (kind, part) in types.iter().flat_map(|kind| parts.iter().map(move |part| (kind, part))) {
                    names.push(format!("{name}[type eq {kind}].{}", part["name"].as_str().unwrap()));
                }
            }
            ("complex", ..) => {
                names.extend(parts.iter().map(|part| format!("{name}.{}", part["name"].as_str().unwrap())))
            }
            _ => names.push(name.to_owned()),
        }
    }
    names
}

/// Test 15 of Entra's validation: the mapped attributes that are kept can be found, and no others are announced.
#[tokio::test]
async fn kept_attributes_are_found_in_the_schemas() {
    let server = Server::start();
    let all = server.anonymous().get(&format!("{BASE}/Schemas")).await.is(200);
    let schema = all["Resources"].as_array().unwrap().iter().find(|schema| schema["id"] == CORE_USER).unwrap();
    let user = flattened(schema);
    for name in [
        "userName",
        "active",
        r#"emails[type eq "work"].value"#,
        "name.givenName",
        "name.familyName",
        "name.formatted",
        r#"phoneNumbers[type eq "work"].value"#,
    ] {
        assert!(user.iter().any(|own| own == name), "{name} is not in {user:?}");
    }
    for name in ["addresses", "password", "roles", "displayName", "title", "externalId"] {
        assert!(!user.iter().any(|own| own.starts_with(name)), "{name} is in {user:?}");
    }
}
