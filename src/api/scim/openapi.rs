//! Completes the OpenAPI document of the SCIM API: the description and every error.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ProtocolError, RequestError};

use super::error::{self, error_response};
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
    openapi::operations(&mut document).for_each(|(path, operation)| describe(path, operation));
    document
}

/// Adds the error responses of the operation.
fn describe(path: &str, operation: &mut Operation) {
    openapi::require_nothing(operation);
    let missing = path.contains('{').then(|| {
        let detail = "There is no schema urn:example:none.".to_owned();
        [
            Error::Request(RequestError::Protocol(ProtocolError { status: 404, keyword: None, detail })),
            Error::Request(RequestError::InvalidPath(String::new())),
        ]
    });
    let filtered = super::discovery::refuse_filter(&[("filter".to_owned(), String::new())]).err();
    let errors = missing.into_iter().flatten().chain(filtered).chain(always());
    let body = ErrorBody { media_type: SCIM, schema: &error::ErrorBody::name() };
    openapi::add_errors(operation, body, errors.map(|error| example(&error)));
}

/// The documented example of an error response.
fn example(error: &Error) -> ErrorExample {
    let (status, body) = error_response(error);
    let code = body.scim_type.map_or_else(|| body.status.clone(), str::to_owned);
    ErrorExample::new(status, &code, &body.detail, &body)
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
