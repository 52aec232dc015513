//! The bodies of clients, their long-lived tokens and signing keys (docs/rollbook.md, section 8).

use crate::domain::address;
use crate::domain::caller::{ManageClients, Permit};
use crate::domain::client::{ACCESS_MINUTES_DEFAULT, Client, TEXT_MAX};
use crate::domain::error;
use crate::domain::long_lived_token::{DAYS_DEFAULT, NAME_MAX};
use crate::domain::role::Roles;
use crate::domain::user::{Secret, UserKey};
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::Service;
use crate::service::clients::{ClientDraft, ClientPatch, new_secret};
use crate::service::tokens::KEY_PUBLISHED_SECONDS;

use super::{communities, positive, skip};

/// The fields of a client that only responses set.
const READ_ONLY_OF_CLIENTS: [&str; 2] = ["created", "updated"];

/// A new client, before its user is looked up and its secret is generated.
#[derive(Debug)]
pub(crate) struct NewClient {
    /// The fields, without user and secret.
    pub draft: ClientDraft,
    /// The user as whom the client acts.
    pub user: Option<UserKey>,
    /// Whether the client gets no secret.
    pub public: bool,
}

/// Changes of a client, before its user is looked up.
#[derive(Debug)]
pub(crate) struct ClientChange {
    /// The fields to change, without the user.
    pub patch: ClientPatch,
    /// The user as whom the client acts. An outer `None` is an absent field, an inner `None` is null.
    pub user: Option<Option<UserKey>>,
}

impl NewClient {
    /// Creates the client, and returns it with its secret; a public one has none. Fails as [`Service::create_client`] does,
    /// and with `Invalid` if the user does not exist.
    pub(crate) async fn create(
        self,
        service: &Service,
        permit: &Permit<ManageClients>,
    ) -> error::Result<(Client, Option<Secret>)> {
        let user = match &self.user {
            Some(key) => Some(service.acting_user(permit, key).await?),
            None => None,
        };
        let secret = if self.public { None } else { Some(new_secret()?) };
        let draft = ClientDraft { user, secret: secret.clone(), ..self.draft };
        Ok((service.create_client(permit, draft).await?, secret))
    }
}

impl ClientChange {
    /// Changes the client with this `client_id`, and returns it. Fails as [`Service::patch_client`] does, and with `Invalid`
    /// if the user does not exist.
    pub(crate) async fn apply(
        self,
        service: &Service,
        permit: &Permit<ManageClients>,
        id: &str,
    ) -> error::Result<Client> {
        let user = match self.user {
            Some(Some(key)) => Some(Some(service.acting_user(permit, &key).await?)),
            Some(None) => Some(None),
            None => None,
        };
        service.patch_client(permit, id, ClientPatch { user, ..self.patch }).await
    }
}

/// Reads a new client. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn client(fields: Fields) -> Result<NewClient> {
    let mut reader = FieldReader::new(fields);
    let draft = ClientDraft {
        id: None,
        name: reader.required_text("name", TEXT_MAX),
        roles: roles(&mut reader).unwrap_or_default(),
        communities: communities(&mut reader).unwrap_or_default(),
        user: None,
        secret: None,
        access_minutes: whole(&mut reader, "accessMinutes").unwrap_or(ACCESS_MINUTES_DEFAULT),
        refresh_minutes: whole(&mut reader, "refreshMinutes").unwrap_or(0),
        refresh_rotation: reader.bool("refreshRotation").unwrap_or(false),
        enabled: reader.bool("enabled").unwrap_or(true),
        strict_members: reader.bool("strictMembers").unwrap_or(false),
        max_removal_percent: nullable_whole(&mut reader, "maxRemovalPercent").flatten(),
    };
    let (user, public) = (user(&mut reader).flatten(), reader.bool("public").unwrap_or(false));
    reader.finish_known(NewClient { draft, user, public })
}

/// Reads a merge patch of a client (RFC 7396). Fails with `Invalid` or `InvalidBody`.
pub(crate) fn client_change(fields: Fields) -> Result<ClientChange> {
    let mut reader = FieldReader::new(fields);
    skip(&mut reader, &READ_ONLY_OF_CLIENTS);
    let patch = ClientPatch {
        own_id: reader.patched_text("id", TEXT_MAX),
        own_public: reader.bool("public"),
        version: positive(&mut reader, "version"),
        name: reader.patched_text("name", TEXT_MAX),
        roles: roles(&mut reader),
        communities: communities(&mut reader),
        access_minutes: whole(&mut reader, "accessMinutes"),
        refresh_minutes: whole(&mut reader, "refreshMinutes"),
        refresh_rotation: reader.bool("refreshRotation"),
        enabled: reader.bool("enabled"),
        user: None,
        strict_members: reader.bool("strictMembers"),
        max_removal_percent: nullable_whole(&mut reader, "maxRemovalPercent"),
    };
    let user = user(&mut reader);
    reader.finish_known(ClientChange { patch, user })
}

/// Reads the name and the number of days of a new long-lived token. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn token(fields: Fields) -> Result<(String, i64)> {
    let mut reader = FieldReader::new(fields);
    let token = (reader.required_text("name", NAME_MAX), whole(&mut reader, "days").unwrap_or(DAYS_DEFAULT));
    reader.finish_known(token)
}

/// Reads for how many seconds a new key is published before it signs; the body may be missing. Fails with `Invalid` or
/// `InvalidBody`.
pub(crate) fn publish_seconds(fields: Option<Fields>) -> Result<i64> {
    let mut reader = FieldReader::new(fields.unwrap_or_default());
    let seconds = whole(&mut reader, "publishSeconds").unwrap_or(KEY_PUBLISHED_SECONDS.into());
    reader.finish_known(seconds)
}

/// Reads a body in which nothing may stand. Fails with `InvalidBody`.
pub(crate) fn nothing(fields: Option<Fields>) -> Result<()> {
    FieldReader::new(fields.unwrap_or_default()).finish_known(())
}

/// Reads a set of roles; `None` if it is absent.
fn roles(reader: &mut FieldReader) -> Option<Roles> {
    let json = reader.take("roles")?;
    let rule = || "must be an array of names of roles".to_owned();
    let role = |item: &Json| match item {
        Json::String(name) => name.parse::<Roles>(),
        _ => Err(rule()),
    };
    let roles = match &json {
        Json::Array(items) => items.iter().try_fold(Roles::NONE, |all, item| role(item).map(|role| all.with(role))),
        _ => Err(rule()),
    };
    roles.map_err(|rule| reader.violate("roles", rule)).ok()
}

/// Reads the address of the user as whom a client acts: `None` if it is absent, `Some(None)` if it is null.
fn user(reader: &mut FieldReader) -> Option<Option<UserKey>> {
    let key = match reader.take("user")? {
        Json::Null => return Some(None),
        Json::String(address) => address::user_key(&address),
        _ => None,
    };
    if key.is_none() {
        reader.violate("user", "must be the address of a user: an ID, uid: and a number, or username: and a username");
    }
    Some(key)
}

/// Reads a whole number; `None` if it is absent.
fn whole(reader: &mut FieldReader, field: &'static str) -> Option<i64> {
    let json = reader.take(field)?;
    Some(number(reader, field, &json))
}

/// Reads a whole number or null: `None` if it is absent, `Some(None)` if it is null.
fn nullable_whole(reader: &mut FieldReader, field: &'static str) -> Option<Option<i64>> {
    match reader.take(field)? {
        Json::Null => Some(None),
        json => Some(Some(number(reader, field, &json))),
    }
}

fn number(reader: &mut FieldReader, field: &'static str, json: &Json) -> i64 {
    let number = match json {
        Json::Number(digits) => digits.parse().ok(),
        _ => None,
    };
    number.unwrap_or_else(|| {
        reader.violate(field, "must be a whole number");
        0
    })
}
