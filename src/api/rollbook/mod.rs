//! Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md).

mod address;
mod bodies;
mod error;
mod groups;
mod list;
mod openapi;
mod parameters;
mod restore;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::journal::Channel;
use crate::http::ApiState;

use super::ApiDefinition;

/// The definition of Rollbook's own API.
pub(crate) const API: ApiDefinition = ApiDefinition {
    name: "rollbook",
    title: "Rollbook",
    prefixes: &["/rollbook"],
    router,
    sign_in: None,
    large_bodies: &[],
    channel: Channel::Rollbook,
    openapi: openapi::complete,
    openapi_path: "/openapi/rollbook.json",
    openapi_of_vendor: None,
    render: error::render,
};

/// The routes and their OpenAPI documentation.
fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::put, groups::patch, groups::delete))
        .routes(routes!(restore::group))
        .routes(routes!(restore::user))
}
