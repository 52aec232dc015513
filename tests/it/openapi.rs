//! The OpenAPI documents: kept in `openapi/`, served as they are kept, and whole.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;

use crate::bad_input::REQUESTS;
use crate::roles::{CORE_OPERATIONS, ORDERCLOUD_OPERATIONS, Operation};
use crate::support::{Rollbook, Server};

const DOCUMENTS: [(&str, &[Operation]); 2] = [("core", CORE_OPERATIONS), ("ordercloud", ORDERCLOUD_OPERATIONS)];

/// Operations that open without a token: those that give one, and the keys that verify it.
const OPEN: [&str; 4] = ["logon", "Auth.Token", "Auth.Certificates", "Auth.Certificate"];

fn file(api: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi").join(format!("{api}.json"))
}

fn kept(api: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(api)).expect("the document is kept")).expect("it is JSON")
}

#[test]
fn the_kept_documents_are_those_of_the_binary() {
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
async fn the_served_documents_are_the_kept_ones() {
    let server = Server::start();
    let served =
        [("core", "/openapi/core.json"), ("ordercloud", "/openapi/ordercloud.json"), ("ordercloud", "/v1/openapi/v3")];
    for (api, path) in served {
        let reply = server.anonymous().get(path).await.is(200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(*reply.json(), kept(api), "{path}");
    }
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
fn walk(check: impl Fn(&Documented, &[Operation])) {
    for (api, rows) in DOCUMENTS {
        let document = kept(api);
        let paths = document["paths"].as_object().expect("paths");
        let mut seen = 0;
        for (path, item) in paths {
            for (method, operation) in
                item.as_object().expect("operations").iter().filter(|(key, _)| *key != "parameters")
            {
                check(&Documented { document: &document, method, path, operation }, rows);
                seen += 1;
            }
        }
        assert_eq!(seen, rows.len(), "rows of {api} for operations that there are not");
    }
}

#[test]
fn every_operation_has_a_row_of_rights() {
    walk(|documented, rows| {
        let row = rows.iter().find(|row| row.id == documented.id());
        let row = row.unwrap_or_else(|| panic!("roles.rs has no row for {}", documented.id()));
        assert!(row.is(documented.method, documented.path), "the row of {} calls something else", documented.id());
    });
}

#[test]
fn every_operation_has_bad_input_that_its_document_tells_of() {
    walk(|documented, _| {
        let requests = REQUESTS.iter().filter(|request| request.operation == documented.id());
        let told = requests.map(|request| {
            let examples = errors(documented.operation, &request.status.to_string());
            assert!(examples.contains(&request.code), "{}: {} is not documented", documented.id(), request.code);
        });
        assert!(told.count() > 0, "bad_input has no request for {}", documented.id());
    });
}

/// The codes of an operation's documented errors with this status, as the examples tell them.
fn errors<'a>(operation: &'a Value, status: &str) -> Vec<&'a str> {
    let examples = operation["responses"][status]["content"]["application/json"]["examples"].as_object();
    let bodies = examples.into_iter().flatten().map(|(_, example)| &example["value"]);
    bodies.filter_map(|body| body["Errors"][0]["ErrorCode"].as_str().or(body["Message"].as_str())).collect()
}

#[test]
fn every_operation_tells_its_roles_and_errors() {
    walk(|documented, _| {
        let (id, operation) = (documented.id(), documented.operation);
        for text in ["summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{id} has no {text}");
        }
        let description = operation["description"].as_str().unwrap_or_default();
        let told = description.contains("Needs any one of the roles") || description.contains("Needs a valid token");
        assert_eq!(told, !OPEN.contains(&id), "{id}: {description}");
        let secured = operation["security"].as_array().is_some_and(|own| !own.is_empty());
        assert_eq!(secured, !OPEN.contains(&id), "{id}");
        let expected = if told { &["401", "414", "500", "503"][..] } else { &["414", "500", "503"] };
        for status in expected {
            assert!(!errors(operation, status).is_empty(), "{id} does not tell of {status}");
        }
    });
}

#[test]
fn every_operation_has_examples() {
    walk(|documented, _| {
        let Documented { document, operation, .. } = documented;
        let id = documented.id();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let own = !parameter["example"].is_null() || !parameter["examples"].is_null();
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
    let own = ["example", "examples", "default"].iter().any(|key| !schema[key].is_null());
    let of_items = !schema["items"].is_null() && exemplified(document, &schema["items"]);
    let properties = schema["properties"].as_object();
    let of_properties = properties.is_some_and(|own| own.values().all(|property| exemplified(document, property)));
    own || of_items || of_properties
}
