//! The sign-in, the sign-out, and what follows a session that has ended in the middle of a form.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::error::{Error as DirectoryError, SignInError};
use crate::domain::sign_in::Origin;
use crate::domain::user::Secret;
use crate::http::request::error::Result;
use crate::http::request::extract::LooseQuery;
use crate::http::{ApiState, Failure};

use super::{page, page_with};
use crate::console::browser::{Browser, Page, own_page};
use crate::console::done::{Done, redirect, see};
use crate::console::form::{self, Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, sign_in as t};
use crate::console::{cookies, list, ui};

/// The beginning of the names of fields that were filled in before the session ended.
const KEPT: &str = "kept.";
/// The field with the path to which the kept form is sent.
const ACTION: &str = "action";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    notice: Option<&'static str>,
    problem: Option<&'static str>,
    username: String,
    to: String,
    kept: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "continue.html")]
struct ContinuePage {
    frame: Frame,
    action: String,
    kept: Vec<(String, String)>,
}

/// The start of the console: the first page that the user may see.
pub(in crate::console) async fn start(page: Option<Page>) -> Response {
    let first = page.as_ref().map(|page| page.frame("", Section::Other));
    match first.as_ref().map(|frame| frame.links.first()) {
        None => redirect(crate::console::SIGN_IN),
        Some(None) => redirect("/console/account"),
        Some(Some(link)) => redirect(link.path),
    }
}

/// The form to sign in with. Who is signed in goes on to the page asked for.
pub(in crate::console) async fn form(browser: Browser, LooseQuery(query): LooseQuery) -> Answer {
    let value = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| &**value);
    let to = value("to").and_then(own_page).unwrap_or_default().to_owned();
    if browser.signed_in.is_some() {
        return Ok(redirect(if to.is_empty() { "/console/" } else { &to }));
    }
    let notice = match () {
        () if !browser.is_secure => Some(t::NOT_SECURE),
        () if value("check").is_some() => Some(t::NO_COOKIES),
        () if value("out").is_some() => Some(t::SIGNED_OUT),
        () => None,
    };
    let frame = browser.frame(t::TITLE, Section::Other);
    Ok(page(&SignInPage { frame, notice, problem: None, username: String::new(), to, kept: Vec::new() })?)
}

/// Signs in, and leads to the page asked for, or back to the form that was filled in.
pub(in crate::console) async fn submit(
    State(api): State<ApiState>,
    browser: Browser,
    origin: Origin,
    fields: Fields,
) -> Answer {
    let (username, password) = (fields.text("username"), Secret::from(fields.text("password")));
    let kept: Vec<_> = fields.with_prefix(KEPT).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let to = own_page(fields.text("to")).unwrap_or_default();
    let session = match api.service.sign_in(username, &password, origin).await {
        Ok(session) => session,
        Err(DirectoryError::SignIn(error)) => {
            let (status, problem) = match error {
                SignInError::CredentialsRequired => (StatusCode::BAD_REQUEST, t::BOTH_FIELDS),
                _ => (StatusCode::UNAUTHORIZED, t::REFUSED),
            };
            let frame = browser.frame(t::TITLE, Section::Other);
            let (username, to) = (username.to_owned(), to.to_owned());
            return Ok(page_with(
                status,
                &SignInPage { frame, notice: None, problem: Some(problem), username, to, kept },
            )?);
        }
        Err(error) => return Err(Failure::from(error)),
    };
    let mut kept = kept;
    let action = kept.iter().position(|(name, _)| name == ACTION).map(|at| kept.remove(at).1);
    let mut response = match action.as_deref().and_then(own_page) {
        Some(action) => {
            let frame = browser.frame(t::CONTINUE_TITLE, Section::Other);
            page(&ContinuePage { frame, action: action.to_owned(), kept })?
        }
        // The next request shows whether the browser keeps the cookie.
        None => redirect(&format!("{}?check=1&to={}", crate::console::SIGN_IN, list::encoded(to))),
    };
    cookies::keep_session(&mut response, &session.secret);
    Ok(response)
}

/// Ends the session.
pub(in crate::console) async fn sign_out(State(api): State<ApiState>, visit: Option<Page>) -> Answer {
    if let Some(visit) = visit {
        api.service.sign_out(&visit.signed_in).await?;
    }
    let mut response = redirect(&format!("{}?out=1", crate::console::SIGN_IN));
    cookies::forget_session(&mut response);
    Ok(response)
}

/// The sign-in that keeps the fields of the form to `action`, except for passwords. Nothing was changed.
pub(in crate::console) fn keep(browser: &Browser, action: &str, pairs: Vec<(String, String)>) -> Result<Response> {
    const NEVER: [&str; 4] = ["password", "old", "new", "again"];
    let is_public = own_page(action).is_some() && !pairs.is_empty();
    let mut kept: Vec<_> = pairs.into_iter().filter(|(name, _)| !NEVER.contains(&&**name)).collect();
    if is_public {
        kept.push((ACTION.to_owned(), action.to_owned()));
    }
    let notice = Some(if is_public { t::ENDED } else { m::errors::SIGN_IN_AGAIN });
    let frame = browser.frame(t::TITLE, Section::Other);
    let to = browser.page.to_string();
    let username = String::new();
    page_with(StatusCode::UNAUTHORIZED, &SignInPage { frame, notice, problem: None, username, to, kept })
}

/// Leads to the page with the new session of a user, which then says what was done.
pub(super) fn signed_in(path: &str, secret: &Secret, done: &Done) -> Response {
    let mut response = see(path, done);
    cookies::keep_session(&mut response, secret);
    response
}
