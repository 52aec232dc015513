//! The operations to sign in and to sign out (docs/core.md, section 5).

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::domain::caller::{Permission as _, ReadGroups};
use crate::domain::sign_in::Origin;
use crate::http::request::caller::Bearer;
use crate::http::request::extract::Body;
use crate::http::request::fields::Fields;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::bodies::Logon;
use super::wire::{Done, LogonSession};

/// Sign in
///
/// An unknown user, a wrong password, a locked and an inactive user all get the same answer. The token is the same
/// as `POST /oauth/token` gives: it opens every API of this server.
#[utoipa::path(
    post,
    path = "/api/admin/v1/user/logon",
    operation_id = "logon",
    tag = "User",
    request_body = Logon,
    responses((status = 200, description = "Signed in", body = LogonSession))
)]
pub(super) async fn logon(
    State(api): State<ApiState>,
    origin: Origin,
    Body(fields): Body,
) -> Result<impl IntoResponse, Failure> {
    let Logon { username, password } = Logon::read(Fields::required(fields)?)?;
    // A user needs at least the right to read groups: without it, no other operation of this API is allowed.
    let result = api.service.log_on(&username, &password, ReadGroups::ROLES, origin).await?;
    let session = LogonSession::new(result.token, result.user, result.roles, api.service.default_language());
    Ok(([(CACHE_CONTROL, "no-store")], JsonResponse(session)))
}

/// Sign out
///
/// Ends the token that the call carries, at every API.
#[utoipa::path(
    post,
    path = "/api/admin/v1/user/logoff",
    operation_id = "logoff",
    tag = "User",
    responses((status = 200, description = "Signed out", body = Done))
)]
pub(super) async fn logoff(State(api): State<ApiState>, Bearer(caller): Bearer) -> Result<impl IntoResponse, Failure> {
    api.service.log_off(&caller).await?;
    Ok(JsonResponse(Done::OK))
}
