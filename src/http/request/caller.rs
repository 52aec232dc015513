//! Extractors of the caller and of a permit from the `Authorization` header. They are the first arguments of a handler,
//! so that 401 and 403 take precedence over errors in the path or body.

use std::str::from_utf8;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::domain::caller::{Caller, Permission, Permit};
use crate::domain::error::SignInError;
use crate::domain::time::Timestamp;
use crate::http::request::error::{Error, Result};

use super::bodies::Authenticator;
use crate::http::{ApiState, Failure};

/// The caller of a valid token with any roles. Rejects with `Unauthenticated` or `TokenRevoked`.
pub(crate) struct Bearer(
    /// The caller.
    pub Arc<Caller>,
);

impl FromRequestParts<ApiState> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Failure> {
        Ok(Self(api.caller(&parts.headers).await?))
    }
}

impl ApiState {
    /// Returns the caller of the bearer token in the headers. Fails with `Unauthenticated` or `TokenRevoked`.
    async fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>> {
        let token = bearer_token(headers).ok_or(SignInError::Unauthenticated)?;
        Ok(self.service.authenticate(token, self.channel).await?)
    }
}

/// The token of a request that is answered for long, to be checked again meanwhile.
pub(crate) struct Token(String);

impl FromRequestParts<ApiState> for Token {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _api: &ApiState) -> Result<Self, Failure> {
        let token = bearer_token(&parts.headers).ok_or(Error::from(SignInError::Unauthenticated))?;
        Ok(Self(token.to_owned()))
    }
}

impl Token {
    /// Returns a permit of the caller as the token's status was at `since` or later. Fails with `Unauthenticated`,
    /// `TokenRevoked` or `Forbidden`.
    pub(crate) async fn permit_since<P: Permission>(&self, api: &ApiState, since: Timestamp) -> Result<Permit<P>> {
        Ok(api.service.authenticate_since(&self.0, api.channel, since).await?.permit()?)
    }
}

impl Authenticator for ApiState {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<()> {
        self.caller(headers).await.map(drop)
    }
}

impl<P: Permission> FromRequestParts<ApiState> for Permit<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Failure> {
        let Bearer(caller) = Bearer::from_request_parts(parts, api).await?;
        Ok(caller.permit()?)
    }
}

/// Returns the token of `Authorization: Bearer <token>` (RFC 6750, section 2.1). The scheme is case-insensitive.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = from_utf8(headers.get(AUTHORIZATION)?.as_bytes()).ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
