//! The operations on the keys that sign tokens (docs/rollbook.md, section 8).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{OperateDirectory, Permit, ReadClients};
use crate::domain::error::Result;
use crate::domain::journal::Channel;
use crate::domain::signing_key::PublishedKey;
use crate::http::request::extract::{Body, Query};
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::wire::{Key, Keys};
use super::{bodies, parameters};

/// List the signing keys
///
/// The newest first, without their key material. Every key is published, and verifies the tokens that it signed.
#[utoipa::path(
    get,
    path = "/rollbook/v1/keys",
    operation_id = "keys.list",
    tag = "Keys",
    responses((status = 200, description = "All keys", body = Keys))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadClients>,
    Query(query): Query,
) -> Result<JsonResponse<Keys>, Failure> {
    parameters::check_names(&query, &[])?;
    let keys = api.service.signing_keys(&permit).await?;
    Ok(JsonResponse(Keys { items: keys.iter().map(Key::new).collect() }))
}

/// Create a signing key
///
/// It is published at once and signs after `publishSeconds` (2 to 86400; 360 if left out), when every node and every
/// program that verifies tokens knows it. Tokens that older keys signed stay valid.
#[utoipa::path(
    post,
    path = "/rollbook/v1/keys/rotate",
    operation_id = "keys.rotate",
    tag = "Keys",
    request_body(content = ref("#/components/schemas/KeyInput"), content_type = "application/json"),
    responses((status = 201, description = "The new key", body = Key))
)]
pub(super) async fn rotate(
    State(api): State<ApiState>,
    write: Write<OperateDirectory>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let published = bodies::publish_seconds(fields)?;
    let service = &api.service;
    let created = |_: Channel, key: &PublishedKey| Answer::json(StatusCode::CREATED, &Key::upcoming(key));
    let rotate = |permit| async move { service.rotate_signing_key(&permit, published).await };
    write.respond(created, rotate).await
}
