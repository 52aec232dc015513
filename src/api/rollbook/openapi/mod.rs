//! Completes the OpenAPI document of Rollbook's own API: the description, the required roles, every error, and the
//! schemas of bodies.

mod clients;
mod groups;
mod members;
mod users;

use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{
    Permission as _, ReadChanges, ReadGroups, ReadSignIns, ReadStatistics, ReadUsers, UndoChanges,
};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::history::ChangeId;
use crate::domain::role::Roles;
use crate::domain::undo::{UndoOutcome, UndoResult, UndoneChange};
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};

use super::error::{FieldProblem, PROBLEM_JSON, Problem, error_response};

const DESCRIPTION: &str = "Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md). Every error \
    is problem details (RFC 9457) with a stable `code`; beside the errors listed with an operation, an unknown path is 404 \
    `no_route` and a path called with another method is 405 `method_not_allowed`.";

/// The schemas of responses, in which every property is always present.
const RESPONSES: [&str; 41] = [
    "Actor",
    "Change",
    "Changes",
    "Client",
    "ErasedUser",
    "CloudEvent",
    "DailyCount",
    "Group",
    "Info",
    "JoinedGroup",
    "Key",
    "Keys",
    "ListPage_Group",
    "ListPage_JoinedGroup",
    "ListPage_Member",
    "ListPage_User",
    "Me",
    "Member",
    "MembersChange",
    "NamedClient",
    "NamedGroup",
    "Numbered",
    "Operator",
    "Operation",
    "OwnClient",
    "OwnUser",
    "Page_Client",
    "Page_Token",
    "RestoredGroup",
    "RestoredUser",
    "SignIn",
    "SignIns",
    "Spell",
    "Spells",
    "Statistics",
    "Token",
    "Undone",
    "UndoneResult",
    "User",
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
    users::complete_users(components);
    clients::complete_clients(components);
    members::complete_members(components);
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
    match id.split_once('.') {
        Some(("groups" | "members", "history")) => {
            let missing = DirectoryError::NotFound(ResourceKind::Group, "support".to_owned());
            read(ReadGroups::ROLES, vec![Error::Directory(missing)])
        }
        Some(("users", "history")) => read(ReadUsers::ROLES, vec![unknown_user()]),
        Some(("users", "listGroups")) => read(ReadGroups::ROLES, vec![unknown_user()]),
        Some(("changes", _)) => read(ReadChanges::ROLES, vec![Error::Directory(DirectoryError::NoLongerKept)]),
        Some(("operations", operation)) => of_operations(operation),
        Some(("signIns", _)) => read(ReadSignIns::ROLES, vec![Error::Directory(DirectoryError::NoLongerKept)]),
        Some(("statistics", _)) => read(ReadStatistics::ROLES, Vec::new()),
        Some(("me" | "info", _)) => read(Roles::NONE, Vec::new()),
        Some(("users", operation)) => users::of_users(operation),
        Some(("members", _)) => members::of_members(id),
        Some(("clients" | "tokens" | "keys", _)) => clients::of_clients(id),
        _ => groups::of_groups(id),
    }
}

/// Operations, and undoing them.
fn of_operations(operation: &str) -> Described {
    let missing = DirectoryError::NotFound(ResourceKind::Operation, "01977f2e-5a3c-7000-8000-0123456789ab".to_owned());
    if operation == "get" {
        return read(ReadChanges::ROLES, [missing, DirectoryError::NoLongerKept].map(Error::Directory).to_vec());
    }
    let refused = [missing, DirectoryError::UndoConflicts(Box::new(conflicting())), DirectoryError::UndoTooLarge];
    let errors =
        [refused.map(Error::Directory).to_vec(), body_errors("channel", "names nothing that there is")].concat();
    Described { roles: UndoChanges::ROLES, is_write: true, is_conditional: false, is_repeatable: true, errors }
}

/// The example of an undo that is refused.
fn conflicting() -> UndoOutcome {
    let result = UndoResult::Conflict(vec!["labels.it".to_owned()]);
    UndoOutcome::new(vec![UndoneChange { id: ChangeId { seq: 184_467, index: 0 }, result }], false)
}

/// The error for a user who does not exist.
fn unknown_user() -> Error {
    Error::Directory(DirectoryError::NotFound(ResourceKind::User, "ada".to_owned()))
}

/// An operation that reads something without a version.
fn read(roles: Roles, errors: Vec<Error>) -> Described {
    Described { roles, is_write: false, is_conditional: false, is_repeatable: false, errors }
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
