//! Tokens and the keys that verify them (docs/ordercloud.md, section 8). Whoever asks here needs no token yet.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::error::{Error, Result};
use crate::domain::user::Secret;
use crate::http::answer::Answer;
use crate::http::extract::{Form, Path};
use crate::http::{Api, Failure};
use crate::service::tokens::{ClientAuth, Grant, Granted};

use super::error::{Told, told_of_form};

/// What is asked of the token endpoint. A field without a value counts as absent (RFC 6749, section 3.2).
#[derive(Default, ToSchema)]
#[schema(example = json!({
    "grant_type": "client_credentials", "client_id": "my-client", "client_secret": "its-secret", "scope": "FullAccess",
}))]
pub struct TokenRequest {
    /// `client_credentials`, `password` or `refresh_token`.
    #[schema(value_type = String)]
    grant_type: Option<String>,
    #[schema(value_type = String)]
    client_id: Option<String>,
    /// Needed where the client has one.
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
    /// Reads the form; fails with `InvalidBody` where a field stands in it twice. Unknown fields are ignored.
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
                return Err(Error::InvalidBody(format!("the field '{name}' stands twice in the form")));
            }
        }
        Ok(request)
    }

    /// The grant that is asked for, as far as the form tells it whole.
    fn grant(self) -> Result<Grant> {
        let kind = self.grant_type.as_deref().unwrap_or_default();
        if !["client_credentials", "password", "refresh_token"].contains(&kind) {
            return Err(Error::UnsupportedGrantType);
        }
        let id = self.client_id.ok_or(Error::InvalidClient)?;
        let client = ClientAuth { id, secret: self.client_secret.map(Secret::from) };
        match kind {
            "client_credentials" => Ok(Grant::ClientCredentials { client, scope: self.scope }),
            "password" => {
                let named = self.username.zip(self.password.map(Secret::from));
                let (username, password) = named.ok_or(Error::CredentialsRequired)?;
                Ok(Grant::Password { client, username, password, scope: self.scope })
            }
            _ => {
                let token = self.refresh_token.map(Secret::from).ok_or(Error::InvalidRefreshToken)?;
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
pub struct AccessToken {
    /// A JWT, to be sent as `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// In seconds from now.
    expires_in: i64,
    /// Only where the client has a lifetime for refresh tokens. To be used once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

impl From<Granted> for AccessToken {
    fn from(granted: Granted) -> Self {
        Self {
            access_token: granted.access_token,
            token_type: "bearer",
            expires_in: granted.expires_in,
            refresh_token: granted.refresh_token,
        }
    }
}

/// Get a token
///
/// `client_credentials` acts with the roles of the client, `password` with those of the user, cut to the client's if
/// it has any; `refresh_token` as the token that it came with. `scope` cuts further.
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
pub async fn grant(State(api): State<Api>, form: Result<Form, Failure>) -> Result<Response, Failure> {
    let request = match form.and_then(|Form(fields)| Ok(TokenRequest::read(fields)?)) {
        Ok(request) => request,
        Err(Failure(error)) => return told_of_form(&error).map(Told::answer).ok_or(Failure(error)),
    };
    let granted = api.service.grant(request.grant()?).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Answer(AccessToken::from(granted))).into_response())
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
        body = Object,
        example = json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "sXch", "e": "AQAB" }] }),
    ))
)]
pub async fn certificates(State(api): State<Api>) -> Result<impl IntoResponse, Failure> {
    Ok(Answer(KeySet { keys: api.service.certificates().await? }))
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
        body = Object,
        example = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": "sXch", "e": "AQAB" }),
    ))
)]
pub async fn certificate(State(api): State<Api>, Path(kid): Path<String>) -> Result<impl IntoResponse, Failure> {
    Ok(Answer(api.service.certificate(&kid).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    use secrecy::ExposeSecret as _;

    fn asked(form: &[(&str, &str)]) -> Result<Grant> {
        TokenRequest::read(form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())?
            .grant()
    }

    #[test]
    fn grants_are_read_as_the_clients_send_them() {
        let form = [("grant_type", "password"), ("username", "u"), ("password", "p&ss wörd+"), ("client_id", "C")];
        let Ok(Grant::Password { client, username, password, scope: None }) = asked(&form) else { panic!("no grant") };
        assert_eq!((client.id.as_str(), username.as_str(), client.secret.is_none()), ("C", "u", true));
        assert_eq!(password.expose_secret(), "p&ss wörd+");
        let form =
            [("grant_type", "client_credentials"), ("scope", "FullAccess"), ("client_id", "C"), ("client_secret", "S")];
        assert!(matches!(asked(&form), Ok(Grant::ClientCredentials { scope: Some(_), .. })));
        let form =
            [("grant_type", "refresh_token"), ("client_id", "C"), ("refresh_token", "rt-1"), ("anonuserid", "x")];
        assert!(matches!(asked(&form), Ok(Grant::RefreshToken { .. })));
    }

    #[test]
    fn what_is_missing_is_told() {
        assert!(matches!(asked(&[]), Err(Error::UnsupportedGrantType)));
        assert!(matches!(asked(&[("grant_type", "implicit"), ("client_id", "C")]), Err(Error::UnsupportedGrantType)));
        assert!(matches!(asked(&[("grant_type", "password"), ("client_id", "")]), Err(Error::InvalidClient)));
        let form = [("grant_type", "password"), ("client_id", "C"), ("username", "u"), ("password", "")];
        assert!(matches!(asked(&form), Err(Error::CredentialsRequired)));
        assert!(matches!(
            asked(&[("grant_type", "refresh_token"), ("client_id", "C")]),
            Err(Error::InvalidRefreshToken)
        ));
        assert!(matches!(asked(&[("client_id", "C"), ("client_id", "C")]), Err(Error::InvalidBody(_))));
    }
}
