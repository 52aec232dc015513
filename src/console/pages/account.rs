//! The account of who is signed in: their groups, sessions and password. Every user has it, also one without roles.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::error::{Error as DirectoryError, SignInError};
use crate::domain::membership::JoinedGroup;
use crate::domain::session::Session;
use crate::domain::sign_in::Origin;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User};
use crate::http::request::error::Result;
use crate::http::request::extract::Path;
use crate::http::{ApiState, Failure};

use super::page_with;
use super::sign_in::signed_in;
use crate::console::browser::{Browser, Page};
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, Theme, full_name};
use crate::console::messages::{self as m, account as t};
use crate::console::{cookies, ui};

/// The path of the page.
const PATH: &str = "/console/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    name: String,
    user: User,
    groups: Vec<OwnGroup>,
    more_groups: Option<String>,
    sessions: Vec<Session>,
    own_session: String,
    problem: Option<&'static str>,
}

/// A group that the user is in.
struct OwnGroup {
    name: String,
    since: Timestamp,
}

impl From<JoinedGroup> for OwnGroup {
    fn from(JoinedGroup { group, since, .. }: JoinedGroup) -> Self {
        Self { name: group.name, since }
    }
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page) -> Answer {
    Ok(rendered(&api, visit, StatusCode::OK, None).await?)
}

async fn rendered(api: &ApiState, visit: Page, status: StatusCode, problem: Option<&'static str>) -> Result<Response> {
    let (groups, total) = api.service.own_groups(&visit.signed_in).await?;
    let shown = groups.len() as u64;
    let more = total.and_then(|total| total.checked_sub(shown)).filter(|more| *more > 0);
    let account = AccountPage {
        frame: visit.frame(t::TITLE, Section::Account),
        name: full_name(visit.user()),
        user: visit.user().clone(),
        groups: groups.into_iter().map(OwnGroup::from).collect(),
        more_groups: more.map(|more| t::more_groups(&ui::number(&more))),
        sessions: api.service.own_sessions(&visit.signed_in).await?,
        own_session: visit.signed_in.session.id.clone(),
        problem,
    };
    page_with(status, &account)
}

/// Changes the user's own password. All other sessions of the user end.
pub(in crate::console) async fn change_password(
    State(api): State<ApiState>,
    visit: Page,
    origin: Origin,
    fields: Fields,
) -> Answer {
    let (old, new) = (Secret::from(fields.text("old")), Secret::from(fields.text("new")));
    if fields.is_resumed() {
        return Ok(redirect(PATH));
    }
    if fields.text("new") != fields.text("again") {
        return Ok(rendered(&api, visit, StatusCode::BAD_REQUEST, Some(t::DIFFERENT)).await?);
    }
    let problem = match api.service.change_own_password(&visit.signed_in, &old, &new, origin).await {
        Ok(session) => return Ok(signed_in(PATH, &session.secret, &Done::new(t::CHANGED))),
        Err(DirectoryError::InsecurePassword) => m::PASSWORD_RULE,
        Err(DirectoryError::SignIn(SignInError::InvalidCredentials | SignInError::CredentialsRequired)) => t::WRONG,
        Err(error) => return Err(Failure::from(error)),
    };
    Ok(rendered(&api, visit, StatusCode::BAD_REQUEST, Some(problem)).await?)
}

/// Ends another session of the user.
pub(in crate::console) async fn end_session(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
) -> Answer {
    api.service.end_own_session(&visit.signed_in, &id).await?;
    Ok(see(PATH, &Done::new(t::SESSION_ENDED)))
}

/// Keeps the theme that the reader chose.
pub(in crate::console) async fn set_appearance(browser: Browser, fields: Fields) -> Response {
    let mut response = redirect(&browser.page);
    cookies::keep_theme(&mut response, Theme::named(Some(fields.text("theme"))).name());
    response
}
