//! From the `Authorization` header to a caller and to a permit. Standing first among a handler's arguments, they
//! make 401 and 403 come before everything that a path or body could be blamed for.

use std::str::from_utf8;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::domain::Error;
use crate::domain::role::{Caller, Permission, Permit};

use super::{Api, Failure};

/// The caller behind any valid token, whatever its roles.
pub struct Bearer(pub Arc<Caller>);

impl FromRequestParts<Api> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let token = bearer_token(parts).ok_or(Error::Unauthenticated)?;
        Ok(Self(api.service.authenticate(token, api.door).await?))
    }
}

impl<P: Permission> FromRequestParts<Api> for Permit<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let Bearer(caller) = Bearer::from_request_parts(parts, api).await?;
        Ok(caller.permit()?)
    }
}

/// The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1); the scheme in any case.
fn bearer_token(parts: &Parts) -> Option<&str> {
    let (scheme, token) = from_utf8(parts.headers.get(AUTHORIZATION)?.as_bytes()).ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
