//! The fields of a client.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::{ManageClients, ReadClients};
use crate::domain::client::Client;
use crate::domain::error::Error as DirectoryError;
use crate::http::ApiState;
use crate::http::request::error::{Error, Result};
use crate::http::request::extract::Path;

use super::fields::{ClientForm, read_change};
use super::{Acting, ClientHead, Tab, acting, find, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, encoded};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "clients_one.html")]
struct ClientPage {
    frame: Frame,
    head: ClientHead,
    form: ClientForm,
    acting: Option<Acting>,
    /// What somebody else saved meanwhile, beside what the form says: the name of the field, theirs and mine.
    theirs: Vec<(&'static str, String, String)>,
    client: Client,
    curl: String,
}

/// The page of a client.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(id): Path<String>) -> Answer {
    let (client, acting) = read(&api, &visit, &id).await?;
    let form = ClientForm::of(&client, acting.as_ref());
    Ok(rendered(&visit, client, acting, form, Vec::new(), StatusCode::OK)?)
}

/// Reads the client, and the user as whom it acts.
async fn read(api: &ApiState, visit: &Page, id: &str) -> Result<(Client, Option<Acting>)> {
    let client = find(api, visit, id).await?;
    let acting = acting(api, &visit.permit::<ReadClients>()?, &client).await?;
    Ok((client, acting))
}

fn rendered(
    visit: &Page,
    client: Client,
    acting: Option<Acting>,
    form: ClientForm,
    theirs: Vec<(&'static str, String, String)>,
    status: StatusCode,
) -> Result<Response> {
    let of_api = format!("/rollbook/v1/clients/{}", encoded(&client.fields.id));
    let page = ClientPage {
        frame: visit.frame(&client.fields.name, Section::Clients),
        head: ClientHead::new(visit, &client, Tab::Overview),
        curl: list::curl(&visit.browser.origin, &of_api, &[]),
        form,
        acting,
        theirs,
        client,
    };
    page_with(status, &page)
}

/// Saves the fields. A form over an older version is shown beside what is there now, and changes nothing.
pub(in crate::console) async fn save(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    let form = ClientForm::filled(&fields);
    if fields.is_resumed() {
        let (client, acting) = read(&api, &visit, &id).await?;
        return Ok(rendered(&visit, client, acting, form, Vec::new(), StatusCode::OK)?);
    }
    let (operation, before) = (api.service.new_operation(), fields.trimmed("version").to_owned());
    let saved = async {
        let permit = visit.change::<ManageClients>(&operation, fields.reason()?)?;
        Ok(read_change(&fields)?.apply(&api.service, &permit, &id).await?)
    };
    match saved.await {
        Ok(client) => {
            let done = match client.version.to_string() == before {
                true => Done::new(t::NOTHING_CHANGED),
                false => Done::undoable(t::saved(&client.fields.name), operation),
            };
            Ok(see(&path_of(&client.fields.id), &done))
        }
        Err(Error::Directory(DirectoryError::PreconditionFailed)) => {
            let (client, acting) = read(&api, &visit, &id).await?;
            let theirs = ClientForm::of(&client, acting.as_ref());
            let differences = theirs.differences(&form);
            let form = form.over_version(&theirs.version);
            Ok(rendered(&visit, client, acting, form, differences, StatusCode::CONFLICT)?)
        }
        Err(error) => {
            let form = form.with_problems(error)?;
            let (client, acting) = read(&api, &visit, &id).await?;
            Ok(rendered(&visit, client, acting, form, Vec::new(), StatusCode::BAD_REQUEST)?)
        }
    }
}
