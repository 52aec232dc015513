//! A new client.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::ManageClients;
use crate::http::ApiState;
use crate::http::request::error::Result;

use super::fields::{ClientForm, read_new};
use super::path_of;
use super::secret::{Shown, shown};
use crate::console::browser::Page;
use crate::console::done::{Done, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "clients_new.html")]
struct NewPage {
    frame: Frame,
    form: ClientForm,
}

/// The form.
pub(in crate::console) async fn form(visit: Page) -> Answer {
    visit.permit::<ManageClients>()?;
    Ok(rendered(&visit, ClientForm::empty(), StatusCode::OK)?)
}

fn rendered(visit: &Page, form: ClientForm, status: StatusCode) -> Result<Response> {
    page_with(status, &NewPage { frame: visit.frame(t::NEW, Section::Clients), form })
}

/// Creates the client, and shows its secret. A public client has none, and its page is shown.
pub(in crate::console) async fn create(State(api): State<ApiState>, visit: Page, fields: Fields) -> Answer {
    if fields.is_resumed() {
        return Ok(rendered(&visit, ClientForm::filled(&fields), StatusCode::OK)?);
    }
    let operation = api.service.new_operation();
    let created = async {
        let permit = visit.change::<ManageClients>(&operation, fields.reason()?)?;
        Ok(read_new(&fields)?.create(&api.service, &permit).await?)
    };
    match created.await {
        Ok((client, secret)) => {
            let done = Done::undoable(t::created(&client.fields.name), operation);
            match secret {
                Some(secret) => Ok(shown(&visit, &client, &secret, Shown::Secret, done)?),
                None => Ok(see(&path_of(&client.fields.id), &done)),
            }
        }
        Err(error) => {
            let form = ClientForm::filled(&fields).with_problems(error)?;
            Ok(rendered(&visit, form, StatusCode::BAD_REQUEST)?)
        }
    }
}
