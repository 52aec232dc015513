//! Answers to writes, from their parts.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};
use crate::domain::journal::Channel;
use crate::http::Failure;

use super::json::JSON;

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status: status.as_u16(), location: None, tag: None, content_type: None, body: String::new() }
    }

    /// The answer to a write that shows nothing: 204.
    pub(crate) fn no_content(_channel: Channel, (): &()) -> Result<Self> {
        Ok(Self::empty(StatusCode::NO_CONTENT))
    }

    /// An answer with a JSON body. Fails with an internal error if the value cannot be serialized.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self> {
        let content_type = JSON.to_str().map_err(Error::internal)?.to_owned();
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        Ok(Self { content_type: Some(content_type), body, ..Self::empty(status) })
    }

    /// The same answer, with the entity tag of what it shows.
    pub(crate) fn tagged(self, tag: String) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// The same answer, with a body of this media type.
    pub(crate) fn of_type(self, media_type: &str) -> Self {
        Self { content_type: Some(media_type.to_owned()), ..self }
    }

    /// The same answer, with the path of what was created.
    pub(crate) fn created_at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let response = || -> Result<Response> {
            let mut response = Response::new(self.body.into());
            *response.status_mut() = StatusCode::from_u16(self.status).map_err(Error::internal)?;
            let headers = [(CONTENT_TYPE, self.content_type), (LOCATION, self.location), (ETAG, self.tag)];
            for (name, value) in headers {
                if let Some(value) = value {
                    response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
                }
            }
            Ok(response)
        };
        response().unwrap_or_else(|error| Failure::from(error).into_response())
    }
}
