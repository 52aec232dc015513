//! The user of the caller's token, for this API and for programs that use OpenID Connect (docs/ordercloud.md, section 8).

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::error::SignInError;
use crate::domain::user::User as DomainUser;
use crate::http::request::caller::Bearer;
use crate::http::request::error::{DirectoryError, Error};
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::error::{error_response, no_user_response};
use super::wire::User;

/// Get the current user
///
/// The admin user that the token acts for. A client without a user has none.
#[utoipa::path(
    get,
    path = "/v1/me",
    operation_id = "Me.Get",
    tag = "Me",
    responses((status = 200, description = "The admin user of the token", body = User))
)]
pub(super) async fn get(State(api): State<ApiState>, Bearer(caller): Bearer) -> Result<Response, Failure> {
    match api.service.own_user(&caller).await? {
        Some(user) => Ok(JsonResponse(User::from(user)).into_response()),
        None => Ok(no_user_response().into_response()),
    }
}

/// The claims of a user (OpenID Connect Core 1.0, section 5.1).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "sub": "12", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "preferred_username": "ada",
    "email": "ada@example.com",
}))]
pub(super) struct UserInfo {
    /// The user's number, which never changes and is never reused.
    sub: String,
    /// First and last name.
    name: String,
    given_name: String,
    family_name: String,
    /// The username, which can change.
    preferred_username: String,
    email: String,
}

impl From<DomainUser> for UserInfo {
    fn from(DomainUser { uid, fields, .. }: DomainUser) -> Self {
        Self {
            sub: uid.to_string(),
            name: format!("{} {}", fields.first_name, fields.last_name),
            given_name: fields.first_name,
            family_name: fields.last_name,
            preferred_username: fields.username,
            email: fields.email,
        }
    }
}

/// Get the claims of the current user
///
/// OpenID Connect Core 1.0, section 5.3. A refused token is 401 with `WWW-Authenticate` as in RFC 6750, section 3.
#[utoipa::path(
    get,
    path = "/oauth/userinfo",
    operation_id = "Auth.UserInfo",
    tag = "Authentication",
    responses((status = 200, description = "The claims of the user of the token", body = UserInfo))
)]
pub(super) async fn user_info(
    State(api): State<ApiState>,
    headers: HeaderMap,
    bearer: Result<Bearer, Failure>,
) -> Result<Response, Failure> {
    user_info_of(&api, &headers, bearer).await
}

/// Get the claims of the current user by POST
///
/// As the GET; OpenID Connect Core 1.0, section 5.3.1, requires both. A body is ignored.
#[utoipa::path(
    post,
    path = "/oauth/userinfo",
    operation_id = "Auth.PostUserInfo",
    tag = "Authentication",
    responses((status = 200, description = "The claims of the user of the token", body = UserInfo))
)]
pub(super) async fn post_user_info(
    State(api): State<ApiState>,
    headers: HeaderMap,
    bearer: Result<Bearer, Failure>,
) -> Result<Response, Failure> {
    user_info_of(&api, &headers, bearer).await
}

async fn user_info_of(
    api: &ApiState,
    headers: &HeaderMap,
    bearer: Result<Bearer, Failure>,
) -> Result<Response, Failure> {
    let caller = match bearer {
        Ok(Bearer(caller)) => caller,
        Err(Failure(error @ Error::Directory(DirectoryError::SignIn(refusal)))) => {
            let response = error_response(&error).into_response();
            // RFC 6750, section 3.1: a request without a token gets no error code.
            return Ok(match headers.contains_key(AUTHORIZATION) {
                true => challenged(response, token_challenge(refusal)),
                false => response,
            });
        }
        Err(failure) => return Err(failure),
    };
    match api.service.own_user(&caller).await? {
        Some(user) => Ok(JsonResponse(UserInfo::from(user)).into_response()),
        None => Ok(challenged(no_user_response().into_response(), r#"Bearer error="insufficient_scope""#)),
    }
}

/// The challenge to a caller whose token is refused.
const fn token_challenge(refusal: SignInError) -> &'static str {
    match refusal {
        SignInError::TokenRevoked => r#"Bearer error="invalid_token", error_description="The token was revoked""#,
        _ => r#"Bearer error="invalid_token", error_description="The token is invalid or expired""#,
    }
}

/// The response with this challenge.
fn challenged(mut response: Response, challenge: &'static str) -> Response {
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
