//! A part of the feed as a batch of CloudEvents 1.0 (docs/rollbook.md, section 11).

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::rollbook::wire::Change;
use crate::http::request::error::{Error, Result};
use crate::http::response::json::JsonResponse;

/// The media type of a batch.
pub(super) const BATCH: &str = "application/cloudevents-batch+json";
/// The same, with the character set of all JSON responses.
const CONTENT: HeaderValue = HeaderValue::from_static("application/cloudevents-batch+json; charset=utf-8");

/// A change as a CloudEvent.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct CloudEvent {
    /// The version of the specification.
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// The identity of the change, which is unique in the directory.
    #[schema(example = "184467.0")]
    id: String,
    /// The identity of the directory.
    #[schema(example = "urn:uuid:0f8f5a4e-3c11-4f55-9d3f-5d8c6d0c1a77")]
    source: String,
    /// `rollbook.` and the type of the change.
    #[serde(rename = "type")]
    #[schema(example = "rollbook.membership.added")]
    kind: String,
    /// When it was done.
    #[schema(format = DateTime, example = "2026-06-04T20:35:36.38Z")]
    time: String,
    /// What it was done to.
    #[schema(example = "groups/uid:7/members/uid:12")]
    subject: String,
    /// The media type of `data`.
    #[schema(example = "application/json")]
    datacontenttype: &'static str,
    /// The change.
    data: Change,
}

impl CloudEvent {
    fn new(change: Change, directory: Uuid) -> Self {
        Self {
            specversion: "1.0",
            id: change.id.clone(),
            source: format!("urn:uuid:{directory}"),
            kind: format!("rollbook.{}", change.kind),
            time: change.time.clone(),
            subject: change.subject(),
            datacontenttype: "application/json",
            data: change,
        }
    }
}

/// Answers with the changes. The link to the next part has the parameters of the request, and the cursor.
pub(in crate::api::rollbook) fn batch(
    changes: Vec<Change>,
    next: Option<&str>,
    directory: Uuid,
    parameters: &[(String, String)],
) -> Result<Response> {
    let events: Vec<_> = changes.into_iter().map(|change| CloudEvent::new(change, directory)).collect();
    let mut response = JsonResponse(events).into_response();
    response.headers_mut().insert(CONTENT_TYPE, CONTENT);
    if let Some(next) = next {
        let link = HeaderValue::try_from(link(next, parameters)).map_err(Error::internal)?;
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn link(next: &str, parameters: &[(String, String)]) -> String {
    let kept = parameters.iter().filter(|(name, _)| name != "after").map(|(name, value)| (&**name, &**value));
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = kept.chain([("after", next)]).map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    format!("</rollbook/v1/changes?{}>; rel=\"next\"", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_has_the_same_filter() {
        let parameters = [("after", "old"), ("type", "group.created"), ("user", "username:ada@x")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let query = "type=group%2Ecreated&user=username%3Aada%40x&after=A%2DB";
        assert_eq!(link("A-B", &parameters), format!("</rollbook/v1/changes?{query}>; rel=\"next\""));
    }
}
