//! Disabling, enabling and deleting a client.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::ManageClients;
use crate::http::ApiState;
use crate::http::request::extract::Path;
use crate::service::clients::ClientPatch;

use super::{ClientHead, PATH, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page;
use crate::console::ui;

#[derive(Template)]
#[template(path = "clients_end.html")]
struct EndPage {
    frame: Frame,
    head: ClientHead,
    delete_question: String,
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(id): Path<String>) -> Answer {
    visit.permit::<ManageClients>()?;
    let client = find(&api, &visit, &id).await?;
    Ok(page(&EndPage {
        frame: visit.frame(&client.fields.name, Section::Clients),
        head: ClientHead::new(&visit, &client, Tab::End),
        delete_question: t::delete_question(&client.fields.name),
    })?)
}

/// Disables the client.
pub(in crate::console) async fn disable(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    set_enabled(&api, &visit, &id, &fields, false).await
}

/// Enables the client.
pub(in crate::console) async fn enable(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    set_enabled(&api, &visit, &id, &fields, true).await
}

async fn set_enabled(api: &ApiState, visit: &Page, id: &str, fields: &Fields, enabled: bool) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/end", path_of(id))));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<ManageClients>(&operation, fields.reason()?)?;
    let before = find(api, visit, id).await?;
    let patch = ClientPatch { enabled: Some(enabled), ..ClientPatch::default() };
    let client = api.service.patch_client(&permit, id, patch).await?;
    let name = &client.fields.name;
    let done = match (client.version == before.version, enabled) {
        (true, _) => Done::new(t::NOTHING_CHANGED),
        (false, true) => Done::undoable(t::enabled(name), operation),
        (false, false) => Done::undoable(t::disabled(name), operation),
    };
    Ok(see(&path_of(&client.fields.id), &done))
}

/// Deletes the client.
pub(in crate::console) async fn delete(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/end", path_of(&id))));
    }
    let permit = visit.change::<ManageClients>(&api.service.new_operation(), fields.reason()?)?;
    let client = find(&api, &visit, &id).await?;
    api.service.delete_client(&permit, &id).await?;
    Ok(see(PATH, &Done::new(t::deleted(&client.fields.name))))
}
