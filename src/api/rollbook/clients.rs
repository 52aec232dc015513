//! The operations on clients (docs/rollbook.md, section 8).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::domain::answer::Answer;
use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::change::EntityVersion;
use crate::domain::client;
use crate::domain::error::Result;
use crate::domain::journal::Channel;
use crate::domain::user::Secret;
use crate::http::entity_tag::entity_tag;
use crate::http::lists::Walk;
use crate::http::request::conditions::Conditions;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::Representation;
use crate::http::{ApiState, Failure};
use crate::service::clients::NewSecret;

use super::wire::{Client, Page, WithSecret};
use super::{bodies, parameters};

/// List clients
///
/// In the order of their creation.
#[utoipa::path(
    get,
    path = "/rollbook/v1/clients",
    operation_id = "clients.list",
    tag = "Clients",
    params(
        ("limit" = Option<u32>, Query, description = "Clients on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
    ),
    responses((status = 200, description = "One page of clients", body = Page<Client>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadClients>,
    Query(query): Query,
) -> Result<JsonResponse<Page<Client>>, Failure> {
    let walk = Walk::read("clients", None, &query)?;
    let clients = api.service.clients_after(&permit, walk.after, walk.wanted()).await?;
    let (clients, next) = walk.page(clients, |client| client.uid);
    Ok(JsonResponse(Page { items: clients.iter().map(Client::new).collect(), next }))
}

/// Create a client
///
/// The answer shows the secret, once: a repetition with the same `Idempotency-Key` has null in its place. A public client
/// has none.
#[utoipa::path(
    post,
    path = "/rollbook/v1/clients",
    operation_id = "clients.create",
    tag = "Clients",
    request_body(content = ref("#/components/schemas/ClientInput"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new client",
        body = WithSecret<Client>,
        headers(("Location" = String, description = "The path of the new client")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let new = bodies::client(Fields::required(fields)?)?;
    let (service, has_secret) = (&api.service, !new.public);
    let record = move |channel: Channel, client: &client::Client| {
        created(channel, client, &WithSecret::repeated(Client::new(client), has_secret))
    };
    let show = |channel: Channel, (client, secret): &(client::Client, Option<Secret>)| {
        created(channel, client, &WithSecret::first(Client::new(client), secret.as_ref()))
    };
    write.respond_once(record, show, |permit| async move { new.create(service, &permit).await }).await
}

/// Get a client
///
/// Never its secret.
#[utoipa::path(
    get,
    path = "/rollbook/v1/clients/{client}",
    operation_id = "clients.get",
    tag = "Clients",
    params(("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")),
    responses((status = 200, description = "The client", body = Client))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadClients>,
    Path(id): Path<String>,
    Query(query): Query,
    conditions: Conditions,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let client = api.service.client(&permit, &id).await?;
    let representation = Representation::new(&Client::new(&client), entity_tag(api.channel, &client))?;
    conditions.answer(EntityVersion::of(&client), representation)
}

/// Change a client
///
/// A JSON merge patch (RFC 7396): what the body leaves out stays as it is. A removed role, another user and disabling the
/// client end its access and refresh tokens; the latter two end its long-lived tokens as well.
#[utoipa::path(
    patch,
    path = "/rollbook/v1/clients/{client}",
    operation_id = "clients.patch",
    tag = "Clients",
    params(("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")),
    request_body(
        content = ref("#/components/schemas/PartialClient"),
        content_type = "application/json",
        example = json!({ "roles": ["AdminUserGroupReader"], "user": "ada", "maxRemovalPercent": 10 }),
    ),
    responses((status = 200, description = "The client as it is now", body = Client))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Path(id): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, change) = (&api.service, bodies::client_change(Fields::required(fields)?)?);
    let changed =
        |channel: Channel, client: &client::Client| shown(StatusCode::OK, channel, client, &Client::new(client));
    write.respond(changed, |permit| async move { change.apply(service, &permit, &id).await }).await
}

/// Delete a client
///
/// All of its tokens end. A client may delete itself.
#[utoipa::path(
    delete,
    path = "/rollbook/v1/clients/{client}",
    operation_id = "clients.delete",
    tag = "Clients",
    params(("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Path(id): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let service = &api.service;
    write.respond(Answer::no_content, |permit| async move { service.delete_client(&permit, &id).await }).await
}

/// Give a client a new secret
///
/// The answer shows it, once, as that of a creation does. The old secret is invalid at once; access and refresh tokens end.
/// Long-lived tokens stay valid.
#[utoipa::path(
    post,
    path = "/rollbook/v1/clients/{client}/rotate",
    operation_id = "clients.rotate",
    tag = "Clients",
    params(("client" = String, Path, description = "The `client_id`, in any case", example = "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55")),
    responses((status = 200, description = "The client with its new secret", body = WithSecret<Client>))
)]
pub(super) async fn rotate(
    State(api): State<ApiState>,
    write: Write<ManageClients>,
    Path(id): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    bodies::nothing(fields)?;
    let service = &api.service;
    let record = |channel: Channel, client: &client::Client| {
        shown(StatusCode::OK, channel, client, &WithSecret::repeated(Client::new(client), true))
    };
    let show = |channel: Channel, NewSecret { client, secret }: &NewSecret| {
        shown(StatusCode::OK, channel, client, &WithSecret::first(Client::new(client), Some(secret)))
    };
    let rotate = |permit| async move { service.rotate_client_secret(&permit, &id).await };
    write.respond_once(record, show, rotate).await
}

/// The answer that shows a new client.
fn created(channel: Channel, client: &client::Client, body: &WithSecret<Client>) -> Result<Answer> {
    let location = format!("/rollbook/v1/clients/{}", client.fields.id);
    Ok(shown(StatusCode::CREATED, channel, client, body)?.created_at(location))
}

/// The answer that shows the client.
fn shown(status: StatusCode, channel: Channel, client: &client::Client, body: &impl Serialize) -> Result<Answer> {
    Ok(Answer::json(status, body)?.tagged(entity_tag(channel, client)))
}
