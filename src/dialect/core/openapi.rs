//! The final touches to the OpenAPI document of the Core API: what it is, who may call what, and every error.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, InfoBuilder, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::error::{Error, Kind, ListError, Violation};
use crate::domain::role::{Permission as _, ReadGroups, Roles, WriteGroups};
use crate::http::openapi::{self, ErrorExample};

use super::error::{Failed, told};

const DESCRIPTION: &str = "Groups of users, as the Core admin API \"Core - Group\" tells them. Every negative answer is \
    `{\"Success\":false,\"Message\":\"<code>\",\"Description\":\"<sentence>\"}`; beside the errors listed with an operation, \
    an unknown path is 404 `not_found` and a path called with another method is 405 `method_not_allowed`.";

/// Completes the document that the router made of the handlers.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Core - Group")
        .description(Some(DESCRIPTION))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    openapi::add_bearer(&mut document, "The `Token` of a logon, or the `access_token` of `POST /oauth/token`.");
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Failed::name().into_owned(), Failed::schema());
    openapi::operations(&mut document).for_each(describe);
    document
}

/// Says who may call the operation and how it fails.
fn describe(operation: &mut Operation) {
    let (needed, own) = match operation.operation_id.as_deref().unwrap_or_default() {
        "getGroup" => (Some(ReadGroups::ROLES), vec![path(), missing()]),
        "listGroups" => (Some(ReadGroups::ROLES), vec![Error::List(ListError::PageSize)]),
        "listAllGroups" => (Some(ReadGroups::ROLES), vec![]),
        "addOrEditGroup" => (Some(WriteGroups::ROLES), body(Violation::new("Labels", "is required"))),
        "deleteGroup" => (Some(WriteGroups::ROLES), vec![path(), missing(), Error::AlreadyDeleted, Error::HasUsers(3)]),
        "logoff" => (Some(Roles::NONE), vec![]),
        _ => (None, sign_in()),
    };
    if let Some(roles) = needed {
        openapi::require(operation, roles);
    }
    let reads = needed == Some(ReadGroups::ROLES);
    let in_doubt = (!reads).then(|| Error::OutcomeUnknown(String::new()));
    let errors = own.into_iter().chain(access(needed)).chain(server()).chain(in_doubt);
    openapi::add_errors(operation, &Failed::name(), errors.map(|error| example(&error)));
}

fn example(error: &Error) -> ErrorExample {
    let (status, body) = told(error);
    ErrorExample::new(status, body.message, &body.description, &body)
}

fn path() -> Error {
    Error::InvalidPath(String::new())
}

fn missing() -> Error {
    Error::NotFound(Kind::Group, "7".to_owned())
}

fn body(violation: Violation) -> Vec<Error> {
    let unparsable = Error::InvalidBody("expected value at line 1 column 2".to_owned());
    vec![unparsable, Error::Invalid(vec![violation]), Error::TooLarge, Error::UnsupportedMediaType]
}

fn sign_in() -> Vec<Error> {
    let mut errors = body(Violation::new("password", "is required"));
    errors.push(Error::InvalidCredentials);
    errors.push(Error::Forbidden { sufficient: ReadGroups::ROLES, assigned: Roles::NONE });
    errors
}

/// What a call without the right token is told; no token is needed where nothing is.
fn access(needed: Option<Roles>) -> Vec<Error> {
    match needed {
        None => vec![],
        Some(roles) if roles.is_empty() => vec![Error::Unauthenticated],
        Some(sufficient) => vec![Error::Unauthenticated, Error::Forbidden { sufficient, assigned: Roles::NONE }],
    }
}

fn server() -> [Error; 3] {
    [Error::UriTooLong, Error::internal(anyhow::anyhow!("")), Error::Unavailable(String::new())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_tells_its_errors_and_all_but_logon_a_token() {
        let mut document = complete(super::super::router().into_openapi());
        let mut seen = 0;
        for operation in openapi::operations(&mut document) {
            let id = operation.operation_id.clone().unwrap_or_default();
            assert_eq!(operation.security.is_none(), id == "logon", "{id}");
            assert!(operation.responses.responses.contains_key("401"), "{id}");
            assert!(operation.responses.responses.contains_key("503"), "{id}");
            seen += 1;
        }
        assert_eq!(seen, 7);
    }
}
