//! Tokens and the keys that verify them (docs/ordercloud.md, section 8). These operations need no token.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::error::SignInError;
use crate::domain::role::Roles;
use crate::domain::sign_in::Origin;
use crate::domain::text::fold;
use crate::domain::user::Secret;
use crate::http::request::basic_auth::{self, BasicCredentials};
use crate::http::request::error::{DirectoryError, Error, RequestError, Result};
use crate::http::request::extract::{Form, Path};
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};
use crate::service::tokens::{ClientAuth, Grant, IssuedTokens, PUBLIC_KEYS_MAX_AGE};

use super::error::{ErrorResponse, basic_auth_error_response, form_error_response};

/// The grant types of the token endpoint.
const GRANT_TYPES: [&str; 3] = ["client_credentials", "password", "refresh_token"];

/// What is asked of the token endpoint. A field without a value counts as absent (RFC 6749, section 3.2).
#[derive(Default, ToSchema)]
#[schema(example = json!({
    "grant_type": "client_credentials", "client_id": "my-client", "client_secret": "its-secret", "scope": "FullAccess",
}))]
pub(super) struct TokenRequest {
    /// `client_credentials`, `password` or `refresh_token`.
    #[schema(value_type = String)]
    grant_type: Option<String>,
    #[schema(value_type = String)]
    client_id: Option<String>,
    /// Needed where the client has one; for `refresh_token` only if the client rotates them.
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// For `password`.
    #[schema(nullable = false)]
    username: Option<String>,
    /// For `password`.
    #[schema(nullable = false, format = Password)]
    password: Option<String>,
    /// For `refresh_token`.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// Role names, space separated; all there are if left out. Unknown ones are ignored.
    #[schema(nullable = false)]
    scope: Option<String>,
}

impl TokenRequest {
    /// Reads the form. Ignores unknown fields. Fails with `InvalidBody` if a field occurs twice.
    fn read(fields: Vec<(String, String)>) -> Result<Self> {
        let mut request = Self::default();
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            let field = match name.as_str() {
                "grant_type" => &mut request.grant_type,
                "client_id" => &mut request.client_id,
                "client_secret" => &mut request.client_secret,
                "username" => &mut request.username,
                "password" => &mut request.password,
                "refresh_token" => &mut request.refresh_token,
                "scope" => &mut request.scope,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(RequestError::InvalidBody(format!("the field '{name}' stands twice in the form")).into());
            }
        }
        Ok(request)
    }

    /// Sets the credentials of the header. Fails with `InvalidBody` if the form has a secret or another client: a
    /// client must not authenticate in two ways (RFC 6749, section 2.3).
    fn authenticated_by(mut self, basic: BasicCredentials) -> Result<Self> {
        let is_other = |id: String| fold(&id) != fold(&basic.id);
        if self.client_secret.is_some() || self.client_id.take().is_some_and(is_other) {
            return Err(RequestError::InvalidBody(
                "the form has another client_id, or a secret beside HTTP Basic".to_owned(),
            )
            .into());
        }
        self.client_id = Some(basic.id);
        self.client_secret = Some(basic.secret.expose_secret().to_owned());
        Ok(self)
    }

    /// The requested grant. Fails with a [`SignInError`] if the grant type is unknown or a required field is missing.
    fn grant(self) -> Result<Grant> {
        let kind = self.grant_type.as_deref().unwrap_or_default();
        if !GRANT_TYPES.contains(&kind) {
            return Err(SignInError::UnsupportedGrantType.into());
        }
        let id = self.client_id.ok_or(SignInError::InvalidClient)?;
        let client = ClientAuth { id, secret: self.client_secret.map(Secret::from) };
        match kind {
            "client_credentials" => Ok(Grant::ClientCredentials { client, scope: self.scope }),
            "password" => {
                let credentials = self.username.zip(self.password.map(Secret::from));
                let (username, password) = credentials.ok_or(SignInError::CredentialsRequired)?;
                Ok(Grant::Password { client, username, password, scope: self.scope })
            }
            _ => {
                let token = self.refresh_token.map(Secret::from).ok_or(SignInError::InvalidRefreshToken)?;
                Ok(Grant::RefreshToken { client, token })
            }
        }
    }
}

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJ1c3IiOiJhZGEifQ.c2ln", "token_type": "bearer",
    "expires_in": 35999, "refresh_token": "8W0S5zBfU8yTkIm6Zk0Rk1m3cNPr9bGJX8lN9y1tY5A",
}))]
pub(super) struct AccessToken {
    /// A JWT, to be sent as `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// In seconds from now.
    expires_in: i64,
    /// Only where the client has a lifetime for refresh tokens. The one that was sent, unless the client rotates them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

impl From<IssuedTokens> for AccessToken {
    fn from(issued: IssuedTokens) -> Self {
        Self {
            access_token: issued.access_token,
            token_type: "bearer",
            expires_in: issued.expires_in,
            refresh_token: issued.refresh_token,
        }
    }
}

/// Get a token
///
/// `client_credentials` acts with the roles of the client, `password` with those of the user, cut to the client's if
/// it has any; `refresh_token` as the token that it came with. `scope` cuts further. A client shows its ID and secret in
/// the form or by HTTP Basic, not in both.
#[utoipa::path(
    post,
    path = "/oauth/token",
    operation_id = "Auth.Token",
    tag = "Authentication",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((
        status = 200,
        description = "A token",
        body = AccessToken,
        headers(("Cache-Control" = String, description = "Always `no-store`")),
    ))
)]
pub(super) async fn grant(
    State(api): State<ApiState>,
    origin: Origin,
    headers: HeaderMap,
    form: Result<Form, Failure>,
) -> Result<Response, Failure> {
    let request = match form.and_then(|Form(fields)| Ok(TokenRequest::read(fields)?)) {
        Ok(request) => request,
        Err(Failure(error)) => {
            return form_error_response(&error).map(ErrorResponse::into_response).ok_or(Failure(error));
        }
    };
    let basic = match basic_auth::credentials(&headers) {
        Ok(None) => return Ok(issue(&api, request, origin).await?),
        Ok(Some(basic)) => basic,
        Err(_) => return Ok(basic_auth_error_response().into_response()),
    };
    let request = match request.authenticated_by(basic) {
        Ok(request) => request,
        Err(error) => return form_error_response(&error).map(ErrorResponse::into_response).ok_or(Failure(error)),
    };
    match issue(&api, request, origin).await {
        Err(Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient))) => {
            Ok(basic_auth_error_response().into_response())
        }
        result => Ok(result?),
    }
}

/// Issues the tokens of the request.
async fn issue(api: &ApiState, request: TokenRequest, origin: Origin) -> Result<Response> {
    let issued = api.service.grant(request.grant()?, origin).await?;
    Ok(([(CACHE_CONTROL, "no-store")], JsonResponse(AccessToken::from(issued))).into_response())
}

/// The header that lets any cache keep public keys and metadata for five minutes (docs/ordercloud.md, section 8).
fn public_keys_cache_control() -> [(HeaderName, String); 1] {
    [(CACHE_CONTROL, format!("public, max-age={PUBLIC_KEYS_MAX_AGE}"))]
}

/// A set of public keys.
#[derive(Serialize)]
struct KeySet<K> {
    keys: Vec<K>,
}

/// Get all public keys
///
/// A JSON Web Key Set (RFC 7517) of every key that verifies tokens, or soon will.
#[utoipa::path(
    get,
    path = "/oauth/certs",
    operation_id = "Auth.Certificates",
    tag = "Authentication",
    responses((
        status = 200,
        description = "The public keys",
        body = ref("#/components/schemas/Certificates"),
        example = json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "sXch", "e": "AQAB" }] }),
    ))
)]
pub(super) async fn certificates(State(api): State<ApiState>) -> Result<impl IntoResponse, Failure> {
    Ok((public_keys_cache_control(), JsonResponse(KeySet { keys: api.service.certificates().await? })))
}

/// Get a public key
///
/// The JSON Web Key (RFC 7517) that the `kid` in a token's header names.
#[utoipa::path(
    get,
    path = "/oauth/certs/{kid}",
    operation_id = "Auth.Certificate",
    tag = "Authentication",
    params(("kid" = String, Path, description = "The `kid` of a token's header", example = "1")),
    responses((
        status = 200,
        description = "The public key",
        body = ref("#/components/schemas/Certificate"),
        example = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "sXch", "e": "AQAB" }),
    ))
)]
pub(super) async fn certificate(
    State(api): State<ApiState>,
    Path(kid): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    Ok((public_keys_cache_control(), JsonResponse(api.service.certificate(&kid).await?)))
}

/// The path of the metadata of the token endpoint.
pub(super) const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// The metadata of an authorization server (RFC 8414, section 2), with only what this one has.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "issuer": "https://groups.example.com", "token_endpoint": "https://groups.example.com/oauth/token",
    "jwks_uri": "https://groups.example.com/oauth/certs",
    "userinfo_endpoint": "https://groups.example.com/oauth/userinfo",
    "service_documentation": "https://groups.example.com/docs/",
    "scopes_supported": ["FullAccess", "AdminUserGroupReader"], "response_types_supported": [],
    "grant_types_supported": ["client_credentials", "password", "refresh_token"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
}))]
pub(super) struct Metadata {
    /// The `iss` of tokens.
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: String,
    service_documentation: String,
    /// The names of all roles.
    scopes_supported: Vec<&'static str>,
    /// Always empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 3],
    /// `none` for public clients.
    token_endpoint_auth_methods_supported: [&'static str; 3],
}

/// Get the metadata of the token endpoint
///
/// RFC 8414. Only if the operator has configured the public URL of the server.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    operation_id = "Auth.Metadata",
    tag = "Authentication",
    responses((status = 200, description = "The metadata", body = Metadata))
)]
pub(super) async fn metadata(State(api): State<ApiState>) -> Result<impl IntoResponse, Failure> {
    let base = api.base_url.as_deref().ok_or_else(|| RequestError::RouteNotFound(METADATA_PATH.to_owned()))?;
    let at = |path: &str| format!("{base}{path}");
    let metadata = Metadata {
        issuer: api.service.issuer().to_owned(),
        token_endpoint: at("/oauth/token"),
        jwks_uri: at("/oauth/certs"),
        userinfo_endpoint: at("/oauth/userinfo"),
        service_documentation: at("/docs/"),
        scopes_supported: Roles::NAMES.map(|(_, name)| name).to_vec(),
        response_types_supported: [],
        grant_types_supported: GRANT_TYPES,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
    };
    Ok((public_keys_cache_control(), JsonResponse(metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant_of(form: &[(&str, &str)]) -> Result<Grant> {
        TokenRequest::read(form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())?
            .grant()
    }

    #[test]
    fn grants_are_read_as_the_clients_send_them() {
        let form = [("grant_type", "password"), ("username", "u"), ("password", "p&ss wörd+"), ("client_id", "C")];
        let Ok(Grant::Password { client, username, password, scope: None }) = grant_of(&form) else {
            panic!("no grant")
        };
        assert_eq!((client.id.as_str(), username.as_str(), client.secret.is_none()), ("C", "u", true));
        assert_eq!(password.expose_secret(), "p&ss wörd+");
        let form =
            [("grant_type", "client_credentials"), ("scope", "FullAccess"), ("client_id", "C"), ("client_secret", "S")];
        assert!(matches!(grant_of(&form), Ok(Grant::ClientCredentials { scope: Some(_), .. })));
        let form =
            [("grant_type", "refresh_token"), ("client_id", "C"), ("refresh_token", "rt-1"), ("anonuserid", "x")];
        assert!(matches!(grant_of(&form), Ok(Grant::RefreshToken { .. })));
    }

    #[test]
    fn missing_fields_are_reported() {
        assert!(matches!(
            grant_of(&[]),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::UnsupportedGrantType)))
        ));
        assert!(matches!(
            grant_of(&[("grant_type", "implicit"), ("client_id", "C")]),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::UnsupportedGrantType)))
        ));
        assert!(matches!(
            grant_of(&[("grant_type", "password"), ("client_id", "")]),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)))
        ));
        let form = [("grant_type", "password"), ("client_id", "C"), ("username", "u"), ("password", "")];
        assert!(matches!(
            grant_of(&form),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::CredentialsRequired)))
        ));
        assert!(matches!(
            grant_of(&[("grant_type", "refresh_token"), ("client_id", "C")]),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::InvalidRefreshToken)))
        ));
        assert!(matches!(
            grant_of(&[("client_id", "C"), ("client_id", "C")]),
            Err(Error::Request(RequestError::InvalidBody(_)))
        ));
    }
}
