//! What the SCIM API answers.

pub(super) mod users;

use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Failure;
use crate::http::response::json::{render_json, rendered};

/// The media type of every body (RFC 7644, section 3.1), as text.
pub(super) const SCIM: &str = "application/scim+json";
/// The media type of every body.
pub(super) const SCIM_JSON: HeaderValue = HeaderValue::from_static(SCIM);

/// A response with a body of the media type of SCIM. If the value cannot be serialized, the response is an internal
/// error.
pub(super) struct ScimResponse<T>(
    /// The value to serialize.
    pub T,
);

impl<T: Serialize> IntoResponse for ScimResponse<T> {
    fn into_response(self) -> Response {
        match render_json(&self.0) {
            Ok(body) => rendered(body, SCIM_JSON),
            Err(error) => Failure(error).into_response(),
        }
    }
}

/// Where a resource is, and when it changed (RFC 7643, section 3.1).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    /// The name of the kind of resource.
    #[schema(example = "Schema")]
    pub resource_type: &'static str,
    /// The URL of the resource.
    #[schema(example = "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User")]
    pub location: String,
}

/// A list of resources, or a page of one (RFC 7644, section 3.4.2).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse<T> {
    /// Always the URN of list responses.
    #[schema(value_type = Vec<String>, example = json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]))]
    pub schemas: [&'static str; 1],
    /// How many resources match, on all pages.
    #[schema(example = 1)]
    pub total_results: u64,
    /// How many resources this page has.
    #[schema(example = 1)]
    pub items_per_page: usize,
    /// The number of the page's first resource among all that match, counted from 1.
    #[schema(example = 1)]
    pub start_index: u64,
    /// The resources.
    #[serde(rename = "Resources")]
    pub resources: Vec<T>,
}

impl<T> ListResponse<T> {
    const SCHEMAS: [&'static str; 1] = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];

    /// The list of all these resources.
    pub(super) fn of_all(resources: Vec<T>) -> Self {
        let total = resources.len() as u64;
        Self::page(resources, total, 1)
    }

    /// The page of a list of `total` resources that begins with this number.
    pub(super) fn page(resources: Vec<T>, total: u64, start_index: u64) -> Self {
        Self { schemas: Self::SCHEMAS, total_results: total, items_per_page: resources.len(), start_index, resources }
    }
}
