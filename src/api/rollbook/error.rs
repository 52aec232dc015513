//! Error responses of Rollbook's own API: problem details (RFC 9457; docs/rollbook.md, section 2).

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::address;
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::signing_key::PublishedKey;
use crate::domain::undo::UNDO_MAX;
use crate::domain::user::UserKey;
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};
use crate::http::response::envelope::json_error;

use super::wire::{Undone, date};

/// The content type of problem details.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// The body of every error response.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status and the code say what is wrong.
    #[schema(example = "about:blank")]
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name of the status.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// The status.
    #[schema(example = 404)]
    status: u16,
    /// A sentence for people; its wording may change.
    pub detail: String,
    /// The code by which a program decides; it never changes.
    #[schema(example = "not_found")]
    pub code: &'static str,
    /// The fields of the body that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// With `id_taken`, if an entity is restored: a similar ID that is free.
    #[schema(example = "support-2")]
    #[serde(rename = "proposedId", skip_serializing_if = "Option::is_none")]
    proposed_id: Option<String>,
    /// The addresses that no user has.
    #[schema(example = json!(["uid:12"]))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
    /// With `undo_conflicts`: what would become of each change.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<Undone>,
}

/// A field of the body that breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// The field, as a JSON pointer (RFC 6901).
    #[schema(example = "/labels")]
    pointer: String,
    /// The broken rule.
    #[schema(example = "must hold at least one label")]
    detail: String,
}

/// The response to a request that failed.
pub(super) fn render(error: &Error) -> Response {
    let (status, body) = error_response(error);
    json_error(error, status, body, HeaderValue::from_static(PROBLEM_JSON))
}

/// The status and the body of the error response.
pub(super) fn error_response(error: &Error) -> (StatusCode, Problem) {
    let (status, code, detail) = match error {
        Error::Request(error) => of_request(error),
        Error::Directory(DirectoryError::SignIn(error)) => of_sign_in(*error),
        Error::Directory(error) => of_directory(error),
    };
    let errors = match error {
        Error::Directory(DirectoryError::Invalid(violations)) => violations.iter().map(FieldProblem::of).collect(),
        _ => Vec::new(),
    };
    let proposed_id = match error {
        Error::Directory(DirectoryError::RestoredIdTaken { proposed, .. }) => Some(proposed.clone()),
        _ => None,
    };
    let unknown = match error {
        Error::Directory(DirectoryError::UnknownUsers(users)) => users.iter().map(address::of_user).collect(),
        _ => Vec::new(),
    };
    let undo = match error {
        Error::Directory(DirectoryError::UndoConflicts(outcome)) => Some(Undone::new(outcome)),
        _ => None,
    };
    let problem = Problem {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail,
        code,
        errors,
        proposed_id,
        unknown,
        undo,
    };
    (status, problem)
}

type Described = (StatusCode, &'static str, String);

fn of_request(error: &RequestError) -> Described {
    use {RequestError as Request, StatusCode as Status};
    match error {
        Request::RouteNotFound(path) => (Status::NOT_FOUND, "no_route", format!("Nothing is served at {path:.200}.")),
        Request::MethodNotAllowed => {
            (Status::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method.".into())
        }
        Request::Malformed(sentence) => (Status::BAD_REQUEST, "malformed_request", (*sentence).into()),
        Request::HeadTooLarge => (
            Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            "The head of the request is over the limit of 128 KiB and 100 headers.".into(),
        ),
        Request::TooLarge => {
            (Status::PAYLOAD_TOO_LARGE, "too_large", "The body is over the limit of this operation.".into())
        }
        Request::UriTooLong => (Status::URI_TOO_LONG, "uri_too_long", "The URL is over the limit of 16 KiB.".into()),
        Request::UnsupportedMediaType => {
            (Status::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be sent as JSON.".into())
        }
        Request::UnsupportedEncoding => (
            Status::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be sent without a content encoding.".into(),
        ),
        Request::InvalidBody(reason) => {
            (Status::BAD_REQUEST, "invalid_body", format!("The body is not valid: {reason}."))
        }
        Request::InvalidPath(_) => (Status::BAD_REQUEST, "invalid_path", "The path is not valid.".into()),
        // Another API's protocol.
        Request::Protocol(error) => (Status::BAD_REQUEST, "malformed_request", error.detail.clone()),
        Request::List(error) => (Status::BAD_REQUEST, list_code(error), list_sentence(error)),
    }
}

fn of_sign_in(error: SignInError) -> Described {
    use {SignInError as SignIn, StatusCode as Status};
    match error {
        SignIn::Unauthenticated => (
            Status::UNAUTHORIZED,
            "unauthenticated",
            "This call needs a valid token: Authorization: Bearer <token>.".into(),
        ),
        SignIn::TokenRevoked => (Status::UNAUTHORIZED, "token_revoked", "The token was ended; sign in again.".into()),
        SignIn::InvalidCredentials | SignIn::InvalidClient | SignIn::InvalidRefreshToken => {
            (Status::UNAUTHORIZED, "invalid_credentials", "The credentials are wrong.".into())
        }
        SignIn::CredentialsRequired | SignIn::UnsupportedGrantType => {
            (Status::BAD_REQUEST, "invalid_credentials", "The credentials are not complete.".into())
        }
        SignIn::InvalidScope => (Status::FORBIDDEN, "forbidden", "None of the roles asked for is held.".into()),
    }
}

fn of_directory(error: &DirectoryError) -> Described {
    use {DirectoryError as Directory, StatusCode as Status};
    match error {
        Directory::Invalid(violations) => (Status::BAD_REQUEST, "invalid", violations_sentence(violations)),
        // A change that only SCIM makes.
        Directory::NoTarget(sentence) => (Status::BAD_REQUEST, "invalid", sentence.clone()),
        Directory::InsecurePassword => (
            Status::BAD_REQUEST,
            "insecure_password",
            "The password needs 10 to 128 characters of three classes: upper case, lower case, digits, others.".into(),
        ),
        Directory::ListTooCostly => (Status::BAD_REQUEST, "too_costly", list_sentence(&ListError::TooCostly)),
        Directory::NotFound(kind, key) => {
            (Status::NOT_FOUND, "not_found", format!("There is no {} {key:.200}.", noun(*kind)))
        }
        Directory::AlreadyDeleted => (Status::CONFLICT, "deleted", "It is deleted.".into()),
        Directory::NoLongerKept => (
            Status::GONE,
            "gone",
            "What this names is no longer kept, or is another directory's: take an export and go on from its cursor."
                .into(),
        ),
        Directory::BeforeHorizon(horizon) => {
            let horizon = date(*horizon);
            (Status::GONE, "gone", format!("Moments before {horizon} are no longer kept."))
        }
        Directory::AlreadyErased => (
            Status::CONFLICT,
            "erased",
            "The user is erased: nothing of them is left to be changed or restored.".into(),
        ),
        Directory::NotDeleted => (Status::CONFLICT, "not_deleted", "It is not deleted.".into()),
        Directory::UnknownUsers(users) => {
            (Status::UNPROCESSABLE_ENTITY, "unknown_users", unknown_users_sentence(users))
        }
        Directory::TooManyRemovals { removals, allowed, members } => (
            Status::CONFLICT,
            "too_many_removals",
            format!("{removals} of {members} members would be removed; at most {allowed} may be."),
        ),
        Directory::UndoConflicts(outcome) => {
            let (conflicts, all) = (outcome.conflicts, outcome.conflicts + outcome.undone + outcome.nothing_to_do);
            let detail = format!("{conflicts} of {all} changes cannot be undone, so none was: see `undo`.");
            (Status::CONFLICT, "undo_conflicts", detail)
        }
        Directory::UndoTooLarge => (
            Status::CONFLICT,
            "undo_too_large",
            format!("These are more than {UNDO_MAX} changes, or very large ones: undo shorter spans of time."),
        ),
        Directory::HasUsers(members) => {
            (Status::CONFLICT, "has_members", format!("The group has members, {members} in all."))
        }
        Directory::PublicClient(id) => {
            let detail = format!("The client {id} is public: it has no secret and gets no tokens of its own.");
            (Status::CONFLICT, "public_client", detail)
        }
        Directory::KeyAnnounced(PublishedKey { kid, signs_from }) => {
            let from = date(*signs_from);
            let detail = format!("The key {kid} is announced to sign from {from}; no new key may sign before it.");
            (Status::CONFLICT, "key_announced", detail)
        }
        Directory::AlreadyExists(kind, key) | Directory::RestoredIdTaken { kind, id: key, .. } => {
            (Status::CONFLICT, "id_taken", format!("There is a {} with the ID {key} already.", noun(*kind)))
        }
        Directory::UsernameTaken => {
            (Status::CONFLICT, "username_taken", "There is a user with this username already.".into())
        }
        Directory::PreconditionFailed => (
            Status::PRECONDITION_FAILED,
            "precondition_failed",
            "It was changed meanwhile, or is not there: read it again.".into(),
        ),
        Directory::KeyReused => (
            Status::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "The Idempotency-Key was used for another request.".into(),
        ),
        Directory::KeyInUse => (
            Status::CONFLICT,
            "idempotency_key_in_use",
            "A request with this Idempotency-Key is still running; try again.".into(),
        ),
        Directory::Forbidden { sufficient, .. } => {
            let roles: Vec<_> = sufficient.names().collect();
            (Status::FORBIDDEN, "forbidden", format!("This needs one of the roles {}.", roles.join(", ")))
        }
        Directory::NotAuthorizedToAdmin => {
            (Status::FORBIDDEN, "forbidden", "A caller limited to communities may not do this.".into())
        }
        Directory::Unavailable(_) => (
            Status::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer now and changed nothing; try again.".into(),
        ),
        Directory::Damaged(_) => (
            Status::SERVICE_UNAVAILABLE,
            "damaged",
            "The server's database is damaged. Nothing was changed; its operator has to restore a backup.".into(),
        ),
        Directory::OutcomeUnknown(_) => (
            Status::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "The server does not know whether the change was made; look before trying again.".into(),
        ),
        Directory::SignIn(error) => of_sign_in(*error),
        Directory::Internal(_) => {
            (Status::INTERNAL_SERVER_ERROR, "internal", "Something went wrong in the server.".into())
        }
    }
}

/// Names the first few of the users.
fn unknown_users_sentence(users: &[UserKey]) -> String {
    const SHOWN: usize = 10;
    let first: Vec<_> = users.iter().take(SHOWN).map(|user| format!("{:.100}", address::of_user(user))).collect();
    let more = if users.len() > SHOWN { ", and others" } else { "" };
    format!("Unknown users, {} in all: {}{more}.", users.len(), first.join(", "))
}

impl FieldProblem {
    fn of(violation: &Violation) -> Self {
        Self { pointer: format!("/{}", camel_case(violation.field)), detail: violation.reason.clone() }
    }
}

/// The name of a field in this API. Rules that several APIs share name fields as OrderCloud and Core do.
fn camel_case(field: &str) -> String {
    let upper = field.bytes().take_while(u8::is_ascii_uppercase).count();
    let (head, rest) = field.split_at(if upper == field.len() { upper } else { upper.min(1) });
    head.to_ascii_lowercase() + rest
}

/// The name of the kind in a sentence.
const fn noun(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Group => "group",
        ResourceKind::User => "user",
        ResourceKind::Membership => "membership of the user",
        ResourceKind::Client => "client",
        ResourceKind::LongLivedToken => "token",
        ResourceKind::Certificate => "certificate",
        ResourceKind::Operation => "operation",
        ResourceKind::Session => "session",
        ResourceKind::SetupPage => "setup page",
    }
}

fn list_code(error: &ListError) -> &'static str {
    match error {
        ListError::TooCostly => "too_costly",
        _ => "invalid_parameter",
    }
}

/// The sentence for parameters that are not valid.
fn list_sentence(error: &ListError) -> String {
    match error {
        ListError::Page | ListError::PageSize => "limit must be a whole number from 1 to 1000.".to_owned(),
        ListError::Repeated(name) => format!("{name} must not stand in the URL twice."),
        ListError::Unknown(name) => format!("{name:.100} is not a parameter of this operation."),
        ListError::Empty(name) => format!("{name} must have a value."),
        ListError::Text(name) => format!("The value of {name:.100} must be UTF-8 text without NUL."),
        ListError::TooCostly => "This list would cost more than the server spends on one request.".to_owned(),
        ListError::Property(name) => format!("{name:.100} is not a property to filter by."),
        ListError::SearchProperty(name) => format!("{name:.100} is not a property to search."),
        ListError::SortProperty(name) => format!("{name:.100} is not a property to sort by."),
        ListError::Type(name) => format!("The value of {name:.100} is not of the type of the property."),
    }
}

fn violations_sentence(violations: &[Violation]) -> String {
    let sentences: Vec<_> =
        violations.iter().map(|wrong| format!("{} {}.", camel_case(wrong.field), wrong.reason)).collect();
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};

    use super::*;

    #[test]
    fn fields_are_named_by_pointers_in_camel_case() {
        for (field, pointer) in [
            ("ID", "/id"),
            ("labels", "/labels"),
            ("Communities", "/communities"),
            ("FirstName", "/firstName"),
            ("xp", "/xp"),
        ] {
            assert_eq!(FieldProblem::of(&Violation::new(field, "")).pointer, pointer);
        }
        let error = Error::Directory(DirectoryError::invalid("labels", "is required"));
        let (status, body) = error_response(&error);
        assert_eq!((status, body.code, &*body.detail), (StatusCode::BAD_REQUEST, "invalid", "labels is required."));
        assert_eq!(body.errors.len(), 1);
    }

    #[test]
    fn errors_are_problem_details_without_internal_text() {
        let error = Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned()));
        let response = render(&error);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert!(!error_response(&error).1.detail.contains("secret"));
        let unauthenticated = Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated));
        assert_eq!(render(&unauthenticated).headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
