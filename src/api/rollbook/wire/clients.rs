//! Clients, their long-lived tokens and signing keys in responses.

use secrecy::ExposeSecret as _;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::api::rollbook::address;
use crate::domain::client;
use crate::domain::community::Visibility;
use crate::domain::long_lived_token;
use crate::domain::signing_key::PublishedKey;
use crate::domain::user::Secret;
use crate::service::tokens::{KeyState, KeyStatus};

use super::{date, visible};

/// One page of a list in the order of creation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// The value of `after` for the next page; null on the last page.
    #[schema(example = "AVY4pxSHAQ4")]
    pub next: Option<String>,
}

/// A client: a program that may request tokens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55", "name": "Entra", "roles": ["AdminUserGroupAdmin"],
    "communities": [], "user": null, "public": false, "enabled": true, "accessMinutes": 600, "refreshMinutes": 0,
    "refreshRotation": false, "strictMembers": false, "maxRemovalPercent": null, "version": 1,
    "created": "2026-06-04T20:35:36.38Z", "updated": "2026-06-04T20:35:36.38Z",
}))]
pub(in crate::api::rollbook) struct Client {
    /// The `client_id`, which never changes.
    #[schema(min_length = 1, max_length = 100)]
    id: String,
    /// The name, for people.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The roles of the client's own tokens. Users who sign in through it keep only these of theirs; without any, they
    /// keep all.
    roles: Vec<&'static str>,
    /// GUIDs of the communities that the client is limited to; empty if it is not limited.
    communities: Vec<String>,
    /// The address of the user as whom the client acts with its own tokens, `uid:` and a number; null if it acts in its
    /// own name.
    user: Option<String>,
    /// Whether the client has no secret: only users can sign in through it. It never changes.
    public: bool,
    /// Whether the client may get tokens.
    enabled: bool,
    /// The lifetime of access tokens, in minutes.
    #[schema(minimum = 1, maximum = 525600)]
    access_minutes: i64,
    /// The lifetime of refresh tokens, in minutes; 0 if the client gets none.
    #[schema(minimum = 0, maximum = 525600)]
    refresh_minutes: i64,
    /// Whether each use of a refresh token replaces it with a new one.
    refresh_rotation: bool,
    /// Whether SCIM refuses a change of members that names unknown users, rather than ignoring these.
    strict_members: bool,
    /// The share of a group's members that one SCIM request may remove, in percent, if these are more than 20 members;
    /// null if there is no limit.
    #[schema(minimum = 0, maximum = 100)]
    max_removal_percent: Option<i64>,
    /// Grows by one with each change.
    #[schema(minimum = 1)]
    version: i64,
    #[schema(format = DateTime, read_only)]
    created: String,
    #[schema(format = DateTime, read_only)]
    updated: String,
}

impl Client {
    /// The client as everybody who may read clients sees it.
    pub(in crate::api::rollbook) fn new(client: &client::Client) -> Self {
        let fields = &client.fields;
        Self {
            id: fields.id.clone(),
            name: fields.name.clone(),
            roles: fields.roles.names().collect(),
            communities: visible(&fields.communities, &Visibility::All),
            user: fields.user.map(address::of_number),
            public: client.secret_hash.is_none(),
            enabled: fields.enabled,
            access_minutes: fields.access_minutes,
            refresh_minutes: fields.refresh_minutes,
            refresh_rotation: fields.refresh_rotation,
            strict_members: fields.strict_members,
            max_removal_percent: fields.max_removal_percent,
            version: client.version,
            created: date(client.created),
            updated: date(client.updated),
        }
    }
}

/// A long-lived token, without the token itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "1b0f6c9e-7e0b-4c53-a7c5-7d2f6f0f1d11", "name": "okta", "client": "5c0a1e0e-8f5f-4a6b-9a53-0c8b0e3f6a55",
    "created": "2026-06-04T20:35:36.38Z", "expires": "2027-06-04T20:35:36.38Z", "lastUsed": null,
}))]
pub(in crate::api::rollbook) struct Token {
    /// The ID by which the token is revoked.
    id: String,
    /// The name, for people.
    name: String,
    /// The `client_id` of the client that the token's requests come from.
    client: String,
    #[schema(format = DateTime)]
    created: String,
    #[schema(format = DateTime)]
    expires: String,
    /// The hour of the last use; null if the token was never used.
    #[schema(format = DateTime)]
    last_used: Option<String>,
}

impl Token {
    /// The token of the client with this `client_id`.
    pub(in crate::api::rollbook) fn new(token: &long_lived_token::LongLivedToken, client: &str) -> Self {
        Self {
            id: token.fields.id.clone(),
            name: token.fields.name.clone(),
            client: client.to_owned(),
            created: date(token.created),
            expires: date(token.fields.expires),
            last_used: token.last_used.map(date),
        }
    }
}

/// What was created, with its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct WithSecret<T> {
    #[serde(flatten)]
    created: T,
    /// The secret, which is shown once; null in a repeated answer and for a public client.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = Option<String>, example = "rbk_0Jm3fWb7Yx1pVq8sZt5uKd2nLh9cRa4eGi6oTjUyB3m")]
    secret: Option<Secret>,
    /// Whether an earlier answer showed the secret.
    #[schema(example = false)]
    secret_shown: bool,
}

impl<T> WithSecret<T> {
    /// The first answer, with the secret if there is one.
    pub(in crate::api::rollbook) fn first(created: T, secret: Option<&Secret>) -> Self {
        Self { created, secret: secret.cloned(), secret_shown: false }
    }

    /// A repeated answer. `has_secret`: whether the first one showed a secret.
    pub(in crate::api::rollbook) fn repeated(created: T, has_secret: bool) -> Self {
        Self { created, secret: None, secret_shown: has_secret }
    }
}

fn exposed<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|secret| secret.expose_secret()).serialize(serializer)
}

/// A key that signs tokens, without its key material.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "kid": "0197b8a5-0000-7000-8000-000000000000", "state": "signs", "signsFrom": "2026-06-04T20:35:36Z" }))]
pub(in crate::api::rollbook) struct Key {
    /// The key ID, as the headers of tokens name it.
    kid: String,
    /// `upcoming` (it does not sign yet), `signs`, or `retired` (the tokens that it signed stay valid).
    state: &'static str,
    /// The time from which the key signs.
    #[schema(format = DateTime)]
    signs_from: String,
}

impl Key {
    /// A key with its present use.
    pub(in crate::api::rollbook) fn new(key: &KeyStatus) -> Self {
        Self { kid: key.kid.clone(), state: key.state.name(), signs_from: date(key.signs_from) }
    }

    /// A key that was created and does not sign yet.
    pub(in crate::api::rollbook) fn upcoming(key: &PublishedKey) -> Self {
        Self { kid: key.kid.clone(), state: KeyState::Upcoming.name(), signs_from: date(key.signs_from) }
    }
}

/// All signing keys.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Keys {
    /// The keys, the newest first.
    pub items: Vec<Key>,
}
