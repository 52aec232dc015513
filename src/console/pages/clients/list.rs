//! The list of clients.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::client::Client;
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::lists::Walk;
use crate::http::request::error::Result;
use crate::http::request::extract::Query;

use super::{PATH, acting, list_tabs, path_of};
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "clients.html")]
struct ClientsPage {
    frame: Frame,
    may_change: bool,
    tabs: Vec<(String, &'static str, bool)>,
    curl: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// One client.
struct Row {
    path: String,
    name: Html,
    id: String,
    roles: String,
    acts_as: Option<Html>,
    is_enabled: bool,
    is_public: bool,
    created: Timestamp,
}

/// The list.
pub(in crate::console) async fn list(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadClients>()?;
    let url = ListUrl::new(PATH, pairs);
    let parameters = url.of_api(&[]);
    let walk = Walk::read("clients", None, &parameters)?;
    let found = api.service.clients_after(&permit, walk.after, walk.wanted()).await?;
    let (clients, next) = walk.page(found, |client| client.uid);
    let rows = rows(&api, &permit, &clients).await?;
    Ok(page(&ClientsPage {
        frame: visit.frame(t::TITLE, Section::Clients),
        may_change: visit.may::<ManageClients>(),
        tabs: list_tabs(PATH),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/clients", &parameters),
        pager: url.pager(rows.len(), None, next),
        rows,
    })?)
}

async fn rows(api: &ApiState, permit: &Permit<ReadClients>, clients: &[Client]) -> Result<Vec<Row>> {
    let (mut users, mut rows) = (HashMap::new(), Vec::with_capacity(clients.len()));
    for client in clients {
        let user = match users.entry(client.fields.user) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(acting(api, permit, client).await?),
        };
        rows.push(Row {
            path: path_of(&client.fields.id),
            name: ui::name(&client.fields.name),
            id: client.fields.id.clone(),
            roles: client.fields.roles.names().collect::<Vec<_>>().join(", "),
            acts_as: user.as_ref().map(|user| ui::name(&user.name)),
            is_enabled: client.fields.enabled,
            is_public: client.secret_hash.is_none(),
            created: client.created,
        });
    }
    Ok(rows)
}
