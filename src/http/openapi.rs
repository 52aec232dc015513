//! Functions that the OpenAPI documents of all APIs share: server, security schemes, roles as alternatives, errors as
//! examples, and details that client generators need.

use std::collections::BTreeMap;
use std::mem;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, InfoBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Server};

use crate::domain::role::Roles;

/// The name of the security scheme for a bearer token.
const BEARER: &str = "bearer";
/// The name of the security scheme for the grants of the token endpoint. All documents have the same names, so that one
/// sign-in on the documents page is valid for all.
const OAUTH2: &str = "oauth2";
/// The path of the token endpoint, which issues tokens for all APIs.
const TOKEN_PATH: &str = "/oauth/token";
/// The base path of a document.
const ROOT: &str = "/";

/// Instructions to get a token, for the documents page.
const SIGN_IN: &str = "**To call the server from this page**, make a client (`rollbook client create --name docs --role FullAccess`), \
    press *Authorize* and enter its `client_id` and `client_secret` under *oauth2 (OAuth2, clientCredentials)*; or paste \
    any token under *bearer*. One sign-in holds for all definitions of this page.";

/// An example of an error response in the documentation of an operation.
pub(crate) struct ErrorExample {
    /// The status of the response.
    pub status: StatusCode,
    /// The error code, which is also the name of the example.
    pub code: String,
    /// The description of the error.
    pub summary: String,
    /// The body of the response.
    pub body: serde_json::Value,
}

impl ErrorExample {
    /// Creates an example. `body` is serialized to JSON.
    pub(crate) fn new(status: StatusCode, code: &str, summary: &str, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status, code: code.to_owned(), summary: summary.to_owned(), body }
    }
}

/// Sets the title, description, server and security schemes of a document.
pub(crate) fn introduce(openapi: &mut OpenApi, title: &str, description: &str) {
    let info = InfoBuilder::new().title(title).description(Some(format!("{description}\n\n{SIGN_IN}")));
    openapi.info = info.version(env!("CARGO_PKG_VERSION")).build();
    openapi.servers = Some(vec![Server::new(ROOT)]);
    let components = openapi.components.get_or_insert_with(Components::new);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let bearer = bearer.description(Some("A token of either API, e.g. the `access_token` of `POST /oauth/token`."));
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let scopes = || Scopes::from_iter(Roles::NAMES.map(|(_, name)| (name, "")));
    let flows = [
        Flow::ClientCredentials(ClientCredentials::new(TOKEN_PATH, scopes())),
        Flow::Password(Password::new(TOKEN_PATH, scopes())),
    ];
    components.add_security_scheme(OAUTH2, SecurityScheme::OAuth2(OAuth2::new(flows)));
}

/// Returns the document with `base`, e.g. `/v1`, as its server, and with paths relative to `base`. A path that does not
/// start with `base` gets the root as its own server.
pub(crate) fn rebased(mut openapi: OpenApi, base: &str) -> OpenApi {
    openapi.servers = Some(vec![Server::new(base)]);
    let paths = mem::take(&mut openapi.paths.paths).into_iter();
    openapi.paths.paths = paths
        .map(|(path, item)| match path.strip_prefix(base).filter(|rest| rest.starts_with('/')) {
            Some(rest) => (rest.to_owned(), item),
            None => (path, at_root(item)),
        })
        .collect();
    openapi
}

fn at_root(mut item: PathItem) -> PathItem {
    item.servers = Some(vec![Server::new(ROOT)]);
    item
}

/// Returns the object schema with this name.
pub(crate) fn object<'a>(components: &'a mut Components, name: &str) -> Option<&'a mut Object> {
    match components.schemas.get_mut(name) {
        Some(RefOr::T(Schema::Object(object))) => Some(object),
        _ => None,
    }
}

/// Marks a property as read-only, i.e. one that only responses have.
pub(crate) fn read_only(property: &mut RefOr<Schema>) {
    match property {
        RefOr::T(Schema::Object(object)) => object.read_only = Some(true),
        // utoipa's model of arrays has no such field.
        RefOr::T(Schema::Array(array)) => array.extensions = Some(Extensions::from_iter([("readOnly", true)])),
        _ => {}
    }
}

/// Whether a property is marked as read-only.
fn is_read_only(property: &RefOr<Schema>) -> bool {
    match property {
        RefOr::T(Schema::Object(object)) => object.read_only == Some(true),
        RefOr::T(Schema::Array(array)) => {
            array.extensions.as_ref().is_some_and(|extensions| extensions.contains_key("readOnly"))
        }
        _ => false,
    }
}

/// Returns the schema of a body: the properties of the response that are not read-only, none of them required.
pub(crate) fn body_of(response: &Object) -> Object {
    let mut body = response.clone();
    body.required.clear();
    body.properties.retain(|_, property| !is_read_only(property));
    if let Some(serde_json::Value::Object(example)) = &mut body.example {
        example.retain(|name, _| body.properties.contains_key(name));
    }
    body
}

/// Marks every property of these schemas as required. A required property may be null.
pub(crate) fn require_all(components: &mut Components, names: &[&str]) {
    for name in names {
        if let Some(object) = object(components, name) {
            object.required = object.properties.keys().cloned().collect();
        }
    }
}

/// Replaces each schema that combines objects by one object with the properties of all. Its example is that of the first
/// object, with the examples of the other properties.
pub(crate) fn merge_objects(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::AllOf(all)) = schema else { continue };
        let mut parts = all.items.iter().filter_map(|part| match part {
            RefOr::T(Schema::Object(object)) => Some(object.clone()),
            _ => None,
        });
        let Some(mut merged) = parts.next() else { continue };
        for part in parts {
            if let Some(serde_json::Value::Object(example)) = &mut merged.example {
                let own = |property: &RefOr<Schema>| match property {
                    RefOr::T(Schema::Object(property)) => property.example.clone(),
                    _ => None,
                };
                example.extend(part.properties.iter().filter_map(|(name, of)| Some((name.clone(), own(of)?))));
            }
            merged.properties.extend(part.properties);
        }
        merged.description = all.description.clone().or(merged.description);
        *schema = merged.into();
    }
}

/// Adds `additionalProperties: true` to every property that is an object without declared properties. That is the
/// default, but client generators would generate an empty record.
pub(crate) fn open_objects(components: &mut Components) {
    let schemas = components.schemas.values_mut().filter_map(as_object);
    for property in schemas.flat_map(|schema| schema.properties.values_mut()).filter_map(as_object) {
        if is_object(&property.schema_type) && property.properties.is_empty() {
            property.additional_properties.get_or_insert_with(|| Box::new(AdditionalProperties::FreeForm(true)));
        }
    }
}

fn as_object(schema: &mut RefOr<Schema>) -> Option<&mut Object> {
    if let RefOr::T(Schema::Object(object)) = schema { Some(object) } else { None }
}

fn is_object(schema_type: &SchemaType) -> bool {
    match schema_type {
        SchemaType::Type(one) => *one == Type::Object,
        SchemaType::Array(any) => any.contains(&Type::Object),
        SchemaType::AnyValue => false,
    }
}

/// Replaces the item schema in the property `field` of each schema named `<list>_<item>` with a reference to the schema
/// `<item>`.
pub(crate) fn refer_to_items(components: &mut Components, list: &str, field: &str) {
    for (name, schema) in &mut components.schemas {
        let item = name.strip_prefix(list).and_then(|rest| rest.strip_prefix('_'));
        let items = as_object(schema).and_then(|schema| schema.properties.get_mut(field));
        if let (Some(item), Some(RefOr::T(Schema::Array(items)))) = (item, items) {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}

/// Iterates over the operations of the document, each with its path.
pub(crate) fn operations(openapi: &mut OpenApi) -> impl Iterator<Item = (&str, &mut Operation)> {
    openapi.paths.paths.iter_mut().flat_map(|(path, item)| {
        let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        all.into_iter().flatten().map(|operation| (path.as_str(), operation))
    })
}

/// Documents that the operation needs one of the roles, by either security scheme. If `roles` is empty, any valid token
/// is sufficient.
pub(crate) fn require(operation: &mut Operation, roles: Roles) {
    let names: Vec<_> = roles.names().map(|role| format!("`{role}`")).collect();
    let needed = match names.is_empty() {
        true => "Needs a valid token, whatever its roles.".to_owned(),
        false => format!("Needs any one of the roles {}.", names.join(", ")),
    };
    let described = operation.description.take().map(|description| format!("{description}\n\n{needed}"));
    operation.description = Some(described.unwrap_or(needed));
    let alternatives = |role: Option<&'static str>| [BEARER, OAUTH2].map(|name| SecurityRequirement::new(name, role));
    operation.security = Some(match roles.is_empty() {
        true => alternatives(None).into(),
        false => roles.names().flat_map(|role| alternatives(Some(role))).collect(),
    });
}

/// Documents that the body of the operation may be missing.
pub(crate) fn without_body(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::False);
    }
}

/// Documents that the operation needs no token.
pub(crate) fn require_nothing(operation: &mut Operation) {
    operation.security = Some(Vec::new());
}

/// Documents a read of one entity: its entity tag, and the response to a client that has it already.
pub(crate) fn describe_read(operation: &mut Operation) {
    add_header(operation, "If-None-Match", "Entity tags that the client has, e.g. `\"core-7-3\"`");
    describe_tag(operation);
    let not_modified = ResponseBuilder::new().description("The client has this version; no body").build();
    operation.responses.responses.insert("304".to_owned(), not_modified.into());
}

/// Documents the entity tag of the entity that a successful response shows.
pub(crate) fn describe_tag(operation: &mut Operation) {
    for status in ["200", "201"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            let tag = HeaderBuilder::new().schema(Some(text())).description(Some("The entity tag of this version"));
            response.headers.insert("ETag".to_owned(), tag.build().into());
        }
    }
}

/// Documents the headers of a write. A conditional one may depend on the version of an entity; a repeatable one takes a
/// key.
pub(crate) fn describe_write(operation: &mut Operation, is_conditional: bool, is_repeatable: bool) {
    if is_conditional {
        add_header(
            operation,
            "If-Match",
            "Refused with 412 unless the entity has one of these versions, e.g. `\"core-7-3\"`",
        );
        add_header(
            operation,
            "If-None-Match",
            "Refused with 412 if the entity has one of these versions, or, with `*`, if it exists, e.g. `*`",
        );
    }
    if is_repeatable {
        let description = "A new key for each change; a repetition with the same key gets the same answer and changes \
                           nothing, e.g. `7d3b6f0c-9e41-4b1a-8d52-0c6f7a1e9b24`";
        add_header(operation, "Idempotency-Key", description);
    }
    add_header(
        operation,
        "Rollbook-Reason",
        "Why the change is made, percent-encoded, e.g. `Ticket%20451`; the journal keeps it",
    );
}

fn add_header(operation: &mut Operation, name: &str, description: &str) {
    let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
    let header = header.description(Some(description)).schema(Some(text()));
    operation.parameters.get_or_insert_default().push(header.build().into());
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The media type and the schema of the error responses of an API.
#[derive(Clone, Copy)]
pub(crate) struct ErrorBody<'a> {
    /// The media type.
    pub media_type: &'a str,
    /// The name of the schema.
    pub schema: &'a str,
}

/// Adds the error responses of the operation: one response per status, one example per code.
pub(crate) fn add_errors(
    operation: &mut Operation,
    ErrorBody { media_type, schema }: ErrorBody<'_>,
    errors: impl IntoIterator<Item = ErrorExample>,
) {
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
        let response = ResponseBuilder::new().description(codes.join(", ")).content(media_type, content);
        operation.responses.responses.insert(status.as_str().to_owned(), response.into());
    }
}
