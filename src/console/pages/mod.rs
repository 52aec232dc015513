//! The pages, one file or folder each: what it reads, what it changes, and the template it fills.

pub(super) mod account;
pub(super) mod changes;
pub(super) mod clients;
pub(super) mod deleted;
pub(super) mod find;
pub(super) mod group;
pub(super) mod groups;
pub(super) mod live;
pub(super) mod operations;
pub(super) mod setup;
pub(super) mod sign_in;
pub(super) mod system;
pub(super) mod user;
pub(super) mod users;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

use crate::http::request::error::{Error, Result};

/// The response with the page.
fn page(template: &impl Template) -> Result<Response> {
    page_with(StatusCode::OK, template)
}

/// The response with the page and this status.
fn page_with(status: StatusCode, template: &impl Template) -> Result<Response> {
    Ok((status, Html(template.render().map_err(Error::internal)?)).into_response())
}
