//! Completes the OpenAPI document of the SCIM API: the description, the required roles, every error, and the schemas of
//! resources, which are made of the table of attributes.

use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Array, Object, Schema, Type as JsonType};
use utoipa::openapi::{ArrayBuilder, Components, ObjectBuilder, OpenApi, Ref, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{Permission as _, ReadUsers, WriteUsers};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::role::Roles;
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, ProtocolError, RequestError};

use super::attributes::{Attribute, Mutability, Type};
use super::error::{self, ScimType, bad_request, error_response};
use super::schemas::{ResourceType, USERS};
use super::wire::SCIM;

const DESCRIPTION: &str = "SCIM 2.0 (RFC 7643, RFC 7644): identity providers bring users and groups into the directory and \
    keep them there (docs/scim.md). Every error is an Error of RFC 7644, section 3.12; beside the errors listed with an \
    operation, an unknown path is 404 and a path called with another method is 405.";

/// Completes the document that the router created from the handlers.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    openapi::introduce(&mut document, "SCIM", DESCRIPTION);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(error::ErrorBody::name().into_owned(), error::ErrorBody::schema());
    openapi::refer_to_items(components, "ListResponse", "Resources");
    components.schemas.insert(USERS.name.to_owned(), resource(&USERS, user_example()).into());
    components.schemas.insert("ListResponse_User".to_owned(), list_of(USERS.name).into());
    components.schemas.insert("PatchOp".to_owned(), patch().into());
    openapi::operations(&mut document).for_each(|(path, operation)| describe(path, operation));
    document
}

/// Adds the required roles, the headers and the error responses of the operation.
fn describe(path: &str, operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let (roles, own) = match id.as_str() {
        "Users.List" => (Some(ReadUsers::ROLES), list_errors()),
        "Users.Get" => (Some(ReadUsers::ROLES), vec![unknown_user(), precondition()]),
        "Users.Create" => (Some(WriteUsers::ROLES), [body_errors(), write_errors()].concat()),
        "Users.Replace" => (Some(WriteUsers::ROLES), [vec![unknown_user()], body_errors(), write_errors()].concat()),
        "Users.Patch" => (Some(WriteUsers::ROLES), [vec![unknown_user()], patch_errors(), write_errors()].concat()),
        "Users.Delete" => (Some(WriteUsers::ROLES), [vec![unknown_user()], write_errors()].concat()),
        _ => (None, discovery_errors(path)),
    };
    match roles {
        Some(roles) => openapi::require(operation, roles),
        None => openapi::require_nothing(operation),
    }
    match id.split_once('.') {
        Some(("Users", "Get")) => openapi::describe_read(operation),
        Some(("Users", "List")) | None => {}
        Some(("Users", name)) => {
            openapi::describe_write(operation, true, ["Create", "Patch"].contains(&name));
            openapi::describe_tag(operation);
        }
        Some(_) => {}
    }
    let invalid_path = path.contains('{').then(|| Error::Request(RequestError::InvalidPath(String::new())));
    let access = roles.into_iter().flat_map(access_errors);
    let errors = invalid_path.into_iter().chain(own).chain(access).chain(always());
    let body = ErrorBody { media_type: SCIM, schema: &error::ErrorBody::name() };
    openapi::add_errors(operation, body, errors.map(|error| example(&error)));
}

/// The documented example of an error response.
fn example(error: &Error) -> ErrorExample {
    let (status, body) = error_response(error);
    let code = body.scim_type.map_or_else(|| body.status.clone(), str::to_owned);
    ErrorExample::new(status, &code, &body.detail, &body)
}

fn discovery_errors(path: &str) -> Vec<Error> {
    let detail = "There is no schema urn:example:none.".to_owned();
    let missing = ProtocolError { status: 404, keyword: None, detail };
    let missing = path.contains('{').then_some(Error::Request(RequestError::Protocol(missing)));
    let filtered = super::discovery::refuse_filter(&[("filter".to_owned(), String::new())]).err();
    missing.into_iter().chain(filtered).collect()
}

fn list_errors() -> Vec<Error> {
    vec![
        bad_request(ScimType::InvalidFilter, "There is no filter on shoeSize."),
        bad_request(ScimType::InvalidValue, "count must be a whole number."),
        Error::Request(RequestError::List(ListError::TooCostly)),
    ]
}

/// The errors of bodies with the attributes of a user.
fn body_errors() -> Vec<Error> {
    let missing = Violation::new("LastName", "is required: map an attribute of the identity provider to it");
    vec![
        Error::Request(RequestError::InvalidBody("it must be a JSON object".to_owned())),
        Error::Request(RequestError::UnsupportedMediaType),
        Error::Directory(DirectoryError::Invalid(vec![missing])),
        Error::Directory(DirectoryError::UsernameTaken),
    ]
}

/// The errors of bodies with operations.
fn patch_errors() -> Vec<Error> {
    let own = [
        (ScimType::InvalidPath, "Operations[0]: There is no attribute 'shoeSize' here."),
        (ScimType::InvalidFilter, "Operations[0]: A filter on emails compares value, type, primary and display by eq."),
        (ScimType::Mutability, "Operations[0]: id is read-only."),
        (ScimType::NoTarget, "The filter of the path selects nothing."),
        (ScimType::TooMany, "A request changes attributes other than members at most 1000 times."),
    ];
    own.into_iter().map(|(keyword, detail)| bad_request(keyword, detail)).chain(body_errors()).collect()
}

fn write_errors() -> Vec<Error> {
    let header = "Rollbook-Reason must be one text of 1 to 500 characters.";
    vec![
        Error::Request(RequestError::Malformed(header)),
        precondition(),
        Error::Directory(DirectoryError::OutcomeUnknown(String::new())),
    ]
}

fn access_errors(sufficient: Roles) -> [Error; 2] {
    [
        Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)),
        Error::Directory(DirectoryError::Forbidden { sufficient, assigned: Roles::NONE }),
    ]
}

fn unknown_user() -> Error {
    Error::Directory(DirectoryError::NotFound(ResourceKind::User, "u12".to_owned()))
}

fn precondition() -> Error {
    Error::Directory(DirectoryError::PreconditionFailed)
}

/// The errors of every operation.
fn always() -> [Error; 4] {
    [
        Error::Request(RequestError::TooLarge),
        Error::Request(RequestError::UriTooLong),
        Error::internal(anyhow::anyhow!("")),
        Error::Directory(DirectoryError::Unavailable(String::new())),
    ]
}

/// The schema of a kind of resource: its attributes, and those that every resource has.
fn resource(kind: &ResourceType, example: Value) -> Object {
    let urns = text("The URNs of the schemas whose attributes the resource has");
    let mut object = ObjectBuilder::new()
        .description(Some(kind.description))
        .property("schemas", ArrayBuilder::new().items(urns))
        .property("id", read_only(text("The ID, which never changes and is never given to another resource")));
    for attribute in kind.schema.attributes {
        object = object.property(attribute.name, property(attribute));
        if attribute.required {
            object = object.required(attribute.name);
        }
    }
    for schema in kind.extensions {
        object = object.property(schema.id, attributes_of(schema.description, schema.attributes));
    }
    let meta = ["resourceType", "created", "lastModified", "location", "version"];
    let meta = meta.into_iter().fold(ObjectBuilder::new(), |object, name| object.property(name, text(name)));
    object.property("meta", read_only(meta)).examples([example]).build()
}

/// The schema of an attribute's value.
fn property(attribute: &Attribute) -> RefOr<Schema> {
    let one: Object = match attribute.kind {
        Type::Complex => attributes_of(attribute.description, attribute.sub_attributes),
        Type::Boolean => typed(JsonType::Boolean, attribute.description).build(),
        Type::String | Type::Reference => text(attribute.description).build(),
    };
    let is_read_only = attribute.mutability == Mutability::ReadOnly;
    let mut property: RefOr<Schema> = match attribute.multi_valued {
        true => Array::new(Schema::from(one)).into(),
        false => one.into(),
    };
    if is_read_only {
        openapi::read_only(&mut property);
    }
    property
}

fn attributes_of(description: &str, attributes: &[Attribute]) -> Object {
    let empty = typed(JsonType::Object, description);
    attributes.iter().fold(empty, |object, own| object.property(own.name, property(own))).build()
}

fn text(description: &str) -> ObjectBuilder {
    typed(JsonType::String, description)
}

fn typed(of: JsonType, description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(of).description(Some(description))
}

fn read_only(object: ObjectBuilder) -> ObjectBuilder {
    object.read_only(true)
}

/// The schema of a page of a list.
fn list_of(name: &str) -> Object {
    let number = |description, example: u32| typed(JsonType::Integer, description).examples([Value::from(example)]);
    let urn = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    ObjectBuilder::new()
        .description(Some("A page of a list of resources (RFC 7644, section 3.4.2)"))
        .property(
            "schemas",
            ArrayBuilder::new().items(text("Always the URN of list responses").examples([Value::from(urn)])),
        )
        .property("totalResults", number("How many resources match, on all pages", 1))
        .property("itemsPerPage", number("How many resources this page has", 1))
        .property("startIndex", number("The number of the page's first resource, from 1", 1))
        .property("Resources", Array::new(Ref::from_schema_name(name)))
        .build()
}

/// The schema of a PATCH.
fn patch() -> Object {
    let operation = ObjectBuilder::new()
        .property("op", text("add, replace or remove"))
        .property("path", text("The attribute; without it, value is an object of attributes"))
        .property("value", ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue))
        .required("op");
    let example = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    ObjectBuilder::new()
        .description(Some("Changes of a resource (RFC 7644, section 3.5.2)"))
        .property("schemas", ArrayBuilder::new().items(text("The URN of changes; not looked at")))
        .property("Operations", ArrayBuilder::new().items(operation))
        .required("Operations")
        .examples([example])
        .build()
}

fn user_example() -> Value {
    json!({
        "schemas": [super::schemas::USER],
        "userName": "ada",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        "active": true,
    })
}
