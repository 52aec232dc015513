//! The OrderCloud API "Admin User Groups", with the users and tokens it needs (docs/ordercloud.md).

mod assignments;
mod bodies;
mod error;
mod filter;
mod groups;
pub mod list;
mod openapi;
mod properties;
mod tokens;
mod users;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::Id;
use crate::domain::journal::Door;
use crate::http::Api;

use super::Dialect;

/// The OrderCloud API as the server mounts it.
pub const DIALECT: Dialect = Dialect {
    name: "ordercloud",
    prefixes: &["/v1", "/oauth"],
    router,
    door: Door::OrderCloud,
    openapi: openapi::complete,
    openapi_paths: &["/v1/openapi/v3"],
    render: error::render,
};

fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::save, groups::patch, groups::delete))
        .routes(routes!(assignments::list, assignments::save))
        .route("/v1/usergroups/assignments", assignments::of_their_namesake())
        .routes(routes!(assignments::delete))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::save, users::patch, users::delete))
        .routes(routes!(users::unlock))
        .routes(routes!(users::revoke_tokens))
        .routes(routes!(tokens::grant))
        .routes(routes!(tokens::certificates))
        .routes(routes!(tokens::certificate))
}

/// The ID in a path. Nothing has an ID that is none: `NotFound`.
fn known_id(kind: Kind, text: String) -> Result<Id> {
    Id::new(text.as_str()).ok_or(Error::NotFound(kind, text))
}

/// The ID in the path of a PUT, which may be a new one.
fn new_id(text: String) -> Result<Id> {
    Id::new(text).ok_or_else(|| Error::invalid("ID", Id::RULE))
}
