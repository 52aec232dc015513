//! JSON responses. The content type has a character set, as in the vendors' services.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::time::Timestamp;
use crate::domain::xp::Xp;
use crate::http::request::error::{Error, Result};

use crate::http::Failure;

/// The content type of JSON responses.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The capacity for the headers of a response, which most responses do not exceed.
const HEADER_CAPACITY: usize = 12;

/// A response with a JSON body. If the value cannot be serialized, the response is an internal error.
pub(crate) struct JsonResponse<T>(
    /// The value to serialize.
    pub T,
);

impl<T: Serialize> IntoResponse for JsonResponse<T> {
    fn into_response(self) -> Response {
        match render_json(&self.0) {
            Ok(body) => RenderedJson(body).into_response(),
            Err(error) => Failure(error).into_response(),
        }
    }
}

/// A response with a JSON body that is already rendered.
pub(crate) struct RenderedJson(
    /// The JSON text.
    pub Bytes,
);

impl IntoResponse for RenderedJson {
    fn into_response(self) -> Response {
        rendered(self.0, JSON)
    }
}

/// A response with a body that is rendered and of this media type.
pub(crate) fn rendered(body: Bytes, media_type: HeaderValue) -> Response {
    let mut response = Response::new(body.into());
    // The capacity includes the headers that the middleware adds, which saves a reallocation of the map.
    *response.headers_mut() = HeaderMap::with_capacity(HEADER_CAPACITY);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// Serializes a body. Fails with an internal error if that is not possible.
pub(crate) fn render_json<T: Serialize>(body: &T) -> Result<Bytes> {
    serde_json::to_vec(body).map(Bytes::from).map_err(Error::internal)
}

/// An xp document that is sent as its stored text, which preserves the order of fields and the spelling of numbers.
#[derive(Debug)]
pub(crate) struct StoredXp(
    /// The document.
    pub Xp,
);

impl StoredXp {
    /// The document, or an empty one.
    pub(crate) fn or_empty(xp: Option<&Xp>) -> Self {
        Self(xp.cloned().unwrap_or_else(|| Xp::from_stored("{}".to_owned())))
    }
}

impl Serialize for StoredXp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0.as_str()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// RFC 3339 in UTC, with all digits of the second: `2019-06-04T20:35:36.38Z`.
pub(crate) fn date(moment: Timestamp) -> String {
    format!("{}Z", moment.to_civil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc_with_all_digits() {
        for text in ["2019-06-04T20:35:36.38Z", "2019-06-04T20:35:36Z", "2019-06-04T00:00:00.000001Z"] {
            assert_eq!(date(Timestamp::parse_iso(text).unwrap()), text);
        }
    }

    #[test]
    fn an_xp_is_sent_as_it_is_stored() {
        let stored = r#"{"b":1.0,"a":[1e2,{"z":null}]}"#;
        let sent = |text: &str| serde_json::to_string(&StoredXp(Xp::from_stored(text.to_owned())));
        assert_eq!(sent(stored).unwrap(), stored);
        assert!(sent("{").is_err());
        assert_eq!(serde_json::to_string(&StoredXp::or_empty(None)).unwrap(), "{}");
    }
}
