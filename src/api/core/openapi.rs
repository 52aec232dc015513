//! Completes the OpenAPI document of the Core API: the description, the required roles, and every error.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{Permission as _, ReadGroups, WriteGroups};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::role::Roles;
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};

use super::error::{Failed, error_response};

const DESCRIPTION: &str = "Groups of users, as the Core admin API \"Core - Group\" tells them. Every negative answer is \
    `{\"Success\":false,\"Message\":\"<code>\",\"Description\":\"<sentence>\"}`; beside the errors listed with an operation, \
    an unknown path is 404 `not_found` and a path called with another method is 405 `method_not_allowed`.";

/// Completes the document that the router created from the handlers.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    openapi::introduce(&mut document, "Core - Group", DESCRIPTION);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Failed::name().into_owned(), Failed::schema());
    openapi::operations(&mut document).for_each(|(_, operation)| describe(operation));
    document
}

/// Adds the required roles and the error responses of the operation.
fn describe(operation: &mut Operation) {
    let (required, own) = match operation.operation_id.as_deref().unwrap_or_default() {
        "getGroup" => (Some(ReadGroups::ROLES), vec![invalid_path(), not_found()]),
        "listGroups" => (Some(ReadGroups::ROLES), vec![Error::Request(RequestError::List(ListError::PageSize))]),
        "listAllGroups" => (Some(ReadGroups::ROLES), vec![]),
        "addOrEditGroup" => {
            let mut errors = body_errors(Violation::new("Labels", "is required"));
            let header = "Rollbook-Reason must be one text of 1 to 500 characters.";
            errors.push(Error::Request(RequestError::Malformed(header)));
            errors.extend(
                [DirectoryError::PreconditionFailed, DirectoryError::KeyReused, DirectoryError::KeyInUse]
                    .map(Error::Directory),
            );
            (Some(WriteGroups::ROLES), errors)
        }
        "deleteGroup" => (
            Some(WriteGroups::ROLES),
            vec![
                invalid_path(),
                not_found(),
                Error::Directory(DirectoryError::AlreadyDeleted),
                Error::Directory(DirectoryError::HasUsers(3)),
                Error::Directory(DirectoryError::PreconditionFailed),
            ],
        ),
        "logoff" => (Some(Roles::NONE), vec![]),
        _ => (None, sign_in_errors()),
    };
    match required {
        Some(roles) => openapi::require(operation, roles),
        None => openapi::require_nothing(operation),
    }
    match operation.operation_id.as_deref() {
        Some("getGroup") => openapi::describe_read(operation),
        Some("addOrEditGroup") => {
            openapi::describe_write(operation, true, true);
            openapi::describe_tag(operation);
        }
        Some("deleteGroup") => openapi::describe_write(operation, true, false),
        _ => {}
    }
    let reads = required == Some(ReadGroups::ROLES);
    let outcome_unknown = (!reads).then(|| Error::Directory(DirectoryError::OutcomeUnknown(String::new())));
    let errors = own.into_iter().chain(access_errors(required)).chain(common_errors()).chain(outcome_unknown);
    openapi::add_errors(
        operation,
        ErrorBody { media_type: "application/json", schema: &Failed::name() },
        errors.map(|error| example(&error)),
    );
}

/// The documented example of an error response.
fn example(error: &Error) -> ErrorExample {
    let (status, body) = error_response(error);
    ErrorExample::new(status, body.message, &body.description, &body)
}

/// The error for an ID in the path that is not valid.
fn invalid_path() -> Error {
    Error::Request(RequestError::InvalidPath(String::new()))
}

/// The error for a group that does not exist.
fn not_found() -> Error {
    Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "7".to_owned()))
}

/// The errors of operations with a body; `violation` is the example of an invalid field.
fn body_errors(violation: Violation) -> Vec<Error> {
    let unparsable = Error::Request(RequestError::InvalidBody("expected value at line 1 column 2".to_owned()));
    vec![
        unparsable,
        Error::Directory(DirectoryError::Invalid(vec![violation])),
        Error::Request(RequestError::UnsupportedMediaType),
    ]
}

/// The errors of the log-on.
fn sign_in_errors() -> Vec<Error> {
    let mut errors = body_errors(Violation::new("password", "is required"));
    errors.push(Error::Directory(DirectoryError::SignIn(SignInError::InvalidCredentials)));
    errors.push(Error::Directory(DirectoryError::Forbidden { sufficient: ReadGroups::ROLES, assigned: Roles::NONE }));
    errors
}

/// The errors of a call without a sufficient token. `None`: the operation needs no token.
fn access_errors(required: Option<Roles>) -> Vec<Error> {
    match required {
        None => vec![],
        Some(roles) if roles.is_empty() => vec![Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated))],
        Some(sufficient) => vec![
            Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)),
            Error::Directory(DirectoryError::Forbidden { sufficient, assigned: Roles::NONE }),
        ],
    }
}

/// The errors of every operation.
fn common_errors() -> [Error; 4] {
    let internal = Error::internal(anyhow::anyhow!(""));
    [
        Error::Request(RequestError::TooLarge),
        Error::Request(RequestError::UriTooLong),
        internal,
        Error::Directory(DirectoryError::Unavailable(String::new())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_documents_its_errors_and_all_but_logon_a_token() {
        let mut document = complete(super::super::router().into_openapi());
        let mut seen = 0;
        for (_, operation) in openapi::operations(&mut document) {
            let id = operation.operation_id.clone().unwrap_or_default();
            assert_eq!(operation.security.as_ref().is_some_and(Vec::is_empty), id == "logon", "{id}");
            assert!(operation.responses.responses.contains_key("401"), "{id}");
            assert!(operation.responses.responses.contains_key("503"), "{id}");
            seen += 1;
        }
        assert_eq!(seen, 7);
    }
}
