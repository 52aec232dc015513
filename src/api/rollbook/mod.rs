//! Rollbook's own API: all that the directory knows, written safely (docs/rollbook.md).

mod bodies;
mod changes;
mod clients;
mod erasure;
mod error;
mod feed;
mod groups;
mod info;
mod keys;
mod me;
mod members;
mod openapi;
mod operations;
mod restore;
mod sign_ins;
mod statistics;
mod tokens;
mod users;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::address;
use crate::domain::journal::Channel;
use crate::http::ApiState;
use crate::http::request::parameters;

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
        .routes(routes!(changes::of_group))
        .routes(routes!(changes::of_membership))
        .routes(routes!(changes::of_user))
        .routes(routes!(changes::list))
        .routes(routes!(operations::get))
        .routes(routes!(operations::undo))
        .routes(routes!(operations::undo_selected))
        .routes(routes!(sign_ins::list))
        .routes(routes!(restore::group))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::put, users::patch, users::delete))
        .routes(routes!(users::set_password))
        .routes(routes!(users::unlock))
        .routes(routes!(users::revoke_tokens))
        .routes(routes!(me::get))
        .routes(routes!(info::get))
        .routes(routes!(statistics::get))
        .routes(routes!(clients::list, clients::create))
        .routes(routes!(clients::get, clients::patch, clients::delete))
        .routes(routes!(clients::rotate))
        .routes(routes!(tokens::list_of_client, tokens::create))
        .routes(routes!(tokens::list))
        .routes(routes!(tokens::delete))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(members::list, members::patch, members::replace))
        .routes(routes!(members::get, members::add, members::remove))
        .routes(routes!(members::joined_groups))
        .routes(routes!(restore::user))
        .routes(routes!(erasure::erase))
}
