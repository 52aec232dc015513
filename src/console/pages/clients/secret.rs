//! A new secret of a client, and the page that shows a new secret or token. It is the answer to the form that made it, so
//! that what is secret stands in no address and in no cookie.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use secrecy::ExposeSecret as _;

use crate::domain::caller::ManageClients;
use crate::domain::client::Client;
use crate::domain::error::Error as DirectoryError;
use crate::domain::user::Secret;
use crate::http::ApiState;
use crate::http::request::error::Result;
use crate::http::request::extract::Path;

use super::{ClientHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "clients_secret.html")]
struct SecretPage {
    frame: Frame,
    head: ClientHead,
    question: String,
}

#[derive(Template)]
#[template(path = "clients_shown.html")]
struct ShownPage {
    frame: Frame,
    client: Html,
    client_id: String,
    /// The path of the client.
    path: String,
    /// The path of the page to go on with.
    next: String,
    title: String,
    /// The name of what is shown.
    label: &'static str,
    /// The name of what is shown, for the button that copies it.
    what: &'static str,
    secret: Secret,
}

/// What is shown once.
pub(super) enum Shown<'a> {
    /// The secret of the client.
    Secret,
    /// The long-lived token with the name.
    Token(&'a str),
}

/// The page that shows what is secret, with the line that says what was done.
pub(super) fn shown(visit: &Page, client: &Client, secret: &Secret, what: Shown<'_>, done: Done) -> Result<Response> {
    let path = path_of(&client.fields.id);
    let (title, label, what, next) = match what {
        Shown::Secret => (t::secret_of(&client.fields.name), t::SECRET, t::THE_SECRET, path.clone()),
        Shown::Token(name) => (t::the_token(name), t::TOKEN, t::THE_TOKEN, format!("{path}/tokens")),
    };
    page(&ShownPage {
        frame: Frame { done: Some(done), ..visit.frame(&title, Section::Clients) },
        client: ui::name(&client.fields.name),
        client_id: client.fields.id.clone(),
        path,
        next,
        title,
        label,
        what,
        secret: secret.clone(),
    })
}

/// The question whether the client is to get a new secret.
pub(in crate::console) async fn form(State(api): State<ApiState>, visit: Page, Path(id): Path<String>) -> Answer {
    visit.permit::<ManageClients>()?;
    let client = find(&api, &visit, &id).await?;
    if client.secret_hash.is_none() {
        return Err(DirectoryError::PublicClient(client.fields.id).into());
    }
    Ok(page(&SecretPage {
        frame: visit.frame(&client.fields.name, Section::Clients),
        head: ClientHead::new(&visit, &client, Tab::Secret),
        question: t::rotate_question(&client.fields.name),
    })?)
}

/// Gives the client a new secret, and shows it.
pub(in crate::console) async fn rotate(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/secret", path_of(&id))));
    }
    let permit = visit.change::<ManageClients>(&api.service.new_operation(), fields.reason()?)?;
    let rotated = api.service.rotate_client_secret(&permit, &id).await?;
    let done = Done::new(t::rotated(&rotated.client.fields.name));
    Ok(shown(&visit, &rotated.client, &rotated.secret, Shown::Secret, done)?)
}
