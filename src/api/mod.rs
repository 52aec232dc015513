//! The APIs. Each is a folder that does not depend on another API. It contains its routes, its request and response
//! types, and the one match that converts an error to a status and a body.

pub(crate) mod core;
pub(crate) mod ordercloud;
pub(crate) mod rollbook;
pub(crate) mod scim;

use axum::response::Response;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::domain::journal::Channel;
use crate::http::ApiState;
use crate::http::request::error::Error;

/// The definition of an API, from which `lib.rs` mounts it.
pub(crate) struct ApiDefinition {
    /// The name of its OpenAPI document, for `rollbook openapi`.
    pub name: &'static str,
    /// Its name on the documentation page.
    pub title: &'static str,
    /// The prefixes of its paths, whole segments without a slash at the end, e.g. `/v1`. [`Self::render`] renders all errors below
    /// them, including unknown routes.
    pub prefixes: &'static [&'static str],
    /// Creates its routes, with full paths, and their OpenAPI documentation.
    pub router: fn() -> OpenApiRouter<ApiState>,
    /// The path that takes a password or a secret and returns a token. The server accepts only small bodies there.
    pub sign_in: Option<&'static str>,
    /// The paths that take lists, and so bodies up to
    /// [`Limits::large_body_bytes`](crate::http::limits::Limits::large_body_bytes).
    pub large_bodies: &'static [&'static str],
    /// The channel of its changes, for the journal and the log.
    pub channel: Channel,
    /// Completes its document: adds the title, the security requirements and the errors that operations share.
    pub openapi: fn(OpenApi) -> OpenApi,
    /// The path at which the server serves its document.
    pub openapi_path: &'static str,
    /// A second path of the document that the vendor's tools expect, and the base that its paths are relative to.
    pub openapi_of_vendor: Option<(&'static str, &'static str)>,
    /// Converts an error to a response of this API.
    pub render: fn(&Error) -> Response,
}
