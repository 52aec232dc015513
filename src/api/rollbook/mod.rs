//! Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md).

mod bodies;
mod error;
mod groups;
mod list;
mod member_lists;
mod members;
mod openapi;
mod parameters;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::address;
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
    large_bodies: &[members::MEMBERS],
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
        .routes(routes!(members::list, members::patch, members::replace))
        .routes(routes!(members::get, members::add, members::remove))
        .routes(routes!(members::joined_groups))
}
