//! Signing in and out (docs/core.md, section 5).

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::domain::members::Members;
use crate::domain::role::{Permission as _, ReadGroups};
use crate::http::answer::Answer;
use crate::http::caller::Bearer;
use crate::http::extract::Body;
use crate::http::{Api, Failure};

use super::bodies::Logon;
use super::wire::{Done, Session};

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
    responses((status = 200, description = "Signed in", body = Session))
)]
pub async fn logon(State(api): State<Api>, Body(members): Body) -> Result<impl IntoResponse, Failure> {
    let Logon { username, password } = Logon::read(Members::required(members)?)?;
    // Any role that opens this API will do, and reading is the least that one opens.
    let found = api.service.log_on(&username, &password, ReadGroups::ROLES).await?;
    let session = Session::new(found.token, found.user, found.roles, api.service.default_language());
    Ok(([(CACHE_CONTROL, "no-store")], Answer(session)))
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
pub async fn logoff(State(api): State<Api>, Bearer(caller): Bearer) -> Result<impl IntoResponse, Failure> {
    api.service.log_off(&caller).await?;
    Ok(Answer(Done::OK))
}
