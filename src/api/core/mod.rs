//! The Core admin API "Core - Group" (docs/core.md).

mod bodies;
mod error;
mod groups;
mod list;
mod openapi;
mod session;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::journal::Channel;
use crate::http::ApiState;

use super::ApiDefinition;

/// The definition of the Core API.
pub(crate) const API: ApiDefinition = ApiDefinition {
    name: "core",
    title: "Core",
    prefixes: &["/api/admin"],
    router,
    sign_in: Some("/api/admin/v1/user/logon"),
    large_bodies: &[],
    channel: Channel::Core,
    openapi: openapi::complete,
    openapi_path: "/openapi/core.json",
    openapi_of_vendor: None,
    render: error::render,
};

/// The routes and their OpenAPI documentation.
fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(groups::get, groups::delete))
        .routes(routes!(groups::list))
        .routes(routes!(groups::list_all))
        .routes(routes!(groups::add_or_edit))
        .routes(routes!(session::logon))
        .routes(routes!(session::logoff))
}
