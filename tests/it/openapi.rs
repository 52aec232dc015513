//! The OpenAPI documents: equal to the files in `openapi/`, served unchanged, and complete.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};

use crate::bad_input::REQUESTS;
use crate::roles::{CORE_OPERATIONS, ORDERCLOUD_OPERATIONS, Operation, ROLLBOOK_OPERATIONS, SCIM_OPERATIONS};
use crate::support::{Rollbook, Server};

const DOCUMENTS: [(&str, &[Operation]); 4] = [
    ("core", CORE_OPERATIONS),
    ("ordercloud", ORDERCLOUD_OPERATIONS),
    ("rollbook", ROLLBOOK_OPERATIONS),
    ("scim", SCIM_OPERATIONS),
];

/// Operations that need no token: those that issue one, the keys that verify it, the metadata of both, and what SCIM tells
/// of itself.
const OPEN: [&str; 10] = [
    "logon",
    "Auth.Token",
    "Auth.Certificates",
    "Auth.Certificate",
    "Auth.Metadata",
    "ServiceProviderConfig.Get",
    "ResourceTypes.List",
    "ResourceTypes.Get",
    "Schemas.List",
    "Schemas.Get",
];

fn file(api: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi").join(format!("{api}.json"))
}

fn kept(api: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(api)).expect("the stored document")).expect("it is JSON")
}

#[test]
fn the_stored_documents_are_those_of_the_binary() {
    for (api, _) in DOCUMENTS {
        let printed = Rollbook::on("sqlite:none.db").run(&["openapi", api]).printed();
        if env::var_os("UPDATE_OPENAPI").is_some() {
            fs::write(file(api), &printed).expect("the document is written");
        }
        let is_kept = fs::read_to_string(file(api)).is_ok_and(|kept| kept == printed);
        assert!(is_kept, "openapi/{api}.json is stale; renew it with UPDATE_OPENAPI=1 cargo test --test it openapi::");
    }
}

#[tokio::test]
async fn the_served_documents_are_the_stored_ones() {
    let server = Server::start();
    for (api, _) in DOCUMENTS {
        let path = format!("/openapi/{api}.json");
        let reply = server.anonymous().get(&path).await.is(200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(*reply.json(), kept(api), "{path}");
        assert_eq!(reply["servers"], json!([{ "url": "/" }]));
    }
}

/// The vendor's tools look up `paths["/usergroups"]`; a path outside of `/v1` names its server.
#[tokio::test]
async fn the_vendor_document_lists_paths_without_their_version() {
    let server = Server::start();
    let observed = server.anonymous().get("/v1/openapi/v3").await.is(200);
    assert_eq!(observed["servers"], json!([{ "url": "/v1" }]));
    let mut expected = kept("ordercloud");
    expected["servers"] = json!([{ "url": "/v1" }]);
    let paths = expected["paths"].as_object_mut().unwrap();
    for (path, mut item) in std::mem::take(paths) {
        match path.strip_prefix("/v1") {
            Some(rest) => paths.insert(rest.to_owned(), item),
            None => {
                item["servers"] = json!([{ "url": "/" }]);
                paths.insert(path, item)
            }
        };
    }
    assert_eq!(*observed.json(), expected);
    assert!(observed["paths"]["/usergroups"].is_object() && observed["paths"]["/oauth/token"].is_object());
}

/// The documents page calls the APIs by their names. One sign-in, which is never stored, is used for all of them.
#[tokio::test]
async fn the_documents_page_has_names_and_one_sign_in() {
    let server = Server::start();
    let initializer = server.anonymous().get("/docs/swagger-initializer.js").await.is(200);
    assert_eq!(initializer.header("content-type"), "text/javascript");
    for part in [
        r#"{"name":"Core","url":"/openapi/core.json"}"#,
        r#"{"name":"OrderCloud","url":"/openapi/ordercloud.json"}"#,
        r#"{"name":"Rollbook","url":"/openapi/rollbook.json"}"#,
        r#"{"name":"SCIM","url":"/openapi/scim.json"}"#,
        "persistAuthorization: true",
        "persistAuthorizationIfNeeded: () => () => {}",
    ] {
        assert!(initializer.text.contains(part), "{part}: {}", initializer.text);
    }
    let [core, ordercloud] = ["core", "ordercloud"].map(kept);
    assert_eq!(core["components"]["securitySchemes"], ordercloud["components"]["securitySchemes"]);
    for document in [core, ordercloud] {
        assert!(document["info"]["description"].as_str().unwrap().contains("`rollbook client create"));
    }
}

/// What client generators make of a schema: responses require the fields that are always present, and xp and `Data`
/// allow any field.
#[test]
fn schemas_distinguish_responses_and_bodies() {
    let document = kept("ordercloud");
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let names = |of: &Value| -> BTreeSet<String> {
        let listed = of.as_array().map(|own| own.iter().map(|name| name.as_str().unwrap().to_owned()).collect());
        listed.unwrap_or_else(|| of.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect())
    };
    for response in ["UserGroup", "User", "UserGroupAssignment", "Meta", "ListPage_User", "Error", "Certificate"] {
        let schema = schema(response);
        assert_eq!(names(&schema["required"]), names(&schema["properties"]), "{response}");
    }
    for (body, required) in [
        ("UserGroupInput", vec!["Name"]),
        ("UserInput", vec!["Active", "Email", "FirstName", "LastName", "Username"]),
        ("PartialUserGroup", vec![]),
        ("PartialUser", vec![]),
    ] {
        let schema = schema(body);
        assert_eq!(Vec::from_iter(names(&schema["required"])), required, "{body}");
        assert_eq!(schema["properties"]["ID"]["type"], json!(["string", "null"]), "{body}");
        assert_eq!(schema["properties"]["ID"]["minLength"], Value::Null, "{body}");
        assert!(schema["properties"]["AvailableRoles"].is_null(), "{body} takes no roles");
    }
    assert!(schema("UserInput")["properties"]["Password"].is_object());
    assert!(schema("User")["properties"]["Password"].is_null(), "never returned");
    for property in ["AvailableRoles", "Locale", "CompanyID", "DateCreated", "LastActive", "FailedLoginAttempts"] {
        assert_eq!(schema("User")["properties"][property]["readOnly"], true, "{property}");
    }
    for (name, property) in [("UserGroup", "xp"), ("UserInput", "xp"), ("PartialUser", "xp"), ("Error", "Data")] {
        assert_eq!(schema(name)["properties"][property]["additionalProperties"], true, "{name}");
    }
    for item in ["UserGroup", "User", "UserGroupAssignment"] {
        let items = &schema(&format!("ListPage_{item}"))["properties"]["Items"]["items"];
        assert_eq!(*items, json!({ "$ref": format!("#/components/schemas/{item}") }));
    }
}

/// A body may be too long for any operation, and a path with a parameter may be no valid text.
#[test]
fn every_operation_documents_the_errors_of_its_transport() {
    for_each_operation(|documented, _| {
        assert!(!errors(documented.operation, "413").is_empty(), "{} does not document 413", documented.id());
        if documented.path.contains('{') {
            let codes = errors(documented.operation, "400");
            let observed =
                ["InvalidRequest", "invalid_request", "invalid_path", "400"].iter().any(|code| codes.contains(code));
            assert!(observed, "{} does not document a path that is no text", documented.id());
        }
    });
}

/// An operation of a document.
struct Documented<'a> {
    document: &'a Value,
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

impl Documented<'_> {
    fn id(&self) -> &str {
        self.operation["operationId"].as_str().expect("every operation has an operationId")
    }
}

/// Calls `check` with every operation of every document.
fn for_each_operation(check: impl Fn(&Documented, &[Operation])) {
    for (api, rows) in DOCUMENTS {
        let document = kept(api);
        let paths = document["paths"].as_object().expect("paths");
        let mut checked = 0;
        for (path, item) in paths {
            for (method, operation) in
                item.as_object().expect("operations").iter().filter(|(key, _)| *key != "parameters")
            {
                check(&Documented { document: &document, method, path, operation }, rows);
                checked += 1;
            }
        }
        assert_eq!(checked, rows.len(), "rows of {api} for operations that do not exist");
    }
}

#[test]
fn every_operation_has_a_row_of_rights() {
    for_each_operation(|documented, rows| {
        let row = rows.iter().find(|row| row.id == documented.id());
        let row = row.unwrap_or_else(|| panic!("roles.rs has no row for {}", documented.id()));
        assert!(row.is(documented.method, documented.path), "the row of {} calls something else", documented.id());
    });
}

#[test]
fn every_operation_has_bad_input_with_a_documented_error() {
    for_each_operation(|documented, _| {
        let requests = REQUESTS.iter().filter(|request| request.operation == documented.id());
        let observed = requests.map(|request| {
            let examples = errors(documented.operation, &request.status.to_string());
            assert!(examples.contains(&request.code), "{}: {} is not documented", documented.id(), request.code);
        });
        assert!(observed.count() > 0, "bad_input has no request for {}", documented.id());
    });
}

/// The codes of an operation's documented errors with this status, from the examples.
fn errors<'a>(operation: &'a Value, status: &str) -> Vec<&'a str> {
    let media = operation["responses"][status]["content"].as_object().into_iter().flatten();
    let examples = media.filter_map(|(_, media)| media["examples"].as_object()).flatten();
    let bodies = examples.map(|(_, example)| &example["value"]);
    bodies
        .filter_map(|body| {
            let code = body["Errors"][0]["ErrorCode"].as_str().or(body["Message"].as_str()).or(body["code"].as_str());
            code.or(body["scimType"].as_str()).or(body["status"].as_str())
        })
        .collect()
}

#[test]
fn every_operation_documents_its_roles_and_errors() {
    for_each_operation(|documented, _| {
        let (id, operation) = (documented.id(), documented.operation);
        for text in ["summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{id} has no {text}");
        }
        let description = operation["description"].as_str().unwrap_or_default();
        let observed =
            description.contains("Needs any one of the roles") || description.contains("Needs a valid token");
        assert_eq!(observed, !OPEN.contains(&id), "{id}: {description}");
        let alternatives =
            operation["security"].as_array().unwrap_or_else(|| panic!("{id} does not document security"));
        for scheme in ["bearer", "oauth2"] {
            let secured = alternatives.iter().any(|own| !own[scheme].is_null());
            assert_eq!(secured, !OPEN.contains(&id), "{id}: {scheme}");
        }
        let expected = if observed { &["401", "414", "500", "503"][..] } else { &["414", "500", "503"] };
        for status in expected {
            assert!(!errors(operation, status).is_empty(), "{id} does not document {status}");
        }
    });
}

#[test]
fn every_operation_has_examples() {
    for_each_operation(|documented, _| {
        let Documented { document, operation, .. } = documented;
        let id = documented.id();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            // The documents page fills an example in: an example of a parameter that narrows a list would match
            // nothing.
            let described = parameter["description"].as_str().is_some_and(|text| text.contains("e.g. `"));
            let own = !parameter["example"].is_null() || described && parameter["required"] == false;
            assert!(own, "{id}: {} has no example", parameter["name"]);
        }
        let responses = operation["responses"].as_object().expect("responses");
        let bodies = responses.values().chain([&operation["requestBody"]]);
        for (of, media) in bodies.filter_map(|body| body["content"].as_object()).flatten() {
            let own = !media["example"].is_null() || !media["examples"].is_null();
            assert!(own || exemplified(document, &media["schema"]), "{id}: a body of {of} has no example");
        }
    });
}

/// Whether a schema, or every part of it, has an example.
fn exemplified(document: &Value, schema: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return exemplified(document, document.pointer(name.trim_start_matches('#')).expect("it leads somewhere"));
    }
    // Before its parts: a schema with an example may be one of its own parts.
    if ["example", "examples", "default"].iter().any(|key| !schema[key].is_null()) {
        return true;
    }
    let of_items = !schema["items"].is_null() && exemplified(document, &schema["items"]);
    let properties = schema["properties"].as_object();
    let of_properties = properties.is_some_and(|own| own.values().all(|property| exemplified(document, property)));
    of_items || of_properties
}
