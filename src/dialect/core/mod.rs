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

use crate::domain::journal::Door;
use crate::http::Api;

use super::Dialect;

/// The Core API as the server mounts it.
pub const DIALECT: Dialect = Dialect {
    name: "core",
    prefixes: &["/api/admin"],
    router,
    door: Door::Core,
    openapi: openapi::complete,
    openapi_paths: &[],
    render: error::render,
};

fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(groups::get, groups::delete))
        .routes(routes!(groups::list))
        .routes(routes!(groups::list_all))
        .routes(routes!(groups::add_or_edit))
        .routes(routes!(session::logon))
        .routes(routes!(session::logoff))
}
