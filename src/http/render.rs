//! From an error to an answer: in the envelope of the API that the path belongs to, else as plain text.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use tracing::{error, info, warn};

use crate::domain::Error;

/// How an API tells errors, and under which paths.
#[derive(Clone, Copy)]
pub struct Envelope {
    /// The first segments of the API's paths, without a slash at the end.
    pub prefixes: &'static [&'static str],
    /// Every error as a response of the API.
    pub render: fn(&Error) -> Response,
}

impl Envelope {
    /// Whether the path is the API's, known route or not.
    pub fn covers(&self, path: &str) -> bool {
        let below = |prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.prefixes.iter().any(below)
    }
}

/// An error outside every API: a status and a few words.
pub fn plain(error: &Error) -> Response {
    match error {
        Error::RouteNotFound(_) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n").into_response(),
        Error::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response(),
        Error::UriTooLong => (StatusCode::URI_TOO_LONG, "the URL is too long\n").into_response(),
        Error::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "not available now\n").into_response()
        }
        Error::OutcomeUnknown(_) => (StatusCode::SERVICE_UNAVAILABLE, "outcome unknown\n").into_response(),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response(),
        _ => (StatusCode::BAD_REQUEST, "bad request\n").into_response(),
    }
}

/// What the log says of a failed request. Never the query, a header or the body: they may hold secrets.
pub struct Failed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub request_id: &'a str,
}

/// Logs a failure: a defect or an unknown outcome as an error with its cause, an outage as a warning, a caller's mistake as information.
pub fn log(error: &Error, &Failed { method, path, status, request_id }: &Failed<'_>) {
    match error {
        Error::Internal(cause) => {
            let cause = format!("{cause:#}");
            error!(method, path, status, request_id, cause, "a request failed: this is a defect");
        }
        Error::OutcomeUnknown(cause) => {
            error!(method, path, status, request_id, cause, "it is not known whether a request's change was made");
        }
        Error::Unavailable(cause) => warn!(method, path, status, request_id, cause, "a request could not be served"),
        // The kind alone, as some errors quote what was sent.
        other => info!(method, path, status, request_id, reason = reason(other), "a request was refused"),
    }
}

/// The kind of an error, without anything the caller sent.
fn reason(error: &Error) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use crate::domain::error::Kind;

    use super::*;

    #[test]
    fn prefixes_are_whole_segments() {
        let envelope = Envelope { prefixes: &["/v1", "/oauth"], render: plain };
        for own in ["/v1", "/v1/", "/v1/usergroups", "/oauth/token"] {
            assert!(envelope.covers(own), "{own}");
        }
        for other in ["/", "/v10", "/v", "//v1", "/api/v1"] {
            assert!(!envelope.covers(other), "{other}");
        }
    }

    #[test]
    fn the_log_names_the_kind_alone() {
        assert_eq!(reason(&Error::NotFound(Kind::User, "secret".into())), "NotFound");
        assert_eq!(reason(&Error::TooLarge), "TooLarge");
    }
}
