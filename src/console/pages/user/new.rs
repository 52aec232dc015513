//! A new user.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::WriteUsers;
use crate::http::request::error::Result;
use crate::http::{ApiState, entities};

use super::form::{UserForm, body};
use super::path_of;
use crate::console::browser::Page;
use crate::console::done::{Done, see};
use crate::console::form::{Answer, Fields, Form};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::messages::{self as m, user as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "user_new.html")]
struct NewPage {
    frame: Frame,
    form: UserForm,
}

/// The form of a new user.
pub(in crate::console) async fn form(visit: Page) -> Answer {
    visit.permit::<WriteUsers>()?;
    Ok(new_page(&visit, Form::default(), StatusCode::OK)?)
}

fn new_page(visit: &Page, form: Form, status: StatusCode) -> Result<Response> {
    page_with(status, &NewPage { frame: visit.frame(t::NEW, Section::Users), form: UserForm::new(form, visit) })
}

/// Creates a user.
pub(in crate::console) async fn create(State(api): State<ApiState>, visit: Page, fields: Fields) -> Answer {
    let filled = || Form::new(fields.clone()).with("password", "");
    if fields.is_resumed() {
        return Ok(new_page(&visit, filled(), StatusCode::OK)?);
    }
    let operation = api.service.new_operation();
    let created = async {
        let permit = visit.change::<WriteUsers>(&operation, fields.reason()?)?;
        let (user, password) = entities::new_user(body(&fields)?)?;
        Ok(api.service.create_complete_user(&permit, user, password).await?)
    };
    match created.await {
        Ok(user) => Ok(see(&path_of(user.uid), &Done::undoable(t::created(&full_name(&user)), operation))),
        Err(error) => Ok(new_page(&visit, filled().with_problems(error)?, StatusCode::BAD_REQUEST)?),
    }
}
