//! The OrderCloud API "Admin User Groups", with the users and tokens it needs (docs/ordercloud.md).

mod assignments;
mod bodies;
mod error;
mod groups;
pub(crate) mod list;
mod me;
mod openapi;
mod properties;
mod tokens;
mod users;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::ResourceKind;
use crate::domain::id::Id;
use crate::domain::journal::Channel;
use crate::http::ApiState;
use crate::http::request::error::{DirectoryError, Error, Result};

use super::ApiDefinition;

/// The definition of the OrderCloud API.
pub(crate) const API: ApiDefinition = ApiDefinition {
    name: "ordercloud",
    title: "OrderCloud",
    prefixes: &["/v1", "/oauth", tokens::METADATA_PATH],
    router,
    sign_in: Some("/oauth/token"),
    large_bodies: &[],
    channel: Channel::OrderCloud,
    openapi: openapi::complete,
    openapi_path: "/openapi/ordercloud.json",
    openapi_of_vendor: Some(("/v1/openapi/v3", "/v1")),
    render: error::render,
};

/// The routes and their OpenAPI documentation.
fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::save, groups::patch, groups::delete))
        .routes(routes!(assignments::list, assignments::save))
        .route("/v1/usergroups/assignments", assignments::group_named_assignments())
        .routes(routes!(assignments::delete))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::save, users::patch, users::delete))
        .routes(routes!(users::unlock))
        .routes(routes!(users::revoke_tokens))
        .routes(routes!(tokens::grant))
        .routes(routes!(tokens::certificates))
        .routes(routes!(tokens::certificate))
        .routes(routes!(tokens::metadata))
        .routes(routes!(me::get))
        .routes(routes!(me::user_info, me::post_user_info))
}

/// The ID of an existing entity in a path. Fails with `NotFound` if the text is not a valid ID, because no entity can
/// have it.
fn existing_id(kind: ResourceKind, text: String) -> Result<Id> {
    Id::new(text.as_str()).ok_or(Error::Directory(DirectoryError::NotFound(kind, text)))
}

/// The ID in the path of a PUT, which may create the entity. Fails with `Invalid` if the text is not a valid ID.
fn new_id(text: String) -> Result<Id> {
    Id::new(text).ok_or_else(|| DirectoryError::invalid("ID", Id::RULE).into())
}
