//! Error responses of the SCIM API (RFC 7644, section 3.12; docs/scim.md, section 2).

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::address;
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::user::UserKey;
use crate::http::request::error::{DirectoryError, Error, ListError, ProtocolError, RequestError};
use crate::http::response::envelope::json_error;

use super::ids::{group_id, user_id};
use super::patch::PatchError;
use super::wire::SCIM_JSON;

/// The word by which a client can tell errors of one status apart (RFC 7644, section 3.12, table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScimType {
    /// The filter is not understood.
    InvalidFilter,
    /// The path of a change is malformed, or names no attribute.
    InvalidPath,
    /// The body is not readable.
    InvalidSyntax,
    /// A value is missing, or is not one that the attribute takes.
    InvalidValue,
    /// The attribute is read-only, or required and to be removed.
    Mutability,
    /// There is nothing that the change could be made to.
    NoTarget,
    /// The request asks for more than the server does at once.
    TooMany,
    /// Another resource has a value that must be unique.
    Uniqueness,
}

impl ScimType {
    /// The word as it is sent.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidPath => "invalidPath",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::NoTarget => "noTarget",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// The error for a request with the status 400 and this word.
pub(super) fn bad_request(keyword: ScimType, detail: impl Into<String>) -> Error {
    let (status, keyword) = (StatusCode::BAD_REQUEST.as_u16(), Some(keyword.as_str()));
    RequestError::Protocol(ProtocolError { status, keyword, detail: detail.into() }).into()
}

impl From<PatchError> for Error {
    fn from(error: PatchError) -> Self {
        bad_request(error.scim_type, error.detail)
    }
}

/// The body of every error response.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ErrorBody {
    /// Always the URN of errors.
    #[schema(value_type = Vec<String>, example = json!(["urn:ietf:params:scim:api:messages:2.0:Error"]))]
    schemas: [&'static str; 1],
    /// The HTTP status, as text.
    #[schema(example = "404")]
    pub status: String,
    /// The word by which a program decides, if there is one for the error.
    #[schema(example = "uniqueness")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<&'static str>,
    /// A sentence for people; its wording may change.
    #[schema(example = "There is no user u12.")]
    pub detail: String,
}

/// The response to a request that failed.
pub(super) fn render(error: &Error) -> Response {
    let (status, body) = error_response(error);
    json_error(error, status, body, SCIM_JSON)
}

/// The status and the body of the error response.
pub(super) fn error_response(error: &Error) -> (StatusCode, ErrorBody) {
    let (status, keyword, detail) = match error {
        Error::Request(error) => of_request(error),
        Error::Directory(DirectoryError::SignIn(error)) => of_sign_in(*error),
        Error::Directory(error) => of_directory(error),
    };
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
    (status, ErrorBody { schemas, status: status.as_str().to_owned(), scim_type: keyword, detail })
}

type Described = (StatusCode, Option<&'static str>, String);

/// An error of this status without a word of its own.
fn plain(status: StatusCode, detail: impl Into<String>) -> Described {
    (status, None, detail.into())
}

/// An error of the status 400 with this word.
fn bad(keyword: ScimType, detail: impl Into<String>) -> Described {
    (StatusCode::BAD_REQUEST, Some(keyword.as_str()), detail.into())
}

fn of_request(error: &RequestError) -> Described {
    use {RequestError as Request, StatusCode as Status};
    match error {
        Request::RouteNotFound(path) => plain(Status::NOT_FOUND, format!("Nothing is served at {path:.200}.")),
        Request::MethodNotAllowed => plain(Status::METHOD_NOT_ALLOWED, "This path does not take this method."),
        Request::Malformed(sentence) => plain(Status::BAD_REQUEST, *sentence),
        Request::HeadTooLarge => plain(
            Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The head of the request is over the limit of 128 KiB and 100 headers.",
        ),
        Request::TooLarge => plain(Status::PAYLOAD_TOO_LARGE, "The body is over the limit of this operation."),
        Request::UriTooLong => plain(Status::URI_TOO_LONG, "The URL is over the limit of 16 KiB."),
        Request::UnsupportedMediaType => plain(
            Status::UNSUPPORTED_MEDIA_TYPE,
            "The body must be sent as application/scim+json or as application/json.",
        ),
        Request::UnsupportedEncoding => {
            plain(Status::UNSUPPORTED_MEDIA_TYPE, "The body must be sent without a content encoding.")
        }
        Request::InvalidBody(reason) => bad(ScimType::InvalidSyntax, format!("The body is not valid: {reason}.")),
        Request::InvalidPath(_) => plain(Status::BAD_REQUEST, "The path is not valid."),
        Request::List(error) => of_list(error),
        Request::Protocol(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(Status::BAD_REQUEST);
            (status, error.keyword, error.detail.clone())
        }
    }
}

fn of_list(error: &ListError) -> Described {
    let text = |text: String| bad(ScimType::InvalidValue, text);
    match error {
        ListError::TooCostly => {
            bad(ScimType::TooMany, "This request would cost more than the server spends on one request.")
        }
        ListError::Page | ListError::PageSize => text("startIndex and count must be whole numbers.".to_owned()),
        ListError::Text(name) => text(format!("The value of {name:.100} must be UTF-8 text without NUL.")),
        ListError::Repeated(name) => text(format!("{name} must not stand in the URL twice.")),
        ListError::Empty(name) => text(format!("{name} must have a value.")),
        ListError::Unknown(name)
        | ListError::Property(name)
        | ListError::SearchProperty(name)
        | ListError::SortProperty(name)
        | ListError::Type(name) => text(format!("{name:.100} is not valid here.")),
    }
}

fn of_sign_in(error: SignInError) -> Described {
    use {SignInError as SignIn, StatusCode as Status};
    match error {
        SignIn::Unauthenticated => {
            plain(Status::UNAUTHORIZED, "This call needs a valid token: Authorization: Bearer <token>.")
        }
        SignIn::TokenRevoked => plain(Status::UNAUTHORIZED, "The token was ended; get another one."),
        SignIn::InvalidCredentials | SignIn::InvalidClient | SignIn::InvalidRefreshToken => {
            plain(Status::UNAUTHORIZED, "The credentials are wrong.")
        }
        SignIn::CredentialsRequired | SignIn::UnsupportedGrantType => {
            plain(Status::BAD_REQUEST, "The credentials are not complete.")
        }
        SignIn::InvalidScope => plain(Status::FORBIDDEN, "None of the roles asked for is held."),
    }
}

fn of_directory(error: &DirectoryError) -> Described {
    use {DirectoryError as Directory, StatusCode as Status};
    match error {
        Directory::Invalid(violations) => bad(ScimType::InvalidValue, violations_sentence(violations)),
        Directory::InsecurePassword => bad(ScimType::InvalidValue, "The password is too weak."),
        Directory::ListTooCostly => of_list(&ListError::TooCostly),
        Directory::UnknownUsers(users) => bad(ScimType::InvalidValue, unknown_users_sentence(users)),

        Directory::NoTarget(detail) => bad(ScimType::NoTarget, detail.clone()),

        Directory::NotFound(kind, key) => {
            plain(Status::NOT_FOUND, format!("There is no {} {:.200}.", noun(*kind), shown_key(*kind, key)))
        }
        // What was deleted is not there (RFC 7644, section 3.6), and an erased user is deleted.
        Directory::AlreadyDeleted | Directory::AlreadyErased => plain(Status::NOT_FOUND, "It is deleted."),

        Directory::AlreadyExists(kind, key) | Directory::RestoredIdTaken { kind, id: key, .. } => {
            taken(format!("There is a {} with the key {key} already.", noun(*kind)))
        }
        Directory::UsernameTaken => taken("There is a user with this userName already.".to_owned()),
        Directory::TooManyRemovals { removals, allowed, members } => plain(
            Status::CONFLICT,
            format!("{removals} of {members} members would be removed; at most {allowed} may be by one request."),
        ),
        Directory::KeyInUse => {
            plain(Status::CONFLICT, "A request with this Idempotency-Key is still running; try again.")
        }
        Directory::KeyReused => {
            plain(Status::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request.")
        }
        Directory::PreconditionFailed => {
            plain(Status::PRECONDITION_FAILED, "It was changed meanwhile, or is not there: read it again.")
        }
        // No operation of this API does what is refused with these.
        Directory::NoLongerKept | Directory::BeforeHorizon(_) => plain(Status::GONE, "It is no longer kept."),
        Directory::NotDeleted
        | Directory::UndoConflicts(_)
        | Directory::UndoTooLarge
        | Directory::HasUsers(_)
        | Directory::PublicClient(_)
        | Directory::KeyAnnounced(_) => plain(Status::CONFLICT, "The present state does not allow this."),

        Directory::SignIn(error) => of_sign_in(*error),
        Directory::Forbidden { sufficient, .. } => {
            let roles: Vec<_> = sufficient.names().collect();
            plain(Status::FORBIDDEN, format!("This needs one of the roles {}.", roles.join(", ")))
        }
        Directory::NotAuthorizedToAdmin => plain(Status::FORBIDDEN, "A caller limited to communities may not do this."),
        Directory::Unavailable(_) => {
            plain(Status::SERVICE_UNAVAILABLE, "The server cannot answer now and changed nothing; try again.")
        }
        Directory::Damaged(_) => plain(
            Status::SERVICE_UNAVAILABLE,
            "The server's database is damaged. Nothing was changed; its operator has to restore a backup.",
        ),
        Directory::OutcomeUnknown(_) => plain(
            Status::SERVICE_UNAVAILABLE,
            "The server does not know whether the change was made; look before trying again.",
        ),
        Directory::Internal(_) => plain(Status::INTERNAL_SERVER_ERROR, "Something went wrong in the server."),
    }
}

/// The error for a value that must be unique and is not.
fn taken(detail: String) -> Described {
    (StatusCode::CONFLICT, Some(ScimType::Uniqueness.as_str()), detail)
}

/// Names the first few of the users.
fn unknown_users_sentence(users: &[UserKey]) -> String {
    const SHOWN: usize = 10;
    let first: Vec<_> = users.iter().take(SHOWN).map(shown_user).collect();
    let more = if users.len() > SHOWN { ", and others" } else { "" };
    format!("Unknown users, {} in all: {}{more}.", users.len(), first.join(", "))
}

fn shown_user(key: &UserKey) -> String {
    format!("{:.100}", shown_key(ResourceKind::User, &address::of_user(key)))
}

/// The `id` of the resource with this address.
fn shown_key(kind: ResourceKind, address: &str) -> String {
    match (kind, address.strip_prefix("uid:")) {
        (ResourceKind::Group, Some(uid)) => group_id(uid),
        (ResourceKind::User, Some(uid)) => user_id(uid),
        _ => address.to_owned(),
    }
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

fn violations_sentence(violations: &[Violation]) -> String {
    let sentences: Vec<_> =
        violations.iter().map(|wrong| format!("{} {}.", attribute(wrong.field), wrong.reason)).collect();
    sentences.join(" ")
}

/// The attribute that the directory calls so. Rules that several APIs share name fields as OrderCloud and Core do.
fn attribute(field: &str) -> &str {
    match field {
        "Username" => "userName",
        "FirstName" => "name.givenName",
        "LastName" => "name.familyName",
        "Email" => "emails",
        "Phone" => "phoneNumbers",
        "Name" => "displayName",
        "ID" => "key",
        "Description" => "description",
        "Labels" => "labels",
        "Communities" => "communities",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};

    use super::*;

    #[test]
    fn errors_have_the_form_of_scim_and_no_internal_text() {
        let error = Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned()));
        let response = render(&error);
        assert_eq!(
            (&response.headers()[CONTENT_TYPE], &response.headers()[RETRY_AFTER]),
            (&SCIM_JSON, &"1".parse().unwrap())
        );
        let body = serde_json::to_value(error_response(&error).1).unwrap();
        assert_eq!(
            (&body["status"], &body["schemas"][0]),
            (&"503".into(), &"urn:ietf:params:scim:api:messages:2.0:Error".into())
        );
        assert!(body["scimType"].is_null() && !body["detail"].as_str().unwrap().contains("secret"));
        let unauthenticated = Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated));
        assert_eq!(render(&unauthenticated).headers()[WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn a_broken_rule_names_the_attribute() {
        let (status, body) = error_response(&Error::Directory(DirectoryError::invalid("LastName", "is required")));
        assert_eq!(
            (status, body.scim_type, &*body.detail),
            (StatusCode::BAD_REQUEST, Some("invalidValue"), "name.familyName is required.")
        );
        let (status, body) = error_response(&Error::Directory(DirectoryError::UsernameTaken));
        assert_eq!((status, body.scim_type), (StatusCode::CONFLICT, Some("uniqueness")));
    }
}
