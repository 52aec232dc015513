//! How this API tells what went wrong (docs/ordercloud.md, section 9).

use std::borrow::Cow;

use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::error::{Error, Kind, ListError};
use crate::domain::query::Page;
use crate::domain::user::PASSWORD_CHARS;
use crate::http::answer::Answer;

/// The body of every answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Errors {
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
pub struct Entry {
    /// What a program decides by.
    pub error_code: &'static str,
    /// A sentence for a person; its wording may change.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// Details, shaped by the code.
    #[schema(value_type = Option<Object>)]
    data: Value,
}

/// An error as this API tells it.
#[derive(Debug)]
pub struct Told {
    pub status: StatusCode,
    /// Never empty.
    pub entries: Vec<Entry>,
    /// The code of RFC 6749, section 5.2, where the token endpoint refuses a grant.
    grant_refusal: Option<&'static str>,
}

impl Told {
    /// The body of the answer.
    pub fn body(self) -> Errors {
        let description = self.entries.first().filter(|_| self.grant_refusal.is_some());
        let error_description = description.map(|entry| entry.message.clone());
        Errors { error: self.grant_refusal, error_description, errors: self.entries }
    }

    /// What a program decides by: the code of the entries, after that of RFC 6749 at the token endpoint.
    pub fn code(&self) -> String {
        let code = self.entries.first().map_or("", |entry| entry.error_code);
        self.grant_refusal.map_or_else(|| code.to_owned(), |refusal| format!("{refusal}, {code}"))
    }

    /// The answer.
    pub fn answer(self) -> Response {
        let (status, grant_refused) = (self.status, self.grant_refusal.is_some());
        let mut response = (status, Answer(self.body())).into_response();
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            _ if grant_refused => Some((CACHE_CONTROL, HeaderValue::from_static("no-store"))),
            _ => None,
        };
        response.headers_mut().extend(header);
        response
    }
}

/// The answer to a request that failed.
pub fn render(error: &Error) -> Response {
    let mut response = told(error).answer();
    // Not where the outcome is unknown: who tries again might do it twice.
    if matches!(error, Error::Unavailable(_)) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// How the token endpoint tells of a form that cannot be read; `None` where the error is of another kind.
pub fn told_of_form(error: &Error) -> Option<Told> {
    match error {
        Error::UnsupportedMediaType => Some(refused(
            "invalid_request",
            "Request.InvalidContentType",
            "Invalid content type. Please use x-www-form-urlencoded.",
        )),
        Error::InvalidBody(_) => Some(Told { grant_refusal: Some("invalid_request"), ..told(error) }),
        _ => None,
    }
}

/// The status, the code, the message and the data that tell of an error.
pub fn told(error: &Error) -> Told {
    use StatusCode as Status;
    match error {
        Error::RouteNotFound(path) => not_found("Route", path),
        Error::MethodNotAllowed => {
            one(Status::METHOD_NOT_ALLOWED, "Request.MethodNotAllowed", "Method is not allowed here.", Value::Null)
        }
        Error::TooLarge => {
            one(Status::PAYLOAD_TOO_LARGE, "Request.TooLarge", "Request body is larger than 1 MiB.", Value::Null)
        }
        Error::UriTooLong => {
            one(Status::URI_TOO_LONG, "Request.UriTooLong", "Request URL is longer than 16 KiB.", Value::Null)
        }
        Error::UnsupportedMediaType => one(
            Status::UNSUPPORTED_MEDIA_TYPE,
            "Request.InvalidContentType",
            "Invalid content type. Please use application/json.",
            Value::Null,
        ),
        Error::InvalidBody(why) => one(
            Status::BAD_REQUEST,
            "Request.InvalidRequestBody",
            "Request body is invalid or null.",
            json!({ "Reason": why }),
        ),
        Error::InvalidPath(_) => one(Status::BAD_REQUEST, "InvalidRequest", "Path is not valid text.", Value::Null),
        Error::Invalid(violations) => Told {
            status: Status::BAD_REQUEST,
            entries: violations.iter().map(|wrong| invalid(wrong.field, &wrong.reason)).collect(),
            grant_refusal: None,
        },
        Error::InsecurePassword => one(
            Status::BAD_REQUEST,
            "PasswordReset.InsecurePassword",
            "Password does not meet security requirements.",
            password_rules(),
        ),
        Error::List(error) => of_list(error),

        Error::NotFound(kind, id) => not_found(object_type(*kind), id),
        Error::AlreadyDeleted => not_found(object_type(Kind::Group), ""),
        Error::HasUsers(users) => one(
            Status::CONFLICT,
            "UserGroup.CannotDeleteWithUsers",
            "User group still has users.",
            json!({ "UserCount": users }),
        ),
        Error::AlreadyExists(kind, id) => {
            one(Status::CONFLICT, "IdExists", "Object already exists.", object(object_type(*kind), id))
        }
        Error::UsernameTaken => one(
            Status::CONFLICT,
            "User.UsernameMustBeUnique",
            "Username already exists in this Marketplace.",
            Value::Null,
        ),

        Error::Unauthenticated => {
            one(Status::UNAUTHORIZED, "InvalidToken", "Access token is invalid or expired.", Value::Null)
        }
        Error::TokenRevoked => one(
            Status::UNAUTHORIZED,
            "Auth.TokenRevoked",
            "The provided token has been revoked. Please re-authenticate.",
            Value::Null,
        ),
        Error::Forbidden { sufficient, assigned } => one(
            Status::FORBIDDEN,
            "Auth.InsufficientRoles",
            "User does not have role(s) required to perform this action.",
            json!({
                "SufficientRoles": sufficient.names().collect::<Vec<_>>(),
                "AssignedRoles": assigned.names().collect::<Vec<_>>(),
            }),
        ),
        Error::NotAuthorizedToAdmin => one(
            Status::FORBIDDEN,
            "Auth.UserNotAuthorizedToAdmin",
            "Callers limited to communities may not do this.",
            Value::Null,
        ),

        Error::InvalidCredentials => {
            refused("invalid_grant", "Auth.InvalidUsernameOrPassword", "Invalid username or password.")
        }
        Error::CredentialsRequired => {
            refused("invalid_request", "Auth.UsernameAndPasswordRequired", "Username and password are required.")
        }
        Error::InvalidClient => refused("invalid_client", "Auth.OauthError", "Client could not be authenticated."),
        Error::InvalidRefreshToken => {
            refused("invalid_grant", "Auth.OauthError", "Refresh token is invalid or expired.")
        }
        Error::UnsupportedGrantType => refused(
            "unsupported_grant_type",
            "Auth.OauthError",
            "grant_type must be client_credentials, password or refresh_token.",
        ),
        Error::InvalidScope => {
            refused("invalid_scope", "Auth.InsufficientRoles", "None of the roles in scope can be granted.")
        }

        Error::Unavailable(_) => one(
            Status::SERVICE_UNAVAILABLE,
            "Api.Offline",
            "The server cannot answer now and changed nothing. Please try again.",
            Value::Null,
        ),
        Error::OutcomeUnknown(_) => one(
            Status::SERVICE_UNAVAILABLE,
            "Api.OutcomeUnknown",
            "The server does not know whether the change was made. Please look before trying again.",
            Value::Null,
        ),
        Error::Internal(_) => one(
            Status::INTERNAL_SERVER_ERROR,
            "ServerError",
            "An unknown error has occurred on the server.",
            Value::Null,
        ),
    }
}

fn of_list(error: &ListError) -> Told {
    let about =
        |code, message, property: &str| one(StatusCode::BAD_REQUEST, code, message, json!({ "Property": property }));
    let request = |message: String| one(StatusCode::BAD_REQUEST, "InvalidRequest", message, Value::Null);
    match error {
        ListError::Page => request(format!("page must be an integer >= 1 and <= {}.", Page::MAX_NUMBER)),
        ListError::PageSize => one(
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
        ListError::Text(name) => request(format!("{name:.100} must be UTF-8 text without NUL.")),
        ListError::TooCostly => one(
            StatusCode::BAD_REQUEST,
            "List.TooCostly",
            "This list would cost more than the server spends on one request.",
            Value::Null,
        ),
    }
}

fn one(status: StatusCode, error_code: &'static str, message: impl Into<Cow<'static, str>>, data: Value) -> Told {
    Told { status, entries: vec![Entry { error_code, message: message.into(), data }], grant_refusal: None }
}

/// What the token endpoint answers to a grant.
fn refused(code: &'static str, error_code: &'static str, message: &'static str) -> Told {
    Told { grant_refusal: Some(code), ..one(StatusCode::BAD_REQUEST, error_code, message, Value::Null) }
}

/// The vendor's JavaScript client builds its message from the data of a 404, and breaks where there is none.
fn not_found(object_type: &str, id: &str) -> Told {
    one(StatusCode::NOT_FOUND, "NotFound", "Object not found.", object(object_type, id))
}

fn object(object_type: &str, id: &str) -> Value {
    json!({ "ObjectType": object_type, "ObjectID": id })
}

fn invalid(field: &str, reason: &str) -> Entry {
    Entry {
        error_code: "ValidationFailure",
        message: "Model or property was invalid.".into(),
        data: json!({ "Field": field, "Reason": reason }),
    }
}

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

const fn object_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Group => "UserGroup",
        Kind::User => "User",
        Kind::Membership => "UserGroupAssignment",
        Kind::Client => "ApiClient",
        Kind::Certificate => "Certificate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::domain::error::Violation;
    use crate::domain::role::Roles;

    fn body(error: &Error) -> Value {
        serde_json::to_value(told(error).body()).unwrap()
    }

    #[test]
    fn a_missing_thing_is_named_for_the_client() {
        let error = Error::NotFound(Kind::Group, "x".to_owned());
        let data = json!({ "ObjectType": "UserGroup", "ObjectID": "x" });
        let entry = json!({ "ErrorCode": "NotFound", "Message": "Object not found.", "Data": data });
        assert_eq!((told(&error).status, body(&error)), (StatusCode::NOT_FOUND, json!({ "Errors": [entry] })));
    }

    #[test]
    fn every_violation_has_an_entry() {
        let error = Error::Invalid(vec![Violation::new("Name", "is required"), Violation::new("ID", "is too long")]);
        let entries = body(&error)["Errors"].as_array().cloned().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1]["Data"], json!({ "Field": "ID", "Reason": "is too long" }));
    }

    #[test]
    fn a_refused_grant_is_told_in_both_forms() {
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
        assert_eq!(body(&Error::InvalidCredentials), both);
        let response = render(&Error::InvalidClient);
        assert_eq!(
            (response.status(), &response.headers()[CACHE_CONTROL]),
            (StatusCode::BAD_REQUEST, &"no-store".parse().unwrap())
        );
        let form = told_of_form(&Error::UnsupportedMediaType).unwrap();
        assert_eq!(
            (form.status, form.code().as_str()),
            (StatusCode::BAD_REQUEST, "invalid_request, Request.InvalidContentType")
        );
        assert!(told_of_form(&Error::TooLarge).is_none());
    }

    #[test]
    fn headers_tell_of_the_scheme_and_the_wait() {
        assert_eq!(render(&Error::Unauthenticated).headers()[WWW_AUTHENTICATE], "Bearer");
        let away = render(&Error::Unavailable("disk full at /secret".to_owned()));
        assert_eq!(away.headers()[RETRY_AFTER], "1");
        assert!(!body(&Error::Unavailable("disk full at /secret".to_owned())).to_string().contains("secret"));
        let unknown = Error::OutcomeUnknown("lost at /secret".to_owned());
        assert_eq!(render(&unknown).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!render(&unknown).headers().contains_key(RETRY_AFTER));
        assert!(!body(&unknown).to_string().contains("secret"));
    }

    #[test]
    fn a_missing_role_is_told_with_those_that_would_do() {
        let sufficient = Roles::FULL_ACCESS.with(Roles::USER_ADMIN);
        let data = body(&Error::Forbidden { sufficient, assigned: Roles::GROUP_READER })["Errors"][0]["Data"].clone();
        let (sufficient, assigned) = (json!(["FullAccess", "AdminUserAdmin"]), json!(["AdminUserGroupReader"]));
        assert_eq!(data, json!({ "SufficientRoles": sufficient, "AssignedRoles": assigned }));
    }
}
