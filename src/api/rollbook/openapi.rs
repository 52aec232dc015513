//! Completes the OpenAPI document of Rollbook's own API: the description, the required roles, every error, and the
//! schemas of bodies.

use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Components, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{Permission as _, ReadChanges, ReadGroups, ReadUsers, WriteGroups, WriteUsers};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::user::PASSWORD_CHARS;
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};

use super::error::{FieldProblem, PROBLEM_JSON, Problem, error_response};

const DESCRIPTION: &str = "Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md). Every error \
    is problem details (RFC 9457) with a stable `code`; beside the errors listed with an operation, an unknown path is 404 \
    `no_route` and a path called with another method is 405 `method_not_allowed`.";

/// The schemas of responses, in which every property is always present.
const RESPONSES: [&str; 14] = [
    "Group",
    "ListPage_Group",
    "RestoredGroup",
    "User",
    "ListPage_User",
    "Me",
    "OwnUser",
    "OwnClient",
    "Info",
    "Change",
    "ChangeActor",
    "Changes",
    "Spell",
    "Spells",
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
    openapi::require_all(components, &RESPONSES);
    openapi::refer_to_items(components, "ListPage", "items");
    openapi::open_objects(components);
    if let Some(group) = openapi::object(components, "Group") {
        let body = openapi::body_of(group);
        components.schemas.insert("PartialGroup".to_owned(), body.clone().into());
        components.schemas.insert("GroupInput".to_owned(), body.into());
    }
    complete_users(components);
}

/// Completes the schema of users, and derives the schemas of their bodies.
fn complete_users(components: &mut Components) {
    let password = password();
    if let Some(user) = openapi::object(components, "User") {
        // Lists do not have it.
        user.required.retain(|property| property != "groupCount");
        let partial = openapi::body_of(user);
        let mut complete = partial.clone();
        complete.required = REQUIRED_OF_USERS.map(str::to_owned).to_vec();
        let mut new = complete.clone();
        new.properties.insert("password".to_owned(), password.clone().into());
        components.schemas.insert("PartialUser".to_owned(), partial.into());
        components.schemas.insert("UserInput".to_owned(), complete.into());
        components.schemas.insert("NewUser".to_owned(), new.into());
    }
    let body = ObjectBuilder::new().property("password", password).required("password").build();
    components.schemas.insert("PasswordInput".to_owned(), body.into());
}

/// The properties that a new user needs.
const REQUIRED_OF_USERS: [&str; 4] = ["username", "firstName", "lastName", "email"];

fn password() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(*PASSWORD_CHARS.start()))
        .max_length(Some(*PASSWORD_CHARS.end()))
        .write_only(true)
        .examples([json!("Correct-Horse-7")])
        .build()
}

/// Adds the required roles, the headers and the error responses of the operation.
fn describe(path: &str, operation: &mut Operation) {
    let Described { roles, is_write, is_conditional, is_repeatable, errors } =
        of_operation(operation.operation_id.as_deref().unwrap_or_default());
    openapi::require(operation, roles);
    if is_write {
        openapi::describe_write(operation, is_conditional, is_repeatable);
    } else if is_conditional {
        openapi::describe_read(operation);
    }
    let forbidden = Error::Directory(DirectoryError::Forbidden { sufficient: roles, assigned: Roles::NONE });
    let access = [
        Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)),
        Error::Directory(DirectoryError::SignIn(SignInError::TokenRevoked)),
        Error::Request(RequestError::List(ListError::Unknown("dryrun".to_owned()))),
    ];
    let forbidden = (!roles.is_empty()).then_some(forbidden);
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
        .chain(forbidden)
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
    let missing = |kind, id: &str| vec![Error::Directory(DirectoryError::NotFound(kind, id.to_owned()))];
    match id.split_once('.') {
        Some(("groups" | "members", "history")) => read(ReadGroups::ROLES, missing(ResourceKind::Group, "support")),
        Some(("users", "history")) => read(ReadUsers::ROLES, missing(ResourceKind::User, "ada")),
        Some(("changes", _)) => read(ReadChanges::ROLES, vec![Error::Directory(DirectoryError::NoLongerKept)]),
        Some(("me" | "info", _)) => read(Roles::NONE, Vec::new()),
        Some(("users", operation)) => of_users(operation),
        _ => of_groups(id),
    }
}

/// An operation that reads something without a version.
fn read(roles: Roles, errors: Vec<Error>) -> Described {
    Described { roles, is_write: false, is_conditional: false, is_repeatable: false, errors }
}

fn of_users(operation: &str) -> Described {
    let missing = || Error::Directory(DirectoryError::NotFound(ResourceKind::User, "ada".to_owned()));
    let deleted = || Error::Directory(DirectoryError::AlreadyDeleted);
    let insecure = || Error::Directory(DirectoryError::InsecurePassword);
    let limited = || Error::Directory(DirectoryError::NotAuthorizedToAdmin);
    let taken = || {
        let id = Error::Directory(DirectoryError::AlreadyExists(ResourceKind::User, "ada".to_owned()));
        [id, Error::Directory(DirectoryError::UsernameTaken)]
    };
    let write = |is_conditional, errors: Vec<Error>| Described {
        roles: WriteUsers::ROLES,
        is_write: true,
        is_conditional,
        is_repeatable: ["create", "patch", "unlock", "revokeTokens"].contains(&operation),
        errors: errors.into_iter().chain([limited()]).collect(),
    };
    let body = || body_errors("lastName", "is required");
    match operation {
        "create" => write(false, body().into_iter().chain(taken()).chain([insecure()]).collect()),
        "put" | "patch" => write(true, body().into_iter().chain(taken()).chain([missing(), deleted()]).collect()),
        "setPassword" => {
            write(true, [body_errors("password", "is required"), vec![missing(), deleted(), insecure()]].concat())
        }
        "delete" | "revokeTokens" => write(true, vec![missing(), deleted()]),
        "unlock" => write(false, vec![missing(), deleted()]),
        _ => Described {
            roles: ReadUsers::ROLES,
            is_write: false,
            is_conditional: true,
            is_repeatable: false,
            errors: vec![missing()],
        },
    }
}

fn of_groups(id: &str) -> Described {
    let missing = || Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "support".to_owned()));
    let taken = || Error::Directory(DirectoryError::AlreadyExists(ResourceKind::Group, "support".to_owned()));
    let deleted = || Error::Directory(DirectoryError::AlreadyDeleted);
    let write = |is_conditional, errors| Described {
        roles: WriteGroups::ROLES,
        is_write: true,
        is_conditional,
        is_repeatable: ["groups.create", "groups.patch", "groups.restore"].contains(&id),
        errors,
    };
    match id {
        "groups.create" => write(
            false,
            [
                body_errors("labels", "is required, or name"),
                vec![taken(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)],
            ]
            .concat(),
        ),
        "groups.put" => write(
            true,
            [
                body_errors("labels", "is required, or name"),
                vec![missing(), taken(), deleted(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)],
            ]
            .concat(),
        ),
        "groups.patch" => {
            write(true, [body_errors("labels", "is required, or name"), vec![missing(), taken(), deleted()]].concat())
        }
        "groups.delete" => write(true, vec![missing(), deleted(), Error::Directory(DirectoryError::HasUsers(3))]),
        "groups.restore" => {
            write(true, [body_errors("id", Id::RULE), restore_errors(ResourceKind::Group, "support")].concat())
        }
        _ => Described {
            roles: ReadGroups::ROLES,
            is_write: false,
            is_conditional: true,
            is_repeatable: false,
            errors: vec![missing()],
        },
    }
}

/// The documented example of an error response.
fn example(error: &Error) -> ErrorExample {
    let (status, body) = error_response(error);
    ErrorExample::new(status, body.code, &body.detail, &body)
}

/// The errors of operations with a body; `field` is the example of an invalid field, which breaks `rule`.
fn body_errors(field: &'static str, rule: &str) -> Vec<Error> {
    vec![
        Error::Request(RequestError::InvalidBody("the member 'nmae' is not known".to_owned())),
        Error::Directory(DirectoryError::Invalid(vec![Violation::new(field, rule)])),
        Error::Request(RequestError::UnsupportedMediaType),
    ]
}

/// The errors of a restore; `id` is the example of an ID.
fn restore_errors(kind: ResourceKind, id: &str) -> Vec<Error> {
    let (id, proposed) = (id.to_owned(), format!("{id}-2"));
    [
        DirectoryError::NotFound(kind, "uid:7".to_owned()),
        DirectoryError::NotDeleted,
        DirectoryError::RestoredIdTaken { kind, id, proposed },
    ]
    .map(Error::Directory)
    .to_vec()
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
            let any_token = id == "me.get" || id == "info.get";
            for status in ["400", "401", "403", "500", "503"] {
                if any_token && status == "403" {
                    continue;
                }
                assert!(operation.responses.responses.contains_key(status), "{id} {status}");
            }
        }
    }
}
