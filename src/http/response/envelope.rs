//! Renders and logs errors: in the format of the API that the path belongs to, otherwise as plain text.

use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tracing::{error, info, warn};

use crate::http::request::error::{DirectoryError, Error, RequestError};

use super::json::JsonResponse;

/// The error format of an API, and the paths to which it applies.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    /// The first segments of the API's paths, without a slash at the end.
    pub prefixes: &'static [&'static str],
    /// Whether pages of any origin may call it: an API is called with a token, the console with a cookie.
    pub is_open_to_other_origins: bool,
    /// Renders an error as a response in the API's format.
    pub render: fn(&Error) -> Response,
}

impl Envelope {
    /// Whether the path belongs to the API. The path need not have a route.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let below = |prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.prefixes.iter().any(below)
    }
}

/// The response of an API with bearer tokens to a request that failed: the status, a JSON body of this media type, and the
/// headers of the error.
pub(crate) fn json_error(error: &Error, status: StatusCode, body: impl Serialize, media_type: HeaderValue) -> Response {
    let mut response = (status, JsonResponse(body)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    add_error_headers(&mut response, error);
    response
}

/// Adds the headers that every API sends with an error.
pub(crate) fn add_error_headers(response: &mut Response, error: &Error) {
    let header = match error {
        // Not for an unknown commit outcome, because a retry could repeat the change, and not for a damaged database.
        Error::Directory(DirectoryError::Unavailable(_)) => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
        // RFC 9110, section 15.5.16.
        Error::Request(RequestError::UnsupportedEncoding) => {
            Some((ACCEPT_ENCODING, HeaderValue::from_static("identity")))
        }
        _ => None,
    };
    response.headers_mut().extend(header);
}

/// Renders an error for a path that belongs to no API: a status and a line of text.
pub(crate) fn plain(error: &Error) -> Response {
    match error {
        Error::Request(RequestError::RouteNotFound(_)) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
        Error::Request(RequestError::MethodNotAllowed) => {
            (StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n").into_response()
        }
        Error::Request(RequestError::Malformed(sentence)) => {
            (StatusCode::BAD_REQUEST, format!("{sentence}\n")).into_response()
        }
        Error::Request(RequestError::HeadTooLarge) => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too large\n").into_response()
        }
        Error::Request(RequestError::TooLarge) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response()
        }
        Error::Request(RequestError::UriTooLong) => (StatusCode::URI_TOO_LONG, "the URL is too long\n").into_response(),
        Error::Directory(DirectoryError::Unavailable(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "not available now\n").into_response()
        }
        Error::Directory(DirectoryError::Damaged(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database is damaged\n").into_response()
        }
        Error::Directory(DirectoryError::OutcomeUnknown(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "outcome unknown\n").into_response()
        }
        Error::Directory(DirectoryError::Internal(_)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response()
        }
        _ => (StatusCode::BAD_REQUEST, "bad request\n").into_response(),
    }
}

/// The log fields of a failed request. The query, the headers and the body are not logged, because they may contain
/// secrets.
pub(crate) struct FailedRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The status of the response.
    pub status: u16,
    /// The value of `X-Request-ID`.
    pub request_id: &'a str,
}

/// Logs a failed request. An internal error or an unknown outcome has the level error, a database error the level
/// warning, and an error of the client the level info.
pub(crate) fn log(error: &Error, &FailedRequest { method, path, status, request_id }: &FailedRequest<'_>) {
    match error {
        Error::Directory(DirectoryError::Internal(cause)) => {
            let cause = format!("{cause:#}");
            error!(method, path, status, request_id, cause, "a request failed with an internal error");
        }
        Error::Directory(DirectoryError::OutcomeUnknown(cause)) => {
            error!(
                method,
                path, status, request_id, cause, "it is unknown whether the change of a request was committed"
            );
        }
        Error::Directory(DirectoryError::Unavailable(cause) | DirectoryError::Damaged(cause)) => {
            warn!(method, path, status, request_id, cause, "a request failed because the database is not available")
        }
        // Only the kind is logged, because some errors quote the request.
        other => info!(method, path, status, request_id, reason = reason(other), "a request was refused"),
    }
}

/// The kind of an error, without text from the request.
fn reason(error: &Error) -> String {
    let text = match error {
        Error::Request(error) => format!("{error:?}"),
        Error::Directory(DirectoryError::SignIn(error)) => format!("{error:?}"),
        Error::Directory(error) => format!("{error:?}"),
    };
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use crate::domain::error::ResourceKind;

    use super::*;

    #[test]
    fn prefixes_match_whole_segments() {
        let envelope = Envelope { prefixes: &["/v1", "/oauth"], is_open_to_other_origins: true, render: plain };
        for own in ["/v1", "/v1/", "/v1/usergroups", "/oauth/token"] {
            assert!(envelope.covers(own), "{own}");
        }
        for other in ["/", "/v10", "/v", "//v1", "/api/v1"] {
            assert!(!envelope.covers(other), "{other}");
        }
    }

    #[test]
    fn only_the_kind_of_an_error_is_logged() {
        assert_eq!(
            reason(&Error::Directory(DirectoryError::NotFound(ResourceKind::User, "secret".into()))),
            "NotFound"
        );
        assert_eq!(reason(&Error::Request(RequestError::TooLarge)), "TooLarge");
    }
}
