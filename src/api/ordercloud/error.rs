//! Error responses of this API (docs/ordercloud.md, section 9).

use std::borrow::Cow;

use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::error::{ResourceKind, SignInError};
use crate::domain::query::Page;
use crate::domain::user::PASSWORD_CHARS;
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};
use crate::http::response::envelope::add_error_headers;
use crate::http::response::json::JsonResponse;

/// The body of every answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Errors {
    /// At the token endpoint alone: the code of RFC 6749, section 5.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'static str>,
    /// At the token endpoint alone: the first message once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    error_description: Option<Cow<'static, str>>,
    /// What is wrong; several entries where several members of a body are.
    #[serde(rename = "Errors")]
    errors: Vec<Entry>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Error)]
pub(super) struct Entry {
    /// What a program decides by.
    pub error_code: &'static str,
    /// A sentence for a person; its wording may change.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// Details, shaped by the code.
    #[schema(value_type = Option<Object>)]
    data: Value,
}

/// An error response before it is serialized.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    /// The status of the response.
    pub status: StatusCode,
    /// The entries of the body. Never empty.
    pub entries: Vec<Entry>,
    /// The code of RFC 6749, section 5.2, if the token endpoint refuses a grant.
    grant_refusal: Option<&'static str>,
}

impl ErrorResponse {
    /// The body of the response.
    pub(super) fn body(self) -> Errors {
        let description = self.entries.first().filter(|_| self.grant_refusal.is_some());
        let error_description = description.map(|entry| entry.message.clone());
        Errors { error: self.grant_refusal, error_description, errors: self.entries }
    }

    /// The code that a program decides by: the code of the entries, at the token endpoint after the code of RFC 6749.
    pub(super) fn code(&self) -> String {
        let code = self.entries.first().map_or("", |entry| entry.error_code);
        self.grant_refusal.map_or_else(|| code.to_owned(), |refusal| format!("{refusal}, {code}"))
    }

    /// The response, with the headers of its status.
    pub(super) fn into_response(self) -> Response {
        let (status, grant_refused) = (self.status, self.grant_refusal.is_some());
        let mut response = (status, JsonResponse(self.body())).into_response();
        let scheme = match status {
            StatusCode::UNAUTHORIZED if grant_refused => Some(HeaderValue::from_static("Basic realm=\"rollbook\"")),
            StatusCode::UNAUTHORIZED => Some(HeaderValue::from_static("Bearer")),
            _ => None,
        };
        response.headers_mut().extend(scheme.map(|scheme| (WWW_AUTHENTICATE, scheme)));
        if grant_refused {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

/// The response to a request that failed.
pub(super) fn render(error: &Error) -> Response {
    let mut response = error_response(error).into_response();
    add_error_headers(&mut response, error);
    response
}

/// The response of the token endpoint to an invalid form; `None` if the error has another cause.
pub(super) fn form_error_response(error: &Error) -> Option<ErrorResponse> {
    match error {
        Error::Request(RequestError::UnsupportedMediaType) => Some(refused(
            "invalid_request",
            "Request.InvalidContentType",
            "Invalid content type. Please use x-www-form-urlencoded.",
        )),
        Error::Request(RequestError::InvalidBody(_)) => {
            Some(ErrorResponse { grant_refusal: Some("invalid_request"), ..error_response(error) })
        }
        _ => None,
    }
}

/// The response of the token endpoint to a client that failed to authenticate by HTTP Basic (RFC 6749, section 5.2).
pub(super) fn basic_auth_error_response() -> ErrorResponse {
    ErrorResponse {
        status: StatusCode::UNAUTHORIZED,
        ..error_response(&Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)))
    }
}

/// The response to a caller whose token acts for no user.
pub(super) fn no_user_response() -> ErrorResponse {
    single_entry(StatusCode::FORBIDDEN, "Auth.NoUser", "The token acts for no user.", Value::Null)
}

/// The status and the entries of the response to an error.
pub(super) fn error_response(error: &Error) -> ErrorResponse {
    use {DirectoryError as Directory, RequestError as Request, SignInError as SignIn, StatusCode as Status};
    match error {
        Error::Request(Request::RouteNotFound(path)) => not_found("Route", path),
        Error::Request(Request::MethodNotAllowed) => single_entry(
            Status::METHOD_NOT_ALLOWED,
            "Request.MethodNotAllowed",
            "Method is not allowed here.",
            Value::Null,
        ),
        Error::Request(Request::Malformed(sentence)) => {
            single_entry(Status::BAD_REQUEST, "InvalidRequest", *sentence, Value::Null)
        }
        Error::Request(Request::HeadTooLarge) => single_entry(
            Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "Request.HeadTooLarge",
            "Request head is larger than 128 KiB or has more than 100 headers.",
            Value::Null,
        ),
        Error::Request(Request::TooLarge) => single_entry(
            Status::PAYLOAD_TOO_LARGE,
            "Request.TooLarge",
            "Request body is larger than 1 MiB, or than 64 KiB at the token endpoint.",
            Value::Null,
        ),
        Error::Request(Request::UriTooLong) => {
            single_entry(Status::URI_TOO_LONG, "Request.UriTooLong", "Request URL is longer than 16 KiB.", Value::Null)
        }
        Error::Request(Request::UnsupportedMediaType) => single_entry(
            Status::UNSUPPORTED_MEDIA_TYPE,
            "Request.InvalidContentType",
            "Invalid content type. Please use application/json.",
            Value::Null,
        ),
        Error::Request(Request::UnsupportedEncoding) => single_entry(
            Status::UNSUPPORTED_MEDIA_TYPE,
            "Request.InvalidContentType",
            "Invalid content encoding. Please send the body without one.",
            Value::Null,
        ),
        Error::Request(Request::InvalidBody(reason)) => single_entry(
            Status::BAD_REQUEST,
            "Request.InvalidRequestBody",
            "Request body is invalid or null.",
            json!({ "Reason": reason }),
        ),
        Error::Request(Request::InvalidPath(_)) => {
            single_entry(Status::BAD_REQUEST, "InvalidRequest", "Path is not valid text.", Value::Null)
        }
        Error::Directory(Directory::Invalid(violations)) => ErrorResponse {
            status: Status::BAD_REQUEST,
            entries: violations.iter().map(|wrong| violation_entry(wrong.field, &wrong.reason)).collect(),
            grant_refusal: None,
        },
        // A change that only SCIM makes.
        Error::Directory(Directory::NoTarget(sentence)) => {
            single_entry(Status::BAD_REQUEST, "ValidationFailure", sentence.clone(), Value::Null)
        }
        Error::Directory(Directory::InsecurePassword) => single_entry(
            Status::BAD_REQUEST,
            "PasswordReset.InsecurePassword",
            "Password does not meet security requirements.",
            password_rules(),
        ),
        // Another API's protocol.
        Error::Request(Request::Protocol(error)) => {
            single_entry(Status::BAD_REQUEST, "InvalidRequest", error.detail.clone(), Value::Null)
        }
        Error::Request(Request::List(error)) => list_error(error),
        Error::Directory(Directory::ListTooCostly) => list_error(&ListError::TooCostly),

        Error::Directory(Directory::NotFound(kind, id)) => not_found(object_type(*kind), id),
        Error::Directory(Directory::AlreadyDeleted) => not_found(object_type(ResourceKind::Group), ""),
        // No operation of this API reads the past.
        Error::Directory(Directory::NoLongerKept | Directory::BeforeHorizon(_)) => {
            not_found(object_type(ResourceKind::Group), "")
        }
        // No operation of this API reaches deleted users.
        Error::Directory(Directory::AlreadyErased) => not_found(object_type(ResourceKind::User), ""),
        // No operation of this API restores.
        Error::Directory(Directory::NotDeleted) => {
            single_entry(Status::CONFLICT, "NotDeleted", "Object is not deleted.", Value::Null)
        }
        // No operation of this API changes more than one member.
        Error::Directory(Directory::UnknownUsers(_)) => not_found(object_type(ResourceKind::User), ""),
        Error::Directory(Directory::TooManyRemovals { removals, allowed, .. }) => single_entry(
            Status::CONFLICT,
            "UserGroup.TooManyRemovals",
            "Too many users would be removed.",
            json!({ "Removals": removals, "Allowed": allowed }),
        ),
        // No operation of this API undoes changes.
        Error::Directory(Directory::UndoConflicts(_) | Directory::UndoTooLarge) => {
            single_entry(Status::CONFLICT, "Undo.Conflict", "The changes cannot be undone.", Value::Null)
        }
        Error::Directory(Directory::HasUsers(users)) => single_entry(
            Status::CONFLICT,
            "UserGroup.CannotDeleteWithUsers",
            "User group still has users.",
            json!({ "UserCount": users }),
        ),
        Error::Directory(Directory::AlreadyExists(kind, id) | Directory::RestoredIdTaken { kind, id, .. }) => {
            single_entry(Status::CONFLICT, "IdExists", "Object already exists.", object_data(object_type(*kind), id))
        }
        Error::Directory(Directory::UsernameTaken) => single_entry(
            Status::CONFLICT,
            "User.UsernameMustBeUnique",
            "Username already exists in this Marketplace.",
            Value::Null,
        ),

        Error::Directory(Directory::PreconditionFailed) => single_entry(
            Status::PRECONDITION_FAILED,
            "PreconditionFailed",
            "Object is not in the version that If-Match or If-None-Match requires.",
            Value::Null,
        ),

        Error::Directory(Directory::KeyReused) => single_entry(
            Status::UNPROCESSABLE_ENTITY,
            "IdempotencyKeyReused",
            "Idempotency-Key was used for another request.",
            Value::Null,
        ),
        Error::Directory(Directory::KeyInUse) => single_entry(
            Status::CONFLICT,
            "IdempotencyKeyInUse",
            "A request with this Idempotency-Key is still being processed.",
            Value::Null,
        ),
        Error::Directory(Directory::PublicClient(id)) => single_entry(
            Status::CONFLICT,
            "InvalidRequest",
            "A public client gets no tokens of its own.",
            object_data(object_type(ResourceKind::Client), id),
        ),
        Error::Directory(Directory::KeyAnnounced(key)) => single_entry(
            Status::CONFLICT,
            "InvalidRequest",
            "A signing key is announced that signs later.",
            object_data(object_type(ResourceKind::Certificate), &key.kid),
        ),

        Error::Directory(Directory::SignIn(SignIn::Unauthenticated)) => {
            single_entry(Status::UNAUTHORIZED, "InvalidToken", "Access token is invalid or expired.", Value::Null)
        }
        Error::Directory(Directory::SignIn(SignIn::TokenRevoked)) => single_entry(
            Status::UNAUTHORIZED,
            "Auth.TokenRevoked",
            "The provided token has been revoked. Please re-authenticate.",
            Value::Null,
        ),
        Error::Directory(Directory::Forbidden { sufficient, assigned }) => single_entry(
            Status::FORBIDDEN,
            "Auth.InsufficientRoles",
            "User does not have role(s) required to perform this action.",
            json!({
                "SufficientRoles": sufficient.names().collect::<Vec<_>>(),
                "AssignedRoles": assigned.names().collect::<Vec<_>>(),
            }),
        ),
        Error::Directory(Directory::NotAuthorizedToAdmin) => single_entry(
            Status::FORBIDDEN,
            "Auth.UserNotAuthorizedToAdmin",
            "Callers limited to communities may not do this.",
            Value::Null,
        ),

        Error::Directory(Directory::SignIn(SignIn::InvalidCredentials)) => {
            refused("invalid_grant", "Auth.InvalidUsernameOrPassword", "Invalid username or password.")
        }
        Error::Directory(Directory::SignIn(SignIn::CredentialsRequired)) => {
            refused("invalid_request", "Auth.UsernameAndPasswordRequired", "Username and password are required.")
        }
        Error::Directory(Directory::SignIn(SignIn::InvalidClient)) => {
            refused("invalid_client", "Auth.OauthError", "Client could not be authenticated.")
        }
        Error::Directory(Directory::SignIn(SignIn::InvalidRefreshToken)) => {
            refused("invalid_grant", "Auth.OauthError", "Refresh token is invalid or expired.")
        }
        Error::Directory(Directory::SignIn(SignIn::UnsupportedGrantType)) => refused(
            "unsupported_grant_type",
            "Auth.OauthError",
            "grant_type must be client_credentials, password or refresh_token.",
        ),
        Error::Directory(Directory::SignIn(SignIn::InvalidScope)) => {
            refused("invalid_scope", "Auth.InsufficientRoles", "None of the roles in scope can be granted.")
        }

        Error::Directory(Directory::Unavailable(_)) => single_entry(
            Status::SERVICE_UNAVAILABLE,
            "Api.Offline",
            "The server cannot answer now and changed nothing. Please try again.",
            Value::Null,
        ),
        Error::Directory(Directory::Damaged(_)) => single_entry(
            Status::SERVICE_UNAVAILABLE,
            "Api.Offline",
            "The server's database is damaged. Nothing was changed; its operator has to restore a backup.",
            Value::Null,
        ),
        Error::Directory(Directory::OutcomeUnknown(_)) => single_entry(
            Status::SERVICE_UNAVAILABLE,
            "Api.OutcomeUnknown",
            "The server does not know whether the change was made. Please look before trying again.",
            Value::Null,
        ),
        Error::Directory(Directory::Internal(_)) => single_entry(
            Status::INTERNAL_SERVER_ERROR,
            "ServerError",
            "An unknown error has occurred on the server.",
            Value::Null,
        ),
    }
}

/// The response to a list query that is not valid or too costly.
fn list_error(error: &ListError) -> ErrorResponse {
    let about = |code, message, property: &str| {
        single_entry(StatusCode::BAD_REQUEST, code, message, json!({ "Property": property }))
    };
    let request = |message: String| single_entry(StatusCode::BAD_REQUEST, "InvalidRequest", message, Value::Null);
    match error {
        ListError::Page => request(format!("page must be an integer >= 1 and <= {}.", Page::MAX_NUMBER)),
        ListError::PageSize => single_entry(
            StatusCode::BAD_REQUEST,
            "List.InvalidPageSize",
            "pageSize is not valid.",
            json!({ "Minimum": 1, "Maximum": Page::MAX_SIZE }),
        ),
        ListError::Property(property) => about("List.InvalidProperty", "Property does not exist.", property),
        ListError::SearchProperty(property) => {
            about("List.InvalidSearchProperty", "Property is not searchable.", property)
        }
        ListError::SortProperty(property) => about("List.InvalidSortProperty", "Property is not sortable.", property),
        ListError::Type(property) => {
            about("List.InvalidType", "Value passed is not valid for property type.", property)
        }
        ListError::Repeated(name) => request(format!("{name} must not be repeated.")),
        ListError::Unknown(name) => request(format!("{name:.100} is not a parameter of this list.")),
        ListError::Empty(name) => request(format!("{name} must have a value.")),
        ListError::Text(name) => request(format!("{name:.100} must be UTF-8 text without NUL.")),
        ListError::TooCostly => single_entry(
            StatusCode::BAD_REQUEST,
            "List.TooCostly",
            "This list would cost more than the server spends on one request.",
            Value::Null,
        ),
    }
}

/// A response with one entry.
fn single_entry(
    status: StatusCode,
    error_code: &'static str,
    message: impl Into<Cow<'static, str>>,
    data: Value,
) -> ErrorResponse {
    ErrorResponse { status, entries: vec![Entry { error_code, message: message.into(), data }], grant_refusal: None }
}

/// The response of the token endpoint that refuses a grant.
fn refused(code: &'static str, error_code: &'static str, message: &'static str) -> ErrorResponse {
    ErrorResponse {
        grant_refusal: Some(code),
        ..single_entry(StatusCode::BAD_REQUEST, error_code, message, Value::Null)
    }
}

/// A 404 always has data: the vendor's JavaScript client builds its message from them, and fails if they are missing.
fn not_found(object_type: &str, id: &str) -> ErrorResponse {
    single_entry(StatusCode::NOT_FOUND, "NotFound", "Object not found.", object_data(object_type, id))
}

/// The data of an error about an entity.
fn object_data(object_type: &str, id: &str) -> Value {
    json!({ "ObjectType": object_type, "ObjectID": id })
}

/// The entry of a violation.
fn violation_entry(field: &str, reason: &str) -> Entry {
    Entry {
        error_code: "ValidationFailure",
        message: "Model or property was invalid.".into(),
        data: json!({ "Field": field, "Reason": reason }),
    }
}

/// The data of an error about a weak password.
fn password_rules() -> Value {
    json!({
        "MinimumCharacterCount": PASSWORD_CHARS.start(),
        "MaximumCharacterCount": PASSWORD_CHARS.end(),
        "MinimumCharacterKinds": 3,
        "CharacterKinds": ["UpperCase", "LowerCase", "Digit", "Special"],
        "UpperCaseRequired": false,
        "LowerCaseRequired": false,
        "DigitRequired": false,
        "SpecialCharacterRequired": false,
    })
}

/// The vendor's name of the kind.
const fn object_type(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Group => "UserGroup",
        ResourceKind::User => "User",
        ResourceKind::Membership => "UserGroupAssignment",
        ResourceKind::Client => "ApiClient",
        ResourceKind::LongLivedToken => "LongLivedToken",
        ResourceKind::Certificate => "Certificate",
        ResourceKind::Operation => "Operation",
        ResourceKind::Session => "Session",
        ResourceKind::SetupPage => "SetupPage",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::RETRY_AFTER;

    use super::*;

    use crate::domain::error::Violation;
    use crate::domain::role::Roles;

    fn body(error: &Error) -> Value {
        serde_json::to_value(error_response(error).body()).unwrap()
    }

    #[test]
    fn a_missing_entity_is_named_for_the_client() {
        let error = Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "x".to_owned()));
        let data = json!({ "ObjectType": "UserGroup", "ObjectID": "x" });
        let entry = json!({ "ErrorCode": "NotFound", "Message": "Object not found.", "Data": data });
        assert_eq!(
            (error_response(&error).status, body(&error)),
            (StatusCode::NOT_FOUND, json!({ "Errors": [entry] }))
        );
    }

    #[test]
    fn every_violation_has_an_entry() {
        let error = Error::Directory(DirectoryError::Invalid(vec![
            Violation::new("Name", "is required"),
            Violation::new("ID", "is too long"),
        ]));
        let entries = body(&error)["Errors"].as_array().cloned().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1]["Data"], json!({ "Field": "ID", "Reason": "is too long" }));
    }

    #[test]
    fn a_refused_grant_is_reported_in_both_forms() {
        let entry = json!({
            "ErrorCode": "Auth.InvalidUsernameOrPassword",
            "Message": "Invalid username or password.",
            "Data": null,
        });
        let both = json!({
            "error": "invalid_grant",
            "error_description": "Invalid username or password.",
            "Errors": [entry],
        });
        assert_eq!(body(&Error::Directory(DirectoryError::SignIn(SignInError::InvalidCredentials))), both);
        let response = render(&Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)));
        assert_eq!(
            (response.status(), &response.headers()[CACHE_CONTROL]),
            (StatusCode::BAD_REQUEST, &"no-store".parse().unwrap())
        );
        let form = form_error_response(&Error::Request(RequestError::UnsupportedMediaType)).unwrap();
        assert_eq!(
            (form.status, form.code().as_str()),
            (StatusCode::BAD_REQUEST, "invalid_request, Request.InvalidContentType")
        );
        assert!(form_error_response(&Error::Request(RequestError::TooLarge)).is_none());
    }

    #[test]
    fn errors_have_their_headers_and_no_internal_text() {
        assert_eq!(
            render(&Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated))).headers()[WWW_AUTHENTICATE],
            "Bearer"
        );
        let unavailable = render(&Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned())));
        assert_eq!(unavailable.headers()[RETRY_AFTER], "1");
        assert!(
            !body(&Error::Directory(DirectoryError::Unavailable("disk full at /secret".to_owned())))
                .to_string()
                .contains("secret")
        );
        for lasting in [
            Error::Directory(DirectoryError::OutcomeUnknown("/secret".to_owned())),
            Error::Directory(DirectoryError::Damaged("/secret".to_owned())),
        ] {
            assert_eq!(render(&lasting).status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(!render(&lasting).headers().contains_key(RETRY_AFTER));
            assert!(!body(&lasting).to_string().contains("secret"));
        }
    }

    #[test]
    fn a_missing_role_is_reported_with_those_that_would_do() {
        let sufficient = Roles::FULL_ACCESS.with(Roles::USER_ADMIN);
        let data =
            body(&Error::Directory(DirectoryError::Forbidden { sufficient, assigned: Roles::GROUP_READER }))["Errors"]
                [0]["Data"]
                .clone();
        let (sufficient, assigned) = (json!(["FullAccess", "AdminUserAdmin"]), json!(["AdminUserGroupReader"]));
        assert_eq!(data, json!({ "SufficientRoles": sufficient, "AssignedRoles": assigned }));
    }
}
