//! Error responses of the Core API (docs/core.md, section 4).

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::query::Page;
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};
use crate::http::response::envelope::json_error;
use crate::http::response::json::JSON;

/// The body of every negative answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failed {
    #[schema(example = false)]
    success: bool,
    /// The code: what a program decides by.
    #[schema(example = "not_found")]
    pub message: &'static str,
    /// One or more English sentences for the person who reads it; their wording may change.
    pub description: String,
}

/// The response to a request that failed.
pub(super) fn render(error: &Error) -> Response {
    let (status, body) = error_response(error);
    json_error(error, status, body, JSON)
}

/// The status and the body of the error response.
pub(super) fn error_response(error: &Error) -> (StatusCode, Failed) {
    use {DirectoryError as Directory, RequestError as Request, SignInError as SignIn, StatusCode as Status};
    let (status, message, description) = match error {
        Error::Request(Request::RouteNotFound(path)) => {
            (Status::NOT_FOUND, "not_found", format!("Nothing is served at {path:.200}."))
        }
        Error::Request(Request::MethodNotAllowed) => {
            (Status::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method.".into())
        }
        Error::Request(Request::Malformed(sentence)) => (Status::BAD_REQUEST, "invalid_request", (*sentence).into()),
        Error::Request(Request::HeadTooLarge) => (
            Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            "The head of the request is over the limit of 128 KiB and 100 headers.".into(),
        ),
        Error::Request(Request::TooLarge) => (
            Status::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is over the limit of 1 MiB, or of 64 KiB where somebody signs in.".into(),
        ),
        Error::Request(Request::UriTooLong) => {
            (Status::URI_TOO_LONG, "uri_too_long", "The URL is over the limit of 16 KiB.".into())
        }
        Error::Request(Request::UnsupportedMediaType) => (
            Status::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be sent as application/json.".into(),
        ),
        Error::Request(Request::UnsupportedEncoding) => (
            Status::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be sent without a content encoding.".into(),
        ),
        Error::Request(Request::InvalidBody(reason)) => {
            (Status::BAD_REQUEST, "invalid_request", format!("The body is not valid: {reason}."))
        }
        Error::Request(Request::InvalidPath(_)) => {
            (Status::BAD_REQUEST, "invalid_request", "The ID in the path must be a positive 64-bit integer.".into())
        }
        Error::Directory(Directory::ListTooCostly) => {
            (Status::BAD_REQUEST, "invalid_request", list_sentence(&ListError::TooCostly))
        }
        // Another API's protocol.
        Error::Request(Request::Protocol(error)) => (Status::BAD_REQUEST, "invalid_request", error.detail.clone()),
        Error::Request(Request::List(error)) => (Status::BAD_REQUEST, "invalid_request", list_sentence(error)),
        Error::Directory(Directory::SignIn(SignIn::UnsupportedGrantType)) => {
            (Status::BAD_REQUEST, "invalid_request", "This way of getting a token is not known.".into())
        }
        Error::Directory(Directory::Invalid(violations)) => {
            (Status::BAD_REQUEST, "invalid_data", violations_sentence(violations))
        }
        // A change that only SCIM makes.
        Error::Directory(Directory::NoTarget(sentence)) => (Status::BAD_REQUEST, "invalid_data", sentence.clone()),
        Error::Directory(Directory::InsecurePassword) => {
            (Status::BAD_REQUEST, "invalid_data", "The password is too weak.".into())
        }
        Error::Directory(Directory::SignIn(SignIn::CredentialsRequired)) => {
            (Status::BAD_REQUEST, "invalid_data", "username and password are required.".into())
        }

        Error::Directory(Directory::NotFound(kind, key)) => {
            (Status::NOT_FOUND, "not_found", format!("There is no {} with the ID {key}.", noun(*kind)))
        }
        Error::Directory(Directory::AlreadyDeleted) => {
            (Status::GONE, "already_deleted", "The group has already been deleted.".into())
        }
        // No call of this API reads the past.
        Error::Directory(Directory::NoLongerKept | Directory::BeforeHorizon(_)) => {
            (Status::GONE, "gone", "It is no longer kept.".into())
        }
        // No call of this API changes or restores users.
        Error::Directory(Directory::AlreadyErased) => (Status::CONFLICT, "erased", "The user is erased.".into()),
        // No call of this API restores.
        Error::Directory(Directory::NotDeleted) => {
            (Status::CONFLICT, "not_deleted", "The group has not been deleted.".into())
        }
        // No call of this API changes more than one member.
        Error::Directory(Directory::UnknownUsers(_)) => {
            (Status::BAD_REQUEST, "invalid_data", "There are no such users.".into())
        }
        Error::Directory(Directory::TooManyRemovals { removals, allowed, .. }) => {
            let sentence = format!("{removals} members would be removed, and at most {allowed} may be.");
            (Status::CONFLICT, "too_many_removals", sentence)
        }
        // No call of this API undoes changes.
        Error::Directory(Directory::UndoConflicts(_) | Directory::UndoTooLarge) => {
            (Status::CONFLICT, "invalid_request", "The changes cannot be undone.".into())
        }
        Error::Directory(Directory::HasUsers(users)) => (Status::CONFLICT, "has_users", has_users_sentence(*users)),
        Error::Directory(Directory::AlreadyExists(kind, key) | Directory::RestoredIdTaken { kind, id: key, .. }) => {
            (Status::CONFLICT, "already_exists", format!("There is a {} with the ID {key} already.", noun(*kind)))
        }
        Error::Directory(Directory::UsernameTaken) => {
            (Status::CONFLICT, "already_exists", "There is a user with this username already.".into())
        }

        Error::Directory(Directory::PreconditionFailed) => (
            Status::PRECONDITION_FAILED,
            "precondition_failed",
            "The group is not in the version that If-Match or If-None-Match asks for; get it again.".into(),
        ),

        Error::Directory(Directory::KeyReused) => (
            Status::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "The Idempotency-Key was used for another request; take a new key for each one.".into(),
        ),
        Error::Directory(Directory::KeyInUse) => (
            Status::CONFLICT,
            "idempotency_key_in_use",
            "A request with this Idempotency-Key is still being processed; repeat it later.".into(),
        ),
        Error::Directory(Directory::PublicClient(id)) => {
            (Status::CONFLICT, "invalid_request", format!("The client {id} is public and gets no tokens of its own."))
        }
        Error::Directory(Directory::KeyAnnounced(key)) => {
            (Status::CONFLICT, "invalid_request", format!("The key {} is announced to sign later.", key.kid))
        }

        Error::Directory(Directory::SignIn(SignIn::Unauthenticated)) => (
            Status::UNAUTHORIZED,
            "unauthorized",
            "This call needs a valid token: Authorization: Bearer, then the Token of a logon.".into(),
        ),
        Error::Directory(Directory::SignIn(SignIn::TokenRevoked)) => {
            (Status::UNAUTHORIZED, "unauthorized", "The token was ended; sign in again.".into())
        }
        Error::Directory(Directory::SignIn(SignIn::InvalidCredentials))
        | Error::Directory(Directory::SignIn(SignIn::InvalidClient))
        | Error::Directory(Directory::SignIn(SignIn::InvalidRefreshToken)) => {
            (Status::UNAUTHORIZED, "invalid_credentials", "The username or the password is wrong.".into())
        }
        Error::Directory(Directory::Forbidden { sufficient, .. }) => {
            let roles: Vec<_> = sufficient.names().collect();
            (Status::FORBIDDEN, "cannot_access", format!("This needs one of the roles {}.", roles.join(", ")))
        }
        Error::Directory(Directory::SignIn(SignIn::InvalidScope)) => {
            (Status::FORBIDDEN, "cannot_access", "None of the roles asked for is held.".into())
        }
        Error::Directory(Directory::NotAuthorizedToAdmin) => {
            (Status::FORBIDDEN, "cannot_access", "An administrator limited to communities may not do this.".into())
        }

        Error::Directory(Directory::Unavailable(_)) => (
            Status::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer now and changed nothing; try again.".into(),
        ),
        Error::Directory(Directory::Damaged(_)) => (
            Status::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server's database is damaged. Nothing was changed; its operator has to restore a backup.".into(),
        ),
        Error::Directory(Directory::OutcomeUnknown(_)) => (
            Status::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "The server does not know whether the change was made; look before trying again.".into(),
        ),
        Error::Directory(Directory::Internal(_)) => {
            (Status::INTERNAL_SERVER_ERROR, "server_error", "Something went wrong in the server.".into())
        }
    };
    (status, Failed { success: false, message, description })
}

/// The name of the kind in a sentence.
const fn noun(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Group => "group",
        ResourceKind::User => "user",
        ResourceKind::Membership => "membership",
        ResourceKind::Client => "client",
        ResourceKind::LongLivedToken => "token",
        ResourceKind::Certificate => "certificate",
        ResourceKind::Operation => "operation",
        ResourceKind::Session => "session",
        ResourceKind::SetupPage => "setup page",
    }
}

fn has_users_sentence(users: i64) -> String {
    match users {
        1 => "The group has 1 user; only a group without users can be deleted.".to_owned(),
        _ => format!("The group has {users} users; only a group without users can be deleted."),
    }
}

/// The description for a list query that is not valid.
fn list_sentence(error: &ListError) -> String {
    match error {
        ListError::Page => format!("page must be a whole number from 1 to {}.", Page::MAX_NUMBER),
        ListError::PageSize => format!("pageSize must be a whole number from 1 to {}.", Page::MAX_SIZE),
        ListError::Repeated(name) => format!("{name} must not stand in the URL twice."),
        ListError::Unknown(name) => format!("{name:.100} is not a parameter of this list."),
        ListError::Empty(name) => format!("{name} must have a value."),
        ListError::Text(name) => format!("The value of {name:.100} must be UTF-8 text without NUL."),
        ListError::TooCostly => "This list would cost more than the server spends on one request.".to_owned(),
        ListError::Property(name)
        | ListError::SearchProperty(name)
        | ListError::SortProperty(name)
        | ListError::Type(name) => format!("The parameter {name:.100} is not valid."),
    }
}

/// One sentence per violation.
fn violations_sentence(violations: &[Violation]) -> String {
    let sentences: Vec<_> = violations.iter().map(|wrong| format!("{} {}.", wrong.field, wrong.reason)).collect();
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

    use super::*;

    #[test]
    fn every_invalid_field_is_named() {
        let error = Error::Directory(DirectoryError::Invalid(vec![
            Violation::new("ID", "must be a number"),
            Violation::new("Labels", "is required"),
        ]));
        let (status, body) = error_response(&error);
        assert_eq!((status, body.message), (StatusCode::BAD_REQUEST, "invalid_data"));
        assert_eq!(body.description, "ID must be a number. Labels is required.");
    }

    #[test]
    fn errors_have_their_headers_and_no_internal_text() {
        assert_eq!(
            render(&Error::Directory(DirectoryError::SignIn(SignInError::TokenRevoked))).headers()[WWW_AUTHENTICATE],
            "Bearer"
        );
        let unavailable = render(&Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned())));
        assert_eq!(unavailable.headers()[RETRY_AFTER], "1");
        assert!(
            !error_response(&Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned())))
                .1
                .description
                .contains("secret")
        );
    }
}
