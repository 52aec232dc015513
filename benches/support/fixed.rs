//! The ceiling: a response that costs nothing to make.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use super::client::FIXED_PATH;

/// 300 bytes, about as long as a group.
const FIXED: &str = include_str!("fixed.json");

/// A route that always returns the same response.
pub(crate) fn fixed() -> Router {
    Router::new().route(FIXED_PATH, get(async || ([(CONTENT_TYPE, "application/json")], FIXED)))
}
