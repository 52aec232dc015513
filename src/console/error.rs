//! The pages of errors: what happened, and what to do. The only place that converts an error to a status and a page.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};

use crate::domain::error::{Error as DirectoryError, ResourceKind, SignInError, Violation};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::http::Failure;
use crate::http::request::error::{Error, ListError, RequestError};
use crate::http::response::envelope::{FailedRequest, add_error_headers, log};

use super::browser::Browser;
use super::frame::{Frame, Section, Theme};
use super::messages::{self as m, errors};
use super::time::Reader;
use super::{list, ui};

/// The header that makes htmx leave the page for another one.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
/// The header of a request by htmx.
const HX_REQUEST: &str = "hx-request";

/// What a page says of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The status of the response.
    pub status: StatusCode,
    /// What happened.
    pub title: String,
    /// What to do.
    pub text: String,
}

impl Problem {
    fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: text.into() }
    }

    /// What a page says of the error.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Request(error) => of_request(error),
            Error::Directory(error) => of_directory(error),
        }
    }
}

fn of_request(error: &RequestError) -> Problem {
    match error {
        RequestError::RouteNotFound(_) | RequestError::InvalidPath(_) => {
            Problem::new(StatusCode::NOT_FOUND, errors::NO_PAGE, errors::CHECK_THE_ADDRESS)
        }
        RequestError::MethodNotAllowed => {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, errors::NO_PAGE, errors::GO_BACK)
        }
        RequestError::Malformed(sentence) => Problem::new(StatusCode::BAD_REQUEST, errors::NOT_UNDERSTOOD, *sentence),
        RequestError::HeadTooLarge => {
            Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, errors::NOT_UNDERSTOOD, errors::HEAD_TOO_LARGE)
        }
        RequestError::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, errors::TOO_MUCH, errors::SEND_LESS),
        RequestError::UriTooLong => {
            Problem::new(StatusCode::URI_TOO_LONG, errors::NOT_UNDERSTOOD, errors::URL_TOO_LONG)
        }
        RequestError::UnsupportedMediaType | RequestError::UnsupportedEncoding => {
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, errors::NOT_UNDERSTOOD, errors::NOT_A_FORM)
        }
        RequestError::InvalidBody(reason) => {
            Problem::new(StatusCode::BAD_REQUEST, errors::NOT_UNDERSTOOD, errors::sentence(reason))
        }
        // An API's protocol.
        RequestError::Protocol(error) => {
            Problem::new(StatusCode::BAD_REQUEST, errors::NOT_UNDERSTOOD, error.detail.clone())
        }
        RequestError::List(error) => Problem::new(StatusCode::BAD_REQUEST, errors::BAD_LIST, of_list(error)),
    }
}

fn of_list(error: &ListError) -> String {
    match error {
        ListError::Page | ListError::PageSize => errors::wrong_parameter("limit"),
        ListError::Property(name)
        | ListError::SearchProperty(name)
        | ListError::SortProperty(name)
        | ListError::Unknown(name) => errors::unknown_parameter(name),
        ListError::Type(name) if name == "after" => errors::OLD_PLACE.to_owned(),
        ListError::Type(name) | ListError::Text(name) => errors::wrong_parameter(name),
        ListError::Repeated(name) | ListError::Empty(name) => errors::wrong_parameter(name),
        ListError::TooCostly => errors::TOO_MANY_FILTERS.to_owned(),
    }
}

fn of_directory(error: &DirectoryError) -> Problem {
    let conflict = |title: &str, text: String| Problem::new(StatusCode::CONFLICT, title, text);
    match error {
        DirectoryError::Invalid(violations) => {
            Problem::new(StatusCode::BAD_REQUEST, errors::NOT_SAVED, violations_text(violations))
        }
        DirectoryError::InsecurePassword => Problem::new(StatusCode::BAD_REQUEST, errors::NOT_SAVED, m::PASSWORD_RULE),
        // A change that only SCIM makes.
        DirectoryError::NoTarget(sentence) => {
            Problem::new(StatusCode::BAD_REQUEST, errors::NOT_SAVED, sentence.clone())
        }
        DirectoryError::ListTooCostly => {
            Problem::new(StatusCode::BAD_REQUEST, errors::TOO_COSTLY, errors::NARROW_THE_LIST)
        }
        DirectoryError::NotFound(kind, _) => {
            Problem::new(StatusCode::NOT_FOUND, errors::not_found(kind_name(*kind)), errors::CHECK_OR_SEARCH)
        }
        DirectoryError::AlreadyDeleted => conflict(errors::ALREADY_DELETED, errors::SEE_DELETED.to_owned()),
        DirectoryError::AlreadyErased => conflict(errors::ERASED, errors::NOTHING_LEFT.to_owned()),
        DirectoryError::NotDeleted => conflict(errors::NOT_DELETED, errors::NOTHING_TO_RESTORE.to_owned()),
        DirectoryError::NoLongerKept => Problem::new(StatusCode::GONE, errors::NO_LONGER_KEPT, errors::PAST_IS_LIMITED),
        DirectoryError::BeforeHorizon(horizon) => {
            Problem::new(StatusCode::GONE, errors::NO_LONGER_KEPT, errors::kept_since(&horizon.to_civil().to_string()))
        }
        DirectoryError::RestoredIdTaken { id, proposed, .. } => {
            conflict(errors::ID_TAKEN, errors::take_another(id, proposed))
        }
        DirectoryError::UnknownUsers(users) => {
            Problem::new(StatusCode::BAD_REQUEST, errors::UNKNOWN_USERS, errors::unknown_users(users.len()))
        }
        DirectoryError::TooManyRemovals { removals, allowed, members } => {
            conflict(errors::TOO_MANY_REMOVALS, errors::removals(*removals, *allowed, *members))
        }
        DirectoryError::UndoConflicts(outcome) => {
            conflict(errors::UNDO_CONFLICTS, errors::conflicts(outcome.conflicts))
        }
        DirectoryError::UndoTooLarge => conflict(errors::UNDO_TOO_LARGE, errors::UNDO_PARTS.to_owned()),
        DirectoryError::HasUsers(members) => conflict(errors::HAS_MEMBERS, errors::members_first(*members)),
        DirectoryError::AlreadyExists(kind, id) => conflict(errors::ID_TAKEN, errors::exists(kind_name(*kind), id)),
        DirectoryError::UsernameTaken => conflict(errors::USERNAME_TAKEN, errors::ANOTHER_USERNAME.to_owned()),
        DirectoryError::PublicClient(_) => conflict(errors::PUBLIC_CLIENT, errors::NEEDS_A_SECRET.to_owned()),
        DirectoryError::KeyAnnounced(_) => conflict(errors::KEY_ANNOUNCED, errors::WAIT_FOR_THE_KEY.to_owned()),
        DirectoryError::PreconditionFailed => conflict(errors::STALE, errors::LOAD_AGAIN.to_owned()),
        DirectoryError::KeyReused | DirectoryError::KeyInUse => {
            conflict(errors::SENT_TWICE, errors::LOAD_AGAIN.to_owned())
        }
        DirectoryError::SignIn(error) => of_sign_in(*error),
        DirectoryError::Forbidden { sufficient, .. } => {
            Problem::new(StatusCode::FORBIDDEN, errors::FORBIDDEN, errors::needs_role(&role_names(*sufficient)))
        }
        DirectoryError::NotAuthorizedToAdmin => Problem::new(StatusCode::FORBIDDEN, errors::FORBIDDEN, errors::LIMITED),
        DirectoryError::Unavailable(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, errors::UNAVAILABLE, errors::TRIES_AGAIN)
        }
        DirectoryError::Damaged(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, errors::DAMAGED, errors::TELL_THE_OPERATOR)
        }
        DirectoryError::OutcomeUnknown(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, errors::OUTCOME_UNKNOWN, errors::LOOK_FIRST)
        }
        DirectoryError::Internal(_) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, errors::INTERNAL, errors::TELL_THE_OPERATOR)
        }
    }
}

fn of_sign_in(error: SignInError) -> Problem {
    match error {
        SignInError::Unauthenticated | SignInError::TokenRevoked => {
            Problem::new(StatusCode::UNAUTHORIZED, errors::SIGNED_OUT, errors::SIGN_IN_AGAIN)
        }
        SignInError::InvalidCredentials => {
            Problem::new(StatusCode::UNAUTHORIZED, errors::SIGN_IN_REFUSED, m::sign_in::REFUSED)
        }
        SignInError::CredentialsRequired => {
            Problem::new(StatusCode::BAD_REQUEST, errors::SIGN_IN_REFUSED, m::sign_in::BOTH_FIELDS)
        }
        SignInError::InvalidClient
        | SignInError::InvalidRefreshToken
        | SignInError::UnsupportedGrantType
        | SignInError::InvalidScope => Problem::new(StatusCode::BAD_REQUEST, errors::SIGN_IN_REFUSED, errors::GO_BACK),
    }
}

/// Every broken rule as a sentence.
fn violations_text(violations: &[Violation]) -> String {
    let sentences: Vec<_> = violations.iter().map(|own| errors::violation(own.field, &own.reason)).collect();
    sentences.join(" ")
}

fn role_names(roles: Roles) -> String {
    roles.names().collect::<Vec<_>>().join(", ")
}

pub(super) fn kind_name(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Group => errors::GROUP,
        ResourceKind::User => errors::USER,
        ResourceKind::Membership => errors::MEMBERSHIP,
        ResourceKind::Client => errors::CLIENT,
        ResourceKind::LongLivedToken => errors::TOKEN,
        ResourceKind::Certificate => errors::KEY,
        ResourceKind::Operation => errors::OPERATION,
        ResourceKind::Session => errors::SESSION,
        ResourceKind::SetupPage => errors::SETUP_CODE,
    }
}

/// A page with an error as its content.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    problem: Problem,
    /// Whether the page loads itself again after a few seconds.
    tries_again: bool,
}

/// The response to an error, which is logged: a page, or the way to the sign-in.
pub(super) fn page(
    error: &Error,
    browser: Option<&Browser>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let problem = Problem::of(error);
    let (status, request_id) = (problem.status, "");
    log(error, &FailedRequest { method: method.as_str(), path: uri.path(), status: status.as_u16(), request_id });
    let here = browser.map_or("/console/", |browser| &*browser.page);
    let mut response = match status {
        StatusCode::UNAUTHORIZED => sign_in(here, headers),
        _ => rendered(problem, browser, method.is_safe()),
    };
    add_error_headers(&mut response, error);
    response
}

/// The response to a form that a page of another origin sent.
pub(super) fn foreign_origin() -> Response {
    tracing::info!("a form of another origin was refused");
    rendered(Problem::new(StatusCode::FORBIDDEN, errors::FOREIGN_ORIGIN, errors::OPEN_HERE), None, false)
}

/// Leads to the sign-in, which leads back.
fn sign_in(page: &str, headers: &HeaderMap) -> Response {
    let path = format!("{}?to={}", super::SIGN_IN, list::encoded(page));
    match (headers.contains_key(HX_REQUEST), HeaderValue::from_str(&path)) {
        (true, Ok(path)) => (StatusCode::NO_CONTENT, [(HX_REDIRECT, path)]).into_response(),
        _ => super::done::redirect(&path),
    }
}

fn rendered(problem: Problem, browser: Option<&Browser>, is_read: bool) -> Response {
    let status = problem.status;
    let frame = match browser {
        Some(browser) => browser.frame(problem.title.clone(), Section::Other),
        None => lone_frame(problem.title.clone()),
    };
    let tries_again = is_read && status == StatusCode::SERVICE_UNAVAILABLE;
    match (ErrorPage { frame, problem, tries_again }).render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(_) => (status, status.canonical_reason().unwrap_or_default()).into_response(),
    }
}

/// The page of an error outside the guard. The middleware logs the error.
pub(super) fn render_alone(error: &Error) -> Response {
    let mut response = rendered(Problem::of(error), None, true);
    add_error_headers(&mut response, error);
    response
}

/// The frame of a page of which nothing is known.
fn lone_frame(title: String) -> Frame {
    let reader = Reader::new(Timestamp::from_micros(0), None);
    Frame {
        title,
        theme: Theme::Auto,
        reader,
        user: None,
        roles: String::new(),
        links: Vec::new(),
        done: None,
        is_secure: true,
    }
}

/// The answer to a path that no page has.
pub(super) async fn no_page(uri: Uri) -> Failure {
    Failure::from(RequestError::RouteNotFound(uri.path().to_owned()))
}
