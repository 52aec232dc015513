//! How the Core API tells what went wrong (docs/core.md, section 4).

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::error::{Error, Kind, ListError, Violation};
use crate::domain::query::Page;
use crate::http::answer::Answer;

/// The body of every negative answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Failed {
    #[schema(example = false)]
    success: bool,
    /// The code: what a program decides by.
    #[schema(example = "not_found")]
    pub message: &'static str,
    /// One or more English sentences for the person who reads it; their wording may change.
    pub description: String,
}

/// The answer to a request that failed.
pub fn render(error: &Error) -> Response {
    let (status, body) = told(error);
    let mut response = (status, Answer(body)).into_response();
    let header = match (status, error) {
        (StatusCode::UNAUTHORIZED, _) => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // Not where the outcome is unknown: who tries again might do it twice.
        (_, Error::Unavailable(_)) => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
        _ => None,
    };
    response.headers_mut().extend(header);
    response
}

/// The status and the body that tell of an error.
pub fn told(error: &Error) -> (StatusCode, Failed) {
    use StatusCode as Status;
    let (status, message, description) = match error {
        Error::RouteNotFound(path) => (Status::NOT_FOUND, "not_found", format!("Nothing is served at {path:.200}.")),
        Error::MethodNotAllowed => {
            (Status::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method.".into())
        }
        Error::TooLarge => (Status::PAYLOAD_TOO_LARGE, "too_large", "The body is over the limit of 1 MiB.".into()),
        Error::UriTooLong => (Status::URI_TOO_LONG, "uri_too_long", "The URL is over the limit of 16 KiB.".into()),
        Error::UnsupportedMediaType => (
            Status::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be sent as application/json.".into(),
        ),
        Error::InvalidBody(why) => (Status::BAD_REQUEST, "invalid_request", format!("The body is not valid: {why}.")),
        Error::InvalidPath(_) => {
            (Status::BAD_REQUEST, "invalid_request", "The ID in the path must be a positive 64-bit integer.".into())
        }
        Error::List(error) => (Status::BAD_REQUEST, "invalid_request", list_sentence(error)),
        Error::UnsupportedGrantType => {
            (Status::BAD_REQUEST, "invalid_request", "This way of getting a token is not known.".into())
        }
        Error::Invalid(violations) => (Status::BAD_REQUEST, "invalid_data", violations_sentence(violations)),
        Error::InsecurePassword => (Status::BAD_REQUEST, "invalid_data", "The password is too weak.".into()),
        Error::CredentialsRequired => {
            (Status::BAD_REQUEST, "invalid_data", "username and password are required.".into())
        }

        Error::NotFound(kind, key) => {
            (Status::NOT_FOUND, "not_found", format!("There is no {} with the ID {key}.", noun(*kind)))
        }
        Error::AlreadyDeleted => (Status::GONE, "already_deleted", "The group has already been deleted.".into()),
        Error::HasUsers(users) => (Status::CONFLICT, "has_users", has_users_sentence(*users)),
        Error::AlreadyExists(kind, key) => {
            (Status::CONFLICT, "already_exists", format!("There is a {} with the ID {key} already.", noun(*kind)))
        }
        Error::UsernameTaken => {
            (Status::CONFLICT, "already_exists", "There is a user with this username already.".into())
        }

        Error::Unauthenticated => (
            Status::UNAUTHORIZED,
            "unauthorized",
            "This call needs a valid token: Authorization: Bearer, then the Token of a logon.".into(),
        ),
        Error::TokenRevoked => (Status::UNAUTHORIZED, "unauthorized", "The token was ended; sign in again.".into()),
        Error::InvalidCredentials | Error::InvalidClient | Error::InvalidRefreshToken => {
            (Status::UNAUTHORIZED, "invalid_credentials", "The username or the password is wrong.".into())
        }
        Error::Forbidden { sufficient, .. } => {
            let roles: Vec<_> = sufficient.names().collect();
            (Status::FORBIDDEN, "cannot_access", format!("This needs one of the roles {}.", roles.join(", ")))
        }
        Error::InvalidScope => (Status::FORBIDDEN, "cannot_access", "None of the roles asked for is held.".into()),
        Error::NotAuthorizedToAdmin => {
            (Status::FORBIDDEN, "cannot_access", "An administrator limited to communities may not do this.".into())
        }

        Error::Unavailable(_) => (
            Status::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer now and changed nothing; try again.".into(),
        ),
        Error::OutcomeUnknown(_) => (
            Status::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "The server does not know whether the change was made; look before trying again.".into(),
        ),
        Error::Internal(_) => {
            (Status::INTERNAL_SERVER_ERROR, "server_error", "Something went wrong in the server.".into())
        }
    };
    (status, Failed { success: false, message, description })
}

const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Group => "group",
        Kind::User => "user",
        Kind::Membership => "membership",
        Kind::Client => "client",
        Kind::Certificate => "certificate",
    }
}

fn has_users_sentence(users: i64) -> String {
    match users {
        1 => "The group has 1 user; only a group without users can be deleted.".to_owned(),
        _ => format!("The group has {users} users; only a group without users can be deleted."),
    }
}

fn list_sentence(error: &ListError) -> String {
    match error {
        ListError::Page => format!("page must be a whole number from 1 to {}.", Page::MAX_NUMBER),
        ListError::PageSize => format!("pageSize must be a whole number from 1 to {}.", Page::MAX_SIZE),
        ListError::Repeated(name) => format!("{name} must not stand in the URL twice."),
        ListError::Text(name) => format!("The value of {name:.100} must be UTF-8 text without NUL."),
        ListError::TooCostly => "This list would cost more than the server spends on one request.".to_owned(),
        ListError::Property(name)
        | ListError::SearchProperty(name)
        | ListError::SortProperty(name)
        | ListError::Type(name) => format!("The parameter {name:.100} is not valid."),
    }
}

/// One sentence a member, so that every one that is wrong is named.
fn violations_sentence(violations: &[Violation]) -> String {
    let sentences: Vec<_> = violations.iter().map(|wrong| format!("{} {}.", wrong.field, wrong.reason)).collect();
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_member_is_named() {
        let error =
            Error::Invalid(vec![Violation::new("ID", "must be a number"), Violation::new("Labels", "is required")]);
        let (status, body) = told(&error);
        assert_eq!((status, body.message), (StatusCode::BAD_REQUEST, "invalid_data"));
        assert_eq!(body.description, "ID must be a number. Labels is required.");
    }

    #[test]
    fn a_refused_token_names_the_scheme_and_a_busy_server_the_wait() {
        assert_eq!(render(&Error::TokenRevoked).headers()[WWW_AUTHENTICATE], "Bearer");
        let away = render(&Error::Unavailable("disk full at /secret".to_owned()));
        assert_eq!(away.headers()[RETRY_AFTER], "1");
        assert!(!told(&Error::Unavailable("disk full at /secret".to_owned())).1.description.contains("secret"));
    }
}
