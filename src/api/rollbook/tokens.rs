//! The operations on long-lived tokens (docs/rollbook.md, section 8).

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::error::Result;
use crate::domain::journal::Channel;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::text::fold;
use crate::http::lists::Walk;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};
use crate::service::tokens::NewLongLivedToken;

use super::wire::{Page, Token, WithSecret};
use super::{bodies, parameters};

/// List the long-lived tokens of a client
///
/// Those that have not ended, in the order of their creation; an expired one stays until it is revoked.
#[utoipa::path(
    get,
    path = "/rollbook/v1/clients/{client}/tokens",
    operation_id = "clients.tokens.list",
    tag = "Tokens",
    params(
        ("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55"),
        ("limit" = Option<u32>, Query, description = "Tokens on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
    ),
    responses((status = 200, description = "One page of tokens", body = Page<Token>))
)]
pub(super) async fn list_of_client(
    State(api): State<ApiState>,
    permit: Permit<ReadClients>,
    Path(id): Path<String>,
    Query(query): Query,
) -> Result<JsonResponse<Page<Token>>, Failure> {
    let walk = Walk::read("tokens", Some(&fold(&id)), &query)?;
    let client = api.service.client(&permit, &id).await?;
    let tokens = api.service.long_lived_tokens_after(&permit, Some(&client), walk.after, walk.wanted()).await?;
    let (tokens, next) = walk.page(tokens, |token| token.uid);
    let items = tokens.iter().map(|token| Token::new(token, &client.fields.id)).collect();
    Ok(JsonResponse(Page { items, next }))
}

/// List all long-lived tokens
///
/// Those that have not ended, in the order of their creation; an expired one stays until it is revoked.
#[utoipa::path(
    get,
    path = "/rollbook/v1/tokens",
    operation_id = "tokens.list",
    tag = "Tokens",
    params(
        ("limit" = Option<u32>, Query, description = "Tokens on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
    ),
    responses((status = 200, description = "One page of tokens", body = Page<Token>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadClients>,
    Query(query): Query,
) -> Result<JsonResponse<Page<Token>>, Failure> {
    let walk = Walk::read("tokens", None, &query)?;
    let tokens = api.service.long_lived_tokens_after(&permit, None, walk.after, walk.wanted()).await?;
    let (tokens, next) = walk.page(tokens, |token| token.uid);
    let (mut clients, mut items) = (HashMap::new(), Vec::with_capacity(tokens.len()));
    for token in &tokens {
        let client = match clients.get(&token.fields.client) {
            Some(id) => id,
            None => {
                let client = api.service.client_of_token(&permit, token).await?;
                let id = client.map(|client| client.fields.id).unwrap_or_default();
                &*clients.entry(token.fields.client).or_insert(id)
            }
        };
        items.push(Token::new(token, client));
    }
    Ok(JsonResponse(Page { items, next }))
}

/// Create a long-lived token
///
/// For a program that cannot use the token endpoint: every API takes it as the client's. The answer shows the token, once:
/// a repetition with the same `Idempotency-Key` has null in its place. A public client gets none.
#[utoipa::path(
    post,
    path = "/rollbook/v1/clients/{client}/tokens",
    operation_id = "clients.tokens.create",
    tag = "Tokens",
    params(("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")),
    request_body(content = ref("#/components/schemas/TokenInput"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new token",
        body = WithSecret<Token>,
        headers(("Location" = String, description = "The path by which the token is revoked")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Path(id): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (name, days) = bodies::token(Fields::required(fields)?)?;
    let service = &api.service;
    let client = service.client(&write.permit().caller().permit()?, &id).await?.fields.id;
    let recorded = client.clone();
    let record = move |_: Channel, token: &LongLivedToken| {
        created(token, &WithSecret::repeated(Token::new(token, &recorded), true))
    };
    let show = |_: Channel, NewLongLivedToken { secret, token }: &NewLongLivedToken| {
        created(token, &WithSecret::first(Token::new(token, &client), Some(secret)))
    };
    let create = |permit| async move { service.create_long_lived_token(&permit, &id, &name, days).await };
    write.respond_once(record, show, create).await
}

/// Revoke a long-lived token
///
/// It is invalid at once on this node, and within five seconds on every other. A client may revoke the token that the
/// request has.
#[utoipa::path(
    delete,
    path = "/rollbook/v1/tokens/{token}",
    operation_id = "tokens.delete",
    tag = "Tokens",
    params(("token" = String, Path, description = "The ID of the token, as lists show it", example = "1b0f6c9e-7e0b-4c53-a7c5-7d2f6f0f1d11")),
    responses((status = 204, description = "Revoked"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Path(id): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let service = &api.service;
    let revoke = |permit| async move { service.revoke_long_lived_token(&permit, &id).await.map(drop) };
    write.respond(Answer::no_content, revoke).await
}

/// The answer that shows a new token.
fn created(token: &LongLivedToken, body: &WithSecret<Token>) -> Result<Answer> {
    Ok(Answer::json(StatusCode::CREATED, body)?.created_at(format!("/rollbook/v1/tokens/{}", token.fields.id)))
}
