//! Completes the OpenAPI document of Rollbook's own API: the description, the required roles, every error, and the
//! schemas of bodies.

use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Components, ObjectBuilder, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{ManageClients, Permission as _, ReadClients, ReadGroups, WriteGroups};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::long_lived_token::{DAYS_DEFAULT, DAYS_MAX, NAME_MAX};
use crate::domain::role::Roles;
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};
use crate::service::tokens::{KEY_PUBLISHED_SECONDS, PUBLISH_SECONDS};

use super::error::{FieldProblem, PROBLEM_JSON, Problem, error_response};

const DESCRIPTION: &str = "Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md). Every error \
    is problem details (RFC 9457) with a stable `code`; beside the errors listed with an operation, an unknown path is 404 \
    `no_route` and a path called with another method is 405 `method_not_allowed`.";

/// The schemas of responses, in which every property is always present.
const RESPONSES: [&str; 10] = [
    "Client",
    "Group",
    "Key",
    "Keys",
    "ListPage_Group",
    "Page_Client",
    "Page_Token",
    "Token",
    "WithSecret_Client",
    "WithSecret_Token",
];

/// What an operation needs and which errors are its own.
struct Described {
    roles: Roles,
    is_write: bool,
    /// Whether the operation depends on the version of an entity.
    is_conditional: bool,
    /// Whether the operation accepts an `Idempotency-Key`.
    is_repeatable: bool,
    errors: Vec<Error>,
}

/// Completes the document that the router created from the handlers.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    openapi::introduce(&mut document, "Rollbook", DESCRIPTION);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(FieldProblem::name().into_owned(), FieldProblem::schema());
    complete_schemas(components);
    openapi::operations(&mut document).for_each(|(path, operation)| describe(path, operation));
    document
}

/// Adds to the schemas of responses what their types do not express, and derives the schemas of bodies from them.
fn complete_schemas(components: &mut Components) {
    openapi::merge_objects(components);
    openapi::require_all(components, &RESPONSES);
    openapi::refer_to_items(components, "ListPage", "items");
    openapi::refer_to_items(components, "Page", "items");
    openapi::open_objects(components);
    if let Some(group) = openapi::object(components, "Group") {
        let body = openapi::body_of(group);
        components.schemas.insert("PartialGroup".to_owned(), body.clone().into());
        components.schemas.insert("GroupInput".to_owned(), body.into());
    }
    if let Some(client) = openapi::object(components, "Client") {
        let change = openapi::body_of(client);
        let mut input = change.clone();
        // Both are the server's; a change may name them as conditions.
        input.properties.retain(|name, _| !["id", "version"].contains(&&**name));
        if let Some(serde_json::Value::Object(example)) = &mut input.example {
            example.retain(|name, _| input.properties.contains_key(name));
        }
        input.required.push("name".to_owned());
        components.schemas.insert("PartialClient".to_owned(), change.into());
        components.schemas.insert("ClientInput".to_owned(), input.into());
    }
    let name = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(NAME_MAX));
    let days = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(DAYS_MAX as f64));
    let token = ObjectBuilder::new().property("name", name).property("days", days).required("name");
    let token = token.examples([json!({ "name": "okta", "days": DAYS_DEFAULT })]);
    components.schemas.insert("TokenInput".to_owned(), token.into());
    let (least, most) = (*PUBLISH_SECONDS.start() as f64, *PUBLISH_SECONDS.end() as f64);
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most));
    let key = ObjectBuilder::new().property("publishSeconds", seconds);
    let key = key.examples([json!({ "publishSeconds": KEY_PUBLISHED_SECONDS })]);
    components.schemas.insert("KeyInput".to_owned(), key.into());
}

/// Adds the required roles, the headers and the error responses of the operation.
fn describe(path: &str, operation: &mut Operation) {
    let Described { roles, is_write, is_conditional, is_repeatable, errors } =
        of_operation(operation.operation_id.as_deref().unwrap_or_default());
    openapi::require(operation, roles);
    if operation.operation_id.as_deref() == Some("keys.rotate") {
        openapi::without_body(operation);
    }
    if is_write {
        openapi::describe_write(operation, is_conditional, is_repeatable);
    } else if is_conditional {
        openapi::describe_read(operation);
    }
    let forbidden = Error::Directory(DirectoryError::Forbidden { sufficient: roles, assigned: Roles::NONE });
    let access = [
        Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)),
        Error::Directory(DirectoryError::SignIn(SignInError::TokenRevoked)),
        forbidden,
        Error::Request(RequestError::List(ListError::Unknown("dryrun".to_owned()))),
    ];
    let writes = is_write.then(|| {
        let header = "Rollbook-Reason must be one text of 1 to 500 characters.";
        [
            Error::Request(RequestError::Malformed(header)),
            Error::Directory(DirectoryError::OutcomeUnknown(String::new())),
        ]
    });
    let path_error = path.contains('{').then(|| Error::Request(RequestError::InvalidPath(String::new())));
    let condition = is_conditional.then_some(Error::Directory(DirectoryError::PreconditionFailed));
    let errors = errors
        .into_iter()
        .chain(access)
        .chain(path_error)
        .chain(writes.into_iter().flatten())
        .chain(condition)
        .chain(always());
    openapi::add_errors(
        operation,
        ErrorBody { media_type: PROBLEM_JSON, schema: &Problem::name() },
        errors.map(|error| example(&error)),
    );
}

fn of_operation(id: &str) -> Described {
    let missing = || Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "support".to_owned()));
    let taken = || Error::Directory(DirectoryError::AlreadyExists(ResourceKind::Group, "support".to_owned()));
    let deleted = || Error::Directory(DirectoryError::AlreadyDeleted);
    let write = |is_conditional, errors| Described {
        roles: WriteGroups::ROLES,
        is_write: true,
        is_conditional,
        is_repeatable: ["groups.create", "groups.patch"].contains(&id),
        errors,
    };
    match id {
        _ if ["clients.", "tokens.", "keys."].iter().any(|subject| id.starts_with(subject)) => of_clients(id),
        "groups.create" => write(
            false,
            [body_errors("labels"), vec![taken(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)]].concat(),
        ),
        "groups.put" => write(
            true,
            [
                body_errors("labels"),
                vec![missing(), taken(), deleted(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)],
            ]
            .concat(),
        ),
        "groups.patch" => write(true, [body_errors("labels"), vec![missing(), taken(), deleted()]].concat()),
        "groups.delete" => write(true, vec![missing(), deleted(), Error::Directory(DirectoryError::HasUsers(3))]),
        _ => Described {
            roles: ReadGroups::ROLES,
            is_write: false,
            is_conditional: true,
            is_repeatable: false,
            errors: vec![missing()],
        },
    }
}

/// Like [`of_operation`], for clients, their long-lived tokens and signing keys.
fn of_clients(id: &str) -> Described {
    let missing = |kind| Error::Directory(DirectoryError::NotFound(kind, "5c0a1e0e".to_owned()));
    let (client, token) = (missing(ResourceKind::Client), missing(ResourceKind::LongLivedToken));
    let limited = Error::Directory(DirectoryError::NotAuthorizedToAdmin);
    let public = Error::Directory(DirectoryError::PublicClient("5c0a1e0e".to_owned()));
    let announced = || {
        let key =
            PublishedKey { kid: "0197b8a5".to_owned(), signs_from: Timestamp::from_micros(1_780_000_000_000_000) };
        Error::Directory(DirectoryError::KeyAnnounced(key))
    };
    let read = |is_conditional, errors| Described {
        roles: ReadClients::ROLES,
        is_write: false,
        is_conditional,
        is_repeatable: false,
        errors,
    };
    let write = |is_repeatable, errors| Described {
        roles: ManageClients::ROLES,
        is_write: true,
        is_conditional: id != "keys.rotate",
        is_repeatable,
        errors,
    };
    let body = |field, rule, others| [refused_bodies(Violation::new(field, rule)), others].concat();
    let mut described = match id {
        "clients.create" => write(true, body("name", "is required", Vec::new())),
        "clients.patch" => write(true, body("user", "does not exist", vec![client])),
        "clients.delete" => write(false, vec![client]),
        "clients.rotate" => {
            let unknown = RequestError::InvalidBody("the member 'secret' is not known".to_owned());
            write(
                true,
                vec![Error::Request(unknown), Error::Request(RequestError::UnsupportedMediaType), client, public],
            )
        }
        "clients.tokens.create" => write(true, body("days", "must be 1 to 730", vec![client, public])),
        "tokens.delete" => write(false, vec![token]),
        "keys.rotate" => write(true, body("publishSeconds", "must be 2 to 86400", vec![announced()])),
        "clients.get" => read(true, vec![client]),
        "clients.tokens.list" => read(false, vec![client]),
        _ => read(false, Vec::new()),
    };
    described.errors.push(limited);
    if described.is_repeatable {
        described.errors.extend([DirectoryError::KeyReused, DirectoryError::KeyInUse].map(Error::Directory));
    }
    described
}

/// The documented example of an error response.
fn example(error: &Error) -> ErrorExample {
    let (status, body) = error_response(error);
    ErrorExample::new(status, body.code, &body.detail, &body)
}

/// The errors of operations with a body; `field` is the example of an invalid field.
fn body_errors(field: &'static str) -> Vec<Error> {
    refused_bodies(Violation::new(field, "is required, or name"))
}

/// The errors of operations with a body, with this example of a field that breaks a rule.
fn refused_bodies(violation: Violation) -> Vec<Error> {
    vec![
        Error::Request(RequestError::InvalidBody("the member 'nmae' is not known".to_owned())),
        Error::Directory(DirectoryError::Invalid(vec![violation])),
        Error::Request(RequestError::UnsupportedMediaType),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_documents_its_roles_and_errors() {
        let mut document = complete(super::super::router().into_openapi());
        for (_, operation) in openapi::operations(&mut document) {
            let id = operation.operation_id.clone().unwrap_or_default();
            assert!(operation.security.as_ref().is_some_and(|roles| !roles.is_empty()), "{id}");
            for status in ["400", "401", "403", "500", "503"] {
                assert!(operation.responses.responses.contains_key(status), "{id} {status}");
            }
        }
    }
}
