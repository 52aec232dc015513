//! The URLs of resources (RFC 7644, section 3.13).

use crate::http::ApiState;

use super::BASE;

/// The URL of what is at the path below `/scim/v2`, e.g. `/Users/u12`. Without a configured public URL it is relative to
/// the server (RFC 7643, section 2.3.7, allows both).
pub(super) fn location(api: &ApiState, path: &str) -> String {
    format!("{}{BASE}{path}", api.base_url.as_deref().unwrap_or_default())
}
