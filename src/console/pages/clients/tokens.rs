//! The long-lived tokens of one client, and creating one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::{ManageClients, ReadClients};
use crate::domain::text::fold;
use crate::http::ApiState;
use crate::http::lists::Walk;
use crate::http::request::error::Result;
use crate::http::request::extract::{Path, Query};

use super::fields::{TokenForm, read_token};
use super::secret::{Shown, shown};
use super::token_rows::TokenRow;
use super::{ClientHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::done::Done;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager, encoded};
use crate::console::messages::{self as m, clients as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "clients_one_tokens.html")]
struct TokensPage {
    frame: Frame,
    head: ClientHead,
    form: TokenForm,
    may_change: bool,
    /// Whether the rows name the client.
    sees_clients: bool,
    curl: String,
    rows: Vec<TokenRow>,
    pager: Pager,
}

/// The list.
pub(in crate::console) async fn list(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    Query(pairs): Query,
) -> Answer {
    Ok(rendered(&api, &visit, &id, pairs, TokenForm::empty(), StatusCode::OK).await?)
}

async fn rendered(
    api: &ApiState,
    visit: &Page,
    id: &str,
    pairs: Vec<(String, String)>,
    form: TokenForm,
    status: StatusCode,
) -> Result<Response> {
    let permit = visit.permit::<ReadClients>()?;
    let url = ListUrl::new(format!("{}/tokens", path_of(id)), pairs);
    let parameters = url.of_api(&[]);
    let walk = Walk::read("tokens", Some(&fold(id)), &parameters)?;
    let client = find(api, visit, id).await?;
    let found = api.service.long_lived_tokens_after(&permit, Some(&client), walk.after, walk.wanted()).await?;
    let (tokens, next) = walk.page(found, |token| token.uid);
    let now = api.service.now();
    let rows: Vec<_> = tokens.iter().map(|token| TokenRow::new(token, None, now)).collect();
    let of_api = format!("/rollbook/v1/clients/{}/tokens", encoded(&client.fields.id));
    let page = TokensPage {
        frame: visit.frame(t::tokens_of(&client.fields.name), Section::Clients),
        head: ClientHead::new(visit, &client, Tab::Tokens),
        form,
        may_change: visit.may::<ManageClients>(),
        sees_clients: false,
        curl: list::curl(&visit.browser.origin, &of_api, &parameters),
        pager: url.pager(rows.len(), None, next),
        rows,
    };
    page_with(status, &page)
}

/// Creates a token, and shows it.
pub(in crate::console) async fn create(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer {
    let form = || TokenForm::filled(&fields);
    if fields.is_resumed() {
        return Ok(rendered(&api, &visit, &id, Vec::new(), form(), StatusCode::OK).await?);
    }
    let created = async {
        let permit = visit.change::<ManageClients>(&api.service.new_operation(), fields.reason()?)?;
        let (name, days) = read_token(&fields)?;
        Ok(api.service.create_long_lived_token(&permit, &id, &name, days).await?)
    };
    match created.await {
        Ok(created) => {
            let client = find(&api, &visit, &id).await?;
            let name = &created.token.fields.name;
            let done = Done::new(t::token_created(name));
            Ok(shown(&visit, &client, &created.secret, Shown::Token(name), done)?)
        }
        Err(error) => {
            let form = form().with_problems(error)?;
            Ok(rendered(&api, &visit, &id, Vec::new(), form, StatusCode::BAD_REQUEST).await?)
        }
    }
}
