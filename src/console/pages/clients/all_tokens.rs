//! The list of all long-lived tokens, and revoking one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::long_lived_token::LongLivedToken;
use crate::http::ApiState;
use crate::http::lists::Walk;
use crate::http::request::error::Result;
use crate::http::request::extract::{Path, Query};

use super::token_rows::TokenRow;
use super::{PATH, TOKENS, list_tabs};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page;
use crate::console::ui;

#[derive(Template)]
#[template(path = "clients_tokens.html")]
struct TokensPage {
    frame: Frame,
    may_change: bool,
    /// Whether the rows name the client.
    sees_clients: bool,
    tabs: Vec<(String, &'static str, bool)>,
    curl: String,
    rows: Vec<TokenRow>,
    pager: Pager,
}

/// The list.
pub(in crate::console) async fn list(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadClients>()?;
    let url = ListUrl::new(TOKENS, pairs);
    let parameters = url.of_api(&[]);
    let walk = Walk::read("tokens", None, &parameters)?;
    let found = api.service.long_lived_tokens_after(&permit, None, walk.after, walk.wanted()).await?;
    let (tokens, next) = walk.page(found, |token| token.uid);
    let rows = rows(&api, &permit, &tokens).await?;
    Ok(page(&TokensPage {
        frame: visit.frame(t::ALL_TOKENS, Section::Clients),
        may_change: visit.may::<ManageClients>(),
        sees_clients: true,
        tabs: list_tabs(TOKENS),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/tokens", &parameters),
        pager: url.pager(rows.len(), None, next),
        rows,
    })?)
}

async fn rows(api: &ApiState, permit: &Permit<ReadClients>, tokens: &[LongLivedToken]) -> Result<Vec<TokenRow>> {
    let (mut clients, mut rows) = (HashMap::new(), Vec::with_capacity(tokens.len()));
    let now = api.service.now();
    for token in tokens {
        let client = match clients.entry(token.fields.client) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(api.service.client_of_token(permit, token).await?),
        };
        rows.push(TokenRow::new(token, client.as_ref(), now));
    }
    Ok(rows)
}

/// Revokes the token, and leads back to the list it was revoked from.
pub(in crate::console) async fn revoke(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    let back = if visit.browser.page.starts_with(PATH) { &*visit.browser.page } else { TOKENS };
    if fields.is_resumed() {
        return Ok(redirect(back));
    }
    let permit = visit.change::<ManageClients>(&api.service.new_operation(), fields.reason()?)?;
    let token = api.service.revoke_long_lived_token(&permit, &id).await?;
    Ok(see(back, &Done::new(t::revoked(&token.fields.name))))
}
