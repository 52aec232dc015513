//! The first start: whoever has the code that the server printed becomes the first administrator.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use crate::domain::error::{Error as DirectoryError, ResourceKind};
use crate::domain::sign_in::Origin;
use crate::domain::user::Secret;
use crate::http::request::extract::LooseQuery;
use crate::http::{ApiState, Failure};
use crate::service::setup::FirstAdministrator;

use super::sign_in::signed_in;
use super::{page, page_with};
use crate::console::browser::Browser;
use crate::console::done::Done;
use crate::console::error::Problem;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::messages::{self as m, setup as t, sign_in};
use crate::console::ui;

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    frame: Frame,
    problem: Option<String>,
    code: String,
    fields: Fields,
}

/// The form. A code that is wrong, used or expired is answered as a page that does not exist.
pub(in crate::console) async fn form(
    State(api): State<ApiState>,
    browser: Browser,
    LooseQuery(query): LooseQuery,
) -> Answer {
    let code = query.into_iter().find(|(name, _)| name == "code").map(|(_, code)| code).unwrap_or_default();
    if !api.service.is_setup_code(&code).await? {
        return Err(Failure::from(DirectoryError::NotFound(ResourceKind::SetupPage, String::new())));
    }
    let frame = browser.frame(t::TITLE, Section::Other);
    Ok(page(&SetupPage { frame, problem: None, code, fields: Fields::default() })?)
}

/// Creates the first administrator and signs them in. What is refused leaves the code as it was.
pub(in crate::console) async fn submit(
    State(api): State<ApiState>,
    browser: Browser,
    origin: Origin,
    fields: Fields,
) -> Answer {
    let (code, password) = (fields.text("code"), Secret::from(fields.text("password")));
    let own = |name: &str| fields.trimmed(name).to_owned();
    let administrator = FirstAdministrator {
        username: own("username"),
        first_name: own("firstName"),
        last_name: own("lastName"),
        email: own("email"),
        password: password.clone(),
    };
    let user = match api.service.set_up(code, administrator).await {
        Ok(user) => user,
        Err(
            error @ (DirectoryError::Invalid(_) | DirectoryError::InsecurePassword | DirectoryError::UsernameTaken),
        ) => {
            let problem = Problem::of(&error.into());
            let frame = browser.frame(t::TITLE, Section::Other);
            let (code, problem) = (code.to_owned(), Some(problem.text));
            return Ok(page_with(StatusCode::BAD_REQUEST, &SetupPage { frame, problem, code, fields })?);
        }
        Err(error) => return Err(Failure::from(error)),
    };
    let session = api.service.sign_in(&user.fields.username, &password, origin).await?;
    Ok(signed_in("/console/", &session.secret, &Done::new(t::done(&full_name(&user)))))
}
