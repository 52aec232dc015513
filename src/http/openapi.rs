//! What the OpenAPI documents of all APIs share: the bearer token, roles as alternatives, and errors told by example.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::domain::role::Roles;

/// The name under which documents declare the bearer token.
const BEARER: &str = "bearer";

/// An error as an operation's documentation tells it.
pub struct ErrorExample {
    pub status: StatusCode,
    /// The error's code, which names the example.
    pub code: String,
    pub summary: String,
    pub body: serde_json::Value,
}

impl ErrorExample {
    /// The example of an error whose body is `body`.
    pub fn new(status: StatusCode, code: &str, summary: &str, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status, code: code.to_owned(), summary: summary.to_owned(), body }
    }
}

/// Declares the bearer token.
pub fn add_bearer(openapi: &mut OpenApi, description: &str) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(description));
    let components = openapi.components.get_or_insert_with(Components::new);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
}

/// Every operation of the document.
pub fn operations(openapi: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    openapi.paths.paths.values_mut().flat_map(|item: &mut PathItem| {
        [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
    })
}

/// Says that any one of the roles opens the operation, to programs and to people; no role at all: any valid token does.
pub fn require(operation: &mut Operation, roles: Roles) {
    let names: Vec<_> = roles.names().map(|role| format!("`{role}`")).collect();
    let needed = match names.is_empty() {
        true => "Needs a valid token, whatever its roles.".to_owned(),
        false => format!("Needs any one of the roles {}.", names.join(", ")),
    };
    let described = operation.description.take().map(|own| format!("{own}\n\n{needed}"));
    operation.description = Some(described.unwrap_or(needed));
    let requirement = |role: Option<&str>| SecurityRequirement::new(BEARER, role);
    operation.security = Some(match roles.is_empty() {
        true => vec![requirement(None)],
        false => roles.names().map(|role| requirement(Some(role))).collect(),
    });
}

/// Adds the errors that the operation answers with: one response a status, one example a code. `schema` is the name
/// of the schema of their bodies.
pub fn add_errors(operation: &mut Operation, schema: &str, errors: impl IntoIterator<Item = ErrorExample>) {
    let mut by_status: BTreeMap<StatusCode, BTreeMap<String, Example>> = BTreeMap::new();
    for ErrorExample { status, code, summary, body } in errors {
        let example = ExampleBuilder::new().summary(summary).value(Some(body)).build();
        by_status.entry(status).or_default().insert(code, example);
    }
    for (status, examples) in by_status {
        let codes: Vec<_> = examples.keys().map(|code| format!("`{code}`")).collect();
        let schema = Some(Ref::from_schema_name(schema));
        let content = ContentBuilder::new()
            .schema(schema)
            .examples_from_iter(examples.into_iter().map(|(code, example)| (code, RefOr::T(example))));
        let response = ResponseBuilder::new().description(codes.join(", ")).content("application/json", content);
        operation.responses.responses.insert(status.as_str().to_owned(), response.into());
    }
}
