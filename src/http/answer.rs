//! JSON as every API sends it: with its character set, as the vendors' services do.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::domain::{Error, Result};

use super::Failure;

/// The content type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A body; what cannot be written as JSON is a defect.
pub struct Answer<T>(pub T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match rendered(&self.0) {
            Ok(body) => Rendered(body).into_response(),
            Err(error) => Failure(error).into_response(),
        }
    }
}

/// A body that was made before.
pub struct Rendered(pub Bytes);

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.0.into());
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
}

/// The bytes of a body.
pub fn rendered<T: Serialize>(body: &T) -> Result<Bytes> {
    serde_json::to_vec(body).map(Bytes::from).map_err(Error::internal)
}
