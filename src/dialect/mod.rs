//! The APIs. Each is a folder that knows no other: its routes, its wire forms, and the one match that turns an
//! error of the domain into a status and a body.

pub mod core;
pub mod ordercloud;

use axum::response::Response;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::domain::Error;
use crate::domain::journal::Door;
use crate::http::Api;

/// An API, as `lib.rs` plugs it in.
pub struct Dialect {
    /// The name of its OpenAPI document: `/openapi/<name>.json`.
    pub name: &'static str,
    /// The first segments of its paths, without a slash at the end, e.g. `/v1`. Failures under them are rendered
    /// by [`Self::render`], unknown routes included.
    pub prefixes: &'static [&'static str],
    /// Its routes, with full paths, and their documentation.
    pub router: fn() -> OpenApiRouter<Api>,
    /// How callers through this API are named in the journal.
    pub door: Door,
    /// The final touches to its document: title, security, the errors every operation shares.
    pub openapi: fn(OpenApi) -> OpenApi,
    /// Where its document stands beside `/openapi/<name>.json`, as the vendor's tools expect it.
    pub openapi_paths: &'static [&'static str],
    /// Every error as this API tells it.
    pub render: fn(&Error) -> Response,
}
