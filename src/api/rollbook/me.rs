//! Who the caller is (docs/rollbook.md, section 9).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::client;
use crate::domain::user;
use crate::http::request::caller::Bearer;
use crate::http::request::extract::Query;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::parameters;
use super::wire::date;

/// The caller of a token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "user": {
        "uid": 12, "id": "ada", "username": "ada", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
    },
    "client": { "id": "5d7b1c9e-0f7e-4a55-9d0c-3f1d2a6b8c47", "name": "Console" }, "roles": ["AdminUserGroupAdmin"],
    "communities": ["a6dfbbee-4866-422a-8f83-6b8533375e7d"], "expires": "2026-06-04T20:35:36.38Z",
}))]
pub(super) struct Me {
    /// The user for whom the token acts; null if it acts for none.
    user: Option<OwnUser>,
    /// The client of the token; null for a token of the Core API's logon.
    client: Option<OwnClient>,
    /// The names of the roles of the token.
    roles: Vec<&'static str>,
    /// GUIDs of the communities that the caller is limited to; null if the caller is not limited, empty if the limits of
    /// user and client leave none.
    communities: Option<Vec<String>>,
    /// The time at which the token expires.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// The user for whom a token acts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnUser {
    /// The number, which is never changed and never given again.
    #[schema(minimum = 1)]
    uid: i64,
    id: String,
    username: String,
    first_name: String,
    last_name: String,
    email: String,
}

/// The client of a token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnClient {
    /// The `client_id`.
    id: String,
    /// The name, for people.
    name: String,
}

impl From<user::User> for OwnUser {
    fn from(user::User { uid, fields, .. }: user::User) -> Self {
        Self {
            uid,
            id: fields.id.to_string(),
            username: fields.username,
            first_name: fields.first_name,
            last_name: fields.last_name,
            email: fields.email,
        }
    }
}

impl From<client::Client> for OwnClient {
    fn from(client: client::Client) -> Self {
        Self { id: client.fields.id, name: client.fields.name }
    }
}

/// Get the caller
///
/// The user and the client of the token, what they may do, and until when.
#[utoipa::path(
    get,
    path = "/rollbook/v1/me",
    operation_id = "me.get",
    tag = "Directory",
    responses((status = 200, description = "The caller", body = Me))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    Bearer(caller): Bearer,
    Query(query): Query,
) -> Result<JsonResponse<Me>, Failure> {
    parameters::check_names(&query, &[])?;
    let (user, client) = (api.service.own_user(&caller).await?, api.service.own_client(&caller).await?);
    Ok(JsonResponse(Me {
        user: user.map(OwnUser::from),
        client: client.map(OwnClient::from),
        roles: caller.roles.names().collect(),
        communities: caller.visibility.limit().map(|own| own.iter().map(ToString::to_string).collect()),
        expires: caller.token.as_ref().map(|token| date(token.expires)),
    }))
}
