//! SCIM 2.0 (RFC 7643, RFC 7644): identity providers bring users and groups into the directory and keep them there
//! (docs/scim.md).

mod attributes;
mod bodies;
mod discovery;
mod error;
mod etag;
mod filter;
mod ids;
mod openapi;
mod page;
#[cfg_attr(not(test), expect(dead_code, reason = "the operations on groups come next"))]
mod patch;
mod paths;
mod projection;
mod query;
mod schemas;
mod users;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::journal::Channel;
use crate::http::ApiState;

use super::ApiDefinition;

/// The definition of the SCIM API.
pub(crate) const API: ApiDefinition = ApiDefinition {
    name: "scim",
    title: "SCIM",
    prefixes: &["/scim"],
    router,
    sign_in: None,
    large_bodies: &[],
    channel: Channel::Scim,
    openapi: openapi::complete,
    openapi_path: "/openapi/scim.json",
    openapi_of_vendor: None,
    render: error::render,
};

/// The path below which all resources are.
const BASE: &str = "/scim/v2";

/// The routes and their OpenAPI documentation.
fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(discovery::service_provider_config))
        .routes(routes!(discovery::resource_types))
        .routes(routes!(discovery::resource_type))
        .routes(routes!(discovery::schemas))
        .routes(routes!(discovery::schema))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::replace, users::patch, users::delete))
}
